//! Nodes, and the leases of dialling groups. Each claim or renewal is one conditional statement.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::rows::{Cells, collect, corrupt, first, limit, micros, span};
use super::sql::{Connection, params};
use super::{SqlStore, lineage};
use crate::domain::lease::{GroupName, LeaderRecord, Lease, LeaseEnd, LeaseTerm, Node, RunId};
use crate::store::nodes::{Beat, Beaten, Claim, Joined, NewNode, Nodes};
use crate::store::{Error, Result};

/// The terms that the log keeps of each group.
const TERMS_KEPT: i64 = 1_000;
/// How long a node that left is listed.
const NODES_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

const JOIN: &str = "INSERT INTO nodes (name, run, version, url, started_at, seen_at, clock_ahead) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0) ON CONFLICT (name) DO UPDATE SET run = excluded.run, \
     version = excluded.version, url = excluded.url, started_at = excluded.started_at, seen_at = excluded.seen_at, \
     left_at = NULL, clock_ahead = 0, resign_asked_at = NULL, resign_asked_by = NULL \
     WHERE nodes.run = excluded.run OR nodes.left_at IS NOT NULL OR nodes.seen_at <= ?6 OR ?7 = 1 RETURNING name";

/// The rule of `policy::lease::claim`.
const CLAIM: &str = "INSERT INTO leases (group_name, node, run, term, since, until) VALUES (?1, ?2, ?3, 1, ?4, ?5) \
     ON CONFLICT (group_name) DO UPDATE SET \
     term = CASE WHEN leases.run = excluded.run AND leases.resigned_at IS NULL AND leases.until > excluded.since \
         THEN leases.term ELSE leases.term + 1 END, \
     since = CASE WHEN leases.run = excluded.run AND leases.resigned_at IS NULL AND leases.until > excluded.since \
         THEN leases.since ELSE excluded.since END, \
     began_after = CASE WHEN leases.run = excluded.run AND leases.resigned_at IS NULL \
             AND leases.until > excluded.since THEN leases.began_after \
         WHEN leases.resigned_at IS NOT NULL THEN 'resigned' \
         WHEN leases.until > excluded.since THEN 'process_ended' ELSE 'expired' END, \
     node = excluded.node, run = excluded.run, until = excluded.until, resigned_at = NULL \
     WHERE leases.run = excluded.run OR leases.resigned_at IS NOT NULL OR leases.until <= excluded.since OR ?6 = 1 \
     RETURNING group_name, node, run, term, since, until, resigned_at, began_after";

const LEASE: &str = "SELECT group_name, node, run, term, since, until, resigned_at, began_after FROM leases \
     WHERE group_name = ?1";
const LEASES: &str = "SELECT group_name, node, run, term, since, until, resigned_at, began_after FROM leases \
     ORDER BY group_name";
const RESIGN: &str = "UPDATE leases SET resigned_at = ?4, until = ?4 \
     WHERE group_name = ?1 AND run = ?2 AND term = ?3 AND resigned_at IS NULL RETURNING term";
const END: &str =
    "UPDATE leaders SET until = ?3, ended = ?4 WHERE group_name = ?1 AND term = ?2 AND ended IS NULL";
const ALIVE: &str = "UPDATE nodes SET seen_at = ?3, clock_ahead = ?4 WHERE name = ?1 AND run = ?2 \
     RETURNING resign_asked_at";

#[async_trait]
impl Nodes for SqlStore {
    async fn join(&self, node: NewNode) -> Result<Joined> {
        self.write(move |db| join(db, &node)).await
    }

    async fn beat(&self, beat: Beat) -> Result<Beaten> {
        let known = self.newest();
        let (own, beaten) = self
            .write(move |db| {
                // Before this sign of life is written, because the last one tells how current a witness is.
                let own = db.postgres().map(|_| lineage::glance(db)).transpose()?;
                Ok((own, self::beat(db, &beat)?))
            })
            .await?;
        let Some(own) = own else { return Ok(beaten) };
        match self.compare_at_beat(&own, known.as_ref()).await? {
            // Whoever leads begins anew, and reads that the store is held.
            true => Ok(Beaten { lease: None, ..beaten }),
            false => Ok(beaten),
        }
    }

    async fn resign(&self, group: GroupName, run: RunId, term: u64, told_at: Timestamp) -> Result<bool> {
        self.write(move |db| resign(db, &group, run, term, told_at)).await
    }

