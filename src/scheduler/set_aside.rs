//! Folds an operator's retry or drop of a set-aside item.

use jiff::Timestamp;

use super::people::pairs_of;
use super::settle::{close_by, look_again, withdraw_or_hang_up};
use super::turn::Turn;
use super::working_set::Line;
use crate::domain::event::SetAsideWord;
use crate::domain::{
    CallbackId, CommandOutcome, Outcome, Reason, SetAside, SetAsideEnd, SetAsideItem, SetAsideVerdict, State,
};
use crate::store::SetAsideEnded;

/// Folds a retry or a drop. The state in memory is built anew after the commit, so the item is processed normally then.
pub(super) fn fold(turn: &mut Turn<'_>, at: Timestamp, word: &SetAsideWord) -> CommandOutcome {
    if let Some(spoken) = turn.work.set_aside_ended.iter().find(|ended| ended.id == word.id) {
        // Two operators at once. The same word again changes nothing.
        let is_same = spoken.end.verdict == word.verdict;
        return if is_same {
            CommandOutcome::Applied
        } else {
            CommandOutcome::Refused("set_aside.ended".into())
        };
    }
    let Some(item) = turn.scheduler.containment.aside(word.id).cloned() else {
        return CommandOutcome::Refused("set_aside.ended".into());
    };
    let end = SetAsideEnd { verdict: word.verdict, at, by: word.by.clone() };
    turn.work.set_aside_ended.push(SetAsideEnded { id: word.id, end });
    if item.consumer.is_some() {
        // The next decision blocks people again who have another set-aside item.
        turn.released.extend(turn.loads.held.numbers());
    }
    note(turn, at, word, &item);
    if let Some(callback) = item.callback {
        look_again(turn, callback);
    }
    if let (SetAsideItem::Callback(callback), SetAsideVerdict::Drop) = (item.item, word.verdict) {
        drop_callback(turn, at, callback, &word.by);
    }
    CommandOutcome::Applied
}

/// Adds the operator's word to the timeline of the item's callback; of a report, to those of its person.
fn note(turn: &mut Turn<'_>, at: Timestamp, word: &SetAsideWord, item: &SetAside) {
    let (what, said) = match word.verdict {
        SetAsideVerdict::Retry => ("set_aside.retried", "retries"),
        SetAsideVerdict::Drop => ("set_aside.dropped", "drops"),
    };
    let why = format!("An operator, by the token {:?}, {said} {} ({}).", word.by, word.id, item.kind);
    let line = || Line::new(what, why.clone()).by(&word.by);
    match (item.callback, item.consumer) {
        (Some(callback), _) => turn.work.note(at, line().of_callback(callback)),
        (None, Some(consumer)) => {
            let person = turn.work.names.of_number(consumer);
            for pair in pairs_of(turn, person) {
                turn.work.note(at, line().of_pair(pair));
            }
        }
        (None, None) => {}
    }
}

fn drop_callback(turn: &mut Turn<'_>, at: Timestamp, id: CallbackId, by: &str) {
    match turn.work.callbacks.get(id).map(|callback| callback.state.clone()) {
        Some(State::Waiting(_)) => {
            close_by(turn, id, Outcome::Failed, &Reason::DroppedByOperator, Some(by));
        }
        Some(State::Calling { .. }) => {
            turn.work.callbacks.change(id, |callback| {
                callback.cancel_requested_at.get_or_insert(at);
            });
            withdraw_or_hang_up(turn, id, "");
        }
        Some(State::Closed(_)) | None => {}
    }
}
