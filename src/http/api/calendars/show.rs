//! `GET /v1/calendars/{name}`: the days of a calendar that are not ordinary.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan as _};
use serde::Serialize;
use utoipa::ToSchema;

use super::{DayView, find};
use crate::domain::calendar::{Day, holidays};
use crate::http::api::body::json;
use crate::http::api::query::{Given, fault};
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// The most days of one answer.
const DAYS_MOST: i32 = 3_700;

/// A calendar between two days.
#[derive(Serialize, ToSchema)]
#[schema(as = CalendarDays)]
pub(in crate::http::api) struct View {
    name: String,
    #[schema(value_type = String, format = Date)]
    from: Date,
    #[schema(value_type = String, format = Date)]
    until: Date,
    /// The days that are closed, and those that were opened, in their order. All other days are open.
    days: Vec<DayView>,
    /// The last day whose holidays are known, if `until` is later.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Date)]
    holidays_known_until: Option<Date>,
}

/// The closed and opened days of a calendar.
#[utoipa::path(get, path = "/v1/calendars/{name}", operation_id = "show_calendar", tag = "calendars",
    params(
        ("name" = String, Path, description = "The name of the calendar, such as `BR-SP`"),
        ("from" = Option<String>, Query, description = "The first day, as YYYY-MM-DD; today in UTC if it is left out"),
        ("until" = Option<String>, Query,
            description = "The last day, at most 3,700 days later; a year after `from` if it is left out"),
    ),
    responses(
        (status = 200, body = View),
        (status = 404, description = "There is no such calendar.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn show(
    State(app): State<Arc<App>>,
    Id(name): Id,
    given: Given,
) -> Result<Response, ApiError> {
    let (mut from, mut until) = (None, None);
    given.read(|name, value| {
        let place = match name {
            "from" => &mut from,
            "until" => &mut until,
            _ => return Ok(false),
        };
        *place = Some(date(&value).ok_or_else(|| fault(name, "is not a day, such as 2026-12-25"))?);
        Ok(true)
    })?;
    let from = from.unwrap_or_else(|| app.clock.now().to_zoned(TimeZone::UTC).date());
    let until = until.or_else(|| from.checked_add(1.year()).ok()).unwrap_or(Date::MAX);
    if until < from || from.until(until).map_or(i32::MAX, |span: Span| span.get_days()) > DAYS_MOST {
        return Err(fault("until", "is before \"from\", or more than 3,700 days after it"));
    }
    let calendars = app.marked_calendars().await?;
    let name = find(&calendars, &name)?;
    let days = calendars.days(&name);
    let dates = from.series(1.day()).take_while(|date| *date <= until);
    let told = dates.map(|date| (date, days.on(date))).filter(|(_, day)| *day != Day::Open);
    let view = View {
        name: name.to_string(),
        from,
        until,
        days: told.map(|(date, day)| DayView::of(date, day)).collect(),
        holidays_known_until: (!days.covers(until)).then(holidays::last_day),
    };
    Ok(json(StatusCode::OK, &view))
}

/// A day as `YYYY-MM-DD`, and in no other form.
pub(super) fn date(text: &str) -> Option<Date> {
    let date: Date = text.parse().ok()?;
    (date.to_string() == text).then_some(date)
}
