//! The port `Records`: what is stored, by its ids and names. The API, the hooks and the scheduler read it alike.

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{Page, Record, Result};
use crate::domain::calendar::MarkedDay;
use crate::domain::{
    AccountAlias, Attempt, AttemptId, Callback, CallbackId, Contact, ContactKey, Loads, Message, MessageId,
    Name, Pair, PairKey, Pause, Person, Phone, Pool, SetAside, SetAsideId,
};

/// What a platform knows a call or message by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformName {
    pub account: AccountAlias,
    /// Once the platform has told it.
    pub sid: Option<String>,
}

/// Which ledgers of pairs are read, in the order of their senders and people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LedgersWanted {
    /// Only those of this sender.
    pub sender: Option<Phone>,
    /// Only those after this one.
    pub after: Option<PairKey>,
    /// So many of these are passed over.
    pub skip: usize,
    /// At most so many are read.
    pub most: usize,
}

/// What is stored, by its ids and names.
#[async_trait]
pub trait Records: Send + Sync {
    /// Reads one row, to learn whether the store can be read.
    async fn ping(&self) -> Result<()>;

    /// Those that are stored, in the order of the ids; so too attempts and messages.
    async fn callbacks(&self, ids: &[CallbackId]) -> Result<Vec<Callback>>;

    /// An attempt with its callback, for the document that it fetches.
    async fn attempt(&self, id: AttemptId) -> Result<Option<(Attempt, Callback)>>;

    /// What the platform knows the call of an attempt by.
    async fn name_of_attempt(&self, id: AttemptId) -> Result<Option<PlatformName>>;

    /// What the platform knows a message by.
    async fn name_of_message(&self, id: MessageId) -> Result<Option<PlatformName>>;

    async fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Attempt>>;

    /// Live attempts: intended, submitting, unknown, or accepted and not over.
    async fn live_attempts(&self) -> Result<Vec<Attempt>>;

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>>;

    /// Messages that are intended, submitting or unknown.
    async fn unsettled_messages(&self) -> Result<Vec<Message>>;

    /// The people of these names with all their pairs, each once. A number finds people under each of its spellings,
    /// and those who may be the same people.
    async fn people(&self, names: &[Name]) -> Result<Vec<(Person, Vec<Pair>)>>;

    /// Ledgers in the order of their senders and people.
    async fn ledgers(&self, wanted: LedgersWanted) -> Result<Vec<Pair>>;

    /// What is stored of the person of this name, with a page of the orders of all tenants.
    async fn consumer(&self, name: &Name, page: &Page) -> Result<ConsumerRecord>;

    /// Whom pages of Messenger know, as far as it is stored.
    async fn contacts(&self, keys: &[ContactKey]) -> Result<Vec<Contact>>;

    /// The load that the leader published last; with nothing in use and no `as_of` if there is none.
    async fn loads(&self) -> Result<Loads>;

    /// What is set aside now, oldest first.
    async fn set_aside(&self) -> Result<Vec<SetAside>>;

    /// The pauses that nobody has lifted and that have not ended at `now`.
    async fn pauses(&self, now: Timestamp) -> Result<Vec<Pause>>;

    /// The days of calendars that operators marked, from this day on.
    async fn marked_days(&self, from: Date) -> Result<Vec<MarkedDay>>;

    /// The pools of agents as they were last fed.
    async fn pools(&self) -> Result<Vec<Pool>>;

    /// One that is or was set aside.
    async fn set_aside_by_id(&self, id: SetAsideId) -> Result<Option<SetAside>>;
}

/// What is stored of one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConsumerRecord {
    /// The person's records with their pairs; several if the number belongs to several records that are not united yet.
    pub people: Vec<(Person, Vec<Pair>)>,
    /// Whom pages of Messenger know under the ids of the orders of this page.
    pub contacts: Vec<Contact>,
    /// Callbacks and invites, newest first.
    pub orders: Vec<Record>,
    /// The next page continues before this order; `None` if there is no further one.
    pub next: Option<CallbackId>,
    /// The person has more than [`Self::ORDERS_MAX`] orders. Older ones are on no page.
    pub is_cut: bool,
}

impl ConsumerRecord {
    /// The maximum of orders that all pages have together.
    pub const ORDERS_MAX: usize = 10_000;
}
