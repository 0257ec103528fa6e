//! The tables of changes of many callbacks. A row of one becomes a command in the transaction that marks it, so that none is
//! carried out twice or lost.

use super::sql::{Connection, params};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::rows::{Cells, collect, corrupt, first, limit, micros, micros_if, moment};
use super::{callbacks, commands, reports};
use crate::domain::event::{CallbackChange, CallbackCommand};
use crate::domain::{BulkId, Callback, CallbackId, Event, Priority, State, Tenant};
use crate::store::{BulkAct, BulkRecord, NewBulk, NewCommand, Report, Result};

/// So many rows become commands when one is confirmed.
const FIRST: usize = 100;

macro_rules! columns {
    () => {
        "id, tenant, made_by, act, earliest, latest, priority, why, filter, state, made_at, confirmed_at, ended_at, total"
    };
}

const ONE: &str = concat!("SELECT ", columns!(), " FROM bulks WHERE id = ?1");
const OF_TENANT: &str =
    concat!("SELECT ", columns!(), " FROM bulks WHERE tenant = ?1 ORDER BY made_at DESC, id DESC LIMIT ?2");
const RUNNING: &str =
    concat!("SELECT ", columns!(), " FROM bulks WHERE state = 'running' ORDER BY confirmed_at, id LIMIT 1");
const NEXT: &str = "SELECT row_no, callback, version FROM bulk_rows WHERE bulk = ?1 AND state = 'open' ORDER BY row_no LIMIT ?2";
/// A row that became a command is told apart by the command's result.
const PROGRESS: &str = "SELECT CASE WHEN r.state <> 'filed' THEN r.state WHEN c.outcome IS NULL THEN 'pending' \
     WHEN c.outcome = 'applied' THEN 'applied' ELSE 'refused' END AS word, count(*) \
     FROM bulk_rows AS r LEFT JOIN commands AS c ON c.seq = r.command WHERE r.bulk = ?1 GROUP BY word";

pub fn make(db: &Connection, new: &NewBulk) -> Result<bool> {
    let count = "SELECT count(*) FROM bulks WHERE tenant = ?1";
    let count = first(&mut db.prepare_cached(count)?, [new.tenant.as_str()], |cells| cells.version())?;
    if count.unwrap_or(0) >= u64::from(NewBulk::MAX) {
        return Ok(false);
    }
    let (act, earliest, latest, priority) = match new.act {
        BulkAct::Cancel => ("cancel", None, None, None),
        BulkAct::Reschedule { earliest, latest, priority } => ("reschedule", earliest, latest, priority),
    };
    db.prepare_cached(
        "INSERT INTO bulks (id, tenant, made_by, act, earliest, latest, priority, why, filter, state, made_at, total) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'preview', ?10, ?11)",
    )?
    .execute(params![
        new.id.bytes(),
        new.tenant.as_str(),
        new.by,
        act,
        micros_if(earliest),
        micros_if(latest),
        priority.map(Priority::level),
        new.why,
        new.filter,
        micros(new.at),
        limit(new.rows.len())
    ])?;
    let mut insert = db.prepare_cached(
        "INSERT INTO bulk_rows (bulk, row_no, callback, version, state) VALUES (?1, ?2, ?3, ?4, 'open')",
    )?;
    for (row, (callback, version)) in (1_i64..).zip(&new.rows) {
        insert.execute(params![new.id.bytes(), row, callback.bytes(), version.cast_signed()])?;
    }
    Ok(true)
}

fn read(cells: &mut Cells<'_>) -> Result<BulkRecord> {
    let (id, tenant, by) = (cells.id()?, cells.parsed()?, cells.take()?);
    let act: String = cells.take()?;
    let (earliest, latest) = (cells.moment_if()?, cells.moment_if()?);
    let priority = cells.take::<Option<u8>>()?.and_then(Priority::new);
    let act = match act.as_str() {
        "cancel" => BulkAct::Cancel,
        "reschedule" => BulkAct::Reschedule { earliest, latest, priority },
        other => return Err(corrupt("a change of many callbacks", other)),
    };
    Ok(BulkRecord {
        id,
        tenant,
        by,
        act,
        why: cells.take()?,
        filter: cells.take()?,
        state: cells.parsed()?,
        made_at: cells.moment()?,
        confirmed_at: cells.moment_if()?,
        ended_at: cells.moment_if()?,
        total: cells.version()?,
        open: 0,
        changed: 0,
        pending: 0,
        applied: 0,
        refused: 0,
    })
}

fn with_progress(db: &Connection, mut bulk: BulkRecord) -> Result<BulkRecord> {
    let counts = collect(&mut db.prepare_cached(PROGRESS)?, [bulk.id.bytes()], |cells| {
        Ok((cells.take::<String>()?, cells.version()?))
    })?;
    for (word, count) in counts {
        match word.as_str() {
            "open" => bulk.open = count,
            "changed" => bulk.changed = count,
            "pending" => bulk.pending = count,
            "applied" => bulk.applied = count,
            _ => bulk.refused = count,
        }
    }
    Ok(bulk)
}

