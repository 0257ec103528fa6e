//! Counts the calls of campaigns that are over, and notes what a platform says about quality.
//!
//! The counts of a turn are written with its batch. What was counted before is in memory, and read when a term begins.

use super::state::Scheduler;
use super::turn::Turn;
use crate::domain::{Attempt, Breaker, Bucket, CallCounts, CallbackId, CampaignId, ErrorCode, Phone};
use crate::policy::breaker::{counts, is_about_quality};
use crate::policy::errors;
use crate::store::{self, CampaignCallsChange};

/// The longest reason of a pause, in bytes.
const WHY_BYTES_MAX: usize = 200;

/// Counts the difference that a change of an attempt makes.
pub(super) fn observe(turn: &mut Turn<'_>, before: &Attempt, after: &Attempt) {
    let Some(callback) = turn.work.callbacks.get(after.callback) else { return };
    let Some(campaign) = callback.order.campaign_id() else { return };
    let difference = counts(after, callback).less(counts(before, callback));
    if difference != CallCounts::default() {
        turn.counted.added.add(campaign, Bucket::of(turn.now), after.sender, difference);
    }
    hear(turn, after.callback, before.submission.error_code, after.submission.error_code);
}

/// Notes a code of the platform for the callback, if it is new and a warning about quality.
pub(super) fn hear(
    turn: &mut Turn<'_>,
    callback: CallbackId,
    before: Option<ErrorCode>,
    after: Option<ErrorCode>,
) {
    let Some(code) = after.filter(|code| before.is_none() && is_about_quality(*code)) else { return };
    let campaign = turn.work.callbacks.get(callback).and_then(|callback| callback.order.campaign_id());
    if let Some(campaign) = campaign {
        let meaning = errors::meaning(code).unwrap_or("the platform warns about quality");
        turn.counted.warned.push((campaign, format!("{meaning} (code {code})")));
    }
}

/// The platform restricts these senders: a warning for the campaigns that called by one of them within a day.
pub(super) fn hear_restriction(turn: &mut Turn<'_>, senders: &[Phone], why: &str) {
    let from = first_of_the_day(turn);
    let used = turn.loads.campaigns.iter().map(|campaign| campaign.id).filter(|&id| {
        turn.scheduler.campaign_calls.has_used(id, from, senders)
            || turn.counted.added.has_used(id, from, senders)
    });
    let mut why = format!("the platform restricts a sender: {why}");
    why.truncate(why.floor_char_boundary(WHY_BYTES_MAX));
    let warned: Vec<_> = used.map(|id| (id, why.clone())).collect();
    turn.counted.warned.extend(warned);
}

/// The calls of this campaign count anew from now on.
pub(super) fn forget(turn: &mut Turn<'_>, campaign: CampaignId) {
    turn.counted.added.forget(campaign);
    turn.counted.forgotten.insert(campaign);
}

pub(super) fn first_of_the_day(turn: &Turn<'_>) -> Bucket {
    Bucket::first(turn.now, Breaker::DAY)
}

/// The calls of a campaign from this bucket on, with those of this turn.
pub(super) fn since(turn: &Turn<'_>, campaign: CampaignId, from: Bucket) -> CallCounts {
    let mut all = turn.counted.added.since(campaign, from);
    if !turn.counted.forgotten.contains(&campaign) {
        all += turn.scheduler.campaign_calls.since(campaign, from);
    }
    all
}

impl Scheduler {
    /// Reads the calls that are kept.
    pub(super) async fn read_campaign_calls(&mut self) -> store::Result<()> {
        self.campaign_calls = self.deps.store.campaign_calls().await?;
        Ok(())
    }

    /// A batch with this change was written.
    pub(super) fn calls_written(&mut self, change: &CampaignCallsChange) {
        change.forgotten.iter().for_each(|campaign| self.campaign_calls.forget(*campaign));
        self.campaign_calls.take_in(&change.added, change.from);
    }
}
