//! `POST /v1/calendars/simulate`: whether calling hours with their calendar are open at a moment, and why.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::DayView;
use crate::clock::later;
use crate::domain::calendar::Calendars;
use crate::domain::{CallingHours, zones};
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::permissions::{fault, read};
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::policy::window;
use crate::text::time::moment;

/// Calling hours and a moment.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CalendarTrial)]
pub(in crate::http::api) struct Trial {
    /// Calling hours as a text.
    #[schema(required = true, example = "mon-fri 09:00-18:00 @America/Sao_Paulo except BR-SP")]
    hours: Option<String>,
    /// The moment; now if it is left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<String>,
}

/// What the hours are at the moment.
#[derive(Serialize, ToSchema)]
#[schema(as = CalendarTrialResult)]
pub(in crate::http::api) struct View {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The same moment in the zone of the hours.
    #[schema(example = "2026-12-25T10:00:00-03:00")]
    local: String,
    /// The hours as they are understood.
    hours: String,
    open: bool,
    /// What the calendar says of the local day.
    day: DayView,
    /// The code of the reason why they are closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// When they open next, if they are closed; absent if they do not open within 366 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    opens_at: Option<Timestamp>,
    /// When they close, if they are open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    closes_at: Option<Timestamp>,
}

/// Tries calling hours at a moment. Nothing is stored.
#[utoipa::path(post, path = "/v1/calendars/simulate", operation_id = "simulate_calendar", tag = "calendars",
    request_body(content = Trial),
    responses(
        (status = 200, body = View),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn simulate(
    State(app): State<Arc<App>>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let trial: Trial = read(&bytes)?;
    let calendars = app.marked_calendars().await?;
    let (hours, at) = check(&trial, &calendars, app.clock.now())?;
    let opening = calendars.opening(&hours);
    let opens_at = window::next_open(opening, at, later(at, window::FAR));
    let is_open = opens_at == Some(at);
    let zone = zones::zone(&hours.zone).map_err(ApiError::internal)?;
    let local = at.to_zoned(zone);
    let reason = opens_at.filter(|_| !is_open).map(|opens_at| window::closed(opening, at, opens_at).code());
    let view = View {
        at,
        local: local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        hours: hours.to_string(),
        open: is_open,
        day: DayView::of(local.date(), opening.on(local.date())),
        reason: reason.or((!is_open).then_some("window.outside_hours")),
        opens_at: opens_at.filter(|_| !is_open),
        closes_at: window::closes_at(opening, at),
    };
    Ok(json(StatusCode::OK, &view))
}

fn check(
    trial: &Trial,
    calendars: &Calendars,
    now: Timestamp,
) -> Result<(CallingHours, Timestamp), ApiError> {
    let mut faults = Vec::new();
    let hours = match trial.hours.as_deref() {
        Some(text) => hours(text, calendars).map_err(|error| faults.push(error)).ok(),
        None => {
            faults.push(fault("hours", "field.missing", "is missing"));
            None
        }
    };
    let at = match trial.at.as_deref().map(moment).transpose() {
        Ok(at) => at.unwrap_or(now),
        Err(error) => {
            faults.push(fault("at", "time.invalid", &error.to_string()));
            now
        }
    };
    match hours {
        Some(hours) if faults.is_empty() => Ok((hours, at)),
        _ => Err(ApiError::fields("calendar.invalid", faults)),
    }
}

fn hours(text: &str, calendars: &Calendars) -> Result<CallingHours, FieldError> {
    let hours = text.parse::<CallingHours>().and_then(|hours| hours.check_zone().map(|()| hours));
    let hours = hours.map_err(|error| fault("hours", "hours.invalid", &error.to_string()))?;
    let Some(name) = &hours.calendar else { return Ok(hours) };
    let spelt = calendars.find(name.as_str()).ok_or_else(|| {
        fault(
            "hours",
            "calendar.unknown",
            &format!("there is no calendar {name}; GET /v1/calendars lists them"),
        )
    })?;
    Ok(hours.except(Some(spelt)))
}
