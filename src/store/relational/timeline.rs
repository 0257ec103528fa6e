//! The timeline, which is append-only.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::rows::{Cells, collect, digits, limit, micros};
use super::sql::{Connection, params, params_from_iter};
use super::{callbacks, persons};
use crate::domain::timeline::Entry;
use crate::domain::{CallbackId, Numbers, PairKey};
use crate::store::{Result, TimelineEnds, TimelineLine};

macro_rules! columns {
    () => {
        "at, callback, sender, consumer, attempt, message, what, why, by_token"
    };
}

pub const OF_CALLBACK: &str =
    concat!("SELECT seq, ", columns!(), " FROM timeline WHERE callback = ?1 ORDER BY seq");
pub const OF_PAIR: &str =
    concat!("SELECT seq, ", columns!(), " FROM timeline WHERE sender = ?1 AND consumer = ?2 ORDER BY seq");
/// The lines of a pair without a callback.
pub const OF_PAIR_BETWEEN: &str = concat!(
    "SELECT seq, ",
    columns!(),
    " FROM timeline WHERE sender = ?1 AND consumer = ?2 AND callback IS NULL AND at BETWEEN ?3 AND ?4 \
     ORDER BY seq"
);

/// Those of all orders and pairs after a position. What belongs to no order has the tenant of its message.
pub const AFTER: &str = "SELECT t.seq, t.at, t.callback, t.sender, t.consumer, t.attempt, t.message, t.what, t.why, \
     t.by_token, coalesce(c.tenant, m.tenant), c.kind FROM timeline t LEFT JOIN callbacks c ON c.id = t.callback \
     LEFT JOIN messages m ON t.callback IS NULL AND m.id = t.message WHERE t.seq > ?1 ORDER BY t.seq LIMIT ?2";

pub fn write(db: &Connection, entries: &[Entry]) -> Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let sql = concat!("INSERT INTO timeline (", columns!(), ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
    let mut statement = db.prepare_cached(sql)?;
    for entry in entries {
        statement.write(params![
            micros(entry.at),
            entry.callback.as_ref().map(|id| id.bytes()),
            entry.pair.map(|pair| digits(pair.sender)),
            entry.pair.map(|pair| digits(pair.consumer)),
            entry.attempt.as_ref().map(|id| id.bytes()),
            entry.message.as_ref().map(|id| id.bytes()),
            entry.what,
            entry.why,
            entry.by.as_deref(),
        ])?;
    }
    Ok(())
}

/// A line with its position.
fn read(cells: &mut Cells<'_>) -> Result<(i64, Entry)> {
    let seq = cells.take()?;
    let at = cells.moment()?;
    let callback = cells.id_if()?;
    let sender: Option<i64> = cells.take()?;
    let consumer: Option<i64> = cells.take()?;
    let phone = |digits: i64| crate::domain::Phone::from_stored(digits.cast_unsigned());
    let entry = Entry {
        at,
        callback,
        pair: sender
            .zip(consumer)
            .map(|(sender, consumer)| Numbers { sender: phone(sender), consumer: phone(consumer) }),
        attempt: cells.id_if()?,
        message: cells.id_if()?,
        what: cells.take::<String>()?.into(),
        why: cells.take()?,
        by: cells.text_if()?.map(Into::into),
    };
    Ok((seq, entry))
}

/// The lines of a callback, and those of its pairs from its creation to its end.
pub fn of_callback(db: &Connection, id: CallbackId) -> Result<Vec<Entry>> {
    let mut lines = BTreeMap::from_iter(collect(&mut db.prepare_cached(OF_CALLBACK)?, [id.bytes()], read)?);
    if let Some(callback) = callbacks::one(db, id)? {
        let until = callback.closed().map_or(Timestamp::MAX, |closed| closed.at);
        let mut statement = db.prepare_cached(OF_PAIR_BETWEEN)?;
        let span = [micros(callback.created_at), micros(until)];
        let person = persons::resolve(db, callback.order.consumer)?;
        for number in persons::numbers(db, person)? {
            for &sender in &callback.order.senders {
                let pair = [digits(sender), digits(number)];
                lines.extend(collect(&mut statement, params_from_iter([pair, span].as_flattened()), read)?);
            }
        }
    }
    Ok(lines.into_values().collect())
}

/// At most `most` lines after a position, in the order of commits.
pub fn after(db: &Connection, position: i64, most: usize) -> Result<Vec<TimelineLine>> {
    collect(&mut db.prepare_cached(AFTER)?, params![position, limit(most)], |cells| {
        let (seq, entry) = read(cells)?;
        Ok(TimelineLine { seq, entry, tenant: cells.parsed_if()?, kind: cells.parsed_if()? })
    })
}

/// The positions of the first and the last line.
pub fn ends(db: &Connection) -> Result<TimelineEnds> {
    let one = |sql| db.prepare_cached(sql)?.query_row([], |row| row.get::<_, Option<i64>>(0));
    let first = one("SELECT min(seq) FROM timeline")?;
    let last = one("SELECT max(seq) FROM timeline")?;
    Ok(TimelineEnds { first: first.unwrap_or(1), last: last.unwrap_or(0) })
}

/// Lines name the number that they were about at the time, so a pair has those of every number of the person.
pub fn of_pair(db: &Connection, key: PairKey) -> Result<Vec<Entry>> {
    let mut statement = db.prepare_cached(OF_PAIR)?;
    let mut lines = BTreeMap::new();
    for number in persons::numbers(db, key.person)? {
        lines.extend(collect(&mut statement, [digits(key.sender), digits(number)], read)?);
    }
    Ok(lines.into_values().collect())
}
