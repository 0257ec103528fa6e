//! Input of a world, as data: accounts, senders, limits, timing, habits and faults.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::content::ContentSetup;
use super::graph::GraphSetup;
use super::habits::Mix;
use super::messenger::CallShape;
use crate::domain::Phone;

/// Input of a [`World`](super::World). The same setup and the same requests give the same world.
#[derive(Debug, Clone)]
pub struct Setup {
    pub seed: u64,
    pub accounts: Vec<AccountSetup>,
    /// What is at Meta.
    pub graph: GraphSetup,
    pub limits: Limits,
    pub timing: Timing,
    pub behaviour: Behaviour,
    pub mix: Mix,
    pub faults: Faults,
    /// Extracts the attempt token of a new call from the URL of its document.
    pub attempt_token: fn(&str) -> Option<&str>,
    /// When a consumer may be called, in addition to the windows registered for a pair.
    pub callable: Option<Callable>,
}

impl Setup {
    #[must_use]
    pub fn new(seed: u64, accounts: Vec<AccountSetup>) -> Self {
        Self {
            seed,
            accounts,
            graph: GraphSetup::default(),
            limits: Limits::default(),
            timing: Timing::default(),
            behaviour: Behaviour::default(),
            mix: Mix::default(),
            faults: Faults::default(),
            attempt_token: token_in_path,
            callable: None,
        }
    }
}

/// `(sender, consumer, at)`: whether the sender may call the consumer then.
#[derive(Clone)]
pub struct Callable(pub Arc<dyn Fn(Phone, Phone, Timestamp) -> bool + Send + Sync>);

impl fmt::Debug for Callable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Callable")
    }
}

/// The last path segment that can be a token: at least 16 letters, digits, `-` or `_`.
#[must_use]
pub fn token_in_path(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.split(['?', '#']).next()?;
    let is_token = |segment: &&str| {
        segment.len() >= 16 && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    path.split('/').skip(1).filter(is_token).last()
}

/// One Twilio account.
#[derive(Debug, Clone)]
pub struct AccountSetup {
    /// `AC` and 32 hexadecimal digits.
    pub sid: String,
    /// Signs webhooks. Also the password for the account's SID.
    pub auth_token: String,
    /// Key SID and secret.
    pub api_keys: Vec<(String, String)>,
    /// Calls that the platform starts per second. Further calls wait in its queue.
    pub calls_per_second: u32,
    pub senders: Vec<SenderSetup>,
    /// Content that exists from the start.
    pub contents: Vec<ContentSetup>,
}

impl AccountSetup {
    /// An account with one call per second, Twilio's default.
    #[must_use]
    pub fn new(sid: impl Into<String>, auth_token: impl Into<String>) -> Self {
        Self {
            sid: sid.into(),
            auth_token: auth_token.into(),
            api_keys: Vec::new(),
            calls_per_second: 1,
            senders: Vec::new(),
            contents: Vec::new(),
        }
    }
}

/// One WhatsApp sender with voice enabled.
#[derive(Debug, Clone)]
pub struct SenderSetup {
    pub number: Phone,
    /// Webhook URL for messages from consumers, replies included.
    pub message_url: Option<String>,
    /// URL of the document for inbound calls. Without it an inbound call fails with 37009.
    pub voice_url: Option<String>,
    /// Status callback URL for inbound calls.
    pub voice_status_url: Option<String>,
    /// Whether an inbound call grants a temporary permission.
    pub callback_permission: bool,
    /// Whether calls are activated from the start.
    pub is_voice_on: bool,
    /// As Twilio shows it. Below 2,000 calls cannot be activated.
    pub messaging_limit: &'static str,
}

impl SenderSetup {
    #[must_use]
    pub const fn new(number: Phone) -> Self {
        Self {
            number,
            message_url: None,
            voice_url: None,
            voice_status_url: None,
            callback_permission: false,
            is_voice_on: true,
            messaging_limit: "10K Customers/24hr",
        }
    }
}

/// The platform's limits. The defaults are what Twilio documents (November 2026).
#[derive(Debug, Clone)]
pub struct Limits {
    pub permission_requests_per_day: usize,
    pub permission_requests_per_week: usize,
    pub connected_calls_per_day: usize,
    pub concurrent_calls_per_sender: usize,
    /// The maximum of calls of an agent at a time, as the daemon is configured.
    pub calls_per_agent: usize,
    pub calls_started_per_sender_and_day: usize,
    pub permission_hours: i64,
    pub service_window_hours: i64,
    /// The time between two invites of a person, as the daemon is configured.
    pub invite_gap_hours: i64,
    /// Unanswered calls in a row after which WhatsApp asks the consumer whether the calls are wanted (the
    /// nudge).
    pub misses_before_nudge: u32,
    pub misses_before_revocation: u32,
    /// The published value of `misses_before_revocation`, which the oracle uses.
    pub misses_published: u32,
    pub queue_hours: i64,
    /// How much earlier than the rate allows a create request may arrive. A fast account sends the calls of 50 ms at
    /// once, and delays over sockets vary. May be zero for slow accounts under virtual time.
    pub pace_tolerance_ms: i64,
    /// Calling codes of senders that may not call (Meta, June 2026: US and Canada, Egypt, Vietnam, Nigeria;
    /// Twilio also lists Türkiye).
    pub barred_sender_codes: Vec<u16>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            permission_requests_per_day: 1,
            permission_requests_per_week: 2,
            connected_calls_per_day: 5,
            concurrent_calls_per_sender: 1_000,
            calls_per_agent: 1,
            calls_started_per_sender_and_day: 10_000,
            permission_hours: 168,
            service_window_hours: 24,
            invite_gap_hours: 168,
            misses_before_nudge: 2,
            misses_before_revocation: 4,
            misses_published: 4,
            queue_hours: 24,
            pace_tolerance_ms: 50,
            barred_sender_codes: vec![1, 20, 84, 90, 234],
        }
    }
}

