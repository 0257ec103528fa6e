//! What platforms restrict: an account or a sender is paused until the restriction ends, or a part of what a sender does
//! is. It is stored, because no later answer of the platform tells it again.
//!
//! Webhooks overtake each other: what was told first neither ends nor replaces what was told later. The clocks differ by
//! the margin, so a restriction is kept for the margin beyond its end.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::counting;
use super::state::Scheduler;
use super::turn::Turn;
use crate::clock::later;
use crate::domain::callback::Waiting;
use crate::domain::{Directory, Loads, Phone, Rest, Restricted, Restriction, RoadKind, Sender, SenderPart};
use crate::policy::Cooldown;
use crate::store;

/// A restriction begins, or all of an account or a sender end.
pub(super) fn fold(turn: &mut Turn<'_>, mut restriction: Restriction) {
    let (now, margin) = (turn.now, turn.scheduler.deps.rules.margin);
    restriction.until = restriction.until.map(|until| later(until, margin));
    // A wrong time of the platform must not keep out what it tells next.
    restriction.told_at = restriction.told_at.map(|told_at| told_at.min(later(now, margin)));
    if turn.scheduler.is_overtaken(&restriction) {
        tracing::info!(
            account = &*restriction.account,
            "an older report about restrictions came late and is ignored"
        );
        return;
    }
    match &restriction.why {
        Some(why) => {
            tracing::warn!(
                account = &*restriction.account,
                why = &**why,
                what = restriction.what.as_str(),
                of_a_sender = restriction.sender.is_some(),
                until = restriction.until.map(tracing::field::display),
                "the platform restricts what may be sent"
            );
        }
        None => tracing::info!(
            account = &*restriction.account,
            of_a_sender = restriction.sender.is_some(),
            "the platform's restriction has ended"
        ),
    }
    if let Some(why) = &restriction.why {
        let senders = senders(&turn.scheduler.deps.directory, &restriction);
        counting::hear_restriction(turn, &senders, why);
    }
    turn.scheduler.restrict(now, &restriction);
    turn.scheduler.show(&mut turn.loads, now, &restriction);
    if let Some(pace) = turn.scheduler.paces.get(&restriction.account) {
        turn.loads.accounts.insert(restriction.account.clone(), pace.view());
    }
    turn.work.restrictions.push(restriction);
}

/// Whether both are of the same account, or of the same sender of it.
fn is_of_the_same(one: &Restriction, other: &Restriction) -> bool {
    (&one.account, one.sender) == (&other.account, other.sender)
}

/// Whether the platform told `one` after `other`; not if it does not say when.
fn is_later(one: &Restriction, other: &Restriction) -> bool {
    one.told_at.zip(other.told_at).is_some_and(|(one, other)| one > other)
}

/// The restriction's end and reason, if it holds.
fn rest(now: Timestamp, restriction: &Restriction) -> Option<Rest> {
    let until = restriction.until.unwrap_or(Waiting::NEVER);
    let why = restriction.why.as_ref().filter(|_| until > now)?;
    Some((until, why.to_string().into()))
}

/// The restricted parts of senders, each until the last of its restrictions ends.
fn parts<'a>(
    directory: &Directory,
    now: Timestamp,
    restrictions: impl Iterator<Item = &'a Restriction>,
) -> BTreeMap<(Phone, SenderPart), Rest> {
    let mut parts: BTreeMap<(Phone, SenderPart), Rest> = BTreeMap::new();
    for restriction in restrictions {
        let Some(rest) = rest(now, restriction) else { continue };
        for sender in senders(directory, restriction) {
            for part in restriction.what.parts() {
                let known = parts.entry((sender, *part)).or_insert_with(|| rest.clone());
                if known.0 < rest.0 {
                    known.clone_from(&rest);
                }
            }
        }
    }
    parts
}

