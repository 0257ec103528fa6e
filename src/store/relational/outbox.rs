//! The outbox: the deliveries of customer webhooks, in order for each subject.
//!
//! Only the first waiting row of a subject has a `due_at`. When it is settled, the next one gets a `due_at`.

use async_trait::async_trait;
use jiff::Timestamp;

use super::SqlStore;
use super::rows::{Cells, collect, first, limit, micros, micros_if, moment};
use super::sql::{CachedStatement, Connection, params};
use crate::domain::{CallbackId, DeliveryId};
use crate::store::{Backlog, Delivery, DeliveryRecord, Outbox, OutboxRow, Result, Settled, Subject};

const INSERT: &str = "INSERT INTO outbox (id, subject, what, payload, created_at, state, due_at, tries) \
     VALUES (?1, ?2, ?3, ?4, ?5, 'waiting', CASE WHEN EXISTS (SELECT 1 FROM outbox INDEXED BY \
     outbox_by_subject WHERE subject = ?2 AND state = 'waiting') THEN NULL ELSE CAST(?5 AS BIGINT) END, 0) \
     ON CONFLICT DO NOTHING";
/// PostgreSQL keeps the rows by month, so no index has all ends of callbacks. Only one transaction writes at a time.
const INSERT_BY_MONTH: &str = "INSERT INTO outbox (id, subject, what, payload, created_at, state, due_at, tries) \
     SELECT CAST(?1 AS BYTEA), CAST(?2 AS BYTEA), CAST(?3 AS TEXT), CAST(?4 AS TEXT), CAST(?5 AS BIGINT), 'waiting', \
     CASE WHEN EXISTS (SELECT 1 FROM outbox WHERE subject = ?2 AND state = 'waiting') THEN NULL \
     ELSE CAST(?5 AS BIGINT) END, 0 WHERE ?3 <> 'callback.closed' OR NOT EXISTS \
     (SELECT 1 FROM outbox WHERE subject = ?2 AND what = 'callback.closed') ON CONFLICT DO NOTHING";
/// SQLite returns the rows in no particular order.
pub const CLAIM: &str = "UPDATE outbox SET due_at = ?2, claimed = 1 WHERE seq IN (SELECT seq FROM outbox \
     INDEXED BY outbox_by_due WHERE due_at <= ?1 ORDER BY due_at, seq LIMIT ?3) \
     RETURNING id, subject, what, payload, created_at, tries, first_tried_at";
pub const VOID_CLAIMS: &str = "UPDATE outbox INDEXED BY outbox_claimed SET due_at = created_at, \
     claimed = NULL WHERE claimed IS NOT NULL";
pub const NEXT_AFTER: &str = "SELECT min(due_at) FROM outbox INDEXED BY outbox_by_due WHERE due_at > ?1";
const RETRY: &str = "UPDATE outbox SET due_at = ?2, claimed = NULL, tries = tries + 1, \
     first_tried_at = ifnull(first_tried_at, ?3), last_error = ?4 WHERE id = ?1 AND due_at IS NOT NULL";
const SETTLE: &str = "UPDATE outbox SET state = ?2, settled_at = ?3, due_at = NULL, claimed = NULL, tries = tries + 1, \
     first_tried_at = ifnull(first_tried_at, ?3), last_error = ?4 WHERE id = ?1 AND due_at IS NOT NULL";
/// Makes the first waiting row of a subject due.
pub const RELEASE: &str = "UPDATE outbox SET due_at = ifnull(?2, created_at) WHERE seq = (SELECT seq FROM \
     outbox INDEXED BY outbox_by_subject WHERE subject = ?1 AND state = 'waiting' ORDER BY seq LIMIT 1)";
/// Makes all rows due when the endpoint is enabled again.
const REST: &str = "UPDATE outbox INDEXED BY outbox_by_due SET due_at = created_at, claimed = NULL, \
     tries = 0, first_tried_at = NULL WHERE due_at IS NOT NULL";
const REPLAY: &str = "UPDATE outbox SET state = 'waiting', due_at = NULL, claimed = NULL, tries = 0, \
     first_tried_at = NULL, settled_at = NULL, last_error = NULL WHERE subject = ?1";
pub const OF_SUBJECT: &str = "SELECT id, what, state, created_at, due_at, tries, first_tried_at, settled_at, last_error \
     FROM outbox INDEXED BY outbox_by_subject WHERE subject = ?1 ORDER BY seq LIMIT ?2";
/// Counts no further than [`Backlog::COUNTED_MAX`], from the oldest.
pub const BACKLOG: &str = "SELECT count(*), min(created_at) FROM (SELECT created_at FROM outbox \
     INDEXED BY outbox_waiting WHERE state = 'waiting' ORDER BY created_at LIMIT ?1) AS r";
pub const GIVEN_UP: &str = "SELECT count(*) FROM (SELECT seq FROM outbox INDEXED BY outbox_given_up \
     WHERE state = 'given_up' LIMIT ?1) AS r";

pub fn write(db: &Connection, rows: &[OutboxRow]) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut insert = db.prepare_cached(if db.postgres().is_some() { INSERT_BY_MONTH } else { INSERT })?;
    for row in rows {
        insert.write(params![
            row.id.bytes(),
            row.subject.bytes(),
            row.what,
            row.payload,
            micros(row.created_at),
        ])?;
    }
    Ok(())
}

