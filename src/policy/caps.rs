//! The operator's caps of calls to one person, by all senders and for all callbacks.
//!
//! A day is one of the person's zone, from midnight to midnight. If the person may be in several zones, the cap holds in each
//! of them. Seven days are rolling, and the same everywhere.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::limits::Rolling;
use super::{Case, rolling};
use crate::domain::number_zones::Narrowed;
use crate::domain::{Order, zones};

/// How often a person is called, whatever was ordered. Zero is no cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caps {
    pub per_day: u32,
    pub per_week: u32,
}

/// A cap that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capped {
    pub max: u32,
    /// 1 or 7.
    pub days: u32,
    /// When one more call fits.
    pub lifts_at: Timestamp,
}

/// No day is longer, on whichever night the clocks change.
const DAY_LONGEST: SignedDuration = SignedDuration::from_hours(25);

impl Caps {
    /// Calls in a day and in seven days.
    pub const CAUTIOUS: Self = Self { per_day: 2, per_week: 4 };
    pub const NONE: Self = Self { per_day: 0, per_week: 0 };
    /// How long a call counts.
    pub const WEEK: SignedDuration = SignedDuration::from_hours(7 * 24);

    /// Whether calls are to be remembered.
    #[must_use]
    pub const fn are_set(self) -> bool {
        self.per_day > 0 || self.per_week > 0
    }

    /// The cap that keeps one more call from being placed at `from`, with the first time at which one fits; `None` if
    /// that is `from`. `zones` is only asked where the day matters.
    #[must_use]
    pub fn used_up(
        self,
        calls: &[Timestamp],
        from: Timestamp,
        zones: impl FnOnce() -> Vec<TimeZone>,
    ) -> Option<Capped> {
        let week = Rolling { max: self.per_week, window: Self::WEEK };
        let (mut at, mut capped, mut known) = (from, None, None);
        let mut zones = Some(zones);
        // Each step goes beyond an entry of the log, or to the end of a day that has one.
        loop {
            let used = rolling::used_up(calls, at, week, SignedDuration::ZERO).filter(|_| self.per_week > 0);
            if let Some(used) = used {
                at = used.lifts_at;
                capped = Some(Capped { max: self.per_week, days: 7, lifts_at: at });
                continue;
            }
            let recent = rolling::inside(calls, at, DAY_LONGEST);
            if self.per_day == 0 || recent < self.per_day as usize {
                return capped;
            }
            let known = known.get_or_insert_with(|| zones.take().map(|zones| zones()).unwrap_or_default());
            let Some(ends) = known.iter().filter_map(|zone| self.full_until(calls, at, zone)).max() else {
                return capped;
            };
            at = ends;
            capped = Some(Capped { max: self.per_day, days: 1, lifts_at: at });
        }
    }

    /// The end of the day of `at` in this zone, if the day has as many calls as are allowed.
    fn full_until(self, calls: &[Timestamp], at: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let local = at.to_zoned(zone.clone());
        let begins = local.start_of_day().ok()?.timestamp();
        let ends = local.tomorrow().ok()?.start_of_day().ok()?.timestamp();
        let today = calls.iter().filter(|&&call| begins <= call && call < ends).count();
        (today >= self.per_day as usize).then_some(ends)
    }
}

/// The cap that keeps the callback of this case from being dialled at `at`.
pub(super) fn of_case(case: &Case<'_>, at: Timestamp) -> Option<Capped> {
    let caps = case.rules.people.caps;
    if case.person.calls.is_empty() || !caps.are_set() {
        return None;
    }
    caps.used_up(&case.person.calls, at, || zones_of(case))
}

fn zones_of(case: &Case<'_>) -> Vec<TimeZone> {
    zones_of_order(&case.callback.order, &case.rules.number_zones)
}

/// The end of the day of `at` for the consumer of the order; of several zones the latest one.
#[must_use]
pub fn day_ends(order: &Order, number_zones: &Narrowed, at: Timestamp) -> Timestamp {
    let ends = |zone: TimeZone| Some(at.to_zoned(zone).tomorrow().ok()?.start_of_day().ok()?.timestamp());
    let ends = zones_of_order(order, number_zones).into_iter().filter_map(ends).max();
    ends.unwrap_or_else(|| at.checked_add(DAY_LONGEST).unwrap_or(Timestamp::MAX))
}

