//! A small platform inside this process that is not Twilio: no HTTP, no documents, ids of its own, Meta's error codes,
//! and no list of messages. It shows that the port needs nothing of Twilio.
//!
//! Nothing is delivered from here: the code that moves the clock takes the reports with [`LocalPlatform::due`]. It has
//! no oracle; tests count what was created.

mod course;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use course::{LocalCall, News, State, report};

use crate::clock::Clock;
use crate::domain::{Answer, CallProgress, Disposition, ErrorCode, Event, Issuer, LegOrder, Numbers, Phone};
use crate::platform::{
    Abilities, CallPlan, End, Finding, FoundCall, FoundMessage, Health, HungUp, LeaveBy, LostCall,
    LostMessage, MessagePlan, Platform, Reply,
};

/// What a consumer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Allows calls, answers them, and listens to the end.
    Willing,
    /// Neither replies nor answers.
    Absent,
    /// Is not on the platform: it refuses calls and messages.
    Nowhere,
}

/// What happens to the answer of a create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// The request is lost too: nothing is created.
    WithRequest,
    /// The request is carried out, and reports tell of it.
    AnswerOnly,
}

/// A message that the platform took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    pub at: Timestamp,
    pub plan: MessagePlan,
    /// Whether it reaches the consumer.
    pub is_delivered: bool,
}

/// How a message fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The platform does not take it.
    Refused,
    /// The platform takes it, and reports later that it was not delivered.
    Undelivered,
}

/// Meta, *Cloud API error codes*, November 2026: the consumer is not on WhatsApp.
const NOT_THERE: ErrorCode = ErrorCode::new(Issuer::Meta, 131_026);

/// A lost call was created at most this long before or after its submission.
const CREATED_NEAR: SignedDuration = SignedDuration::from_secs(60);

/// One account at the platform.
pub struct LocalPlatform {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

impl LocalPlatform {
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// What the consumer does from now on; all are willing at first.
    pub fn set_manner(&self, consumer: Phone, manner: Manner) {
        self.state().manners.insert(consumer, manner);
    }

    /// Writes the consumer's number so in the answers to creates.
    pub fn spell(&self, consumer: Phone, spelled: Phone) {
        self.state().spelled.insert(consumer, spelled);
    }

    /// Loses the answer to the next create.
    pub fn lose_next(&self, loss: Loss) {
        self.state().losses.push(loss);
    }

    /// Lets the next messages fail with these codes, one after the other.
    pub fn fail_next(&self, failures: impl IntoIterator<Item = (Failure, ErrorCode)>) {
        self.state().failures.extend(failures);
    }

    /// The numbers of the calls that were placed, in their order.
    #[must_use]
    pub fn calls(&self) -> Vec<Numbers> {
        self.state().calls.values().map(|call| call.numbers).collect()
    }

    /// The messages that were sent, in their order.
    #[must_use]
    pub fn messages(&self) -> Vec<MessagePlan> {
        self.state().messages.iter().map(|sent| sent.plan.clone()).collect()
    }

    /// The same, with when the platform took them.
    #[must_use]
    pub fn sent(&self) -> Vec<Sent> {
        self.state().messages.clone()
    }

    /// When the next report is due.
    #[must_use]
    pub fn next_at(&self) -> Option<Timestamp> {
        self.state().news.iter().map(|news| news.at).min()
    }

