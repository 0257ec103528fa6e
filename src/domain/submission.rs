//! The protocol by which anything irreversible leaves the house: a call, a permission request, an invite.
//!
//! Twilio's create requests have no idempotency key, so a request that may have been received is never
//! repeated; it waits in [`Stage::Unknown`] until somebody knows.

use jiff::Timestamp;

/// How far a submission has come. Every change is committed before the next thing happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Limits are reserved; no byte can have left.
    Intent,
    /// Bytes may leave from now on.
    Submitting,
    /// The platform has it and named it.
    Accepted,
    /// The platform refused it for sure, or it failed before any byte left: it does not exist.
    Rejected,
    /// The platform said "too many requests": it does not exist.
    Throttled,
    /// It may exist: a timeout, a reset, a server error, or a crash while submitting.
    Unknown,
    /// It does not exist: no byte left, or asking showed it.
    NotPlaced,
    /// Taken back before any byte left.
    Withdrawn,
}

impl Stage {
    /// Whether a call or message of ours exists or may exist, so that its slot stays taken.
    #[must_use]
    pub const fn may_exist(self) -> bool {
        matches!(self, Self::Intent | Self::Submitting | Self::Accepted | Self::Unknown)
    }

    /// Whether `next` may follow. That it was held not to exist is corrected by a signed report that proves
    /// it: the platform's word stands above ours.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Intent, Self::Submitting | Self::Withdrawn)
                | (
                    Self::Submitting,
                    Self::Accepted | Self::Rejected | Self::Throttled | Self::Unknown | Self::NotPlaced
                )
                | (Self::Unknown, Self::Accepted | Self::NotPlaced)
                | (Self::Rejected | Self::Throttled | Self::NotPlaced, Self::Accepted)
        )
    }
}

/// The stage of a submission and the moments that matter for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    pub stage: Stage,
    pub intended_at: Timestamp,
    pub submitted_at: Option<Timestamp>,
    /// When the platform's answer, or its absence, was recorded.
    pub answered_at: Option<Timestamp>,
    /// The platform's name for it (CallSid or MessageSid).
    pub sid: Option<String>,
    /// The platform's error code, where it refused or failed with one.
    pub error_code: Option<u32>,
}

/// What became of a submission's request: the answer, or what its absence means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Accepted {
        sid: String,
    },
    Rejected {
        error_code: Option<u32>,
    },
    Throttled,
    /// No byte left: there is nothing to know.
    NotSent,
    Unknown,
}

impl Submission {
    #[must_use]
    pub const fn intent(now: Timestamp) -> Self {
        Self {
            stage: Stage::Intent,
            intended_at: now,
            submitted_at: None,
            answered_at: None,
            sid: None,
            error_code: None,
        }
    }

    /// From here on bytes may leave. Refused unless the submission is an intent.
    pub fn submit(&mut self, now: Timestamp) -> bool {
        self.advance(Stage::Submitting, |s| s.submitted_at = Some(now))
    }

    /// Takes back an intent whose ground has gone.
    pub fn withdraw(&mut self) -> bool {
        self.advance(Stage::Withdrawn, |_| {})
    }

    /// Records the platform's answer. A late answer changes nothing that a report has settled already.
    pub fn answer(&mut self, now: Timestamp, answer: &Answer) -> bool {
        let stage = match answer {
            Answer::Accepted { .. } => Stage::Accepted,
            Answer::Rejected { .. } => Stage::Rejected,
            Answer::Throttled => Stage::Throttled,
            Answer::NotSent => Stage::NotPlaced,
            Answer::Unknown => Stage::Unknown,
        };
        // Only a report may correct what has been settled.
        if !matches!(self.stage, Stage::Submitting | Stage::Unknown) {
            return false;
        }
        self.advance(stage, |s| {
            s.answered_at = Some(now);
            match answer {
                Answer::Accepted { sid } => s.sid = Some(sid.clone()),
                Answer::Rejected { error_code } => s.error_code = *error_code,
                Answer::Throttled | Answer::NotSent | Answer::Unknown => {}
            }
        })
    }

    /// A signed report names the call or message: it exists, whatever the answer said or will say.
    pub fn prove(&mut self, now: Timestamp, sid: &str) -> bool {
        let named = self.sid.is_none() && self.stage == Stage::Accepted;
        if named {
            self.sid = Some(sid.to_owned());
        }
        let proved = self.advance(Stage::Accepted, |s| {
            s.answered_at.get_or_insert(now);
            s.sid = Some(sid.to_owned());
        });
        proved || named
    }

    /// Somebody who looked says that it exists; perhaps without the platform's name for it, which a report may
    /// still tell.
    pub fn vouch(&mut self, now: Timestamp, sid: Option<&str>) -> bool {
        match sid {
            Some(sid) => self.prove(now, sid),
            None => self.advance(Stage::Accepted, |s| _ = s.answered_at.get_or_insert(now)),
        }
    }

    /// Asking showed that it does not exist.
    pub fn disprove(&mut self, now: Timestamp) -> bool {
        self.advance(Stage::NotPlaced, |s| s.answered_at = Some(now))
    }

    /// A restart found it submitting: whether bytes left, nobody knows.
    pub fn recover(&mut self, now: Timestamp) -> bool {
        self.stage == Stage::Submitting && self.answer(now, &Answer::Unknown)
    }

    fn advance(&mut self, next: Stage, record: impl FnOnce(&mut Self)) -> bool {
        let allowed = self.stage.may_become(next);
        if allowed {
            self.stage = next;
            record(self);
        }
        allowed
    }
}
