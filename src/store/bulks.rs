//! The port `Bulks`: one change of many callbacks. The set is fixed when it is made; a confirmed one becomes commands, some
//! at a time, which are folded like all others.

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use strum::{EnumString, IntoStaticStr};

use super::Result;
use crate::domain::{BulkId, Callback, CallbackId, Priority, State, Tenant};

/// Changes of many callbacks.
#[async_trait]
pub trait Bulks: Send + Sync {
    /// Keeps a new one with its set. Nothing is changed yet. `false` if the tenant has too many.
    async fn make_bulk(&self, bulk: NewBulk) -> Result<bool>;

    async fn bulk(&self, id: BulkId) -> Result<Option<BulkRecord>>;

    /// Those of a tenant, newest first, at most `most`.
    async fn bulks(&self, tenant: &Tenant, most: usize) -> Result<Vec<BulkRecord>>;

    /// Begins one that is a preview. `false` if it is none any more.
    async fn confirm_bulk(&self, id: BulkId, at: Timestamp) -> Result<bool>;

    /// Ends one that is not over. What has become a command is carried out. `false` if it is over.
    async fn stop_bulk(&self, id: BulkId, at: Timestamp) -> Result<bool>;

    /// Whether one has begun and is not over.
    async fn has_running_bulk(&self) -> Result<bool>;

    /// Turns the next rows of the oldest one that runs into commands, at most `most`, and passes over those that have changed
    /// since. Whether there were any.
    async fn file_bulk(&self, at: Timestamp, most: usize) -> Result<bool>;
}

/// What is done with each callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BulkAct {
    Cancel,
    /// What is not given stays.
    Reschedule {
        earliest: Option<Timestamp>,
        latest: Option<Timestamp>,
        priority: Option<Priority>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum BulkState {
    Preview,
    Running,
    Stopped,
    Done,
}

/// A change of many callbacks, with its set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBulk {
    pub id: BulkId,
    pub tenant: Tenant,
    /// The name of the API token.
    pub by: String,
    pub act: BulkAct,
    pub why: String,
    /// What was asked for, as JSON, for those who look at it later.
    pub filter: String,
    pub at: Timestamp,
    /// The callbacks with their marks.
    pub rows: Vec<(CallbackId, u64)>,
}

impl NewBulk {
    /// Tells whether a callback is still what was chosen: its state, and what a change may change. A decision of the
    /// scheduler alone is no change.
    #[must_use]
    pub fn mark(callback: &Callback) -> u64 {
        let order = &callback.order;
        let state = match callback.state {
            State::Waiting(_) => "waiting",
            State::Calling { .. } => "calling",
            State::Closed(_) => "closed",
        };
        let seen =
            (state, order.earliest, order.latest, order.priority, &order.hours, callback.attempts_made);
        let hash = Sha256::digest(format!("{seen:?}"));
        // Stored as a number of 63 bits.
        hash.iter().take(8).fold(0_u64, |mark, byte| mark << 8 | u64::from(*byte)) >> 1
    }

    /// The most callbacks of one (our rule).
    pub const ROWS_MAX: usize = 10_000;
    /// The most of one tenant that are kept.
    pub const MAX: u32 = 1_000;
}

/// A change of many callbacks, and how far it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BulkRecord {
    pub id: BulkId,
    pub tenant: Tenant,
    pub by: String,
    pub act: BulkAct,
    pub why: String,
    pub filter: String,
    pub state: BulkState,
    pub made_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub total: u64,
    /// Which have not become commands.
    pub open: u64,
    /// Which had changed since the preview, and were passed over.
    pub changed: u64,
    /// Whose commands are not folded yet.
    pub pending: u64,
    pub applied: u64,
    /// Whose commands were refused, because they changed right before.
    pub refused: u64,
}
