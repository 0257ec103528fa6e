//! The load: how many of each resource are in use, which accounts and senders are paused, and what is held back.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{
    AccountAlias, Calendars, CampaignPaces, Campaigns, Held, Holds, InUse, ListTerm, Offers, Pauses, Phone,
    PoolLoad, Pools, Resource, Seats, SenderPart,
};

/// How many of a resource are in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    pub resource: Resource,
    pub live: u32,
    /// Offers to agents in progress, whose calls would take one each. They count for further offers, not for calls.
    pub offered: u32,
    /// The ceiling that the resource has beside that of the rules.
    pub own_max: Option<u32>,
    /// When its pace allows the next call; `None` at once.
    pub next_at: Option<Timestamp>,
    /// Of a pool, what it has; `live` is then what is subtracted from that.
    pub pool: Option<PoolLoad>,
}

/// The end of a pause that the platform caused, and its reason.
pub type Rest = (Timestamp, Cow<'static, str>);

/// The load of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// Set while the account is paused, with the reason.
    pub paused: Option<Rest>,
    /// When the rate limit allows the next call; `now` or earlier if at once.
    pub next_call_at: Timestamp,
}

/// The load of the leader: what it keeps in memory of calls, accounts and senders, and publishes for those who explain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loads {
    /// What calls in progress hold, in both directions.
    pub in_use: InUse,
    pub accounts: BTreeMap<AccountAlias, AccountView>,
    /// Paused senders. A sender whose pause is over may still be listed.
    pub paused_senders: BTreeMap<Phone, Rest>,
    /// Parts of what senders do that the platform restricts. One whose restriction is over may still be listed.
    pub paused_parts: BTreeMap<(Phone, SenderPart), Rest>,
    /// What operators paused. Shared, because every turn has a copy.
    pub pauses: Arc<Pauses>,
    /// The calendars, with the days that operators closed and opened.
    pub calendars: Calendars,
    /// The campaigns that are not over. Shared, like the pauses.
    pub campaigns: Arc<Campaigns>,
    pub campaign_paces: CampaignPaces,
    /// The pools of agents as they were last fed. Shared, like the pauses.
    pub pools: Arc<Pools>,
    /// The seats of pools that calls hold, also after their end.
    pub seats: Seats,
    /// The offers to agents in progress.
    pub offers: Offers,
    /// The terms of imported suppression lists, if calls stop when one is over. Shared, like the pauses.
    pub list_terms: Arc<[ListTerm]>,
    pub held: Held,
    /// When the scheduler published them; `None` before it has. They have not changed since.
    pub as_of: Option<Timestamp>,
}

impl Loads {
    /// Calls in progress of a sender, in both directions.
    #[must_use]
    pub fn live_calls(&self, sender: Phone) -> u32 {
        self.in_use.of(&Resource::Sender(sender))
    }

    /// The load of each resource that a call would hold.
    #[must_use]
    pub fn of(&self, holds: &Holds) -> Vec<Load> {
        let load = |it: &Resource| {
            let (pool, live) = match it {
                Resource::Pool(key) => {
                    let (pool, used) = self.seats.load(&self.pools, key);
                    (Some(pool), used)
                }
                _ => (None, self.in_use.of(it)),
            };
            let (own_max, next_at) = (self.campaigns.ceiling(it), self.campaign_paces.next_of(it));
            Load { resource: it.clone(), live, offered: self.offers.of(it), own_max, next_at, pool }
        };
        holds.iter().map(load).collect()
    }

    /// The parts of what a sender does that are restricted; some may have ended.
    #[must_use]
    pub fn parts_of(&self, sender: Phone) -> Vec<(SenderPart, Rest)> {
        let part = |part| Some((part, self.paused_parts.get(&(sender, part))?.clone()));
        SenderPart::ALL.into_iter().filter_map(part).collect()
    }

    /// The load of an account; free if it is not listed.
    #[must_use]
    pub fn account(&self, alias: &str) -> AccountView {
        self.accounts
            .get(alias)
            .cloned()
            .unwrap_or(AccountView { paused: None, next_call_at: Timestamp::MIN })
    }
}
