//! The JSON shapes of domain values in answers.
//!
//! Absent values are left out. Phone numbers are complete here; `mask` hides them from tokens without the scope
//! `reveal`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::agents::{TermsView, WrapUpView};
use super::recordings::RecordingView;
use crate::domain::Consent;
use crate::domain::callback::Waiting;
use crate::domain::hours::clock_face;
use crate::domain::{
    Attempt, CalendarName, CallProgress, Callback, CallingHours, Held, Message, MissedWindow, Note, Order,
    PoolName, Reason, RoadKind, Stage, State, Submission,
};
use crate::policy::errors::meaning;
use crate::store::{Record, Status};

/// A callback: its order and its state.
#[derive(Serialize, ToSchema)]
#[schema(as = Callback)]
pub(super) struct CallbackView<'a> {
    #[schema(value_type = String, example = "cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    /// `waiting`, `calling` or `closed`.
    status: &'static str,
    /// Its outcome: `reached`, `exhausted`, `declined`, `expired`, `canceled`, `failed` or `reached_elsewhere`.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// The reason of its state, from the last decision. `explain` evaluates it again.
    reason: ReasonView<'a>,
    /// The latest time of the next decision about a waiting callback.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_look_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The name of the API token that it was ordered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    ordered_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// Attempts that count against the maximum.
    attempts_made: u32,
    /// The earliest time of the next attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    retry_at: Option<Timestamp>,
    /// When the last attempt that counts ended, if its consumer answered and was not served.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    abandoned_at: Option<Timestamp>,
    /// When the consumer was invited to call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    invited_at: Option<Timestamp>,
    /// When an operator allowed one more attempt in spite of the streak guard. Absent after that attempt was
    /// opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    attempt_allowed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    cancel_requested_at: Option<Timestamp>,
    /// When a late report proved that an earlier attempt had served the consumer, while another was in progress. The
    /// callback closes as `reached` when that one has ended; it is hung up unless it was answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    reached_late_at: Option<Timestamp>,
    consumer: String,
    senders: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    earliest: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    latest: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<HoursView<'a>>,
    priority: u8,
    document: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// The pool of which the call needs a seat, if the order names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<&'a str>,
    attempts_max: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<&'a str>,
    /// `requested`, `service`, `marketing` or `collections`.
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<ConsentView<'a>>,
    /// Whether it is called also soon after an earlier call that the consumer answered.
    waive_gap: bool,
    /// Whether it stays open when the consumer is reached for another order of the same purpose.
    separate: bool,
    /// `close` or `ask`, where missed hours do more than wait for the next ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    missed_window: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    /// The JSON of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    metadata: Option<&'a RawValue>,
    /// The consumer's ids at the pages of Messenger accounts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    messenger: BTreeMap<&'a str, &'a str>,
    #[serde(flatten)]
    terms: TermsView,
}

/// The consumer's consent, as the order has it.
#[derive(Serialize, ToSchema)]
#[schema(as = Consent)]
pub(super) struct ConsentView<'a> {
    source: &'a str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    text_version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl<'a> ConsentView<'a> {
    pub(super) fn of(consent: &'a Consent) -> Self {
        Self {
            source: &consent.source,
            at: consent.at,
            text_version: consent.text_version.as_deref(),
            expires_at: consent.expires_at,
        }
    }
}

/// When the consumer may be called, in local time.
#[derive(Serialize, ToSchema)]
#[schema(as = CallingHours)]
pub(super) struct HoursView<'a> {
    /// An IANA time zone.
    zone: &'a str,
    /// Further zones in which they have to be open too: the consumer may be in any of them.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    also: &'a [String],
    spans: Vec<SpanView>,
    /// The calendar on whose closed days they do not open.
    #[serde(skip_serializing_if = "Option::is_none")]
    calendar: Option<&'a str>,
}

/// A span of a day; `from` is inclusive, `to` is exclusive.
#[derive(Serialize, ToSchema)]
#[schema(as = Span)]
struct SpanView {
    days: String,
    from: String,
    to: String,
}

/// A reason: a stable code, a sentence, and when it ends by itself.
#[derive(Serialize, ToSchema)]
#[schema(as = Reason)]
pub(super) struct ReasonView<'a> {
    code: &'a str,
    sentence: std::borrow::Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    lifts_at: Option<Timestamp>,
    /// What would end it, if time alone does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    lifted_by: Option<&'static str>,
}

/// A callback with its attempts and messages.
#[derive(Serialize, ToSchema)]
#[schema(as = CallbackRecord)]
pub(super) struct RecordView<'a> {
    #[serde(flatten)]
    callback: CallbackView<'a>,
    attempts: Vec<AttemptView<'a>>,
    messages: Vec<MessageView<'a>>,
    /// What an agent said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    wrap_up: Option<WrapUpView<'a>>,
}

