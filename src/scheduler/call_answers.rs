//! The platform's answer to a call, whether it came here or a leader that resigned appended it.

use jiff::SignedDuration;

use super::settle::change_attempt_because;
use super::turn::Turn;
use crate::domain::{Answer, AttemptId};

/// The platform answered a submission of a call.
pub(super) fn answered(turn: &mut Turn<'_>, id: AttemptId, answer: &Answer, why: &str) {
    let now = turn.now;
    let timeouts = turn.scheduler.deps.settings.timeouts.clone();
    let ring = SignedDuration::from_secs(turn.scheduler.deps.settings.ring_timeout_s.into());
    change_attempt_because(turn, id, why, |attempt| {
        if attempt.submission.answer(now, answer) {
            attempt.news_due_at = match answer {
                Answer::Accepted { .. } => Some(now + ring + timeouts.ringing),
                Answer::Unknown => Some(now + timeouts.unknown),
                _ => None,
            };
        }
    });
}
