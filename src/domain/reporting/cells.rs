//! Cells: the keys of counts, and sums of them.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use strum::{EnumIter, EnumString, IntoStaticStr};

use super::Counted;
use crate::domain::Tenant;

/// How many numbers a cell has. What each of them is depends on the family.
pub const PLACES: usize = 12;

/// The numbers of a cell. A change of them may be negative.
pub type Counts = [i64; PLACES];

/// What cells are about. The names are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Family {
    /// Calls by the digits of their sender: [`Calls`](super::Calls).
    Sender,
    /// Calls by `campaign\tsender`; the campaign is empty for calls of none.
    Campaign,
    /// Calls by `campaign\tcalling code` of the consumer: [`Lines`](super::Lines).
    Country,
    /// Handled calls by agent: [`Hours`](super::Hours).
    Agent,
    /// Permission requests by content: [`Contents`](super::Contents).
    Content,
    /// The same by the purpose of their order.
    Purpose,
    /// Reached callbacks by campaign. The place is the number of attempts, the last one for that many and more.
    Reach,
    /// Callbacks with at least one attempt, by campaign: place 0.
    List,
    /// Calls after a permission, by campaign. The place is that of the time from the grant to the ringing.
    Speed,
    /// Promised times by campaign: [`Promises`](super::Promises).
    Promise,
    /// What agents said of calls, by `campaign\tdisposition`: [`Words`](super::Words).
    WrapUp,
}

impl Family {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The label of a family with two parts.
    #[must_use]
    pub fn pair(campaign: &str, part: &str) -> String {
        format!("{campaign}\t{part}")
    }

    /// The two parts of such a label.
    #[must_use]
    pub fn parts(label: &str) -> (&str, &str) {
        label.rsplit_once('\t').unwrap_or((label, ""))
    }
}

/// A quarter of an hour of UTC: seconds since 1970 divided by 900.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quarter(pub i64);

impl Quarter {
    /// In seconds.
    pub const LENGTH_S: i64 = 900;
    /// How long after its end a day is still counted as open.
    pub const CLOSES_AFTER: SignedDuration = SignedDuration::from_hours(48);

    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_microsecond().div_euclid(Self::LENGTH_S * 1_000_000))
    }

    /// When it begins.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(self.0.saturating_mul(Self::LENGTH_S)).unwrap_or(Timestamp::MAX)
    }

    /// When the day to which it belongs in this zone is closed: 48 hours after the day's end.
    #[must_use]
    pub fn closes_at(self, zone: &TimeZone) -> Timestamp {
        let day = self.start().to_zoned(zone.clone()).date();
        let end = day.tomorrow().and_then(|next| next.to_zoned(zone.clone()));
        end.map_or(Timestamp::MAX, |end| {
            end.timestamp().checked_add(Self::CLOSES_AFTER).unwrap_or(Timestamp::MAX)
        })
    }

    /// Whether its day is closed at `now`. The zone is only asked for if that is in doubt.
    #[must_use]
    pub fn is_closed(self, now: Timestamp, zone: impl FnOnce() -> TimeZone) -> bool {
        let age = now.duration_since(self.start());
        age >= Self::CLOSES_AFTER && now >= self.closes_at(&zone())
    }
}

/// Where a count belongs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellKey {
    pub tenant: Tenant,
    pub family: Family,
    pub label: String,
    pub quarter: Quarter,
    /// It was counted after the day had closed.
    pub is_late: bool,
}

/// Sums by cell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells(BTreeMap<CellKey, Counts>);

impl Cells {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn add(&mut self, key: CellKey, counts: &Counts) {
        add(self.0.entry(key).or_default(), counts, 1);
    }

    /// Adds all of `after`, and takes all of `before` away; `is_late` tells of a quarter whether its day is closed.
    pub fn replace(
        &mut self,
        tenant: &Tenant,
        before: Vec<Counted>,
        after: Vec<Counted>,
        is_late: impl Fn(Quarter) -> bool,
    ) {
        for (counted, sign) in
            before.into_iter().map(|it| (it, -1)).chain(after.into_iter().map(|it| (it, 1)))
        {
            let Counted { family, label, quarter, counts } = counted;
            let is_late = is_late(quarter);
            let key = CellKey { tenant: tenant.clone(), family, label, quarter, is_late };
            add(self.0.entry(key).or_default(), &counts, sign);
        }
        self.0.retain(|_, counts| counts.iter().any(|count| *count != 0));
    }

