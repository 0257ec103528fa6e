//! What the end of an attempt means for its callback.

use jiff::Timestamp;

use super::Rules;
use super::errors::{self, Reaction, reaction_to, told_by_sip};
use crate::domain::{Attempt, Callback, Disposition, ErrorCode, Outcome, Reason, Stage};

/// The effect of an ended attempt on its callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AfterAttempt {
    /// Whether the attempt counts against the maximum.
    pub counts: bool,
    /// Whether it failed, not because of the consumer.
    pub fault: bool,
    /// Whether the consumer answered and was not served: the callback becomes urgent.
    pub abandoned: bool,
    /// The earliest time of the next attempt.
    pub retry_at: Option<Timestamp>,
    pub finish: Option<(Outcome, Reason)>,
}

/// Computes the effect of an attempt that ended with `disposition`.
#[must_use]
pub fn after_attempt(
    now: Timestamp,
    callback: &Callback,
    attempt: &Attempt,
    disposition: Disposition,
    rules: &Rules,
) -> AfterAttempt {
    let disposition = told_by_sip(attempt, disposition);
    let calm = AfterAttempt { counts: false, fault: false, abandoned: false, retry_at: None, finish: None };
    let retry = |delay| now.checked_add(delay).ok();
    // A call that is answered after the cancellation plays a goodbye, and does not reach the consumer.
    let canceled_before_answer = callback
        .cancel_requested_at
        .is_some_and(|canceled_at| attempt.connected_at.is_some_and(|at| at >= canceled_at));
    if disposition == Disposition::Completed && !canceled_before_answer && attempt.is_served() {
        return AfterAttempt { counts: true, finish: Some((Outcome::Reached, Reason::Answered)), ..calm };
    }
    if callback.reached_late_at.is_some() {
        let finish = Some((Outcome::Reached, Reason::Answered));
        return AfterAttempt { counts: attempt.rang(), finish, ..calm };
    }
    if callback.cancel_requested_at.is_some() {
        let finish = Some((Outcome::Canceled, Reason::CustomerCanceled));
        return AfterAttempt { counts: attempt.rang(), finish, ..calm };
    }
    if disposition == Disposition::Completed {
        let retry_at = retry(rules.retry.abandoned);
        return AfterAttempt { counts: true, abandoned: true, retry_at, ..calm };
    }
    match disposition {
        Disposition::NoAnswer => {
            AfterAttempt { counts: true, retry_at: retry(rules.retry.no_answer), ..calm }
        }
        Disposition::Busy => AfterAttempt { counts: true, retry_at: retry(rules.retry.busy), ..calm },
        Disposition::Canceled if attempt.submission.stage == Stage::Withdrawn => calm,
        Disposition::Canceled => {
            AfterAttempt { counts: attempt.rang(), retry_at: retry(rules.retry.canceled), ..calm }
        }
        Disposition::Failed | Disposition::Completed => match reaction_to(attempt, disposition) {
            reaction if let Some(end) = end_of(reaction, attempt.submission.error_code, callback.faults) => {
                AfterAttempt { finish: Some(end), ..calm }
            }
            // The ledger was corrected, and decides the next step.
            Reaction::NoPermission | Reaction::AlreadyPermanent | Reaction::Uncallable => {
                AfterAttempt { fault: true, ..calm }
            }
            Reaction::PausePair(_)
            | Reaction::ConnectedUsedUp
            | Reaction::RequestsUsedUp
            | Reaction::PauseSender(_)
            | Reaction::PauseAccount(_)
            | Reaction::PauseContent(_) => calm,
            // The consumer may have been called: this counts as an attempt without success.
            Reaction::Inconclusive => {
                AfterAttempt { counts: true, retry_at: retry(rules.retry.no_answer), ..calm }
            }
            Reaction::TryAgain if attempt.submission.stage == Stage::Throttled => calm,
            Reaction::RepeatOnce(pause) => AfterAttempt { fault: true, retry_at: retry(pause), ..calm },
            Reaction::TryAgain
            | Reaction::WindowClosed
            | Reaction::Unknown
            | Reaction::Never
            | Reaction::OptedOut => AfterAttempt { fault: true, retry_at: retry(rules.retry.failed), ..calm },
        },
    }
}

/// The end of a callback because of a reaction, if the reaction ends it. The same for calls and messages. `faults` is
/// the number of failures in a row before this one. A code that may be repeated once is not repeated after another
/// failure.
#[must_use]
pub fn end_of(reaction: Reaction, code: Option<ErrorCode>, faults: u32) -> Option<(Outcome, Reason)> {
    let meaning = code.and_then(errors::meaning);
    match reaction {
        Reaction::Never => Some((Outcome::Failed, Reason::Refused { code, meaning })),
        Reaction::RepeatOnce(_) if faults > 0 => Some((Outcome::Failed, Reason::Refused { code, meaning })),
        Reaction::Unknown if faults > 0 => Some((Outcome::Failed, Reason::RefusedUnknown { code })),
        Reaction::OptedOut => Some((Outcome::Declined, Reason::OptedOut { code })),
        _ => None,
    }
}
