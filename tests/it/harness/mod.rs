//! What tests of a whole daemon share: a daemon on one thread, and platforms that note what they are asked.

mod desk;
mod platform;
mod whole;

pub(crate) use desk::{Desk, SENDER, START, message, to_alice};
pub(crate) use platform::Notes;
pub(crate) use whole::Whole;
