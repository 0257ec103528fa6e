//! PostgreSQL keeps the tables that grow with use by month: each month of a table is a partition of its own, which is dropped
//! as a whole. Rows that come without a month, or outlive it, are in the rest of the table. SQLite has no months.
//!
//! The tables and their columns of time are those of `tools/postgres/baseline`.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::rows::{collect, first, limit, micros};
use super::sql::Connection;
use super::{SqlStore, retention};
use crate::store::{Error, Result};

/// A table that is kept by month.
pub struct Monthly {
    pub table: &'static str,
    /// The column with the time of a row, which never changes.
    pub time: &'static str,
    /// The rows of a month that outlive it: `{month}` is the month, `{end}` the moment after it, `{before}` the first moment
    /// that is not old.
    outlive: Option<&'static str>,
    /// For so long after the end of a month something may be young that is in it. Microseconds.
    slack: i64,
}

/// How many months are made ahead of time, with the present one.
const AHEAD: usize = 3;
/// At most so many rows that came before their month was made are moved into it. More of them stay in the rest.
const MOVED_MAX: i64 = 50_000;
/// Readers of a table are waited for no longer than this, because everybody else waits behind.
const LOCK_PATIENCE: &str = "SET LOCAL lock_timeout = 2000";
const NO_LOCK_PATIENCE: &str = "SET LOCAL lock_timeout = 0";

/// Lines of open callbacks: those that wait, and those that have a live call.
pub const TIMELINE: Monthly = Monthly {
    table: "timeline",
    time: "at",
    outlive: Some(
        "SELECT o.* FROM {month} AS o WHERE o.callback IN (SELECT id FROM callbacks WHERE state = 'waiting' \
         AND created_at < {end} UNION SELECT callback FROM attempts WHERE live = 1)",
    ),
    slack: 0,
};
/// What is not folded, and the keys of what consumers answered.
pub const INBOX: Monthly = Monthly {
    table: "reports",
    time: "received_at",
    outlive: Some(
        "WITH held AS (SELECT seq FROM unfolded_reports UNION SELECT seq FROM unmatched_reports \
         UNION SELECT report FROM set_aside WHERE report IS NOT NULL \
         UNION SELECT seq FROM commands WHERE seq <= (SELECT max(seq) FROM {month})) \
         SELECT o.seq, o.key, o.received_at, o.event FROM {month} AS o WHERE o.seq IN (SELECT seq FROM held) \
         UNION ALL SELECT o.seq, o.key, o.received_at, '\"erased\"' FROM {month} AS o WHERE (event = '\"erased\"' \
         OR event LIKE '{\"permission_reply\"%' OR event LIKE '{\"permission_override\"%' OR event LIKE '{\"inbound_%' \
         OR event LIKE '{\"messenger_%' OR event LIKE '{\"marketing_preference\"%') \
         AND NOT EXISTS (SELECT 1 FROM held AS h WHERE h.seq = o.seq)",
    ),
    slack: 0,
};
/// What waits or was settled lately.
pub const OUTBOX: Monthly = Monthly {
    table: "outbox",
    time: "created_at",
    outlive: Some(
        "SELECT * FROM {month} WHERE state = 'waiting' UNION ALL SELECT * FROM {month} WHERE state <> 'waiting' \
         AND settled_at >= {before} AND settled_at > created_at + 86400000000",
    ),
    // A day, as in the index of what was settled late.
    slack: 86_400_000_000,
};
pub const AUDIT: Monthly = Monthly { table: "audit", time: "at", outlive: None, slack: 0 };
const ALL: [&Monthly; 4] = [&TIMELINE, &INBOX, &OUTBOX, &AUDIT];

/// A month of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month(Date);

impl Month {
    pub fn of(at: Timestamp) -> Self {
        Self(TimeZone::UTC.to_datetime(at).date().first_of_month())
    }

    /// `None` after the year 9999.
    fn next(self) -> Option<Self> {
        self.0.last_of_month().tomorrow().ok().map(Self)
    }

    /// Its first microsecond.
    fn begin(self) -> i64 {
        self.0.to_zoned(TimeZone::UTC).map_or(i64::MAX, |begin| micros(begin.timestamp()))
    }

    /// The first microsecond after it.
    fn end(self) -> i64 {
        self.next().map_or(i64::MAX, Self::begin)
    }

