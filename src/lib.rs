//! Ringmaster calls people back on WhatsApp.
//!
//! The rooms, in reading order. Which room may name which is kept true by `tests/it/house.rs`.

pub mod domain;
pub mod policy;
pub mod store;
pub mod twilio;
pub mod twiml;

pub mod http;
pub mod scheduler;

pub mod sim;

pub mod cli;
pub mod daemon;
pub mod delivery;
pub mod rehearsal;

pub mod address;
pub mod clock;
pub mod config;
pub mod failpoint;
pub mod mint;
pub mod nudge;
pub mod telemetry;
