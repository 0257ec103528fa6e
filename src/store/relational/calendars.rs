//! The days of calendars that operators marked. A row stays when its day is over; a later mark of the day replaces it.

use jiff::civil::Date;

use super::rows::{Cells, collect, micros};
use super::sql::{Connection, params};
use crate::domain::calendar::MarkedDay;
use crate::store::Result;

pub const FROM: &str = "SELECT calendar, day, mark, who, why, marked_at FROM calendar_days \
     INDEXED BY calendar_days_by_day WHERE day >= ?1 ORDER BY day, calendar";

/// The marked days from this one on.
pub fn from(db: &Connection, day: Date) -> Result<Vec<MarkedDay>> {
    collect(&mut db.prepare_cached(FROM)?, [day.to_string()], read)
}

fn read(cells: &mut Cells<'_>) -> Result<MarkedDay> {
    Ok(MarkedDay {
        calendar: cells.parsed()?,
        day: cells.parsed()?,
        mark: cells.parsed()?,
        who: cells.text()?.into(),
        why: cells.text()?.into(),
        at: cells.moment()?,
    })
}

/// Writes marks in their order.
pub fn write(db: &Connection, days: &[MarkedDay]) -> Result<()> {
    for MarkedDay { calendar, day, mark, who, why, at } in days {
        db.prepare_cached(
            "INSERT INTO calendar_days (calendar, day, mark, who, why, marked_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (calendar, day) DO UPDATE SET \
             mark = excluded.mark, who = excluded.who, why = excluded.why, marked_at = excluded.marked_at",
        )?
        .write(params![
            calendar.as_str(),
            day.to_string(),
            mark.as_str(),
            &**who,
            &**why,
            micros(*at)
        ])?;
    }
    Ok(())
}
