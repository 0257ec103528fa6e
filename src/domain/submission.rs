//! The protocol for everything irreversible that the daemon sends: calls, permission requests and invites.
//!
//! Create requests have no idempotency key. So a request that may have been received is never repeated; it
//! stays in [`Stage::Unknown`] until a report, a lookup or an operator resolves it.

use super::ErrorCode;
use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

/// The stage of a submission. Each change is committed before the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Stage {
    /// Limits are reserved. No byte was sent.
    Intent,
    /// Bytes may be sent from now on.
    Submitting,
    /// The platform has accepted it and given it a SID.
    Accepted,
    /// The platform certainly refused it, or it failed before any byte was sent. It does not exist.
    Rejected,
    /// The platform answered "too many requests". It does not exist.
    Throttled,
    /// It may exist: a timeout, a reset, a server error, or a crash while submitting.
    Unknown,
    /// It does not exist: no byte was sent, or a lookup did not find it.
    NotPlaced,
    /// Taken back before any byte left: its ground had gone, or its time to leave was over.
    Withdrawn,
}

impl Stage {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// Whether the call or message exists or may exist, so that its slot stays taken.
    #[must_use]
    pub const fn may_exist(self) -> bool {
        matches!(self, Self::Intent | Self::Submitting | Self::Accepted | Self::Unknown)
    }

    /// Whether it certainly did not reach the platform, or the platform has refused it.
    #[must_use]
    pub const fn never_left(self) -> bool {
        matches!(self, Self::Rejected | Self::Throttled | Self::NotPlaced | Self::Withdrawn)
    }

    /// Whether the transition is allowed. A signed report overrides an earlier "does not exist".
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Intent, Self::Submitting | Self::Withdrawn)
                | (
                    Self::Submitting,
                    Self::Accepted
                        | Self::Rejected
                        | Self::Throttled
                        | Self::Unknown
                        | Self::NotPlaced
                        | Self::Withdrawn
                )
                | (Self::Unknown, Self::Accepted | Self::NotPlaced)
                | (Self::Rejected | Self::Throttled | Self::NotPlaced | Self::Withdrawn, Self::Accepted)
        )
    }
}

/// The stage of a submission, with its times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    pub stage: Stage,
    pub intended_at: Timestamp,
    pub submitted_at: Option<Timestamp>,
    /// When the answer, or the lack of one, was recorded.
    pub answered_at: Option<Timestamp>,
    /// CallSid or MessageSid.
    pub sid: Option<String>,
    /// The platform's error code, if it was refused or failed with one.
    pub error_code: Option<ErrorCode>,
}

