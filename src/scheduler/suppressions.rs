//! Folds changes of suppression lists. Entries are in force before: they are read with their people, and the ground of
//! whatever leaves is read again. Here the orders are closed that wait, and the entries are counted.

use std::sync::Arc;

use jiff::Timestamp;

use super::state::Scheduler;
use super::turn::Turn;
use crate::domain::ListTerm;
use crate::domain::event::{SuppressionAdded, SuppressionRemoved};
use crate::store::{self, ListChange, list_terms};

/// Entries were added. What waits for these people is decided in this turn.
pub(super) fn added(turn: &mut Turn<'_>, added: &SuppressionAdded) {
    turn.stirred.extend(&added.consumers);
    if added.entries > 0 {
        turn.work.suppressions.push(ListChange::Added { list: added.list_id, entries: added.entries });
    }
    tracing::info!(
        list = %added.list, entries = added.entries, token = added.by,
        "people were added to a suppression list"
    );
}

/// Entries end. Orders that they have closed stay closed.
pub(super) fn removed(turn: &mut Turn<'_>, removed: &SuppressionRemoved) {
    let SuppressionRemoved { list, hashes, why, by } = removed;
    turn.work.suppressions.push(ListChange::Removed { list: list.clone(), hashes: hashes.clone() });
    tracing::warn!(list = %list, token = by, why, "an operator removed a person from a suppression list");
}

/// A version of a list is whole, and replaces the older ones.
pub(super) fn complete(turn: &mut Turn<'_>, at: Timestamp, list: i64, by: &str) {
    turn.work.suppressions.push(ListChange::Complete { list, at });
    turn.completes_list = true;
    tracing::info!(list, token = by, "a version of a suppression list is complete");
}

impl Scheduler {
    /// Reads the terms of imported lists, if calls stop when one is over. If they have changed since, everything that waits
    /// is decided again, and messages that wait for a list are looked at again.
    pub(super) async fn read_list_terms(&mut self) -> store::Result<()> {
        if !self.deps.rules.stop_when_list_expired {
            return Ok(());
        }
        let terms: Arc<[ListTerm]> = list_terms(self.deps.store.suppression_lists().await?).into();
        if terms != self.loads.list_terms {
            self.loads.list_terms = terms;
            self.new_rules.after = Some(0);
            let waiting = std::mem::take(&mut self.waiting_for_list);
            self.give_back(waiting);
        }
        self.list_was_completed = false;
        Ok(())
    }
}
