//! The harness for tests of a whole daemon: a daemon on one thread, platforms that record requests, and the program as
//! a separate process.

mod fresh;
mod platform;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod silent;
mod simulated_daemon;
mod test_daemon;

pub(crate) use fresh::{OnDatabase, fresh_store};
pub(crate) use platform::RecordingTransport;
pub(crate) use simulated_daemon::SimulatedDaemon;
pub(crate) use test_daemon::{CONSUMER, SENDER, START, TestDaemon, message, to_alice};
