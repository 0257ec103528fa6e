//! Meta's Graph API in the world: WhatsApp's Cloud API with its apps, business accounts, phone numbers, templates and
//! webhooks.
//!
//! It has the same consumers, pairs and oracle as Twilio's side, and a number can be at both. It shares no code with the
//! adapters of the daemon, except the signature of webhooks.
//!
//! Reading order: `setup` is what there is at the start, and `state` what becomes of it. `routes` answers requests:
//! `said` reads the body of a message, `posts` sends it, `templates` keeps templates, `reads` shows the rest. `callers`
//! are consumers who tap a button or open a link, and `hooks` tells the daemon.

mod callers;
mod clients;
mod components;
mod fault;
mod hooks;
mod posts;
mod reads;
mod record;
mod refusals;
mod restrictions;
mod routes;
mod said;
mod setup;
mod state;
mod subscriptions;
mod templates;

#[cfg(test)]
mod tests;

pub(super) use self::callers::Tap;
pub(super) use self::hooks::Fact;
pub(super) use self::routes::is_graph;
pub(super) use self::state::{AppId, Graph, GraphAction, GraphCallId, PostId};

pub use self::clients::Client;
pub use self::restrictions::Restriction;
pub use self::said::calling_link;
pub use self::setup::{AppSetup, BusinessAccountSetup, GraphSetup, NumberSetup, TemplateSetup};
