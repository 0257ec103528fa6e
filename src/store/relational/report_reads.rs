//! Reads the counts of reports. A sum reads the cells of its labels and quarters, and no attempts.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::rows::{Cells as Columns, collect, first, limit, micros};
use super::sql::{Connection, params};
use crate::domain::reporting::{Counts, PLACES, Quarter};
use crate::domain::{CampaignId, Numbers, Tenant};
use crate::store::{CellSum, CellSums, CellsWanted, Expiring, LabelsWanted, Result, SumBy, Waiting};

/// The next label of a family, from this one on.
pub const NEXT_LABEL: &str = "SELECT label FROM report_cells \
     WHERE tenant = ?1 AND family = ?2 AND label >= ?3 ORDER BY label LIMIT 1";
pub const BY_LABEL: &str = "SELECT 0, late, sum(c0), sum(c1), sum(c2), sum(c3), sum(c4), sum(c5), sum(c6), sum(c7), \
     sum(c8), sum(c9), sum(c10), sum(c11) FROM report_cells \
     WHERE tenant = ?1 AND family = ?2 AND label = ?3 AND quarter >= ?4 AND quarter < ?5 GROUP BY late";
pub const BY_QUARTER: &str = "SELECT quarter, late, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 FROM report_cells \
     WHERE tenant = ?1 AND family = ?2 AND label = ?3 AND quarter >= ?4 AND quarter < ?5";
/// A row for each reason and campaign with which something waits.
pub const WAITING: &str = "SELECT reason, sum(callbacks) AS n FROM waiting_by_reason \
     WHERE tenant = ?1 AND callbacks <> 0 AND (campaign = ?3 OR ?3 IS NULL) \
     GROUP BY reason ORDER BY n DESC, reason LIMIT ?2";
pub const EXPIRING: &str = "SELECT sender, person, permission_until FROM pairs \
     WHERE permission = 'temporary' AND permission_until >= ?1 AND permission_until < ?2 \
     ORDER BY permission_until, sender LIMIT ?3";
const NEXT_TENANT: &str = "SELECT tenant FROM report_cells WHERE tenant > ?1 ORDER BY tenant LIMIT 1";

pub fn sums(db: &Connection, wanted: &CellsWanted) -> Result<CellSums> {
    let mut labels = Labels::of(wanted);
    let (tenant, family) = (wanted.tenant.as_str(), wanted.family.as_str());
    let (from, until) = (wanted.quarters.start.0, wanted.quarters.end.0);
    let mut read = db.prepare_cached(match wanted.by {
        SumBy::Label => BY_LABEL,
        SumBy::Quarter => BY_QUARTER,
    })?;
    let mut by_quarter: BTreeMap<Quarter, CellSum> = BTreeMap::new();
    let mut sums = Vec::new();
    let (mut counted, mut is_cut) = (0, false);
    while let Some(label) = labels.next(db)? {
        let rows = collect(&mut read, params![tenant, family, label, from, until], counts)?;
        if rows.is_empty() {
            is_cut = labels.seen >= CellSums::LABELS_SEEN_MAX;
            if is_cut {
                break;
            }
            continue;
        }
        // Only labels of these quarters count.
        is_cut = counted == CellSums::LABELS_MAX;
        if is_cut {
            break;
        }
        counted += 1;
        match wanted.by {
            SumBy::Label => {
                let mut sum = empty(label, wanted.quarters.start);
                rows.iter().for_each(|row| add(&mut sum, row));
                sums.push(sum);
            }
            SumBy::Quarter => {
                for row in &rows {
                    let sum = by_quarter.entry(row.0).or_insert_with(|| empty(String::new(), row.0));
                    add(sum, row);
                }
            }
        }
    }
    sums.extend(by_quarter.into_values());
    Ok(CellSums { sums, is_cut })
}

const fn empty(label: String, quarter: Quarter) -> CellSum {
    CellSum { label, quarter, all: [0; PLACES], late: [0; PLACES] }
}

fn add(sum: &mut CellSum, (_, is_late, counts): &(Quarter, bool, Counts)) {
    for (place, count) in counts.iter().enumerate() {
        sum.all[place] = sum.all[place].saturating_add(*count);
        if *is_late {
            sum.late[place] = sum.late[place].saturating_add(*count);
        }
    }
}

/// A quarter, whether it was counted late, and its numbers.
pub fn counts(cells: &mut Columns<'_>) -> Result<(Quarter, bool, Counts)> {
    let (quarter, is_late) = (Quarter(cells.take()?), cells.take()?);
    let mut counts = Counts::default();
    for count in &mut counts {
        *count = cells.take()?;
    }
    Ok((quarter, is_late, counts))
}

/// The labels that are wanted, one after the other. Each is one seek, however many quarters it has.
struct Labels<'w> {
    wanted: &'w CellsWanted,
    prefix: String,
    /// The next label is not before this one; `None` if there is none.
    from: Option<String>,
    /// So many were found.
    seen: usize,
}

impl<'w> Labels<'w> {
    fn of(wanted: &'w CellsWanted) -> Self {
        let prefix = match &wanted.labels {
            LabelsWanted::One(label) => label.clone(),
            LabelsWanted::Of(campaign) => format!("{campaign}\t"),
            LabelsWanted::All => String::new(),
        };
        Self { wanted, from: Some(prefix.clone()), prefix, seen: 0 }
    }

    fn next(&mut self, db: &Connection) -> Result<Option<String>> {
        let Some(from) = self.from.take() else { return Ok(None) };
        if matches!(self.wanted.labels, LabelsWanted::One(_)) {
            return Ok(Some(from));
        }
        let params = params![self.wanted.tenant.as_str(), self.wanted.family.as_str(), from];
        let label: Option<String> = first(&mut db.prepare_cached(NEXT_LABEL)?, params, |cells| cells.take())?;
        let label = label.filter(|label| label.starts_with(&self.prefix));
        // The least text that is greater.
        self.from = label.as_ref().map(|label| format!("{label}\0"));
        self.seen += usize::from(label.is_some());
        Ok(label)
    }
}

pub fn waiting(
    db: &Connection,
    tenant: &Tenant,
    campaign: Option<CampaignId>,
    most: usize,
) -> Result<Waiting> {
    let campaign = campaign.map(|id| id.to_string());
    let params = params![tenant.as_str(), limit(most.saturating_add(1)), campaign];
    let mut reasons = collect(&mut db.prepare_cached(WAITING)?, params, |cells| {
        Ok((cells.take::<String>()?, cells.version()?))
    })?;
    let is_cut = reasons.len() > most;
    reasons.truncate(most);
    Ok(Waiting { reasons, is_cut })
}

pub fn expiring(db: &Connection, from: Timestamp, until: Timestamp, most: usize) -> Result<Vec<Expiring>> {
    let params = params![micros(from), micros(until), limit(most)];
    collect(&mut db.prepare_cached(EXPIRING)?, params, |cells| {
        let (sender, consumer) = (cells.phone()?, cells.phone()?);
        Ok(Expiring { numbers: Numbers { sender, consumer }, until: cells.moment()? })
    })
}

pub fn tenants(db: &Connection, most: usize) -> Result<Vec<Tenant>> {
    let mut next = db.prepare_cached(NEXT_TENANT)?;
    let (mut found, mut after) = (Vec::new(), String::new());
    while found.len() < most {
        let Some(name) = first(&mut next, [&after], |cells| cells.take::<String>())? else { break };
        found.push(super::rows::parse(&name)?);
        after = name;
    }
    Ok(found)
}
