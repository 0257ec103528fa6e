//! What is scarce: resources that a call holds while it is in progress, and how many of each are in use.
//!
//! A limit over a window (permission requests, connected calls, invites) is a log of moments, not a resource: it is
//! counted and never held.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use super::{AccountAlias, Agents, Phone, PoolKey};

/// Something of which only so much can be in use at once. A call takes one of each that it needs, all or none, and
/// gives them back when it is over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// A slot of the sender. Calls that consumers place take one too.
    Sender(Phone),
    /// A call of the account in progress.
    Account(AccountAlias),
    /// A call of the campaign in progress.
    Campaign(Arc<str>),
    /// The attention of an agent, or of any of several whom a document rings.
    Agents(Agents),
    /// A call of a bot in progress.
    Bot,
    /// A seat of a pool of agents. It may be held longer than the call; see [`Seats`](super::Seats).
    Pool(PoolKey),
}

impl Resource {
    #[must_use]
    pub fn campaign(name: &str) -> Self {
        Self::Campaign(name.into())
    }

    /// Whether one of the other that is given back may be one of this: itself, or agents of whom somebody belongs to
    /// both.
    #[must_use]
    pub fn opens_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Agents(waiting), Self::Agents(free)) => waiting.meet(free),
            _ => self == other,
        }
    }
}

impl fmt::Display for Resource {
    /// The stored form. It has the sender's whole number and agents' names, so it must not be shown or logged.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sender(number) => write!(f, "sender:{}", number.digits()),
            Self::Account(alias) => write!(f, "account:{alias}"),
            Self::Campaign(name) => write!(f, "campaign:{name}"),
            Self::Agents(agents) => write!(f, "agents:{agents}"),
            Self::Bot => f.write_str("bot:"),
            Self::Pool(pool) => write!(f, "pool:{pool}"),
        }
    }
}

/// A text that is not the stored form of a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownResource;

impl FromStr for Resource {
    type Err = UnknownResource;

    fn from_str(text: &str) -> Result<Self, UnknownResource> {
        match text.split_once(':').ok_or(UnknownResource)? {
            ("sender", digits) => {
                digits.parse().map(Phone::from_stored).map(Self::Sender).map_err(|_| UnknownResource)
            }
            ("account", alias) => Ok(Self::Account(alias.into())),
            ("campaign", name) => Ok(Self::Campaign(name.into())),
            ("agents", names) => Agents::from_stored(names).map(Self::Agents).ok_or(UnknownResource),
            ("bot", "") => Ok(Self::Bot),
            ("pool", key) => key.parse().map(Self::Pool).map_err(|_| UnknownResource),
            _ => Err(UnknownResource),
        }
    }
}

/// The resources of one call, each once, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holds(Arc<[Resource]>);

impl Holds {
    #[must_use]
    pub fn new(resources: impl IntoIterator<Item = Resource>) -> Self {
        let mut all: Vec<Resource> = resources.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Self(all.into())
    }

    /// What a call that a consumer placed to a sender holds.
    #[must_use]
    pub fn inbound(sender: Phone) -> Self {
        Self([Resource::Sender(sender)].into())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.0.iter()
    }

    #[must_use]
    pub fn has(&self, resource: &Resource) -> bool {
        self.0.contains(resource)
    }

    /// The resource by which offers to agents are counted: a seat of a pool, an agent, or else the sender.
    #[must_use]
    pub fn of_offer(&self) -> Option<&Resource> {
        let rank = |resource: &Resource| match resource {
            Resource::Pool(_) => Some(0),
            Resource::Agents(_) => Some(1),
            Resource::Sender(_) => Some(2),
            Resource::Account(_) | Resource::Campaign(_) | Resource::Bot => None,
        };
        let ranked = self.0.iter().filter_map(|resource| Some((rank(resource)?, resource)));
        ranked.min_by_key(|(rank, _)| *rank).map(|(_, resource)| resource)
    }

    /// The pools of which it holds a seat.
    pub fn pools(&self) -> impl Iterator<Item = &PoolKey> {
        self.0.iter().filter_map(|resource| match resource {
            Resource::Pool(pool) => Some(pool),
            _ => None,
        })
    }
}

/// How many of each resource are in use. It equals what all calls in progress hold together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InUse(BTreeMap<Resource, u32>);

