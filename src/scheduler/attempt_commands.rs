//! Folds what people want of calls in progress: that one is ended, looked up at the platform now, or
//! held as unknown.

use jiff::Timestamp;

use super::settle::change_attempt;
use super::turn::Turn;
use super::working_set::Line;
use crate::clock::later;
use crate::domain::event::{AttemptChange, AttemptCommand};
use crate::domain::{Attempt, CommandOutcome};

/// Folds a command that was received at `at`. The call may be over since.
pub(super) fn fold(turn: &mut Turn<'_>, at: Timestamp, command: &AttemptCommand) -> CommandOutcome {
    let now = turn.now;
    let found = turn.work.attempts.get(command.attempt).filter(|attempt| match command.change {
        AttemptChange::End => attempt.can_be_ended(),
        AttemptChange::AskAgain => attempt.can_be_asked_about(),
        AttemptChange::Hold | AttemptChange::Release => attempt.can_be_held(),
    });
    let Some(attempt) = found.cloned() else {
        return CommandOutcome::Refused("attempt.over".into());
    };
    let (what, why) = match command.change {
        AttemptChange::End => ("attempt.end_requested", "wants the call ended"),
        AttemptChange::AskAgain => ("attempt.asked_about", "asks the platform about the call"),
        AttemptChange::Hold => {
            ("attempt.held", "holds the call for a day: until then no time-out settles it")
        }
        AttemptChange::Release => ("attempt.released", "holds the call no more"),
    };
    let why = format!("A person, by the token {:?}, {why}.", command.by);
    turn.work.note(at, Line::new(what, why).of_attempt(&attempt).by(&command.by));
    match command.change {
        AttemptChange::End => {
            change_attempt(turn, attempt.id, |attempt| attempt.end_requested_at = Some(at));
            turn.canceled.push(attempt.id);
        }
        AttemptChange::AskAgain => {
            change_attempt(turn, attempt.id, |attempt| attempt.news_due_at = Some(now));
        }
        AttemptChange::Hold => {
            let until = later(now, Attempt::HOLD);
            change_attempt(turn, attempt.id, |attempt| attempt.held_until = Some(until));
        }
        // The platform is asked now, because the time-out may have passed.
        AttemptChange::Release => change_attempt(turn, attempt.id, |attempt| {
            attempt.held_until = None;
            attempt.news_due_at = Some(now);
        }),
    }
    CommandOutcome::Applied
}
