//! The port `Store`: what must survive a crash, in the field's verbs. Each verb is atomic.
//!
//! Absent on purpose: decisions, clocks, and transactions that outlive a call. Writers are optimistic:
//! what they write names the version that they read, and a [`Batch`] with one stale version changes nothing.
//! Times are stored in microseconds; smaller units are cut off.

mod error;
pub mod sqlite;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use crate::domain::timeline::Entry;
use crate::domain::{
    AccountAlias, Attempt, AttemptId, Callback, CallbackId, CommandOutcome, DeliveryId, Event, Gate, Message,
    MessageId, Name, Outcome, Pair, PairKey, Person, PersonId, Phone, Scopes, SetAside, SetAsideEnd,
    SetAsideId, Tenant, TokenLimits, UserId,
};

pub use error::Error;

pub type Result<T> = std::result::Result<T, Error>;

/// Durable storage. After an `Ok` the data survives `kill -9` and a loss of power.
#[async_trait]
pub trait Store: Send + Sync {
    // Customers.

    /// Stores new callbacks; all of them or, on an error, none. [`Error::Conflict`] if an id is taken.
    /// Answers are in the order of the orders.
    async fn enqueue_callbacks(&self, orders: Vec<Enqueue>) -> Result<Vec<Enqueued>>;

    /// The earlier result of this key: [`Enqueued::Repeated`] or [`Enqueued::KeyReused`]; `None` if the key
    /// is new. Nothing is stored.
    async fn known_order(&self, key: IdempotencyKey) -> Result<Option<Enqueued>>;

    async fn callback(&self, id: CallbackId) -> Result<Option<Record>>;

    /// The callbacks that a customer's reference names: the open ones, newest first, at most `most`; if none is
    /// open, the newest that is closed. Looks at the newest 1,000 with the reference.
    async fn referenced(&self, tenant: &Tenant, reference: &str, most: usize) -> Result<Vec<CallbackId>>;

    /// One page, newest first, sorted by id, which grows with the time of creation.
    async fn list_callbacks(&self, filter: &Filter, page: &Page) -> Result<Vec<Callback>>;

    /// The timeline of a callback, and of its pairs while it was open, oldest first.
    async fn timeline(&self, id: CallbackId) -> Result<Vec<Entry>>;

    /// The timeline of a pair's permission, oldest first.
    async fn pair_timeline(&self, key: PairKey) -> Result<Vec<Entry>>;

    /// Appends a command to its lane of the inbox, once by its key; `false` if the key was used before.
    async fn append_command(&self, command: NewCommand) -> Result<bool>;

    /// What became of a command, by its key.
    async fn command(&self, key: [u8; 16]) -> Result<Option<CommandRecord>>;

    // Hooks.

    /// Appends reports to the inbox, each once by its key. `true` for those that were new.
    async fn append_reports(&self, reports: Vec<Report>) -> Result<Vec<bool>>;

    /// An attempt with its callback, for the document that it fetches.
    async fn attempt(&self, id: AttemptId) -> Result<Option<(Attempt, Callback)>>;

    // The scheduler.

    /// What no batch has folded yet: commands, oldest first, then reports, oldest first.
    async fn unfolded_reports(&self, limit: usize) -> Result<Vec<FiledReport>>;

    /// Waiting callbacks with `wake_at <= now`, longest due first.
    async fn due_callbacks(&self, now: Timestamp, limit: usize) -> Result<Vec<Callback>>;

    /// When the next waiting callback is due, if there is one.
    async fn next_wake(&self) -> Result<Option<Timestamp>>;

    /// Callbacks that wait at a gate, in order of rank: urgent first, then the nearest deadline.
    async fn callbacks_at_gate(&self, gate: &Gate, limit: usize) -> Result<Vec<Callback>>;

    /// Gates with waiting callbacks.
    async fn gates(&self) -> Result<Vec<Gate>>;

