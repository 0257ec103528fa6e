//! Errors of the store, by how a caller has to react.

use super::UnreadableReport;
use crate::panics::Panicked;

/// An error of the store. Nothing of the failed call was stored, unless it says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A concurrent change came first: read and decide again.
    #[error("changed by somebody else in the meantime")]
    Conflict,
    /// Another daemon has opened the store since: nothing more may be written, and nothing may leave.
    #[error("another daemon has taken over the store")]
    Deposed,
    /// It is unknown whether it was written, because the connection was lost. A later read shows it.
    #[error("the store did not say whether it was written")]
    OutcomeUnknown,
    /// The disk is full, the file is gone, the database is away: stop dialling, answer 503, try again.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The code failed at it. What was to be written is rolled back; the next command or reading is as if it had not
    /// been.
    #[error("the store failed at it, at {}", .0.place.as_deref().unwrap_or("an unknown place"))]
    Panicked(Panicked),
    /// A reading took longer than it may.
    #[error("the read took too long")]
    Overdue,
    /// Too many readings wait already.
    #[error("too many reads wait")]
    Busy,
    /// Reports or commands in the inbox cannot be read: they are to be set aside, and the others can be read then.
    #[error("{} of the stored reports cannot be read", .0.len())]
    Unreadable(Vec<UnreadableReport>),
    /// Stored data cannot be read: an operator has to check.
    #[error("the store holds what cannot be read: {0}")]
    Corrupt(String),
    /// The file cannot be used. The text says why and what helps.
    #[error("{0}")]
    Unusable(String),
}
