//! `GET /v1/limits`: the effective limits, and the published values of each platform.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::json;
use crate::domain::Tenant;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{App, Chosen};
use crate::policy::limits::{Limits, PUBLISHED, Profile, Published, Value};

/// The effective limits.
#[derive(Serialize, ToSchema)]
#[schema(as = Limits)]
pub(super) struct View {
    limits: Vec<LimitView>,
    /// How long before the earliest possible call a permission may be requested.
    ask_ahead_s: i64,
    /// Added to every rolling window.
    margin_s: i64,
    /// Failures in a row, not caused by the consumer, after which a callback fails.
    faults_max: u32,
    retry: RetryView,
    /// All configuration keys about calls, with their effective values. Only for tokens of the default tenant: they are
    /// rules for all tenants, and name campaigns.
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Vec<SettingView>>,
}

/// One key of the configuration.
#[derive(Serialize, ToSchema)]
#[schema(as = Setting)]
struct SettingView {
    #[schema(example = "calling.undelivered_requests_count")]
    key: String,
    /// The value as TOML.
    #[schema(example = "true")]
    value: String,
    /// `default` or `configuration`.
    origin: &'static str,
}

/// Retry delays after an attempt in seconds, by the end of the attempt.
#[derive(Serialize, ToSchema)]
#[schema(as = Retry)]
struct RetryView {
    no_answer_s: i64,
    busy_s: i64,
    canceled_s: i64,
    failed_s: i64,
}

/// One limit of the platforms.
#[derive(Serialize, ToSchema)]
#[schema(as = Limit)]
struct LimitView {
    /// The configuration key that overrides it.
    name: &'static str,
    /// The effective value.
    value: i64,
    /// `published`, or `configuration` if the operator set it.
    origin: &'static str,
    /// `count` or `seconds`.
    unit: &'static str,
    /// What is counted, or the start of the duration.
    counts: &'static str,
    /// The published values, which may differ from the effective one.
    published: PublishedView,
    /// Date of the publication.
    since: &'static str,
    /// Source of the published value.
    source: &'static str,
}

/// The value of each platform, in the same unit.
#[derive(Serialize, ToSchema)]
#[schema(as = PublishedLimit)]
struct PublishedView {
    twilio: i64,
    meta: i64,
    test_number: i64,
}

/// The effective limits with their sources.
#[utoipa::path(get, path = "/v1/limits", operation_id = "limits", tag = "status", responses(
    (status = 200, body = View),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn limits(State(app): State<Arc<App>>, Extension(caller): Extension<Caller>) -> Response {
    let rules = &app.rules;
    let is_set = |name: &str| {
        app.chosen.iter().any(|chosen| chosen.is_set && chosen.key.strip_prefix("limits.") == Some(name))
    };
    let shown = |published| limit(published, &rules.limits, is_set(published.name));
    let view = View {
        limits: PUBLISHED.iter().filter_map(shown).collect(),
        ask_ahead_s: rules.ask_ahead.as_secs(),
        margin_s: rules.margin.as_secs(),
        faults_max: rules.faults_max,
        retry: RetryView {
            no_answer_s: rules.retry.no_answer.as_secs(),
            busy_s: rules.retry.busy.as_secs(),
            canceled_s: rules.retry.canceled.as_secs(),
            failed_s: rules.retry.failed.as_secs(),
        },
        settings: (*caller.tenant() == Tenant::default())
            .then(|| app.chosen.iter().map(SettingView::of).collect()),
    };
    json(StatusCode::OK, &view)
}

impl SettingView {
    fn of(chosen: &Chosen) -> Self {
        Self {
            key: chosen.key.clone(),
            value: chosen.value.clone(),
            origin: if chosen.is_set { "configuration" } else { "default" },
        }
    }
}

fn limit(published: &'static Published, limits: &Limits, is_set: bool) -> Option<LimitView> {
    let column = |profile| {
        let index = Profile::ALL.iter().position(|&other| other == profile).unwrap_or_default();
        match published.values[index] {
            Value::Count(count) => i64::from(count),
            Value::Hours(hours) => hours.saturating_mul(3600),
            Value::Seconds(seconds) => seconds,
        }
    };
    let unit = match published.values[0] {
        Value::Count(_) => "count",
        Value::Hours(_) | Value::Seconds(_) => "seconds",
    };
    Some(LimitView {
        name: published.name,
        value: in_force(published.name, limits)?,
        origin: if is_set { "configuration" } else { "published" },
        unit,
        counts: published.counts,
        published: PublishedView {
            twilio: column(Profile::Twilio),
            meta: column(Profile::Meta),
            test_number: column(Profile::TestNumber),
        },
        since: published.since,
        source: published.source,
    })
}

fn in_force(name: &str, limits: &Limits) -> Option<i64> {
    let count = |count: u32| Some(i64::from(count));
    let span = |span: SignedDuration| Some(span.as_secs());
    match name {
        "permission_requests_short_max" => count(limits.requests_short.max),
        "permission_requests_short_window" => span(limits.requests_short.window),
        "permission_requests_long_max" => count(limits.requests_long.max),
        "permission_requests_long_window" => span(limits.requests_long.window),
        "permission_lifetime" => span(limits.permission_lifetime),
        "request_lifetime" => span(limits.request_lifetime),
        "connected_calls_max" => count(limits.connected_calls.max),
        "connected_calls_window" => span(limits.connected_calls.window),
        "concurrent_calls_per_sender_max" => count(limits.concurrent_calls_max),
        "misses_before_nudge" => count(limits.misses_before_nudge),
        "misses_before_revocation" => count(limits.misses_before_revocation),
        "service_window" => span(limits.service_window),
        "message_gap" => span(limits.message_gap),
        "page_window" => span(limits.page_window),
        "call_button_lifetime" => span(limits.call_button_lifetime),
        "page_button_lifetime" => span(limits.page_button_lifetime),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_limit_is_shown_as_it_is_in_force() {
        for (column, profile) in Profile::ALL.into_iter().enumerate() {
            let limits = Limits::of(profile);
            for published in &PUBLISHED {
                let value = match published.values[column] {
                    Value::Count(count) => i64::from(count),
                    Value::Hours(hours) => hours * 3600,
                    Value::Seconds(seconds) => seconds,
                };
                assert_eq!(in_force(published.name, &limits), Some(value), "{}", published.name);
            }
        }
    }
}
