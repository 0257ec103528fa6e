//! Twilio: the adapter of the port `Platform`, the client for one account, and the parsing of its webhooks.
//!
//! The only module with Twilio's terms. It makes no decisions: `policy` decides what a refusal means for a callback,
//! and the scheduler what happens after an unknown result.
//!
//! Reading order: [`TwilioPlatform`] turns domain values into requests; [`transport`] carries requests and says
//! what "not sent" promises; [`http`] keeps that promise over sockets; [`outcome`] says what is known after a
//! request; [`client`] asks, with one file for each resource after it; [`forms`] and [`signature`] are the way in.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod transport;

pub mod http;

pub mod outcome;

pub mod client;

pub mod call_events;
pub mod calls;
pub mod content;
pub mod messages;
pub mod monitor;
pub mod senders;

pub mod forms;
pub mod signature;

pub mod address;
pub mod words;

mod json;
mod mask;
mod platform;

pub use address::Address;
pub use call_events::CallEvent;
pub use calls::{Call, CallFilter, HangUp, MachineDetection, NewCall};
pub use client::{Account, Client, Endpoints};
pub use content::{Content, ContentKind, NewContent};
pub use http::{HttpOptions, HttpTransport};
pub use messages::{Message, NewMessage};
pub use monitor::Alert;
pub use outcome::{Created, Error, Refusal, UnknownCause};
pub use platform::TwilioPlatform;
pub use senders::Sender;
pub use transport::{Basic, Body, Request, Response, Transport, TransportError};

#[cfg(test)]
mod tests;