    /// All waiting callbacks to these consumers, whichever sender they want; each once.
    async fn waiting_callbacks_to(&self, consumers: &[Phone]) -> Result<Vec<Callback>>;

    /// Reports that named nobody who was known, and that these people sent or that answer these messages.
    async fn unmatched_of(&self, ids: &[UserId], sids: &[String]) -> Result<Vec<FiledReport>>;

    /// Reports of the last 30 days that name nobody who is known, newest first.
    async fn unmatched_reports(&self, limit: usize) -> Result<Vec<FiledReport>>;

    /// The people of these names with all their pairs, each once. A number finds people under each of its spellings,
    /// and those who may be the same people.
    async fn people(&self, names: &[Name]) -> Result<Vec<(Person, Vec<Pair>)>>;

    /// The ledgers of pairs, in the order of the keys; a pair that was never written is returned as
    /// [`Pair::unknown`].
    async fn pairs(&self, keys: &[PairKey]) -> Result<Vec<Pair>>;

    /// Those that are stored, in the order of the ids; so too attempts and messages.
    async fn callbacks(&self, ids: &[CallbackId]) -> Result<Vec<Callback>>;

    async fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Attempt>>;

    /// Attempts by the SID of their first leg.
    async fn attempts_by_sid(&self, sids: &[String]) -> Result<Vec<Attempt>>;

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>>;

    /// A message by its SID.
    async fn message_by_sid(&self, sid: &str) -> Result<Option<Message>>;

    /// Live attempts: intended, submitting, unknown, or accepted and not over.
    async fn live_attempts(&self) -> Result<Vec<Attempt>>;

    /// Messages that are intended, submitting or unknown.
    async fn unsettled_messages(&self) -> Result<Vec<Message>>;

    /// Pairs with an inbound call in progress, which takes a slot of the sender.
    async fn pairs_with_live_inbound(&self) -> Result<Vec<Pair>>;

    /// The accounts whose calls were submitted at `since` or later, one for each call, over or not. Only the
    /// 4,096 attempts that were opened last are looked at.
    async fn submitted_since(&self, since: Timestamp) -> Result<Vec<AccountAlias>>;

    /// What is set aside now, oldest first.
    async fn set_aside(&self) -> Result<Vec<SetAside>>;

    /// One that is or was set aside.
    async fn set_aside_by_id(&self, id: SetAsideId) -> Result<Option<SetAside>>;

    /// Writes a batch in one transaction, or nothing: [`Error::Conflict`] if a callback or pair in it has
    /// another version than the one before the batch's, if a folded report was folded already or is set aside, if
    /// something that is set aside in it was folded or has ended before, or if its ground has changed.
    async fn record(&self, batch: Batch) -> Result<()>;

    // Deliveries.

    /// Claims rows of the outbox that are due at `now`, the longest due first, and returns them in the order in
    /// which they were written. Nobody else gets them before `until`, unless they are settled or claims are
    /// voided before. A row is not due before every earlier row of its callback is settled.
    async fn claim_deliveries(&self, now: Timestamp, until: Timestamp, limit: usize)
    -> Result<Vec<Delivery>>;

    /// Makes rows that a process claimed and did not settle due again. Only for a process that owns the store
    /// alone, before it delivers.
    async fn void_claims(&self) -> Result<()>;

    /// When the next row is due after `after`.
    async fn next_delivery(&self, after: Timestamp) -> Result<Option<Timestamp>>;

    /// Records the result of a try that began at `tried_at`. A settled row does not change.
    async fn settle_delivery(&self, id: DeliveryId, tried_at: Timestamp, settled: Settled) -> Result<()>;

    /// Makes all rows of a callback due again, in their order. Returns their number.
    async fn replay_deliveries(&self, callback: CallbackId, now: Timestamp) -> Result<u64>;

    /// Counts of waiting and given-up deliveries.
    async fn backlog(&self) -> Result<Backlog>;

    // API tokens and our own secrets.

