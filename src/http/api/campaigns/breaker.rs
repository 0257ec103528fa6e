//! The breaker of a campaign, as it is ordered and shown.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::domain::{Breaker, BreakerChange};
use crate::http::api::permissions::fault;
use crate::http::error::FieldError;

/// When a campaign is paused without an operator. Absent fields have the default in a new campaign, and stay in a change.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCampaignBreaker)]
pub(in crate::http::api) struct NewBreaker {
    /// How many percent of the answered calls of 24 hours may be abandoned; `null`: any number.
    #[serde(default, deserialize_with = "super::given")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100, default = 3)]
    abandoned_percent_max: Option<Option<i64>>,
    /// That share is taken of at least so many answered calls.
    #[schema(minimum = 1, maximum = 1_000_000, default = 100)]
    abandoned_of_min: Option<i64>,
    /// How many percent of the calls in the window may fail; `null`: any number.
    #[serde(default, deserialize_with = "super::given")]
    #[schema(value_type = Option<i64>, minimum = 0, maximum = 100, default = 50)]
    failed_percent_max: Option<Option<i64>>,
    /// That share is taken of at least so many calls.
    #[schema(minimum = 1, maximum = 1_000_000, default = 20)]
    failed_of_min: Option<i64>,
    /// The window of the failed calls, in minutes.
    #[schema(minimum = 5, maximum = 1_440, default = 15)]
    failed_window_minutes: Option<i64>,
    /// Whether a warning of the platform about the quality of a sender or of its content pauses the campaign.
    #[schema(default = true)]
    on_quality_warning: Option<bool>,
}

impl NewBreaker {
    /// The change, checked.
    pub(super) fn read(given: Option<Self>, faults: &mut Vec<FieldError>) -> BreakerChange {
        let given = given.unwrap_or_default();
        let (shortest, longest) = Breaker::WINDOW_MINUTES;
        let mut percent = |name: &str, value: Option<Option<i64>>| {
            let number = |value: i64| within(name, value, (0, Breaker::PERCENT_MAX.into()), faults);
            value.map(|value| {
                value.map(number).map(|number| u8::try_from(number).unwrap_or(Breaker::PERCENT_MAX))
            })
        };
        let abandoned_percent_max = percent("abandoned_percent_max", given.abandoned_percent_max);
        let failed_percent_max = percent("failed_percent_max", given.failed_percent_max);
        let mut count = |name: &str, value: Option<i64>, range: (u32, u32)| {
            value.map(|value| within(name, value, range, faults))
        };
        BreakerChange {
            abandoned_percent_max,
            abandoned_of_min: count("abandoned_of_min", given.abandoned_of_min, (1, Breaker::OF_MIN_MAX)),
            failed_percent_max,
            failed_of_min: count("failed_of_min", given.failed_of_min, (1, Breaker::OF_MIN_MAX)),
            failed_window_minutes: count(
                "failed_window_minutes",
                given.failed_window_minutes,
                (shortest, longest),
            ),
            on_quality_warning: given.on_quality_warning,
        }
    }
}

/// The number; a fault and the lowest one if it is out of its range.
fn within(name: &str, value: i64, (min, max): (u32, u32), faults: &mut Vec<FieldError>) -> u32 {
    match u32::try_from(value).ok().filter(|number| (min..=max).contains(number)) {
        Some(number) => number,
        None => {
            let detail = format!("is {value}: expected {min} to {max}");
            faults.push(fault(&format!("breaker.{name}"), "field.value", &detail));
            min
        }
    }
}

/// When a campaign is paused without an operator.
#[derive(Serialize, ToSchema)]
#[schema(as = CampaignBreaker)]
pub(super) struct BreakerView {
    /// How many percent of the answered calls of 24 hours may be abandoned.
    #[serde(skip_serializing_if = "Option::is_none")]
    abandoned_percent_max: Option<u8>,
    abandoned_of_min: u32,
    /// How many percent of the calls in the window may fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_percent_max: Option<u8>,
    failed_of_min: u32,
    failed_window_minutes: u32,
    on_quality_warning: bool,
}

impl BreakerView {
    pub(super) const fn of(breaker: &Breaker) -> Self {
        Self {
            abandoned_percent_max: breaker.abandoned_percent_max,
            abandoned_of_min: breaker.abandoned_of_min,
            failed_percent_max: breaker.failed_percent_max,
            failed_of_min: breaker.failed_of_min,
            failed_window_minutes: breaker.failed_window_minutes,
            on_quality_warning: breaker.on_quality_warning,
        }
    }
}
