//! What can go wrong with a statement.

use super::postgres::Fault;

/// An error of an engine, or of a cell.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(transparent)]
    Postgres(#[from] Fault),
    /// The connection was lost in the commit.
    #[error("the connection was lost in a commit: {0}")]
    OutcomeUnknown(Fault),
    /// The statement has no row.
    #[error("the statement returned no row")]
    NoRow,
    /// The cell has another type, or a number beyond the type's range.
    #[error("column {column} holds {found}, which is not what is read from it")]
    Cell { column: usize, found: &'static str },
}

pub type Result<T> = std::result::Result<T, Error>;
