//! What the server or the connection says, without values.

use std::error::Error;
use std::fmt;

use tokio_postgres::error::SqlState;

/// An error of PostgreSQL. It holds no values of rows or parameters, because they may be phone numbers.
#[derive(Debug)]
pub struct Fault {
    state: Option<SqlState>,
    text: String,
    is_lost: bool,
}

impl Fault {
    pub fn new(error: &tokio_postgres::Error) -> Self {
        if let Some(server) = error.as_db_error() {
            let state = server.code().clone();
            // The text of errors about the connection, rights and resources names no values.
            let tells = ["08", "0A", "25", "28", "3D", "42", "53", "55", "57", "58"].contains(&class(&state));
            let constraint = server.constraint().map(|name| format!(" ({name})")).unwrap_or_default();
            let text = if tells {
                format!("{} [{}]", server.message(), state.code())
            } else {
                format!("error {}{constraint}", state.code())
            };
            let is_lost = ends_connection(&state);
            return Self { state: Some(state), text, is_lost };
        }
        let mut text = error.to_string();
        let mut cause = error.source();
        let mut is_lost = error.is_closed();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            is_lost |= error.is::<std::io::Error>();
            cause = error.source();
        }
        Self { state: None, text, is_lost }
    }

    /// Of a connection that cannot be used.
    pub fn lost(text: impl Into<String>) -> Self {
        Self { state: None, text: text.into(), is_lost: true }
    }

    /// Of a statement or a cell.
    pub fn of(text: impl Into<String>) -> Self {
        Self { state: None, text: text.into(), is_lost: false }
    }

    /// Whether the connection is of no use any more.
    pub const fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// The five characters by which PostgreSQL names the error.
    pub fn code(&self) -> Option<&str> {
        self.state.as_ref().map(SqlState::code)
    }

    /// Whether a statement took longer than it may.
    pub fn is_overdue(&self) -> bool {
        self.state == Some(SqlState::QUERY_CANCELED)
    }

    /// Whether a lock was waited for longer than it may.
    pub fn is_busy(&self) -> bool {
        self.state == Some(SqlState::LOCK_NOT_AVAILABLE)
    }

    /// Whether another transaction came first.
    pub fn is_conflict(&self) -> bool {
        self.state.as_ref().is_some_and(|state| *state == SqlState::UNIQUE_VIOLATION || class(state) == "40")
    }

    /// Whether the server was reached and did not do what it was asked, which it will not do the next time either.
    pub fn is_refused(&self) -> bool {
        !self.is_lost
            && self.state.as_ref().is_none_or(|state| ["21", "22", "23", "42"].contains(&class(state)))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for Fault {}

/// The first two characters.
fn class(state: &SqlState) -> &str {
    state.code().get(..2).unwrap_or_default()
}

/// The server ends the connection, or it became a standby, so that another server is to be found (PostgreSQL,
/// *Appendix A*, classes 08, 25 and 57).
fn ends_connection(state: &SqlState) -> bool {
    class(state) == "08"
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::READ_ONLY_SQL_TRANSACTION,
            SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
        ]
        .contains(state)
}
