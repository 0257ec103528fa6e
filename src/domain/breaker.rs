//! The breaker of a campaign: which share of its calls may be abandoned or fail before it is paused; and the calls that are
//! counted for it.
//!
//! Calls are counted in buckets of five minutes. A window has the bucket of its end and all that begin within it, so it may
//! count up to five minutes more than it is long.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use jiff::{SignedDuration, Timestamp};

use super::{CampaignId, Phone};

/// When a campaign is paused without an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Breaker {
    /// How many percent of the answered calls of 24 hours may be abandoned; `None`: any number.
    pub abandoned_percent_max: Option<u8>,
    /// That share is taken of at least so many answered calls, so that a few calls do not pause a campaign.
    pub abandoned_of_min: u32,
    /// How many percent of the calls in the window may fail; `None`: any number.
    pub failed_percent_max: Option<u8>,
    /// That share is taken of at least so many calls.
    pub failed_of_min: u32,
    /// 5 to 1,440.
    pub failed_window_minutes: u32,
    /// Whether a warning of the platform about quality pauses it.
    pub on_quality_warning: bool,
}

impl Breaker {
    /// The highest share, in percent.
    pub const PERCENT_MAX: u8 = 100;
    /// The most calls of which a share may be taken at least.
    pub const OF_MIN_MAX: u32 = 1_000_000;
    /// The shortest and the longest window, in minutes.
    pub const WINDOW_MINUTES: (u32, u32) = (5, 1_440);
    /// How long calls count for the share that is abandoned.
    pub const DAY: SignedDuration = SignedDuration::from_hours(24);

    #[must_use]
    pub const fn failed_window(&self) -> SignedDuration {
        SignedDuration::from_mins(self.failed_window_minutes as i64)
    }
}

impl Default for Breaker {
    /// At most 3 % are abandoned, as rules for dialers have it (47 CFR 64.1200(a)(7): of the calls answered by a person, over
    /// 30 days and a campaign; here over a day). The other figures are ours.
    fn default() -> Self {
        Self {
            abandoned_percent_max: Some(3),
            abandoned_of_min: 100,
            failed_percent_max: Some(50),
            failed_of_min: 20,
            failed_window_minutes: 15,
            on_quality_warning: true,
        }
    }
}

/// What is to be changed of a breaker. `Some(None)` ends a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BreakerChange {
    pub abandoned_percent_max: Option<Option<u8>>,
    pub abandoned_of_min: Option<u32>,
    pub failed_percent_max: Option<Option<u8>>,
    pub failed_of_min: Option<u32>,
    pub failed_window_minutes: Option<u32>,
    pub on_quality_warning: Option<bool>,
}

impl BreakerChange {
    #[must_use]
    pub fn of(self, breaker: Breaker) -> Breaker {
        Breaker {
            abandoned_percent_max: self.abandoned_percent_max.unwrap_or(breaker.abandoned_percent_max),
            abandoned_of_min: self.abandoned_of_min.unwrap_or(breaker.abandoned_of_min),
            failed_percent_max: self.failed_percent_max.unwrap_or(breaker.failed_percent_max),
            failed_of_min: self.failed_of_min.unwrap_or(breaker.failed_of_min),
            failed_window_minutes: self.failed_window_minutes.unwrap_or(breaker.failed_window_minutes),
            on_quality_warning: self.on_quality_warning.unwrap_or(breaker.on_quality_warning),
        }
    }
}

/// Calls of a campaign that are over. A change of them may be negative.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CallCounts {
    /// Those that the platform took or refused.
    pub calls: i64,
    /// Those that the consumer answered.
    pub answered: i64,
    /// Those of them whose consumer was not served.
    pub abandoned: i64,
    pub failed: i64,
}

impl AddAssign for CallCounts {
    fn add_assign(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.answered = self.answered.saturating_add(other.answered);
        self.abandoned = self.abandoned.saturating_add(other.abandoned);
        self.failed = self.failed.saturating_add(other.failed);
    }
}

impl CallCounts {
    /// What is to be added to `before` for this.
    #[must_use]
    pub const fn less(self, before: Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(before.calls),
            answered: self.answered.saturating_sub(before.answered),
            abandoned: self.abandoned.saturating_sub(before.abandoned),
            failed: self.failed.saturating_sub(before.failed),
        }
    }
}

/// The number of a bucket of five minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket(pub i64);

impl Bucket {
    const LENGTH_US: i64 = 300_000_000;

    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self(at.as_microsecond().div_euclid(Self::LENGTH_US))
    }

    /// The first one of a window that ends at `now`.
    #[must_use]
    pub fn first(now: Timestamp, window: SignedDuration) -> Self {
        Self::of(now.checked_sub(window).unwrap_or(Timestamp::MIN))
    }
}

/// The calls of campaigns by bucket and sender.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CampaignCalls(BTreeMap<CampaignId, BTreeMap<(Bucket, Phone), CallCounts>>);

