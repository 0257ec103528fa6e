//! Sends requests to the platform, each once and only after its commit.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::ground::{Ground, Submitted};
use super::request::{Done, Effect, News, Question};
use super::settle::{self, change_attempt, change_attempt_because};
use super::state::{Deps, Intended, Scheduler};
use super::turn::Turn;
use super::watch::Watch;
use super::{lineage, messages, people};
use crate::clock::Clock;
use crate::domain::{
    AccountAlias, Answer, Attempt, AttemptId, CallbackId, InviteToken, LegOrder, Loads, Message, MessageId,
    MessagePurpose, Numbers, PairKey, Reason, RoadKind, Stage,
};
use crate::failpoint::{failpoint, panic_point};
use crate::panics::contain;
use crate::platform::{
    CallPlan, Callee, Deleted, Finding, FoundCall, Health, HungUp, InvitePlan, LeaveBy, LostCall,
    MessagePlan, Platform, Reply,
};
use crate::policy::{self, Addressee, Situation, Surroundings, may_be_sent, may_leave};
use crate::store::Store;

/// What became of an intent that could be submitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Submitting {
    /// It is submitted or withdrawn.
    Done,
    /// Its account has no room.
    NoRoom,
    /// It is a message without a callback, and waits for a list past its term to be imported again.
    WaitsForList,
}

/// Submits an intent, or withdraws it if it is not allowed any more.
pub(super) fn submit(turn: &mut Turn<'_>, intended: Intended) -> Submitting {
    match intended {
        Intended::Call(id) => submit_call(turn, id),
        Intended::Message(id) => submit_message(turn, id),
    }
}

fn submit_call(turn: &mut Turn<'_>, id: AttemptId) -> Submitting {
    let now = turn.now;
    let Some(attempt) = turn.work.attempts.get(id).cloned() else { return Submitting::Done };
    if attempt.submission.stage != Stage::Intent {
        return Submitting::Done;
    }
    let ground = match grounded(turn, attempt.callback, Submitted::Call(Box::new(attempt.clone()))) {
        Ok(ground) => ground,
        Err(reason) => {
            change_attempt_because(turn, id, &reason.sentence(), |attempt| _ = attempt.submission.withdraw());
            settle::wake(turn, attempt.callback, now);
            return Submitting::Done;
        }
    };
    let Some(callee) = callee(turn, &attempt) else { return Submitting::Done };
    if !has_room(turn, &attempt.account) {
        return Submitting::NoRoom;
    }
    let settings = turn.scheduler.deps.settings.clone();
    change_attempt(turn, id, |attempt| {
        attempt.submission.submit(now);
        attempt.news_due_at = Some(now + settings.timeouts.unknown);
    });
    // An operator's extra attempt is used up by the attempt that is sent.
    turn.work.callbacks.change(attempt.callback, |callback| callback.attempt_allowed_at = None);
    let plan = CallPlan {
        attempt: id,
        numbers: attempt.numbers(),
        callee,
        ring_timeout_s: settings.ring_timeout_s,
        time_limit_s: settings.time_limit_s,
    };
    turn.effects.push(Effect::PlaceCall { account: attempt.account, plan, ground });
    Submitting::Done
}

