//! What platforms restrict: an account or a sender is paused until the restriction ends. It is stored, because no later
//! answer of the platform tells it again.

use jiff::Timestamp;

use super::state::Scheduler;
use super::turn::Turn;
use crate::domain::callback::Waiting;
use crate::domain::{Loads, Restriction};
use crate::policy::Cooldown;
use crate::store;

/// A restriction begins, or ends.
pub(super) fn fold(turn: &mut Turn<'_>, restriction: &Restriction) {
    let now = turn.now;
    match &restriction.why {
        Some(why) => {
            tracing::warn!(
                account = &*restriction.account,
                why = &**why,
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
    show(&mut turn.loads, now, restriction);
    if let Some(pace) = turn.scheduler.paces.get(&restriction.account) {
        turn.loads.accounts.insert(restriction.account.clone(), pace.view());
    }
    turn.work.restrictions.push(restriction.clone());
}

/// Puts the pause of a restricted sender where explanations find it.
fn show(loads: &mut Loads, now: Timestamp, restriction: &Restriction) {
    let Some(sender) = restriction.sender else { return };
    let until = restriction.until.unwrap_or(Waiting::NEVER);
    match restriction.why.as_ref().filter(|_| until > now) {
        Some(why) => _ = loads.paused_senders.insert(sender, (until, why.to_string().into())),
        None => _ = loads.paused_senders.remove(&sender),
    }
}

impl Scheduler {
    /// Reads the restrictions that hold.
    pub(super) async fn read_restrictions(&mut self) -> store::Result<()> {
        let now = self.deps.clock.now();
        for restriction in self.deps.store.restrictions(now).await? {
            self.restrict(now, &restriction);
            show(&mut self.loads, now, &restriction);
        }
        Ok(())
    }

    /// Pauses what is restricted, or ends its pause.
    fn restrict(&mut self, now: Timestamp, restriction: &Restriction) {
        let until = restriction.until.unwrap_or(Waiting::NEVER);
        let why = restriction.why.as_ref().filter(|_| until > now);
        match (restriction.sender, why) {
            (Some(sender), Some(_)) => {
                self.sender_rests.insert(sender, Cooldown::ending(now, until));
            }
            (Some(sender), None) => _ = self.sender_rests.remove(&sender),
            (None, why) => {
                if let Some(pace) = self.paces.get_mut(&restriction.account) {
                    match why {
                        Some(why) => pace.rest_until(until, why.to_string()),
                        None => pace.end_rest(),
                    }
                }
            }
        }
    }
}
