//! What a lookup of a lost call found at the platform: the calls that may be it, and how they differ from what was requested.

use jiff::{SignedDuration, Timestamp};

use super::Attempt;
use crate::domain::{CallProgress, Stage};

/// The last lookup of a lost call that settled nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    pub at: Timestamp,
    /// At most [`Look::CANDIDATES_MAX`] calls; none if the platform has none that may be it.
    pub candidates: Vec<Candidate>,
}

/// A call at the platform that may be the lost one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub sid: String,
    pub progress: CallProgress,
    /// When the platform created it.
    pub created_at: Option<Timestamp>,
    pub duration_s: Option<u32>,
    /// Whether it is between the two ends that were requested.
    pub same_ends: bool,
}

impl Look {
    pub const CANDIDATES_MAX: usize = 10;
}

impl Attempt {
    /// How long one hold lasts.
    pub const HOLD: SignedDuration = SignedDuration::from_hours(24);

    /// Whether a person may hold it: its fate is unknown.
    #[must_use]
    pub fn can_be_held(&self) -> bool {
        self.is_live() && self.submission.stage == Stage::Unknown
    }

    /// Whether a person holds it at `now`.
    #[must_use]
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.held_until.is_some_and(|until| now < until)
    }
}