    fn name(self, table: &str) -> String {
        format!("{table}_{:04}_{:02}", self.0.year(), self.0.month())
    }

    fn read(name: &str, table: &str) -> Option<Self> {
        let (year, month) = name.strip_prefix(table)?.strip_prefix('_')?.split_once('_')?;
        Date::new(year.parse().ok()?, month.parse().ok()?, 1).ok().map(Self)
    }
}

impl SqlStore {
    /// Makes the present month and the next ones of each table that is kept by month, where they are missing. Returns how
    /// many were made: none in a file, and none by a user who does not own the tables.
    ///
    /// # Errors
    /// [`Error::Busy`] if a long read is in the way; if the store cannot be written.
    pub async fn make_months(&self, now: Timestamp) -> Result<usize> {
        let missing = self.read(move |db| missing(db, now)).await?;
        let mut made = 0;
        for (table, month) in missing {
            made += usize::from(self.write(move |db| make(db, table, month)).await?);
        }
        Ok(made)
    }

    /// Whether the store has tables that are kept by month, and its user may not make or drop months.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn lacks_months(&self) -> Result<bool> {
        self.read(|db| Ok(db.postgres().is_some() && !may(db)?)).await
    }
}

/// The months from the present one on that are to be made.
fn missing(db: &Connection, now: Timestamp) -> Result<Vec<(&'static Monthly, Month)>> {
    if db.postgres().is_none() || !may(db)? {
        return Ok(Vec::new());
    }
    let mut missing = Vec::new();
    for table in ALL {
        let made = months(db, table)?;
        let wanted = std::iter::successors(Some(Month::of(now)), |month| month.next()).take(AHEAD);
        missing.extend(wanted.filter(|month| !made.contains(month)).map(|month| (table, month)));
    }
    Ok(missing)
}

/// Makes all months of a copy from its first row on, before there are any rows.
pub fn make_all(db: &Connection, oldest: impl Fn(&Monthly) -> Result<Option<Timestamp>>) -> Result<()> {
    if db.postgres().is_none() || !may(db)? {
        return Ok(());
    }
    let sql = "SELECT CAST(extract(epoch FROM now()) * 1000000 AS BIGINT)";
    let now =
        first(&mut db.prepare_cached(sql)?, [], |cells| cells.moment())?.unwrap_or(Timestamp::UNIX_EPOCH);
    for table in ALL {
        let Some(oldest) = oldest(table)? else { continue };
        let made = months(db, table)?;
        let until = Month::of(now);
        let from = std::iter::successors(Some(Month::of(oldest)), |month| month.next());
        // Ten years at most; what is older is in the rest.
        let all: Vec<Month> = from.take_while(|month| *month <= until).collect();
        for month in all.iter().rev().take(120).filter(|month| !made.contains(month)) {
            make(db, table, *month)?;
        }
    }
    Ok(())
}

/// Whether the user may make and drop months: who owns a table may.
fn may(db: &Connection) -> Result<bool> {
    let sql = "SELECT CASE WHEN pg_has_role(c.relowner, 'USAGE') AND has_schema_privilege(current_schema(), 'CREATE') \
               THEN 1 ELSE 0 END FROM pg_class AS c WHERE c.oid = to_regclass('timeline')";
    Ok(first(&mut db.prepare_cached(sql)?, [], |cells| cells.take::<i64>())? == Some(1))
}

/// The months of a table, oldest first.
fn months(db: &Connection, of: &Monthly) -> Result<Vec<Month>> {
    let table = of.table;
    let sql = format!(
        "SELECT CAST(c.relname AS TEXT) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid \
         WHERE i.inhparent = to_regclass('{table}')"
    );
    let names = collect(&mut db.prepare_cached(&sql)?, [], |cells| cells.take::<String>())?;
    let mut months: Vec<Month> = names.iter().filter_map(|name| Month::read(name, table)).collect();
    months.sort();
    Ok(months)
}

