//! What platforms restrict: an account or a sender is paused until the restriction ends, or a part of what a sender does
//! is. It is stored, because no later answer of the platform tells it again.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::state::Scheduler;
use super::turn::Turn;
use crate::domain::callback::Waiting;
use crate::domain::{Directory, Loads, Phone, Rest, Restricted, Restriction, RoadKind, Sender, SenderPart};
use crate::policy::Cooldown;
use crate::store;

/// A restriction begins, or all of an account or a sender end.
pub(super) fn fold(turn: &mut Turn<'_>, restriction: &Restriction) {
    let now = turn.now;
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
    turn.scheduler.restrict(now, restriction);
    turn.scheduler.show(&mut turn.loads, now, restriction);
    if let Some(pace) = turn.scheduler.paces.get(&restriction.account) {
        turn.loads.accounts.insert(restriction.account.clone(), pace.view());
    }
    turn.work.restrictions.push(restriction.clone());
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
            match rest(now, restriction) {
                Some(rest) => _ = loads.paused_senders.insert(sender, rest),
                None => _ = loads.paused_senders.remove(&sender),
            }
        }
    }

    /// Keeps a restriction of a part. Pauses an account or a sender that is restricted as a whole, or ends its pause.
    fn restrict(&mut self, now: Timestamp, restriction: &Restriction) {
        let is_of_the_same = |known: &Restriction| {
            (&known.account, known.sender) == (&restriction.account, restriction.sender)
                && (known.what == restriction.what || restriction.why.is_none())
        };
        self.restrictions.retain(|known| !is_of_the_same(known) && rest(now, known).is_some());
        if restriction.what != Restricted::Everything {
            self.restrictions.push(restriction.clone());
            return;
        }
        match (restriction.sender, rest(now, restriction)) {
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
