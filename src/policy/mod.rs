//! Decides the next step of a callback, with its reason. Pure functions of domain values, rules and `now`.
//!
//! There is no I/O, clock, randomness, async, store or platform here. A decision never fails: what prevents a
//! call is a [`Reason`]. Explanations for people come from the same code that decides.

pub mod after_attempt;
pub mod breaker;
pub mod errors;
pub mod ladder;
pub mod lease;
pub mod ledger;
pub mod limits;
pub mod lineage;
pub mod presets;
pub mod rolling;
pub mod window;

mod addressee;
mod answered;
mod caps;
mod clock_watch;
mod cooldown;
mod dialling;
mod ground;
mod grouping;
mod missed_calls;
mod missed_window;
mod paused;
mod permission_request;
mod person;
mod preview;
mod ranking;
mod resources;
mod rules;
mod shift;
mod situation;
mod step;
mod unknown_codes;

#[cfg(test)]
mod histories;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

pub use addressee::{Addressee, may_be_sent};
pub use answered::{Speech, speech};
pub use caps::{Caps, day_ends};
pub use clock_watch::{ClockWatch, JUMP_MAX};
pub use cooldown::Cooldown;
pub use ground::{Leaving, may_leave};
pub use grouping::of_one_group;
pub use ladder::{Rung, Standing};
pub use limits::{Limits, Profile, Rolling};
pub use missed_calls::{Earlier, Missed, MissedCallRule, NotMade};
pub use permission_request::useful_from;
pub use person::{People, PersonView, refusal_by_code};
pub use ranking::{aged, expires_at};
pub use resources::{Ceilings, holds};
pub use rules::{AskAgain, Counting, InviteRules, Misses, PeopleRules, Queueing, RestingRoad, Retry, Rules};
pub use shift::shifted;
pub use situation::{Candidate, Situation, Surroundings};
pub use step::{Assessment, Step};
pub use unknown_codes::{PAUSE as UNKNOWN_CODE_PAUSE, UnknownCodes};

use std::collections::BTreeMap;

use crate::domain::calendar::Opening;
use crate::domain::suppression::{Errand, ListTerm, Outgoing};
use crate::domain::{
    AccountAlias, AgentTarget, Budget, Calendars, CallPermission, Callback, Contact, Gate, LegOrder,
    MissedWindow, OrderKind, Outcome, Pair, Phone, Purpose, Reason, RefusalKind, Register, Sender,
};

/// The next step of a callback that is waiting.
#[must_use]
pub fn next_step(now: Timestamp, situation: &Situation<'_>, rules: &Rules) -> Step {
    assess(now, situation, rules).step
}

/// The next step with all reasons, as shown by `explain`.
#[must_use]
pub fn assess(now: Timestamp, situation: &Situation<'_>, rules: &Rules) -> Assessment {
    let latest = situation.callback.order.latest;
    if situation.held == Some(Reason::CallbackSetAside) {
        // The rules are what failed.
        return finish(None, Outcome::Failed, Reason::CallbackSetAside)
            .held(Reason::CallbackSetAside, latest);
    }
    if let Some((outcome, reason)) = ended(now, situation, rules) {
        return finish(None, outcome, reason);
    }
    let best = match missed_window::missed(now, situation) {
        Some((_, reason)) => asks(reason, latest),
        None => {
            let mut best = best(now, situation, rules);
            missed_window::end_with(&mut best.step, situation);
            best
        }
    };
    match &situation.held {
        Some(reason) => best.held(reason.clone(), latest),
        None => best,
    }
}

/// A callback that waits for somebody to decide.
fn asks(reason: Reason, latest: Timestamp) -> Assessment {
    let binding = vec![reason.clone()];
    let step = Step::Wait { until: latest, gate: None, reason };
    Assessment { step, sender: None, binding, is_about_invites: false }
}

