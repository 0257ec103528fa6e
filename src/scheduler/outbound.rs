//! What leaves the daemon: requests to the platform, each sent once and only after its commit.

use std::collections::BTreeSet;

use super::messages;
use super::request::{Done, Effect, News, Question};
use super::settle::{self, change_attempt};
use super::state::{Intended, Scheduler};
use super::turn::Turn;
use crate::domain::{AccountAlias, Attempt, AttemptId, CallbackId, LegOrder, Message, MessageId, Stage};
use crate::failpoint::failpoint;
use crate::platform::{CallPlan, Callee, Finding, FoundCall, Health, LostCall, MessagePlan, Platform, Reply};
use crate::policy::{self, may_still_be_sent, may_still_ring};
use crate::store::Store;

/// Moves an intent on: submits it, or withdraws it if its ground has gone. `false` if its account has no room.
pub(super) fn submit(turn: &mut Turn<'_>, intended: Intended) -> bool {
    match intended {
        Intended::Call(id) => submit_call(turn, id),
        Intended::Message(id) => submit_message(turn, id),
    }
}

fn submit_call(turn: &mut Turn<'_>, id: AttemptId) -> bool {
    let now = turn.now;
    let Some(attempt) = turn.work.attempts.get(id).cloned() else { return true };
    if attempt.submission.stage != Stage::Intent {
        return true;
    }
    let callee = callee(turn, &attempt).filter(|_| still_grounded(turn, &attempt));
    let Some(callee) = callee else {
        change_attempt(turn, id, |attempt| _ = attempt.submission.withdraw());
        settle::wake(turn, attempt.callback, now);
        return true;
    };
    if !has_room(turn, &attempt.account) {
        return false;
    }
    let settings = turn.scheduler.deps.settings.clone();
    change_attempt(turn, id, |attempt| {
        attempt.submission.submit(now);
        attempt.news_due_at = Some(now + settings.timeouts.unknown);
    });
    let plan = CallPlan {
        attempt: id,
        pair: attempt.pair(),
        callee,
        ring_timeout_s: settings.ring_timeout_s,
        time_limit_s: settings.time_limit_s,
    };
    turn.effects.push(Effect::PlaceCall { account: attempt.account, plan });
    true
}

fn submit_message(turn: &mut Turn<'_>, id: MessageId) -> bool {
    let now = turn.now;
    let Some(message) = turn.work.messages.get(id).cloned() else { return true };
    if message.submission.stage != Stage::Intent {
        return true;
    }
    if callback_has_ended(turn, message.callback) || !may_leave(turn, &message) {
        messages::change(turn, id, |message| _ = message.submission.withdraw());
        return true;
    }
    if !has_room(turn, &message.account) {
        return false;
    }
    messages::change(turn, id, |message| _ = message.submission.submit(now));
    let plan =
        MessagePlan { message: id, purpose: message.purpose, pair: message.pair(), content: message.content };
    turn.effects.push(Effect::SendMessage { account: message.account, plan });
    true
}

/// Whether what the decision stood on still stands, now that the call is about to leave.
fn still_grounded(turn: &Turn<'_>, attempt: &Attempt) -> bool {
    let now = turn.now;
    let key = attempt.pair();
    let Some(callback) = turn.work.callbacks.get(attempt.callback) else { return false };
    turn.work
        .pairs
        .get(key)
        .is_some_and(|pair| pair.live_attempt == Some(attempt.id) && may_still_ring(now, callback, pair))
}

/// Whether the content that was decided on may still be sent.
fn may_leave(turn: &Turn<'_>, message: &Message) -> bool {
    let deps = &turn.scheduler.deps;
    let key = message.pair();
    let known = deps.directory.sender(message.sender).zip(turn.work.pairs.get(key));
    known.is_some_and(|(sender, pair)| {
        may_still_be_sent(turn.now, &message.content, sender, pair, &deps.rules)
    })
}

fn callback_has_ended(turn: &Turn<'_>, id: CallbackId) -> bool {
    turn.work.callbacks.get(id).is_none_or(|callback| {
        callback.is_closed() || callback.cancel_requested_at.is_some() || turn.now >= callback.order.latest
    })
}

/// Takes room for one request, if the account has any.
fn has_room(turn: &mut Turn<'_>, account: &AccountAlias) -> bool {
    let Some(pace) = turn.scheduler.paces.get_mut(account) else { return false };
    let room = pace.may_send();
    if room {
        pace.sent();
    }
    room
}

