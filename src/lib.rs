//! Ringmaster calls people back on WhatsApp.
//!
//! The rooms, in reading order. Which room may name which is kept true by `tests/it/house.rs`.

pub mod address;
pub mod clock;
pub mod domain;
pub mod nudge;
pub mod policy;
pub mod store;
pub mod twilio;
