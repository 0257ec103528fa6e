//! Breakers: pauses a campaign of which too many calls were abandoned or failed, or about which the platform warns.

use super::campaigns::pause_by_breaker;
use super::counting::{first_of_the_day, since};
use super::turn::Turn;
use crate::domain::{Breaker, Bucket, CampaignId, CampaignState};
use crate::policy::breaker::trips;

/// Pauses the campaigns whose breaker trips by what this turn counted.
pub(super) fn apply(turn: &mut Turn<'_>) {
    for (campaign, why) in std::mem::take(&mut turn.counted.warned) {
        if breaker_of(turn, campaign).is_some_and(|breaker| breaker.on_quality_warning) {
            pause_by_breaker(turn, campaign, why);
        }
    }
    let counted: Vec<CampaignId> = turn.counted.added.campaigns().collect();
    for campaign in counted {
        let Some(breaker) = breaker_of(turn, campaign) else { continue };
        let day = since(turn, campaign, first_of_the_day(turn));
        let window = since(turn, campaign, Bucket::first(turn.now, breaker.failed_window()));
        if let Some(trip) = trips(&breaker, day, window) {
            pause_by_breaker(turn, campaign, trip.why());
        }
    }
}

/// The breaker of a campaign that is launched and not paused by it.
fn breaker_of(turn: &Turn<'_>, id: CampaignId) -> Option<Breaker> {
    let campaign = turn.loads.campaigns.get(id)?;
    let calls = matches!(campaign.state, CampaignState::Running | CampaignState::Draining);
    let is_paused = turn.loads.pauses.of_campaign(id).any(|pause| pause.is_of_a_breaker());
    (calls && !is_paused).then_some(campaign.breaker)
}
