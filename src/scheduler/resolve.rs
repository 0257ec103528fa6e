//! Folds an operator's word on what nobody else could tell about. It settles through the same code as every
//! other news; a report that came first stands.

use jiff::Timestamp;

use super::messages;
use super::settle::change_attempt;
use super::turn::Turn;
use super::work::Line;
use crate::domain::event::{AttemptWord, MessageWord};
use crate::domain::{AttemptFate, Disposition, MessageFate};

/// An operator's word on an attempt.
pub(super) fn attempt(turn: &mut Turn<'_>, at: Timestamp, word: &AttemptWord) {
    let patience = turn.scheduler.gear.settings.doubt();
    let Some(attempt) = turn.work.attempts.get(word.attempt) else {
        tracing::warn!(attempt = %word.attempt, "an operator's word on an attempt that the store does not hold");
        return;
    };
    let stands = attempt.may_be_resolved(at, word.fate, &patience).is_ok();
    let why = sentence(&word.by, said_of_attempt(word.fate), word.note.as_deref(), stands);
    let what = if stands { "attempt.resolved" } else { "attempt.resolved_too_late" };
    let line = Line::new(what, why).of_attempt(attempt);
    turn.work.note(at, line);
    if stands {
        change_attempt(turn, word.attempt, |attempt| attempt.resolve(at, word.fate, word.sid.as_deref()));
    }
}

/// An operator's word on a message.
pub(super) fn message(turn: &mut Turn<'_>, at: Timestamp, word: &MessageWord) {
    let Some(message) = turn.work.messages.get(word.message) else {
        tracing::warn!(message = %word.message, "an operator's word on a message that the store does not hold");
        return;
    };
    let stands = message.in_doubt();
    let said = match word.fate {
        MessageFate::Sent => "the message was sent",
        MessageFate::NotSent => "the message was not sent",
    };
    let what = if stands { "message.resolved" } else { "message.resolved_too_late" };
    let line = Line::new(what, sentence(&word.by, said, word.note.as_deref(), stands)).of_message(message);
    turn.work.note(at, line);
    if stands {
        messages::change(turn, word.message, |message| message.resolve(at, word.fate, word.sid.as_deref()));
    }
}

const fn said_of_attempt(fate: AttemptFate) -> &'static str {
    match fate {
        AttemptFate::NotPlaced => "the call was not placed",
        AttemptFate::Ended(Disposition::Completed) => "the call was answered and is over",
        AttemptFate::Ended(Disposition::NoAnswer) => "the call was not answered",
        AttemptFate::Ended(Disposition::Busy) => "the consumer was busy or declined",
        AttemptFate::Ended(Disposition::Canceled) => "the call was hung up before it was answered",
        AttemptFate::Ended(Disposition::Failed) => "the call failed",
    }
}

fn sentence(by: &str, said: &str, note: Option<&str>, stands: bool) -> String {
    let note = note.map(|note| format!(": {note}")).unwrap_or_default();
    let late = if stands { "" } else { " It was settled before, so nothing changes." };
    format!("An operator, by the token {by:?}, said that {said}{note}.{late}")
}
