//! Ceilings of a token over any 24 hours, and what was used of them.
//!
//! Uses are counted by the minute. A minute counts until all of it is 24 hours old, so that no 24 hours have more than
//! the maximum; a ceiling may lift up to a minute late.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use jiff::Timestamp;
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::Tenant;

const MINUTE_US: i64 = 60_000_000;

/// The tokens of one name. They share ceilings, so that a token that is replaced by another of its name takes its uses
/// along.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenName {
    pub tenant: Tenant,
    pub name: Arc<str>,
}

impl fmt::Display for TokenName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant.as_str(), self.name)
    }
}

impl FromStr for TokenName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (tenant, name) = text.split_once('/').ok_or(())?;
        Ok(Self { tenant: tenant.parse().map_err(|_| ())?, name: name.into() })
    }
}

/// What a token uses up when its callbacks are worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum TokenUse {
    /// A call that is placed.
    Call,
    /// A permission request that is sent.
    Request,
}

impl TokenUse {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Uses by the minute.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Minutes(BTreeMap<i64, u32>);

impl Minutes {
    /// The minutes of 24 hours.
    pub const A_DAY: i64 = 24 * 60;

    /// The minute of a moment, counted from the Unix epoch.
    #[must_use]
    pub fn of(at: Timestamp) -> i64 {
        at.as_microsecond().div_euclid(MINUTE_US)
    }

    /// The first minute that counts at `now`.
    #[must_use]
    pub fn first(now: Timestamp) -> i64 {
        Self::of(now) - Self::A_DAY
    }

    /// Counts one use more, or takes one back.
    pub fn change(&mut self, minute: i64, by: i32) {
        let uses = self.0.entry(minute).or_default();
        *uses = uses.saturating_add_signed(by);
        if *uses == 0 {
            self.0.remove(&minute);
        }
    }

    /// How many count at `now`. What lies in the future counts too, so that a clock that steps back allows no more.
    #[must_use]
    pub fn used(&self, now: Timestamp) -> u32 {
        self.0.range(Self::first(now)..).fold(0, |sum, (_, uses)| sum.saturating_add(*uses))
    }

    /// When one more is allowed, if none is at `now`.
    #[must_use]
    pub fn lifts_at(&self, now: Timestamp, max: u32) -> Option<Timestamp> {
        let mut used = self.used(now);
        if used < max {
            return None;
        }
        for (minute, uses) in self.0.range(Self::first(now)..) {
            used = used.saturating_sub(*uses);
            if used < max {
                let lifts = (minute + Self::A_DAY + 1).saturating_mul(MINUTE_US);
                return Some(Timestamp::from_microsecond(lifts).unwrap_or(Timestamp::MAX));
            }
        }
        Some(Timestamp::MAX)
    }
}

impl FromIterator<(i64, u32)> for Minutes {
    fn from_iter<I: IntoIterator<Item = (i64, u32)>>(minutes: I) -> Self {
        Self(minutes.into_iter().collect())
    }
}

/// A ceiling that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CeilingReached {
    pub max: u32,
    pub lifts_at: Timestamp,
}

/// The ceilings of the tokens of one name, and what was used of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Budget {
    pub calls_per_day: Option<u32>,
    pub requests_per_day: Option<u32>,
    pub calls: Minutes,
    pub requests: Minutes,
}

impl Budget {
    #[must_use]
    pub const fn max(&self, what: TokenUse) -> Option<u32> {
        match what {
            TokenUse::Call => self.calls_per_day,
            TokenUse::Request => self.requests_per_day,
        }
    }

    const fn minutes(&self, what: TokenUse) -> &Minutes {
        match what {
            TokenUse::Call => &self.calls,
            TokenUse::Request => &self.requests,
        }
    }

    /// Whether one more is too much at `now`.
    #[must_use]
    pub fn reached(&self, what: TokenUse, now: Timestamp) -> Option<CeilingReached> {
        let max = self.max(what)?;
        let lifts_at = self.minutes(what).lifts_at(now, max)?;
        Some(CeilingReached { max, lifts_at })
    }

    /// How many more are allowed at `now`; `None` without a ceiling.
    #[must_use]
    pub fn left(&self, what: TokenUse, now: Timestamp) -> Option<u32> {
        Some(self.max(what)?.saturating_sub(self.minutes(what).used(now)))
    }

    pub fn change(&mut self, what: TokenUse, minute: i64, by: i32) {
        match what {
            TokenUse::Call => self.calls.change(minute, by),
            TokenUse::Request => self.requests.change(minute, by),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_040 + seconds).unwrap()
    }

    const DAY: i64 = 86_400;

    fn used(moments: &[i64]) -> Minutes {
        let mut minutes = Minutes::default();
        moments.iter().for_each(|second| minutes.change(Minutes::of(at(*second)), 1));
        minutes
    }

    #[test]
    fn the_last_within_is_allowed_and_the_first_beyond_waits_until_the_oldest_minute_is_a_day_old() {
        let minutes = used(&[0, 59, 60]);
        assert_eq!(minutes.lifts_at(at(61), 4), None);
        assert_eq!(minutes.lifts_at(at(61), 3), Some(at(DAY + 60)));
        assert_eq!(minutes.lifts_at(at(61), 1), Some(at(DAY + 120)), "all three have to go");
        assert_eq!(minutes.lifts_at(at(DAY + 59), 3), Some(at(DAY + 60)));
        assert_eq!((minutes.lifts_at(at(DAY + 60), 3), minutes.used(at(DAY + 60))), (None, 1));
        assert_eq!(minutes.used(at(DAY + 120)), 0);
    }

    #[test]
    fn a_ceiling_of_zero_never_lifts_and_what_lies_in_the_future_counts() {
        assert_eq!(used(&[]).lifts_at(at(0), 0), Some(Timestamp::MAX));
        assert_eq!(used(&[3_600]).lifts_at(at(0), 1), Some(at(3_600 + DAY + 60)));
    }

    #[test]
    fn what_is_taken_back_does_not_count_and_nothing_falls_below_zero() {
        let mut minutes = used(&[0, 1]);
        minutes.change(Minutes::of(at(0)), -1);
        assert_eq!(minutes.used(at(2)), 1);
        minutes.change(Minutes::of(at(0)), -1);
        minutes.change(Minutes::of(at(0)), -1);
        assert_eq!(minutes, Minutes::default());
    }

    #[test]
    fn each_kind_has_its_own_ceiling() {
        let mut budget = Budget { calls_per_day: Some(1), ..Budget::default() };
        for what in [TokenUse::Call, TokenUse::Request] {
            budget.change(what, Minutes::of(at(0)), 1);
        }
        let reached = CeilingReached { max: 1, lifts_at: at(DAY + 60) };
        assert_eq!(budget.reached(TokenUse::Call, at(0)), Some(reached));
        assert_eq!(budget.reached(TokenUse::Request, at(0)), None);
        assert_eq!([TokenUse::Call, TokenUse::Request].map(|what| budget.left(what, at(0))), [Some(0), None]);
    }

    #[test]
    fn the_name_of_a_token_reads_back() {
        let name = TokenName { tenant: "shop".parse().unwrap(), name: "crm-1.a".into() };
        assert_eq!(name.to_string().parse(), Ok(name));
        assert_eq!("crm".parse::<TokenName>(), Err(()));
    }
}