fn submit_message(turn: &mut Turn<'_>, id: MessageId) -> Submitting {
    let now = turn.now;
    let Some(message) = turn.work.messages.get(id).cloned() else { return Submitting::Done };
    if message.submission.stage != Stage::Intent {
        return Submitting::Done;
    }
    let submitted = Submitted::Message(Box::new(message.clone()));
    let ground = match message.callback {
        Some(callback) => grounded(turn, callback, submitted),
        None => grounded_without_a_callback(turn, message.numbers(), submitted),
    };
    let ground = match ground {
        Ok(ground) => ground,
        Err(reason @ Reason::ListExpired { .. }) if message.callback.is_none() => {
            messages::waits(turn, &message, &reason);
            return Submitting::WaitsForList;
        }
        Err(reason) => {
            let why = reason.sentence();
            messages::change_because(turn, id, &why, |message| _ = message.submission.withdraw());
            return Submitting::Done;
        }
    };
    if !has_room(turn, message.account()) {
        return Submitting::NoRoom;
    }
    if message.callback.is_none() && message.purpose == MessagePurpose::PermissionRequest {
        messages::count_request(turn, &message);
    }
    messages::change(turn, id, |message| _ = message.submission.submit(now));
    let callback = message.callback.and_then(|id| turn.work.callbacks.get(id));
    let variables = callback.map(|callback| callback.order.variables.clone()).unwrap_or_default();
    let plan = MessagePlan {
        message: id,
        purpose: message.purpose,
        channel: message.channel.clone(),
        numbers: message.numbers(),
        content: message.content.clone(),
        variables,
        invite: invite_plan(turn, &message),
    };
    turn.effects.push(Effect::SendMessage { account: message.account().clone(), plan, ground });
    Submitting::Done
}

/// What an invite says beside its content. Its button or link lasts until the callback's deadline, or as long as the
/// platform allows.
fn invite_plan(turn: &Turn<'_>, message: &Message) -> Option<InvitePlan> {
    let road = message.road?;
    let callback = turn.work.callbacks.get(message.callback?)?;
    let limits = &turn.scheduler.deps.rules.limits;
    let lifetime = match road {
        RoadKind::Messenger => limits.page_button_lifetime,
        _ => limits.call_button_lifetime,
    };
    let longest = turn.now.checked_add(lifetime).unwrap_or(Timestamp::MAX);
    Some(InvitePlan {
        road,
        token: InviteToken::Message(message.id),
        ends_at: callback.order.latest.min(longest),
        link_to: message.sender,
    })
}

/// The request to submit, if it still has its ground.
fn grounded(turn: &Turn<'_>, callback: CallbackId, submission: Submitted) -> Result<Ground, Reason> {
    let callback = turn.work.callbacks.get(callback).ok_or(Reason::CallbackClosed)?.clone();
    let person = turn.work.view(callback.order.consumer);
    let keys = callback.order.senders.iter().map(|&sender| PairKey { sender, person: person.id });
    let pairs = keys.filter_map(|key| Some((key, turn.work.pairs.get(key)?.clone()))).collect();
    let (budget, contacts) = (turn.budget(&callback), turn.contacts(&callback));
    let ground = Ground { callback: Some(callback), person, budget, pairs, contacts, submission };
    check(&ground, turn.now, &turn.scheduler.deps, &turn.loads)?;
    Ok(ground)
}

/// The same for a message that belongs to no callback. Its pair is kept as it was before the message is counted.
fn grounded_without_a_callback(
    turn: &mut Turn<'_>,
    numbers: Numbers,
    submission: Submitted,
) -> Result<Ground, Reason> {
    let key = people::pair(turn, numbers);
    let person = turn.work.view(numbers.consumer);
    let pairs = turn.work.pairs.get(key).map(|pair| (key, pair.clone())).into_iter().collect();
    let contacts = Vec::new();
    let ground = Ground { callback: None, person, budget: None, pairs, contacts, submission };
    check(&ground, turn.now, &turn.scheduler.deps, &turn.loads)?;
    Ok(ground)
}

/// Whether the request still has its ground at `now`.
pub(super) fn check(ground: &Ground, now: Timestamp, deps: &Deps, loads: &Loads) -> Result<(), Reason> {
    let pair = |key| ground.pairs.get(&key).cloned();
    let person = ground.person.clone();
    let Some(callback) = &ground.callback else {
        let Submitted::Message(message) = &ground.submission else { return Err(Reason::CallbackClosed) };
        let addressee = Addressee::gather(message, &deps.directory, loads, person, pair);
        return may_be_sent(now, message, &addressee, &deps.rules);
    };
    let document = deps.documents.get(&callback.order.document);
    let surroundings = Surroundings { now, directory: &deps.directory, loads };
    let situation = Situation::gather(callback, document, surroundings, person, pair)
        .within(ground.budget.clone())
        .at_pages(ground.contacts.clone());
    may_leave(now, ground.leaving(), &situation, &deps.rules)
}