    async fn leave(&self, name: Arc<str>, run: RunId, told_at: Timestamp) -> Result<()> {
        self.write(move |db| {
            let now = micros(database_time(db, told_at)?);
            db.prepare_cached("UPDATE nodes SET left_at = ?3, seen_at = ?3 WHERE name = ?1 AND run = ?2")?
                .execute(params![&*name, run.0, now])?;
            Ok(())
        })
        .await
    }

    async fn ask_to_resign(&self, name: Arc<str>, by: Arc<str>, told_at: Timestamp) -> Result<bool> {
        self.write(move |db| {
            let asked = "UPDATE nodes SET resign_asked_at = ?2, resign_asked_by = ?3 \
                 WHERE name = ?1 AND left_at IS NULL";
            let now = micros(database_time(db, told_at)?);
            Ok(db.prepare_cached(asked)?.execute(params![&*name, now, &*by])? == 1)
        })
        .await
    }

    async fn nodes(&self) -> Result<Vec<Node>> {
        self.read(|db| {
            let all = "SELECT name, run, version, url, started_at, seen_at, left_at, clock_ahead, resign_asked_at \
                 FROM nodes ORDER BY name";
            collect(&mut db.prepare_cached(all)?, [], read_node)
        })
        .await
    }

    async fn leases(&self) -> Result<Vec<Lease>> {
        self.read(|db| collect(&mut db.prepare_cached(LEASES)?, [], read_lease)).await
    }

    async fn leaders(&self, group: GroupName, most: usize) -> Result<Vec<LeaderRecord>> {
        self.read(move |db| leaders(db, &group, most)).await
    }
}

/// The time of the database. A file has no clock, and whoever opens it has that of the same machine.
fn database_time(db: &Connection, told_at: Timestamp) -> Result<Timestamp> {
    if db.postgres().is_none() {
        return Ok(told_at);
    }
    let clock = "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000000) AS BIGINT)";
    first(&mut db.prepare_cached(clock)?, [], |cells| cells.moment())?
        .ok_or_else(|| corrupt("a time", "nothing"))
}

fn join(db: &Connection, node: &NewNode) -> Result<Joined> {
    let now = database_time(db, node.told_at)?;
    let gone = micros(now).saturating_sub(span(node.gone_after));
    let old = micros(now).saturating_sub(span(NODES_KEPT));
    db.prepare_cached("DELETE FROM nodes WHERE left_at < ?1 AND name <> ?2")?
        .execute(params![old, &*node.name])?;
    let (url, takes_over) = (node.url.as_deref(), i64::from(node.takes_over));
    let values = params![&*node.name, node.run.0, &*node.version, url, micros(now), gone, takes_over];
    if first(&mut db.prepare_cached(JOIN)?, values, |_| Ok(()))?.is_some() {
        return Ok(Joined::Joined);
    }
    let other = "SELECT run, started_at, seen_at FROM nodes WHERE name = ?1";
    first(&mut db.prepare_cached(other)?, [&*node.name], |cells| {
        Ok(Joined::NameIsTaken { by: run(cells)?, started_at: cells.moment()?, seen_at: cells.moment()? })
    })?
    .ok_or_else(|| corrupt("a node", "nothing"))
}

fn beat(db: &Connection, beat: &Beat) -> Result<Beaten> {
    let now = database_time(db, beat.told_at)?;
    let values = params![&*beat.name, beat.run.0, micros(now), span(beat.clock_ahead)];
    let known = first(&mut db.prepare_cached(ALIVE)?, values, |cells| cells.moment_if())?;
    // A run whose name was taken is not to lead.
    let claim = beat.claim.as_ref().filter(|_| known.is_some());
    let lease = claim.map(|claim| self::claim(db, beat, claim, now)).transpose()?.flatten();
    Ok(Beaten { at: now, is_known: known.is_some(), is_asked_to_resign: known.flatten().is_some(), lease })
}

/// Claims or renews the lease. The answer is the lease as it is now, whoever holds it.
fn claim(db: &Connection, beat: &Beat, claim: &Claim, now: Timestamp) -> Result<Option<Lease>> {
    let group = claim.group.as_str();
    let until = micros(now).saturating_add(span(claim.ttl));
    let values = params![group, &*beat.name, beat.run.0, micros(now), until, i64::from(claim.takes_over)];
    let Some(lease) = first(&mut db.prepare_cached(CLAIM)?, values, read_lease)? else {
        return first(&mut db.prepare_cached(LEASE)?, [group], read_lease);
    };
    if lease.since == now {
        log(db, &lease)?;
    }
    Ok(Some(lease))
}

