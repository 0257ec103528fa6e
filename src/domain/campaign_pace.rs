//! The pace of campaigns: how many of their calls may begin in a minute.
//!
//! Calls are spread evenly. What was not used of the last second may be made up at once, because decisions are taken in
//! turns. So a minute has at most as many calls as the pace says and those of one more second.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::campaign::campaign_id;
use super::{CampaignId, Campaigns, Resource};

/// How much may be made up.
const SLACK: SignedDuration = SignedDuration::from_secs(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// When the next call of each campaign may begin, of those that have a pace and called a moment ago.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CampaignPaces(BTreeMap<CampaignId, Timestamp>);

impl CampaignPaces {
    /// When the next call may begin; `None` at once.
    #[must_use]
    pub fn next_at(&self, id: CampaignId) -> Option<Timestamp> {
        self.0.get(&id).copied()
    }

    /// When the next call that holds this resource may begin; `None` at once. Campaigns without a pace have none.
    #[must_use]
    pub fn next_of(&self, resource: &Resource) -> Option<Timestamp> {
        match resource {
            Resource::Campaign(name) if !self.0.is_empty() => self.next_at(campaign_id(name)?),
            _ => None,
        }
    }

    /// A call of the campaign begins at `now`.
    pub fn take(&mut self, id: CampaignId, campaigns: &Campaigns, now: Timestamp) {
        let Some(interval) = interval(id, campaigns) else { return };
        let from = self.from(id, now);
        self.0.insert(id, from.checked_add(interval).unwrap_or(Timestamp::MAX));
    }

    /// How many calls may begin at `now`; `None` any number.
    #[must_use]
    pub fn room(&self, id: CampaignId, campaigns: &Campaigns, now: Timestamp) -> Option<usize> {
        let interval = interval(id, campaigns)?;
        let from = self.from(id, now);
        if from > now {
            return Some(0);
        }
        let more = now.duration_since(from).as_micros() / interval.as_micros().max(1);
        Some(usize::try_from(more).unwrap_or(usize::MAX).saturating_add(1))
    }

    fn from(&self, id: CampaignId, now: Timestamp) -> Timestamp {
        let earliest = now.checked_sub(SLACK).unwrap_or(Timestamp::MIN);
        self.next_at(id).map_or(earliest, |next| next.max(earliest))
    }

    /// Forgets the campaigns whose pace holds nothing back at `now`. A pace that became faster, and a clock that stepped back,
    /// shorten the wait.
    pub fn sync(&mut self, campaigns: &Campaigns, now: Timestamp) {
        if self.0.is_empty() {
            return;
        }
        let earliest = now.checked_sub(SLACK).unwrap_or(Timestamp::MIN);
        self.0.retain(|id, next| {
            let Some(interval) = interval(*id, campaigns) else { return false };
            *next = now.checked_add(interval).map_or(*next, |latest| latest.min(*next));
            *next > earliest
        });
    }

    pub fn iter(&self) -> impl Iterator<Item = (CampaignId, Timestamp)> {
        self.0.iter().map(|(id, next)| (*id, *next))
    }
}

impl FromIterator<(CampaignId, Timestamp)> for CampaignPaces {
    fn from_iter<T: IntoIterator<Item = (CampaignId, Timestamp)>>(paces: T) -> Self {
        Self(paces.into_iter().collect())
    }
}

/// The time between two calls, in whole microseconds. A part of one is rounded up, so that no call is too many.
fn interval(id: CampaignId, campaigns: &Campaigns) -> Option<SignedDuration> {
    let calls = campaigns.get(id)?.calls_per_minute?.max(1);
    let micros = (MINUTE.as_micros() + i128::from(calls) - 1) / i128::from(calls);
    Some(SignedDuration::from_micros(i64::try_from(micros).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{Breaker, Campaign, CampaignState, Tenant};

    fn id(n: u128) -> CampaignId {
        CampaignId::new(Uuid::from_u128(n))
    }

    fn campaigns(paces: &[Option<u32>]) -> Campaigns {
        let campaign = |(n, pace): (u128, &Option<u32>)| Campaign {
            id: id(n),
            version: 1,
            tenant: Tenant::default(),
            name: "Spring".into(),
            state: CampaignState::Running,
            defaults: "{}".into(),
            concurrent_calls_max: None,
            calls_per_minute: *pace,
            weight: Campaign::WEIGHT,
            breaker: Breaker::default(),
            follow_up: None,
            created_at: Timestamp::UNIX_EPOCH,
            created_by: "crm".into(),
            ended_at: None,
        };
        Campaigns::new((1..).zip(paces).map(campaign))
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + millis).unwrap()
    }

    /// How many calls begin at these moments if as many as may begin do.
    fn begun(calls_per_minute: u32, moments: &[i64]) -> Vec<usize> {
        let campaigns = campaigns(&[Some(calls_per_minute)]);
        let mut paces = CampaignPaces::default();
        let begin = |moment: &i64| {
            let room = paces.room(id(1), &campaigns, at(*moment)).unwrap();
            (0..room).for_each(|_| paces.take(id(1), &campaigns, at(*moment)));
            room
        };
        moments.iter().map(begin).collect()
    }

    #[test]
    fn calls_are_spread_evenly_and_a_second_of_them_is_made_up() {
        assert_eq!(begun(60, &[0, 999, 1_000, 2_000, 60_000]), [2, 0, 1, 1, 2]);
        assert_eq!(begun(6, &[0, 8_999, 9_000, 18_999, 19_000]), [1, 0, 1, 0, 1]);
        assert_eq!(begun(600, &[0, 99, 100, 350, 5_000]), [11, 0, 1, 2, 11]);
    }

    #[test]
    fn no_minute_has_more_than_the_pace_and_a_second_of_it() {
        for pace in [1, 7, 60, 1_000, 6_000] {
            let moments: Vec<i64> = (0..6_000).map(|tick| tick * 10).collect();
            let all: usize = begun(pace, &moments).iter().sum();
            let most = pace as usize + (pace as usize).div_ceil(60) + 1;
            assert!(all <= most && all >= pace as usize, "{all} calls at {pace} a minute");
        }
    }

    #[test]
    fn a_campaign_without_a_pace_has_no_limit_and_one_of_another_no_part_in_it() {
        let campaigns = campaigns(&[Some(1), None]);
        let mut paces = CampaignPaces::default();
        for n in [1, 2, 3] {
            paces.take(id(n), &campaigns, at(0));
        }
        assert_eq!(paces.room(id(1), &campaigns, at(0)), Some(0));
        assert_eq!([2, 3].map(|n| paces.room(id(n), &campaigns, at(0))), [None, None]);
        let of = |n| Resource::campaign(&id(n).to_string());
        assert_eq!(paces.next_of(&of(1)), Some(at(59_000)));
        assert_eq!(
            [of(2), Resource::campaign("spring"), Resource::Bot].map(|it| paces.next_of(&it)),
            [None; 3]
        );
    }

    #[test]
    fn a_pace_is_forgotten_when_it_holds_nothing_back() {
        let with = campaigns(&[Some(60)]);
        let mut paces: CampaignPaces = [(id(1), at(1_000))].into_iter().collect();
        paces.sync(&with, at(1_999));
        assert_eq!(paces.iter().count(), 1);
        paces.sync(&with, at(2_000));
        assert_eq!(paces, CampaignPaces::default());
        let mut paces: CampaignPaces = [(id(1), at(60_000))].into_iter().collect();
        paces.sync(&with, at(0));
        assert_eq!(paces.next_at(id(1)), Some(at(1_000)), "the pace was slower");
        paces.sync(&campaigns(&[None]), at(0));
        assert_eq!(paces, CampaignPaces::default());
    }
}
