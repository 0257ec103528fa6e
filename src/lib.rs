//! Ringmaster calls people back on WhatsApp.
//!
//! The modules are in reading order. `tests/it/layout.rs` checks which module may import which.

pub mod content;
pub mod domain;
pub mod messenger;
pub mod meta;
pub mod onboarding;
pub mod platform;
pub mod policy;
pub mod pools;
pub mod store;
pub mod suppression;
pub mod transport;
pub mod twilio;
pub mod twiml;

pub mod console;
pub mod http;
pub mod scheduler;

pub mod sim;

pub mod cli;
pub mod daemon;
pub mod simulation;
pub mod webhooks;
pub mod zone_data;

pub mod clock;
pub mod config;
pub mod failpoint;
pub mod forecast;
pub mod hook_urls;
pub mod ids;
pub mod import;
pub mod log;
pub mod metrics;
pub mod panics;
pub mod qr;
pub mod reports;
pub mod text;
pub mod wake;