/// Ends the term before in the log, and begins this one. Both do nothing for a term that is logged.
fn log(db: &Connection, lease: &Lease) -> Result<()> {
    let (group, term) = (lease.group.as_str(), lease.term.cast_signed());
    if let Some(end) = lease.began_after {
        let since = micros(lease.since);
        db.prepare_cached(END)?.execute(params![group, term.saturating_sub(1), since, end.as_str()])?;
    }
    db.prepare_cached(
        "INSERT INTO leaders (group_name, term, node, run, since) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?
    .execute(params![group, term, &*lease.node, lease.run.0, micros(lease.since)])?;
    db.prepare_cached("DELETE FROM leaders WHERE group_name = ?1 AND term <= ?2")?
        .execute(params![group, term.saturating_sub(TERMS_KEPT)])?;
    Ok(())
}

fn resign(db: &Connection, group: &GroupName, run: RunId, term: u64, told_at: Timestamp) -> Result<bool> {
    let (now, term) = (micros(database_time(db, told_at)?), term.cast_signed());
    let values = params![group.as_str(), run.0, term, now];
    let resigned = first(&mut db.prepare_cached(RESIGN)?, values, |_| Ok(()))?.is_some();
    if resigned {
        db.prepare_cached(END)?.execute(params![group.as_str(), term, now, LeaseEnd::Resigned.as_str()])?;
    }
    let done = "UPDATE nodes SET resign_asked_at = NULL, resign_asked_by = NULL WHERE run = ?1";
    db.prepare_cached(done)?.execute([run.0])?;
    Ok(resigned)
}

/// Checks in the writing transaction that this run still has the lease in this term: nobody has claimed it since.
///
/// # Errors
/// [`Error::Deposed`] if it has not.
pub fn check(db: &Connection, term: &LeaseTerm) -> Result<()> {
    let lease = first(&mut db.prepare_cached(LEASE)?, [term.group.as_str()], read_lease)?;
    let is_ours =
        lease.is_some_and(|it| it.run == term.run && it.term == term.term && it.resigned_at.is_none());
    if is_ours { Ok(()) } else { Err(Error::Deposed) }
}

fn leaders(db: &Connection, group: &GroupName, most: usize) -> Result<Vec<LeaderRecord>> {
    let newest = "SELECT l.term, l.node, l.since, coalesce(l.until, s.until), l.ended FROM leaders l \
         JOIN leases s ON s.group_name = l.group_name WHERE l.group_name = ?1 ORDER BY l.term DESC LIMIT ?2";
    collect(&mut db.prepare_cached(newest)?, params![group.as_str(), limit(most)], |cells| {
        Ok(LeaderRecord {
            group: group.clone(),
            term: cells.version()?,
            node: cells.text()?.into(),
            since: cells.moment()?,
            until: cells.moment()?,
            ended: cells.parsed_if()?,
        })
    })
}

fn read_lease(cells: &mut Cells<'_>) -> Result<Lease> {
    Ok(Lease {
        group: cells.parsed()?,
        node: cells.text()?.into(),
        run: run(cells)?,
        term: cells.version()?,
        since: cells.moment()?,
        until: cells.moment()?,
        resigned_at: cells.moment_if()?,
        began_after: cells.parsed_if()?,
    })
}

fn read_node(cells: &mut Cells<'_>) -> Result<Node> {
    Ok(Node {
        name: cells.text()?.into(),
        run: run(cells)?,
        version: cells.text()?.into(),
        url: cells.text_if()?.map(Into::into),
        started_at: cells.moment()?,
        seen_at: cells.moment()?,
        left_at: cells.moment_if()?,
        clock_ahead: SignedDuration::from_micros(cells.take()?),
        resign_asked_at: cells.moment_if()?,
    })
}

fn run(cells: &mut Cells<'_>) -> Result<RunId> {
    cells.take().map(RunId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::lease::{self, Claimant};
    use crate::store::relational::file;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + millis).unwrap()
    }

    fn node(name: &str, run: u8, millis: i64, takes_over: bool) -> NewNode {
        NewNode {
            name: name.into(),
            run: RunId([run; 16]),
            version: "0.1".into(),
            url: None,
            told_at: at(millis),
            gone_after: lease::GONE_AFTER,
            takes_over,
        }
    }

    fn asked(name: &str, run: u8, millis: i64, takes_over: bool) -> Beat {
        let claim = Claim { group: GroupName::default(), ttl: lease::TTL, takes_over };
        Beat {
            name: name.into(),
            run: RunId([run; 16]),
            told_at: at(millis),
            clock_ahead: SignedDuration::from_millis(3),
            claim: Some(claim),
        }
    }

    /// Random claims, renewals and resignations: the statement and the rule say the same.
    #[test]
    fn the_statement_gives_a_lease_as_the_rule_does() {
        let db = file::open_memory().unwrap();
        for run in 1..=3 {
            join(&db, &node(&format!("n{run}"), run, 0, false)).unwrap();
        }
        let mut random = fastrand::Rng::with_seed(7);
        let (mut now, mut terms) = (0, Vec::new());
        let mut expected: Option<Lease> = None;
        for _ in 0..2_000 {
            now += random.i64(0..4_000);
            let (run, takes_over) = (random.u8(1..=3), random.u8(0..40) == 0);
            if random.u8(0..10) == 0
                && let Some(stored) = expected.as_mut()
            {
                let holds = stored.run == RunId([run; 16]) && stored.resigned_at.is_none();
                let term = stored.term;
                let done = resign(&db, &stored.group, RunId([run; 16]), term, at(now)).unwrap();
                assert_eq!(done, holds);
                if holds {
                    (stored.resigned_at, stored.until) = (Some(at(now)), at(now));
                }
                continue;
            }
            let name = format!("n{run}");
            let by = Claimant { node: &name, run: RunId([run; 16]), takes_over };
            let answer = beat(&db, &asked(&name, run, now, takes_over)).unwrap();
            let Some(stored) = &expected else {
                expected = answer.lease;
                continue;
            };
            let ruled = lease::claim(stored, &by, at(now));
            assert_eq!(answer.lasts(by.run), ruled.as_ref().map(|_| lease::TTL));
            expected = Some(ruled.unwrap_or_else(|| stored.clone()));
            assert_eq!(answer.lease, expected);
            terms.push(expected.as_ref().unwrap().term);
        }
        assert!(terms.is_sorted() && *terms.last().unwrap() > 100);
        let logged = leaders(&db, &GroupName::default(), 5).unwrap();
        assert_eq!(logged[0].term, *terms.last().unwrap());
        assert!(logged[1..].iter().all(|leadership| leadership.ended.is_some()));
        assert!(logged.windows(2).all(|two| two[1].until <= two[0].since && two[1].term + 1 == two[0].term));
    }

    #[test]
    fn a_name_is_taken_until_its_node_left_or_was_not_seen_for_long_enough() {
        let db = file::open_memory().unwrap();
        let taken = |run: u8, millis: i64, over: bool| {
            matches!(join(&db, &node("a", run, millis, over)).unwrap(), Joined::NameIsTaken { .. })
        };
        assert!(!taken(1, 0, false));
        assert!(taken(2, 7_999, false), "the younger one is refused");
        assert!(!taken(2, 8_000, false));
        assert!(!beat(&db, &asked("a", 1, 8_001, false)).unwrap().is_known, "its name was taken");
        assert!(beat(&db, &asked("a", 1, 8_002, false)).unwrap().lease.is_none(), "so it does not lead");
        assert!(taken(3, 8_003, false) && !taken(3, 8_003, true));
    }

    #[test]
    fn a_leader_whose_lease_was_claimed_begins_no_term() {
        let db = file::open_memory().unwrap();
        for (name, run) in [("a", 1), ("b", 2)] {
            join(&db, &node(name, run, 0, false)).unwrap();
        }
        let first = beat(&db, &asked("a", 1, 0, false)).unwrap().lease.unwrap().term();
        check(&db, &first).unwrap();
        let second = beat(&db, &asked("b", 2, 8_000, false)).unwrap().lease.unwrap().term();
        assert!(matches!(check(&db, &first), Err(Error::Deposed)));
        check(&db, &second).unwrap();
        assert!(resign(&db, &second.group, second.run, second.term, at(9_000)).unwrap());
        assert!(matches!(check(&db, &second), Err(Error::Deposed)));
    }
}
