//! What can go wrong with a store, by what a caller does about it.

/// An error of the store. Nothing of the failed verb was kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else changed it first: read again and decide again.
    #[error("changed by somebody else in the meantime")]
    Conflict,
    /// The disk is full, the file is gone, the database is away: stop dialling, answer 503, try again.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A reading took longer than it may.
    #[error("the reading took too long")]
    Overdue,
    /// Too many readings wait already.
    #[error("too many readings wait")]
    Busy,
    /// What is stored cannot be read: a person must look.
    #[error("the store holds what cannot be read: {0}")]
    Corrupt(String),
    /// The file cannot be used at all; the text says why and what helps.
    #[error("{0}")]
    Unusable(String),
}
