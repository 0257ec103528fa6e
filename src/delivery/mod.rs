//! Customer webhooks: what is told (`herald`), how it is signed (`sign`), what an answer means (`verdict`),
//! where it may go (`guard`), and the two that do it: `wire` sends one delivery, `courier` all of them in time.
//!
//! A delivery is a row of the outbox, written in the transaction of the change that it tells of; so it is
//! delivered at least once, in order for each callback. The form is that of Standard Webhooks
//! (standardwebhooks.com, read November 2026). Absent on purpose: decisions about callbacks.

pub mod guard;
pub mod sign;
pub mod verdict;

mod courier;
mod endpoint;
mod herald;
mod wire;

pub use courier::Courier;
pub use endpoint::{Endpoint, Standing};
pub use herald::{Herald, Topic};
pub use wire::{Route, Wire};
