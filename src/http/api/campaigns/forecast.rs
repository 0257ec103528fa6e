//! `POST /v1/campaigns/{id}/forecast`: how a campaign may go on, by many plays of its open work.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::forecast_work::gather;
use super::record;
use crate::domain::Tenant;
use crate::forecast::{Outlook, PLAYS_MAX, PLAYS_MIN, ROWS_MAX, Rate, Rates, Span, outlook};
use crate::http::api::body::json;
use crate::http::api::permissions::{fault, read};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};

/// One forecast at a time, so that they leave the machine to the calls.
static PLACES: Semaphore = Semaphore::const_new(1);
/// No new play begins after this time.
const LASTS_MAX: Duration = Duration::from_secs(8);

/// What is wanted of a forecast.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForecastOrder)]
pub(in crate::http::api) struct Draft {
    /// How many plays, 20 to 200.
    #[schema(minimum = 20, maximum = 200, default = 20)]
    plays: Option<u32>,
    /// The same seed gives the same forecast of the same work.
    #[schema(default = 1)]
    seed: Option<u64>,
}

/// How a campaign may go on.
#[derive(Serialize, ToSchema)]
#[schema(as = Forecast)]
pub(in crate::http::api) struct View {
    #[schema(value_type = String, format = DateTime)]
    as_of: Timestamp,
    /// Open callbacks.
    open: u64,
    /// How many of them were played. Rows and ceilings are thinned alike.
    sample: u64,
    /// How many plays were made; fewer than asked for, if they took more than 8 seconds.
    plays: u32,
    /// When the last call ends: in half of the plays, and in nine of ten, not later than this. Absent without a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_call_at: Option<MomentSpan>,
    /// The same for the last callback that is closed. Who does not answer a request is waited for until the deadline.
    finished_at: MomentSpan,
    calls: NumberSpan,
    /// Permission requests.
    requests: NumberSpan,
    /// Consumers who answer a call.
    reached: NumberSpan,
    days: Vec<DayView>,
    /// What the work waits for, the longest first: `agents`, `calls`, `pace`, `hours` or `answers`.
    binds: Vec<BindView>,
    /// The agents, or seats of their pools, that were assumed as they are now. Absent if agents do not bound the calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    agents: Option<u32>,
    /// Of the time in which somebody is called or might be, how many percent the agents neither talk nor wrap up: they wait
    /// while phones ring that nobody answers. The ringing of answered calls counts as talking.
    #[serde(skip_serializing_if = "Option::is_none")]
    agents_idle_percent: Option<u64>,
    rates: RatesView,
}

/// Two moments of the plays.
#[derive(Serialize, ToSchema)]
#[schema(as = ForecastMoments)]
struct MomentSpan {
    #[schema(value_type = String, format = DateTime)]
    p50: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    p90: Timestamp,
}

/// Two numbers of the plays.
#[derive(Serialize, ToSchema)]
#[schema(as = ForecastNumbers)]
struct NumberSpan {
    p50: u64,
    p90: u64,
}

/// The calls of a day, in the zone of the hours of the first callback, or in UTC.
#[derive(Serialize, ToSchema)]
#[schema(as = ForecastDay)]
struct DayView {
    #[schema(value_type = String, format = Date)]
    date: Date,
    mean: u64,
    /// The fewest and the most of all plays.
    min: u64,
    max: u64,
}

/// What the work waits for.
#[derive(Serialize, ToSchema)]
#[schema(as = ForecastBind)]
struct BindView {
    what: &'static str,
    /// Of the time in which something waits, in percent.
    percent: u64,
}

/// What was assumed.
#[derive(Serialize, ToSchema)]
#[schema(as = ForecastRates)]
struct RatesView {
    /// Of the consumers who are asked, how many percent grant the permission.
    granted_percent: RateView,
    /// The mean time from the request to the permission.
    grant_minutes: RateView,
    /// Of the calls, how many percent are answered.
    answered_percent: RateView,
    /// The mean duration of an answered call, in seconds.
    answered_s: RateView,
    /// The mean duration of another call, in seconds.
    missed_s: RateView,
}

/// A rate.
#[derive(Serialize, ToSchema)]
#[schema(as = ForecastRate)]
struct RateView {
    value: f64,
    /// `measured` in the last 28 days, or `assumed`.
    from: &'static str,
    /// From how many cases it was measured.
    sample: u64,
}

