//! Unresolved attempts, and how an operator resolves them. A resolution never contradicts what a report has
//! settled.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use strum::ParseError;

use super::{Attempt, ConnectionEnd, LegOrder, Proof, earliest, later};
use crate::domain::{CallProgress, Disposition, Stage};

/// The result of an attempt, according to an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttemptResolution {
    /// The platform has no such call.
    NotPlaced,
    /// The call was placed, and this is how it ended for the consumer.
    Ended(Disposition),
    /// The consumer answered and was not served.
    Abandoned,
}

impl AttemptResolution {
    pub const ALL: [Self; 7] = [
        Self::NotPlaced,
        Self::Ended(Disposition::Completed),
        Self::Abandoned,
        Self::Ended(Disposition::NoAnswer),
        Self::Ended(Disposition::Busy),
        Self::Ended(Disposition::Canceled),
        Self::Ended(Disposition::Failed),
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotPlaced => "not_placed",
            Self::Ended(disposition) => disposition.as_str(),
            Self::Abandoned => "abandoned",
        }
    }
}

impl From<AttemptResolution> for &'static str {
    fn from(resolution: AttemptResolution) -> Self {
        resolution.as_str()
    }
}

impl FromStr for AttemptResolution {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "not_placed" => Ok(Self::NotPlaced),
            "abandoned" => Ok(Self::Abandoned),
            ended => ended.parse().map(Self::Ended),
        }
    }
}

/// How long a call may be without a report before it is looked up at the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// After a submission whose outcome is unknown.
    pub unknown: SignedDuration,
    /// After the ring timeout, for an accepted call that was not answered.
    pub ringing: SignedDuration,
    /// For a call in progress.
    pub in_progress: SignedDuration,
    /// An unknown call that lookups have not found for this long does not exist.
    pub horizon: SignedDuration,
}

impl Timeouts {
    pub const DEFAULT: Self = Self {
        unknown: SignedDuration::from_secs(10),
        ringing: SignedDuration::from_secs(30),
        in_progress: SignedDuration::from_mins(2),
        horizon: SignedDuration::from_mins(15),
    };

    /// When an operator may resolve a call without reports, given the longest ringing and talking times.
    #[must_use]
    pub fn unresolved_after(&self, ring: SignedDuration, talk: SignedDuration) -> UnresolvedAfter {
        UnresolvedAfter { ringing: ring + self.horizon, in_progress: ring + talk + self.horizon }
    }
}

/// How long after its last report an accepted call becomes unresolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnresolvedAfter {
    /// Longer than a call can ring.
    pub ringing: SignedDuration,
    /// Longer than a call can last.
    pub in_progress: SignedDuration,
}

impl Attempt {
    /// Whether a person may have it ended: the platform has the call, and it is not over.
    #[must_use]
    pub fn can_be_ended(&self) -> bool {
        self.is_live() && self.submission.stage == Stage::Accepted && self.submission.sid.is_some()
    }

    /// Whether the platform can be asked about it: bytes were sent, and it is not known to be over.
    #[must_use]
    pub fn can_be_asked_about(&self) -> bool {
        self.is_live() && matches!(self.submission.stage, Stage::Accepted | Stage::Unknown)
    }

    /// Whether it is not only ringing: a person answered it, or its first leg.
    #[must_use]
    pub fn is_answered(&self) -> bool {
        self.connected_at.is_some() || self.first_leg == CallProgress::InProgress
    }
}

/// Why an operator's resolution of an attempt is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResolutionRefused {
    /// The attempt is resolved, or a report is expected soon.
    NotInDoubt,
    /// The platform has given the call a SID, so it was placed.
    WasPlaced,
    /// A report says that it ended differently for the consumer.
    EndedAs(AttemptResolution),
}

/// What reports say about the end of a call that is not known to be over.
enum KnownEnd {
    /// The consumer answered; `served` if that is known too.
    Answered {
        served: Option<bool>,
    },
    Other(Disposition),
}

impl KnownEnd {
    fn admits(&self, fate: AttemptResolution) -> bool {
        match (self, fate) {
            (Self::Answered { served }, AttemptResolution::Ended(Disposition::Completed)) => {
                *served != Some(false)
            }
            (Self::Answered { served }, AttemptResolution::Abandoned) => *served != Some(true),
            (Self::Other(end), AttemptResolution::Ended(said)) => *end == said,
            _ => false,
        }
    }

    const fn told(&self) -> AttemptResolution {
        match self {
            Self::Answered { served: Some(false) } => AttemptResolution::Abandoned,
            Self::Answered { .. } => AttemptResolution::Ended(Disposition::Completed),
            Self::Other(end) => AttemptResolution::Ended(*end),
        }
    }
}

