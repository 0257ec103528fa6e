//! `POST /v1/calendars/{name}/days`: closes or opens days of a calendar, or gives them back to it.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::find;
use super::show::date;
use crate::domain::CalendarName;
use crate::domain::Event;
use crate::domain::calendar::{CalendarMark, Mark};
use crate::http::api::body::JsonBytes;
use crate::http::api::commands::{Command, answer_with};
use crate::http::api::permissions::{fault, for_the_record, read};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// So many days ahead a day may be marked.
const AHEAD_MOST: i32 = 1_100;

/// Days to be marked.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CalendarMark)]
pub(in crate::http::api) struct Draft {
    /// `closed`, `open`, or `default` to let the calendar decide again.
    #[schema(required = true)]
    state: Option<String>,
    /// The first day, as YYYY-MM-DD: yesterday in UTC, or later.
    #[schema(required = true, format = Date)]
    first: Option<String>,
    /// The last day, at most 366 days with the first, and at most 1,100 days ahead; the first if it is left out.
    #[schema(format = Date)]
    last: Option<String>,
    /// Why, for the record; at most 200 bytes. It is shown with the days.
    #[schema(required = true)]
    why: Option<String>,
}

/// The days that were marked.
#[derive(Serialize, ToSchema)]
#[schema(as = CalendarMarkTaken)]
pub(in crate::http::api) struct Taken {
    calendar: String,
    state: &'static str,
    #[schema(value_type = String, format = Date)]
    first: Date,
    #[schema(value_type = String, format = Date)]
    last: Date,
    /// The name of the API token.
    who: String,
    why: String,
}

/// Closes or opens days of a calendar.
///
/// From the answer on nothing leaves on a closed day for orders whose hours name the calendar; calls in progress go on.
/// What waits for a day that is opened is looked at again at once. A later mark of a day replaces an earlier one.
#[utoipa::path(post, path = "/v1/calendars/{name}/days", operation_id = "mark_calendar", tag = "calendars",
    params(
        ("name" = String, Path, description = "The name of the calendar, such as `BR-SP`"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = Draft),
    responses(
        (status = 200, description = "It is in force.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 404, description = "There is no such calendar.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 409, description = "10,000 days are marked.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn mark(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let calendar = find(&app.calendars, &name)?;
    let draft: Draft = read(&bytes)?;
    let now = app.clock.now();
    // Without a key of the caller, a repeated order is a new one: another may have replaced it meanwhile.
    let content = match headers.contains_key("idempotency-key") {
        true => format!("calendar {calendar} {}", String::from_utf8_lossy(&bytes)),
        false => app.ids.uuid(now).to_string(),
    };
    let command = Command::new(&app, &caller, &headers, &content, 0)?;
    let is_known = command.is_known().await?;
    let order = check(&draft, calendar, caller.name(), (!is_known).then_some(now))?;
    let taken = Taken {
        calendar: order.calendar.to_string(),
        state: order.mark.as_str(),
        first: order.first,
        last: order.last,
        who: order.who.to_string(),
        why: order.why.to_string(),
    };
    let carried = command.carry_out(Event::CalendarMarked(order), None).await?;
    Ok(answer_with(&taken, &carried))
}

/// `now` is `None` for an order that was taken before.
fn check(
    draft: &Draft,
    calendar: CalendarName,
    who: &str,
    now: Option<Timestamp>,
) -> Result<CalendarMark, ApiError> {
    let mut faults = Vec::new();
    let mark = draft.state.as_deref().map(str::parse::<Mark>);
    match mark {
        None => {
            faults.push(fault("state", "field.missing", "is missing: \"closed\", \"open\" or \"default\""))
        }
        Some(Err(_)) => {
            faults.push(fault("state", "field.value", "is not \"closed\", \"open\" or \"default\""));
        }
        Some(Ok(_)) => {}
    }
    let first = day("first", draft.first.as_deref(), &mut faults);
    if draft.first.is_none() {
        faults.push(fault("first", "field.missing", "is missing"));
    }
    let last = day("last", draft.last.as_deref(), &mut faults).or(first);
    if let Some((first, last)) = first.zip(last) {
        faults.extend(span(first, last, now));
    }
    let why = for_the_record("why", draft.why.as_deref()).unwrap_or_else(|fault| {
        faults.push(fault);
        Some(String::new())
    });
    if why.is_none() {
        faults.push(fault("why", "field.missing", "is missing: give a reason for the record"));
    }
    match (mark, first, last, why) {
        (Some(Ok(mark)), Some(first), Some(last), Some(why)) if faults.is_empty() => {
            Ok(CalendarMark { calendar, first, last, mark, who: who.into(), why: why.into() })
        }
        _ => Err(ApiError::fields("calendar.invalid", faults)),
    }
}

fn day(field: &str, text: Option<&str>, faults: &mut Vec<FieldError>) -> Option<Date> {
    let read = date(text?);
    if read.is_none() {
        faults.push(fault(field, "field.value", "is not a day, such as 2026-12-25"));
    }
    read
}

/// What is wrong with the first or the last day.
fn span(first: Date, last: Date, now: Option<Timestamp>) -> Option<FieldError> {
    let days = first.until(last).map_or(i32::MAX, |span| span.get_days());
    if days < 0 {
        return Some(fault("last", "field.value", "is before the first day"));
    }
    if days >= CalendarMark::DAYS_MOST {
        let detail = format!("is more than {} days with the first", CalendarMark::DAYS_MOST);
        return Some(fault("last", "field.value", &detail));
    }
    let today = now?.to_zoned(TimeZone::UTC).date();
    if first < today.yesterday().unwrap_or(today) {
        return Some(fault("first", "field.value", "is over"));
    }
    let latest = today.checked_add(AHEAD_MOST.days()).unwrap_or(Date::MAX);
    (last > latest).then(|| fault("last", "field.value", "is more than 1,100 days ahead"))
}
