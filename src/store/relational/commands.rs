//! Commands: changes that customers and operators request. They are in the inbox like the reports of the platforms,
//! in a separate lane, and keep their result.

use super::reports::{self, Sealed};
use super::rows::{collect, first, limit};
use super::sql::{Connection, params};
use super::unreadable::{self, Stored};
use crate::domain::{CommandOutcome, SetAsideVerdict};
use crate::store::{CommandRecord, Error, NewCommand, Result};

pub const PENDING: &str = "SELECT r.seq, r.received_at, r.event \
     FROM commands AS c INDEXED BY commands_pending CROSS JOIN reports AS r ON r.seq = c.seq \
     WHERE c.outcome IS NULL ORDER BY c.seq LIMIT ?1";

const APPLIED: &str = "applied";
/// Folding it failed, and it waits for an operator. Not a code of a refusal.
const SET_ASIDE: &str = "set_aside";
/// The code of a command that an operator dropped after it had been set aside.
const DROPPED: &str = "command.dropped";

/// Whether the command is new. A repetition changes nothing.
pub fn append(db: &Connection, command: &NewCommand, sealed: &Sealed) -> Result<bool> {
    let Some(seq) = reports::insert(db, sealed)? else { return Ok(false) };
    db.prepare_cached("INSERT INTO commands (seq, tenant, callback, content) VALUES (?1, ?2, ?3, ?4)")?
        .write(params![
            seq,
            command.tenant.as_str(),
            command.callback.as_ref().map(|id| id.bytes()),
            command.content
        ])?;
    Ok(true)
}

pub fn by_key(db: &Connection, key: [u8; 16]) -> Result<Option<CommandRecord>> {
    let sql = "SELECT c.tenant, c.callback, c.content, c.outcome, r.received_at \
         FROM reports AS r CROSS JOIN commands AS c ON c.seq = r.seq WHERE r.key = ?1";
    first(&mut db.prepare_cached(sql)?, [key], |cells| {
        Ok(CommandRecord {
            tenant: cells.parsed()?,
            callback: cells.id_if()?,
            content: cells.take()?,
            outcome: cells.text_if()?.filter(|word| *word != SET_ASIDE).map(|word| match word {
                APPLIED => CommandOutcome::Applied,
                code => CommandOutcome::Refused(code.to_owned().into()),
            }),
            received_at: cells.moment()?,
        })
    })
}

pub fn pending(db: &Connection, rows: usize) -> Result<Vec<Stored>> {
    collect(&mut db.prepare_cached(PENDING)?, [limit(rows)], |cells| unreadable::read(cells, true))
}

/// Conflicts if one of them was folded before.
pub fn settle(db: &Connection, outcomes: &[(i64, CommandOutcome)]) -> Result<()> {
    if outcomes.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE commands SET outcome = ?2 WHERE seq = ?1 AND outcome IS NULL";
    let mut statement = db.prepare_cached(sql)?;
    for (seq, outcome) in outcomes {
        let word = match outcome {
            CommandOutcome::Applied => APPLIED,
            CommandOutcome::Refused(code) => code,
        };
        if statement.execute(params![seq, word])? == 0 {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}

/// Removes a command that is not folded from its lane.
pub fn set_aside(db: &Connection, seq: i64) -> Result<()> {
    let sql = "UPDATE commands SET outcome = ?2 WHERE seq = ?1 AND outcome IS NULL";
    let changed = db.prepare_cached(sql)?.execute(params![seq, SET_ASIDE])?;
    if changed == 0 { Err(Error::Conflict) } else { Ok(()) }
}

/// Ends a command's being set aside: it waits for its fold again, or is refused.
pub fn take_back(db: &Connection, seq: i64, verdict: SetAsideVerdict) -> Result<()> {
    let outcome = match verdict {
        SetAsideVerdict::Retry => None,
        SetAsideVerdict::Drop => Some(DROPPED),
    };
    let sql = "UPDATE commands SET outcome = ?2 WHERE seq = ?1 AND outcome = ?3";
    let changed = db.prepare_cached(sql)?.execute(params![seq, outcome, SET_ASIDE])?;
    if changed == 0 { Err(Error::Conflict) } else { Ok(()) }
}
