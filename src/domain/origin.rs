//! Which PostgreSQL server a database is on, and whether its commits survive the loss of that server.
//!
//! A standby that was promoted, and a backup that was recovered to a point in time, begin another timeline. The database
//! remembers the timeline on which it was last known to be whole, and so does its witness.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{LineageCause, StoreSelf, Witnessed};

/// A witness is current if no node gave a sign of life later than this after it was written. A node writes its witness at
/// least every ten seconds while it reaches the database, and clocks may differ by five.
const CURRENT_WITHIN: SignedDuration = SignedDuration::from_secs(20);

/// The server and the branch of its history that a database is on: PostgreSQL's system identifier and timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServerOrigin {
    pub system: i64,
    pub timeline: u32,
}

impl fmt::Display for ServerOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "system {}, timeline {}", self.system, self.timeline)
    }
}

/// What a database says of its server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Server {
    /// `None` for a file, and where the user may not read it.
    pub origin: Option<ServerOrigin>,
    /// Whether a commit is answered only after every standby has it.
    pub is_synchronous: bool,
}

/// What the server says of its standbys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standbys {
    /// `synchronous_commit` of our sessions.
    pub commit: String,
    /// `synchronous_standby_names`.
    pub names: String,
    /// The physical standbys that are connected.
    pub all: u64,
    /// Those of them whose state the user may not read.
    pub hidden: u64,
    /// Those that every commit waits for.
    pub sync: u64,
    /// Those of which every commit waits for as many as `names` says.
    pub quorum: u64,
}

/// The settings of a server on which the durability of commits depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSettings {
    pub fsync: bool,
    pub full_page_writes: bool,
    pub standbys: Standbys,
    /// `None` where the user may not read it.
    pub origin: Option<ServerOrigin>,
}

/// What a promotion of a standby can lose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replication {
    /// No standby is connected.
    NoStandby,
    /// The user may not read the state of the standbys.
    Hidden,
    /// A standby may lack the last commits.
    Asynchronous,
    /// Every connected standby has every commit that was answered.
    Synchronous,
}

impl Standbys {
    #[must_use]
    pub fn replication(&self) -> Replication {
        if self.all == 0 {
            return Replication::NoStandby;
        }
        if self.hidden > 0 {
            return Replication::Hidden;
        }
        // With `remote_write` the standby has not yet written it to its disk, with `local` it need not have it.
        let waits = ["on", "remote_apply"].contains(&self.commit.as_str());
        let by_priority = self.sync == self.all;
        let by_quorum = self.quorum == self.all && self.waited_for() >= self.quorum;
        match waits && (by_priority || by_quorum) {
            true => Replication::Synchronous,
            false => Replication::Asynchronous,
        }
    }

    /// For how many of a quorum a commit waits: `ANY 2 (a, b)`.
    fn waited_for(&self) -> u64 {
        let mut words = self.names.split(|c: char| c.is_whitespace() || c == '(');
        let is_any = words.next().is_some_and(|word| word.eq_ignore_ascii_case("any"));
        words
            .find(|word| !word.is_empty())
            .filter(|_| is_any)
            .and_then(|count| count.parse().ok())
            .unwrap_or(0)
    }
}

/// Whether a database is still on the server and timeline that it was known on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It is, or that cannot be read: then the number of its last batch is all that is compared.
    No,
    /// It is on a later timeline, and nothing was lost.
    Whole,
    /// Commits may be missing.
    Held(LineageCause),
}

/// Compares the server of a store with what the store and its witness remember. `witness` is what this node knows.
///
/// A later timeline has lost nothing if every commit waited for every standby until the end: the witness says so, it is
/// current, and the store has all batches that it knows.
#[must_use]
pub fn moved(store: &StoreSelf, witness: Option<&Witnessed>) -> Moved {
    let Some(now) = store.server.origin else { return Moved::No };
    let mine = witness.filter(|witness| store.identity == Some(witness.identity));
    let seen = mine.and_then(|witness| witness.server.origin);
    let mut known = store.origin.into_iter().chain(seen);
    if known.clone().all(|origin| origin == now) {
        return Moved::No;
    }
    if known.clone().any(|origin| origin.system != now.system) {
        return Moved::Held(LineageCause::AnotherSystem);
    }
    if known.any(|origin| origin.timeline > now.timeline) {
        return Moved::Held(LineageCause::AnotherTimeline);
    }
    if store.origin == Some(now) {
        // Another node has compared it.
        return Moved::No;
    }
    match mine.is_some_and(|witness| proves(witness, store)) {
        true => Moved::Whole,
        false => Moved::Held(LineageCause::AnotherTimeline),
    }
}