/// Reserves room for one request, if the account has any.
fn has_room(turn: &mut Turn<'_>, account: &AccountAlias) -> bool {
    let Some(pace) = turn.scheduler.paces.get_mut(account) else { return false };
    let room = pace.may_send();
    if room {
        pace.sent();
    }
    room
}

/// The address that is called first; `None` if that is an agent and none is named any more.
pub(super) fn callee(turn: &Turn<'_>, attempt: &Attempt) -> Option<Callee> {
    match attempt.order {
        LegOrder::ConsumerFirst => Some(Callee::Consumer),
        LegOrder::AgentFirst => {
            let sender = turn.scheduler.deps.directory.sender(attempt.sender)?;
            let callback = turn.work.callbacks.get(attempt.callback)?;
            policy::agent(callback, sender, attempt.submission.intended_at).cloned().map(Callee::Agent)
        }
    }
}

/// Returns the room of requests that were not sent.
pub(super) fn unsend(scheduler: &mut Scheduler, effects: &[Effect]) {
    for effect in effects {
        match effect {
            Effect::PlaceCall { account, .. } | Effect::SendMessage { account, .. } => {
                if let Some(pace) = scheduler.paces.get_mut(account) {
                    pace.unsent();
                }
            }
            Effect::HangUp { attempt, .. } => scheduler.hang_ups.unsent(*attempt),
            Effect::Delete { sid, .. } => scheduler.erasing.unsent(sid),
            Effect::DeleteRecording { sid, .. } => scheduler.deleting.unsent(sid),
            Effect::Ask { question: Question::Date, .. } => scheduler.dates.unsent(),
            Effect::Ask { account, question: Question::Since { .. } } => scheduler.lineage.unsent(account),
            Effect::Ask { .. } => {}
        }
    }
}

/// Sends a request. Its answer arrives as [`Done`].
pub(super) fn perform(scheduler: &mut Scheduler, effect: Effect) {
    let account = match &effect {
        Effect::PlaceCall { account, .. }
        | Effect::SendMessage { account, .. }
        | Effect::HangUp { account, .. }
        | Effect::Delete { account, .. }
        | Effect::DeleteRecording { account, .. }
        | Effect::Ask { account, .. } => account.clone(),
    };
    let Some(platform) = scheduler.deps.accounts.get(&account).map(|account| account.platform.clone()) else {
        return;
    };
    if effect.creates() {
        scheduler.look_at_clock();
    }
    let clock = scheduler.deps.clock.clone();
    let mut leave_by = LeaveBy::starting_now(clock.clone());
    if let Some(leadership) = &scheduler.leadership {
        leave_by = leave_by.within_term(&scheduler.deps.trust, leadership.lease.term);
    }
    // The commit has taken its time; the hours may have closed meanwhile.
    if let Some(ground) = effect.ground()
        && let Err(reason) = check(ground, scheduler.deps.clock.now(), &scheduler.deps, &scheduler.loads)
    {
        let news = too_late(&effect, &reason);
        let health = effect.creates().then_some(Health::Fine);
        scheduler.heard.extend(news.map(|news| Done { account, health, news, panicked: false }));
        return;
    }
    let report = scheduler.report_done.clone();
    let store = scheduler.deps.store.clone();
    let is_question = matches!(effect, Effect::Ask { .. });
    let room = is_question.then(|| scheduler.questions.hold());
    let unknown = unknown(&effect);
    let watch = Watch::begin(&scheduler.deps, platform.name(), &effect);
    scheduler.requests.spawn(async move {
        let answered = contain(request(&*platform, &*store, &*clock, effect, leave_by)).await;
        let panicked = answered.is_err();
        let (health, news) = answered.unwrap_or(unknown);
        watch.end(&news);
        drop(room);
        failpoint!("answer.came", health.is_some());
        failpoint!("hang_up.answered", matches!(news, News::HungUp { .. }));
        // Sending fails only if the scheduler was dropped.
        let _ = report.send(Done { account, health, news, panicked });
    });
}

