//! Twilio: the adapter of the port `Platform`, the client for one account, and the parsing of its webhooks.
//!
//! It is the only module with Twilio's terms. It makes no decisions: `policy` decides the effect of a refusal on a
//! callback, and the scheduler what happens after an unknown result.
//!
//! Reading order: [`TwilioPlatform`] converts domain values to requests; [`outcome`] has the results of requests;
//! [`client`] sends them through the port [`Transport`], with a file for each resource, and `catalogue` is the
//! adapter of the port `content::Catalogue`; [`forms`] and [`signature`] handle webhooks.
// Arithmetic with values from outside must not overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod outcome;

pub mod client;

pub mod applications;
pub mod call_events;
pub mod calls;
pub mod content;
pub mod messages;
pub mod monitor;
pub mod senders;
pub mod task_router;

pub mod forms;
pub mod signature;

pub mod address;
pub mod words;

mod catalogue;
mod json;
mod platform;

pub use address::Address;
pub use applications::{AccountState, Application, NewApplication};
pub use call_events::CallEvent;
pub use calls::{Call, CallFilter, HangUp, MachineDetection, NewCall};
pub use client::{Account, Client, Endpoints, chain};
pub use content::{Approval, Content, NewContent};
pub use messages::{Message, NewMessage};
pub use monitor::Alert;
pub use outcome::{Created, Error, Refusal, UnknownCause};
pub use platform::TwilioPlatform;
pub use senders::Sender;
pub use task_router::{QueueSource, QueueStatistics};

pub use crate::transport::{
    self, Basic, Body, HttpOptions, HttpTransport, Request, Response, Transport, TransportError, http,
};

#[cfg(test)]
mod tests;