/// The step of the sender that can do most.
fn best(now: Timestamp, situation: &Situation<'_>, rules: &Rules) -> Assessment {
    let refused = situation.candidates.iter().any(|candidate| has_refused(now, &candidate.pair));
    let mut assessed: Vec<_> = situation
        .candidates
        .iter()
        .map(|candidate| (candidate, for_sender(now, situation, candidate, refused, rules)))
        .collect();
    assessed.sort_by_key(|(candidate, assessment)| preference(now, candidate, assessment));
    let mut assessments = assessed.into_iter().map(|(_, assessment)| assessment);
    let Some(mut best) = assessments.next() else {
        return match refusal(situation, rules) {
            Some(kind) => finish(None, Outcome::Declined, Reason::PersonRefuses { kind }),
            None => finish(None, Outcome::Failed, Reason::SenderUnknown),
        };
    };
    for other in assessments {
        wake_for(&mut best.step, &other.step);
    }
    best
}

/// A callback that waits for one sender must also wake when another sender can call.
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

/// Checks again, right before dialling, that the permission is live, the hours are open, the deadline is not
/// reached, nothing forbids the call, and the callback is neither canceled nor reached by an earlier call. `account` is
/// that of the attempt.
#[must_use]
pub fn may_still_ring(
    now: Timestamp,
    callback: &Callback,
    account: &AccountAlias,
    (pair, person): (&Pair, &PersonView),
    calendars: &Calendars,
    rules: &PeopleRules,
) -> bool {
    let order = &callback.order;
    pair.permission.is_live(now)
        && !person.is_calling
        && person.refuses(pair.key.sender, Some(order.purpose), rules).is_none()
        && person.suppressed(now, Outgoing::Call, &Errand::of(order, account)).is_none()
        && order.hours.as_ref().is_none_or(|hours| window::may_dial(calendars.opening(hours), now))
        && now < order.latest
        && !order.lacks_consent(now)
        && callback.cancel_requested_at.is_none()
        && callback.reached_late_at.is_none()
}

/// The agent of a call that begins at `at`: that of the callback, or else the sender's agent.
#[must_use]
pub fn agent<'a>(callback: &'a Callback, sender: &'a Sender, at: Timestamp) -> Option<&'a AgentTarget> {
    callback.agent_at(at).or(sender.agent.as_ref())
}

/// Reasons that end a callback for every sender.
fn ended(now: Timestamp, situation: &Situation<'_>, rules: &Rules) -> Option<(Outcome, Reason)> {
    let callback = situation.callback;
    let order = &callback.order;
    if callback.reached_late_at.is_some() {
        return Some((Outcome::Reached, Reason::Answered));
    }
    if callback.cancel_requested_at.is_some() {
        return Some((Outcome::Canceled, Reason::CustomerCanceled));
    }
    if now >= order.latest {
        return Some(at_deadline(now, situation, rules));
    }
    if order.kind == OrderKind::Callback && situation.document.is_none() {
        return Some((Outcome::Failed, Reason::DocumentUnknown));
    }
    if let Some(hours) = order.hours.as_ref().filter(|hours| situation.calendars.lack(hours)) {
        let calendar = hours.calendar.clone()?;
        return Some((Outcome::Failed, Reason::CalendarUnknown { calendar }));
    }
    if let Some((MissedWindow::Close, reason)) = missed_window::missed(now, situation) {
        return Some((Outcome::Expired, reason));
    }
    if let Some(prefix) = rules.bars(order.consumer) {
        return Some((Outcome::Failed, Reason::DestinationBarred { prefix }));
    }
    if order.lacks_consent(now) {
        return Some((Outcome::Failed, Reason::NoConsent));
    }
    if callback.faults >= rules.faults_max {
        return Some((Outcome::Failed, Reason::TooManyFaults { faults: callback.faults }));
    }
    None
}

