//! The port `Platform`: what the scheduler needs of a platform that places calls, in domain values.
//!
//! One value is one account at one platform. The port has no names or URLs of a platform, no meaning of error
//! codes (see `policy`) and no retries: an adapter sends each request once.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod seats;
mod trust;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

pub use trust::{Leadership, Standing, Trust};

use crate::clock::{Clock, later};
use crate::domain::event::MessageProgress;
use crate::domain::{
    AgentTarget, Answer, AttemptId, CallProgress, Channel, ContentRef, ErrorCode, HeldKind, InviteToken,
    LegOrder, MessageId, MessagePurpose, Numbers, Phone, RoadKind,
};

/// One account at a platform.
#[async_trait]
pub trait Platform: Send + Sync {
    /// A fixed name for metrics and traces, such as `twilio`.
    fn name(&self) -> &'static str {
        "other"
    }

    /// The lookups that the platform supports.
    fn abilities(&self) -> Abilities;

    /// Places a call, once: the answer is [`Answer::TooLate`] if no byte could leave in time.
    async fn place(&self, plan: &CallPlan, leave_by: LeaveBy) -> Reply;

    /// Sends a message, once, and in time as well.
    async fn send(&self, plan: &MessagePlan, leave_by: LeaveBy) -> Reply;

    /// Ends a call, if the request can leave in time. May be repeated.
    async fn hang_up(&self, sid: &str, how: End, leave_by: LeaveBy) -> HungUp;

    /// The state of a known call: for an agent-first call with the consumer's leg, and for one that a consumer answered
    /// and that is over with a leg to an agent who answered, if there was one.
    async fn call(&self, sid: &str, order: LegOrder) -> Finding<FoundCall>;

    /// Candidates for a lost call: between the same two ends, created at about that time.
    async fn calls_like(&self, lost: &LostCall) -> Finding<Vec<FoundCall>>;

    /// The candidate that is proved to be the lost call, or else those without proof.
    async fn identify(&self, lost: &LostCall, candidates: Vec<FoundCall>) -> Finding<Vec<FoundCall>>;

    /// The platform's date, by a cheap lookup; `None` if it did not answer with one.
    async fn date(&self) -> Option<Timestamp>;

    /// Deletes a call that is over, with its recordings, or a message, for the erasure of a person. May be repeated. A
    /// platform without such a request refuses.
    async fn delete(&self, _kind: HeldKind, _sid: &str) -> Deleted {
        Deleted::Refused
    }

    /// Deletes a recording of a call. May be repeated. A platform without such a request refuses.
    async fn delete_recording(&self, _sid: &str) -> Deleted {
        Deleted::Refused
    }

    /// Where a recording is at the platform, for a person who may sign in there; `None` without such an address.
    fn recording_link(&self, _sid: &str) -> Option<String> {
        None
    }

    /// Candidates for a lost message.
    async fn messages_like(&self, lost: &LostMessage) -> Finding<Vec<FoundMessage>>;

    /// Everything that was created between senders and consumers at `since` or later, of this daemon or not.
    /// [`Finding::Absent`] if the platform cannot list it.
    async fn created_since(&self, _since: Timestamp) -> Finding<CreatedSince> {
        Finding::Absent
    }

    /// The attempt for which a call was placed, if the platform can prove it.
    async fn attempt_of(&self, _sid: &str) -> Finding<AttemptId> {
        Finding::Absent
    }
}

/// Which calls a hang-up ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// One that nobody has answered yet.
    IfUnanswered,
    /// Also one that was answered.
    Always,
}

/// How long after its ground was looked at the first byte of a submission may leave.
pub const FIRST_BYTE_WITHIN: SignedDuration = SignedDuration::from_millis(250);

/// Until when a request may begin to leave that has a ground. Asked right before its first byte.
#[derive(Clone)]
pub struct LeaveBy {
    clock: Arc<dyn Clock>,
    from: Timestamp,
    until: Timestamp,
    /// The lease that the request leaves by, and its term.
    trust: Option<(Trust, u64)>,
}

