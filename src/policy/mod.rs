//! The decisions: what happens next to a callback, and why. Pure functions of domain values, rules and `now`.
//!
//! Absent on purpose: input and output, clocks, randomness, async, and knowledge of who stores or sends.
//! A decision never fails; what stands in the way is a [`Reason`], and the explanation that people see is
//! made by the same code that decides.

pub mod after_attempt;
pub mod errors;
pub mod ledger;
pub mod limits;
pub mod rolling;
pub mod window;

mod cooldown;
mod dialling;
mod permission_request;
mod ranking;
mod situation;

#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

pub use cooldown::Cooldown;
pub use limits::{Limits, Profile, Rolling};
pub use permission_request::may_still_be_sent;
pub use ranking::expires_at;
pub use situation::{AccountView, Candidate, Loads, Pause, Situation};

use crate::domain::country::Prefix;
use crate::domain::{
    AgentTarget, CallPermission, Callback, Gate, LegOrder, Order, Outcome, Pair, Phone, Reason, Sender,
};

/// What the platforms and the operator allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub limits: Limits,
    pub retry: Retry,
    /// A permission is asked for at most this long before the call could be placed.
    pub ask_ahead: SignedDuration,
    /// Added to every rolling window, because our clock and the platform's differ.
    pub margin: SignedDuration,
    /// Failures in a row, through no fault of the consumer, after which a callback is given up.
    pub faults_max: u32,
    pub counting: Counting,
    /// A retry is placed at most this long before the end of a permission that would not live to see it.
    pub pull_forward: SignedDuration,
    /// Calls in progress of a campaign; a campaign that is not here has no ceiling.
    pub campaigns: BTreeMap<String, u32>,
    /// Consumers whose numbers start so are not called.
    pub destinations_refused: Vec<Prefix>,
}

impl Rules {
    /// What bars a number from being called, if anything does.
    #[must_use]
    pub fn bars(&self, consumer: Phone) -> Option<Prefix> {
        self.destinations_refused.iter().copied().find(|prefix| prefix.starts(consumer))
    }
}

/// What counts and what forgives, where the platforms' pages leave it open or could change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// A connected call, in either direction, makes permission requests count from nothing. Meta, *Obtain
    /// user call permissions* (26 Jun 2026), says so.
    pub connected_calls_reset_requests: bool,
    /// The same for misses in a row: the page says "consecutive", and not what ends the row.
    pub connected_calls_reset_misses: bool,
    /// A request that the platform could not deliver counts all the same; no page says whether it does.
    pub undelivered_requests_count: bool,
    pub misses: Misses,
}

/// The ends of an unanswered call that count as missed. Meta's page says "unanswered or rejected", and its
/// SIP answers 480 and 486 "impact call permissions" (26 Jun 2026); about the others it is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misses {
    pub no_answer: bool,
    /// Busy, or declined.
    pub busy: bool,
    pub canceled_after_ringing: bool,
    pub failed_after_ringing: bool,
}

impl Counting {
    /// What never asks or calls once too often.
    pub const CAUTIOUS: Self = Self {
        connected_calls_reset_requests: true,
        connected_calls_reset_misses: true,
        undelivered_requests_count: true,
        misses: Misses {
            no_answer: true,
            busy: true,
            canceled_after_ringing: true,
            failed_after_ringing: true,
        },
    };
}

/// How long to wait after an attempt, by how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    pub no_answer: SignedDuration,
    pub busy: SignedDuration,
    pub canceled: SignedDuration,
    pub failed: SignedDuration,
}

/// What to do next with a callback. Each carries its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    PlaceCall {
        sender: Phone,
    },
    /// Ask for the call permission with this content.
    RequestPermission {
        sender: Phone,
        content: String,
    },
    /// Invite the consumer to call, because of the reason.
    Invite {
        sender: Phone,
        content: String,
        reason: Reason,
    },
    /// Look again at `until` at the latest, or earlier when the gate opens or the pair has news.
    Wait {
        until: Timestamp,
        gate: Option<Gate>,
        reason: Reason,
    },
    Finish {
        outcome: Outcome,
        reason: Reason,
    },
}