pub fn claim(db: &Connection, now: Timestamp, until: Timestamp, rows: usize) -> Result<Vec<Delivery>> {
    let params = params![micros(now), micros(until), limit(rows)];
    let mut claimed = collect(&mut db.prepare_cached(CLAIM)?, params, read)?;
    claimed.sort_by_key(|delivery| (delivery.row.created_at, delivery.row.id));
    Ok(claimed)
}

pub fn void_claims(db: &Connection) -> Result<()> {
    db.prepare_cached(VOID_CLAIMS)?.write([])?;
    Ok(())
}

fn read(cells: &mut Cells<'_>) -> Result<Delivery> {
    let row = OutboxRow {
        id: cells.id()?,
        subject: Subject::new(cells.take()?),
        what: cells.take::<String>()?.into(),
        payload: cells.take()?,
        created_at: cells.moment()?,
    };
    Ok(Delivery { row, tries: cells.take()?, first_tried_at: cells.moment_if()? })
}

pub fn next_after(db: &Connection, now: Timestamp) -> Result<Option<Timestamp>> {
    Ok(first(&mut db.prepare_cached(NEXT_AFTER)?, [micros(now)], |cells| cells.moment_if())?.flatten())
}

pub fn settle(
    db: &Connection,
    id: DeliveryId,
    tried_at: Timestamp,
    settled: Settled,
    failure: Option<&str>,
) -> Result<()> {
    let word = match settled {
        Settled::RetryAt(at) => {
            db.prepare_cached(RETRY)?.write(params![id.bytes(), micros(at), micros(tried_at), failure])?;
            return Ok(());
        }
        Settled::Disabled => {
            db.prepare_cached(REST)?.write([])?;
            return Ok(());
        }
        Settled::Delivered => "delivered",
        Settled::GivenUp => "given_up",
    };
    if db.prepare_cached(SETTLE)?.execute(params![id.bytes(), word, micros(tried_at), failure])? == 1 {
        let subject = first(
            &mut db.prepare_cached("SELECT subject FROM outbox WHERE id = ?1")?,
            [id.bytes()],
            |cells| cells.take::<[u8; 16]>(),
        )?;
        if let Some(subject) = subject {
            release(&mut db.prepare_cached(RELEASE)?, &subject, None)?;
        }
    }
    Ok(())
}

fn release(statement: &mut CachedStatement<'_>, subject: &[u8; 16], at: Option<Timestamp>) -> Result<()> {
    statement.write(params![subject, micros_if(at)])?;
    Ok(())
}

pub fn replay(db: &Connection, callback: CallbackId, now: Timestamp) -> Result<u64> {
    let rows = db.prepare_cached(REPLAY)?.execute([callback.bytes()])?;
    release(&mut db.prepare_cached(RELEASE)?, callback.bytes(), Some(now))?;
    Ok(rows as u64)
}

pub fn of_subject(db: &Connection, subject: Subject, most: usize) -> Result<Vec<DeliveryRecord>> {
    collect(&mut db.prepare_cached(OF_SUBJECT)?, params![subject.bytes(), limit(most)], |cells| {
        Ok(DeliveryRecord {
            id: cells.id()?,
            what: cells.take()?,
            state: cells.parsed()?,
            created_at: cells.moment()?,
            due_at: cells.moment_if()?,
            tries: cells.take()?,
            first_tried_at: cells.moment_if()?,
            settled_at: cells.moment_if()?,
            last_error: cells.take()?,
        })
    })
}

pub fn backlog(db: &Connection) -> Result<Backlog> {
    let (waiting, oldest) = first(&mut db.prepare_cached(BACKLOG)?, [Backlog::COUNTED_MAX], |cells| {
        Ok((cells.version()?, cells.take::<Option<i64>>()?.map(moment).transpose()?))
    })?
    .unwrap_or_default();
    let given_up = first(&mut db.prepare_cached(GIVEN_UP)?, [Backlog::COUNTED_MAX], |cells| cells.version())?
        .unwrap_or(0);
    Ok(Backlog { waiting, oldest, given_up })
}

#[async_trait]
impl Outbox for SqlStore {
    async fn claim_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>> {
        self.write(move |db| claim(db, now, until, limit)).await
    }

    async fn void_claims(&self) -> Result<()> {
        self.write(void_claims).await
    }

    async fn next_delivery(&self, after: Timestamp) -> Result<Option<Timestamp>> {
        self.read(move |db| next_after(db, after)).await
    }

    async fn settle_delivery(
        &self,
        id: DeliveryId,
        tried_at: Timestamp,
        settled: Settled,
        failure: Option<String>,
    ) -> Result<()> {
        self.write(move |db| settle(db, id, tried_at, settled, failure.as_deref())).await
    }

    async fn deliveries_of(&self, subject: Subject, most: usize) -> Result<Vec<DeliveryRecord>> {
        self.read(move |db| of_subject(db, subject, most)).await
    }

    async fn replay_deliveries(&self, callback: CallbackId, now: Timestamp) -> Result<u64> {
        self.write(move |db| replay(db, callback, now)).await
    }

    async fn backlog(&self) -> Result<Backlog> {
        self.read(backlog).await
    }
}