/// One call.
#[derive(Serialize, ToSchema)]
#[schema(as = Attempt)]
pub(super) struct AttemptView<'a> {
    id: String,
    /// 1 for the first.
    number: u32,
    sender: String,
    /// `consumer_first` or `agent_first`.
    order: &'static str,
    /// The stage of its submission to the platform: `intent`, `submitting`, `accepted`, `rejected`,
    /// `throttled`, `unknown`, `not_placed` or `withdrawn`.
    stage: &'static str,
    /// The state of the consumer's leg: `queued`, `initiated`, `ringing`, `in_progress` or `ended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    /// The platform's SID of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    submitted_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    rang_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    connected_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// How it ended for the consumer: `completed`, `abandoned` (answered, and not served), `no_answer`, `busy`,
    /// `failed` or `canceled`.
    #[serde(skip_serializing_if = "Option::is_none")]
    disposition: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_s: Option<u32>,
    /// The agent for whom it is: who took the preview, or who is named by the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    /// What the platform recorded of the call, in the order in which it was heard of; at most 8.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recordings: Vec<RecordingView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<PlatformError>,
}

/// A permission request or an invite.
#[derive(Serialize, ToSchema)]
#[schema(as = Message)]
pub(super) struct MessageView<'a> {
    id: String,
    /// `permission_request` or `invite`.
    purpose: &'static str,
    /// `whatsapp` or `messenger`.
    channel: &'static str,
    /// How an invite invites: `call_button`, `template`, `url_button`, `deep_link` or `messenger`.
    #[serde(skip_serializing_if = "Option::is_none")]
    road: Option<&'static str>,
    sender: String,
    stage: &'static str,
    /// `queued`, `sent`, `delivered`, `read` or `failed`.
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<&'a str>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<PlatformError>,
}

/// An error code of the platform, with its meaning if known.
#[derive(Serialize, ToSchema)]
#[schema(as = PlatformError)]
struct PlatformError {
    /// The platform whose code it is: `twilio`, `meta` or `messenger`.
    issuer: &'static str,
    code: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<&'static str>,
}

/// When a waiting order is decided, if that is known. At a gate it is when the gate opens, which is when the reason
/// lifts.
pub(super) fn next_look(callback: &Callback) -> Option<Timestamp> {
    let State::Waiting(waiting) = &callback.state else { return None };
    let opens_at = waiting.place.as_ref().and(waiting.note.lifts_at);
    let at = opens_at.map_or(waiting.wake_at, |opens_at| opens_at.min(waiting.wake_at));
    known_end(at)
}

/// An end, if it is known.
pub(super) fn known_end(at: Timestamp) -> Option<Timestamp> {
    (at < Waiting::NEVER).then_some(at)
}

impl<'a> CallbackView<'a> {
    pub(super) fn of(callback: &'a Callback) -> Self {
        Self::with_attempt(callback, None)
    }

    /// The same with the attempt in progress, which may be unknown.
    pub(super) fn with_attempt(callback: &'a Callback, attempt: Option<&Attempt>) -> Self {
        let order = &callback.order;
        let closed = callback.closed();
        Self {
            id: callback.id.to_string(),
            status: status(callback).as_str(),
            outcome: closed.map(|closed| closed.outcome.as_str()),
            reason: standing(callback, attempt),
            next_look_at: next_look(callback),
            created_at: callback.created_at,
            ordered_by: callback.ordered_by.as_deref(),
            closed_at: closed.map(|closed| closed.at),
            attempts_made: callback.attempts_made,
            retry_at: callback.retry_at,
            abandoned_at: callback.abandoned_at,
            invited_at: callback.invited_at,
            attempt_allowed_at: callback.attempt_allowed_at,
            cancel_requested_at: callback.cancel_requested_at,
            reached_late_at: callback.reached_late_at,
            consumer: order.consumer.e164(),
            senders: order.senders.iter().map(|sender| sender.e164()).collect(),
            earliest: order.earliest,
            latest: order.latest,
            hours: order.hours.as_ref().map(HoursView::of),
            priority: order.priority.level(),
            document: &order.document,
            variables: &order.variables,
            agent: order.agent.as_ref().map(ToString::to_string),
            pool: order.pool.as_ref().map(PoolName::as_str),
            attempts_max: order.attempts_max,
            campaign: order.campaign.as_deref(),
            purpose: order.purpose.as_str(),
            consent: order.consent.as_ref().map(ConsentView::of),
            waive_gap: order.waive_gap,
            separate: order.separate,
            missed_window: (order.missed_window != MissedWindow::default())
                .then(|| order.missed_window.as_str()),
            reference: order.reference.as_deref(),
            metadata: metadata(order),
            messenger: messenger(order),
            terms: TermsView::of(callback),
        }
    }
}

impl CallbackView<'_> {
    /// The same, where all that waits does so because another daemon has the store, or the machine's clock is in doubt.
    pub(super) fn held_by(mut self, held: &Held) -> Self {
        let is_waiting = self.status == Status::Waiting.as_str();
        if let Some(reason) = held.reason_of_all().filter(|_| is_waiting) {
            self.reason = ReasonView::of(&reason);
        }
        self
    }
}

pub(super) fn metadata(order: &Order) -> Option<&RawValue> {
    order.metadata.as_deref().and_then(|json| serde_json::from_str(json).ok())
}

/// Complete here, as phone numbers are.
pub(super) fn messenger(order: &Order) -> BTreeMap<&str, &str> {
    order.psids.iter().map(|(alias, psid)| (&**alias, psid.as_str())).collect()
}

