//! The simulated world: a virtual Twilio, a virtual WhatsApp and the consumers on it.
//!
//! `world` is pure and runs under virtual time from a seed. `in_process` connects it to Twilio's client, and
//! `server` puts the same world behind Twilio's HTTP API. An oracle in the world checks every call against
//! the platform's rules, with records of its own. `local` is another, smaller platform.

mod consumer_levers;
mod desk_levers;
mod in_process;
pub mod local;
mod page_levers;
pub mod server;
pub mod world;

#[cfg(test)]
mod tests;

pub use in_process::InProcess;
pub use local::LocalPlatform;
pub use server::{Sandbox, serve};
pub use world::World;