    pub fn iter(&self) -> impl Iterator<Item = (&CellKey, &Counts)> {
        self.0.iter()
    }
}

fn add(sum: &mut Counts, counts: &Counts, sign: i64) {
    for (sum, count) in sum.iter_mut().zip(counts) {
        *sum = sum.saturating_add(count.saturating_mul(sign));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn zone(name: &str) -> TimeZone {
        crate::domain::zones::zone(name).unwrap()
    }

    #[test]
    fn a_quarter_begins_with_its_first_microsecond() {
        let quarter = Quarter::of(at("2026-11-23T12:00:00Z"));
        assert_eq!(quarter.start(), at("2026-11-23T12:00:00Z"));
        assert_eq!(Quarter::of(at("2026-11-23T12:14:59.999999Z")), quarter);
        assert_eq!(Quarter::of(at("2026-11-23T12:15:00Z")), Quarter(quarter.0 + 1));
        assert_eq!(Quarter::of(at("2026-11-23T11:59:59.999999Z")), Quarter(quarter.0 - 1));
        assert_eq!(Quarter::of(at("1969-12-31T23:59:59Z")), Quarter(-1));
    }

    #[test]
    fn a_day_closes_48_hours_after_its_end_in_its_zone() {
        for (zone_name, quarter, closes) in [
            ("UTC", "2026-11-23T23:45:00Z", "2026-11-26T00:00:00Z"),
            ("America/Sao_Paulo", "2026-11-23T02:45:00Z", "2026-11-25T03:00:00Z"),
            ("America/Sao_Paulo", "2026-11-23T03:00:00Z", "2026-11-26T03:00:00Z"),
            ("Asia/Kathmandu", "2026-11-23T18:15:00Z", "2026-11-26T18:15:00Z"),
            // Days of 23 and of 25 hours.
            ("Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-31T22:00:00Z"),
            ("Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-27T23:00:00Z"),
        ] {
            let (quarter, zone) = (Quarter::of(at(quarter)), zone(zone_name));
            assert_eq!(quarter.closes_at(&zone), at(closes), "{zone_name}");
            let just_before = at(closes) - SignedDuration::from_micros(1);
            assert!(!quarter.is_closed(just_before, || zone.clone()), "{zone_name}");
            assert!(quarter.is_closed(at(closes), || zone.clone()), "{zone_name}");
        }
    }

    #[test]
    fn a_young_quarter_needs_no_zone() {
        let quarter = Quarter::of(at("2026-11-23T12:00:00Z"));
        assert!(!quarter.is_closed(at("2026-11-25T11:59:59Z"), || unreachable!("the zone was asked for")));
    }

    #[test]
    fn a_change_adds_what_differs_and_nothing_else() {
        let counted = |label: &str, place: usize| {
            let mut counts = Counts::default();
            counts[place] = 1;
            Counted { family: Family::Sender, label: label.to_owned(), quarter: Quarter(7), counts }
        };
        let mut cells = Cells::default();
        let tenant = Tenant::default();
        cells.replace(&tenant, vec![counted("a", 1)], vec![counted("a", 1)], |_| false);
        assert!(cells.is_empty(), "nothing has changed");
        cells.replace(&tenant, vec![counted("a", 1)], vec![counted("a", 2)], |_| true);
        let all: Vec<_> = cells.iter().collect();
        assert_eq!(all.len(), 1);
        assert!(all[0].0.is_late);
        assert_eq!((all[0].1[1], all[0].1[2]), (-1, 1));
    }

    #[test]
    fn a_label_of_two_parts_is_taken_apart_at_its_last_tab() {
        assert_eq!(Family::parts(&Family::pair("spring", "55")), ("spring", "55"));
        assert_eq!(Family::parts(&Family::pair("", "55")), ("", "55"));
        assert_eq!(Family::parts(&Family::pair("a\tb", "55")), ("a\tb", "55"));
    }
}
