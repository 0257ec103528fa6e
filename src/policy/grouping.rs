//! What an order would use of which only the senders of one dialling group may take: a pool, a campaign, and what has a
//! ceiling of the operator.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Rules, holds};
use crate::domain::campaign::campaign_id;
use crate::domain::{Agents, Callback, Directory, OrderKind, Resource, Script};

/// What the calls of a callback would use that has to be of the callback's dialling group; nothing if all accounts are in
/// the group `main`. `script` is its document. Bots are left out: their ceiling counts in each group.
#[must_use]
pub fn of_one_group(
    callback: &Callback,
    directory: &Directory,
    rules: &Rules,
    script: Option<&Script>,
) -> Vec<Resource> {
    if !directory.has_groups() {
        return Vec::new();
    }
    let order = &callback.order;
    let senders = order.senders.iter().filter_map(|number| directory.sender(*number));
    // An agent may be assigned for a time.
    let moments = [Timestamp::MIN, Timestamp::MAX];
    let calls = senders.flat_map(|sender| moments.map(|at| holds(callback, sender, script, at)));
    let mut used = BTreeSet::new();
    for resource in calls.flat_map(|held| held.iter().cloned().collect::<Vec<_>>()) {
        match resource {
            Resource::Pool(_) if order.kind == OrderKind::Callback => _ = used.insert(resource),
            Resource::Campaign(ref name)
                if campaign_id(name).is_some() || rules.ceilings.contains_key(&resource) =>
            {
                used.insert(resource);
            }
            Resource::Agents(agents) => {
                let each = agents.iter().filter_map(|agent| Agents::new([agent.clone()]));
                used.extend(each.map(Resource::Agents).filter(|agent| rules.ceilings.contains_key(agent)));
            }
            Resource::Pool(_)
            | Resource::Campaign(_)
            | Resource::Sender(_)
            | Resource::Account(_)
            | Resource::Bot => {}
        }
    }
    used.into_iter().collect()
}
