//! Asks the platform about what nobody reports on: calls and messages whose fate is unknown, and calls in
//! progress, ours and the consumers', that have been silent for longer than is normal.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::outbound::{self, Effect, Finding, FoundCall, FoundMessage, News, Question};
use super::overdue::Subject;
use super::settle::change_attempt;
use super::turn::Turn;
use crate::domain::{Attempt, AttemptId, CallProgress, LegOrder, MessageId, PairKey, Stage};
use crate::hook_urls::Purpose;
use crate::store::Store;
use crate::twilio::{Address, Call, CallFilter, Client, Error};

/// What has been silent for long is asked about ever more seldom, down to this: a slot that waits for a lost
/// report is free so long after the end at the latest.
const CALL_ASKED_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// A message holds no slot.
const MESSAGE_ASKED_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Asks about what has been silent for too long, and again later if that brings nothing.
pub(super) fn ask_about_silence(turn: &mut Turn<'_>) {
    for subject in std::mem::take(&mut turn.silent) {
        match subject {
            Subject::Attempt(id) => ask_about_attempt(turn, id),
            Subject::Message(id) => ask_about_message(turn, id),
            Subject::Inbound(key) => ask_about_inbound(turn, key),
        }
    }
}

/// When to ask again about what has been under way `since` then: after a quarter of that time, within bounds.
fn ask_again(now: Timestamp, since: Timestamp, soonest: SignedDuration, latest: SignedDuration) -> Timestamp {
    let quarter = SignedDuration::from_secs(now.duration_since(since).as_secs() / 4);
    now + quarter.min(latest).max(soonest)
}

fn ask_about_attempt(turn: &mut Turn<'_>, id: AttemptId) {
    let now = turn.now;
    let Some(attempt) = turn.work.attempts.get(id).cloned().filter(Attempt::is_live) else {
        turn.scheduler.overdue.listen(Subject::Attempt(id), None);
        return;
    };
    let timeouts = turn.scheduler.deps.settings.timeouts.clone();
    let soonest = match attempt.first_leg {
        CallProgress::InProgress => timeouts.in_progress,
        _ if attempt.submission.stage == Stage::Accepted => timeouts.ringing,
        _ => timeouts.unknown,
    };
    let since = attempt.submission.submitted_at.unwrap_or(attempt.submission.intended_at);
    let again = ask_again(now, since, soonest, CALL_ASKED_EVERY);
    change_attempt(turn, id, |attempt| attempt.news_due_at = Some(again));
    if let Some(question) = question(turn, &attempt) {
        turn.effects.push(Effect::Ask { account: attempt.account, question });
    }
}

fn ask_about_message(turn: &mut Turn<'_>, id: MessageId) {
    let unknown = turn.work.messages.get(id).filter(|message| message.submission.stage == Stage::Unknown);
    let Some(message) = unknown else {
        turn.scheduler.overdue.listen(Subject::Message(id), None);
        return;
    };
    let submitted_at = message.submission.submitted_at.unwrap_or(message.submission.intended_at);
    let key = message.pair();
    let question = Question::LostMessage { message: id, key, submitted_at };
    turn.effects.push(Effect::Ask { account: message.account.clone(), question });
    let soonest = turn.scheduler.deps.settings.timeouts.ringing;
    let again = ask_again(turn.now, submitted_at, soonest, MESSAGE_ASKED_EVERY);
    turn.scheduler.overdue.listen(Subject::Message(id), Some(again));
}

fn ask_about_inbound(turn: &mut Turn<'_>, key: PairKey) {
    let pair = turn.work.pairs.get(key);
    let soonest = turn.scheduler.deps.settings.timeouts.in_progress;
    let since = pair.and_then(|pair| pair.inbound_at).unwrap_or(turn.now);
    let again = ask_again(turn.now, since, soonest, CALL_ASKED_EVERY);
    let sid = pair.and_then(|pair| pair.live_inbound.clone());
    let sender = turn.scheduler.deps.directory.sender(key.sender);
    let question = sender.zip(sid).map(|(sender, sid)| Effect::Ask {
        account: sender.account.clone(),
        question: Question::Inbound { key, sid },
    });
    turn.scheduler.overdue.listen(Subject::Inbound(key), question.as_ref().map(|_| again));
    turn.effects.extend(question);
}

fn question(turn: &Turn<'_>, attempt: &Attempt) -> Option<Question> {
    let order = attempt.order;
    if let Some(sid) = &attempt.submission.sid {
        return Some(Question::Call { attempt: attempt.id, sid: sid.clone(), order });
    }
    // Answers of requests that are still on their way come by themselves.
    if attempt.submission.stage != Stage::Unknown {
        return None;
    }
    let submitted_at = attempt.submission.submitted_at?;
    let token = turn.scheduler.deps.hook_urls.attempt(attempt.id, Purpose::Document);
    let lists = lists(outbound::ends(turn, attempt), submitted_at);
    Some(Question::LostCall { attempt: attempt.id, lists, submitted_at, token })
}

/// Which calls to look through for one that was placed at that time.
fn lists((from, to): (Address, Address), submitted_at: Timestamp) -> Vec<CallFilter> {
    let is_consumer = matches!(to, Address::WhatsApp(_));
    let between = CallFilter { from: Some(from), to: Some(to), ..CallFilter::default() };
    if is_consumer {
        return vec![between];
    }
    // An agent may have had thousands. A call in the queue has no start yet; one that leaves it after the first
    // list was made is in the second.
    let queued = CallFilter { status: Some(CallProgress::Queued), ..between.clone() };
    let started = CallFilter { started_from: Some(submitted_at + CREATED_EARLIEST), ..between };
    vec![queued, started]
}

