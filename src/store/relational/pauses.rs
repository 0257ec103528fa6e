//! The pauses that operators set. A row stays when its pause is over.

use jiff::Timestamp;

use super::rows::{Cells, collect, micros, micros_if};
use super::sql::{Connection, params};
use crate::domain::Pause;
use crate::store::{Error, PauseLifted, Result};

pub const OPEN: &str = "SELECT id, scope, tenant, who, why, begun_at, until FROM pauses INDEXED BY pauses_open \
     WHERE lifted_at IS NULL AND until IS NULL UNION ALL \
     SELECT id, scope, tenant, who, why, begun_at, until FROM pauses INDEXED BY pauses_open \
     WHERE lifted_at IS NULL AND until > ?1";

/// Those that hold something at `now`, in the order in which they were set.
pub fn open(db: &Connection, now: Timestamp) -> Result<Vec<Pause>> {
    let mut pauses = collect(&mut db.prepare_cached(OPEN)?, [micros(now)], read)?;
    pauses.sort_by_key(|pause| (pause.from, pause.id));
    Ok(pauses)
}

fn read(cells: &mut Cells<'_>) -> Result<Pause> {
    Ok(Pause {
        id: cells.id()?,
        scope: cells.parsed()?,
        tenant: cells.parsed()?,
        who: cells.text()?.into(),
        why: cells.text()?.into(),
        from: cells.moment()?,
        until: cells.moment_if()?,
    })
}

/// Conflicts if one of them is stored already.
pub fn set(db: &Connection, pauses: &[Pause]) -> Result<()> {
    for pause in pauses {
        let new = db
            .prepare_cached(
                "INSERT INTO pauses (id, scope, tenant, who, why, begun_at, until) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING",
            )?
            .execute(params![
                pause.id.bytes(),
                pause.scope.to_string(),
                pause.tenant.as_str(),
                &*pause.who,
                &*pause.why,
                micros(pause.from),
                micros_if(pause.until),
            ])?;
        if new == 0 {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}

/// Conflicts if one of them was lifted before, or was never set.
pub fn lift(db: &Connection, lifted: &[PauseLifted]) -> Result<()> {
    for PauseLifted { id, at, by } in lifted {
        let changed = db
            .prepare_cached(
                "UPDATE pauses SET lifted_at = ?2, lifted_by = ?3 WHERE id = ?1 AND lifted_at IS NULL",
            )?
            .execute(params![id.bytes(), micros(*at), by])?;
        if changed == 0 {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}
