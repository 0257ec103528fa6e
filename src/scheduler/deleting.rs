//! The recordings that platforms are being asked to delete, as the scheduler remembers them.

use std::collections::BTreeSet;

use jiff::Timestamp;

/// How many recordings platforms are asked to delete at once.
const ASKED_MAX: usize = 10;

/// What platforms are being asked to delete, and when the next recording is due.
#[derive(Debug)]
pub(super) struct Deleting {
    pub(super) asked: BTreeSet<String>,
    /// When to read which are due: at once after a start.
    pub(super) due_at: Option<Timestamp>,
}

impl Default for Deleting {
    fn default() -> Self {
        Self { asked: BTreeSet::new(), due_at: Some(Timestamp::MIN) }
    }
}

impl Deleting {
    /// When the next one is due, if there is room for it. Without room, the next answer wakes the scheduler.
    pub(super) fn alarm(&self) -> Option<Timestamp> {
        self.due_at.filter(|_| self.room() > 0)
    }

    /// A request to delete was not sent.
    pub(super) fn unsent(&mut self, sid: &str) {
        self.asked.remove(sid);
    }

    pub(super) fn room(&self) -> usize {
        ASKED_MAX.saturating_sub(self.asked.len())
    }

    /// One is due then.
    pub(super) fn wake_by(&mut self, at: Option<Timestamp>) {
        self.due_at = [self.due_at, at].into_iter().flatten().min();
    }
}