/// A minimum and a maximum in milliseconds. Each delay is drawn between the two.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Span(pub u64, pub u64);

/// Delays.
#[derive(Debug, Clone)]
pub struct Timing {
    pub dialing: Span,
    pub consumer_answers: Span,
    pub agent_answers: Span,
    pub talk: Span,
    /// How many times faster than usual text and recordings are played.
    pub speech: f64,
    pub message_step: Span,
    pub reply: Span,
    /// The time between the two answers of a consumer who changes the answer to a permission request.
    pub second_thought: Span,
    pub call_in: Span,
    /// How long WhatsApp's review of content takes, in milliseconds.
    pub review_ms: u64,
    /// How much longer a slow review takes, and how long after its approval content is paused or disabled, in
    /// milliseconds.
    pub review_long_ms: u64,
    /// How long a sender is `ONLINE:UPDATING` after a change, in milliseconds.
    pub sender_update_ms: u64,
    /// How long Meta collects what happens before it sends a webhook, in milliseconds.
    pub batch_ms: u64,
}

impl Timing {
    /// The same delays divided by `factor`.
    #[must_use]
    pub fn hastened(self, factor: f64) -> Self {
        let quick = |Span(least, most)| Span(divided(least, factor), divided(most, factor));
        Self {
            dialing: quick(self.dialing),
            consumer_answers: quick(self.consumer_answers),
            agent_answers: quick(self.agent_answers),
            talk: quick(self.talk),
            speech: self.speech * factor,
            message_step: quick(self.message_step),
            reply: quick(self.reply),
            second_thought: quick(self.second_thought),
            call_in: quick(self.call_in),
            review_ms: divided(self.review_ms, factor),
            review_long_ms: divided(self.review_long_ms, factor),
            sender_update_ms: divided(self.sender_update_ms, factor),
            batch_ms: divided(self.batch_ms, factor),
        }
    }
}

impl Timing {
    /// How long WhatsApp's review of content takes; a slow one takes [`Timing::long`] more.
    #[must_use]
    pub fn review(&self) -> SignedDuration {
        millis(self.review_ms)
    }

    /// How much longer a slow review takes, and how long after its approval content is stopped.
    #[must_use]
    pub fn long(&self) -> SignedDuration {
        millis(self.review_long_ms)
    }

    /// The duration in milliseconds of a text or recording that lasts this long at the usual speed.
    #[must_use]
    pub fn said(&self, ms: u64) -> u64 {
        divided(ms, self.speech)
    }
}

fn millis(ms: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and all durations are shorter than a year"
)]
fn divided(ms: u64, factor: f64) -> u64 {
    (ms as f64 / factor) as u64
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            dialing: Span(800, 2_500),
            consumer_answers: Span(2_000, 18_000),
            agent_answers: Span(500, 4_000),
            talk: Span(15_000, 240_000),
            speech: 1.0,
            message_step: Span(150, 900),
            reply: Span(5_000, 600_000),
            second_thought: Span(3_600_000, 6 * 3_600_000),
            call_in: Span(10_000, 900_000),
            review_ms: 60_000,
            review_long_ms: 3_600_000,
            sender_update_ms: 3_000,
            batch_ms: 100,
        }
    }
}

