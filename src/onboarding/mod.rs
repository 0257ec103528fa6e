//! The setup of senders at Twilio: `activate` connects a sender with this daemon, and `examine` says what is missing or
//! differs from what the daemon expects.
//!
//! It decides nothing about callbacks and keeps nothing. `examine` only reads.
//!
//! Reading order: [`finding`] has every finding as data; [`voice`] tells whose a voice application is; [`checks`] compares
//! what Twilio shows with what is expected; [`examine`] reads it; [`activate`] changes it.
// Arithmetic with values from outside must not overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod finding;

pub mod voice;

pub mod checks;

pub mod activate;
pub mod examine;

pub use crate::twilio::Client as Connection;
pub use activate::{Activated, Deactivated, Order, Refused, activate, deactivate};
pub use examine::{Examined, examine};
pub use finding::{Code, Finding, Kind, Severity, Verdict};

#[cfg(test)]
mod tests;
