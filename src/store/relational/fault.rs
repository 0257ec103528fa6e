//! Converts errors of SQLite to errors of the port.

use std::sync::Arc;

use rusqlite::ErrorCode;
use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE};

use super::sql;
use crate::store::Error;

impl From<sql::Error> for Error {
    fn from(fault: sql::Error) -> Self {
        match fault {
            sql::Error::Sqlite(fault) => fault.into(),
            sql::Error::Postgres(fault) if fault.is_conflict() => Self::Conflict,
            sql::Error::Postgres(fault) if fault.is_overdue() => Self::Overdue,
            sql::Error::Postgres(fault) if fault.is_busy() => Self::Busy,
            sql::Error::Postgres(fault) if fault.is_refused() => Self::Corrupt(fault.to_string()),
            sql::Error::Postgres(fault) => Self::Unavailable(Box::new(fault)),
            sql::Error::OutcomeUnknown(_) => Self::OutcomeUnknown,
            fault @ sql::Error::Cell { .. } => Self::Corrupt(fault.to_string()),
            fault @ sql::Error::NoRow => Self::Unavailable(Box::new(fault)),
        }
    }
}

impl From<rusqlite::Error> for Error {
    fn from(fault: rusqlite::Error) -> Self {
        use rusqlite::Error as E;
        match &fault {
            E::SqliteFailure(code, _) => match code.code {
                ErrorCode::ConstraintViolation
                    if matches!(
                        code.extended_code,
                        SQLITE_CONSTRAINT_UNIQUE | SQLITE_CONSTRAINT_PRIMARYKEY
                    ) =>
                {
                    Self::Conflict
                }
                ErrorCode::OperationInterrupted => Self::Overdue,
                ErrorCode::ConstraintViolation
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::TypeMismatch => Self::Corrupt(fault.to_string()),
                _ => Self::Unavailable(Box::new(fault)),
            },
            E::FromSqlConversionFailure(..)
            | E::IntegralValueOutOfRange(..)
            | E::InvalidColumnType(..)
            | E::Utf8Error(..) => Self::Corrupt(fault.to_string()),
            _ => Self::Unavailable(Box::new(fault)),
        }
    }
}

/// A copy of an error for several callers.
#[derive(Debug, Clone)]
pub enum Shared {
    Unavailable(Arc<dyn std::error::Error + Send + Sync>),
    Corrupt(String),
    Deposed,
    Busy,
    Overdue,
    OutcomeUnknown,
}

impl Shared {
    pub fn new(error: Error) -> Self {
        match error {
            Error::Unavailable(source) => Self::Unavailable(source.into()),
            Error::Deposed => Self::Deposed,
            Error::Busy => Self::Busy,
            Error::Overdue => Self::Overdue,
            Error::OutcomeUnknown => Self::OutcomeUnknown,
            other => Self::Corrupt(other.to_string()),
        }
    }

    pub fn error(&self) -> Error {
        match self {
            Self::Unavailable(source) => Error::Unavailable(Box::new(Arc::clone(source))),
            Self::Corrupt(text) => Error::Corrupt(text.clone()),
            Self::Deposed => Error::Deposed,
            Self::Busy => Error::Busy,
            Self::Overdue => Error::Overdue,
            Self::OutcomeUnknown => Error::OutcomeUnknown,
        }
    }
}

/// The thread that should answer has ended.
pub fn gone() -> Error {
    Error::Unavailable("the thread of the store has stopped".into())
}
