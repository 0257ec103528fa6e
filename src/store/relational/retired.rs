//! What was counted of callbacks that are deleted because they are old. A recount adds it to what is there.

use std::collections::BTreeMap;

use super::rows::first;
use super::sql::{Connection, params};
use crate::domain::reporting::Cells;
use crate::domain::{Callback, State};
use crate::store::Result;

const COUNT: &str = "INSERT INTO retired_counts (kind, tenant, state, callbacks) VALUES (?1, ?2, ?3, ?4) \
     ON CONFLICT (kind, tenant, state) DO UPDATE SET callbacks = retired_counts.callbacks + excluded.callbacks";
const COUNT_OF_CAMPAIGN: &str = "INSERT INTO retired_campaign_counts (campaign, kind, state, callbacks) \
     VALUES (?1, ?2, ?3, ?4) ON CONFLICT (campaign, kind, state) DO UPDATE SET \
     callbacks = retired_campaign_counts.callbacks + excluded.callbacks";
const CELL: &str = "INSERT INTO retired_cells \
     (tenant, family, label, quarter, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) \
     ON CONFLICT (tenant, family, label, quarter) DO UPDATE SET \
     c0 = retired_cells.c0 + excluded.c0, c1 = retired_cells.c1 + excluded.c1, c2 = retired_cells.c2 + excluded.c2, \
     c3 = retired_cells.c3 + excluded.c3, c4 = retired_cells.c4 + excluded.c4, c5 = retired_cells.c5 + excluded.c5, \
     c6 = retired_cells.c6 + excluded.c6, c7 = retired_cells.c7 + excluded.c7, c8 = retired_cells.c8 + excluded.c8, \
     c9 = retired_cells.c9 + excluded.c9, c10 = retired_cells.c10 + excluded.c10, c11 = retired_cells.c11 + excluded.c11";

/// Keeps what is counted of these callbacks, which are deleted.
pub fn keep(db: &Connection, going: &[Callback], cells: &Cells) -> Result<()> {
    let mut counts: BTreeMap<(&str, &str, &str), i64> = BTreeMap::new();
    let mut of_campaigns: BTreeMap<(&str, &str, &str), i64> = BTreeMap::new();
    for callback in going {
        let State::Closed(closed) = &callback.state else { continue };
        let (kind, state) = (callback.order.kind.as_str(), closed.outcome.as_str());
        *counts.entry((kind, callback.tenant.as_str(), state)).or_default() += 1;
        if callback.order.campaign_id().is_some()
            && let Some(campaign) = callback.order.campaign.as_deref()
        {
            *of_campaigns.entry((campaign, kind, state)).or_default() += 1;
        }
    }
    for ((kind, tenant, state), count) in counts {
        db.prepare_cached(COUNT)?.execute(params![kind, tenant, state, count])?;
    }
    for ((campaign, kind, state), count) in of_campaigns {
        db.prepare_cached(COUNT_OF_CAMPAIGN)?.execute(params![campaign, kind, state, count])?;
    }
    for (key, c) in cells.iter() {
        db.prepare_cached(CELL)?.execute(params![
            key.tenant.as_str(),
            key.family.as_str(),
            key.label,
            key.quarter.0,
            c[0],
            c[1],
            c[2],
            c[3],
            c[4],
            c[5],
            c[6],
            c[7],
            c[8],
            c[9],
            c[10],
            c[11]
        ])?;
    }
    Ok(())
}

pub fn is_of_open_campaign(db: &Connection, callback: &Callback) -> Result<bool> {
    let Some(id) = callback.order.campaign_id() else { return Ok(false) };
    let sql = "SELECT 1 FROM campaigns WHERE id = ?1 AND ended_at IS NULL";
    Ok(first(&mut db.prepare_cached(sql)?, [id.bytes()], |_| Ok(()))?.is_some())
}
