//! Folds an operator's resolution of an attempt or message. It uses the same code as reports; a report that
//! came first stays.

use jiff::Timestamp;

use super::messages;
use super::settle::change_attempt;
use super::turn::Turn;
use super::working_set::Line;
use crate::domain::event::{AttemptOverride, MessageOverride};
use crate::domain::{AttemptResolution, CommandOutcome, Disposition, MessageResolution};

/// Applies an operator's resolution of an attempt.
pub(super) fn attempt(turn: &mut Turn<'_>, at: Timestamp, word: &AttemptOverride) -> CommandOutcome {
    let timeouts = turn.scheduler.deps.settings.unresolved_after();
    let Some(attempt) = turn.work.attempts.get(word.attempt) else {
        tracing::warn!(attempt = %word.attempt, "the resolution of an attempt that is not in the store");
        return CommandOutcome::Refused("attempt.not_found".into());
    };
    let stands = attempt.may_be_resolved(at, word.fate, &timeouts).is_ok();
    let why = sentence(&word.by, said_of_attempt(word.fate), word.note.as_deref(), stands);
    let what = if stands { "attempt.resolved" } else { "attempt.resolved_too_late" };
    let line = Line::new(what, why).of_attempt(attempt).by(&word.by);
    turn.work.note(at, line);
    if !stands {
        return CommandOutcome::Refused("attempt.not_in_doubt".into());
    }
    change_attempt(turn, word.attempt, |attempt| attempt.resolve(at, word.fate, word.sid.as_deref()));
    CommandOutcome::Applied
}

/// Applies an operator's resolution of a message.
pub(super) fn message(turn: &mut Turn<'_>, at: Timestamp, word: &MessageOverride) -> CommandOutcome {
    let Some(message) = turn.work.messages.get(word.message) else {
        tracing::warn!(message = %word.message, "the resolution of a message that is not in the store");
        return CommandOutcome::Refused("message.not_found".into());
    };
    let stands = message.is_unresolved();
    let said = match word.fate {
        MessageResolution::Sent => "the message was sent",
        MessageResolution::NotSent => "the message was not sent",
    };
    let what = if stands { "message.resolved" } else { "message.resolved_too_late" };
    let line = Line::new(what, sentence(&word.by, said, word.note.as_deref(), stands))
        .of_message(message)
        .by(&word.by);
    turn.work.note(at, line);
    if !stands {
        return CommandOutcome::Refused("message.not_in_doubt".into());
    }
    messages::change(turn, word.message, |message| message.resolve(at, word.fate, word.sid.as_deref()));
    CommandOutcome::Applied
}

const fn said_of_attempt(fate: AttemptResolution) -> &'static str {
    match fate {
        AttemptResolution::NotPlaced => "the call was not placed",
        AttemptResolution::Ended(Disposition::Completed) => "the call was answered and is over",
        AttemptResolution::Ended(Disposition::NoAnswer) => "the call was not answered",
        AttemptResolution::Ended(Disposition::Busy) => "the consumer was busy or declined",
        AttemptResolution::Ended(Disposition::Canceled) => "the call was hung up before it was answered",
        AttemptResolution::Ended(Disposition::Failed) => "the call failed",
        AttemptResolution::Abandoned => "the consumer answered and was not served",
    }
}

fn sentence(by: &str, said: &str, note: Option<&str>, stands: bool) -> String {
    let note = note.map(|note| format!(": {note}")).unwrap_or_default();
    let late = if stands { "" } else { " It was resolved before, so nothing changes." };
    format!("An operator, by the token {by:?}, recorded that {said}{note}.{late}")
}
