//! `GET /v1/messages`: messages that the platform has not confirmed, and permission requests without an answer.
//! `POST /v1/messages/{id}/resolve`: an operator resolves an unresolved message.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::body::{JsonBytes, json};
use super::order_names::{OrderName, OrderNames};
use super::query::{self, Given};
use super::resolution::{self, Draft, Identifiers, Taken, Vocabulary};
use super::views::MessageView;
use crate::domain::event::MessageOverride;
use crate::domain::{Event, Message, MessageId, MessageResolution, Stage};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// The stages of a message that awaits something: the platform's confirmation, or the consumer's reply.
const STAGES: [Stage; 4] = [Stage::Intent, Stage::Submitting, Stage::Unknown, Stage::Accepted];
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

/// Messages that wait for a confirmation or a reply, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = MessagePage)]
pub(super) struct PageView<'a> {
    messages: Vec<OpenView<'a>>,
    /// The number of matches, including those beyond `limit`; at most 10,000 messages that wait for a reply count.
    total: usize,
}

/// A message that awaits something.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenMessage)]
struct OpenView<'a> {
    #[serde(flatten)]
    message: MessageView<'a>,
    /// Absent if it belongs to no callback and no invite.
    #[serde(flatten)]
    order: OrderName,
    consumer: String,
    /// `confirmation` by the platform, or `reply` of the consumer.
    awaits: &'static str,
    /// When a request without a reply lapses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    lapses_at: Option<Timestamp>,
    /// Whether an operator may resolve it, because its state is unknown.
    is_unresolved: bool,
}

/// Filters of the list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described; the query is read strictly, by hand")]
pub(super) struct Parameters {
    /// `intent`, `submitting` or `unknown` for messages that wait for a confirmation, `accepted` for a reply.
    stage: Option<String>,
    /// The maximum number of messages, 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
}

/// Messages that the platform has not confirmed, and permission requests that the consumer has not answered, oldest
/// first.
#[utoipa::path(get, path = "/v1/messages", operation_id = "list_messages", tag = "messages",
    params(Parameters),
    responses(
        (status = 200, body = PageView<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    let (mut wanted, mut limit) = (None, LIMIT_DEFAULT);
    given.read(|name, value| {
        match name {
            "stage" => {
                let found = STAGES.into_iter().find(|known| known.as_str() == value);
                let fault = || query::fault(name, "is none of intent, submitting, unknown, accepted");
                wanted = Some(found.ok_or_else(fault)?);
            }
            "limit" => limit = query::limit(name, &value, LIMIT_MAX)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let mut messages = Vec::new();
    if wanted != Some(Stage::Accepted) {
        let unsettled = app.store.unsettled_messages().await?;
        let own = unsettled.into_iter().filter(|message| message.tenant == *caller.tenant());
        let matching = own.filter(|message| wanted.is_none_or(|stage| message.submission.stage == stage));
        messages.extend(matching.map(|message| (message, None)));
    }
    let mut total = messages.len();
    if wanted.is_none_or(|stage| stage == Stage::Accepted) {
        let awaiting = app.store.awaiting_reply(caller.tenant(), app.clock.now(), limit).await?;
        total += awaiting.total;
        messages.extend(awaiting.requests.into_iter().map(|(message, lapses_at)| (message, Some(lapses_at))));
    }
    // Ids grow with the time of creation.
    messages.sort_unstable_by_key(|(message, _)| message.id);
    messages.truncate(limit);
    let names = OrderNames::read(&app, messages.iter().filter_map(|(message, _)| message.callback)).await?;
    let messages = messages
        .iter()
        .map(|(message, lapses_at)| OpenView::of(message, *lapses_at, names.name(message.callback)))
        .collect();
    Ok(json(StatusCode::OK, &PageView { messages, total }))
}

/// Resolves an unresolved message.
///
/// For an operator who looked into the platform's log. A later report of the platform overrides the resolution if it says
/// more.
#[utoipa::path(post, path = "/v1/messages/{id}/resolve", operation_id = "resolve_message", tag = "messages",
    params(("id" = String, Path, description = "`ms_` and 32 hexadecimal digits")),
    request_body(content = Draft),
    responses(
        (status = 200, description = "The resolution is applied.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "The message is not unresolved; `detail` names its state.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let id: MessageId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    let found = app.store.messages(&[id]).await?.pop();
    let own = found.filter(|message| message.tenant == *caller.tenant());
    let message = own.ok_or_else(|| ApiError::new("message.not_found", format!("{id} is not known")))?;
    let vocabulary = Vocabulary {
        fates: MessageResolution::ALL.map(|fate| (fate.as_str(), fate)).to_vec(),
        identifiers: Identifiers::of_messages(&app, message.account()),
        absent: MessageResolution::NotSent,
    };
    let word = vocabulary.read(&bytes, message.submission.sid.as_deref())?;
    let names = OrderNames::read(&app, message.callback).await?;
    let taken = Taken::of(id, names.name(message.callback), word.fate.as_str());
    if message.is_known_as(word.fate) {
        return Ok(json(StatusCode::OK, &taken));
    }
    if !message.is_unresolved() {
        let detail = format!("it is {}", message.submission.stage.as_str());
        return Err(ApiError::new("message.not_in_doubt", detail));
    }
    let by = caller.name().to_owned();
    let (fate, sid) = (word.fate, word.sid);
    let event = Event::MessageResolved(MessageOverride { message: id, fate, sid, by, note: word.note });
    let about = (&message.submission, message.callback);
    resolution::carry_out(&app, &caller, &headers, about, &taken, event).await
}

impl<'a> OpenView<'a> {
    fn of(message: &'a Message, lapses_at: Option<Timestamp>, order: OrderName) -> Self {
        Self {
            message: MessageView::of(message),
            order,
            consumer: message.consumer.e164(),
            awaits: if lapses_at.is_some() { "reply" } else { "confirmation" },
            lapses_at,
            is_unresolved: message.is_unresolved(),
        }
    }
}