    /// Stores the hash of an API token; [`Error::Conflict`] if it exists.
    async fn create_token(&self, token: Token) -> Result<()>;

    /// Every API token, by name and age.
    async fn tokens(&self) -> Result<Vec<Token>>;

    /// Deletes an API token; `false` if there was none.
    async fn revoke_token(&self, hash: [u8; 32]) -> Result<bool>;

    /// Notes that a token was used at `at`. The caller sees to it that this is rare.
    async fn token_used(&self, hash: [u8; 32], at: Timestamp) -> Result<()>;

    async fn token_by_hash(&self, hash: [u8; 32]) -> Result<Option<Token>>;

    /// The key for tokens in our URLs. `fresh` is stored if there is none yet.
    async fn address_key(&self, fresh: [u8; 32]) -> Result<[u8; 32]>;

    /// Counts for the status page and the metrics.
    async fn census(&self) -> Result<Census>;
}

/// A callback to store, with the customer's idempotency key.
#[derive(Debug, Clone)]
pub struct Enqueue {
    /// With version 1 and in state waiting.
    pub callback: Callback,
    pub idempotency: Option<IdempotencyKey>,
    /// Counted in the same transaction; `None` counts nothing.
    pub ceiling: Option<OrderCeiling>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

/// A callback with its attempts and messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub callback: Callback,
    /// In order of their numbers.
    pub attempts: Vec<Attempt>,
    /// In order of creation.
    pub messages: Vec<Message>,
}

/// What a listed callback must match: its tenant, and what else is given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    pub tenant: Tenant,
    pub status: Option<Status>,
    pub outcome: Option<Outcome>,
    pub sender: Option<Phone>,
    pub consumer: Option<Phone>,
    pub campaign: Option<String>,
    pub reference: Option<String>,
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

/// A report as it arrives: verified and parsed, not yet acted on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Two reports of the same thing have the same key.
    pub key: [u8; 16],
    pub received_at: Timestamp,
    pub event: Event,
}

/// A report in the inbox. `seq` grows in the order of arrival.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiledReport {
    pub seq: i64,
    pub received_at: Timestamp,
    pub event: Event,
    /// A command is folded with an outcome.
    pub is_command: bool,
}

/// A report that names nobody who is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    pub seq: i64,
    pub received_at: Timestamp,
    pub user_id: Option<UserId>,
    /// The SID of the message of ours that it answers.
    pub replied_to: Option<String>,
}

/// A command as it arrives. What can be seen to fail was refused before.
#[derive(Debug, Clone)]
pub struct NewCommand {
    pub report: Report,
    pub tenant: Tenant,
    /// The callback that it is about, if it is about one.
    pub callback: Option<CallbackId>,
    /// SHA-256 of what is asked for, to tell a repetition from another command with the same key.
    pub content: [u8; 32],
}

/// A command in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandRecord {
    pub tenant: Tenant,
    pub callback: Option<CallbackId>,
    pub content: [u8; 32],
    /// `None` while it waits.
    pub outcome: Option<CommandOutcome>,
    pub received_at: Timestamp,
}

/// All that one turn of the scheduler decided. Values are whole: each replaces what is stored.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// With the version one above the stored one.
    pub callbacks: Vec<Callback>,
    /// With the version one above the stored one; a new pair has version 1.
    pub pairs: Vec<Pair>,
    /// With the version one above the stored one; a new person has version 1.
    pub persons: Vec<Person>,
    /// People whose records were taken into another one, with the stored version.
    pub united: Vec<(PersonId, u64)>,
    pub attempts: Vec<Attempt>,
    pub messages: Vec<Message>,
    /// The `seq` of the reports that this batch has taken in.
    pub folded: Vec<i64>,
    /// Of the reports that this batch has taken in, those that name nobody who is known. They are kept.
    pub unmatched: Vec<Unmatched>,
    /// The `seq` of kept reports whose person has become known, and that this batch has taken in.
    pub matched: Vec<i64>,
    /// The `seq` of the commands that this batch has taken in, and what became of each.
    pub outcomes: Vec<(i64, CommandOutcome)>,
    pub entries: Vec<Entry>,
    pub outbox: Vec<OutboxRow>,
    /// What is set aside from now on: a report or a command leaves its lane of the inbox.
    pub set_aside: Vec<SetAside>,
    /// What is set aside no longer: a report or a command that is retried lies in its lane again, in its place.
    pub set_aside_ended: Vec<SetAsideEnded>,
    /// What must not have changed: the batch lets something leave.
    pub ground: Option<Ground>,
}