/// The zones in which the consumer may be: those of the hours, or else those of the number.
fn zones_of_order(order: &Order, number_zones: &Narrowed) -> Vec<TimeZone> {
    let names: Vec<&str> = match &order.hours {
        Some(hours) => hours.zones().collect(),
        None => number_zones.of(order.consumer),
    };
    let mut known: Vec<TimeZone> = names.into_iter().filter_map(|name| zones::zone(name).ok()).collect();
    if known.is_empty() {
        known.push(TimeZone::UTC);
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The cap at this time, after calls at these times: its days and its end.
    fn cap(caps: Caps, calls: &[&str], now: &str, zones: &[&str]) -> Option<(u32, String)> {
        let calls: Vec<Timestamp> = calls.iter().map(|call| at(call)).collect();
        let zones = || zones.iter().map(|zone| TimeZone::get(zone).unwrap()).collect();
        caps.used_up(&calls, at(now), zones).map(|capped| (capped.days, capped.lifts_at.to_string()))
    }

    const DAILY: Caps = Caps { per_day: 2, per_week: 0 };
    const PAULISTA: &[&str] = &["America/Sao_Paulo"];

    #[test]
    fn a_day_ends_at_midnight_in_the_zone_of_the_person() {
        // Sao Paulo is three hours behind UTC.
        let two = ["2026-11-23T12:00:00Z", "2026-11-23T20:00:00Z"];
        let until = Some((1, "2026-11-24T03:00:00Z".to_owned()));
        assert_eq!(cap(DAILY, &two, "2026-11-23T20:00:01Z", PAULISTA), until);
        assert_eq!(cap(DAILY, &two, "2026-11-24T02:59:59Z", PAULISTA), until);
        assert_eq!(cap(DAILY, &two, "2026-11-24T03:00:00Z", PAULISTA), None);
        assert_eq!(cap(DAILY, &two[..1], "2026-11-23T20:00:01Z", PAULISTA), None);
        let apart = ["2026-11-23T02:59:59Z", "2026-11-23T20:00:00Z"];
        assert_eq!(cap(DAILY, &apart, "2026-11-23T20:00:01Z", PAULISTA), None, "the first was yesterday");
    }

    #[test]
    fn of_several_zones_the_cap_holds_in_each() {
        let zones = &["Asia/Kolkata", "America/New_York"];
        // The day in Kolkata ends at 18:30 UTC, that in New York at 05:00 UTC.
        let two = ["2026-11-23T14:00:00Z", "2026-11-23T16:00:00Z"];
        assert_eq!(
            cap(DAILY, &two, "2026-11-23T17:00:00Z", zones),
            Some((1, "2026-11-24T05:00:00Z".to_owned()))
        );
        assert_eq!(cap(DAILY, &two, "2026-11-24T05:00:00Z", zones), None);
    }

    #[test]
    fn seven_days_roll_and_a_full_day_may_follow_them() {
        let weekly = Caps { per_day: 0, per_week: 2 };
        let two = ["2026-11-23T12:00:00Z", "2026-11-25T12:00:00Z"];
        let until = Some((7, "2026-11-30T12:00:00Z".to_owned()));
        assert_eq!(cap(weekly, &two, "2026-11-25T12:00:01Z", PAULISTA), until);
        assert_eq!(cap(weekly, &two, "2026-11-30T11:59:59Z", PAULISTA), until);
        assert_eq!(cap(weekly, &two, "2026-11-30T12:00:00Z", PAULISTA), None);
        // Seven days end at noon, when the day has two calls already, as after a clock that stepped back.
        let both = Caps { per_day: 1, per_week: 2 };
        let late = ["2026-11-23T12:00:00Z", "2026-11-30T04:00:00Z"];
        assert_eq!(
            cap(both, &late, "2026-11-30T05:00:00Z", PAULISTA),
            Some((1, "2026-12-01T03:00:00Z".to_owned()))
        );
    }

    #[test]
    fn a_day_of_twenty_five_hours_is_one_day() {
        // New York repeats an hour on 1 November 2026: its day is from 04:00 to 05:00 UTC of the next.
        let two = ["2026-11-01T04:00:00Z", "2026-11-01T12:00:00Z"];
        let zone = &["America/New_York"];
        assert_eq!(
            cap(DAILY, &two, "2026-11-02T04:59:59Z", zone),
            Some((1, "2026-11-02T05:00:00Z".to_owned()))
        );
        assert_eq!(cap(DAILY, &two, "2026-11-02T05:00:00Z", zone), None);
    }

    #[test]
    fn without_caps_nothing_is_capped() {
        let many = ["2026-11-23T12:00:00Z"; 9];
        assert_eq!(cap(Caps::NONE, &many, "2026-11-23T12:00:00Z", PAULISTA), None);
        assert!(!Caps::NONE.are_set() && Caps::CAUTIOUS.are_set());
        assert!(Caps { per_day: 1, per_week: 0 }.are_set() && Caps { per_day: 0, per_week: 1 }.are_set());
    }

    #[test]
    fn zones_are_only_asked_where_the_day_is_full() {
        let calls = [at("2026-11-23T12:00:00Z")];
        let asked = || -> Vec<TimeZone> { panic!("nobody needs the zone") };
        assert_eq!(DAILY.used_up(&calls, at("2026-11-23T13:00:00Z"), asked), None);
    }
}
