//! `GET /v1/calendars`: the calendars that hours may name.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::CalendarName;
use crate::domain::calendar::holidays;
use crate::http::api::body::json;
use crate::http::api::query::{Given, fault};
use crate::http::error::Written;
use crate::http::{ApiError, App};

/// The calendars: those of the configuration, then those of the program by country and region.
#[derive(Serialize, ToSchema)]
#[schema(as = Calendars)]
pub(in crate::http::api) struct PageView {
    holidays: DataView,
    calendars: Vec<RowView>,
}

/// The data of public holidays that the program has.
#[derive(Serialize, ToSchema)]
#[schema(as = HolidayData)]
pub(in crate::http::api) struct DataView {
    /// Where the data is from.
    source: &'static str,
    #[schema(example = "0.109")]
    version: &'static str,
    #[schema(value_type = String, format = Date)]
    first_day: Date,
    /// No holiday is known after this day.
    #[schema(value_type = String, format = Date)]
    last_day: Date,
}

/// A calendar.
#[derive(Serialize, ToSchema)]
#[schema(as = Calendar)]
struct RowView {
    #[schema(example = "BR-SP")]
    name: String,
    /// `configuration`, or `program` for the public holidays of a country or region.
    origin: &'static str,
    /// For a calendar of the configuration: the country or region whose public holidays it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    holidays: Option<String>,
}

impl DataView {
    pub(super) fn new() -> Self {
        Self {
            source: "PyPI package holidays (MIT)",
            version: holidays::version(),
            first_day: holidays::first_day(),
            last_day: holidays::last_day(),
        }
    }
}

/// The calendars that hours may name.
#[utoipa::path(get, path = "/v1/calendars", operation_id = "list_calendars", tag = "calendars",
    params(("country" = Option<String>, Query,
        description = "Only the program's calendars of this country and its regions, by its two letters")),
    responses(
        (status = 200, body = PageView),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn list(
    State(app): State<Arc<App>>,
    given: Given,
) -> Result<Response, ApiError> {
    let mut country = None;
    given.read(|name, value| {
        if name == "country" {
            if value.len() != 2 || holidays::find(&value).is_none() {
                return Err(fault(name, "is no country whose holidays the program has"));
            }
            country = Some(value.to_ascii_uppercase());
        }
        Ok(name == "country")
    })?;
    let own = app.calendars.own().filter(|_| country.is_none()).map(|(name, own)| RowView {
        name: name.to_string(),
        origin: "configuration",
        holidays: own.holidays.as_ref().map(CalendarName::to_string),
    });
    let is_of_country = |code: &&str| {
        country.as_deref().is_none_or(|country| code.split('-').next().unwrap_or_default() == country)
    };
    let program = holidays::codes().filter(is_of_country);
    let program = program.map(|code| RowView { name: code.to_owned(), origin: "program", holidays: None });
    let calendars = own.chain(program).collect();
    Ok(json(StatusCode::OK, &PageView { holidays: DataView::new(), calendars }))
}
