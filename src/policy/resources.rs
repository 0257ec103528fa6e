//! What a call holds, and how much of each resource there is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Rules;
use crate::domain::{
    Agent, Agents, Callback, Holds, PoolKey, PoolLoad, Reason, Resource, Script, Sender, Tenant,
};

/// The most that may be in use at once, for resources that have a ceiling of their own.
pub type Ceilings = BTreeMap<Resource, u32>;

/// The resources that a call for this callback from this sender holds, if it begins at `at`. `script` is its document.
#[must_use]
pub fn holds(callback: &Callback, sender: &Sender, script: Option<&Script>, at: Timestamp) -> Holds {
    let campaign = callback.order.campaign.as_deref().map(Resource::campaign);
    let always = [Resource::Sender(sender.number), Resource::Account(sender.account.clone())];
    let agents =
        script.into_iter().flat_map(|script| script.agents(callback, sender, at)).map(Resource::Agents);
    let bot = script.filter(|script| script.has_bot).map(|_| Resource::Bot);
    let pool = pool(callback, sender).map(Resource::Pool);
    Holds::new(always.into_iter().chain(campaign).chain(agents).chain(bot).chain(pool))
}

/// The pool of which a call needs a seat: the order's own, of its tenant, or else that of the sender, which is one of the
/// tenant of the configuration.
fn pool(callback: &Callback, sender: &Sender) -> Option<PoolKey> {
    let own = callback.order.pool.as_ref().map(|name| (callback.tenant.clone(), name));
    let usual = || sender.pool.as_ref().map(|name| (Tenant::default(), name));
    own.or_else(usual).map(|(tenant, name)| PoolKey { tenant, name: name.clone() })
}

/// Why a pool has no seat for one more call at `now`, if that is so.
pub(super) fn no_seat(now: Timestamp, key: &PoolKey, pool: &PoolLoad, used: u32) -> Option<Reason> {
    let pool_name = key.name.clone();
    match *pool {
        PoolLoad::Unknown => Some(Reason::PoolUnknown { pool: pool_name }),
        PoolLoad::Fed { until, .. } if now >= until => {
            Some(Reason::PoolExpired { pool: pool_name, since: until })
        }
        PoolLoad::Fed { usable, .. } if used >= usable => {
            Some(Reason::PoolFull { pool: pool_name, used, max: usable })
        }
        PoolLoad::Fed { .. } => None,
    }
}

impl Rules {
    /// How many of a resource may be in use at once; `None` if there is no limit.
    #[must_use]
    pub fn ceiling(&self, resource: &Resource) -> Option<u32> {
        let own = self.ceilings.get(resource).copied();
        match resource {
            Resource::Sender(_) => {
                Some(own.map_or(self.limits.concurrent_calls_max, |own| {
                    own.min(self.limits.concurrent_calls_max)
                }))
            }
            Resource::Agents(agents) => {
                Some(agents.iter().fold(0, |sum: u32, one| sum.saturating_add(self.seats(one))))
            }
            Resource::Account(_) | Resource::Campaign(_) | Resource::Bot => own,
            // Its feed says how many; see `no_seat`.
            Resource::Pool(_) => None,
        }
    }

    /// How many calls one agent takes at a time.
    fn seats(&self, agent: &Agent) -> u32 {
        let own = Agents::new([agent.clone()]).and_then(|one| self.ceilings.get(&Resource::Agents(one)));
        own.copied().unwrap_or(self.agent_calls_max)
    }

    /// How many more of a resource can be taken.
    #[must_use]
    pub fn room(&self, resource: &Resource, in_use: u32) -> u32 {
        self.ceiling(resource).map_or(u32::MAX, |max| max.saturating_sub(in_use))
    }

    /// How many of a resource callbacks of campaigns leave free, unless their priority is urgent. A part of one is rounded
    /// down, so that of a small ceiling nothing is reserved.
    #[must_use]
    pub fn reserved(&self, resource: &Resource) -> u32 {
        match resource {
            Resource::Sender(_) | Resource::Account(_) => {
                let share = u64::from(self.queueing.urgent_share.min(100));
                let of = self.ceiling(resource).map_or(0, |max| u64::from(max) * share / 100);
                u32::try_from(of).unwrap_or(u32::MAX)
            }
            Resource::Campaign(_) | Resource::Agents(_) | Resource::Bot | Resource::Pool(_) => 0,
        }
    }

    /// The reason why no call can take one more of a resource, if that is so. The reserved ones are not for bulk.
    pub(super) fn full(
        &self,
        resource: &Resource,
        live: u32,
        own_max: Option<u32>,
        is_bulk: bool,
    ) -> Option<Reason> {
        let max = [self.ceiling(resource), own_max].into_iter().flatten().min()?;
        let reserved = if is_bulk { self.reserved(resource) } else { 0 };
        // Also if all are taken: bulk waits for more than the end of one call, and is not read while that changes.
        if reserved > 0 && live >= max.saturating_sub(reserved) {
            return Some(Reason::UrgentReserved { live, max, reserved });
        }
        if live < max {
            return None;
        }
        Some(match resource {
            Resource::Sender(_) => Reason::SenderFull { live, max },
            Resource::Account(_) => Reason::AccountFull { live, max },
            Resource::Campaign(_) => Reason::CampaignFull { live, max },
            Resource::Agents(_) => Reason::AgentBusy { live, max },
            Resource::Bot => Reason::BotsBusy { live, max },
            Resource::Pool(pool) => Reason::PoolFull { pool: pool.name.clone(), used: live, max },
        })
    }
}