/// The outcome of a callback at its deadline: its reason, if that reason alone ends callbacks. A refusal counts also if
/// its sender is not configured any more, or the sender's record of it has lapsed.
fn at_deadline(now: Timestamp, situation: &Situation<'_>, rules: &Rules) -> (Outcome, Reason) {
    let Callback { order, attempts_made, .. } = situation.callback;
    if order.kind == OrderKind::Callback && *attempts_made >= order.attempts_max {
        (Outcome::Exhausted, Reason::AttemptsUsed { used: *attempts_made, max: order.attempts_max })
    } else if let Some(kind) = refusal(situation, rules) {
        (Outcome::Declined, Reason::PersonRefuses { kind })
    } else if situation.candidates.iter().any(|candidate| has_refused(now, &candidate.pair)) {
        (Outcome::Declined, Reason::Declined)
    } else {
        (Outcome::Expired, Reason::DeadlinePassed { latest: order.latest })
    }
}

/// The person's refusal of any sender of the order, configured or not.
fn refusal(situation: &Situation<'_>, rules: &Rules) -> Option<RefusalKind> {
    let Situation { person, callback, .. } = situation;
    let order = &callback.order;
    order.senders.iter().find_map(|sender| person.refuses(*sender, Some(order.purpose), &rules.people))
}

/// Whether the consumer's last answer to this sender was a refusal.
fn has_refused(now: Timestamp, pair: &Pair) -> bool {
    match pair.permission {
        CallPermission::Declined { until } => now < until,
        CallPermission::RevokedByConsumer => true,
        _ => false,
    }
}

/// The next step if this sender were the only one. `refused`: the consumer refused any of the senders.
fn for_sender(
    now: Timestamp,
    situation: &Situation<'_>,
    candidate: &Candidate<'_>,
    refused: bool,
    rules: &Rules,
) -> Assessment {
    let pair = lapsed(now, candidate);
    let assessment = assess_case(&Case::of(now, situation, candidate, &pair, refused, rules));
    at_calendar(assessment, &situation.calendars)
}

/// A callback whose calendar keeps it waiting also waits at the gate of the calendar: a day may be opened.
fn at_calendar(mut assessment: Assessment, calendars: &Calendars) -> Assessment {
    let closed = |reason: &Reason| match reason {
        Reason::CalendarClosed { calendar, .. } => Some(calendar.clone()),
        _ => None,
    };
    let Step::Wait { gate, reason, .. } = &mut assessment.step else { return assessment };
    let Some(calendar) = closed(reason).or_else(|| assessment.binding.iter().find_map(closed)) else {
        return assessment;
    };
    let own = Gate::Calendar(calendar.clone(), calendars.version(&calendar));
    *gate = Some(match gate.take() {
        Some(gate) => gate.or(own),
        None => own,
    });
    assessment
}

/// The ledger of a candidate with expired entries ended.
fn lapsed(now: Timestamp, candidate: &Candidate<'_>) -> Pair {
    let mut pair = candidate.pair.clone();
    ledger::lapse(&mut pair, now);
    pair
}

/// The ladder of each sender of the callback: every road, and whether it is open. As the scheduler reads it.
#[must_use]
pub fn ladders(now: Timestamp, situation: &Situation<'_>, rules: &Rules) -> Vec<(Phone, Vec<Rung>)> {
    let refused = situation.candidates.iter().any(|candidate| has_refused(now, &candidate.pair));
    let ladder = |candidate: &Candidate<'_>| {
        let pair = lapsed(now, candidate);
        (candidate.sender.number, Case::of(now, situation, candidate, &pair, refused, rules).rungs())
    };
    situation.candidates.iter().map(ladder).collect()
}

