//! `GET /v1/reports/{name}`: a report as JSON, CSV or SVG.
// Values from outside come in here.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use strum::{EnumString, IntoStaticStr, VariantNames};
use utoipa::ToSchema;

use crate::domain::campaign::campaign_id;
use crate::domain::{Phone, Scope, Tenant, WrittenHours, zones};
use crate::http::api::body::json;
use crate::http::api::callbacks::field_errors::nearest;
use crate::http::api::query::{Given, fault};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::reports::{Asked, By, Report, Span, Table, compute, csv, day, json as as_json, notes, svg};

/// The notes of an answer that is not JSON.
const NOTES: HeaderName = HeaderName::from_static("x-report-notes");
/// The days of a report without `from`, with today.
const DAYS_USUAL: i32 = 7;
/// The longest label of a campaign, in bytes.
const CAMPAIGN_MAX: usize = 200;
/// The fewest and the most last digits that name a sender. More could be a number, and numbers are in no URL.
const DIGITS: std::ops::RangeInclusive<usize> = 4..=6;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, EnumString, IntoStaticStr, VariantNames)]
#[strum(serialize_all = "lowercase")]
enum Format {
    #[default]
    Json,
    Csv,
    Svg,
}

/// A report. The members of `rows`, `total` and `corrections` have the names of the columns.
#[derive(Serialize, ToSchema)]
#[schema(as = Report)]
struct View {
    report: &'static str,
    about: &'static str,
    by: &'static str,
    /// The first and the last day, in `zone`; absent for what is now.
    from: Option<String>,
    to: Option<String>,
    zone: Option<String>,
    /// When the last day is closed.
    closes_at: Option<String>,
    /// Of columns whose unit is `money`.
    currency: Option<String>,
    columns: Vec<ColumnView>,
    #[schema(value_type = Vec<Object>)]
    rows: Vec<()>,
    /// All rows together.
    #[schema(value_type = Option<Object>)]
    total: Option<()>,
    /// The part of the total that was counted after its day had closed.
    #[schema(value_type = Option<Object>)]
    corrections: Option<()>,
    /// What a reader has to know.
    notes: Vec<String>,
}

/// A column of a report.
#[derive(Serialize, ToSchema)]
#[schema(as = ReportColumn)]
struct ColumnView {
    name: &'static str,
    /// `text`, `count`, `percent`, `seconds`, `money`, `moment` or `number`.
    unit: &'static str,
}

/// The parameters, as they are given.
#[derive(Debug, Default)]
struct Parameters {
    from: Option<Date>,
    to: Option<Date>,
    zone: Option<TimeZone>,
    by: Option<By>,
    campaign: Option<String>,
    sender: Option<Phone>,
    format: Format,
}

