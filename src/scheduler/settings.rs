//! Settings of the scheduler: times, and the maximum input of a turn.

use std::sync::Arc;

use jiff::SignedDuration;
use jiff::tz::TimeZone;

use crate::domain::RecordingRules;
use crate::domain::attempt::{Timeouts, UnresolvedAfter};
use crate::policy::MissedCallRule;

/// Settings of the scheduler.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a consumer's phone rings, in seconds; at most 600.
    pub ring_timeout_s: u16,
    /// How long a call may last, in seconds.
    pub time_limit_s: u32,
    /// The maximum of callbacks, and of reports, in one turn.
    pub turn_max: usize,
    pub timeouts: Timeouts,
    /// How long after a call with an agent its wrap-up is missing; `None` never.
    pub wrap_up_after: Option<SignedDuration>,
    /// What a consumer's call makes that nobody answered; `None` for nothing.
    pub missed_calls: Option<Arc<MissedCallRule>>,
    /// Where the days of reports begin and end, for orders without hours.
    pub reports_zone: TimeZone,
    pub recordings: RecordingRules,
}

impl Settings {
    /// How long a call must be without a report before an operator may resolve it.
    #[must_use]
    pub fn unresolved_after(&self) -> UnresolvedAfter {
        let ring = SignedDuration::from_secs(self.ring_timeout_s.into());
        let talk = SignedDuration::from_secs(self.time_limit_s.into());
        self.timeouts.unresolved_after(ring, talk)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ring_timeout_s: 45,
            time_limit_s: 3600,
            turn_max: 512,
            timeouts: Timeouts::DEFAULT,
            wrap_up_after: None,
            missed_calls: None,
            reports_zone: TimeZone::UTC,
            recordings: RecordingRules::default(),
        }
    }
}
