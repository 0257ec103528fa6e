//! Breakers of campaigns as JSON, and the calls that are counted for them.

use serde::{Deserialize, Serialize};

use super::rows::{collect, corrupt, digits};
use super::sql::{Connection, params};
use crate::domain::{Breaker, BreakerChange, Bucket, CallCounts, CampaignCalls, CampaignId};
use crate::store::{CampaignCallsChange, Error, Result};

/// All calls that are kept: those of a day, of the campaigns that are open.
const ALL: &str = "SELECT campaign, bucket, sender, calls, answered, abandoned, failed FROM campaign_calls";
const ADD: &str = "INSERT INTO campaign_calls (campaign, bucket, sender, calls, answered, abandoned, failed) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (campaign, bucket, sender) DO UPDATE SET \
     calls = campaign_calls.calls + excluded.calls, answered = campaign_calls.answered + excluded.answered, \
     abandoned = campaign_calls.abandoned + excluded.abandoned, failed = campaign_calls.failed + excluded.failed";
pub const FORGET: &str = "DELETE FROM campaign_calls WHERE campaign = ?1 AND bucket < ?2";

/// A breaker, or a change of one; what is absent is that of the default, or stays.
#[derive(Serialize, Deserialize)]
#[serde(remote = "BreakerChange")]
pub(super) struct ChangeShape {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    abandoned_percent_max: Option<Option<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    abandoned_of_min: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    failed_percent_max: Option<Option<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed_of_min: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed_window_minutes: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_quality_warning: Option<bool>,
}

/// `null` is a value, and not the same as no field.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> std::result::Result<Option<Option<u8>>, D::Error> {
    Option::deserialize(from).map(Some)
}

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Stored(#[serde(with = "ChangeShape")] BreakerChange);

/// All fields are stored, so that another default changes no campaign.
pub fn text(breaker: &Breaker) -> Result<String> {
    let Breaker { abandoned_of_min, failed_of_min, failed_window_minutes, on_quality_warning, .. } = *breaker;
    let whole = BreakerChange {
        abandoned_percent_max: Some(breaker.abandoned_percent_max),
        abandoned_of_min: Some(abandoned_of_min),
        failed_percent_max: Some(breaker.failed_percent_max),
        failed_of_min: Some(failed_of_min),
        failed_window_minutes: Some(failed_window_minutes),
        on_quality_warning: Some(on_quality_warning),
    };
    serde_json::to_string(&Stored(whole)).map_err(|error| Error::Corrupt(error.to_string()))
}

pub fn read(text: Option<&str>) -> Result<Breaker> {
    let Some(text) = text else { return Ok(Breaker::default()) };
    let Stored(whole) = serde_json::from_str(text).map_err(|_| corrupt("a breaker", text))?;
    Ok(whole.of(Breaker::default()))
}

pub fn calls(db: &Connection) -> Result<CampaignCalls> {
    let rows = collect(&mut db.prepare_cached(ALL)?, [], |cells| {
        let (campaign, bucket, sender) = (cells.id::<CampaignId>()?, Bucket(cells.take()?), cells.phone()?);
        let (calls, answered, abandoned, failed) =
            (cells.take()?, cells.take()?, cells.take()?, cells.take()?);
        Ok((campaign, bucket, sender, CallCounts { calls, answered, abandoned, failed }))
    })?;
    let mut all = CampaignCalls::default();
    for (campaign, bucket, sender, counts) in rows {
        all.add(campaign, bucket, sender, counts);
    }
    Ok(all)
}

/// Forgets campaigns, adds calls, and forgets what is older than a day of the campaigns that have new ones.
pub fn write(db: &Connection, change: &CampaignCallsChange) -> Result<()> {
    if change.is_empty() {
        return Ok(());
    }
    let mut forget = db.prepare_cached(FORGET)?;
    for campaign in &change.forgotten {
        forget.write(params![campaign.bytes(), i64::MAX])?;
    }
    let mut add = db.prepare_cached(ADD)?;
    for (campaign, bucket, sender, counts) in change.added.iter() {
        let CallCounts { calls, answered, abandoned, failed } = counts;
        let key = (campaign.bytes(), bucket.0, digits(sender));
        add.write(params![key.0, key.1, key.2, calls, answered, abandoned, failed])?;
    }
    for campaign in change.added.campaigns() {
        forget.write(params![campaign.bytes(), change.from.0])?;
    }
    Ok(())
}