impl InUse {
    /// Of several agents, also the calls that one of them has alone.
    #[must_use]
    pub fn of(&self, resource: &Resource) -> u32 {
        let own = self.0.get(resource).copied().unwrap_or(0);
        let Resource::Agents(agents) = resource else { return own };
        if agents.alone().is_some() {
            return own;
        }
        let each = agents.iter().filter_map(|agent| Agents::new([agent.clone()])).map(Resource::Agents);
        each.filter_map(|one| self.0.get(&one)).fold(own, |sum, live| sum.saturating_add(*live))
    }

    pub fn take(&mut self, holds: &Holds) {
        for resource in holds.iter() {
            match self.0.get_mut(resource) {
                Some(count) => *count = count.saturating_add(1),
                None => _ = self.0.insert(resource.clone(), 1),
            }
        }
    }

    pub fn give_back(&mut self, holds: &Holds) {
        for resource in holds.iter() {
            let Some(count) = self.0.get_mut(resource) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.0.remove(resource);
            }
        }
    }

    /// Each resource of which any is in use, and how many.
    pub fn iter(&self) -> impl Iterator<Item = (&Resource, u32)> {
        self.0.iter().map(|(resource, live)| (resource, *live))
    }

    /// Calls in progress of all senders, in both directions.
    pub fn calls(&self) -> u64 {
        let senders = self.0.iter().filter(|(resource, _)| matches!(resource, Resource::Sender(_)));
        senders.map(|(_, count)| u64::from(*count)).sum()
    }
}

impl FromIterator<(Resource, u32)> for InUse {
    /// Counts of zero are left out.
    fn from_iter<T: IntoIterator<Item = (Resource, u32)>>(counts: T) -> Self {
        Self(counts.into_iter().filter(|(_, count)| *count > 0).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Agent;

    fn all() -> Vec<Resource> {
        vec![
            Resource::Sender(Phone::parse("+551151991234").unwrap()),
            Resource::Account("main".into()),
            Resource::campaign("spring: one, two"),
        ]
    }

    fn agents<const N: usize>(names: [&str; N]) -> Resource {
        Resource::Agents(Agents::new(names.into_iter().filter_map(Agent::client)).unwrap())
    }

    #[test]
    fn a_resource_reads_back_what_it_writes() {
        let pool = Resource::Pool("shop/support".parse().unwrap());
        let others = [agents(["alice"]), agents(["bob", "alice"]), Resource::Bot, pool];
        for resource in all().into_iter().chain(others) {
            assert_eq!(resource.to_string().parse(), Ok(resource));
        }
        for text in ["sender:x", "nowhere", "desk:1", "agents:", "bot:1", "pool:support", ""] {
            assert_eq!(text.parse::<Resource>(), Err(UnknownResource), "{text}");
        }
    }

    #[test]
    fn a_call_holds_each_resource_once() {
        let twice = Holds::new(all().into_iter().rev().chain(all()));
        assert!(twice.iter().eq(&all()));
        assert!(twice.has(&all()[1]) && !twice.has(&Resource::Account("other".into())));
    }

    #[test]
    fn a_group_has_the_calls_of_those_who_belong_to_it() {
        let (alice, bob, both) = (agents(["alice"]), agents(["bob"]), agents(["alice", "bob"]));
        let mut in_use = InUse::default();
        in_use.take(&Holds::new([both.clone()]));
        in_use.take(&Holds::new([bob.clone()]));
        assert_eq!([&alice, &bob, &both].map(|it| in_use.of(it)), [0, 1, 2]);
        assert!(both.opens_with(&bob) && alice.opens_with(&both) && !alice.opens_with(&bob));
        assert!(Resource::Bot.opens_with(&Resource::Bot) && !Resource::Bot.opens_with(&alice));
    }

    #[test]
    fn what_is_taken_is_in_use_until_it_is_given_back() {
        let [sender, account, campaign] = <[Resource; 3]>::try_from(all()).unwrap();
        let (whole, inbound) = (Holds::new(all()), Holds::new([sender.clone()]));
        let mut in_use = InUse::default();
        in_use.take(&whole);
        in_use.take(&inbound);
        assert_eq!([&sender, &account, &campaign].map(|it| in_use.of(it)), [2, 1, 1]);
        assert_eq!(in_use.calls(), 2);
        in_use.give_back(&whole);
        assert_eq!([&sender, &account, &campaign].map(|it| in_use.of(it)), [1, 0, 0]);
        in_use.give_back(&inbound);
        in_use.give_back(&inbound);
        assert_eq!(in_use, InUse::default(), "nothing is in use less than not at all");
    }
}
