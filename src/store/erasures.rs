//! The port `Erasures`: the data of a person leaves the store, in steps.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{NewCommand, Result};
use crate::domain::{AccountAlias, CallbackId, Erasure, ErasureId, HeldKind, HeldState, Name};

/// Erasures. A door begins one; the scheduler does its steps through batches.
#[async_trait]
pub trait Erasures: Send + Sync {
    /// Begins an erasure: finds the names of the person, puts each on the suppression list `erased`, and files the command,
    /// in one transaction. `None` if [`Erasure::OPEN_MAX`] are open.
    async fn erase(&self, new: NewErasure) -> Result<Option<Erasure>>;

    /// An erasure, with what platforms hold: at most `most`, by their ids.
    async fn erasure(&self, id: ErasureId, most: usize) -> Result<Option<ErasureRecord>>;

    /// Those that are not done, oldest first.
    async fn open_erasures(&self) -> Result<Vec<Erasure>>;

    /// What is open of the person of an erasure; at most `most` orders.
    async fn erasure_work(&self, erasure: &Erasure, most: usize) -> Result<ErasureWork>;

    /// Searches the next `most` reports and as many idempotency keys.
    async fn erasure_traces(
        &self,
        erasure: &Erasure,
        keys_after: &KeyPlace,
        most: usize,
    ) -> Result<ErasureTraces>;

    /// What platforms are to be asked to delete: at most `most` that are due at `now`.
    async fn erasure_deletions(&self, id: ErasureId, now: Timestamp, most: usize) -> Result<Deletions>;

    /// Those of the names that are on the list `erased`.
    async fn erased_names(&self, names: &[Name]) -> Result<Vec<Name>>;

    /// Whether anybody was erased.
    async fn has_erased(&self) -> Result<bool>;

    /// Empties the log of the file, which has what was written before. `false` if somebody reads it: try again later.
    async fn clean_log(&self) -> Result<bool>;
}

/// An erasure to begin.
#[derive(Debug, Clone)]
pub struct NewErasure {
    pub id: ErasureId,
    pub name: Name,
    pub why: String,
    /// Its event is [`Event::Erasure`](crate::domain::Event::Erasure), which the store completes.
    pub command: NewCommand,
}

/// An erasure with what platforms hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureRecord {
    pub erasure: Erasure,
    pub held: Vec<HeldElsewhere>,
    /// How many there are.
    pub held_total: u64,
}

/// A call or message that a platform still has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldElsewhere {
    pub account: AccountAlias,
    pub kind: HeldKind,
    pub sid: String,
    pub state: HeldState,
    /// How often the platform was asked without an answer.
    pub tries: u32,
}

/// What platforms are to be asked to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deletions {
    pub due: Vec<HeldElsewhere>,
    /// When the next one is due that is not yet.
    pub next_at: Option<Timestamp>,
}

/// What is open of a person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErasureWork {
    /// Waiting orders, and those with a call that nobody has asked to end yet.
    pub open: Vec<CallbackId>,
    /// Calls in progress, in both directions, and messages without an answer.
    pub busy: u64,
}

/// The owner and the text of an idempotency key.
pub type KeyPlace = (String, String);

/// What a search found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErasureTraces {
    /// The `seq` of reports and commands that name the person.
    pub reports: Vec<i64>,
    /// Reports up to this one were searched.
    pub searched: i64,
    /// Idempotency keys of the person's orders.
    pub keys: Vec<KeyPlace>,
    /// Where the next keys begin; `None` after the last.
    pub keys_after: Option<KeyPlace>,
    /// Nothing is left to search.
    pub is_end: bool,
}

/// A step of an erasure in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErasureStep {
    /// Erases the next rows of the person; with the last ones the search begins.
    Rows { erasure: Erasure, most: usize },
    /// Erases what a search found; with the end of it the names of the erasure go too.
    Traces { id: ErasureId, found: ErasureTraces },
    /// The log is empty. Then platforms are asked to delete what they hold, if they hold anything.
    Clean { id: ErasureId, at: Timestamp },
    /// What came of a call or message at a platform. With the last one the erasure is done.
    Held { id: ErasureId, sid: String, state: HeldState, again_at: Option<Timestamp>, at: Timestamp },
}
