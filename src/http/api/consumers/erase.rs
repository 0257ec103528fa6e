//! `POST /v1/consumers/erase`: begins the erasure of a person's data.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{Erasure, ErasureId, Event, Name};
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::commands::Command;
use crate::http::api::erasures::{View, view_of};
use crate::http::api::permissions::{fault, for_the_record, read};
use crate::http::api::suppression::one_person;
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::store::NewErasure;

/// A person, by one name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsumerErasureOrder)]
pub(in crate::http::api) struct Draft {
    /// The number, in E.164.
    #[schema(example = "+5511987654321")]
    consumer: Option<String>,
    /// WhatsApp's id of the user, instead of the number.
    user_id: Option<String>,
    /// The Meta business portfolio of the user id; by default that of accounts without one.
    portfolio: Option<String>,
    /// Why, for the record; at most 200 bytes. It stays, so it must not name the person.
    #[schema(required = true, max_length = 200)]
    why: Option<String>,
}

/// Erases the data of a person, in every table and of all tenants. It cannot be undone.
///
/// From the answer on the person is on the suppression list `erased`, which nobody is taken off. Open orders are canceled with
/// the reason `consumer.erased`, and calls in progress are hung up. Then names, numbers, ids, variables, metadata, consents
/// and texts go, and the rows stay for the counts. What Twilio and Meta, backups, logs and your own systems hold is not
/// erased; the calls and messages that Twilio has are listed by their ids. A repetition begins another erasure, which finds
/// what came since.
#[utoipa::path(post, path = "/v1/consumers/erase", operation_id = "erase_consumer", tag = "consumers",
    request_body(content = Draft),
    responses(
        (status = 202, description = "It has begun; `Location` tells how far it is.", body = View),
        (status = 409, description = "100 erasures are not done.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn erase(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let mut faults = Vec::new();
    let (consumer, user_id) = (draft.consumer.as_deref(), draft.user_id.as_deref());
    let name = one_person(&app, consumer, user_id, draft.portfolio.as_deref(), &mut faults);
    let why = why(draft.why.as_deref(), name.as_ref(), &mut faults);
    let (Some(name), Some(why)) = (name, why) else {
        return Err(ApiError::fields("consumer.invalid", faults));
    };
    // Of the body nothing is kept, not even its hash.
    let content = app.ids.uuid(app.clock.now()).to_string();
    let command = Command::new(&app, &caller, &HeaderMap::new(), &content, 0)?;
    let id = ErasureId::new(Uuid::from_bytes(command.key()));
    let event = Event::Erasure { erasure: id, list_id: 0, entries: 0, by: caller.name().to_owned() };
    let new = NewErasure { id, name, why, command: command.filed(event, None) };
    let Some(begun) = app.store.erase(new).await? else {
        let detail = format!("{} erasures are not done; wait until some are", Erasure::OPEN_MAX);
        return Err(ApiError::new("erasure.too_many", detail));
    };
    command.carried(true).await?;
    let mut answer = json(StatusCode::ACCEPTED, &view_of(&app, begun.id).await?);
    let location = HeaderValue::from_str(&format!("/v1/erasures/{id}")).expect("an id fits into a header");
    answer.headers_mut().insert(LOCATION, location);
    Ok(answer)
}

/// The reason. Its digits are masked if they may be a number, and it must not have the user id in it.
fn why(given: Option<&str>, name: Option<&Name>, faults: &mut Vec<FieldError>) -> Option<String> {
    let why = for_the_record("why", given).map_err(|wrong| faults.push(wrong)).ok()?;
    let Some(why) = why else {
        faults.push(fault("why", "field.missing", "is missing: give a reason for the record"));
        return None;
    };
    // Numbers in it are masked already.
    let names_the_person = matches!(name, Some(Name::User { id, .. }) if why.contains(id.as_str()));
    if names_the_person {
        faults.push(fault(
            "why",
            "field.value",
            "names the person: it stays, so give a reason without a name",
        ));
    }
    faults.is_empty().then(|| why.to_owned())
}
