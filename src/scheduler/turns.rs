//! What a call or an offer pays for the turn of its campaign.

use super::gates::Payment;
use super::turn::Turn;
use crate::domain::{Attempt, Callback, Gate, Resource};

/// A call begins: its campaign pays for the turn at each gate through which it goes.
pub(super) fn pay(turn: &mut Turn<'_>, callback: &Callback, attempt: &Attempt) {
    let shared = attempt.holds.iter().filter(|held| !matches!(held, Resource::Campaign(_)));
    let gates = shared.cloned().map(Gate::Room).chain([Gate::Account(attempt.account.clone())]);
    pay_at(turn, callback, gates);
}

/// A callback is offered to agents: its campaign pays for the turn at the gate of offers.
pub(super) fn pay_for_offer(turn: &mut Turn<'_>, callback: &Callback, resource: Resource) {
    pay_at(turn, callback, [Gate::Offer(resource)]);
}

fn pay_at(turn: &mut Turn<'_>, callback: &Callback, gates: impl IntoIterator<Item = Gate>) {
    if turn.loads.campaigns.is_empty() {
        return;
    }
    let campaign = callback.order.campaign_id();
    let weight = turn.loads.campaigns.weight(campaign);
    for gate in gates {
        let paid = turn.scheduler.gates.pay(&gate, campaign, weight);
        if paid > 0 {
            turn.paid.push(Payment { gate, campaign, paid });
        }
    }
}
