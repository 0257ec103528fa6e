//! The audit log.

use super::sql::{Connection, params};
use async_trait::async_trait;

use super::SqlStore;
use super::rows::{Cells, collect, digits, limit, micros, micros_if};
use crate::domain::{CallbackId, OrderKind, Phone, Tenant};
use crate::store::{AuditEntry, AuditFilter, Audits, PendingAudit, Result};

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
/// before it is asked for NULL: PostgreSQL takes its type from the first place where it stands.
const PAGE: &str = "SELECT seq, at, who, way, tenant, what, object, consumer, address, outcome, was, became \
     FROM audit WHERE (seq < ?1 OR ?1 IS NULL) AND (tenant = ?2 OR ?2 IS NULL) AND (who = ?3 OR ?3 IS NULL) \
     AND (what = ?4 OR ?4 IS NULL) AND (object = ?5 OR ?5 IS NULL) AND (outcome = ?6 OR ?6 IS NULL) \
     AND (at >= ?7 OR ?7 IS NULL) AND (at < ?8 OR ?8 IS NULL) ORDER BY seq DESC LIMIT ?9";

pub fn page(
    db: &Connection,
    filter: &AuditFilter,
    before: Option<i64>,
    most: usize,
) -> Result<Vec<(i64, AuditEntry)>> {
    let params = params![
        before,
        filter.tenant.as_ref().map(Tenant::as_str),
        filter.who,
        filter.what,
        filter.object,
        filter.outcome.map(<&str>::from),
        micros_if(filter.since),
        micros_if(filter.until),
        limit(most),
    ];
    collect(&mut db.prepare_cached(PAGE)?, params, |cells| Ok((cells.take()?, read(cells)?)))
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
