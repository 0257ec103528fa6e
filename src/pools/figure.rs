//! A figure of the seats of a pool, as a customer's system writes it: in the API, and at a URL that we read.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::clock::later;
use crate::domain::{Figure, Pool, PoolKey};
use crate::text::time::moment;

/// A moment that is ahead by no more than this is taken as now.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(1);

/// A figure of the seats of a pool: `seats`, or `free` with `as_of`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PoolFigure)]
pub struct PoolFigure {
    /// All seats of the pool. Those that our calls hold are subtracted.
    #[schema(value_type = Option<u32>, maximum = 10_000)]
    seats: Option<i64>,
    /// The agents who were free at `as_of`. Only seats of calls that had not been answered by then are subtracted.
    #[schema(value_type = Option<u32>, maximum = 10_000)]
    free: Option<i64>,
    /// The moment of which the figure tells; not in the future, but for a second, by which clocks may differ. It is needed with `free`; for `seats` it is now if it is
    /// left out.
    #[schema(value_type = Option<String>, format = DateTime)]
    as_of: Option<String>,
    /// For so many seconds from `as_of` on the figure holds. After that the pool has no seat.
    #[schema(required = true, value_type = u32, minimum = 1, maximum = 120)]
    valid_for: Option<i64>,
    /// Seats that are kept back for calls of consumers, which may take one while ours ring.
    #[schema(value_type = Option<u32>, maximum = 10_000, default = 1)]
    pub(super) headroom: Option<i64>,
    /// For so many seconds a seat is held after a call that the consumer answered.
    #[schema(value_type = Option<u32>, maximum = 3_600, default = 0)]
    #[serde(alias = "wrap_up_seconds")]
    pub(super) wrap_up_s: Option<i64>,
}

/// What is wrong with a field of a figure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FigureFault {
    pub field: &'static str,
    /// Stable; programs may branch on it.
    pub code: &'static str,
    /// What is wrong, without the name of the field.
    pub detail: String,
}

fn fault(field: &'static str, code: &'static str, detail: impl Into<String>) -> FigureFault {
    FigureFault { field, code, detail: detail.into() }
}

impl PoolFigure {
    /// The pool as this figure feeds it. `is_new` is false for a figure that was taken before: its time may have passed.
    ///
    /// # Errors
    /// All that is wrong.
    pub fn checked(
        &self,
        key: PoolKey,
        by: &str,
        now: Timestamp,
        is_new: bool,
    ) -> Result<Pool, Vec<FigureFault>> {
        let mut faults = Vec::new();
        let seats_most = i64::from(Pool::SEATS_MOST);
        let mut number = |field: &'static str, given: Option<i64>, least: i64, most: i64| {
            let value = given?;
            if !(least..=most).contains(&value) {
                faults.push(fault(field, "field.value", format!("expected {least} to {most}")));
            }
            u32::try_from(value).ok()
        };
        let seats = number("seats", self.seats, 0, seats_most);
        let free = number("free", self.free, 0, seats_most);
        let valid_for = number("valid_for", self.valid_for, 1, Pool::VALID_LONGEST.as_secs());
        let headroom = number("headroom", self.headroom, 0, seats_most);
        let wrap_up = number("wrap_up_s", self.wrap_up_s, 0, Pool::WRAP_UP_LONGEST.as_secs());
        let figure = match (self.seats, self.free) {
            (None, None) => {
                let detail = "is missing: the seats of the pool, or \"free\" with \"as_of\"";
                faults.push(fault("seats", "field.missing", detail));
                None
            }
            (Some(_), Some(_)) => {
                faults.push(fault(
                    "free",
                    "field.value",
                    "a pool is fed by \"seats\" or by \"free\", not by both",
                ));
                None
            }
            (Some(_), None) => seats.map(Figure::Seats),
            (None, Some(_)) => free.map(Figure::Free),
        };
        if self.valid_for.is_none() {
            faults.push(fault(
                "valid_for",
                "field.missing",
                "is missing: the seconds for which the figure holds",
            ));
        }
        if self.free.is_some() && self.as_of.is_none() {
            faults.push(fault("as_of", "field.missing", "is missing: the moment at which so many were free"));
        }
        let valid_for = valid_for.map(|seconds| SignedDuration::from_secs(seconds.into()));
        let as_of = as_of(self.as_of.as_deref(), valid_for, now, is_new).unwrap_or_else(|fault| {
            faults.push(fault);
            now
        });
        match (figure, valid_for) {
            (Some(figure), Some(valid_for)) if faults.is_empty() => Ok(Pool {
                key,
                figure,
                as_of,
                valid_until: later(as_of, valid_for),
                headroom: headroom.unwrap_or(Pool::HEADROOM_DEFAULT),
                wrap_up: SignedDuration::from_secs(wrap_up.unwrap_or(0).into()),
                by: by.into(),
                fault: None,
            }),
            _ => Err(faults),
        }
    }
}

/// The moment of a figure; `now` if none is given.
fn as_of(
    given: Option<&str>,
    valid_for: Option<SignedDuration>,
    now: Timestamp,
    is_new: bool,
) -> Result<Timestamp, FigureFault> {
    let Some(text) = given else { return Ok(now) };
    let at = moment(text).map_err(|error| fault("as_of", "field.value", error.to_string()))?;
    if at > now && at <= later(now, CLOCKS_DIFFER) {
        return Ok(now);
    }
    if is_new && at > now {
        return Err(fault("as_of", "field.value", format!("is in the future: here it is {now}")));
    }
    if is_new && valid_for.is_some_and(|valid_for| later(at, valid_for) <= now) {
        return Err(fault("as_of", "field.value", "is so long ago that the figure has ended"));
    }
    Ok(at)
}
