//! Folds commands: changes of a callback that customers and operators request, and the calling links that they take.
//!
//! The handler checked the command before it was appended, but the callback may have changed since.

use jiff::Timestamp;

use super::settle::{close_by, withdraw_or_hang_up};
use super::turn::Turn;
use super::working_set::Line;
use super::{offers, wrap_ups};
use crate::domain::callback::Waiting;
use crate::domain::event::{CallbackChange, CallbackCommand};
use crate::domain::{Callback, CommandOutcome, LinkGiven, Offer, Outcome, Phone, Reason, State};
use crate::policy;

/// Folds a command that was received at `at`.
pub(super) fn fold(turn: &mut Turn<'_>, at: Timestamp, command: &CallbackCommand) -> CommandOutcome {
    // It may be one of many, of which the next ones are due when this turn is over.
    turn.scheduler.bulk_may_run = true;
    let Some(callback) = turn.work.callbacks.get(command.callback).cloned() else {
        return CommandOutcome::Refused("callback.not_found".into());
    };
    match &command.change {
        CallbackChange::WrapUp(said) => return wrap_ups::fold(turn, at, &callback, said, &command.by),
        CallbackChange::Offer(act) => return offers::fold(turn, at, &callback, act, &command.by),
        _ => {}
    }
    match (&command.change, &callback.state) {
        (CallbackChange::Cancel, State::Closed(closed)) if closed.outcome == Outcome::Canceled => {
            CommandOutcome::Applied
        }
        (_, State::Closed(_)) => CommandOutcome::Refused("callback.closed".into()),
        (CallbackChange::Cancel, State::Waiting(_)) => {
            close_by(turn, callback.id, Outcome::Canceled, &Reason::CustomerCanceled, Some(&command.by));
            CommandOutcome::Applied
        }
        (CallbackChange::Cancel, State::Calling { .. }) => cancel_later(turn, at, &callback, command),
        (CallbackChange::NotToday { reason }, _) => {
            not_today(turn, at, &callback, reason.as_deref(), command);
            CommandOutcome::Applied
        }
        (CallbackChange::Link { sender }, _) => link(turn, at, &callback, *sender, command),
        (_, State::Calling { .. }) => CommandOutcome::Refused("callback.calling".into()),
        (CallbackChange::Reschedule { earliest, latest, hours, priority, reason }, State::Waiting(_)) => {
            let mut order = callback.order.clone();
            let is_moved = order.earliest != *earliest;
            (order.earliest, order.latest) = (*earliest, *latest);
            (order.hours, order.priority) = (hours.clone(), *priority);
            let reason = reason.as_ref().map(|reason| format!(" The reason given: {reason}."));
            let why = format!(
                "The customer, by the token {:?}, rescheduled it: earliest {earliest}, latest {latest}, \
                 priority {}.{}",
                command.by,
                priority.level(),
                reason.unwrap_or_default()
            );
            if order != callback.order {
                let line = Line::new("callback.rescheduled", why);
                look_anew(turn, at, command, line, |callback| {
                    callback.order = order;
                    if is_moved && let Some(handling) = &mut callback.handling {
                        handling.not_today_until = None;
                    }
                });
            }
            CommandOutcome::Applied
        }
        (CallbackChange::AllowAttempt { reason }, State::Waiting(_)) => {
            let why =
                format!("An operator, by the token {:?}, allowed one more attempt: {reason}.", command.by);
            let line = Line::new("callback.attempt_allowed", why);
            look_anew(turn, at, command, line, |callback| callback.attempt_allowed_at = Some(at));
            CommandOutcome::Applied
        }
        // They were folded before.
        (CallbackChange::WrapUp(_) | CallbackChange::Offer(_), State::Waiting(_)) => CommandOutcome::Applied,
    }
}

/// Nobody contacts the consumer for it on this day of the consumer. A call in progress goes on.
fn not_today(
    turn: &mut Turn<'_>,
    at: Timestamp,
    callback: &Callback,
    reason: Option<&str>,
    command: &CallbackCommand,
) {
    let until = policy::day_ends(&callback.order, &turn.scheduler.deps.rules.number_zones, at);
    let reason = reason.map(|reason| format!(" The reason given: {reason}.")).unwrap_or_default();
    let why = format!(
        "A person, by the token {:?}, marked it as not again today, until {until}.{reason}",
        command.by
    );
    let line = Line::new("callback.not_today", why);
    match callback.state {
        State::Waiting(_) => {
            look_anew(turn, at, command, line, |callback| callback.handled().not_today_until = Some(until));
        }
        State::Calling { .. } | State::Closed(_) => {
            turn.work.callbacks.change(callback.id, |callback| {
                callback.handled().not_today_until = Some(until);
            });
            turn.work.note(at, line.of_callback(callback.id).by(&command.by));
        }
    }
}

/// A calling link is given out. It does not change what is decided: the consumer may never use it.
fn link(
    turn: &mut Turn<'_>,
    at: Timestamp,
    callback: &Callback,
    sender: Phone,
    command: &CallbackCommand,
) -> CommandOutcome {
    if callback.links.iter().any(|link| link.sender == sender) {
        return CommandOutcome::Applied;
    }
    if callback.links.len() >= LinkGiven::SENDERS_MAX {
        return CommandOutcome::Refused("link.too_many".into());
    }
    turn.work.callbacks.change(callback.id, |callback| callback.links.push(LinkGiven { sender, at }));
    let why = format!(
        "A link by which the consumer calls {sender} was given out to the token {:?}; an answered call by it closes the order.",
        command.by
    );
    turn.work.note(at, Line::new("callback.link_given", why).of_callback(callback.id).by(&command.by));
    CommandOutcome::Applied
}

/// An attempt is in progress: nothing more is dialled, and the callback closes when it has ended.
fn cancel_later(
    turn: &mut Turn<'_>,
    at: Timestamp,
    callback: &Callback,
    command: &CallbackCommand,
) -> CommandOutcome {
    if callback.cancel_requested_at.is_none() {
        turn.work.callbacks.change(callback.id, |callback| callback.cancel_requested_at = Some(at));
        let why = format!(
            "The customer, by the token {:?}, canceled while an attempt was in progress.",
            command.by
        );
        turn.work
            .note(at, Line::new("callback.cancel_requested", why).of_callback(callback.id).by(&command.by));
    }
    withdraw_or_hang_up(turn, callback.id, "");
    CommandOutcome::Applied
}

/// Changes a waiting callback, which is decided again in this turn.
fn look_anew(
    turn: &mut Turn<'_>,
    at: Timestamp,
    command: &CallbackCommand,
    line: Line,
    change: impl FnOnce(&mut Callback),
) {
    let now = turn.now;
    turn.work.callbacks.change(command.callback, |callback| {
        change(callback);
        if let Some(handling) = &mut callback.handling {
            handling.offer = Offer::default();
        }
        callback.state = State::Waiting(Waiting { wake_at: now, place: None, note: Reason::Ready.note() });
    });
    turn.work.note(at, line.of_callback(command.callback).by(&command.by));
}
