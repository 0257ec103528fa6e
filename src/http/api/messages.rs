//! `GET /v1/messages`: permission requests and invites that the platform has not confirmed yet.
//! `POST /v1/messages/{id}/resolve`: an operator resolves an unresolved message.

use std::sync::Arc;

use axum::extract::{Extension, Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::body::{JsonBytes, json};
use super::callbacks::of_tenant;
use super::query;
use super::resolution::{self, Draft, Taken, Vocabulary};
use super::views::MessageView;
use crate::domain::event::MessageOverride;
use crate::domain::{Event, Message, MessageId, MessageResolution, Stage};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// The stages of a message that the platform has not confirmed.
const STAGES: [Stage; 3] = [Stage::Intent, Stage::Submitting, Stage::Unknown];
const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

/// Messages that the platform has not confirmed, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = MessagePage)]
pub(super) struct PageView<'a> {
    messages: Vec<OpenView<'a>>,
    /// The number of matches, including those beyond `limit`.
    total: usize,
}

/// A message that the platform has not confirmed.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenMessage)]
struct OpenView<'a> {
    #[serde(flatten)]
    message: MessageView<'a>,
    callback: String,
    consumer: String,
    /// Whether an operator may resolve it, because its state is unknown.
    is_unresolved: bool,
}

/// Filters of the list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described; the query is read strictly, by hand")]
pub(super) struct Parameters {
    /// `intent`, `submitting` or `unknown`.
    stage: Option<String>,
    /// The maximum number of messages, 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
}

/// Permission requests and invites that the platform has not confirmed, oldest first.
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
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let (mut wanted, mut limit) = (None, LIMIT_DEFAULT);
    query::read(query.as_deref(), |name, value| {
        match name {
            "stage" => {
                let found = STAGES.into_iter().find(|known| known.as_str() == value);
                let fault = || query::fault(name, "is none of intent, submitting, unknown");
                wanted = Some(found.ok_or_else(fault)?);
            }
            "limit" => limit = query::limit(name, &value, LIMIT_MAX)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let messages = app.store.unsettled_messages().await?;
    let mut messages = of_tenant(&app, &caller, messages, |message| message.callback).await?;
    messages.retain(|message| wanted.is_none_or(|stage| message.submission.stage == stage));
    let total = messages.len();
    messages.truncate(limit);
    Ok(json(StatusCode::OK, &PageView { messages: messages.iter().map(OpenView::of).collect(), total }))
}

/// Resolves an unresolved message.
///
/// For an operator who looked into Twilio's log. A later report of the platform overrides the resolution if it says
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
    Path(id): Path<String>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let id: MessageId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    let found = app.store.messages(&[id]).await?;
    let found = of_tenant(&app, &caller, found, |message| message.callback).await?.pop();
    let message = found.ok_or_else(|| ApiError::new("message.not_found", format!("{id} is not known")))?;
    let vocabulary = Vocabulary {
        fates: MessageResolution::ALL.map(|fate| (fate.as_str(), fate)).to_vec(),
        prefixes: &["MM", "SM"],
        absent: MessageResolution::NotSent,
    };
    let word = vocabulary.read(&bytes, message.submission.sid.as_deref())?;
    let taken = Taken::of(id, message.callback, word.fate.as_str());
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
    resolution::carry_out(&app, &caller, &headers, &message.submission, &taken, event).await
}

impl<'a> OpenView<'a> {
    fn of(message: &'a Message) -> Self {
        Self {
            message: MessageView::of(message),
            callback: message.callback.to_string(),
            consumer: message.consumer.e164(),
            is_unresolved: message.is_unresolved(),
        }
    }
}
