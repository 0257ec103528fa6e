//! The last trusted reading of the machine's clocks.

use jiff::SignedDuration;

use super::rows::{Cells, first, micros, span};
use super::sql::{Connection, params};
use crate::domain::{ClockDoubt, ClockMark, Reading};
use crate::store::Result;

pub fn write(db: &Connection, mark: &ClockMark) -> Result<()> {
    let ClockMark { trusted, doubt } = mark;
    db.prepare_cached(
        "INSERT INTO clock (one, boot, wall, up, doubt_since, jumped_by) VALUES (1, ?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (one) DO UPDATE SET boot = excluded.boot, wall = excluded.wall, up = excluded.up, \
         doubt_since = excluded.doubt_since, jumped_by = excluded.jumped_by",
    )?
    .write(params![
        &*trusted.boot,
        micros(trusted.wall),
        span(trusted.up),
        doubt.map(|doubt| micros(doubt.since)),
        doubt.map(|doubt| span(doubt.by)),
    ])?;
    Ok(())
}

pub fn read(db: &Connection) -> Result<Option<ClockMark>> {
    let sql = "SELECT boot, wall, up, doubt_since, jumped_by FROM clock WHERE one = 1";
    first(&mut db.prepare_cached(sql)?, [], mark)
}

fn mark(cells: &mut Cells<'_>) -> Result<ClockMark> {
    let boot = cells.text()?.into();
    let wall = cells.moment()?;
    let up = SignedDuration::from_micros(cells.take()?);
    let (since, by) = (cells.moment_if()?, cells.take::<Option<i64>>()?);
    let doubt = since.zip(by).map(|(since, by)| ClockDoubt { since, by: SignedDuration::from_micros(by) });
    Ok(ClockMark { trusted: Reading { wall, boot, up }, doubt })
}
