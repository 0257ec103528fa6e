//! The customers' API, tested through the router: snapshots of answers, and every refusal.

#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

mod access;
mod bulk;
mod calendars;
mod changes;
mod commands;
mod consent;
mod console;
mod console_attacks;
mod console_pages;
mod consumers;
mod events;
mod explaining;
mod failing_store;
mod forecast;
mod harness;
mod import_objects;
mod imports;
mod invites;
mod ledgers;
mod links;
mod listing;
mod missed_windows;
mod oidc;
mod orders;
mod pauses;
mod people;
mod permissions;
mod reports;
mod server;
mod set_aside;
mod shape;
mod suppression;
mod surface;
mod text;
mod unresolved;
mod zones;