impl Step {
    #[must_use]
    pub const fn reason(&self) -> &Reason {
        match self {
            Self::PlaceCall { .. } => &Reason::Ready,
            Self::RequestPermission { .. } => &Reason::NoPermission,
            Self::Invite { reason, .. } | Self::Wait { reason, .. } | Self::Finish { reason, .. } => reason,
        }
    }
}

/// A step with everything that stood in the way, the binding reason first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    pub step: Step,
    /// The sender that the step is about, if any sender can be used.
    pub sender: Option<Phone>,
    /// Every constraint that binds now, the one that decided first.
    pub binding: Vec<Reason>,
}

impl Assessment {
    /// The same with the deciding reason first, then those of time, then the rest, each once.
    fn in_order(self, mut time: Vec<Reason>) -> Self {
        let deciding = self.step.reason().clone();
        let mut ordered = if deciding == Reason::Ready { Vec::new() } else { vec![deciding] };
        time.extend(self.binding);
        for reason in time {
            if !ordered.contains(&reason) {
                ordered.push(reason);
            }
        }
        Self { binding: ordered, ..self }
    }
}

/// The next step of a callback that is waiting.
#[must_use]
pub fn next_step(now: Timestamp, situation: &Situation<'_>, rules: &Rules) -> Step {
    assess(now, situation, rules).step
}

/// The next step, and all that binds: what `explain` shows.
#[must_use]
pub fn assess(now: Timestamp, situation: &Situation<'_>, rules: &Rules) -> Assessment {
    if let Some((outcome, reason)) = ended(now, situation, rules) {
        return finish(None, outcome, reason);
    }
    let refused = situation.candidates.iter().any(|candidate| has_refused(now, &candidate.pair));
    let mut assessed: Vec<_> = situation
        .candidates
        .iter()
        .map(|candidate| (candidate, for_sender(now, situation, candidate, refused, rules)))
        .collect();
    assessed.sort_by_key(|(candidate, assessment)| preference(now, candidate, &assessment.step));
    let mut assessments = assessed.into_iter().map(|(_, assessment)| assessment);
    let Some(mut best) = assessments.next() else {
        return finish(None, Outcome::Failed, Reason::SenderUnknown);
    };
    for other in assessments {
        wake_for(&mut best.step, &other.step);
    }
    best
}

/// A callback that waits for one sender must also wake when another could call.
fn wake_for(best: &mut Step, other: &Step) {
    let (Step::Wait { until, gate, .. }, Step::Wait { until: others, gate: others_gate, .. }) = (best, other)
    else {
        return;
    };
    *until = (*until).min(*others);
    *gate = match (gate.take(), others_gate.clone()) {
        (Some(gate), Some(other)) => Some(gate.or(other)),
        (gate, other) => gate.or(other),
    };
}

/// Whether the consumer's phone may still be made to ring, now that this was decided a moment ago: the
/// permission lives, the hours are open, the deadline lies ahead, and nobody took the callback back.
#[must_use]
pub fn may_still_ring(now: Timestamp, callback: &Callback, pair: &Pair) -> bool {
    let order = &callback.order;
    pair.permission.is_live(now)
        && pair.live_inbound.is_none()
        && order.hours.as_ref().is_none_or(|hours| window::may_dial(hours, now))
        && now < order.latest
        && callback.cancel_requested_at.is_none()
}

/// Whom the consumer is connected to: the agent that was ordered, or else the sender's own.
#[must_use]
pub fn agent<'a>(order: &'a Order, sender: &'a Sender) -> Option<&'a AgentTarget> {
    order.agent.as_ref().or(sender.agent.as_ref())
}