/// Whether nothing that was committed before can be missing.
fn proves(witness: &Witnessed, store: &StoreSelf) -> bool {
    let slack = |at: Timestamp| at.checked_add(CURRENT_WITHIN).unwrap_or(Timestamp::MAX);
    witness.server.is_synchronous
        && witness.server.origin == store.origin
        && !store.position.is_behind(witness.position)
        && store.beaten_at.is_none_or(|beaten_at| beaten_at <= slack(witness.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Position, StoreIdentity};

    const AT: Timestamp = Timestamp::constant(1_790_000_000, 0);

    fn standbys(names: &str, all: u64, sync: u64, quorum: u64) -> Standbys {
        Standbys { commit: "on".to_owned(), names: names.to_owned(), all, hidden: 0, sync, quorum }
    }

    #[test]
    fn commits_are_safe_if_each_waits_for_every_standby() {
        use Replication::{Asynchronous, Hidden, NoStandby, Synchronous};
        let with = |commit: &str| Standbys { commit: commit.to_owned(), ..standbys("a", 1, 1, 0) };
        for (what, standbys, expected) in [
            ("none", standbys("", 0, 0, 0), NoStandby),
            ("one that may lag", standbys("", 1, 0, 0), Asynchronous),
            ("one", standbys("a", 1, 1, 0), Synchronous),
            ("another one may lag", standbys("a", 2, 1, 0), Asynchronous),
            ("two by priority", standbys("FIRST 2 (a, b)", 2, 2, 0), Synchronous),
            ("any of two", standbys("ANY 1 (a, b)", 2, 0, 2), Asynchronous),
            ("both of two", standbys("ANY 2 (a, b)", 2, 0, 2), Synchronous),
            ("both, written closely", standbys("any 2(a,b)", 2, 0, 2), Synchronous),
            ("hidden", Standbys { hidden: 1, ..standbys("a", 1, 0, 0) }, Hidden),
            ("commits are not waited for", with("off"), Asynchronous),
            ("nor elsewhere", with("local"), Asynchronous),
            ("nor on its disk", with("remote_write"), Asynchronous),
            ("applied", with("remote_apply"), Synchronous),
        ] {
            assert_eq!(standbys.replication(), expected, "{what}");
        }
    }

    const fn on(system: i64, timeline: u32) -> Option<ServerOrigin> {
        Some(ServerOrigin { system, timeline })
    }

    fn later(seconds: i64) -> Timestamp {
        AT + SignedDuration::from_secs(seconds)
    }

    /// Known on timeline 1, now on timeline 2; the witness was synchronous and current.
    fn promoted() -> (StoreSelf, Witnessed) {
        let (identity, position) = (StoreIdentity::new([1; 16]), Position { leader: 3, batch: 10 });
        let store = StoreSelf {
            identity: Some(identity),
            position,
            copied_at: None,
            last_at: None,
            is_held: false,
            origin: on(7, 1),
            server: Server { origin: on(7, 2), is_synchronous: false },
            beaten_at: Some(later(20)),
        };
        let server = Server { origin: on(7, 1), is_synchronous: true };
        (store, Witnessed { identity, position, at: AT, server })
    }

    #[test]
    fn a_later_timeline_is_whole_only_if_its_witness_proves_it() {
        use LineageCause::{AnotherSystem, AnotherTimeline};
        let check = |what: &str, change: fn(&mut StoreSelf, &mut Witnessed), expected| {
            let (mut store, mut witness) = promoted();
            change(&mut store, &mut witness);
            assert_eq!(moved(&store, Some(&witness)), expected, "{what}");
        };
        check("synchronous", |_, _| (), Moved::Whole);
        check("ahead of its witness", |store, _| store.position.batch = 11, Moved::Whole);
        let lost = Moved::Held(AnotherTimeline);
        check("a batch is missing", |store, _| store.position.batch = 9, lost);
        check("a standby could lag", |_, witness| witness.server.is_synchronous = false, lost);
        check("a node lived longer", |store, _| store.beaten_at = Some(later(21)), lost);
        check(
            "the witness is of another store",
            |_, witness| witness.identity = StoreIdentity::new([2; 16]),
            lost,
        );
        check("it knows no timeline", |_, witness| witness.server.origin = None, lost);
        check("another server", |store, _| store.server.origin = on(8, 2), Moved::Held(AnotherSystem));
        check(
            "the old server again",
            |store, witness| {
                store.server.origin = on(7, 1);
                witness.server.origin = on(7, 2);
            },
            lost,
        );
        check("compared by another node", |store, _| store.origin = on(7, 2), Moved::No);
        check("the same", |store, _| store.server.origin = on(7, 1), Moved::No);
        check("it cannot be read", |store, _| store.server.origin = None, Moved::No);
        check(
            "never known",
            |store, witness| (store.origin, witness.server.origin) = (None, None),
            Moved::No,
        );
        assert_eq!(moved(&promoted().0, None), lost, "without a witness");
    }
}
