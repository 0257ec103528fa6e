//! The harness for tests of a whole daemon: a daemon on one thread, platforms that record requests, and the program as
//! a separate process.

mod desk;
mod platform;
pub(crate) mod process;
mod whole;

pub(crate) use desk::{CONSUMER, Desk, SENDER, START, message, to_alice};
pub(crate) use platform::Notes;
pub(crate) use whole::Whole;