/// Forecasts a campaign.
///
/// The open work is played many times with drawn answers: hours, deadlines, permissions, ceilings and the pace are those of the
/// campaign; who grants, who answers and how long calls last is taken from the last 28 days where there are at least 50
/// cases, and else assumed. Nothing is stored. One forecast is made at a time (503 `forecast.busy`).
#[utoipa::path(post, path = "/v1/campaigns/{id}/forecast", operation_id = "forecast_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "`cmp_` and 32 hexadecimal digits")),
    request_body(content = Draft),
    responses(
        (status = 200, body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "It has no open callback.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn forecast(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    bytes: Bytes,
) -> Result<Response, ApiError> {
    let draft: Draft = if bytes.is_empty() { Draft::default() } else { read(&bytes)? };
    let plays = draft.plays.unwrap_or(PLAYS_MIN);
    if !(PLAYS_MIN..=PLAYS_MAX).contains(&plays) {
        let detail = format!("is out of range: expected {PLAYS_MIN} to {PLAYS_MAX}");
        return Err(ApiError::fields("campaign.invalid", vec![fault("plays", "field.value", &detail)]));
    }
    let record = record(&app, &caller, &id).await?;
    let busy = |_| ApiError::new("forecast.busy", "another forecast is being made; try again in a moment");
    let place = PLACES.try_acquire().map_err(busy)?;
    let now = app.clock.now();
    let rates = rates(&app, &record.campaign.tenant, now).await?;
    let work = gather(&app, &record, now, rates, ROWS_MAX).await?;
    let (total, seed) = (work.total, draft.seed.unwrap_or(1));
    let played = tokio::task::spawn_blocking(move || {
        let begun = Instant::now();
        outlook(&work, plays, seed, || begun.elapsed() > LASTS_MAX)
    });
    let played = played.await.map_err(ApiError::internal)?;
    drop(place);
    let Some(outlook) = played else {
        return Err(ApiError::new("campaign.nothing_open", "the campaign has no open callback"));
    };
    Ok(json(StatusCode::OK, &View::of(now, total, &outlook, &rates)))
}

/// What the last 28 days of the tenant say, and what is assumed.
async fn rates(app: &App, tenant: &Tenant, now: Timestamp) -> Result<Rates, ApiError> {
    let since = now.checked_sub(SignedDuration::from_hours(28 * 24)).unwrap_or(Timestamp::MIN);
    let facts = app.store.call_facts(tenant, now, since).await?;
    let assumed = Rates::ASSUMED;
    let missed = facts.calls.saturating_sub(facts.answered);
    let share = |part: u64, of: u64| number(part) / number(of);
    let mean = |sum: SignedDuration, of: u64| sum.as_secs_f64() / number(of);
    Ok(Rates {
        granted: Rate::measured(share(facts.granted, facts.asked), facts.asked, assumed.granted),
        grant_s: Rate::measured(mean(facts.granted_after, facts.granted), facts.granted, assumed.grant_s),
        answered: Rate::measured(share(facts.answered, facts.calls), facts.calls, assumed.answered),
        answered_s: Rate::measured(
            mean(facts.answered_for, facts.answered),
            facts.answered,
            assumed.answered_s,
        ),
        missed_s: Rate::measured(mean(facts.missed_for, missed), missed, assumed.missed_s),
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
const fn number(count: u64) -> f64 {
    count as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and no count is negative"
)]
fn whole(count: f64) -> u64 {
    count.round() as u64
}

impl View {
    fn of(now: Timestamp, total: u64, told: &Outlook, rates: &Rates) -> Self {
        let moments = |span: Span<Timestamp>| MomentSpan { p50: second(span.p50), p90: second(span.p90) };
        let numbers = |span: Span<f64>| NumberSpan { p50: whole(span.p50), p90: whole(span.p90) };
        Self {
            as_of: now,
            open: total,
            sample: told.sample,
            plays: told.plays,
            last_call_at: told.last_call.map(moments),
            finished_at: moments(told.finished),
            calls: numbers(told.calls),
            requests: numbers(told.requests),
            reached: numbers(told.reached),
            days: told
                .days
                .iter()
                .map(|day| DayView {
                    date: day.date,
                    mean: whole(day.mean),
                    min: whole(day.min),
                    max: whole(day.max),
                })
                .collect(),
            binds: told
                .binds
                .iter()
                .map(|(bind, share)| BindView { what: bind.as_str(), percent: whole(share * 100.0) })
                .collect(),
            agents: told.agents,
            agents_idle_percent: told.agents_idle.map(|share| whole(share * 100.0)),
            rates: RatesView::of(rates),
        }
    }
}

/// Without the digits after the second, which would promise too much.
fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

impl RatesView {
    fn of(rates: &Rates) -> Self {
        let view = |rate: Rate, times: f64| RateView {
            value: (rate.value * times * 10.0).round() / 10.0,
            from: if rate.sample == 0 { "assumed" } else { "measured" },
            sample: rate.sample,
        };
        Self {
            granted_percent: view(rates.granted, 100.0),
            grant_minutes: view(rates.grant_s, 1.0 / 60.0),
            answered_percent: view(rates.answered, 100.0),
            answered_s: view(rates.answered_s, 1.0),
            missed_s: view(rates.missed_s, 1.0),
        }
    }
}
