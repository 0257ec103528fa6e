//! `GET /v1/events`: what happens, as it is recorded, as a stream of server-sent events that can be resumed.

pub mod places;
mod stream;
mod view;

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::sse::{KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;

use super::query::{Given, fault};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use stream::Reader;

/// A comment goes out when nothing else did for this long, so that proxies keep the connection.
const KEEP_ALIVE: std::time::Duration = std::time::Duration::from_secs(15);
/// The header in which a browser repeats the last id that it has seen.
const LAST_ID: &str = "last-event-id";
const TRY_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// What happens to the token's callbacks and invites from now on, or after an id: the lines of their timelines, in the
/// order in which they were committed, as server-sent events. `id` grows, `event` is the line's code, and `data` is an
/// `Event`. An `event: reset` tells that lines after the given id are not there: read the lists again.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "events", tag = "events",
    params(
        ("after" = Option<i64>, Query,
            description = "Begin after this id; 0 for everything. The header Last-Event-ID goes first"),
        ("what" = Option<String>, Query,
            description = "Only lines whose code begins so, such as `attempt.` or `callback.closed`"),
    ),
    responses(
        (status = 200, body = view::EventView<'static>, content_type = "text/event-stream"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn events(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    given: Given,
) -> Result<Response, ApiError> {
    let (mut after, mut what) = (None, String::new());
    given.read(|name, value| {
        match name {
            "after" => after = Some(id(name, &value)?),
            "what" => what = code(name, value)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    if let Some(last) = headers.get(LAST_ID) {
        after = Some(id("Last-Event-ID", last.to_str().unwrap_or_default())?);
    }
    let place = app.event_places.enter(&caller).ok_or_else(|| {
        let detail = "too many streams of events are open; close one, or read with fewer";
        ApiError::later("events.too_many", detail, TRY_AGAIN)
    })?;
    let ends = app.store.timeline_ends().await?;
    let reader = Reader::new(app, caller, place, after, ends, what);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let mut response = Sse::new(reader.into_stream()).keep_alive(keep_alive).into_response();
    // Nginx holds back what it proxies unless it is told not to.
    response.headers_mut().insert("x-accel-buffering", HeaderValue::from_static("no"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn id(name: &str, value: &str) -> Result<i64, ApiError> {
    let id = value.parse().ok().filter(|id: &i64| *id >= 0);
    id.ok_or_else(|| fault(name, "is not the id of an event: expected a whole number from 0"))
}

fn code(name: &str, value: String) -> Result<String, ApiError> {
    let is_known =
        value.len() <= 64 && value.bytes().all(|byte| byte.is_ascii_lowercase() || b"._".contains(&byte));
    if is_known { Ok(value) } else { Err(fault(name, "is no code of a line, such as attempt.opened")) }
}