/// Platform behaviour that public pages do not document.
#[derive(Debug, Clone)]
pub struct Behaviour {
    /// Refuse a call that is not allowed in the answer to the create request, instead of failing it when
    /// dialled.
    pub refuse_at_creation: bool,
    /// Report a declined call as `busy`; otherwise as `no-answer`.
    pub decline_is_busy: bool,
    /// Send webhooks for grants and revocations without a request.
    pub forward_unasked_replies: bool,
    /// Put the SID of the answered message into a permission reply.
    pub name_replied_message: bool,
    /// The error code of a permission request over the limit.
    pub request_limit_code: u32,
    /// How many of ten agents (or bots, or queues) answer.
    pub agents_answer_of_ten: u32,
    /// The digits that a consumer enters for `<Gather>`; none if empty.
    pub consumer_digits: String,
    /// How many of ten delivered messages are read.
    pub read_of_ten: u32,
    /// Every message, or every call, is refused with this code.
    pub refuse_messages: Option<u32>,
    pub refuse_calls: Option<u32>,
    /// Every message is accepted, and fails a moment later with this code.
    pub fail_messages: Option<u32>,
    /// The same for the Cloud API.
    pub refuse_posts: Option<u32>,
    pub fail_posts: Option<u32>,
    /// How many of ten calls to a number that is only at the Cloud API are answered.
    pub numbers_answer_of_ten: u32,
    /// How many of ten consumers have a WhatsApp before 2.25.27, which drops the payload of a call.
    pub payload_dropped_of_ten: u32,
    /// How many of ten consumers hide their number, so that webhooks have only their user id.
    pub number_hidden_of_ten: u32,
    /// Every message of a page is refused with this code.
    pub refuse_notes: Option<u32>,
    /// Whether a page's answers have the id of a message inside the recipient, as *Call Audio CTA* shows it.
    pub page_answers_nested: bool,
    pub page_call_shape: CallShape,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            refuse_at_creation: false,
            decline_is_busy: true,
            forward_unasked_replies: true,
            name_replied_message: true,
            request_limit_code: 63032,
            agents_answer_of_ten: 10,
            consumer_digits: String::new(),
            read_of_ten: 8,
            refuse_messages: None,
            refuse_calls: None,
            fail_messages: None,
            refuse_posts: None,
            fail_posts: None,
            numbers_answer_of_ten: 10,
            payload_dropped_of_ten: 0,
            number_hidden_of_ten: 0,
            refuse_notes: None,
            page_answers_nested: false,
            page_call_shape: CallShape::Messaging,
        }
    }
}

/// Injected faults, each with a probability between 0 and 1. All are off by default.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// A write is carried out, but its answer never arrives.
    pub drop_answer: f64,
    pub delay_answer: f64,
    pub answer_delay_ms: u32,
    /// The answer to a created call comes after its first webhooks.
    pub webhook_before_answer: f64,
    /// 429, nothing is carried out.
    pub throttle: f64,
    /// 503, nothing is carried out.
    pub error_before: f64,
    /// 500, although the write was carried out.
    pub error_after: f64,
    pub duplicate_webhook: f64,
    /// The webhook arrives up to `webhook_delay_ms` late, so that later ones overtake it.
    pub delay_webhook: f64,
    pub webhook_delay_ms: u32,
    pub lose_webhook: f64,
    /// Start of an outage, in which the API answers 503 and status webhooks are lost.
    pub outage_from: Option<Timestamp>,
    /// End of the outage.
    pub outage_until: Option<Timestamp>,
}

impl Faults {
    /// # Errors
    /// If a probability is outside of 0 to 1, with its name and value.
    pub fn check(&self) -> Result<(), String> {
        let probabilities = [
            ("drop_answer", self.drop_answer),
            ("delay_answer", self.delay_answer),
            ("webhook_before_answer", self.webhook_before_answer),
            ("throttle", self.throttle),
            ("error_before", self.error_before),
            ("error_after", self.error_after),
            ("duplicate_webhook", self.duplicate_webhook),
            ("delay_webhook", self.delay_webhook),
            ("lose_webhook", self.lose_webhook),
        ];
        match probabilities.into_iter().find(|(_, value)| !(0.0..=1.0).contains(value)) {
            Some((name, value)) => Err(format!("{name} is {value}: expected a probability from 0 to 1")),
            None => Ok(()),
        }
    }

    pub(super) fn outage(&self, now: Timestamp) -> bool {
        self.outage_from.is_some_and(|from| from <= now) && self.outage_until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_the_last_long_segment_of_the_path() {
        let token = "https://h.example/twiml/0123456789abcdef_-/start?x=1#rc=3";
        assert_eq!(token_in_path(token), Some("0123456789abcdef_-"));
        assert_eq!(token_in_path("https://long-enough-host-name.example/voice"), None);
        assert_eq!(token_in_path("https://h.example/voice?token=0123456789abcdef"), None);
    }
}
