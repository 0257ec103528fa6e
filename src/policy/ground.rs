//! Checks right before a submission is sent whether its decision still holds.
//!
//! The effect of the submission is removed from the callback, the pair and the counts, and the rules decide again:
//! they must choose the same step. So every rule is part of this check.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Candidate, Rules, Situation, Step, assess, ended, for_sender, has_refused, ledger};
use crate::domain::ceiling::Minutes;
use crate::domain::{Attempt, Message, MessagePurpose, Phone, Reason, State, TokenUse};

/// What is about to be sent.
#[derive(Debug, Clone, Copy)]
pub enum Leaving<'a> {
    Call(&'a Attempt),
    /// A permission request or an invite.
    Message(&'a Message),
    /// The end of a call: of one that nobody answered, or that a person wants ended.
    HangUp(&'a Attempt),
}

/// Whether something may be sent at `now`. The situation is that of its callback after the decision.
///
/// # Errors
/// The reason why it must not be sent.
pub fn may_leave(
    now: Timestamp,
    leaving: Leaving<'_>,
    situation: &Situation<'_>,
    rules: &Rules,
) -> Result<(), Reason> {
    if let (Leaving::Call(_) | Leaving::Message(_), Some(reason)) = (leaving, &situation.held) {
        return Err(reason.clone());
    }
    if let Some(reason) = paused(now, leaving, situation) {
        return Err(reason);
    }
    match leaving {
        Leaving::Call(attempt) => call(now, attempt, situation, rules),
        Leaving::Message(message) => self::message(now, message, situation, rules),
        Leaving::HangUp(attempt) => hang_up(attempt, situation),
    }
}

/// The operator's pause that holds its sender or its consumer, or the pause of its content. A hang-up is never held.
fn paused(now: Timestamp, leaving: Leaving<'_>, situation: &Situation<'_>) -> Option<Reason> {
    let sender = match leaving {
        Leaving::Call(attempt) => attempt.sender,
        Leaving::Message(message) => message.sender,
        Leaving::HangUp(_) => return None,
    };
    let own = situation.candidates.iter().find(|candidate| candidate.sender.number == sender)?;
    let paused = own.pauses_in_force(now).first().map(|pause| pause.reason());
    paused.or_else(|| match leaving {
        Leaving::Message(message) => {
            own.content_rest(now, message.account(), &message.content).map(|(_, reason)| reason)
        }
        Leaving::Call(_) | Leaving::HangUp(_) => None,
    })
}

fn call(now: Timestamp, attempt: &Attempt, situation: &Situation<'_>, rules: &Rules) -> Result<(), Reason> {
    if situation.callback.state != (State::Calling { attempt: attempt.id }) {
        return Err(Reason::CallbackClosed);
    }
    let mut before = situation.clone();
    take_back(&mut before, TokenUse::Call, attempt.submission.intended_at);
    if !before.person.live.remove(&attempt.id) {
        return Err(Reason::PairOnThePhone);
    }
    before.person.not_called(attempt.submission.intended_at);
    let own = own(&mut before, attempt.sender)?;
    for load in own.load.iter_mut().filter(|load| attempt.holds.has(&load.resource)) {
        load.live = load.live.saturating_sub(1);
    }
    if let Some((_, reason)) = ended(now, &before, rules) {
        return Err(reason);
    }
    // Only the chosen sender is checked. That another one could call too does not matter.
    let refused = before.candidates.iter().any(|candidate| has_refused(now, &candidate.pair));
    let chosen = before.candidates.iter().find(|candidate| candidate.sender.number == attempt.sender);
    let step = chosen.map(|chosen| for_sender(now, &before, chosen, refused, rules).step);
    match step {
        Some(Step::PlaceCall { .. }) => Ok(()),
        Some(step) => Err(step.reason().clone()),
        None => Err(Reason::SenderUnknown),
    }
}

fn message(
    now: Timestamp,
    message: &Message,
    situation: &Situation<'_>,
    rules: &Rules,
) -> Result<(), Reason> {
    match situation.callback.state {
        State::Waiting(_) => {}
        State::Calling { .. } => return Err(Reason::CallInProgress),
        State::Closed(_) => return Err(Reason::CallbackClosed),
    }
    let intended_at = message.submission.intended_at;
    let mut callback = situation.callback.clone();
    let is_the_last = match message.purpose {
        MessagePurpose::PermissionRequest => true,
        MessagePurpose::Invite => callback.invited_at.take_if(|at| *at == intended_at).is_some(),
    };
    if message.purpose == MessagePurpose::Invite {
        callback.invited_by = None;
    }
    let mut before = Situation { callback: &callback, ..situation.clone() };
    let own = own(&mut before, message.sender)?;
    if own.pair.permission.is_live(now) && message.purpose == MessagePurpose::PermissionRequest {
        return Err(Reason::PermissionGranted);
    }
    let is_the_pairs = match message.purpose {
        MessagePurpose::PermissionRequest => own.pair.request == Some(message.id),
        MessagePurpose::Invite => is_the_last,
    };
    if message.purpose == MessagePurpose::PermissionRequest {
        ledger::request_taken_back(&mut own.pair, message.id, intended_at);
        take_back(&mut before, TokenUse::Request, intended_at);
    } else {
        before.person.not_invited(intended_at);
    }
    let step = assess(now, &before, rules).step;
    let content = match (&step, message.purpose) {
        (Step::RequestPermission { sender, content }, MessagePurpose::PermissionRequest)
            if *sender == message.sender && is_the_pairs =>
        {
            content
        }
        (Step::Invite { sender, road, .. }, MessagePurpose::Invite)
            if *sender == message.sender && is_the_pairs =>
        {
            let is_same = message.road == Some(road.kind) && *message.account() == road.account;
            return if is_same && road.content == message.content {
                Ok(())
            } else {
                Err(Reason::RoadChanged)
            };
        }
        // Another sender of the callback may call.
        (Step::PlaceCall { .. }, _) => return Err(Reason::PermissionGranted),
        (step, _) => return Err(step.reason().clone()),
    };
    // The service window has opened or closed, which needs other content.
    if *content == message.content { Ok(()) } else { Err(Reason::ServiceWindowClosed) }
}

fn hang_up(attempt: &Attempt, situation: &Situation<'_>) -> Result<(), Reason> {
    if attempt.end_requested_at.is_some() && attempt.is_live() {
        // A person may end a conversation too.
        Ok(())
    } else if attempt.is_answered() {
        Err(Reason::Answered)
    } else if !attempt.is_live() {
        Err(Reason::CallbackClosed)
    } else if situation.callback.needs_its_call() {
        Err(Reason::CallInProgress)
    } else {
        Ok(())
    }
}

/// Takes what leaves off the uses of its token.
fn take_back(situation: &mut Situation<'_>, what: TokenUse, intended_at: Timestamp) {
    if let Some(budget) = &mut situation.budget {
        Arc::make_mut(budget).change(what, Minutes::of(intended_at), -1);
    }
}

/// The candidate of a sender. The paces of the account and the campaign are not checked again,
/// because their permits were taken at the decision.
fn own<'c, 's>(situation: &'c mut Situation<'s>, sender: Phone) -> Result<&'c mut Candidate<'s>, Reason> {
    let own = situation.candidates.iter_mut().find(|candidate| candidate.sender.number == sender);
    let own = own.ok_or(Reason::SenderUnknown)?;
    own.account.paused = None;
    own.account.next_call_at = Timestamp::MIN;
    own.load.iter_mut().for_each(|load| load.next_at = None);
    Ok(own)
}