/// Whose phone the call of an attempt rings first; `None` if that is an agent and nobody names one any more.
pub(super) fn callee(turn: &Turn<'_>, attempt: &Attempt) -> Option<Callee> {
    match attempt.order {
        LegOrder::ConsumerFirst => Some(Callee::Consumer),
        LegOrder::AgentFirst => {
            let sender = turn.scheduler.deps.directory.sender(attempt.sender)?;
            let callback = turn.work.callbacks.get(attempt.callback)?;
            policy::agent(&callback.order, sender).cloned().map(Callee::Agent)
        }
    }
}

/// Gives back the room of requests that did not leave after all.
pub(super) fn unsend(scheduler: &mut Scheduler, effects: &[Effect]) {
    for effect in effects {
        if let Effect::PlaceCall { account, .. } | Effect::SendMessage { account, .. } = effect
            && let Some(pace) = scheduler.paces.get_mut(account)
        {
            pace.unsent();
        }
    }
}

/// Lets a request leave. Its answer comes back as [`Done`].
pub(super) fn perform(scheduler: &mut Scheduler, effect: Effect) {
    let account = match &effect {
        Effect::PlaceCall { account, .. }
        | Effect::SendMessage { account, .. }
        | Effect::HangUp { account, .. }
        | Effect::Ask { account, .. } => account.clone(),
    };
    let Some(platform) = scheduler.deps.accounts.get(&account).map(|account| account.platform.clone()) else {
        return;
    };
    let report = scheduler.report_done.clone();
    let store = scheduler.deps.store.clone();
    let is_question = matches!(effect, Effect::Ask { .. });
    let room = is_question.then(|| scheduler.questions.hold());
    scheduler.requests.spawn(async move {
        let (health, news) = request(&*platform, &*store, effect).await;
        drop(room);
        failpoint!("answer.came", health.is_some());
        // Nobody listens any more only when the scheduler has been dropped.
        let _ = report.send(Done { account, health, news });
    });
}

async fn request(platform: &dyn Platform, store: &dyn Store, effect: Effect) -> (Option<Health>, News) {
    match effect {
        Effect::PlaceCall { plan, .. } => {
            let Reply { answer, health } = platform.place(&plan).await;
            (Some(health), News::Call { attempt: plan.attempt, answer })
        }
        Effect::SendMessage { plan, .. } => {
            let Reply { answer, health } = platform.send(&plan).await;
            (Some(health), News::Message { message: plan.message, answer })
        }
        Effect::HangUp { sid, .. } => {
            // The call may be answered or over; its reports tell.
            platform.hang_up(&sid).await;
            (None, News::HungUp)
        }
        Effect::Ask { question, .. } => (None, ask(platform, store, question).await),
    }
}

/// Puts a question to the platform.
async fn ask(platform: &dyn Platform, store: &dyn Store, question: Question) -> News {
    match question {
        Question::Call { attempt, sid, order } => {
            News::Asked { attempt, finding: platform.call(&sid, order).await }
        }
        Question::LostCall(lost) => {
            let finding = match unclaimed(platform, store, &lost).await {
                Finding::Found(candidates) => platform.identify(&lost, candidates).await,
                nothing => nothing,
            };
            News::Sought { attempt: lost.attempt, finding }
        }
        Question::LostMessage { message, lost } => {
            News::SoughtMessage { message, finding: platform.messages_like(&lost).await }
        }
        Question::Inbound { key, sid } => {
            let finding = platform.call(&sid, LegOrder::ConsumerFirst).await;
            News::AskedInbound { key, sid, finding }
        }
    }
}

/// The calls like the lost one that no other attempt is known to have; the queue of a busy agent holds many.
async fn unclaimed(platform: &dyn Platform, store: &dyn Store, lost: &LostCall) -> Finding<Vec<FoundCall>> {
    let mut candidates = match platform.calls_like(lost).await {
        Finding::Found(candidates) => candidates,
        nothing => return nothing,
    };
    let sids: Vec<String> = candidates.iter().map(|call| call.sid.clone()).collect();
    let Ok(others) = store.attempts_by_sid(&sids).await else { return Finding::NoAnswer };
    let others: BTreeSet<String> = others
        .into_iter()
        .filter(|other| other.id != lost.attempt)
        .filter_map(|other| other.submission.sid)
        .collect();
    candidates.retain(|call| !others.contains(&call.sid));
    Finding::Found(candidates)
}
