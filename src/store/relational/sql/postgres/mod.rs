//! Connections to PostgreSQL. Each belongs to one thread and has a runtime of its own, so that no other thread is woken
//! for a statement.
//!
//! Writes are sent without waiting for their answers where nobody asks for them: see [`Session::later`].

mod cells;
mod fault;
mod notify;
mod reach;
mod row;
mod session;
mod statement;
mod translate;

pub use self::fault::Fault;
pub use self::notify::Listener;
pub use self::reach::Reach;
pub use self::row::{Found, cell};
pub use self::session::{PATIENCE, Session, UNHURRIED};
pub use self::statement::Statement;
