//! The audit log.

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::SqlStore;
use super::rows::{Cells, collect, digits, first, limit, micros, micros_if};
use super::sql::{Connection, params};
use crate::domain::{CallbackId, OrderKind, Phone, Tenant};
use crate::store::{AuditEntry, AuditFilter, AuditOutcome, Audits, PendingAudit, Result};

pub fn append(db: &Connection, entry: &AuditEntry) -> Result<()> {
    let entry = entry.clone().bounded();
    db.prepare_cached(
        "INSERT INTO audit (at, who, way, tenant, what, object, consumer, address, outcome, was, became) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?
    .execute(params![
        micros(entry.at),
        entry.who,
        entry.way.as_str(),
        entry.tenant.as_str(),
        entry.what,
        entry.object,
        entry.consumer.map(digits),
        entry.from.map(|address| address.to_string()),
        <&str>::from(entry.outcome),
        entry.before,
        entry.after,
    ])?;
    Ok(())
}

/// The entry of a request, with the first change that it stores.
pub fn append_pending(db: &Connection, pending: Option<&PendingAudit>) -> Result<()> {
    pending.and_then(PendingAudit::unwritten).map_or(Ok(()), |entry| append(db, entry))
}

/// A filter that is not set does not bind. The newest rows come first, so that a page ends early. A parameter is compared
/// before it is asked for NULL: PostgreSQL takes its type from the first place where it stands. The leading filter is
/// compared alone, so that its index is used.
macro_rules! page {
    ($leading:literal) => {
        concat!(
            "SELECT seq, at, who, way, tenant, what, object, consumer, address, outcome, was, became FROM audit WHERE ",
            $leading,
            "seq < ?1 AND seq >= ?10 AND (tenant = ?2 OR ?2 IS NULL) AND (who = ?3 OR ?3 IS NULL) \
             AND (what = ?4 OR ?4 IS NULL) AND (object = ?5 OR ?5 IS NULL) AND (outcome = ?6 OR ?6 IS NULL) \
             AND (at >= ?7 OR ?7 IS NULL) AND (at < ?8 OR ?8 IS NULL) ORDER BY seq DESC LIMIT ?9"
        )
    };
}
pub const PAGE: &str = page!("");
pub const PAGE_OF_OBJECT: &str = page!("object = ?5 AND ");
pub const PAGE_OF_WHO: &str = page!("who = ?3 AND ");
/// Most rows are of orders, of the default tenant, and done, so the indexes leave those out.
pub const PAGE_OF_WHAT: &str = page!("what = ?4 AND what <> 'POST /v1/callbacks' AND ");
pub const PAGE_OF_OUTCOME: &str = page!("outcome = ?6 AND outcome <> 'done' AND ");
pub const PAGE_OF_TENANT: &str = page!("tenant = ?2 AND tenant <> 'default' AND ");
const LAST: &str = "SELECT max(seq) FROM audit";
const FROM_NUMBER: &str = "SELECT seq, at FROM audit WHERE seq >= ?1 ORDER BY seq LIMIT 1";
const ORDERS: &str = "POST /v1/callbacks";
/// Rows are stored nearly in the order of their times: so far a clock may have been off.
const OUT_OF_ORDER: SignedDuration = SignedDuration::from_hours(24);

pub fn page(
    db: &Connection,
    filter: &AuditFilter,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<(i64, AuditEntry)>> {
    let Some((from, until)) = numbers(db, filter)? else { return Ok(Vec::new()) };
    let params = params![
        before.unwrap_or(i64::MAX).min(until),
        filter.tenant.as_ref().map(Tenant::as_str),
        filter.who,
        filter.what,
        filter.object,
        filter.outcome.map(<&str>::from),
        micros_if(filter.since),
        micros_if(filter.until),
        limit(most),
        from,
    ];
    let sql = match filter {
        AuditFilter { object: Some(_), .. } => PAGE_OF_OBJECT,
        AuditFilter { who: Some(_), .. } => PAGE_OF_WHO,
        AuditFilter { what: Some(what), .. } if what != ORDERS => PAGE_OF_WHAT,
        AuditFilter { outcome: Some(AuditOutcome::Refused | AuditOutcome::Failed), .. } => PAGE_OF_OUTCOME,
        AuditFilter { tenant: Some(tenant), .. } if *tenant != Tenant::default() => PAGE_OF_TENANT,
        _ => PAGE,
    };
    collect(&mut db.prepare_cached(sql)?, params, |cells| Ok((cells.take()?, read(cells)?)))
}

/// The numbers of the rows between which those of the period are: from, and before. `None` if there are none.
fn numbers(db: &Connection, filter: &AuditFilter) -> Result<Option<(i64, i64)>> {
    if filter.since.is_none() && filter.until.is_none() {
        return Ok(Some((0, i64::MAX)));
    }
    let last = first(&mut db.prepare_cached(LAST)?, [], |cells| cells.take::<Option<i64>>())?.flatten();
    let Some(last) = last else { return Ok(None) };
    let from = match filter.since {
        Some(since) => number_at(db, last, since.checked_sub(OUT_OF_ORDER).unwrap_or(Timestamp::MIN))?,
        None => 0,
    };
    let until = match filter.until {
        Some(until) => number_at(db, last, until.checked_add(OUT_OF_ORDER).unwrap_or(Timestamp::MAX))?,
        None => i64::MAX,
    };
    Ok(Some((from, until)))
}

/// The number of the first row at `moment` or later; that after the last row if there is none. Some 30 rows are read, however
/// many there are.
fn number_at(db: &Connection, last: i64, moment: Timestamp) -> Result<i64> {
    let mut from_number = db.prepare_cached(FROM_NUMBER)?;
    let (mut low, mut high) = (0, last.saturating_add(1));
    while low < high {
        let middle = low + (high - low) / 2;
        match first(&mut from_number, [middle], |cells| Ok((cells.take::<i64>()?, cells.moment()?)))? {
            Some((seq, at)) if at < moment => low = seq.saturating_add(1),
            _ => high = middle,
        }
    }
    Ok(low)
}

fn read(cells: &mut Cells<'_>) -> Result<AuditEntry> {
    Ok(AuditEntry {
        at: cells.moment()?,
        who: cells.take()?,
        way: cells.parsed()?,
        tenant: cells.parsed()?,
        what: cells.take()?,
        object: cells.take()?,
        consumer: cells.take::<Option<i64>>()?.map(|digits| Phone::from_stored(digits.cast_unsigned())),
        from: cells.parsed_if()?,
        outcome: cells.parsed()?,
        before: cells.take()?,
        after: cells.take()?,
    })
}

/// What is done in place of an erased person's values: the pseudonym for the number, and nothing for the texts.
pub fn erase(db: &Connection, consumer: i64, pseudonym: i64) -> Result<()> {
    db.prepare_cached("UPDATE audit SET consumer = ?2, was = NULL, became = NULL WHERE consumer = ?1")?
        .execute([consumer, pseudonym])?;
    Ok(())
}

/// The same for what was done to an order of the person.
pub fn erase_objects(db: &Connection, id: CallbackId) -> Result<()> {
    for kind in OrderKind::ALL {
        db.prepare_cached("UPDATE audit SET was = NULL, became = NULL WHERE object = ?1")?
            .execute([kind.show_id(id)])?;
    }
    Ok(())
}

#[async_trait]
impl Audits for SqlStore {
    async fn append_audit(&self, entry: AuditEntry) -> Result<()> {
        self.write(move |db| append(db, &entry)).await
    }

    async fn audit(
        &self,
        filter: &AuditFilter,
        before: Option<i64>,
        most: usize,
    ) -> Result<Vec<(i64, AuditEntry)>> {
        let filter = filter.clone();
        self.read(move |db| page(db, &filter, before, most)).await
    }
}
