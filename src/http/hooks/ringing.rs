//! The calls whose phones rang a short time ago, for the time in which the store cannot be read: a consumer who answers
//! then gets the document all the same.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Attempt, AttemptId, Callback};

/// Longer than a phone rings.
const LASTS: SignedDuration = SignedDuration::from_mins(2);
/// The most calls that are remembered; the oldest one is forgotten.
const CALLS_MAX: usize = 1_000;

/// The last calls of which this process has heard that they ring, oldest first.
#[derive(Default)]
pub struct Ringing(Mutex<VecDeque<Heard>>);

struct Heard {
    at: Timestamp,
    attempt: Attempt,
    callback: Callback,
}

impl Ringing {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Heard>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn hear(&self, at: Timestamp, (attempt, callback): (Attempt, Callback)) {
        let mut heard = self.lock();
        heard.retain(|it| it.attempt.id != attempt.id && at.duration_since(it.at) < LASTS);
        while heard.len() >= CALLS_MAX {
            heard.pop_front();
        }
        heard.push_back(Heard { at, attempt, callback });
    }

    /// The call as it was when its phone rang.
    pub(super) fn find(&self, now: Timestamp, id: AttemptId) -> Option<(Attempt, Callback)> {
        let heard = self.lock();
        let found = heard.iter().rev().find(|it| it.attempt.id == id)?;
        (now.duration_since(found.at) < LASTS).then(|| (found.attempt.clone(), found.callback.clone()))
    }
}
