//! In which order the callbacks of a turn are decided: by class, and of the same class campaigns take turns by their weights.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::decide;
use super::turn::Turn;
use crate::domain::{Callback, CallbackId, CampaignId, Gate, Place, Resource, lane};
use crate::policy;

/// What a callback is sorted by.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    class: i64,
    /// What its campaign has paid when its turn comes; equal for all where one campaign is alone.
    paid: u64,
    expires_at: Timestamp,
    id: CallbackId,
}

/// Sorts the callbacks in the order in which they are decided.
pub(super) fn in_order(turn: &Turn<'_>, ids: Vec<CallbackId>) -> Vec<CallbackId> {
    let known = ids.into_iter().filter_map(|id| turn.work.callbacks.get(id));
    let mut ranked: Vec<(Rank, &Callback)> = known.map(|callback| (rank(turn, callback), callback)).collect();
    ranked.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    if take_turns(turn, &mut ranked) {
        ranked.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    }
    ranked.into_iter().map(|(rank, _)| rank.id).collect()
}

fn rank(turn: &Turn<'_>, callback: &Callback) -> Rank {
    let aged = policy::aged(callback, &turn.scheduler.deps.rules);
    let class = Place::class(aged, callback.order.priority);
    Rank { class, paid: 0, expires_at: decide::expires_at(turn, callback), id: callback.id }
}

/// Lets the campaigns pay for their turns, in the order of their callbacks. Returns whether there are several.
fn take_turns(turn: &Turn<'_>, ranked: &mut [(Rank, &Callback)]) -> bool {
    if turn.loads.campaigns.is_empty() {
        return false;
    }
    let first = ranked.first().map(|(_, callback)| callback.order.campaign_id());
    if ranked.iter().all(|(_, callback)| Some(callback.order.campaign_id()) == first) {
        return false;
    }
    let mut paid: BTreeMap<(i64, Option<CampaignId>, Option<Resource>), u64> = BTreeMap::new();
    for (rank, callback) in ranked {
        let campaign = callback.order.campaign_id();
        let sender = callback.order.senders.first().copied();
        let of = (rank.class, campaign, sender.map(Resource::Sender));
        let paid = paid.entry(of).or_insert_with(|| ahead(turn, callback));
        rank.paid = *paid;
        *paid = paid.saturating_add(lane::price(turn.loads.campaigns.weight(campaign)));
    }
    true
}

/// How far the campaign of a callback is ahead at the gates of its first sender.
fn ahead(turn: &Turn<'_>, callback: &Callback) -> u64 {
    let campaign = callback.order.campaign_id();
    let Some(&number) = callback.order.senders.first() else { return 0 };
    let account = turn.scheduler.deps.directory.sender(number).map(|sender| sender.account.clone());
    let gates = account.map(|alias| [Gate::Account(alias.clone()), Gate::Room(Resource::Account(alias))]);
    let gates = gates.into_iter().flatten().chain([Gate::sender(number)]);
    gates.map(|gate| turn.scheduler.gates.ahead_at(&gate, campaign)).sum()
}
