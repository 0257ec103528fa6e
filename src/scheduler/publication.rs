//! When the load is written for those who explain, who may be in another process.
//!
//! It goes with a batch, at most every [`INTERVAL`]. If nothing changes, nothing is written. If the last batch left
//! what is stored different from the load, the scheduler wakes once more when the interval is over, and that turn's
//! batch is the load alone. The first batch of a term always has it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::{AccountView, Loads, Rest};

const INTERVAL: SignedDuration = SignedDuration::from_millis(250);

/// What this leader has published.
#[derive(Debug, Default)]
pub(super) struct Publication(Option<Loads>);

impl Publication {
    /// What a batch at `now` publishes, if anything.
    pub(super) fn due(&self, now: Timestamp, loads: &Loads) -> Option<Loads> {
        let is_due = self.alarm(now, loads).is_some_and(|at| at <= now);
        is_due.then(|| Loads { as_of: Some(now), ..loads.clone() })
    }

    /// When the load is to be published; `None` if what is published tells the same.
    pub(super) fn alarm(&self, now: Timestamp, loads: &Loads) -> Option<Timestamp> {
        let Some((published, as_of)) = self.0.as_ref().and_then(|last| Some((last, last.as_of?))) else {
            return Some(now);
        };
        // After a step back of the clock the interval would be too long.
        let at = if as_of > now { now } else { now.max(as_of + INTERVAL) };
        (!tell_the_same(published, loads, at)).then_some(at)
    }

    /// The batch was written.
    pub(super) fn written(&mut self, loads: Loads) {
        self.0 = Some(loads);
    }
}

/// Whether both tell a reader at `at` the same.
fn tell_the_same(one: &Loads, other: &Loads, at: Timestamp) -> bool {
    let lasts = |rest: &Rest| rest.0 > at;
    let seen = |account: AccountView| AccountView {
        paused: account.paused.filter(lasts),
        next_call_at: if account.next_call_at > at { account.next_call_at } else { Timestamp::MIN },
    };
    let rests = |loads: &Loads| -> Vec<_> {
        loads.paused_senders.iter().filter(|(_, rest)| lasts(rest)).map(|(k, v)| (*k, v.clone())).collect()
    };
    let parts = |loads: &Loads| -> Vec<_> {
        loads.paused_parts.iter().filter(|(_, rest)| lasts(rest)).map(|(k, v)| (*k, v.clone())).collect()
    };
    let paces =
        |loads: &Loads| loads.campaign_paces.iter().filter(|(_, next)| *next > at).collect::<Vec<_>>();
    let mut accounts = one.accounts.keys().chain(other.accounts.keys());
    one.in_use == other.in_use
        && one.seats == other.seats
        && one.offers == other.offers
        && one.held == other.held
        && accounts.all(|alias| seen(one.account(alias)) == seen(other.account(alias)))
        && rests(one) == rests(other)
        && parts(one) == parts(other)
        && paces(one) == paces(other)
}