fn assess_case(case: &Case<'_>) -> Assessment {
    let Case { callback, pair, person, rules, .. } = *case;
    let order = &callback.order;
    let sender = case.sender.number;
    if let Some(reason) = case.unasked_register() {
        return case.paused(case.wait(order.latest, None, reason));
    }
    if let Some(reason) = case.expired_list() {
        return case.paused(case.wait(order.latest, None, reason));
    }
    if case.only_invites() {
        return case.paused(case.invite_only().in_order(Vec::new()));
    }
    if let Some(kind) = person.refuses(sender, Some(order.purpose), &rules.people) {
        return case.paused(case.refused_by_person(kind));
    }
    if let Some(reason) = case.suppressed(Outgoing::Call) {
        return case.paused(case.give_up(Outcome::Declined, reason));
    }
    if case.document == Some(LegOrder::AgentFirst) && agent(callback, case.sender, case.now).is_none() {
        return finish(Some(sender), Outcome::Failed, Reason::NoAgent);
    }
    if callback.attempts_made >= order.attempts_max {
        let reason = Reason::AttemptsUsed { used: callback.attempts_made, max: order.attempts_max };
        return case.paused(case.give_up(Outcome::Exhausted, reason).in_order(Vec::new()));
    }
    let dialling::When { at, binding } = dialling::earliest(case);
    let Some(dial_at) = at.filter(|&at| at < order.latest) else {
        let outcome = if callback.attempts_made > 0 { Outcome::Exhausted } else { Outcome::Expired };
        let assessment = case.give_up(outcome, Reason::NoTimeLeft { latest: order.latest });
        return case.paused(assessment.in_order(Vec::new()));
    };
    let permitted = pair.permission.is_live(dial_at);
    let assessment = if permitted {
        dialling::assess(case, dial_at, &binding)
    } else {
        permission_request::assess(case, dial_at)
    };
    case.paused(assessment.in_order(binding))
}

/// One callback with one sender.
struct Case<'a> {
    now: Timestamp,
    callback: &'a Callback,
    sender: &'a Sender,
    /// The ledger with expired entries ended.
    pair: &'a Pair,
    candidate: &'a Candidate<'a>,
    person: &'a PersonView,
    /// The consumer refused this sender or another sender of the callback.
    refused: bool,
    /// What the callback's token may use.
    budget: Option<&'a Budget>,
    /// What the callback's document calls first, if it is loaded.
    document: Option<LegOrder>,
    /// The consumer at the pages of Messenger.
    contacts: &'a BTreeMap<AccountAlias, Contact>,
    /// When calls are allowed; `None` at any time.
    hours: Option<Opening<'a>>,
    /// The terms of imported suppression lists.
    list_terms: &'a [ListTerm],
    rules: &'a Rules,
}

impl<'a> Case<'a> {
    /// `pair` is the candidate's, with expired entries ended.
    fn of(
        now: Timestamp,
        situation: &'a Situation<'a>,
        candidate: &'a Candidate<'a>,
        pair: &'a Pair,
        refused: bool,
        rules: &'a Rules,
    ) -> Self {
        let Situation { callback, person, document, contacts, .. } = situation;
        let budget = situation.budget.as_deref();
        let sender = candidate.sender;
        Self {
            now,
            callback,
            sender,
            pair,
            candidate,
            person,
            refused,
            budget,
            document: *document,
            contacts,
            hours: situation.hours(),
            list_terms: &situation.list_terms,
            rules,
        }
    }
}