/// What a batch stands on beyond what it writes: everything that was acknowledged before the batch is in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ground {
    /// Reports up to this one were read before the batch was decided.
    pub read: i64,
    /// No report that was filed since may be about these; see [`Event::concerns`].
    pub people: BTreeSet<PersonId>,
    /// These callbacks still have these versions, unless the batch itself writes them.
    pub callbacks: BTreeMap<CallbackId, u64>,
}

impl Batch {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.callbacks.is_empty()
            && self.pairs.is_empty()
            && self.persons.is_empty()
            && self.united.is_empty()
            && self.attempts.is_empty()
            && self.messages.is_empty()
            && self.folded.is_empty()
            && self.outcomes.is_empty()
            && self.matched.is_empty()
            && self.entries.is_empty()
            && self.outbox.is_empty()
            && self.set_aside.is_empty()
            && self.set_aside_ended.is_empty()
    }
}

/// An operator's end of something that was set aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideEnded {
    pub id: SetAsideId,
    pub end: SetAsideEnd,
}

/// One webhook to a customer, written in the same commit as its change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    pub id: DeliveryId,
    pub callback: CallbackId,
    /// A callback has one row of `callback.closed`; a second one is not stored.
    pub what: Cow<'static, str>,
    /// The body, as it is sent.
    pub payload: String,
    pub created_at: Timestamp,
}

/// A row of the outbox with its number of tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub row: OutboxRow,
    pub tries: u32,
    pub first_tried_at: Option<Timestamp>,
}

/// The result of one try to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Delivered,
    RetryAt(Timestamp),
    /// It is given up. The next row of its callback is due.
    GivenUp,
    /// The endpoint is disabled. No row is lost: all waiting rows are due, and their tries are reset.
    Disabled,
}

/// Counts of the outbox.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: u64,
    /// When the oldest waiting row was written.
    pub oldest: Option<Timestamp>,
    pub given_up: u64,
}

/// An API token by its hash. The token is shown once and never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub name: String,
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    pub created_at: Timestamp,
    /// It sees the callbacks of this tenant only.
    pub tenant: Tenant,
    pub scopes: Scopes,
    /// It is refused from this moment on.
    pub expires_at: Option<Timestamp>,
    /// To within some minutes.
    pub last_used_at: Option<Timestamp>,
    /// The senders that it may use; empty allows all.
    pub senders: Vec<Phone>,
    /// The documents that it may order; empty allows all.
    pub documents: Vec<String>,
    pub limits: TokenLimits,
}

impl Token {
    /// A token of the default tenant that may do what is usual, for ever.
    #[must_use]
    pub fn new(name: impl Into<String>, hash: [u8; 32], created_at: Timestamp) -> Self {
        Self {
            name: name.into(),
            hash,
            created_at,
            tenant: Tenant::default(),
            scopes: Scopes::usual(),
            expires_at: None,
            last_used_at: None,
            senders: Vec::new(),
            documents: Vec::new(),
            limits: TokenLimits::default(),
        }
    }
}

/// Counts of callbacks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    pub waiting: u64,
    pub calling: u64,
    /// By outcome, in the order of [`Outcome::ALL`].
    pub closed: [u64; Outcome::ALL.len()],
    pub unfolded_reports: u64,
    /// Reports that name nobody who is known.
    pub unmatched_reports: u64,
}