/// Computes a report from what was counted for the tenant of the token.
#[utoipa::path(get, path = "/v1/reports/{name}", operation_id = "show_report", tag = "reports",
    params(
        ("name" = String, Path, description = "The name of the report, such as `answer-rate`"),
        ("from" = Option<String>, Query, description = "The first day, as YYYY-MM-DD; six days before `to` if it is left out"),
        ("to" = Option<String>, Query, description = "The last day, at most 400 days with `from`; today if it is left out"),
        ("zone" = Option<String>, Query,
            description = "The time zone of the days; that of the campaign's hours, or of the configuration, if it is left out"),
        ("by" = Option<String>, Query, description = "What has a row of its own; `GET /v1/reports` lists the values"),
        ("campaign" = Option<String>, Query, description = "Only this campaign: its id or its label"),
        ("sender" = Option<String>, Query,
            description = "Only this sender: its label, or the last 4 to 6 digits of its number"),
        ("format" = Option<String>, Query, description = "`json`, `csv` or `svg`"),
    ),
    responses(
        (status = 200, headers(
            ("X-Report-Notes" = String, description = "The notes of CSV and of a plot, at most 2,000 bytes; absent without any"),
        ), content(
            (View = "application/json"),
            (String = "text/csv"),
            (String = "image/svg+xml"),
        )),
        (status = 403, description = "The report looks over all tenants.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 404, description = "There is no such report.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(name): Id,
    given: Given,
) -> Result<Response, ApiError> {
    let report = find(&name)?;
    if report.is_of_all_tenants() && *caller.tenant() != Tenant::default() {
        let detail = "it looks over all tenants, and the token belongs to one";
        return Err(ApiError::new("auth.tenant", detail));
    }
    let parameters = read(&app, report, given)?;
    let by = parameters.by.or(report.by().first().copied()).unwrap_or(By::Day);
    within_bounds(&caller, &parameters, by)?;
    let now = app.clock.now();
    let usual = match &parameters.campaign {
        Some(campaign) => zone_of(&app, caller.tenant(), campaign).await?,
        None => app.reports.zone.clone(),
    };
    let asked = Asked {
        tenant: caller.tenant().clone(),
        report,
        by,
        now,
        span: span(&parameters, now, usual)?,
        campaign: parameters.campaign,
        sender: parameters.sender,
        rates: app.reports.rates.clone(),
    };
    let table = compute(&*app.store, &asked).await?;
    answer(&table, &asked, parameters.format, caller.may(Scope::Reveal))
}

/// Somebody with bounds gets a report about one campaign or one sender inside, if all bounds are of that kind: what is
/// counted tells no other part.
fn within_bounds(caller: &Caller, given: &Parameters, by: By) -> Result<(), ApiError> {
    let bounds = caller.bounds();
    if bounds.is_all() {
        return Ok(());
    }
    let is_of_campaign = given.campaign.as_ref().is_some_and(|name| bounds.campaigns.contains(name))
        && bounds.senders.is_empty()
        && bounds.pools.is_empty();
    // Other rows would name campaigns, people and agents of orders that may use other senders too, which are outside.
    let is_of_sender = matches!(by, By::Time | By::Weekday | By::Day)
        && given.sender.is_some_and(|sender| bounds.senders.contains(&sender))
        && bounds.campaigns.is_empty()
        && bounds.pools.is_empty();
    if is_of_campaign || is_of_sender {
        return Ok(());
    }
    let detail = "the person is bound to a part of the tenant: narrow the report with campaign or sender to one of \
         the bounds, which all have to be of that kind";
    Err(ApiError::new("auth.bounds", detail))
}

fn answer(table: &Table, asked: &Asked, format: Format, reveals: bool) -> Result<Response, ApiError> {
    let (media, body) = match format {
        Format::Json => return Ok(json(StatusCode::OK, &as_json(table, &asked.rates.currency, reveals))),
        Format::Csv => ("text/csv; charset=utf-8", csv(table, reveals).map_err(ApiError::internal)?),
        Format::Svg => ("image/svg+xml", svg(table, reveals).into_bytes()),
    };
    let mut response = body.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    if let Some(notes) = notes(table) {
        response.headers_mut().insert(NOTES, HeaderValue::try_from(notes).map_err(ApiError::internal)?);
    }
    Ok(response)
}

fn find(name: &str) -> Result<Report, ApiError> {
    name.parse().map_err(|_| {
        let near = nearest(name, Report::all().map(Report::as_str));
        ApiError::new("report.not_found", format!("GET /v1/reports lists the reports{near}"))
    })
}

fn read(app: &App, report: Report, given: Given) -> Result<Parameters, ApiError> {
    let mut read = Parameters::default();
    given.read(|name, value| {
        match name {
            "from" | "to" if report.is_of_now() => {
                return Err(fault(name, "is refused: the report tells what is now"));
            }
            "campaign" if !report.takes_campaign() => return Err(fault(name, "does not narrow this report")),
            "sender" if !report.takes_sender() => return Err(fault(name, "does not narrow this report")),
            "zone" if !report.takes_zone() => {
                return Err(fault(name, "is refused: nothing of this report depends on the zone"));
            }
            "campaign"
                if matches!(report, Report::Penetration | Report::Waiting)
                    && campaign_id(&value).is_none() =>
            {
                let detail =
                    "is no id of a campaign: labels have no list; GET /v1/campaigns lists the campaigns";
                return Err(fault(name, detail));
            }
            "from" => read.from = Some(date(name, &value)?),
            "to" => read.to = Some(date(name, &value)?),
            "zone" => read.zone = Some(zone(&value)?),
            "by" => read.by = Some(breakdown(report, &value)?),
            "campaign" if value.is_empty() || value.len() > CAMPAIGN_MAX => {
                return Err(fault(name, &format!("is no campaign: expected 1 to {CAMPAIGN_MAX} bytes")));
            }
            "campaign" => read.campaign = Some(value),
            "sender" => read.sender = Some(sender(app, &value)?),
            "format" => {
                let near = nearest(&value, Format::VARIANTS.iter().copied());
                let unknown = || fault(name, &format!("is no format: expected json, csv or svg{near}"));
                read.format = value.parse().map_err(|_| unknown())?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let with_wrap_ups = read.by == Some(By::Disposition);
    if with_wrap_ups && read.sender.is_some() {
        return Err(fault("sender", "does not narrow what agents noted"));
    }
    Ok(read)
}

fn date(name: &str, value: &str) -> Result<Date, ApiError> {
    day(value).ok_or_else(|| fault(name, "is not a day, such as 2026-12-25"))
}

fn zone(value: &str) -> Result<TimeZone, ApiError> {
    let found = zones::zone(value).ok().filter(|_| zones::is_of_a_place(value));
    found.ok_or_else(|| fault("zone", "is not the name of an IANA time zone, such as America/Sao_Paulo"))
}

fn breakdown(report: Report, value: &str) -> Result<By, ApiError> {
    let names = || report.by().iter().copied().map(By::as_str);
    let by = report.by().iter().copied().find(|by| by.as_str() == value);
    by.ok_or_else(|| {
        let (near, all) = (nearest(value, names()), names().collect::<Vec<_>>().join(", "));
        fault("by", &format!("is nothing that this report is broken down by: expected one of {all}{near}"))
    })
}

/// The sender with this label or these last digits.
pub(in crate::http::api) fn sender(app: &App, value: &str) -> Result<Phone, ApiError> {
    let by_label = app.directory.senders().find(|sender| sender.label.as_deref() == Some(value));
    if let Some(sender) = by_label {
        return Ok(sender.number);
    }
    if !DIGITS.contains(&value.len()) || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        let detail = "is no sender: expected its label, or the last 4 to 6 digits of its number; GET /v1/senders lists them";
        return Err(fault("sender", detail));
    }
    let mut ending = app.directory.senders().filter(|sender| sender.number.e164().ends_with(value));
    match (ending.next(), ending.next()) {
        (Some(sender), None) => Ok(sender.number),
        (None, _) => Err(fault("sender", "is no sender: no number ends with it; GET /v1/senders lists them")),
        (Some(_), Some(_)) => {
            Err(fault("sender", "is not one sender: several numbers end with it; give more digits"))
        }
    }
}

/// The zone of a campaign's hours, or the usual one.
async fn zone_of(app: &App, tenant: &Tenant, campaign: &str) -> Result<TimeZone, ApiError> {
    let Some(id) = campaign_id(campaign) else { return Ok(app.reports.zone.clone()) };
    let record = app.store.campaign(id).await?.filter(|record| record.campaign.tenant == *tenant);
    let record = record.ok_or_else(|| ApiError::new("campaign.not_found", format!("{id} is not known")))?;
    let defaults: serde_json::Value = serde_json::from_str(&record.campaign.defaults).unwrap_or_default();
    let hours = defaults.get("hours");
    let written = hours.and_then(|hours| hours.as_str()).and_then(|text| text.parse::<WrittenHours>().ok());
    let named = hours.and_then(|hours| hours.get("zone")).and_then(|zone| zone.as_str()).map(str::to_owned);
    let name = written.and_then(|hours| hours.zones.into_iter().next()).or(named);
    Ok(name.and_then(|name| zones::zone(&name).ok()).unwrap_or_else(|| app.reports.zone.clone()))
}

fn span(given: &Parameters, now: jiff::Timestamp, usual: TimeZone) -> Result<Span, ApiError> {
    let zone = given.zone.clone().unwrap_or(usual);
    let today = Span::up_to(now, 0, zone.clone());
    let last = given.to.unwrap_or_else(|| given.from.map_or(today.last, |from| from.max(today.last)));
    let back = jiff::Span::new().days(DAYS_USUAL.saturating_sub(1));
    let first = given.from.unwrap_or_else(|| last.checked_sub(back).unwrap_or(last));
    Span::new(first, last, zone).map_err(|error| fault("to", &error.to_string()))
}