/// What ends a callback, whichever sender would call.
fn ended(now: Timestamp, situation: &Situation<'_>, rules: &Rules) -> Option<(Outcome, Reason)> {
    let callback = situation.callback;
    let order = &callback.order;
    if callback.cancel_requested_at.is_some() {
        return Some((Outcome::Canceled, Reason::CustomerCanceled));
    }
    if now >= order.latest {
        return Some(at_deadline(now, situation));
    }
    if situation.document.is_none() {
        return Some((Outcome::Failed, Reason::DocumentUnknown));
    }
    if let Some(prefix) = rules.bars(order.consumer) {
        return Some((Outcome::Failed, Reason::DestinationBarred { prefix }));
    }
    if callback.faults >= rules.faults_max {
        return Some((Outcome::Failed, Reason::TooManyFaults { faults: callback.faults }));
    }
    None
}

/// What a callback has come to when its deadline is there: what stood in its way, if that was an end in itself.
fn at_deadline(now: Timestamp, situation: &Situation<'_>) -> (Outcome, Reason) {
    let Callback { order, attempts_made, .. } = situation.callback;
    if *attempts_made >= order.attempts_max {
        (Outcome::Exhausted, Reason::AttemptsUsed { used: *attempts_made, max: order.attempts_max })
    } else if situation.candidates.iter().any(|candidate| has_refused(now, &candidate.pair)) {
        (Outcome::Declined, Reason::Declined)
    } else {
        (Outcome::Expired, Reason::DeadlinePassed { latest: order.latest })
    }
}

/// Whether the consumer's last word to this sender is a no.
fn has_refused(now: Timestamp, pair: &Pair) -> bool {
    match pair.permission {
        CallPermission::Declined { until } => now < until,
        CallPermission::RevokedByConsumer => true,
        _ => false,
    }
}

/// The next step if this sender were the only one; `refused` if the consumer said no to any of them.
fn for_sender(
    now: Timestamp,
    situation: &Situation<'_>,
    candidate: &Candidate<'_>,
    refused: bool,
    rules: &Rules,
) -> Assessment {
    let Situation { callback, campaign_calls, .. } = *situation;
    let sender = candidate.sender.number;
    let order = &callback.order;
    let mut pair = candidate.pair.clone();
    ledger::lapse(&mut pair, now);
    let case = Case {
        now,
        callback,
        sender: candidate.sender,
        pair: &pair,
        candidate,
        refused,
        campaign_calls,
        rules,
    };
    if situation.document == Some(LegOrder::AgentFirst) && agent(order, candidate.sender).is_none() {
        return finish(Some(sender), Outcome::Failed, Reason::NoAgent);
    }
    if callback.attempts_made >= order.attempts_max {
        let reason = Reason::AttemptsUsed { used: callback.attempts_made, max: order.attempts_max };
        return case.give_up(Outcome::Exhausted, reason).in_order(Vec::new());
    }
    let dialling::When { at, binding } = dialling::earliest(now, callback, &pair, rules);
    let Some(dial_at) = at.filter(|&at| at < order.latest) else {
        let outcome = if callback.attempts_made > 0 { Outcome::Exhausted } else { Outcome::Expired };
        return case.give_up(outcome, Reason::NoTimeLeft { latest: order.latest }).in_order(Vec::new());
    };
    let permitted = pair.permission.is_live(dial_at);
    let assessment = if permitted {
        dialling::assess(&case, dial_at, &binding)
    } else {
        permission_request::assess(&case, dial_at)
    };
    assessment.in_order(binding)
}

/// One callback and one sender, as the rules look at them.
struct Case<'a> {
    now: Timestamp,
    callback: &'a Callback,
    sender: &'a Sender,
    /// With everything lapsed that has run out.
    pair: &'a Pair,
    candidate: &'a Candidate<'a>,
    /// The consumer said no to this sender or to another one of the callback.
    refused: bool,
    campaign_calls: u32,
    rules: &'a Rules,
}

