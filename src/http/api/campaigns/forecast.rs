//! `POST /v1/campaigns/{id}/forecast`: how a campaign may go on, by many plays of its open work.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::forecast_told::Forecast;
use super::forecast_work::gather;
use super::record;
use crate::domain::Tenant;
use crate::forecast::{PLAYS_MAX, PLAYS_MIN, ROWS_MAX, Rate, Rates, outlook};
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

/// Forecasts a campaign.
///
/// The open work is played many times with drawn answers: hours, deadlines, permissions, ceilings and the pace are those of the
/// campaign; who grants, who answers and how long calls last is taken from the last 28 days where there are at least 50
/// cases, and else assumed. Nothing is stored. One forecast is made at a time (503 `forecast.busy`).
#[utoipa::path(post, path = "/v1/campaigns/{id}/forecast", operation_id = "forecast_campaign", tag = "campaigns",
    params(("id" = String, Path, description = "`cmp_` and 32 hexadecimal digits")),
    request_body(content = Draft),
    responses(
        (status = 200, body = Forecast),
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
    Ok(json(StatusCode::OK, &Forecast::of(now, total, &outlook, &rates)))
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