pub(super) const fn status(callback: &Callback) -> Status {
    match callback.state {
        State::Waiting(_) => Status::Waiting,
        State::Calling { .. } => Status::Calling,
        State::Closed(_) => Status::Closed,
    }
}

/// The attempt that a callback has in progress, among these.
pub(super) fn in_progress<'a>(callback: &Callback, attempts: &'a [Attempt]) -> Option<&'a Attempt> {
    let State::Calling { attempt } = callback.state else { return None };
    attempts.iter().find(|open| open.id == attempt)
}

/// The stored reason of the callback, or the state of its attempt in progress.
pub(super) fn standing<'a>(callback: &'a Callback, attempt: Option<&Attempt>) -> ReasonView<'a> {
    match &callback.state {
        State::Calling { .. } if attempt.is_some_and(|open| open.submission.stage == Stage::Unknown) => {
            ReasonView::of(&Reason::CheckingCall)
        }
        State::Waiting(waiting) => ReasonView::kept(&waiting.note),
        State::Calling { .. } => ReasonView::of(&Reason::CallInProgress),
        State::Closed(closed) => ReasonView::kept(&closed.note),
    }
}

impl<'a> HoursView<'a> {
    pub(super) fn of(hours: &'a CallingHours) -> Self {
        let span = |span: &crate::domain::hours::Span| SpanView {
            days: span.days.to_string(),
            from: clock_face(span.from),
            to: clock_face(span.to),
        };
        let calendar = hours.calendar.as_ref().map(CalendarName::as_str);
        let spans = hours.spans.iter().map(span).collect();
        Self { zone: &hours.zone, also: &hours.also, spans, calendar }
    }
}

impl<'a> ReasonView<'a> {
    pub(super) fn of(reason: &Reason) -> ReasonView<'static> {
        ReasonView {
            code: reason.code(),
            sentence: reason.sentence(),
            lifts_at: reason.lifts_at().and_then(known_end),
            lifted_by: reason.lifted_by(),
        }
    }

    /// With its time also in the consumer's time zone.
    pub(super) fn in_zone(reason: &Reason, zone: &TimeZone, now: Timestamp) -> ReasonView<'static> {
        ReasonView { sentence: reason.sentence_in(zone, now), ..Self::of(reason) }
    }

    pub(super) fn kept(note: &'a Note) -> Self {
        let sentence = std::borrow::Cow::Borrowed(&*note.sentence);
        Self { code: &note.code, sentence, lifts_at: note.lifts_at.and_then(known_end), lifted_by: None }
    }
}

impl<'a> RecordView<'a> {
    pub(super) fn of(record: &'a Record, held: &Held) -> Self {
        Self {
            callback: CallbackView::with_attempt(
                &record.callback,
                in_progress(&record.callback, &record.attempts),
            )
            .held_by(held),
            attempts: record.attempts.iter().map(AttemptView::of).collect(),
            messages: record.messages.iter().map(MessageView::of).collect(),
            wrap_up: record.wrap_up.as_ref().map(WrapUpView::of),
        }
    }
}

impl<'a> AttemptView<'a> {
    pub(super) fn of(attempt: &'a Attempt) -> Self {
        let submission = &attempt.submission;
        Self {
            id: attempt.id.to_string(),
            number: attempt.number,
            sender: attempt.sender.e164(),
            order: attempt.order.as_str(),
            stage: submission.stage.as_str(),
            state: attempt.consumer_leg().map(progress),
            sid: submission.sid.as_deref(),
            created_at: submission.intended_at,
            submitted_at: submission.submitted_at,
            rang_at: attempt.rang_at,
            connected_at: attempt.connected_at,
            ended_at: attempt.ended_at,
            disposition: attempt.ending(),
            duration_s: attempt.duration_s,
            agent: attempt.agent.as_ref().map(ToString::to_string),
            recordings: attempt.recordings.as_slice().iter().map(RecordingView::of).collect(),
            error: PlatformError::of(submission),
        }
    }
}

impl<'a> MessageView<'a> {
    pub(super) fn of(message: &'a Message) -> Self {
        let submission = &message.submission;
        Self {
            id: message.id.to_string(),
            purpose: message.purpose.as_str(),
            channel: message.channel.as_str(),
            road: message.road.map(RoadKind::as_str),
            sender: message.sender.e164(),
            stage: submission.stage.as_str(),
            state: message.progress.as_str(),
            sid: submission.sid.as_deref(),
            created_at: submission.intended_at,
            delivered_at: message.delivered_at,
            error: PlatformError::of(submission),
        }
    }
}

impl PlatformError {
    fn of(submission: &Submission) -> Option<Self> {
        submission.error_code.map(|code| Self {
            issuer: code.issuer.as_str(),
            code: code.number,
            meaning: meaning(code),
        })
    }
}

/// Unlike [`CallProgress::as_str`], does not say how the call ended.
pub(super) fn progress(progress: CallProgress) -> &'static str {
    match progress {
        CallProgress::Ended(_) => "ended",
        open => open.as_str(),
    }
}
