//! Meta's Graph API: its client, and WhatsApp's Cloud API as an adapter of the port `Platform`.
//!
//! It makes no decisions: `policy` decides the effect of a refusal, and the scheduler what happens after an unknown
//! result. It places no calls. Messenger has its own module, which sends through [`Graph`] as well.
//!
//! Reading order: [`graph`] sends requests, and [`outcome`] has their results; [`messages`] are the bodies of messages, and [`declared`]
//! makes their words from declarations; `catalogue` has the templates of an account;
//! `platform` sends them; [`number`] compares what Meta shows of a number; [`signature`] and [`handshake`] verify webhooks, and [`webhook`] reads them.
// Arithmetic with values from outside must not overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod outcome;

pub mod graph;

pub mod limits;
pub mod messages;
pub mod number;

pub mod declared;

mod platform;

pub mod handshake;
pub mod signature;

pub mod webhook;

pub use platform::MetaPlatform;

mod catalogue;

pub use catalogue::Templates;

pub use graph::{Graph, GraphAccount};
pub use outcome::{Created, GraphError, Refusal, UnknownCause, reply};

#[cfg(test)]
mod tests;
