//! `POST /v1/suppression/remove`: takes a person off a list.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{check_portfolio, digest, list, number, user};
use crate::domain::event::SuppressionRemoved;
use crate::domain::{Event, ListName, Name};
use crate::http::api::body::JsonBytes;
use crate::http::api::commands::{Command, answer_with};
use crate::http::api::permissions::{fault, for_the_record, read};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::store::EntryName;

/// A person to be taken off a list: one of `consumer`, `user_id` and `sha256`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuppressionRemoval)]
pub(in crate::http::api) struct Draft {
    /// As for adding; `house` is the default.
    list: Option<String>,
    /// Why, for the record; at most 200 bytes.
    #[schema(required = true)]
    why: Option<String>,
    /// The number, in E.164. Entries of all its spellings are removed.
    #[schema(example = "+5511987654321")]
    consumer: Option<String>,
    user_id: Option<String>,
    portfolio: Option<String>,
    /// SHA-256 of the number in E.164, as 64 hexadecimal digits.
    sha256: Option<String>,
}

/// What was removed.
#[derive(Serialize, ToSchema)]
#[schema(as = SuppressionRemoved)]
struct Taken {
    list: String,
    /// Entries that end; absent in the answer to a repetition.
    #[serde(skip_serializing_if = "Option::is_none")]
    removed: Option<usize>,
}

/// Takes a person off a suppression list, with all scopes. Other lists still hold, and so do refusals of the person.
/// Closed callbacks stay closed. Nobody is taken off the list `erased`.
#[utoipa::path(post, path = "/v1/suppression/remove", operation_id = "remove_suppression", tag = "suppression",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content = Draft),
    responses(
        (status = 200, description = "It is removed.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 404, description = "The list has no entry for the person.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 409, description = "An erased person stays suppressed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn remove(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    // Without a key of the caller, a repeated request is a new one.
    let content = match headers.contains_key("idempotency-key") {
        true => format!("unsuppress {}", String::from_utf8_lossy(&bytes)),
        false => app.ids.uuid(app.clock.now()).to_string(),
    };
    let command = Command::new(&app, &caller, &headers, &content, 0)?;
    let (list, name, why) = read_draft(&app, &draft)?;
    if list == ListName::Erased {
        let detail =
            "entries of the list \"erased\" stand for people whose data is gone, and are not removed";
        return Err(ApiError::new("suppression.erased", detail));
    }
    let hashes = app.store.entries_of(&list, &name).await?;
    let is_known = command.is_known().await?;
    if hashes.is_empty() && !is_known {
        let detail = format!("the list {:?} has no entry for the person", list.to_string());
        return Err(ApiError::new("suppression.not_found", detail));
    }
    let taken = Taken { list: list.to_string(), removed: (!is_known).then_some(hashes.len()) };
    let event = SuppressionRemoved { list, hashes, why, by: caller.name().to_owned() };
    let carried = command.carry_out(Event::SuppressionRemoved(event), None).await?;
    Ok(answer_with(&taken, &carried))
}

fn read_draft(app: &App, draft: &Draft) -> Result<(ListName, EntryName, String), ApiError> {
    let mut faults = Vec::new();
    let list = list(app, draft.list.as_deref(), &mut faults);
    let why = for_the_record("why", draft.why.as_deref()).unwrap_or_else(|fault| {
        faults.push(fault);
        Some(String::new())
    });
    if why.is_none() {
        faults.push(fault("why", "field.missing", "is missing: give a reason for the record"));
    }
    let portfolio = draft.portfolio.as_deref();
    check_portfolio(app, portfolio, draft.user_id.is_some(), &mut faults);
    let name = match (&draft.consumer, &draft.user_id, &draft.sha256) {
        (Some(text), None, None) => {
            number(app, "consumer", text, &mut faults).map(|number| EntryName::Name(Name::Number(number)))
        }
        (None, Some(text), None) => user("user_id", text, portfolio, &mut faults).map(EntryName::Name),
        (None, None, Some(text)) => digest("sha256", text, &mut faults),
        (None, None, None) => {
            faults.push(fault("consumer", "field.missing", "is missing: give it, user_id or sha256"));
            None
        }
        _ => {
            faults.push(fault("consumer", "field.count", "one of consumer, user_id and sha256 is expected"));
            None
        }
    };
    match (list, name, why) {
        (Some(list), Some(name), Some(why)) if faults.is_empty() => Ok((list, name, why)),
        _ => Err(ApiError::fields("suppression.invalid", faults)),
    }
}