impl CampaignCalls {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, campaign: CampaignId, bucket: Bucket, sender: Phone, counts: CallCounts) {
        *self.0.entry(campaign).or_default().entry((bucket, sender)).or_default() += counts;
    }

    /// Adds all of `others`, and forgets what their campaigns have from before the bucket `from`.
    pub fn take_in(&mut self, others: &Self, from: Bucket) {
        for (campaign, bucket, sender, counts) in others.iter() {
            self.add(campaign, bucket, sender, counts);
        }
        for campaign in others.campaigns() {
            let Some(own) = self.0.get_mut(&campaign) else { continue };
            while own.first_key_value().is_some_and(|((bucket, _), _)| *bucket < from) {
                own.pop_first();
            }
        }
    }

    pub fn forget(&mut self, campaign: CampaignId) {
        self.0.remove(&campaign);
    }

    /// All calls of a campaign from this bucket on.
    #[must_use]
    pub fn since(&self, campaign: CampaignId, from: Bucket) -> CallCounts {
        let mut sum = CallCounts::default();
        let own = self.0.get(&campaign).into_iter().flatten();
        own.filter(|((bucket, _), _)| *bucket >= from).for_each(|(_, counts)| sum += *counts);
        sum
    }

    /// Whether a campaign has calls of one of these senders from this bucket on.
    pub fn has_used(&self, campaign: CampaignId, from: Bucket, senders: &[Phone]) -> bool {
        let mut own = self.0.get(&campaign).into_iter().flatten();
        own.any(|((bucket, sender), _)| *bucket >= from && senders.contains(sender))
    }

    pub fn campaigns(&self) -> impl Iterator<Item = CampaignId> {
        self.0.keys().copied()
    }

    pub fn iter(&self) -> impl Iterator<Item = (CampaignId, Bucket, Phone, CallCounts)> {
        let rows = |(campaign, own): (&CampaignId, &BTreeMap<(Bucket, Phone), CallCounts>)| {
            let campaign = *campaign;
            let own: Vec<_> =
                own.iter().map(|(&(bucket, sender), &counts)| (campaign, bucket, sender, counts)).collect();
            own
        };
        self.0.iter().flat_map(rows)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn calls(calls: i64) -> CallCounts {
        CallCounts { calls, ..CallCounts::default() }
    }

    fn id(n: u128) -> CampaignId {
        CampaignId::new(Uuid::from_u128(n))
    }

    fn sender() -> Phone {
        Phone::parse("+551151991234").unwrap()
    }

    #[test]
    fn a_bucket_has_five_minutes_and_a_window_all_that_begin_in_it() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let first = Bucket::of(at("2026-11-23T12:00:00Z"));
        assert_eq!(Bucket::of(at("2026-11-23T12:04:59.999999Z")), first);
        assert_eq!(Bucket::of(at("2026-11-23T12:05:00Z")), Bucket(first.0 + 1));
        assert_eq!(Bucket::of(at("2026-11-23T11:59:59.999999Z")), Bucket(first.0 - 1));
        assert_eq!(Bucket::first(at("2026-11-23T12:19:59Z"), SignedDuration::from_mins(15)), first);
        assert_eq!(
            Bucket::first(at("2026-11-23T12:20:00Z"), SignedDuration::from_mins(15)),
            Bucket(first.0 + 1)
        );
    }

    #[test]
    fn calls_are_added_by_campaign_and_forgotten_with_their_bucket() {
        let mut all = CampaignCalls::default();
        let mut news = CampaignCalls::default();
        for (campaign, bucket) in [(1, 1), (1, 2), (1, 3), (2, 1)] {
            news.add(id(campaign), Bucket(bucket), sender(), calls(bucket));
        }
        all.take_in(&news, Bucket(1));
        all.take_in(&news, Bucket(1));
        assert_eq!(all.since(id(1), Bucket(1)), calls(12));
        assert_eq!(all.since(id(1), Bucket(3)), calls(6));
        assert_eq!(all.since(id(1), Bucket(4)), calls(0));
        assert!(all.has_used(id(1), Bucket(3), &[sender()]) && !all.has_used(id(1), Bucket(4), &[sender()]));
        assert!(!all.has_used(id(1), Bucket(1), &[]));
        let mut more = CampaignCalls::default();
        more.add(id(1), Bucket(3), sender(), calls(-2));
        all.take_in(&more, Bucket(3));
        assert_eq!(all.since(id(1), Bucket(0)), calls(4), "the older ones are forgotten");
        assert_eq!(all.since(id(2), Bucket(0)), calls(2), "those of others are not");
        all.forget(id(1));
        assert_eq!(all.campaigns().collect::<Vec<_>>(), [id(2)]);
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let breaker = Breaker::default();
        assert_eq!(BreakerChange::default().of(breaker), breaker);
        let change = BreakerChange {
            abandoned_percent_max: Some(None),
            failed_of_min: Some(7),
            on_quality_warning: Some(false),
            ..BreakerChange::default()
        };
        let expected =
            Breaker { abandoned_percent_max: None, failed_of_min: 7, on_quality_warning: false, ..breaker };
        assert_eq!(change.of(breaker), expected);
    }
}
