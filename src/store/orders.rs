//! The port `Orders`: what customers order, and how they find and follow it.

use async_trait::async_trait;
use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::{OtherGroup, Result};
use crate::domain::timeline::Entry;
use crate::domain::{
    Attempt, Callback, CallbackId, CampaignId, ListName, Message, OrderKind, Outcome, PairKey, Phone,
    Resource, SuppressionScope, Tenant, WrapUpRecord,
};

/// What customers order, and how they find and follow it.
#[async_trait]
pub trait Orders: Send + Sync {
    /// Stores new callbacks; all of them or, on an error, none. [`Error::Conflict`](super::Error::Conflict) if an id is taken.
    /// Answers are in the order of the orders.
    async fn enqueue_callbacks(&self, orders: Vec<Enqueue>) -> Result<Vec<Enqueued>>;

    /// The earlier result of this key: [`Enqueued::Repeated`] or [`Enqueued::KeyReused`]; `None` if the key
    /// is new. Nothing is stored.
    async fn known_order(&self, key: IdempotencyKey) -> Result<Option<Enqueued>>;

    async fn callback(&self, id: CallbackId) -> Result<Option<Record>>;

    /// The orders of one kind that a customer's reference names: the open ones, newest first, at most `most`; if none
    /// is open, the newest that is closed. Looks at the newest 1,000 orders of any kind with the reference.
    async fn referenced(
        &self,
        tenant: &Tenant,
        kind: OrderKind,
        reference: &str,
        most: usize,
    ) -> Result<Vec<CallbackId>>;

    /// The orders of this kind and tenant that are open to these consumers, by consumer; equal ones once. Of the orders
    /// that wait for one consumer 100 are looked at, and 10,000 of those in calls.
    async fn with_open_orders(
        &self,
        tenant: &Tenant,
        kind: OrderKind,
        consumers: &[Phone],
    ) -> Result<Vec<(Phone, OpenOrder)>>;

    /// One page, newest first, sorted by id, which grows with the time of creation.
    async fn list_callbacks(&self, filter: &Filter, page: &Page) -> Result<Listed>;

    /// The timeline of a callback, and of its pairs while it was open, oldest first.
    async fn timeline(&self, id: CallbackId) -> Result<Vec<Entry>>;

    /// The timeline of a pair's permission, oldest first.
    async fn pair_timeline(&self, key: PairKey) -> Result<Vec<Entry>>;

    /// The lines of all timelines after this position, in the order in which they were committed, at most `most`.
    async fn timeline_after(&self, position: i64, most: usize) -> Result<Vec<TimelineLine>>;

    /// The positions of the first and the last line of all timelines.
    async fn timeline_ends(&self) -> Result<TimelineEnds>;

    /// The permission requests of a tenant that the platform accepted and the consumer has not answered at `now`,
    /// oldest first, at most `most`. Looks at the oldest 10,000.
    async fn awaiting_reply(&self, tenant: &Tenant, now: Timestamp, most: usize) -> Result<Awaiting>;

    /// What a pause until `until` holds back at `now`. Each count looks at a bounded number of rows.
    async fn held_back(&self, whom: &Whom, now: Timestamp, until: Option<Timestamp>) -> Result<HeldBack>;

    /// Counts for the status page and the metrics; they are kept, not counted.
    async fn census(&self) -> Result<Census>;

    /// The stored counts that differ from a count of all callbacks, as text. Slow; for tests and for a damaged store.
    async fn wrong_counts(&self) -> Result<Vec<String>>;
}

/// A line of a timeline, with its position among all lines and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineLine {
    /// Grows with each line, in the order of commits.
    pub seq: i64,
    pub entry: Entry,
    /// The tenant of its order, or else of its message; `None` for what is about a pair alone.
    pub tenant: Option<Tenant>,
    /// Of its order, if it has one.
    pub kind: Option<OrderKind>,
}

/// Where all timelines begin and end. Without a line, `first` is 1 and `last` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimelineEnds {
    pub first: i64,
    pub last: i64,
}

/// What the check of a list has to know of an open order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenOrder {
    pub campaign: Option<CampaignId>,
    /// Whether it belongs to no campaign, or to one that was launched.
    pub is_launched: bool,
}

/// A callback to store, with the customer's idempotency key.
#[derive(Debug, Clone)]
pub struct Enqueue {
    /// With version 1 and in state waiting. One of a draft campaign is stored at the gate of its launch.
    pub callback: Callback,
    pub idempotency: Option<IdempotencyKey>,
    /// Counted in the same transaction; `None` counts nothing.
    pub ceiling: Option<OrderCeiling>,
    /// What has to be of the callback's dialling group; see `policy::of_one_group`. What no order has
    /// used before is of that group from now on.
    pub of_one_group: Vec<Resource>,
}