/// The answer to a create request, or what the lack of one means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Accepted {
        sid: String,
    },
    Rejected {
        error_code: Option<ErrorCode>,
    },
    Throttled,
    /// No byte left: the platform could not be reached.
    NotSent,
    /// No byte left: the request had waited for too long, or its ground had gone.
    TooLate,
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

    /// Marks an intent as submitting: bytes may be sent from now on. Refused in any other stage.
    pub fn submit(&mut self, now: Timestamp) -> bool {
        self.advance(Stage::Submitting, |s| s.submitted_at = Some(now))
    }

    /// Withdraws an intent that is not allowed any more.
    pub fn withdraw(&mut self) -> bool {
        self.stage == Stage::Intent && self.advance(Stage::Withdrawn, |_| {})
    }

    /// Records the platform's answer. A late answer does not change what a report has already settled.
    pub fn answer(&mut self, now: Timestamp, answer: &Answer) -> bool {
        let stage = match answer {
            Answer::Accepted { .. } => Stage::Accepted,
            Answer::Rejected { .. } => Stage::Rejected,
            Answer::Throttled => Stage::Throttled,
            Answer::NotSent => Stage::NotPlaced,
            // A leader that resigned says it after its successor has stopped waiting for it.
            Answer::TooLate if self.stage == Stage::Unknown => Stage::NotPlaced,
            Answer::TooLate => Stage::Withdrawn,
            Answer::Unknown => Stage::Unknown,
        };
        // Only a report may correct a settled stage.
        if !matches!(self.stage, Stage::Submitting | Stage::Unknown) {
            return false;
        }
        self.advance(stage, |s| {
            s.answered_at = Some(now);
            match answer {
                Answer::Accepted { sid } => s.sid = Some(sid.clone()),
                Answer::Rejected { error_code } => s.error_code = *error_code,
                Answer::Throttled | Answer::NotSent | Answer::TooLate | Answer::Unknown => {}
            }
        })
    }

    /// A signed report has the SID of the call or message, so it exists, whatever the answer was.
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

    /// An operator says that it exists. Without a SID, a later report may still add it.
    pub fn vouch(&mut self, now: Timestamp, sid: Option<&str>) -> bool {
        match sid {
            Some(sid) => self.prove(now, sid),
            None => self.advance(Stage::Accepted, |s| _ = s.answered_at.get_or_insert(now)),
        }
    }

    /// A lookup showed that it does not exist.
    pub fn disprove(&mut self, now: Timestamp) -> bool {
        self.advance(Stage::NotPlaced, |s| s.answered_at = Some(now))
    }

    /// A restart found it submitting, so it is unknown whether bytes were sent.
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Stage; 8] = [
        Stage::Intent,
        Stage::Submitting,
        Stage::Accepted,
        Stage::Rejected,
        Stage::Throttled,
        Stage::Unknown,
        Stage::NotPlaced,
        Stage::Withdrawn,
    ];

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn in_stage(stage: Stage) -> Submission {
        Submission { stage, ..Submission::intent(at(0)) }
    }

    /// The stages from which a transition leads to `next`. From all others it is refused and changes nothing.
    fn possible_from(next: Stage, transition: impl Fn(&mut Submission) -> bool) -> Vec<Stage> {
        let possible = |&stage: &Stage| {
            let before = in_stage(stage);
            let mut after = before.clone();
            let done = transition(&mut after);
            assert_eq!(done, after != before, "{stage:?}");
            assert_eq!(after.stage, if done { next } else { stage });
            done
        };
        ALL.into_iter().filter(possible).collect()
    }

    #[test]
    fn only_an_intent_is_submitted_or_withdrawn() {
        assert_eq!(possible_from(Stage::Submitting, |s| s.submit(at(1))), [Stage::Intent]);
        assert_eq!(possible_from(Stage::Withdrawn, Submission::withdraw), [Stage::Intent]);
    }

    #[test]
    fn only_what_is_submitting_is_recovered() {
        assert_eq!(possible_from(Stage::Unknown, |s| s.recover(at(1))), [Stage::Submitting]);
    }

    #[test]
    fn a_report_proves_all_but_what_was_never_submitted() {
        assert_eq!(
            possible_from(Stage::Accepted, |s| s.prove(at(1), "CA1")),
            // One that an operator vouched for has no SID yet.
            [
                Stage::Submitting,
                Stage::Accepted,
                Stage::Rejected,
                Stage::Throttled,
                Stage::Unknown,
                Stage::NotPlaced,
                Stage::Withdrawn
            ]
        );
    }

    #[test]
    fn who_looked_may_vouch_for_all_but_what_was_never_submitted_or_is_known_to_exist() {
        assert_eq!(
            possible_from(Stage::Accepted, |s| s.vouch(at(1), None)),
            [
                Stage::Submitting,
                Stage::Rejected,
                Stage::Throttled,
                Stage::Unknown,
                Stage::NotPlaced,
                Stage::Withdrawn
            ]
        );
    }

    #[test]
    fn what_was_accepted_without_a_name_takes_the_first_one_that_is_told() {
        let mut submission = in_stage(Stage::Submitting);
        assert!(submission.vouch(at(1), None));
        assert_eq!((submission.sid.as_deref(), submission.answered_at), (None, Some(at(1))));
        assert!(submission.prove(at(2), "CA1"));
        assert!(!submission.prove(at(3), "CA2"));
        assert_eq!((submission.sid.as_deref(), submission.answered_at), (Some("CA1"), Some(at(1))));
        let mut found = in_stage(Stage::Unknown);
        assert!(found.vouch(at(1), Some("CA1")));
        assert_eq!(found.sid.as_deref(), Some("CA1"));
    }

    #[test]
    fn an_intent_is_not_named() {
        let mut intent = in_stage(Stage::Intent);
        assert!(!intent.prove(at(1), "CA1"));
        assert_eq!(intent, in_stage(Stage::Intent));
    }

    #[test]
    fn only_what_may_exist_and_is_not_known_to_is_disproved() {
        assert_eq!(
            possible_from(Stage::NotPlaced, |s| s.disprove(at(1))),
            [Stage::Submitting, Stage::Unknown]
        );
    }

    #[test]
    fn an_answer_settles_what_is_submitting_or_unknown() {
        let accepted = Answer::Accepted { sid: "CA1".into() };
        let rejected = Answer::Rejected { error_code: Some(ErrorCode::of_twilio(37000)) };
        let from = |next, answer: &Answer| possible_from(next, |s| s.answer(at(1), answer));
        assert_eq!(from(Stage::Accepted, &accepted), [Stage::Submitting, Stage::Unknown]);
        assert_eq!(from(Stage::NotPlaced, &Answer::NotSent), [Stage::Submitting, Stage::Unknown]);
        assert_eq!(from(Stage::Rejected, &rejected), [Stage::Submitting]);
        assert_eq!(from(Stage::Throttled, &Answer::Throttled), [Stage::Submitting]);
        assert_eq!(from(Stage::Unknown, &Answer::Unknown), [Stage::Submitting]);
        for (stage, next) in [(Stage::Submitting, Stage::Withdrawn), (Stage::Unknown, Stage::NotPlaced)] {
            let mut late = in_stage(stage);
            assert!(late.answer(at(1), &Answer::TooLate));
            assert_eq!(late.stage, next);
        }
        let mut submission = in_stage(Stage::Submitting);
        submission.answer(at(1), &rejected);
        assert_eq!(
            (submission.error_code, submission.answered_at),
            (Some(ErrorCode::of_twilio(37000)), Some(at(1)))
        );
    }

    #[test]
    fn a_report_does_not_move_the_moment_of_the_answer() {
        let mut submission = in_stage(Stage::Submitting);
        submission.answer(at(1), &Answer::Unknown);
        submission.prove(at(9), "CA1");
        assert_eq!((submission.answered_at, submission.sid.as_deref()), (Some(at(1)), Some("CA1")));
    }
}
