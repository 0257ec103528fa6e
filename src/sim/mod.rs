//! The simulated world: a virtual Twilio, a virtual WhatsApp and the consumers on it.
//!
//! One world, two faces: `world` is pure and runs under virtual time from a seed, and `in_process` hands it to
//! Twilio's client; `server` puts the same world behind Twilio's HTTP surface. An oracle in the world judges whoever calls, by its own books.

mod in_process;
pub mod server;
pub mod world;

#[cfg(test)]
mod tests;

pub use in_process::InProcess;
pub use server::{Sandbox, serve};
pub use world::World;
