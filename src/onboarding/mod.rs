//! The setup of senders: `activate` connects a sender at Twilio with this daemon; `examine`, `examine_number` and
//! `examine_page` say what is missing at Twilio, at WhatsApp's Cloud API and at Messenger, or differs from what the daemon
//! expects.
//!
//! It decides nothing about callbacks and keeps nothing. Examinations change nothing.
//!
//! Reading order: [`finding`] has every finding as data; [`voice`] tells whose a voice application is; [`checks`] compares
//! what Twilio shows with what is expected; [`examine`] reads it; [`number`] and [`page`] read what Meta shows, by
//! `graph_reads`; [`store`] what the server of a database is set to; [`activate`] changes Twilio's senders.
// Arithmetic with values from outside must not overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod finding;

pub mod voice;

pub mod checks;

pub mod activate;
pub mod examine;

mod graph_reads;
pub mod number;
pub mod page;
pub mod store;

pub use crate::twilio::Client as Connection;
pub use activate::{Activated, Deactivated, Order, Refused, activate, deactivate};
pub use examine::{Examined, examine};
pub use number::{ExaminedNumber, examine_number};
pub use page::{ExaminedPage, examine_page};
pub use store::examine_store;

pub use crate::meta::Graph;
pub use finding::{Code, Finding, Kind, Severity, Verdict};

#[cfg(test)]
mod tests;
