//! The bodies of customer webhooks. They are written once, with the change, and sent unchanged.
//!
//! They do not contain the consumer's number: `id`, `reference` and `metadata` identify the callback, and the
//! outbox has no personal data.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Endpoint;
use crate::domain::{Callback, DeliveryId, Note, Reason, State};
use crate::store::OutboxRow;

/// Creates rows of the outbox, or none if no endpoint is configured.
#[derive(Debug, Clone, Default)]
pub struct WebhookEvents {
    endpoint: Option<Arc<Endpoint>>,
}

/// The kinds of webhooks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// An attempt was opened.
    Calling,
    /// The consumer answered and was not served; the callback goes on.
    Abandoned,
    /// The callback ended.
    Closed,
}

impl Topic {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Calling => "callback.calling",
            Self::Abandoned => "callback.abandoned",
            Self::Closed => "callback.closed",
        }
    }
}

#[derive(Serialize)]
struct Payload<'a> {
    r#type: &'static str,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a RawValue>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    reason: Why,
    attempts_made: u32,
    /// The open attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Why {
    code: String,
    sentence: String,
}

impl From<Note> for Why {
    fn from(note: Note) -> Self {
        Self { code: note.code.into_owned(), sentence: note.sentence.into_owned() }
    }
}

impl WebhookEvents {
    #[must_use]
    pub const fn of(endpoint: Arc<Endpoint>) -> Self {
        Self { endpoint: Some(endpoint) }
    }

    /// `None` if no endpoint is configured.
    #[must_use]
    pub const fn endpoint(&self) -> Option<&Arc<Endpoint>> {
        self.endpoint.as_ref()
    }

    /// The row about the current state of the callback. `id` is called only if there is a row.
    pub fn tell(
        &self,
        id: impl FnOnce() -> Uuid,
        at: Timestamp,
        topic: Topic,
        callback: &Callback,
    ) -> Option<OutboxRow> {
        self.endpoint.as_ref()?;
        Some(OutboxRow {
            id: DeliveryId::new(id()),
            callback: callback.id,
            what: topic.as_str().into(),
            payload: payload(at, topic, callback),
            created_at: at,
        })
    }

    /// Rows were committed: wakes the dispatcher.
    pub fn committed(&self) {
        if let Some(endpoint) = &self.endpoint {
            endpoint.wake();
        }
    }
}

fn payload(at: Timestamp, topic: Topic, callback: &Callback) -> String {
    let order = &callback.order;
    let closed = callback.closed();
    let (status, attempt, reason) = match &callback.state {
        State::Waiting(waiting) => ("waiting", None, waiting.note.clone()),
        State::Calling { attempt } => ("calling", Some(attempt.to_string()), Reason::CallInProgress.note()),
        State::Closed(closed) => ("closed", None, closed.note.clone()),
    };
    let data = Data {
        id: callback.id.to_string(),
        reference: order.reference.as_deref(),
        campaign: order.campaign.as_deref(),
        metadata: order.metadata.as_deref().and_then(|json| serde_json::from_str(json).ok()),
        status,
        outcome: closed.map(|closed| closed.outcome.as_str()),
        reason: reason.into(),
        attempts_made: callback.attempts_made,
        attempt,
        closed_at: closed.map(|closed| closed.at),
    };
    serde_json::to_string(&Payload { r#type: topic.as_str(), timestamp: at, data })
        .expect("texts, numbers and JSON that was read before are JSON")
}