impl Case<'_> {
    /// The callback cannot be completed by calling: invite the consumer if that is possible and was not
    /// done, wait for the consumer's call if it was, close otherwise.
    fn give_up(&self, outcome: Outcome, reason: Reason) -> Assessment {
        let latest = self.callback.order.latest;
        let paused_until = self.pair.paused_until.filter(|&until| until > self.now);
        let from = paused_until.unwrap_or(self.now);
        let opens_at = self
            .callback
            .order
            .hours
            .as_ref()
            .map_or(Some(from), |hours| window::next_open(hours, from, latest));
        let step = match (&self.sender.invite, self.callback.invited_at) {
            (Some(_), Some(_)) if self.awaits_call(outcome) => Step::Wait {
                until: self.turns_at(),
                gate: None,
                reason: Reason::AwaitingCall { until: latest },
            },
            (Some(content), None) if self.may_invite(outcome) => match (opens_at, paused_until) {
                (Some(opens_at), _) if opens_at <= self.now => Step::Invite {
                    sender: self.sender.number,
                    content: content.clone(),
                    reason: reason.clone(),
                },
                (Some(opens_at), Some(until)) if opens_at < latest => {
                    Step::Wait { until, gate: None, reason: Reason::PairPaused { until } }
                }
                (Some(opens_at), None) if opens_at < latest => {
                    Step::Wait { until: opens_at, gate: None, reason: Reason::OutsideHours { opens_at } }
                }
                _ => Step::Finish { outcome, reason: reason.clone() },
            },
            _ => Step::Finish { outcome, reason: reason.clone() },
        };
        Assessment { step, sender: Some(self.sender.number), binding: vec![reason] }
    }

    fn wait(&self, until: Timestamp, gate: Option<Gate>, reason: Reason) -> Assessment {
        let until = until.min(self.turns_at());
        let step = Step::Wait { until, gate, reason: reason.clone() };
        Assessment { step, sender: Some(self.sender.number), binding: vec![reason] }
    }

    /// When the case itself takes a turn, whatever is waited for: its permission, its request or the consumer's
    /// refusal ends, its hours close for the last time before the deadline, or the deadline is there.
    fn turns_at(&self) -> Timestamp {
        let order = &self.callback.order;
        let closed_for_good = ranking::closes_for_good(self.now, order);
        let ends = match self.pair.permission {
            CallPermission::Temporary { expires_at } | CallPermission::Requested { expires_at } => {
                Some(expires_at)
            }
            CallPermission::Declined { until } => Some(until),
            _ => None,
        };
        let turns = [closed_for_good, ends].into_iter().flatten().filter(|&at| at > self.now);
        turns.fold(order.latest, Timestamp::min)
    }

    /// An invite needs somebody who can take it: a consumer on WhatsApp, time left, and no other message
    /// to the consumer whose fate is open.
    fn may_invite(&self, outcome: Outcome) -> bool {
        self.awaits_call(outcome) && self.pair.request.is_none() && !self.pair.is_on_the_phone()
    }

    fn awaits_call(&self, outcome: Outcome) -> bool {
        outcome != Outcome::Failed && self.pair.permission != CallPermission::Uncallable
    }
}

fn finish(sender: Option<Phone>, outcome: Outcome, reason: Reason) -> Assessment {
    Assessment { step: Step::Finish { outcome, reason: reason.clone() }, sender, binding: vec![reason] }
}

/// Which sender's step is best: a call now; then staying with the sender that has asked already, so that a
/// consumer is never asked by two; then one that is allowed to call; then asking; the rest by how soon.
fn preference(now: Timestamp, candidate: &Candidate<'_>, step: &Step) -> (u8, Timestamp) {
    match step {
        Step::PlaceCall { .. } => (0, now),
        Step::Wait {
            reason: Reason::AwaitingReply { .. } | Reason::PairFenced | Reason::AwaitingCall { .. },
            until,
            ..
        } => (1, *until),
        Step::Wait { until, reason, .. } if candidate.pair.permission.is_live(now) => {
            (2, reason.lifts_at().unwrap_or(*until))
        }
        Step::RequestPermission { .. } => (3, now),
        Step::Wait { until, reason, .. } => (4, reason.lifts_at().unwrap_or(*until)),
        Step::Invite { .. } => (5, now),
        Step::Finish { .. } => (6, now),
    }
}
