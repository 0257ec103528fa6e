//! Asks the platform about attempts that nobody reports on: those whose fate is unknown, and accepted ones that
//! have been silent for longer than a call can be.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::act::{Effect, Finding, FoundCall, Question};
use super::settle::change_attempt;
use super::turn::Turn;
use crate::address::Purpose;
use crate::domain::{Attempt, AttemptId, CallProgress, LegOrder, PairKey, Stage};
use crate::twilio::{Address, Call, CallFilter, Client, Error};

/// What can be silent for too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    Attempt(AttemptId),
    /// The consumer's own call to the sender.
    Inbound(PairKey),
}

/// When to ask about what.
#[derive(Debug, Default)]
pub(super) struct Silences {
    by_time: BTreeSet<(Timestamp, Subject)>,
    by_subject: BTreeMap<Subject, Timestamp>,
}

/// Questions in one turn, so that a flood of them never keeps calls from leaving.
const QUESTIONS_PER_TURN: usize = 16;

impl Silences {
    /// Notes when to ask; never, if there is nothing to wait for any more.
    pub(super) fn listen(&mut self, subject: Subject, due_at: Option<Timestamp>) {
        if let Some(before) = self.by_subject.remove(&subject) {
            self.by_time.remove(&(before, subject));
        }
        if let Some(at) = due_at {
            self.by_time.insert((at, subject));
            self.by_subject.insert(subject, at);
        }
    }

    pub(super) fn due(&self, now: Timestamp) -> Vec<Subject> {
        self.by_time
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(QUESTIONS_PER_TURN)
            .map(|(_, subject)| *subject)
            .collect()
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }
}

/// When to ask about what the turn has changed, if nothing is heard of it before.
pub(super) fn silences(turn: &Turn<'_>) -> Vec<(Subject, Option<Timestamp>)> {
    let attempts = turn
        .work
        .attempts
        .changed()
        .map(|(id, attempt)| (Subject::Attempt(id), attempt.news_due_at.filter(|_| attempt.is_live())));
    let again = turn.now + turn.scheduler.gear.settings.patience.in_progress;
    let inbound = turn
        .work
        .pairs
        .changed()
        .map(|(key, pair)| (Subject::Inbound(key), pair.live_inbound.is_some().then_some(again)));
    attempts.chain(inbound).collect()
}

/// Asks about what has been silent for too long, and again later if that brings nothing.
pub(super) fn ask_about_silence(turn: &mut Turn<'_>) {
    for subject in std::mem::take(&mut turn.silent) {
        match subject {
            Subject::Attempt(id) => ask_about_attempt(turn, id),
            Subject::Inbound(pair) => ask_about_inbound(turn, pair),
        }
    }
}

fn ask_about_inbound(turn: &mut Turn<'_>, key: PairKey) {
    let subject = Subject::Inbound(key);
    let sid = turn.work.pairs.get(key).and_then(|pair| pair.live_inbound.clone());
    let account = turn.scheduler.gear.directory.sender(key.sender).map(|sender| sender.account.clone());
    let again = turn.now + turn.scheduler.gear.settings.patience.in_progress;
    turn.scheduler.silences.listen(subject, sid.as_ref().map(|_| again));
    if let (Some(sid), Some(account)) = (sid, account) {
        turn.effects.push(Effect::Ask { account, about: subject, question: Question::BySid(sid) });
    }
}

fn ask_about_attempt(turn: &mut Turn<'_>, id: AttemptId) {
    let now = turn.now;
    let subject = Subject::Attempt(id);
    let Some(attempt) = turn.work.attempts.get(id).cloned() else {
        return turn.scheduler.silences.listen(subject, None);
    };
    let due_at = attempt.news_due_at.filter(|_| attempt.is_live());
    if due_at.is_none_or(|at| at > now) {
        return turn.scheduler.silences.listen(subject, due_at);
    }
    let patience = turn.scheduler.gear.settings.patience.clone();
    let again = match attempt.first_leg {
        CallProgress::InProgress => patience.in_progress,
        _ if attempt.submission.stage == Stage::Accepted => patience.ringing,
        _ => patience.unknown,
    };
    change_attempt(turn, id, |attempt| attempt.news_due_at = Some(now + again));
    if let Some(question) = question(turn, &attempt) {
        turn.effects.push(Effect::Ask { account: attempt.account, about: subject, question });
    }
}

fn question(turn: &Turn<'_>, attempt: &Attempt) -> Option<Question> {
    if let Some(sid) = &attempt.submission.sid {
        return Some(Question::BySid(sid.clone()));
    }
    // Answers of requests that are still on their way come by themselves.
    if attempt.submission.stage != Stage::Unknown {
        return None;
    }
    let submitted_at = attempt.submission.submitted_at?;
    let filter = match attempt.order {
        LegOrder::ConsumerFirst => CallFilter {
            from: Some(Address::WhatsApp(attempt.sender)),
            to: Some(Address::WhatsApp(attempt.consumer)),
            ..CallFilter::default()
        },
        LegOrder::AgentFirst => {
            let agent = turn.work.callbacks.get(attempt.callback)?.order.agent.as_ref()?.to_string();
            let to = agent.parse().unwrap_or_else(|never| match never {});
            CallFilter { to: Some(to), ..CallFilter::default() }
        }
    };
    let token = turn.scheduler.gear.addresses.attempt(attempt.id, Purpose::Document);
    // The platform's clock may be a little behind ours.
    let not_before = submitted_at - SignedDuration::from_secs(30);
    Some(Question::ByNumbers { filter, not_before, token })
}

/// Puts the question to the platform.
pub(super) async fn ask(client: &Client, question: Question) -> Finding {
    let found = match question {
        Question::BySid(sid) => client.fetch_call(&sid).await.map(Some),
        Question::ByNumbers { filter, not_before, token } => find(client, &filter, not_before, &token).await,
    };
    match found {
        Ok(Some(call)) => match call.progress() {
            Ok(progress) => Finding::Call(FoundCall {
                sid: call.sid,
                progress,
                ended_at: call.end_time,
                duration_s: call.duration_s,
            }),
            Err(_) => Finding::NoAnswer,
        },
        Ok(None) | Err(Error::NotFound) => Finding::Absent,
        Err(error) => {
            tracing::info!(
                error = &error as &dyn std::error::Error,
                "the platform could not be asked about an attempt"
            );
            Finding::NoAnswer
        }
    }
}

/// Finds the call that was placed with our address in it. The log of a call names the addresses that the
/// platform requested for it, so it proves which attempt a call belongs to, even where numbers do not.
async fn find(
    client: &Client,
    filter: &CallFilter,
    not_before: Timestamp,
    address: &str,
) -> Result<Option<Call>, Error> {
    let candidates = client.list_calls(filter).await?;
    let recent = candidates.into_iter().filter(|call| call.date_created.is_none_or(|at| at >= not_before));
    let ours = |url: &str| token_of(url) == token_of(address);
    let mut silent = Vec::new();
    for call in recent {
        let events = client.call_events(&call.sid).await?;
        if events.iter().any(|event| ours(&event.url)) {
            return Ok(Some(call));
        }
        if events.is_empty() {
            silent.push(call);
        }
    }
    // A call for which nothing was requested yet is ours if it is the only one: the pair is fenced, so no
    // other call between the two can have been placed by us since.
    Ok(if silent.len() == 1 { silent.pop() } else { None })
}

fn token_of(url: &str) -> Option<&str> {
    url.split("/hooks/calls/").nth(1)?.split('/').next()
}