impl Attempt {
    /// Whether it is unclear what became of the attempt: its submission is unknown, or it was accepted and
    /// has been without a report for longer than a call can last.
    #[must_use]
    pub fn is_unresolved(&self, now: Timestamp, after: &UnresolvedAfter) -> bool {
        let silence = match self.first_leg {
            CallProgress::InProgress => after.in_progress,
            _ => after.ringing,
        };
        match self.submission.stage {
            Stage::Unknown => true,
            Stage::Accepted => self.is_live() && now.duration_since(self.last_sign()) >= silence,
            _ => false,
        }
    }

    /// The time of the last report or answer about it.
    fn last_sign(&self) -> Timestamp {
        let submission = &self.submission;
        let signs = [submission.submitted_at, submission.answered_at, self.rang_at, self.connected_at];
        signs.into_iter().flatten().max().unwrap_or(submission.intended_at)
    }

    /// Whether it counts as abandoned only because no report says what the consumer heard: the report may be lost.
    fn is_abandoned_for_want_of_a_report(&self) -> bool {
        self.is_abandoned() && self.known_service().is_none()
    }

    /// Checks whether an operator may give this resolution. An attempt that is over, and abandoned for want of a report,
    /// may turn out to be completed.
    ///
    /// # Errors
    /// Why the resolution is refused.
    pub fn may_be_resolved(
        &self,
        now: Timestamp,
        fate: AttemptResolution,
        after: &UnresolvedAfter,
    ) -> Result<(), ResolutionRefused> {
        if fate == AttemptResolution::Ended(Disposition::Completed)
            && self.is_abandoned_for_want_of_a_report()
        {
            return Ok(());
        }
        if !self.is_unresolved(now, after) {
            return Err(ResolutionRefused::NotInDoubt);
        }
        if fate == AttemptResolution::NotPlaced {
            return match self.submission.stage {
                Stage::Unknown => Ok(()),
                _ => Err(ResolutionRefused::WasPlaced),
            };
        }
        match self.known_end() {
            Some(known) if !known.admits(fate) => Err(ResolutionRefused::EndedAs(known.told())),
            _ => Ok(()),
        }
    }

    /// How the call ended for the consumer, if that was reported although the end of the call was not.
    fn known_end(&self) -> Option<KnownEnd> {
        match (self.connected_at, self.consumer_leg()) {
            (Some(_), _) => Some(KnownEnd::Answered { served: self.known_service() }),
            (None, Some(CallProgress::Ended(Disposition::Completed))) => {
                Some(KnownEnd::Answered { served: self.known_service() })
            }
            (None, Some(CallProgress::Ended(end))) => Some(KnownEnd::Other(end)),
            _ => None,
        }
    }

    /// Whether the attempt already has this resolution.
    #[must_use]
    pub fn is_known_as(&self, fate: AttemptResolution) -> bool {
        match fate {
            AttemptResolution::NotPlaced => self.submission.stage == Stage::NotPlaced,
            AttemptResolution::Abandoned => self.is_abandoned(),
            AttemptResolution::Ended(end) => {
                self.submission.stage == Stage::Accepted
                    && self.disposition() == Some(end)
                    && !self.is_abandoned()
            }
        }
    }

    /// Applies an operator's resolution; `sid` is the call's SID, if the operator found it.
    pub fn resolve(&mut self, at: Timestamp, fate: AttemptResolution, sid: Option<&str>) {
        let end = match fate {
            AttemptResolution::NotPlaced => {
                self.submission.disprove(at);
                return;
            }
            AttemptResolution::Ended(end) => end,
            AttemptResolution::Abandoned => Disposition::Completed,
        };
        self.submission.vouch(at, sid);
        let progress = CallProgress::Ended(end);
        match self.order {
            LegOrder::ConsumerFirst => self.first_leg = later(self.first_leg, progress),
            LegOrder::AgentFirst => {
                self.first_leg = later(self.first_leg, CallProgress::Ended(Disposition::Completed));
                self.second_leg = Some(self.second_leg.map_or(progress, |leg| later(leg, progress)));
            }
        }
        if end == Disposition::Completed {
            // An operator who says that the consumer was reached says that somebody was there.
            self.connection.get_or_insert(match (fate, self.proof) {
                (AttemptResolution::Abandoned, _) => ConnectionEnd::Nobody,
                (_, Proof::Playback) => ConnectionEnd::Played,
                _ => ConnectionEnd::Bridged,
            });
        }
        self.note_consumer(at, progress);
        earliest(&mut self.ended_at, at);
    }
}
