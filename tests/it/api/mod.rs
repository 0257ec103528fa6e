//! The customers' doors, asked through the router: wire shapes by snapshot, and every refusal.

#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

mod bulk;
mod changes;
mod desk;
mod doubt;
mod explaining;
mod listing;
mod orders;
mod permissions;
mod server;
mod shelf;
mod surface;