pub fn one(db: &Connection, id: BulkId) -> Result<Option<BulkRecord>> {
    let found = first(&mut db.prepare_cached(ONE)?, [id.bytes()], read)?;
    found.map(|bulk| with_progress(db, bulk)).transpose()
}

pub fn of_tenant(db: &Connection, tenant: &Tenant, most: usize) -> Result<Vec<BulkRecord>> {
    let found = collect(&mut db.prepare_cached(OF_TENANT)?, params![tenant.as_str(), limit(most)], read)?;
    found.into_iter().map(|bulk| with_progress(db, bulk)).collect()
}

pub fn confirm(db: &Connection, id: BulkId, at: Timestamp) -> Result<bool> {
    let sql = "UPDATE bulks SET state = 'running', confirmed_at = ?2 WHERE id = ?1 AND state = 'preview'";
    let begun = db.prepare_cached(sql)?.execute(params![id.bytes(), micros(at)])? == 1;
    if begun && let Some(bulk) = first(&mut db.prepare_cached(ONE)?, [id.bytes()], read)? {
        step(db, &bulk, at, FIRST)?;
    }
    Ok(begun)
}

pub fn stop(db: &Connection, id: BulkId, at: Timestamp) -> Result<bool> {
    let sql =
        "UPDATE bulks SET state = 'stopped', ended_at = ?2 WHERE id = ?1 AND state IN ('preview', 'running')";
    Ok(db.prepare_cached(sql)?.execute(params![id.bytes(), micros(at)])? == 1)
}

pub fn is_running(db: &Connection) -> Result<bool> {
    let sql = "SELECT 1 FROM bulks WHERE state = 'running' LIMIT 1";
    Ok(first(&mut db.prepare_cached(sql)?, [], |cells| cells.take::<i64>())?.is_some())
}

pub fn file(db: &Connection, at: Timestamp, most: usize) -> Result<bool> {
    match first(&mut db.prepare_cached(RUNNING)?, [], read)? {
        Some(bulk) => step(db, &bulk, at, most),
        None => Ok(false),
    }
}

/// The next rows. Whether there were any; without them it is done.
fn step(db: &Connection, bulk: &BulkRecord, at: Timestamp, most: usize) -> Result<bool> {
    let rows = collect(&mut db.prepare_cached(NEXT)?, params![bulk.id.bytes(), limit(most)], |cells| {
        Ok((cells.take::<i64>()?, cells.id::<CallbackId>()?, cells.version()?))
    })?;
    let mut mark =
        db.prepare_cached("UPDATE bulk_rows SET state = ?3, command = ?4 WHERE bulk = ?1 AND row_no = ?2")?;
    for (row, id, mark_then) in &rows {
        let found = callbacks::by_ids(db, &[*id])?.pop();
        let change = found
            .filter(|callback| NewBulk::mark(callback) == *mark_then && callback.tenant == bulk.tenant)
            .and_then(|callback| change(bulk, &callback, at));
        let filed = match change {
            Some(change) => append(db, bulk, *row, *id, change, at)?,
            None => None,
        };
        let state = if filed.is_some() { "filed" } else { "changed" };
        mark.execute(params![bulk.id.bytes(), row, state, filed])?;
    }
    if rows.len() < most {
        let sql = "UPDATE bulks SET state = 'done', ended_at = ?2 WHERE id = ?1 AND state = 'running'";
        db.prepare_cached(sql)?.execute(params![bulk.id.bytes(), micros(at)])?;
    }
    Ok(!rows.is_empty())
}

/// What the command of a callback wants; `None` if it does not fit any more.
fn change(bulk: &BulkRecord, callback: &Callback, at: Timestamp) -> Option<CallbackChange> {
    if !matches!(callback.state, State::Waiting(_)) {
        return None;
    }
    match bulk.act {
        BulkAct::Cancel => Some(CallbackChange::Cancel),
        BulkAct::Reschedule { earliest, latest, priority } => {
            let order = &callback.order;
            let (earliest, latest) = (earliest.unwrap_or(order.earliest), latest.unwrap_or(order.latest));
            (earliest < latest && latest > at).then(|| CallbackChange::Reschedule {
                earliest,
                latest,
                hours: order.hours.clone(),
                priority: priority.unwrap_or(order.priority),
                reason: Some(bulk.why.clone()),
            })
        }
    }
}

/// The `seq` of the row's command, which is in the inbox once.
fn append(
    db: &Connection,
    bulk: &BulkRecord,
    row: i64,
    callback: CallbackId,
    change: CallbackChange,
    at: Timestamp,
) -> Result<Option<i64>> {
    let content: [u8; 32] = Sha256::digest(format!("bulk {} {row}", bulk.id)).into();
    let mut key = [0; 16];
    key.copy_from_slice(&content[..16]);
    let event = Event::Command(CallbackCommand { callback, by: bulk.by.clone(), change });
    let report = Report { key, received_at: moment(micros(at))?, event };
    let sealed = reports::seal(&report)?;
    let command = NewCommand { report, tenant: bulk.tenant.clone(), callback: Some(callback), content };
    commands::append(db, &command, &sealed)?;
    let sql = "SELECT seq FROM reports WHERE key = ?1";
    first(&mut db.prepare_cached(sql)?, [key], |cells| cells.take())
}