/// Makes a month, with the rows that came before it was made. `false` if there are too many of them, or if it is there.
fn make(db: &Connection, of: &Monthly, month: Month) -> Result<bool> {
    if months(db, of)?.contains(&month) {
        return Ok(false);
    }
    let (table, time, name) = (of.table, of.time, month.name(of.table));
    let within = format!("{time} >= {} AND {time} < {}", month.begin(), month.end());
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {table}_rest WHERE {within} LIMIT {}) AS r",
        MOVED_MAX + 1
    );
    if db.query_row::<i64>(&sql, [], |row| row.get(0))? > MOVED_MAX {
        return Ok(false);
    }
    in_turn(db, || {
        db.execute_batch(&format!(
            "CREATE TABLE {name} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS); \
             WITH moved AS (DELETE FROM {table}_rest WHERE {within} RETURNING *) INSERT INTO {name} SELECT * FROM moved; \
             ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES FROM ({}) TO ({})",
            month.begin(),
            month.end()
        ))?;
        Ok(true)
    })
}

/// Drops the oldest month of a table in which everything is older than `before`, or does a part of it. `None` if there is
/// none.
pub fn drop_oldest(
    db: &Connection,
    of: &Monthly,
    before: Timestamp,
    most: usize,
) -> Result<Option<retention::Retained>> {
    let before = micros(before);
    let oldest = months(db, of)?.into_iter().next();
    let Some(month) = oldest.filter(|month| month.end().saturating_add(of.slack) <= before) else {
        return Ok(None);
    };
    if !may(db)? {
        return Ok(None);
    }
    let (table, name) = (of.table, month.name(of.table));
    if table == "reports" {
        // Commands have no time of their own: they go with their texts, and there are fewer of them.
        let sql = format!(
            "DELETE FROM commands WHERE seq IN (SELECT c.seq FROM commands AS c WHERE c.outcome IS NOT NULL \
             AND c.seq <= (SELECT max(seq) FROM {name}) AND NOT EXISTS \
             (SELECT 1 FROM set_aside AS s WHERE s.report = c.seq) ORDER BY c.seq LIMIT ?1)"
        );
        let deleted = db.prepare_cached(&sql)?.execute([limit(most)])?;
        if deleted == most {
            return Ok(Some(retention::Retained::part(deleted as u64, Some(0))));
        }
    }
    // What outlives the month is gathered before anybody has to wait for it.
    let outlive = of.outlive.map(|select| {
        let select = select.replace("{month}", &name).replace("{end}", &month.end().to_string());
        select.replace("{before}", &before.to_string())
    });
    if let Some(select) = &outlive {
        db.execute_batch(&format!("CREATE TABLE {name}_kept AS {select}"))?;
    }
    in_turn(db, || {
        db.execute_batch(&format!("ALTER TABLE {table} DETACH PARTITION {name}; DROP TABLE {name}"))?;
        if outlive.is_some() {
            db.execute_batch(&format!(
                "INSERT INTO {table} SELECT * FROM {name}_kept; DROP TABLE {name}_kept"
            ))?;
        }
        Ok(Some(retention::Retained { months: 1, ..retention::Retained::part(0, Some(0)) }))
    })
}

/// Does what locks a table. Readers are waited for only a moment.
fn in_turn<T>(db: &Connection, work: impl FnOnce() -> Result<T>) -> Result<T> {
    db.execute_batch(LOCK_PATIENCE)?;
    let done = work()?;
    db.execute_batch(NO_LOCK_PATIENCE).map_err(Error::from)?;
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(at: &str) -> Month {
        Month::of(at.parse().unwrap())
    }

    #[test]
    fn a_month_begins_and_ends_at_midnight_in_utc() {
        let november = month("2026-11-30T23:59:59.999999Z");
        assert_eq!(november, month("2026-11-01T00:00:00Z"));
        assert_ne!(november, month("2026-12-01T00:00:00Z"));
        let moment = |at: &str| micros(at.parse().unwrap());
        assert_eq!(november.begin(), moment("2026-11-01T00:00:00Z"));
        assert_eq!(november.end(), moment("2026-12-01T00:00:00Z"));
        assert_eq!(month("2026-12-31T12:00:00Z").next(), Some(month("2027-01-01T00:00:00Z")));
        assert_eq!(month("2028-02-29T00:00:00Z").end(), moment("2028-03-01T00:00:00Z"));
    }

    #[test]
    fn a_month_is_known_by_the_name_of_its_partition() {
        let november = month("2026-11-05T00:00:00Z");
        assert_eq!(november.name("timeline"), "timeline_2026_11");
        assert_eq!(Month::read("timeline_2026_11", "timeline"), Some(november));
        for other in ["timeline_rest", "timeline_2026_13", "reports_2026_11", "timeline"] {
            assert_eq!(Month::read(other, "timeline"), None, "{other}");
        }
    }
}
