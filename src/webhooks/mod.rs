//! Customer webhooks: what is told (`webhook_events`), how it is signed (`sign`), what an answer means (`verdict`),
//! where it may go (`guard`), and the two that do it: `wire` sends one delivery, `dispatcher` all of them in time.
//!
//! A delivery is a row of the outbox, written in the transaction of the change that it tells of; so it is
//! delivered at least once, in order for each callback. The form is that of Standard Webhooks
//! (standardwebhooks.com, read November 2026). Absent on purpose: decisions about callbacks.

pub mod guard;
pub mod retry_policy;
pub mod sign;

mod dispatcher;
mod endpoint;
mod events;
mod http_sender;

pub use dispatcher::Dispatcher;
pub use endpoint::{Endpoint, Standing};
pub use events::{Topic, WebhookEvents};
pub use http_sender::{EndpointConfig, HttpSender};
