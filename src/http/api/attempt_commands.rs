//! What a person wants of a call in progress: `end` it, `ask-again` what became of it, `hold` one whose fate is unknown, or
//! `release` it. All are commands, which the scheduler folds.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::callbacks::of_tenant;
use super::commands::{Command, answer_with};
use crate::domain::event::{AttemptChange, AttemptCommand};
use crate::domain::{AttemptId, Event};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// What is done about a call in progress.
#[derive(Serialize, ToSchema)]
#[schema(as = AttemptCommandTaken)]
pub(super) struct View {
    id: String,
    callback: String,
    /// `end`, `ask_again`, `hold` or `release`.
    command: &'static str,
}

/// Ends a call in progress, also one that was answered.
///
/// The platform is asked to end it, up to eight times within two minutes. The callback then goes on by its own rules, as
/// after any other call; cancel it to have it called no more. WhatsApp's Cloud API and Messenger place no calls that could
/// be ended.
#[utoipa::path(post, path = "/v1/attempts/{id}/end", operation_id = "end_attempt", tag = "attempts",
    params(
        ("id" = String, Path, description = "`at_` and 32 hexadecimal digits"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "The command is applied.", body = View),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "The call is over, or the platform has not said that it has it.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn end(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    order(&app, &caller, &headers, &id, AttemptChange::End).await
}

/// Asks the platform now what became of a call, and does not wait for the next lookup.
///
/// Its answer is folded like any other report.
#[utoipa::path(post, path = "/v1/attempts/{id}/ask-again", operation_id = "ask_again", tag = "attempts",
    params(
        ("id" = String, Path, description = "`at_` and 32 hexadecimal digits"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "The lookup is due.", body = View),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "The call is over, or was not sent yet.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn ask_again(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    order(&app, &caller, &headers, &id, AttemptChange::AskAgain).await
}

/// Holds a call of unknown fate: for 24 hours no time-out settles it.
///
/// Meanwhile the platform goes on being asked, and what it says of the call counts, as does a resolution. While the call is
/// unknown, nobody else is called for the callback. A repetition holds it for 24 hours from then.
#[utoipa::path(post, path = "/v1/attempts/{id}/hold", operation_id = "hold_attempt", tag = "attempts",
    params(
        ("id" = String, Path, description = "`at_` and 32 hexadecimal digits"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "It is held.", body = View),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "Its fate is not unknown.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn hold(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    order(&app, &caller, &headers, &id, AttemptChange::Hold).await
}

/// Ends the hold of a call of unknown fate. The platform is asked now.
#[utoipa::path(post, path = "/v1/attempts/{id}/release", operation_id = "release_attempt", tag = "attempts",
    params(
        ("id" = String, Path, description = "`at_` and 32 hexadecimal digits"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "It is not held.", body = View),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "Its fate is not unknown.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn release(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    order(&app, &caller, &headers, &id, AttemptChange::Release).await
}

async fn order(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    id: &str,
    change: AttemptChange,
) -> Result<Response, ApiError> {
    let id: AttemptId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    let found = app.store.attempts(&[id]).await?;
    let found = of_tenant(app, caller, found, |attempt| attempt.callback).await?.pop();
    let attempt = found.ok_or_else(|| ApiError::new("attempt.not_found", format!("{id} is not known")))?;
    let word: &'static str = change.into();
    // The same wish in another state of the call is another command.
    let content = format!(
        "{word} {id} {:?} {:?} {:?} {:?}",
        attempt.first_leg, attempt.news_due_at, attempt.end_requested_at, attempt.held_until
    );
    let command = Command::new(app, caller, headers, &content, 0)?;
    let is_possible = match change {
        AttemptChange::End => attempt.can_be_ended(),
        AttemptChange::AskAgain => attempt.can_be_asked_about(),
        AttemptChange::Hold | AttemptChange::Release => attempt.can_be_held(),
    };
    if !is_possible && !command.is_known().await? {
        let stage = attempt.submission.stage.as_str();
        let detail = match (attempt.ending(), change) {
            (Some(end), _) => format!("it is {stage}, and ended as {end}"),
            (None, AttemptChange::Hold | AttemptChange::Release) => {
                format!("it is {stage}: only a call whose fate is unknown is held")
            }
            (None, _) => format!("it is {stage}, so the platform has no call of it yet or any more"),
        };
        return Err(ApiError::new("attempt.over", detail));
    }
    let event = Event::AttemptCommand(AttemptCommand { attempt: id, by: caller.name().to_owned(), change });
    let carried = command.carry_out(event, Some(attempt.callback)).await?;
    let view = View { id: id.to_string(), callback: attempt.callback.to_string(), command: word };
    Ok(answer_with(&view, &carried))
}
