//! The bodies of customer webhooks. They are written once, with the change, and sent unchanged.
//!
//! Those about a callback or an invite do not contain the consumer's number: `id`, `reference` and `metadata` identify it.
//! `news` has the bodies about consumers and campaigns.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::Endpoint;
use crate::domain::{Callback, DeliveryId, Note, OrderKind, Reason, State};
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
    /// The platform accepted a message of an order that only invites.
    Sent,
    /// It is unknown whether an attempt was placed.
    Unknown,
    /// The callback or the invite ended.
    Closed,
}

impl Topic {
    /// The name of the kind, about an order of this kind.
    #[must_use]
    pub const fn of(self, kind: OrderKind) -> &'static str {
        match (self, kind) {
            (Self::Calling, _) => "callback.calling",
            (Self::Abandoned, _) => "callback.abandoned",
            (Self::Sent, _) => "invite.sent",
            (Self::Unknown, _) => "callback.unknown",
            (Self::Closed, OrderKind::Callback) => "callback.closed",
            (Self::Closed, OrderKind::Invite) => "invite.closed",
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
    /// Of a callback.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts_made: Option<u32>,
    /// The open attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<String>,
    /// Of an invite: when the consumer was invited.
    #[serde(skip_serializing_if = "Option::is_none")]
    invited_at: Option<Timestamp>,
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
            subject: callback.id.into(),
            what: topic.of(callback.order.kind).into(),
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
    let is_callback = order.kind == OrderKind::Callback;
    let (status, attempt, reason) = match &callback.state {
        State::Waiting(waiting) => ("waiting", None, waiting.note.clone()),
        State::Calling { attempt } => ("calling", Some(attempt.to_string()), Reason::CallInProgress.note()),
        State::Closed(closed) => ("closed", None, closed.note.clone()),
    };
    let data = Data {
        id: callback.shown_id(),
        reference: order.reference.as_deref(),
        campaign: order.campaign.as_deref(),
        metadata: order.metadata.as_deref().and_then(|json| serde_json::from_str(json).ok()),
        status,
        outcome: closed.map(|closed| closed.outcome.as_str()),
        reason: reason.into(),
        attempts_made: is_callback.then_some(callback.attempts_made),
        attempt,
        invited_at: callback.invited_at.filter(|_| !is_callback),
        closed_at: closed.map(|closed| closed.at),
    };
    serde_json::to_string(&Payload { r#type: topic.of(order.kind), timestamp: at, data })
        .expect("texts, numbers and JSON that was read before are JSON")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::callback::Closed;
    use crate::domain::{CallbackId, InviteId, Order, Outcome, Phone};

    fn told(kind: OrderKind, topic: Topic) -> (String, Value) {
        let at = Timestamp::constant(1_790_000_000, 0);
        let order =
            Order { kind, ..Order::new(Phone::from_stored(5_511_987_654_321), vec![], "message", at, at) };
        let note = Reason::CustomerCanceled.note();
        let closed = State::Closed(Closed { outcome: Outcome::Canceled, at, note });
        let id = CallbackId::new(Uuid::from_u128(7));
        let callback = Callback { invited_at: Some(at), ..Callback::new(id, at, order, closed) };
        let text = payload(at, topic, &callback);
        assert!(!text.contains("987654321"), "{text}");
        (topic.of(kind).to_owned(), serde_json::from_str(&text).unwrap())
    }

    #[test]
    fn an_event_of_an_invite_has_its_own_name_and_id_and_no_attempts() {
        let id = CallbackId::new(Uuid::from_u128(7));
        let (name, event) = told(OrderKind::Invite, Topic::Closed);
        assert_eq!((name.as_str(), &event["type"]), ("invite.closed", &json!("invite.closed")));
        let data = &event["data"];
        assert_eq!(data["id"], InviteId::from(id).to_string());
        assert_eq!((data.get("attempts_made"), data["invited_at"].is_string()), (None, true), "{data}");
        assert_eq!(told(OrderKind::Invite, Topic::Sent).0, "invite.sent");
        let (name, event) = told(OrderKind::Callback, Topic::Closed);
        assert_eq!((name.as_str(), &event["data"]["id"]), ("callback.closed", &json!(id.to_string())));
        assert_eq!((&event["data"]["attempts_made"], event["data"].get("invited_at")), (&json!(0), None));
    }
}
