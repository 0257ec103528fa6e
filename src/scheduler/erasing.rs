//! The erasures that are not done, as the scheduler remembers them, and what a turn does for them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::clock::later;
use crate::domain::{CallbackId, Erasure, ErasureId, ErasureState, Name, Phone};
use crate::store::{ErasureStep, KeyPlace};

/// When the log is emptied after reports about erased people, which are in it as they came.
const CLEAN_AFTER_REPORT: SignedDuration = SignedDuration::from_mins(1);

/// The erasures that are not done.
#[derive(Debug, Default)]
pub(super) struct Erasing {
    pub(super) open: Vec<Erasure>,
    /// They changed since they were read.
    pub(super) is_stale: bool,
    /// Somebody was erased, now or before.
    pub(super) has_erased: bool,
    /// How far the idempotency keys are searched. After a restart from the beginning.
    pub(super) keys_after: BTreeMap<ErasureId, KeyPlace>,
    /// When to empty the log.
    pub(super) clean_at: Option<Timestamp>,
    /// Calls and messages that a platform is being asked to delete, with the tries before.
    pub(super) asked: BTreeMap<String, u32>,
    /// When the next one is due.
    pub(super) delete_at: Option<Timestamp>,
}

impl Erasing {
    pub(super) const fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// When the next step is due, if no event brings it.
    pub(super) fn alarm(&self) -> Option<Timestamp> {
        [self.clean_at, self.delete_at].into_iter().flatten().min()
    }

    /// A request to delete was not sent.
    pub(super) fn unsent(&mut self, sid: &str) {
        self.asked.remove(sid);
    }

    /// Whether the orders to this number are being closed for an erasure.
    pub(super) fn is_closing(&self, number: Phone) -> bool {
        let name = Name::Number(number);
        let mut closing = self.open.iter().filter(|erasure| erasure.state == ErasureState::Closing);
        closing.any(|erasure| erasure.names.contains(&name))
    }

    /// The steps were committed, and so many reports were dropped.
    pub(super) fn committed(&mut self, now: Timestamp, steps: &[ErasureStep], dropped: usize) {
        if dropped > 0 && self.clean_at.is_none() {
            self.clean_at = Some(later(now, CLEAN_AFTER_REPORT));
        }
        for step in steps {
            self.is_stale = true;
            match step {
                ErasureStep::Clean { id, .. } => {
                    tracing::info!(erasure = %id, "the data of a person is erased here");
                }
                ErasureStep::Held { sid, .. } => _ = self.asked.remove(sid),
                ErasureStep::Rows { .. } | ErasureStep::Traces { .. } => {}
            }
            if let ErasureStep::Traces { id, found } = step {
                // Behind the last key, until the reports are searched too.
                let end = || (char::MAX.to_string(), String::new());
                self.keys_after.insert(*id, found.keys_after.clone().unwrap_or_else(end));
                if found.is_end {
                    self.keys_after.remove(id);
                }
            }
        }
    }
}

/// What a turn does for erasures.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// Orders to close, with the token that asked for the erasure.
    pub(super) closing: Vec<(CallbackId, String)>,
    pub(super) steps: Vec<ErasureStep>,
    /// Names in the reports of this turn whose people are erased.
    pub(super) erased: BTreeSet<Name>,
    /// The reports about them.
    pub(super) dropped: Vec<i64>,
}
