//! `/v1/permissions` as lists: `list` shows the permissions of senders by their state, `callable` exports who may be called.
//!
//! No number is in a URL, so a page of the list is named by how many ledgers were looked at before it.

pub(super) mod callable;
pub(super) mod list;

use jiff::Timestamp;

use crate::domain::{CallPermission, Pair, is_pseudonym};

/// When the permission, or the request for it, ends.
pub(super) const fn end(permission: CallPermission) -> Option<Timestamp> {
    match permission {
        CallPermission::Requested { expires_at: at }
        | CallPermission::Declined { until: at }
        | CallPermission::Temporary { expires_at: at }
        | CallPermission::Uncallable { until: at } => Some(at),
        _ => None,
    }
}

/// Whether the ledger is of a person whose data is erased.
fn is_erased(pair: &Pair) -> bool {
    is_pseudonym(pair.key.person.number())
}
