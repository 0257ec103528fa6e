//! `PUT /v1/consumers/zone`: the time zones that a person is known to be in.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{PersonId, Phone};
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::callbacks::validate::check_zone;
use crate::http::api::permissions::{fault, read};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// The most zones of a person.
const ZONES_MAX: usize = 10;

/// A person and the zones.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsumerZoneOrder)]
pub(in crate::http::api) struct Draft {
    /// The number, in E.164.
    #[schema(required = true, value_type = String, example = "+5511987654321")]
    consumer: Option<String>,
    /// IANA names, at most 10; of several all have to be open. None removes what is known.
    #[schema(required = true, value_type = Vec<String>, example = json!(["America/Manaus"]))]
    zones: Option<Vec<String>>,
}

/// What is known now.
#[derive(Serialize, ToSchema)]
#[schema(as = ConsumerZone)]
struct View {
    zones: Vec<String>,
}

/// Sets the time zones of a person.
///
/// They count for orders that are accepted from now on, if the order names no zone: before those of the number, for every
/// spelling of it. Orders that were accepted keep theirs.
#[utoipa::path(put, path = "/v1/consumers/zone", operation_id = "set_consumer_zone", tag = "consumers",
    request_body(content = Draft),
    responses(
        (status = 200, body = View),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn set(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let mut faults = Vec::new();
    let consumer = match draft.consumer.as_deref().map(|text| Phone::read(text, app.defaults.country)) {
        Some(Ok(number)) => Some(number),
        Some(Err(error)) => {
            faults.push(fault("consumer", "phone.invalid", &error.to_string()));
            None
        }
        None => {
            faults.push(fault("consumer", "field.missing", "is missing"));
            None
        }
    };
    let zones = draft.zones.unwrap_or_else(|| {
        faults.push(fault(
            "zones",
            "field.missing",
            "is missing: give a list of zones, empty to remove them",
        ));
        Vec::new()
    });
    if zones.len() > ZONES_MAX {
        let detail = format!("has {} zones: expected at most {ZONES_MAX}", zones.len());
        faults.push(fault("zones", "field.count", &detail));
    }
    for (index, zone) in zones.iter().enumerate().take(ZONES_MAX) {
        if let Err(error) = check_zone(zone) {
            faults.push(fault(&format!("zones[{index}]"), "zone.invalid", &error.to_string()));
        }
    }
    let Some(consumer) = consumer.filter(|_| faults.is_empty()) else {
        return Err(ApiError::fields("consumer.invalid", faults));
    };
    let (at, by) = (app.clock.now(), caller.name().to_owned());
    app.store.set_zones(PersonId::of(consumer), zones.clone(), at, by).await?;
    Ok(json(StatusCode::OK, &View { zones }))
}
