//! This process as one of several nodes on a store: its name, its record, and the lease by which it dials.
//!
//! Only the node that has the lease decides and sends; every node serves the API, the hooks and the documents. Rules are
//! in `policy::lease`, statements in the store. A daemon that is alone on a store in a file needs no lease: the lock of the
//! file proves it.
//!
//! Reading order: [`Presence`], [`LeaseRenewal`].

mod presence;
mod renewal;

pub use presence::{Presence, Role, host_name};
pub use renewal::{LeaseRenewal, NameTaken, record_alone};
