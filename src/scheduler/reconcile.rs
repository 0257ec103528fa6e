//! Asks the platform about attempts that nobody reports on: those whose fate is unknown, and accepted ones that
//! have been silent for longer than a call can be.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::act::{Effect, Finding, FoundCall, Question};
use super::settle::change_attempt;
use super::turn::Turn;
use crate::address::Purpose;
use crate::domain::{Attempt, AttemptId, CallProgress, LegOrder, Stage};
use crate::twilio::{Address, Call, CallFilter, Client, Error};

/// When to ask about which attempt.
#[derive(Debug, Default)]
pub(super) struct Silences {
    by_time: BTreeSet<(Timestamp, AttemptId)>,
    by_attempt: BTreeMap<AttemptId, Timestamp>,
}

/// Questions in one turn, so that a flood of them never keeps calls from leaving.
const QUESTIONS_PER_TURN: usize = 16;

impl Silences {
    /// Notes when to ask about an attempt; never, if there is nothing to wait for any more.
    pub(super) fn listen(&mut self, attempt: AttemptId, due_at: Option<Timestamp>) {
        if let Some(before) = self.by_attempt.remove(&attempt) {
            self.by_time.remove(&(before, attempt));
        }
        if let Some(at) = due_at {
            self.by_time.insert((at, attempt));
            self.by_attempt.insert(attempt, at);
        }
    }

    pub(super) fn due(&self, now: Timestamp) -> Vec<AttemptId> {
        self.by_time
            .iter()
            .take_while(|(at, _)| *at <= now)
            .take(QUESTIONS_PER_TURN)
            .map(|(_, attempt)| *attempt)
            .collect()
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.by_time.first().map(|(at, _)| *at)
    }
}

/// Asks about the attempts that have been silent for too long, and again later if that brings nothing.
pub(super) fn ask_about_silence(turn: &mut Turn<'_>) {
    let now = turn.now;
    for id in std::mem::take(&mut turn.silent) {
        let Some(attempt) = turn.work.attempts.get(id).cloned() else {
            turn.scheduler.silences.listen(id, None);
            continue;
        };
        let due = attempt.is_live() && attempt.news_due_at.is_some_and(|at| at <= now);
        if !due {
            turn.scheduler.silences.listen(id, attempt.news_due_at.filter(|_| attempt.is_live()));
            continue;
        }
        let patience = turn.scheduler.gear.settings.patience.clone();
        let again = match attempt.first_leg {
            CallProgress::InProgress => patience.in_progress,
            _ if attempt.submission.stage == Stage::Accepted => patience.ringing,
            _ => patience.unknown,
        };
        change_attempt(turn, id, |attempt| attempt.news_due_at = Some(now + again));
        if let Some(question) = question(turn, &attempt) {
            turn.effects.push(Effect::Ask { account: attempt.account, attempt: id, question });
        }
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
