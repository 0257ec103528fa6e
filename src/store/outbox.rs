//! The port `Outbox`: webhooks to customers, which a batch writes and a dispatcher delivers.

use std::borrow::Cow;
use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use strum::{EnumString, IntoStaticStr};

use super::Result;
use crate::domain::{CallbackId, CampaignId, DeliveryId, Phone};

/// Webhooks to customers. A batch of the scheduler writes them.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Claims rows of the outbox that are due at `now`, the longest due first, and returns them in the order in
    /// which they were written. Nobody else gets them before `until`, unless they are settled or claims are
    /// voided before. A row is not due before every earlier row of its subject is settled.
    async fn claim_deliveries(&self, now: Timestamp, until: Timestamp, limit: usize)
    -> Result<Vec<Delivery>>;

    /// Makes rows that a process claimed and did not settle due again. Only for a process that owns the store
    /// alone, before it delivers.
    async fn void_claims(&self) -> Result<()>;

    /// When the next row is due after `after`.
    async fn next_delivery(&self, after: Timestamp) -> Result<Option<Timestamp>>;

    /// Records the result of a try that began at `tried_at`, with why it failed. A settled row does not change.
    async fn settle_delivery(
        &self,
        id: DeliveryId,
        tried_at: Timestamp,
        settled: Settled,
        failure: Option<String>,
    ) -> Result<()>;

    /// The rows of a subject, the oldest first, up to a number.
    async fn deliveries_of(&self, subject: Subject, most: usize) -> Result<Vec<DeliveryRecord>>;

    /// Makes all rows of a callback due again, in their order. Returns their number.
    async fn replay_deliveries(&self, callback: CallbackId, now: Timestamp) -> Result<u64>;

    /// Counts of waiting and given-up deliveries.
    async fn backlog(&self) -> Result<Backlog>;
}

/// One webhook to a customer, written in the same commit as its change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxRow {
    pub id: DeliveryId,
    /// What it is about. Rows of one subject are delivered in order.
    pub subject: Subject,
    /// A callback has one row of `callback.closed`; a second one is not stored.
    pub what: Cow<'static, str>,
    /// The body, as it is sent.
    pub payload: String,
    pub created_at: Timestamp,
}

/// What a webhook is about: a callback, an invite, a campaign or a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject([u8; 16]);

impl Subject {
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The consumer with this number.
    #[must_use]
    pub fn of_consumer(consumer: Phone) -> Self {
        let hash = Sha256::digest(format!("consumer {}", consumer.digits()));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Self(bytes)
    }

    #[must_use]
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl From<CallbackId> for Subject {
    fn from(id: CallbackId) -> Self {
        Self(*id.bytes())
    }
}

impl From<CampaignId> for Subject {
    fn from(id: CampaignId) -> Self {
        Self(*id.bytes())
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A row of the outbox with its number of tries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub row: OutboxRow,
    pub tries: u32,
    pub first_tried_at: Option<Timestamp>,
}

/// How far a row of the outbox is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRecord {
    pub id: DeliveryId,
    pub what: String,
    pub state: DeliveryState,
    pub created_at: Timestamp,
    /// When it is tried next; `None` for one that is settled, or that waits for an earlier one.
    pub due_at: Option<Timestamp>,
    /// Since it was written, sent again, or its endpoint was enabled.
    pub tries: u32,
    pub first_tried_at: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
    /// Why the last try failed.
    pub last_error: Option<String>,
}

/// The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum DeliveryState {
    Waiting,
    Delivered,
    GivenUp,
}

/// The result of one try to deliver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Delivered,
    RetryAt(Timestamp),
    /// It is given up. The next row of its subject is due.
    GivenUp,
    /// The endpoint is disabled. No row is lost: all waiting rows are due, and their tries are reset.
    Disabled,
}

/// Counts of the outbox, each up to [`Backlog::COUNTED_MAX`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backlog {
    pub waiting: u64,
    /// When the oldest waiting row was written.
    pub oldest: Option<Timestamp>,
    pub given_up: u64,
}

impl Backlog {
    /// How many rows are counted at most, so that a long backlog does not make the count slow.
    pub const COUNTED_MAX: u32 = 100_000;
}
