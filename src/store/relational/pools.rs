//! Pools of agents, and the seats that are held after their calls.

use jiff::{SignedDuration, Timestamp};

use super::grouping;
use super::rows::{Cells, collect, corrupt, micros, span};
use super::sql::{Connection, params};
use crate::domain::{Figure, Pool, Resource, WrapUpSeat};
use crate::store::{PoolChanges, Result};

/// How long a folded command about a pool is kept, so that its answer can be asked for and a repetition is known.
const COMMANDS_KEPT: SignedDuration = SignedDuration::from_hours(1);
/// Commands that one batch deletes, at most.
const DELETED_MOST: u32 = 100;

const ALL: &str = "SELECT pool, kind, figure, as_of, valid_until, headroom, wrap_up, fed_by, fault FROM pools ORDER BY pool";
pub const IN_WRAP_UP: &str = "SELECT attempt, pool, taken_at, busy_since, until FROM seats_in_wrap_up \
     INDEXED BY seats_in_wrap_up_by_end WHERE until > ?1";
const SET: &str = "INSERT INTO pools (pool, kind, figure, as_of, valid_until, headroom, wrap_up, fed_by, fault) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (pool) DO UPDATE SET kind = excluded.kind, \
     figure = excluded.figure, as_of = excluded.as_of, valid_until = excluded.valid_until, \
     headroom = excluded.headroom, wrap_up = excluded.wrap_up, fed_by = excluded.fed_by, fault = excluded.fault";

pub fn all(db: &Connection) -> Result<Vec<Pool>> {
    collect(&mut db.prepare_cached(ALL)?, [], read)
}

fn read(cells: &mut Cells<'_>) -> Result<Pool> {
    let key = cells.parsed()?;
    let (kind, count) = (cells.text()?, cells.take()?);
    let figure = match kind {
        "seats" => Figure::Seats(count),
        "free" => Figure::Free(count),
        other => return Err(corrupt("a figure of a pool", other)),
    };
    Ok(Pool {
        key,
        figure,
        as_of: cells.moment()?,
        valid_until: cells.moment()?,
        headroom: cells.take()?,
        wrap_up: SignedDuration::from_micros(cells.take()?),
        by: cells.text()?.into(),
        fault: cells.text_if()?.map(Into::into),
    })
}

/// The seats that are still held at `now` after their calls.
pub fn seats_in_wrap_up(db: &Connection, now: Timestamp) -> Result<Vec<WrapUpSeat>> {
    collect(&mut db.prepare_cached(IN_WRAP_UP)?, [micros(now)], |cells| {
        Ok(WrapUpSeat {
            attempt: cells.id()?,
            pool: cells.parsed()?,
            taken_at: cells.moment()?,
            busy_since: cells.moment()?,
            until: cells.moment()?,
        })
    })
}

pub fn write(db: &Connection, changes: &PoolChanges) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    for (key, pool) in &changes.pools {
        match pool {
            Some(pool) => set(db, pool)?,
            None => {
                db.prepare_cached("DELETE FROM pools WHERE pool = ?1")?.execute([key.to_string()])?;
                grouping::release(db, &Resource::Pool(key.clone()))?;
            }
        }
    }
    if !changes.wrap_ups.is_empty() || !changes.wrapped_up.is_empty() {
        db.prepare_cached("DELETE FROM seats_in_wrap_up WHERE until <= ?1")?.write([micros(changes.at)])?;
    }
    let sql = "INSERT INTO seats_in_wrap_up (attempt, pool, taken_at, busy_since, until) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (attempt) DO UPDATE SET until = excluded.until";
    for WrapUpSeat { attempt, pool, taken_at, busy_since, until } in &changes.wrap_ups {
        db.prepare_cached(sql)?.write(params![
            attempt.bytes(),
            pool.to_string(),
            micros(*taken_at),
            micros(*busy_since),
            micros(*until)
        ])?;
    }
    for attempt in &changes.wrapped_up {
        db.prepare_cached("DELETE FROM seats_in_wrap_up WHERE attempt = ?1")?.write([attempt.bytes()])?;
    }
    forget_commands(db, changes)
}

fn set(db: &Connection, pool: &Pool) -> Result<()> {
    db.prepare_cached(SET)?.write(params![
        pool.key.to_string(),
        pool.figure.kind(),
        pool.figure.count(),
        micros(pool.as_of),
        micros(pool.valid_until),
        pool.headroom,
        span(pool.wrap_up),
        &*pool.by,
        pool.fault.as_deref()
    ])?;
    Ok(())
}

/// Notes the folded commands, and deletes old ones: a pool is fed every few seconds, and only its last figure matters.
fn forget_commands(db: &Connection, changes: &PoolChanges) -> Result<()> {
    if changes.commands.is_empty() {
        return Ok(());
    }
    for seq in &changes.commands {
        db.prepare_cached(
            "INSERT INTO pool_commands (seq, folded_at) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .write(params![seq, micros(changes.at)])?;
    }
    let sql = "SELECT seq FROM pool_commands INDEXED BY pool_commands_by_time WHERE folded_at <= ?1 LIMIT ?2";
    let before = micros(changes.at) - span(COMMANDS_KEPT);
    let old: Vec<i64> =
        collect(&mut db.prepare_cached(sql)?, params![before, DELETED_MOST], |cells| cells.take())?;
    for seq in old {
        // The command first, which refers to the report.
        for sql in [
            "DELETE FROM commands WHERE seq = ?1 AND outcome IS NOT NULL",
            "DELETE FROM reports WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM commands WHERE seq = ?1)",
            "DELETE FROM pool_commands WHERE seq = ?1",
        ] {
            db.prepare_cached(sql)?.write([seq])?;
        }
    }
    Ok(())
}
