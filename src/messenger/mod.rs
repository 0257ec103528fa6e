//! Messenger as a road for invites: a page sends messages with a call button, and places no calls.
//!
//! [`PagePlatform`] is the adapter of `Platform`; [`messages`] makes the bodies from declared content; [`webhook`]
//! reads what Messenger reports; [`page`] asks whether the page may use calls. Messages go through the Graph client of
//! `meta`. The call prompt template, Instagram and Twilio's channel for Messenger are not used.
// Values from outside come in here: no sum of them may overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod messages;

mod platform;

pub use platform::PagePlatform;

pub mod page;

pub mod webhook;

#[cfg(test)]
mod tests;
