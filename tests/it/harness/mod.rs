//! What tests of a whole daemon share: a daemon on one thread, and platforms that note what they are asked, and the
//! program in processes of its own.

mod desk;
mod platform;
pub(crate) mod process;
mod whole;

pub(crate) use desk::{CONSUMER, Desk, SENDER, START, message, to_alice};
pub(crate) use platform::Notes;
pub(crate) use whole::Whole;
