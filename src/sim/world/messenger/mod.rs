//! Messenger in the world: pages that send messages to people, with call buttons in them, and people who call the page.
//!
//! People are the consumers of the world. A page knows a person by an id that only it has (the PSID). The module shares
//! no code with the daemon's adapter, except the signature of webhooks.
//!
//! Reading order: `setup` is what there is at the start, and `state` what becomes of it. `routes` answers requests:
//! `said` reads the body of a message, `notes` sends it, `reads` shows the rest. `people` do something, and `hooks` tells
//! the daemon.

mod fault;
mod hooks;
mod notes;
mod people;
mod reads;
mod record;
mod routes;
mod said;
mod setup;
mod state;

#[cfg(test)]
mod tests;

pub(super) use self::hooks::PageFact;
pub(super) use self::state::{Messenger, MessengerAction};

pub use self::setup::{CallShape, PageSetup};