impl Case<'_> {
    /// The consumer said no to this sender, or to every sender: nothing more leaves. One who had asked to be called
    /// may still be invited, if the operator wants that.
    fn declined(&self, reason: Reason) -> Assessment {
        let is_wanted = self.callback.order.purpose == Purpose::Requested;
        if self.rules.people.invite_after_decline && is_wanted {
            return self.give_up(Outcome::Declined, reason);
        }
        finish(Some(self.sender.number), Outcome::Declined, reason)
    }

    fn refused_by_person(&self, kind: RefusalKind) -> Assessment {
        let reason = Reason::PersonRefuses { kind };
        match kind {
            RefusalKind::Decline => self.declined(reason),
            _ => finish(Some(self.sender.number), Outcome::Declined, reason),
        }
    }

    /// Why a suppression list forbids this to the sender.
    fn suppressed(&self, what: Outgoing) -> Option<Reason> {
        let errand = Errand::of(&self.callback.order, &self.sender.account);
        self.person.suppressed(self.now, what, &errand)
    }

    /// Why nothing leaves before a register was asked about the person. Somebody who is suppressed anyway is not waited for.
    fn unasked_register(&self) -> Option<Reason> {
        let order = &self.callback.order;
        let entries = &self.person.suppressions;
        let is_due = |register: &&Register| {
            register.required
                && register.binds(order.purpose, order.consumer)
                && !register.was_asked(entries, self.now)
        };
        let register = self.rules.registers.iter().find(is_due)?;
        if self.suppressed(Outgoing::Call).is_some() || self.suppressed(Outgoing::Invite).is_some() {
            return None;
        }
        Some(Reason::RegisterStale { list: register.list.clone() })
    }

    /// Why nothing leaves before a list that binds the callback is imported again. Somebody who is suppressed anyway is not
    /// waited for.
    fn expired_list(&self) -> Option<Reason> {
        let order = &self.callback.order;
        let reason =
            self.rules.expired_list(self.now, self.list_terms, Some(order.purpose), order.consumer)?;
        if self.suppressed(Outgoing::Call).is_some() || self.suppressed(Outgoing::Invite).is_some() {
            return None;
        }
        Some(reason)
    }

    fn wait(&self, until: Timestamp, gate: Option<Gate>, reason: Reason) -> Assessment {
        let until = until.min(self.turns_at());
        let step = Step::Wait { until, gate, reason: reason.clone() };
        Assessment { step, sender: Some(self.sender.number), binding: vec![reason], is_about_invites: false }
    }

    /// The next time at which the case changes by itself: its permission, request or refusal ends, a consent that it
    /// needs ends, others than its assigned agent may be called, its hours close for the last time before the deadline, or the deadline is reached.
    fn turns_at(&self) -> Timestamp {
        let order = &self.callback.order;
        let closed_for_good = ranking::closes_for_good(self.now, order, self.hours);
        let ends = match self.pair.permission {
            CallPermission::Temporary { expires_at } | CallPermission::Requested { expires_at } => {
                Some(expires_at)
            }
            CallPermission::Declined { until } => Some(until),
            _ => None,
        };
        let needed = order.consent.as_ref().filter(|_| order.purpose == Purpose::Marketing);
        let consent_ends = needed.and_then(|consent| consent.expires_at);
        let offer_ends = preview::turns_at(self.callback);
        let turns =
            [closed_for_good, ends, consent_ends, order.exclusive_until(), offer_ends].into_iter().flatten();
        let turns = turns.filter(|&at| at > self.now);
        turns.fold(order.latest, Timestamp::min)
    }
}

fn finish(sender: Option<Phone>, outcome: Outcome, reason: Reason) -> Assessment {
    let step = Step::Finish { outcome, reason: reason.clone() };
    Assessment { step, sender, binding: vec![reason], is_about_invites: false }
}

/// Ranks the senders' steps: a call now; then the sender with an open request, so that a consumer is not
/// asked by two; then a sender with a permission; then a permission request; the rest by time. A sender that an
/// operator paused counts among the rest, whatever it could do. What one sender waits for before it can invite keeps no
/// other one from inviting.
fn preference(now: Timestamp, candidate: &Candidate<'_>, assessment: &Assessment) -> (u8, Timestamp) {
    match &assessment.step {
        Step::PlaceCall { .. } => (0, now),
        Step::Wait {
            reason: Reason::AwaitingReply { .. } | Reason::PairFenced | Reason::AwaitingCall { .. },
            until,
            ..
        } => (1, *until),
        Step::Wait { until, reason, .. } if assessment.is_about_invites => {
            (5, reason.lifts_at().unwrap_or(*until))
        }
        Step::Wait { until, reason, .. } if reason.is_a_pause() => match candidate.is_asking(now) {
            true => (1, *until),
            false => (4, reason.lifts_at().unwrap_or(Timestamp::MAX)),
        },
        Step::Wait { until, reason, .. } if candidate.pair.permission.is_live(now) => {
            (2, reason.lifts_at().unwrap_or(*until))
        }
        // The sender that has asked before asks again, and no other one.
        Step::RequestPermission { .. } if candidate.pair.unanswered > 0 => (3, Timestamp::MIN),
        Step::RequestPermission { .. } => (3, now),
        Step::Wait { until, reason, .. } => (4, reason.lifts_at().unwrap_or(*until)),
        Step::Invite { .. } => (5, Timestamp::MIN),
        Step::Finish { .. } => (6, now),
    }
}
