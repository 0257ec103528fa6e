//! How the scheduler goes about its work: times, and how much one turn takes.

use jiff::SignedDuration;

use crate::domain::attempt;

/// How the scheduler goes about its work.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a consumer's phone rings, in seconds; at most 600.
    pub ring_timeout_s: u16,
    /// How long a call may last, in seconds.
    pub time_limit_s: u32,
    /// How many callbacks, and how many reports, one turn takes at most.
    pub turn_max: usize,
    pub timeouts: Timeouts,
}

/// How long silence is normal, and after which the platform is asked.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// After a submission whose fate is unknown.
    pub unknown: SignedDuration,
    /// Beyond the ring timeout, for a call that was accepted and not answered.
    pub ringing: SignedDuration,
    /// For a call in progress.
    pub in_progress: SignedDuration,
    /// An unknown call that was not found for so long does not exist.
    pub horizon: SignedDuration,
}

impl Settings {
    /// For how long a call may be silent before an operator may speak for it.
    #[must_use]
    pub fn doubt(&self) -> attempt::UnresolvedAfter {
        let ring = SignedDuration::from_secs(self.ring_timeout_s.into());
        let talk = SignedDuration::from_secs(self.time_limit_s.into());
        attempt::UnresolvedAfter {
            ringing: ring + self.timeouts.horizon,
            in_progress: ring + talk + self.timeouts.horizon,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ring_timeout_s: 45,
            time_limit_s: 3600,
            turn_max: 512,
            timeouts: Timeouts {
                unknown: SignedDuration::from_secs(10),
                ringing: SignedDuration::from_secs(30),
                in_progress: SignedDuration::from_mins(2),
                horizon: SignedDuration::from_mins(15),
            },
        }
    }
}
