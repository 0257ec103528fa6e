//! Customer webhooks: bodies (`events`, `news`), signatures (`sign`), retries (`retry_policy`), allowed addresses
//! (`guard`), one delivery (`http_sender`), and all deliveries in time (`dispatcher`). `http_reader` reads what a customer
//! offers at a URL, at the same addresses.
//!
//! A delivery is a row of the outbox, written in the transaction of its change. So it is delivered at least
//! once, in order for each subject: a callback, an invite, a campaign or a consumer. The format is Standard Webhooks (standardwebhooks.com, read November
//! 2026).
// Arithmetic with values from outside must not overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod guard;
pub mod retry_policy;
pub mod sign;

mod dispatcher;
mod endpoint;
mod events;
mod http_reader;
mod http_sender;
mod news;

pub use dispatcher::Dispatcher;
pub use endpoint::{Endpoint, Standing};
pub use events::{Topic, WebhookEvents};
pub use http_reader::{HttpReader, ReaderConfig};
pub use http_sender::{EndpointConfig, HttpSender};
pub use news::{ConsumerNews, ConsumerTopic};