/// The platform's clock may be a little off ours, and an answer takes a while.
const CREATED_EARLIEST: SignedDuration = SignedDuration::from_secs(-30);
const CREATED_LATEST: SignedDuration = SignedDuration::from_mins(2);

/// Whether something was created by a request of that time.
fn may_be_of(submitted_at: Timestamp, created_at: Option<Timestamp>) -> bool {
    created_at.is_none_or(|at| (CREATED_EARLIEST..=CREATED_LATEST).contains(&at.duration_since(submitted_at)))
}

/// Puts the question to the platform.
pub(super) async fn ask(client: &Client, store: &dyn Store, question: Question) -> News {
    match question {
        Question::Call { attempt, sid, order } => {
            let finding = finding(known_call(client, &sid, order).await.map(Some));
            News::Asked { attempt, finding }
        }
        Question::LostCall { attempt, lists, submitted_at, token } => {
            let finding = match unclaimed(client, store, attempt, &lists, submitted_at).await {
                Some(candidates) => finding(seek_call(client, candidates, &token).await.map(Some)),
                None => Finding::NoAnswer,
            };
            News::Sought { attempt, finding }
        }
        Question::LostMessage { message, key, submitted_at } => {
            let found = seek_message(client, key, submitted_at).await;
            News::SoughtMessage { message, finding: finding(found.map(Some)) }
        }
        Question::Inbound { key, sid } => {
            let found = known_call(client, &sid, LegOrder::ConsumerFirst).await;
            News::AskedInbound { key, sid, finding: finding(found.map(Some)) }
        }
    }
}

fn finding<T>(found: Result<Option<T>, Error>) -> Finding<T> {
    match found {
        Ok(Some(found)) => Finding::Found(found),
        Ok(None) | Err(Error::NotFound) => Finding::Absent,
        Err(error) => {
            tracing::info!(error = &error as &dyn std::error::Error, "the platform could not be asked");
            Finding::NoAnswer
        }
    }
}

/// A call by its name, with the consumer's leg where an agent was called first: what became of the consumer
/// is not in the agent's call.
async fn known_call(client: &Client, sid: &str, order: LegOrder) -> Result<FoundCall, Error> {
    let call = client.fetch_call(sid).await?;
    let leg = if order == LegOrder::AgentFirst {
        let filter = CallFilter { parent_call_sid: Some(sid.to_owned()), ..CallFilter::default() };
        let to_consumer = |call: &Call| matches!(call.to, Some(Address::WhatsApp(_)));
        client.list_calls(&filter).await?.into_iter().find(to_consumer)
    } else {
        None
    };
    let leg = leg.map(|leg| found_call(leg, None)).transpose()?;
    found_call(call, leg)
}

fn found_call(call: Call, leg: Option<FoundCall>) -> Result<FoundCall, Error> {
    let progress = call.progress().map_err(|word| Error::Unexpected(word.to_string().into()))?;
    Ok(FoundCall {
        sid: call.sid,
        progress,
        ended_at: call.end_time,
        duration_s: call.duration_s,
        leg: leg.map(Box::new),
    })
}

/// The messages that were sent between the two at that time. A message does not say what asked for it.
async fn seek_message(
    client: &Client,
    key: PairKey,
    submitted_at: Timestamp,
) -> Result<Vec<FoundMessage>, Error> {
    let messages = client.list_messages(key.sender, key.consumer).await?;
    let sent = messages.into_iter().filter(|message| {
        message.direction.as_deref() != Some("inbound") && may_be_of(submitted_at, message.date_created)
    });
    sent.map(|message| {
        let progress = message.progress().map_err(|word| Error::Unexpected(word.to_string().into()))?;
        Ok(FoundMessage { sid: message.sid, progress, error_code: message.error_code })
    })
    .collect()
}

/// The calls of the lists and of that time that no other attempt is known to have; the queue of a busy exchange
/// holds many. `None` if there was no answer.
async fn unclaimed(
    client: &Client,
    store: &dyn Store,
    attempt: AttemptId,
    lists: &[CallFilter],
    submitted_at: Timestamp,
) -> Option<Vec<Call>> {
    let mut candidates: BTreeMap<String, Call> = BTreeMap::new();
    for list in lists {
        let Finding::Found(listed) = finding(client.list_calls(list).await.map(Some)) else { return None };
        let listed = listed.into_iter().filter(|call| may_be_of(submitted_at, call.date_created));
        candidates.extend(listed.map(|call| (call.sid.clone(), call)));
    }
    let sids: Vec<String> = candidates.keys().cloned().collect();
    for other in store.attempts_by_sid(&sids).await.ok()?.into_iter().filter(|other| other.id != attempt) {
        other.submission.sid.and_then(|sid| candidates.remove(&sid));
    }
    Some(candidates.into_values().collect())
}

/// The call that was placed with our address in it, or the calls that name nobody's. The log of a call names the
/// addresses that the platform requested for it, so it proves which attempt a call belongs to, even where numbers
/// do not.
async fn seek_call(client: &Client, candidates: Vec<Call>, address: &str) -> Result<Vec<FoundCall>, Error> {
    let ours = |url: &str| token_of(url) == token_of(address);
    let mut silent = Vec::new();
    for call in candidates {
        let events = client.call_events(&call.sid).await?;
        if events.iter().any(|event| ours(&event.url)) {
            return Ok(vec![found_call(call, None)?]);
        }
        // A log may hold other requests as well, such as somebody's look at the call.
        if events.iter().all(|event| token_of(&event.url).is_none()) {
            silent.push(found_call(call, None)?);
        }
    }
    Ok(silent)
}

fn token_of(url: &str) -> Option<&str> {
    url.split("/hooks/calls/").nth(1)?.split('/').next()
}