/// How many callbacks one token may order in any 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderCeiling {
    /// SHA-256 of the token.
    pub token: [u8; 32],
    /// At least 1.
    pub orders_per_day: u32,
}

/// Scoped to one API token. The same key with the same body returns the first answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    pub token: String,
    pub key: String,
    /// SHA-256 of the request's body.
    pub body: [u8; 32],
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    New(CallbackId),
    /// The key and body were seen before, with this result.
    Repeated(CallbackId),
    /// The key was seen before with another body. Nothing was stored.
    KeyReused,
    /// The token has ordered as much as it may; nothing was kept.
    OverCeiling {
        /// When it may order again.
        lifts_at: Timestamp,
    },
    /// The consumer is on this suppression list; nothing was kept.
    Suppressed {
        list: ListName,
        scope: SuppressionScope,
    },
    /// The order names a campaign that does not exist in its tenant or takes no orders; nothing was kept.
    CampaignClosed,
    /// The order uses something that is of another dialling group; nothing was kept.
    OtherGroup(OtherGroup),
    /// A wrap-up said that the number is not that of the person whom the order's reference names; nothing was kept.
    WrongNumber,
}

/// A callback with its attempts and messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub callback: Callback,
    /// In order of their numbers.
    pub attempts: Vec<Attempt>,
    /// In order of creation.
    pub messages: Vec<Message>,
    /// What an agent said of it.
    pub wrap_up: Option<WrapUpRecord>,
}

/// What a listed order must match: its kind, its tenant, and what else is given. By default it is a callback.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub kind: OrderKind,
    pub tenant: Tenant,
    pub status: Option<Status>,
    pub outcome: Option<Outcome>,
    /// Whether the last call was answered and served nobody.
    pub abandoned: Option<bool>,
    pub sender: Option<Phone>,
    pub consumer: Option<Phone>,
    pub campaign: Option<String>,
    pub reference: Option<String>,
    /// The code of the reason of its state.
    pub reason: Option<String>,
    /// Whether the wrap-up is missing at this time.
    pub wrap_up_missing_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    Waiting,
    Calling,
    Closed,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Calling, Self::Closed];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Continue with callbacks created before this one.
    pub before: Option<CallbackId>,
    pub limit: usize,
}

/// One page of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    pub callbacks: Vec<Callback>,
    /// The next page continues before this callback; `None` if there is no further one.
    pub next: Option<CallbackId>,
    /// The page ended early, because few callbacks match: a page looks at 10,000 of them at most.
    pub is_cut: bool,
}

/// Permission requests without an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Awaiting {
    /// Each with the moment at which it lapses.
    pub requests: Vec<(Message, Timestamp)>,
    /// How many there are, of those that were looked at.
    pub total: usize,
}

/// Whom a pause is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    Everybody,
    /// The callbacks that only these senders may call.
    Senders(Vec<Phone>),
    /// The consumer with this number, under every number of the person.
    Person(Phone),
    /// The callbacks of this campaign. Permissions are those to call their consumers.
    Campaign(Tenant, CampaignId),
}

/// What a pause holds back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HeldBack {
    /// Waiting callbacks that it holds.
    pub callbacks: Count,
    /// Of these, callbacks whose deadline is not after its end.
    pub deadlines: Count,
    /// Temporary permissions that end before it does.
    pub permissions: Count,
    /// Of the callbacks, those whose promised time comes before its end.
    pub promises: Count,
}

impl HeldBack {
    /// So many rows each count looks at.
    pub const LOOKED_AT_MAX: usize = 10_000;
}

/// How many there are; at least so many, if not all rows were looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    pub number: u64,
    pub is_at_least: bool,
}

/// Counts of callbacks and invites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Without those of campaigns that are not launched.
    pub waiting: u64,
    /// Those that wait for the launch of their campaign.
    pub unlaunched: u64,
    pub calling: u64,
    /// Of those that wait or call: whose last call was answered and served nobody.
    pub abandoned: u64,
    /// By outcome, in the order of [`Outcome::ALL`].
    pub closed: [u64; Outcome::ALL.len()],
    pub invites: InviteCensus,
    /// At most [`Census::REPORTS_MAX`] reports, and as many commands, are counted.
    pub unfolded_reports: u64,
    /// Reports without a known person; at most [`Census::REPORTS_MAX`] are counted.
    pub unmatched_reports: u64,
}

/// Counts of invites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InviteCensus {
    /// Without those of campaigns that are not launched.
    pub waiting: u64,
    /// Those that wait for the launch of their campaign.
    pub unlaunched: u64,
    /// By outcome, in the order of [`Outcome::ALL`].
    pub closed: [u64; Outcome::ALL.len()],
}

impl Census {
    /// Up to how many reports are counted, in the inbox and of those without a known person.
    pub const REPORTS_MAX: u32 = 100_000;
}