/// The senders whose number is at the account, or the one that is restricted. A page of Messenger has no number.
fn senders(directory: &Directory, restriction: &Restriction) -> Vec<Phone> {
    if let Some(sender) = restriction.sender {
        return vec![sender];
    }
    let account = &restriction.account;
    let is_at_account = |sender: &&Sender| {
        sender.account == *account
            || sender.roads.iter().any(|road| road.kind != RoadKind::Messenger && road.account == *account)
    };
    directory.senders().filter(is_at_account).map(|sender| sender.number).collect()
}

impl Scheduler {
    /// Reads the restrictions that hold.
    pub(super) async fn read_restrictions(&mut self) -> store::Result<()> {
        let now = self.deps.clock.now();
        self.restrictions.clear();
        self.restriction_ends.clear();
        self.loads.paused_parts.clear();
        for restriction in self.deps.store.restrictions(now).await? {
            self.restrict(now, &restriction);
            let mut loads = std::mem::take(&mut self.loads);
            self.show(&mut loads, now, &restriction);
            self.loads = loads;
        }
        Ok(())
    }

    /// Puts what is restricted where decisions and explanations find it. A paused account is shown by its pace.
    fn show(&self, loads: &mut Loads, now: Timestamp, restriction: &Restriction) {
        loads.paused_parts = parts(&self.deps.directory, now, self.restrictions.iter());
        if let (Restricted::Everything, Some(sender)) = (restriction.what, restriction.sender) {
            match self.whole(now, restriction) {
                Some(rest) => _ = loads.paused_senders.insert(sender, rest),
                None => _ = loads.paused_senders.remove(&sender),
            }
        }
    }

    /// Whether something that the platform told later is known already.
    fn is_overtaken(&self, restriction: &Restriction) -> bool {
        let ended_at = self.restriction_ends.get(&(restriction.account.clone(), restriction.sender));
        let is_ended = restriction.told_at.is_some_and(|told_at| ended_at.is_some_and(|end| *end > told_at));
        let is_replaced = |known: &Restriction| {
            is_of_the_same(known, restriction)
                && known.what == restriction.what
                && is_later(known, restriction)
        };
        is_ended || (restriction.why.is_some() && self.restrictions.iter().any(is_replaced))
    }

    /// The restriction of everything, of the same account or sender, if one holds.
    fn whole(&self, now: Timestamp, restriction: &Restriction) -> Option<Rest> {
        let mut known = self.restrictions.iter().filter(|known| known.what == Restricted::Everything);
        known.find(|known| is_of_the_same(known, restriction)).and_then(|known| rest(now, known))
    }

    /// Keeps a restriction, or ends those that were not told later. Pauses an account or a sender that is restricted as a
    /// whole, or ends its pause.
    fn restrict(&mut self, now: Timestamp, restriction: &Restriction) {
        let goes = |known: &Restriction| {
            let is_meant = match restriction.why {
                Some(_) => known.what == restriction.what,
                None => !is_later(known, restriction),
            };
            is_of_the_same(known, restriction) && is_meant
        };
        self.restrictions.retain(|known| !goes(known) && rest(now, known).is_some());
        if restriction.why.is_some() {
            self.restrictions.push(restriction.clone());
        } else if let Some(told_at) = restriction.told_at {
            let key = (restriction.account.clone(), restriction.sender);
            let last = self.restriction_ends.entry(key).or_insert(told_at);
            *last = (*last).max(told_at);
        }
        if restriction.what != Restricted::Everything {
            return;
        }
        match (restriction.sender, self.whole(now, restriction)) {
            (Some(sender), Some((until, _))) => {
                self.sender_rests.insert(sender, Cooldown::ending(now, until));
            }
            (Some(sender), None) => _ = self.sender_rests.remove(&sender),
            (None, rest) => {
                if let Some(pace) = self.paces.get_mut(&restriction.account) {
                    match rest {
                        Some((until, why)) => pace.rest_until(until, why.into_owned()),
                        None => pace.end_rest(),
                    }
                }
            }
        }
    }
}
