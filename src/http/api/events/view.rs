//! How a line of the timeline is shown as an event.

use std::borrow::Cow;

use axum::response::sse::Event;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::OrderKind;
use crate::store::TimelineLine;

/// A line of a timeline, as the data of an event. It has no number of a consumer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(super) struct EventView<'a> {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// A stable code such as `attempt.opened`; the same as the event's name.
    what: Cow<'a, str>,
    /// The cause, in one sentence.
    why: &'a str,
    /// The callback that it is about, `cb_...`.
    #[serde(skip_serializing_if = "Option::is_none")]
    callback: Option<String>,
    /// The invite that it is about, `inv_...`.
    #[serde(skip_serializing_if = "Option::is_none")]
    invite: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    /// The sender, if it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// The name of the API token that caused it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
}

/// The code of a line. The words about the order itself are those of callbacks; an invite tells them as its own.
pub(super) fn code(line: &TimelineLine) -> Cow<'_, str> {
    match (line.kind, line.entry.what.strip_prefix("callback.")) {
        (Some(OrderKind::Invite), Some(word)) => format!("invite.{word}").into(),
        _ => Cow::Borrowed(&*line.entry.what),
    }
}

impl<'a> EventView<'a> {
    pub(super) fn of(line: &'a TimelineLine) -> Self {
        let entry = &line.entry;
        let order = |kind: OrderKind| {
            entry.callback.filter(|_| line.kind == Some(kind)).map(|id| kind.show_id(id).to_string())
        };
        Self {
            at: entry.at,
            what: code(line),
            why: &entry.why,
            callback: order(OrderKind::Callback),
            invite: order(OrderKind::Invite),
            attempt: entry.attempt.map(|id| id.to_string()),
            message: entry.message.map(|id| id.to_string()),
            sender: entry.pair.map(|pair| pair.sender.e164()),
            by: entry.by.as_deref(),
        }
    }

    pub(super) fn event(&self, seq: i64) -> Event {
        let event = Event::default().id(seq.to_string()).event(&*self.what);
        // The fields are text and times, which JSON can hold.
        event.json_data(self).unwrap_or_default()
    }
}

/// What was recorded after the client's id is not there.
pub(super) fn reset(last: i64) -> Event {
    let why =
        "The lines after the given id are not there. Read the lists again; the stream goes on from here.";
    let data = serde_json::json!({ "why": why }).to_string();
    Event::default().id(last.to_string()).event("reset").data(data)
}

/// Moves the client's id on without an event.
pub(super) fn position(seq: i64) -> Event {
    Event::default().id(seq.to_string())
}
