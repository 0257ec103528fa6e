//! Twilio: the port through which requests leave, the client for one account, and the reading of its webhooks.
//!
//! The only room that knows Twilio's words. It decides nothing: what a refusal means for a callback is
//! `policy`'s business, and whether an unknown outcome may ever be tried again is the scheduler's.
//!
//! Reading order: [`transport`] is the port and says what "not sent" promises; [`http`] keeps that promise
//! over sockets; [`client`] turns answers into outcomes, one file for each resource after it; [`forms`] and
//! [`signature`] are the way in.

pub mod transport;

pub mod http;

pub mod client;

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

pub use address::Address;
pub use calls::{Call, CallEvent, CallFilter, HangUp, MachineDetection, NewCall};
pub use client::{Account, Client, Created, Endpoints, Error, Refusal, UnknownCause};
pub use content::{Content, ContentKind, NewContent};
pub use http::{HttpOptions, HttpTransport};
pub use messages::{Message, NewMessage};
pub use monitor::Alert;
pub use senders::Sender;
pub use transport::{Basic, Body, Request, Response, Transport, TransportError};

#[cfg(test)]
mod tests;