/// The result of a request whose code failed. It is unknown, because a call or message may exist.
fn unknown(effect: &Effect) -> (Option<Health>, News) {
    let (answer, why) = (Answer::Unknown, String::new());
    match effect {
        Effect::PlaceCall { plan, .. } => {
            (Some(Health::Fine), News::Call { attempt: plan.attempt, answer, why })
        }
        Effect::SendMessage { plan, .. } => {
            (Some(Health::Fine), News::Message { message: plan.message, answer, why, spelled: None })
        }
        Effect::HangUp { attempt, .. } => {
            (None, News::HungUp { attempt: *attempt, answer: HungUp::NoAnswer })
        }
        Effect::Delete { erasure, sid, .. } => {
            (None, News::Deleted { erasure: *erasure, sid: sid.clone(), answer: Deleted::NoAnswer })
        }
        Effect::DeleteRecording { attempt, sid, .. } => {
            let (attempt, sid) = (*attempt, sid.clone());
            (None, News::RecordingDeleted { attempt, sid, answer: Deleted::NoAnswer })
        }
        Effect::Ask { question, .. } => (None, question.without_an_answer()),
    }
}

/// The result of a request that lost its ground during the commit.
fn too_late(effect: &Effect, reason: &Reason) -> Option<News> {
    let (answer, why) = (Answer::TooLate, reason.sentence().into_owned());
    match effect {
        Effect::PlaceCall { plan, .. } => Some(News::Call { attempt: plan.attempt, answer, why }),
        Effect::SendMessage { plan, .. } => {
            Some(News::Message { message: plan.message, answer, why, spelled: None })
        }
        // The next try follows at its time, if it still has its ground.
        Effect::HangUp { attempt, .. } => Some(News::HungUp { attempt: *attempt, answer: HungUp::NoAnswer }),
        Effect::Delete { .. } | Effect::DeleteRecording { .. } | Effect::Ask { .. } => None,
    }
}

async fn request(
    platform: &dyn Platform,
    store: &dyn Store,
    clock: &dyn Clock,
    effect: Effect,
    leave_by: LeaveBy,
) -> (Option<Health>, News) {
    panic_point!("request", "{effect:?}");
    match effect {
        Effect::PlaceCall { plan, .. } => {
            let Reply { answer, health, .. } = platform.place(&plan, leave_by).await;
            let why = health.sentence();
            (Some(health), News::Call { attempt: plan.attempt, answer, why })
        }
        Effect::SendMessage { plan, .. } => {
            let Reply { answer, health, spelled } = platform.send(&plan, leave_by).await;
            let why = health.sentence();
            (Some(health), News::Message { message: plan.message, answer, why, spelled })
        }
        Effect::HangUp { attempt, sid, how, .. } => {
            (None, News::HungUp { attempt, answer: platform.hang_up(&sid, how, leave_by).await })
        }
        Effect::Delete { erasure, kind, sid, .. } => {
            let answer = platform.delete(kind, &sid).await;
            (None, News::Deleted { erasure, sid, answer })
        }
        Effect::DeleteRecording { attempt, sid, .. } => {
            let answer = platform.delete_recording(&sid).await;
            (None, News::RecordingDeleted { attempt, sid, answer })
        }
        Effect::Ask { question, .. } => (None, ask(platform, store, clock, question).await),
    }
}

/// Looks something up at the platform.
async fn ask(platform: &dyn Platform, store: &dyn Store, clock: &dyn Clock, question: Question) -> News {
    match question {
        Question::Date => News::Date(platform.date().await.map(|date| (clock.reading(), date))),
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
        Question::Since { account, since } => {
            News::Since { account, finding: lineage::unrecorded(platform, store, since).await }
        }
        Question::Inbound { key, sid } => {
            let finding = platform.call(&sid, LegOrder::ConsumerFirst).await;
            News::AskedInbound { key, sid, finding }
        }
    }
}

/// Candidates for the lost call that belong to no other attempt. A busy agent can have many.
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
