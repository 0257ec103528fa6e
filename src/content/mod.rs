//! Content as files: what a declaration may say, what it becomes at the platform, and what has to be done for that.
//!
//! A declaration is one TOML file. Its version is a hash of all that consumers and the platform see of it, so a changed
//! declaration is new content under a new name. Content is never edited in place, and a name is never used twice.
//! This module sends nothing itself: [`Catalogue`] is the port to the content of one account.
//!
//! Reading order: [`declaration`] has the types; [`published`] the rules with their sources; [`read`] and [`check`]
//! find the faults of a file; [`texts`] has its texts and URLs; [`online`] judges what the URLs answered; [`folder`] reads all files; [`canonical`] makes names and the hash; [`held`] is what the
//! platform shows; [`plan`] compares the two; [`apply`] carries a plan out; [`unused`] finds what may be deleted;
//! [`role`] finds the content that a sender names, and [`version`] the template that a number sends; [`road`] says what
//! content a road can send; [`template`] makes the
//! components of WhatsApp's own templates.
// Values from outside come in here: no sum of them may overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod declaration;
pub mod published;

pub mod fault;

pub mod check;
pub mod folder;
pub mod online;
pub mod placeholder;
pub mod read;
pub mod texts;

pub mod canonical;

pub mod held;

pub mod apply;
pub mod plan;
pub mod road;
pub mod role;
pub mod template;
pub mod unused;
pub mod version;

mod catalogue;

pub use catalogue::{Catalogue, Failure};
pub use declaration::{
    Action, ActionKind, Approval, Category, Declaration, Element, Kind, Provider, is_name,
};
pub use fault::{Fault, FileFaults, Severity};
pub use folder::{Folder, LoadError};
pub use held::{Held, Review, Status};
pub use plan::{Item, Plan, Step};
pub use published::Rule;

#[cfg(test)]
mod tests;
