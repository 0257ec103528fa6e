//! What leaves the daemon: requests to the platform, each sent once and only after its commit.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::pace::Health;
use super::settle::{self, change_attempt};
use super::turn::Turn;
use super::{Intended, Scheduler, messages};
use crate::domain::event::MessageProgress;
use crate::domain::{
    AccountAlias, AgentTarget, Answer, Attempt, AttemptId, CallProgress, CallbackId, LegOrder, Message,
    MessageId, PairKey, Stage,
};
use crate::failpoint::failpoint;
use crate::hook_urls::Purpose;
use crate::policy::{may_still_be_sent, may_still_ring};
use crate::store::Store;
use crate::twilio::{Address, CallFilter, Client, Created, HangUp, NewCall, NewMessage};

/// One request to the platform.
#[derive(Debug)]
pub(super) enum Effect {
    PlaceCall { account: AccountAlias, attempt: AttemptId, call: NewCall },
    SendMessage { account: AccountAlias, message: MessageId, new: NewMessage },
    HangUp { account: AccountAlias, sid: String },
    Ask { account: AccountAlias, question: Question },
}

impl Effect {
    /// Whether it asks for something that would exist afterwards.
    pub(super) const fn creates(&self) -> bool {
        matches!(self, Self::PlaceCall { .. } | Self::SendMessage { .. })
    }
}

/// What to find out.
#[derive(Debug)]
pub(super) enum Question {
    /// How far the known call of an attempt has come.
    Call { attempt: AttemptId, sid: String, order: LegOrder },
    /// Whether an attempt has a call that one of the lists holds; it was placed at about this time.
    LostCall { attempt: AttemptId, lists: Vec<CallFilter>, submitted_at: Timestamp, token: String },
    /// Whether a message exists; it was sent between these two at about this time.
    LostMessage { message: MessageId, key: PairKey, submitted_at: Timestamp },
    /// How far a consumer's own call has come.
    Inbound { key: PairKey, sid: String },
}

/// The end of a request.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) account: AccountAlias,
    /// What a create says about the account; other requests take no room and say nothing.
    pub(super) health: Option<Health>,
    pub(super) news: News,
}

#[derive(Debug, Clone)]
pub(super) enum News {
    Call {
        attempt: AttemptId,
        answer: Answer,
    },
    Message {
        message: MessageId,
        answer: Answer,
    },
    HungUp,
    Asked {
        attempt: AttemptId,
        finding: Finding<FoundCall>,
    },
    /// Calls that may be the lost one of an attempt.
    Sought {
        attempt: AttemptId,
        finding: Finding<Vec<FoundCall>>,
    },
    /// Messages that may be the lost one.
    SoughtMessage {
        message: MessageId,
        finding: Finding<Vec<FoundMessage>>,
    },
    AskedInbound {
        key: PairKey,
        sid: String,
        finding: Finding<FoundCall>,
    },
}

/// What asking found.
#[derive(Debug, Clone)]
pub(super) enum Finding<T> {
    Found(T),
    /// The platform knows of no such thing.
    Absent,
    /// The platform could not be asked.
    NoAnswer,
}

impl<T> Finding<T> {
    pub(super) const fn found(&self) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Absent | Self::NoAnswer => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct FoundCall {
    pub(super) sid: String,
    pub(super) progress: CallProgress,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) duration_s: Option<u32>,
    /// The leg that its document dialled, where that leg is the consumer's.
    pub(super) leg: Option<Box<FoundCall>>,
}

#[derive(Debug, Clone)]
pub(super) struct FoundMessage {
    pub(super) sid: String,
    pub(super) progress: MessageProgress,
    pub(super) error_code: Option<u32>,
}

/// Asks Twilio to bring a report again when we could not take it (connection overrides, a URL fragment that is
/// neither sent nor signed; Twilio, *Webhooks connection overrides*, 2026). All tries lie within 15 s.
const TRIES: &str = "#rc=3&rp=ct,rt,5xx";

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
    if !still_grounded(turn, &attempt) {
        change_attempt(turn, id, |attempt| _ = attempt.submission.withdraw());
        settle::wake(turn, attempt.callback, now);
        return true;
    }
    if !has_room(turn, &attempt.account) {
        return false;
    }
    let settings = turn.scheduler.deps.settings.clone();
    change_attempt(turn, id, |attempt| {
        attempt.submission.submit(now);
        attempt.news_due_at = Some(now + settings.timeouts.unknown);
    });
    let hook_urls = &turn.scheduler.deps.hook_urls;
    let (from, to) = ends(turn, &attempt);
    let call = NewCall {
        from,
        to,
        url: hook_urls.attempt(id, Purpose::Document),
        fallback_url: None,
        status_callback: hook_urls.attempt(id, Purpose::Status) + TRIES,
        ring_timeout_s: settings.ring_timeout_s,
        time_limit_s: Some(settings.time_limit_s),
        machine_detection: None,
    };
    turn.effects.push(Effect::PlaceCall { account: attempt.account, attempt: id, call });
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
    let new = NewMessage {
        from: message.sender,
        to: message.consumer,
        content_sid: message.content.clone(),
        content_variables: std::collections::BTreeMap::new(),
        status_callback: Some(turn.scheduler.deps.hook_urls.message(id) + TRIES),
        validity_s: None,
    };
    turn.effects.push(Effect::SendMessage { account: message.account, message: id, new });
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