    /// Takes the reports that are due at `now`, the earliest first.
    #[must_use]
    pub fn due(&self, now: Timestamp) -> Vec<Event> {
        let mut due: Vec<News> = self.state().news.extract_if(.., |news| news.at <= now).collect();
        due.sort_by_key(|news| news.at);
        due.into_iter().map(|news| news.event).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out a create in its time, and answers it.
    fn create(
        &self,
        consumer: Phone,
        leave_by: &LeaveBy,
        carry_out: impl FnOnce(&mut State, Timestamp, Manner) -> String,
    ) -> Reply {
        if leave_by.is_over() {
            return Reply::of(Answer::TooLate, Health::Fine);
        }
        let now = self.clock.now();
        let mut state = self.state();
        let manner = state.manners.get(&consumer).copied().unwrap_or(Manner::Willing);
        let loss = state.losses.pop();
        if loss == Some(Loss::WithRequest) {
            return lost();
        }
        if manner == Manner::Nowhere {
            return Reply::of(Answer::Rejected { error_code: Some(NOT_THERE) }, Health::Fine);
        }
        let sid = carry_out(&mut state, now, manner);
        match loss {
            Some(_) => lost(),
            None => {
                let spelled = state.spelled.get(&consumer).copied();
                Reply { spelled, ..Reply::of(Answer::Accepted { sid }, Health::Fine) }
            }
        }
    }
}

fn lost() -> Reply {
    Reply::of(Answer::Unknown, Health::trouble("the platform gave no answer", None))
}

#[async_trait]
impl Platform for LocalPlatform {
    fn abilities(&self) -> Abilities {
        Abilities { lists_calls: true, lists_messages: false }
    }

    async fn place(&self, plan: &CallPlan, leave_by: LeaveBy) -> Reply {
        self.create(plan.numbers.consumer, &leave_by, |state, now, manner| state.place(plan, now, manner))
    }

    async fn send(&self, plan: &MessagePlan, leave_by: LeaveBy) -> Reply {
        let refused = {
            let mut state = self.state();
            let next = state.failures.front().copied();
            next.filter(|(failure, _)| *failure == Failure::Refused)
                .inspect(|_| _ = state.failures.pop_front())
        };
        if let Some((_, code)) = refused {
            return Reply::of(Answer::Rejected { error_code: Some(code) }, Health::Fine);
        }
        self.create(plan.numbers.consumer, &leave_by, |state, now, manner| state.send(plan, now, manner))
    }

    async fn hang_up(&self, sid: &str, how: End, leave_by: LeaveBy) -> HungUp {
        if leave_by.is_over() {
            return HungUp::NoAnswer;
        }
        let now = self.clock.now();
        let mut state = self.state();
        let Some(call) = state.calls.get_mut(sid) else { return HungUp::Refused };
        let disposition = match (call.progress(now).1, how) {
            (CallProgress::Queued | CallProgress::Ringing, _) => Disposition::Canceled,
            (CallProgress::InProgress, End::Always) => Disposition::Completed,
            _ => return HungUp::Refused,
        };
        let ended = CallProgress::Ended(disposition);
        call.course.retain(|(at, _)| *at <= now);
        call.course.push((now, ended));
        let event = Event::Call(report(call.attempt, sid, now, ended));
        state.news.retain(|news| news.at <= now || news.call.as_deref() != Some(sid));
        state.news.push(News { at: now, call: Some(sid.to_owned()), event });
        HungUp::Done
    }

    async fn call(&self, sid: &str, _: LegOrder) -> Finding<FoundCall> {
        let state = self.state();
        state.calls.get(sid).map_or(Finding::Absent, |call| Finding::Found(call.found(sid, self.clock.now())))
    }

    async fn calls_like(&self, lost: &LostCall) -> Finding<Vec<FoundCall>> {
        let now = self.clock.now();
        let state = self.state();
        let is_like = |call: &LocalCall| {
            let apart = call.created_at.duration_since(lost.submitted_at).abs();
            call.numbers == lost.numbers && apart <= CREATED_NEAR
        };
        let alike = state.calls.iter().filter(|(_, call)| is_like(call));
        Finding::Found(alike.map(|(sid, call)| call.found(sid, now)).collect())
    }

    async fn identify(&self, lost: &LostCall, candidates: Vec<FoundCall>) -> Finding<Vec<FoundCall>> {
        let state = self.state();
        let is_it =
            |found: &FoundCall| state.calls.get(&found.sid).is_some_and(|call| call.attempt == lost.attempt);
        Finding::Found(candidates.into_iter().filter(is_it).collect())
    }

    async fn date(&self) -> Option<Timestamp> {
        Some(self.clock.now())
    }

    /// It has no list of messages.
    async fn messages_like(&self, _: &LostMessage) -> Finding<Vec<FoundMessage>> {
        Finding::NoAnswer
    }
}
