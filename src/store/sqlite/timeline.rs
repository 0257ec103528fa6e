//! The timeline: only ever added to.

use rusqlite::{Connection, params};

use super::rows::{Cells, collect, digits, micros};
use crate::domain::timeline::Entry;
use crate::domain::{CallbackId, PairKey};
use crate::store::Result;

macro_rules! columns {
    () => {
        "at, callback, sender, consumer, attempt, message, what, why"
    };
}

pub const OF_CALLBACK: &str =
    concat!("SELECT ", columns!(), " FROM timeline WHERE callback = ?1 ORDER BY seq");
pub const OF_PAIR: &str =
    concat!("SELECT ", columns!(), " FROM timeline WHERE sender = ?1 AND consumer = ?2 ORDER BY seq");

pub fn write(db: &Connection, entries: &[Entry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let sql = concat!("INSERT INTO timeline (", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    let mut statement = db.prepare_cached(sql)?;
    for entry in entries {
        statement.execute(params![
            micros(entry.at),
            entry.callback.as_ref().map(|id| id.bytes()),
            entry.pair.map(|pair| digits(pair.sender)),
            entry.pair.map(|pair| digits(pair.consumer)),
            entry.attempt.as_ref().map(|id| id.bytes()),
            entry.message.as_ref().map(|id| id.bytes()),
            entry.what,
            entry.why,
        ])?;
    }
    Ok(())
}

fn read(cells: &mut Cells<'_>) -> Result<Entry> {
    let at = cells.moment()?;
    let callback = cells.id_if()?;
    let sender: Option<i64> = cells.take()?;
    let consumer: Option<i64> = cells.take()?;
    let phone = |digits: i64| crate::domain::Phone::from_stored(digits.cast_unsigned());
    Ok(Entry {
        at,
        callback,
        pair: sender
            .zip(consumer)
            .map(|(sender, consumer)| PairKey { sender: phone(sender), consumer: phone(consumer) }),
        attempt: cells.id_if()?,
        message: cells.id_if()?,
        what: cells.take::<String>()?.into(),
        why: cells.take()?,
    })
}

pub fn of_callback(db: &Connection, id: CallbackId) -> Result<Vec<Entry>> {
    collect(&mut db.prepare_cached(OF_CALLBACK)?, [id.bytes()], read)
}

pub fn of_pair(db: &Connection, key: PairKey) -> Result<Vec<Entry>> {
    collect(&mut db.prepare_cached(OF_PAIR)?, [digits(key.sender), digits(key.consumer)], read)
}
