//! A forecast as the API tells it, and as the command and the console read it.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::forecast::{Outlook, Rate, Rates, Span};

/// How a campaign may go on.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = Forecast)]
pub struct Forecast {
    #[schema(value_type = String, format = DateTime)]
    pub as_of: Timestamp,
    /// Open callbacks.
    pub open: u64,
    /// How many of them were played. Rows and ceilings are thinned alike.
    pub sample: u64,
    /// How many plays were made; fewer than asked for, if they took more than 8 seconds.
    pub plays: u32,
    /// When the last call ends: in half of the plays, and in nine of ten, not later than this. Absent without a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_call_at: Option<Moments>,
    /// The same for the last callback that is closed. Who does not answer a request is waited for until the deadline.
    pub finished_at: Moments,
    pub calls: Numbers,
    /// Permission requests.
    pub requests: Numbers,
    /// Consumers who answer a call.
    pub reached: Numbers,
    pub days: Vec<Day>,
    /// What the work waits for, the longest first: `agents`, `calls`, `pace`, `hours` or `answers`.
    pub binds: Vec<Bind>,
    /// The agents, or seats of their pools, that were assumed as they are now. Absent if agents do not bound the calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents: Option<u32>,
    /// Of the time in which somebody is called or might be, how many percent the agents neither talk nor wrap up: they wait
    /// while phones ring that nobody answers. The ringing of answered calls counts as talking.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agents_idle_percent: Option<u64>,
    pub rates: AssumedRates,
}

/// Two moments of the plays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ForecastMoments)]
pub struct Moments {
    #[schema(value_type = String, format = DateTime)]
    pub p50: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    pub p90: Timestamp,
}

/// Two numbers of the plays.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ForecastNumbers)]
pub struct Numbers {
    pub p50: u64,
    pub p90: u64,
}

/// The calls of a day, in the zone of the hours of the first callback, or in UTC.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ForecastDay)]
pub struct Day {
    #[schema(value_type = String, format = Date)]
    pub date: Date,
    pub mean: u64,
    /// The fewest and the most of all plays.
    pub min: u64,
    pub max: u64,
}

/// What the work waits for.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ForecastBind)]
pub struct Bind {
    #[schema(value_type = String)]
    pub what: Cow<'static, str>,
    /// Of the time in which something waits, in percent.
    pub percent: u64,
}

/// What was assumed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ForecastRates)]
pub struct AssumedRates {
    /// Of the consumers who are asked, how many percent grant the permission.
    pub granted_percent: AssumedRate,
    /// The mean time from the request to the permission.
    pub grant_minutes: AssumedRate,
    /// Of the calls, how many percent are answered.
    pub answered_percent: AssumedRate,
    /// The mean duration of an answered call, in seconds.
    pub answered_s: AssumedRate,
    /// The mean duration of another call, in seconds.
    pub missed_s: AssumedRate,
}

/// A rate.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ForecastRate)]
pub struct AssumedRate {
    pub value: f64,
    /// `measured` in the last 28 days, or `assumed`.
    #[schema(value_type = String)]
    pub from: Cow<'static, str>,
    /// From how many cases it was measured.
    pub sample: u64,
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the conversion saturates, and no count is negative"
)]
fn whole(count: f64) -> u64 {
    count.round() as u64
}

impl Forecast {
    pub(super) fn of(now: Timestamp, total: u64, told: &Outlook, rates: &Rates) -> Self {
        let moments = |span: Span<Timestamp>| Moments { p50: second(span.p50), p90: second(span.p90) };
        let numbers = |span: Span<f64>| Numbers { p50: whole(span.p50), p90: whole(span.p90) };
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
                .map(|day| Day {
                    date: day.date,
                    mean: whole(day.mean),
                    min: whole(day.min),
                    max: whole(day.max),
                })
                .collect(),
            binds: told
                .binds
                .iter()
                .map(|(bind, share)| Bind { what: bind.as_str().into(), percent: whole(share * 100.0) })
                .collect(),
            agents: told.agents,
            agents_idle_percent: told.agents_idle.map(|share| whole(share * 100.0)),
            rates: AssumedRates::of(rates),
        }
    }
}

/// Without the digits after the second, which would promise too much.
fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

impl AssumedRates {
    fn of(rates: &Rates) -> Self {
        let view = |rate: Rate, times: f64| AssumedRate {
            value: (rate.value * times * 10.0).round() / 10.0,
            from: if rate.sample == 0 { "assumed" } else { "measured" }.into(),
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
