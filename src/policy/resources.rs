//! What a call holds, and how much of each resource there is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Rules;
use crate::domain::{Agent, Agents, Callback, Holds, Reason, Resource, Script, Sender};

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
    Holds::new(always.into_iter().chain(campaign).chain(agents).chain(bot))
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

    /// The reason why no call can take one more of a resource, if that is so.
    pub(super) fn full(&self, resource: &Resource, live: u32, own_max: Option<u32>) -> Option<Reason> {
        let max = [self.ceiling(resource), own_max].into_iter().flatten().min().filter(|&max| live >= max)?;
        Some(match resource {
            Resource::Sender(_) => Reason::SenderFull { live, max },
            Resource::Account(_) => Reason::AccountFull { live, max },
            Resource::Campaign(_) => Reason::CampaignFull { live, max },
            Resource::Agents(_) => Reason::AgentBusy { live, max },
            Resource::Bot => Reason::BotsBusy { live, max },
        })
    }
}
