//! To whom orders are open, for the check of a list: only whether there are any, and of which campaigns.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::{Cells, collect, digits};
use super::sql::{Connection, params};
use crate::domain::campaign::campaign_id;
use crate::domain::{CampaignId, OrderKind, Phone, Tenant};
use crate::store::{OpenOrder, Result};

/// The campaigns of the orders that wait for a consumer, without the labels; the partitions where nobody waits are not sought.
pub const WAITS_FOR: &str = "SELECT CASE WHEN campaign GLOB 'cmp_*' THEN campaign END FROM waiting_by_partition AS w \
     CROSS JOIN callbacks INDEXED BY callbacks_by_consumer USING (partition_no) \
     WHERE w.callbacks > 0 AND consumer = ?1 AND state = 'waiting' AND tenant = ?2 AND kind = ?3 LIMIT 100";
/// Whom the orders in calls are for. There are only as many as senders have slots.
pub const IN_CALLS: &str = "SELECT consumer, CASE WHEN campaign GLOB 'cmp_*' THEN campaign END FROM callbacks INDEXED BY callbacks_by_state \
     WHERE kind = ?1 AND tenant = ?2 AND state = 'calling' LIMIT 10000";
/// The campaigns that are not launched, of which there are at most 1,000.
pub const NOT_LAUNCHED: &str = "SELECT id FROM campaigns INDEXED BY campaigns_open \
     WHERE ended_at IS NULL AND state IN ('draft', 'ready')";

/// See [`Orders::with_open_orders`](crate::store::Orders::with_open_orders).
pub fn with_open_orders(
    db: &Connection,
    tenant: &Tenant,
    kind: OrderKind,
    mut consumers: Vec<Phone>,
) -> Result<Vec<(Phone, OpenOrder)>> {
    consumers.sort_unstable();
    consumers.dedup();
    let (tenant, kind) = (tenant.as_str(), kind.as_str());
    let drafts: BTreeSet<CampaignId> =
        collect(&mut db.prepare_cached(NOT_LAUNCHED)?, [], |cells| cells.id())?.into_iter().collect();
    let mut calls: BTreeMap<Phone, BTreeSet<OpenOrder>> = BTreeMap::new();
    let mut in_calls = db.prepare_cached(IN_CALLS)?;
    for (consumer, order) in
        collect(&mut in_calls, params![kind, tenant], |cells| Ok((cells.phone()?, read(cells, &drafts)?)))?
    {
        calls.entry(consumer).or_default().insert(order);
    }
    let mut waits = db.prepare_cached(WAITS_FOR)?;
    let mut open = Vec::new();
    for consumer in consumers {
        let mut theirs = calls.remove(&consumer).unwrap_or_default();
        let waiting = params![digits(consumer), tenant, kind];
        theirs.extend(collect(&mut waits, waiting, |cells| read(cells, &drafts))?);
        open.extend(theirs.into_iter().map(|order| (consumer, order)));
    }
    Ok(open)
}

fn read(cells: &mut Cells<'_>, drafts: &BTreeSet<CampaignId>) -> Result<OpenOrder> {
    let campaign = cells.text_if()?.and_then(campaign_id);
    Ok(OpenOrder { campaign, is_launched: campaign.is_none_or(|id| !drafts.contains(&id)) })
}