impl LeaveBy {
    /// The time that a submission has whose ground was looked at just now.
    #[must_use]
    pub fn starting_now(clock: Arc<dyn Clock>) -> Self {
        let from = clock.now();
        let until = later(from, clock.span(FIRST_BYTE_WITHIN));
        Self { clock, from, until, trust: None }
    }

    /// It leaves in this term of a lease only, and while the lease is trusted.
    #[must_use]
    pub fn within_term(self, trust: &Trust, term: u64) -> Self {
        Self { trust: Some((trust.clone(), term)), ..self }
    }

    /// Whether it is too late. If the clock was set back, or the lease is not trusted for long enough, it counts as too
    /// late.
    #[must_use]
    pub fn is_over(&self) -> bool {
        let trusts = || match &self.trust {
            Some((trust, term)) => trust.may_leave(self.clock.reading().up, *term),
            None => true,
        };
        !(self.from..self.until).contains(&self.clock.now()) || !trusts()
    }

    /// Ends when it is too late.
    pub async fn over(&self) {
        self.clock.sleep_until(self.until).await;
    }
}

/// Lookups that a platform supports. Without a lookup, an operator has to resolve the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Whether calls can be listed, so that a lost one can be found.
    pub lists_calls: bool,
    /// The same for messages.
    pub lists_messages: bool,
}

/// A call to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallPlan {
    pub attempt: AttemptId,
    pub numbers: Numbers,
    pub callee: Callee,
    /// At most 600.
    pub ring_timeout_s: u16,
    pub time_limit_s: u32,
}

/// Who a call rings first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callee {
    /// The sender calls the consumer.
    Consumer,
    /// The agent is called; the document of the call then dials the consumer.
    Agent(AgentTarget),
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessagePlan {
    pub message: MessageId,
    pub purpose: MessagePurpose,
    pub channel: Channel,
    pub numbers: Numbers,
    pub content: ContentRef,
    /// The variables of the order that it is sent for.
    pub variables: BTreeMap<String, String>,
    /// For an invite whose road was chosen.
    pub invite: Option<InvitePlan>,
}

/// What an invite says beside its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitePlan {
    pub road: RoadKind,
    /// What the payload of its button or link stands for.
    pub token: InviteToken,
    /// When its button or link has no use any more.
    pub ends_at: Timestamp,
    /// The sender that its link calls.
    pub link_to: Phone,
}

/// The result of a request to place a call or send a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub answer: Answer,
    pub health: Health,
    /// The consumer's number as the platform writes it, if it says so. It proves a spelling.
    pub spelled: Option<Phone>,
}

impl Reply {
    /// An answer that tells no spelling.
    #[must_use]
    pub const fn of(answer: Answer, health: Health) -> Self {
        Self { answer, health, spelled: None }
    }
}

/// What an answer says about the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    Fine,
    /// The account has to pause, for at least this long if the platform said so; at most [`REST_MAX`].
    Trouble {
        why: Cow<'static, str>,
        at_least: Option<SignedDuration>,
    },
}

/// The longest pause that a platform can ask for.
pub const REST_MAX: SignedDuration = SignedDuration::from_hours(24);

impl Health {
    #[must_use]
    pub fn trouble(why: impl Into<Cow<'static, str>>, at_least: Option<SignedDuration>) -> Self {
        let at_least = at_least.map(|rest| rest.clamp(SignedDuration::ZERO, REST_MAX));
        Self::Trouble { why: why.into(), at_least }
    }

    /// The trouble in one sentence; empty if there is none.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Fine => String::new(),
            Self::Trouble { why, .. } => {
                let (first, rest) = why.split_at(why.chars().next().map_or(0, char::len_utf8));
                format!("{}{rest}.", first.to_uppercase())
            }
        }
    }
}

/// The result of a request to hang up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HungUp {
    /// The call is over, or will be very soon.
    Done,
    /// The platform cannot end it: it was answered, or does not exist.
    Refused,
    /// Unknown, or it could not leave in time. The request may be repeated.
    NoAnswer,
}

