//! A campaign of those whom another campaign did not reach.

use jiff::Timestamp;

use super::{CampaignId, Order, Outcome};

/// Which callbacks a campaign takes over from another one, and how far that is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowUp {
    /// The campaign whose callbacks are taken over.
    pub of: CampaignId,
    /// Those that ended so.
    pub outcomes: Vec<Outcome>,
    /// The earliest time of the new callbacks.
    pub earliest: Option<Timestamp>,
    /// Their deadline.
    pub latest: Timestamp,
    /// The place of the last callback that was looked at.
    pub after: i64,
    /// How many callbacks were made.
    pub made: u64,
    /// How many were left out: the consumer has refused since, is on a suppression list or was erased, or no consent holds.
    pub left_out: u64,
    /// Whether all were looked at.
    pub is_whole: bool,
}

impl FollowUp {
    /// Ends that leave a consumer unreached without a word of the consumer against it.
    pub const OUTCOMES: [Outcome; 4] =
        [Outcome::Exhausted, Outcome::Expired, Outcome::Failed, Outcome::Canceled];
    /// Those that are taken over if nothing else is said.
    pub const USUAL: [Outcome; 2] = [Outcome::Exhausted, Outcome::Expired];

    /// The order of the new callback, in this campaign. What was ordered comes along, with purpose and consent.
    #[must_use]
    pub fn order(&self, first: &Order, campaign: CampaignId, now: Timestamp) -> Order {
        Order {
            earliest: self.earliest.map_or(now, |earliest| earliest.max(now)),
            latest: self.latest,
            campaign: Some(campaign.to_string()),
            ..first.clone()
        }
    }
}