/// Who a call of the attempt is from and to.
pub(super) fn ends(turn: &Turn<'_>, attempt: &Attempt) -> (Address, Address) {
    let agent = turn.work.callbacks.get(attempt.callback).and_then(|callback| callback.order.agent.as_ref());
    match (attempt.order, agent) {
        (LegOrder::AgentFirst, Some(agent)) => {
            (Address::Client("ringmaster".to_owned()), agent_address(agent))
        }
        (LegOrder::ConsumerFirst, _) | (LegOrder::AgentFirst, None) => {
            (Address::WhatsApp(attempt.sender), Address::WhatsApp(attempt.consumer))
        }
    }
}

fn agent_address(agent: &AgentTarget) -> Address {
    match agent {
        AgentTarget::Client(name) => Address::Client(name.clone()),
        AgentTarget::Sip(address) => Address::Sip(address.clone()),
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
    let Some(client) = scheduler.deps.accounts.get(&account).map(|account| account.client.clone()) else {
        return;
    };
    let report = scheduler.report_done.clone();
    let store = scheduler.deps.store.clone();
    let is_question = matches!(effect, Effect::Ask { .. });
    let room = is_question.then(|| scheduler.questions.hold());
    scheduler.requests.spawn(async move {
        let (health, news) = request(&client, &*store, effect).await;
        drop(room);
        failpoint!("answer.came", health.is_some());
        // Nobody listens any more only when the scheduler has been dropped.
        let _ = report.send(Done { account, health, news });
    });
}

async fn request(client: &Client, store: &dyn Store, effect: Effect) -> (Option<Health>, News) {
    match effect {
        Effect::PlaceCall { attempt, call, .. } => {
            let (answer, health) = judge(client.create_call(&call).await, |call| call.sid);
            (Some(health), News::Call { attempt, answer })
        }
        Effect::SendMessage { message, new, .. } => {
            let (answer, health) = judge(client.create_message(&new).await, |message| message.sid);
            (Some(health), News::Message { message, answer })
        }
        Effect::HangUp { sid, .. } => {
            if let Err(error) = client.hang_up(&sid, HangUp::IfUnanswered).await {
                // The call may be answered or over; its reports tell.
                tracing::info!(error = &error as &dyn std::error::Error, "a call could not be canceled");
            }
            (None, News::HungUp)
        }
        Effect::Ask { question, .. } => (None, super::reconcile::ask(client, store, question).await),
    }
}

/// What the answer to a create means for the submission, and for the account.
fn judge<T>(created: Created<T>, sid: impl FnOnce(T) -> String) -> (Answer, Health) {
    let trouble = |why: Cow<'static, str>, at_least| Health::Trouble { why, at_least };
    match created {
        Created::Accepted(created) => (Answer::Accepted { sid: sid(created) }, Health::Fine),
        Created::Refused(refusal) if refusal.is_credentials() => (
            // Twilio's code for refused credentials, also where the body has none.
            Answer::Rejected { error_code: Some(20003) },
            trouble("Twilio refused the account's credentials".into(), Some(SignedDuration::from_secs(10))),
        ),
        Created::Refused(refusal) => (Answer::Rejected { error_code: refusal.code }, Health::Fine),
        Created::Throttled { retry_after, .. } => (
            Answer::Throttled,
            trouble(
                "Twilio answered 429, too many requests".into(),
                retry_after.and_then(|after| after.try_into().ok()),
            ),
        ),
        Created::NotSent(cause) => {
            (Answer::NotSent, trouble(format!("Twilio cannot be reached: {cause}").into(), None))
        }
        Created::Unknown(cause) => {
            (Answer::Unknown, trouble(format!("Twilio gave no clear answer: {cause}").into(), None))
        }
    }
}