/// The result of a request to delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deleted {
    /// The platform does not have it, now or since before.
    Gone,
    /// The platform does not delete it.
    Refused,
    /// Unknown. The request may be repeated.
    NoAnswer,
}

/// An attempt whose call is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostCall {
    pub attempt: AttemptId,
    pub numbers: Numbers,
    pub callee: Callee,
    pub submitted_at: Timestamp,
}

/// A message that may have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LostMessage {
    pub numbers: Numbers,
    pub submitted_at: Timestamp,
}

/// The result of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding<T> {
    Found(T),
    /// The platform does not have it.
    Absent,
    /// The platform could not be asked.
    NoAnswer,
}

impl<T> Finding<T> {
    #[must_use]
    pub const fn found(&self) -> Option<&T> {
        match self {
            Self::Found(found) => Some(found),
            Self::Absent | Self::NoAnswer => None,
        }
    }
}

/// A call at the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCall {
    pub sid: String,
    pub progress: CallProgress,
    pub created_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub duration_s: Option<u32>,
    /// Whether it is between the two ends of the lost call that it was searched for; true without such a search.
    pub same_ends: bool,
    /// A leg that its document dialled; see [`Platform::call`].
    pub leg: Option<Box<FoundCall>>,
}

/// What was created at a platform since a moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreatedSince {
    /// Calls of ours to consumers.
    pub calls: Vec<CreatedCall>,
    /// Messages between our senders and consumers, both ways.
    pub messages: Vec<CreatedMessage>,
}

/// A call of ours to a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedCall {
    /// Of the first leg.
    pub sid: String,
    pub numbers: Numbers,
    pub order: LegOrder,
    pub at: Timestamp,
    /// Of the leg to the consumer.
    pub progress: CallProgress,
    /// The attempt that it was placed for, if that is known.
    pub attempt: Option<AttemptId>,
}

/// A message between a sender of ours and a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedMessage {
    pub sid: String,
    pub numbers: Numbers,
    pub at: Timestamp,
    /// Whether the consumer wrote it.
    pub is_inbound: bool,
}

/// A message at the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundMessage {
    pub sid: String,
    pub progress: MessageProgress,
    pub error_code: Option<ErrorCode>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, ScaledClock};

    #[test]
    fn a_submission_may_begin_to_leave_for_a_quarter_of_a_second() {
        let start = Timestamp::constant(1_790_000_000, 0);
        for (millis, over) in [(0, false), (249, false), (250, true), (120_000, true), (-1, true)] {
            let clock = Arc::new(ManualClock::new(start));
            let leave_by = LeaveBy::starting_now(clock.clone());
            clock.set(start + SignedDuration::from_millis(millis));
            assert_eq!(leave_by.is_over(), over, "after {millis} ms");
        }
    }

    #[test]
    fn a_clock_that_runs_faster_gives_as_much_of_the_machines_time() {
        let clock = ScaledClock::new(Timestamp::constant(1_790_000_000, 0), 60.0);
        assert_eq!(clock.span(FIRST_BYTE_WITHIN), SignedDuration::from_secs(15));
    }

    #[test]
    fn a_platform_gets_no_longer_rest_than_a_day_and_none_below_zero() {
        let rest = |asked| match Health::trouble("busy", Some(asked)) {
            Health::Trouble { at_least, .. } => at_least,
            Health::Fine => None,
        };
        let second = SignedDuration::from_secs(1);
        for (asked, granted) in [
            (REST_MAX - second, REST_MAX - second),
            (REST_MAX, REST_MAX),
            (REST_MAX + second, REST_MAX),
            (SignedDuration::MAX, REST_MAX),
            (SignedDuration::ZERO, SignedDuration::ZERO),
            (SignedDuration::MIN, SignedDuration::ZERO),
        ] {
            assert_eq!(rest(asked), Some(granted), "{asked:?}");
        }
    }
}
