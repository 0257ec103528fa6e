//! What a call pays for the turn of its campaign.

use super::turn::Turn;
use crate::domain::{Attempt, Callback, Gate, Resource};

/// A call begins: its campaign pays for the turn at each gate through which it goes.
pub(super) fn pay(turn: &mut Turn<'_>, callback: &Callback, attempt: &Attempt) {
    if turn.loads.campaigns.is_empty() {
        return;
    }
    let campaign = callback.order.campaign_id();
    let weight = turn.loads.campaigns.weight(campaign);
    let shared = attempt.holds.iter().filter(|held| !matches!(held, Resource::Campaign(_)));
    let gates = shared.cloned().map(Gate::Room).chain([Gate::Account(attempt.account.clone())]);
    gates.for_each(|gate| turn.scheduler.gates.pay(&gate, campaign, weight));
}
