//! One connection type for both engines. A statement is written once, in the SQL that SQLite and PostgreSQL share.
//!
//! The methods have the names of rusqlite's. SQLite's own matters (pragmas, hooks, the log) go through
//! [`Connection::sqlite`].

mod error;
mod params;
pub mod postgres;
mod row;
mod statement;
mod value;

use std::time::{Duration, Instant};

pub use self::error::{Error, Result};
pub(in crate::store::relational) use self::params::params;
pub use self::params::{Params, params_from_iter};
pub use self::row::Row;
pub use self::statement::CachedStatement;
pub use self::value::{FromSql, ToSql, Value};

/// A connection to the store, used by one thread at a time.
pub enum Connection {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::Session>),
}

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It reads. All its statements see the same state.
    Read,
    /// The same, for as long as it takes, with temporary tables.
    Survey,
    /// It writes, and nobody else writes until it ends.
    Write,
}

impl From<rusqlite::Connection> for Connection {
    fn from(db: rusqlite::Connection) -> Self {
        Self::Sqlite(db)
    }
}

impl From<postgres::Session> for Connection {
    fn from(db: postgres::Session) -> Self {
        Self::Postgres(Box::new(db))
    }
}

impl Connection {
    /// The statement, prepared once for each connection.
    ///
    /// # Errors
    /// If the engine does not understand it or is away.
    pub fn prepare_cached(&self, sql: &str) -> Result<CachedStatement<'_>> {
        match self {
            Self::Sqlite(db) => Ok(CachedStatement::Sqlite(db.prepare_cached(sql)?)),
            Self::Postgres(db) => Ok(CachedStatement::Postgres(db.prepare(sql)?)),
        }
    }

    /// The number of rows that it changed.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn execute(&self, sql: &str, params: impl Params) -> Result<usize> {
        self.prepare_cached(sql)?.execute(params)
    }

    /// Runs several statements without parameters.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        match self {
            Self::Sqlite(db) => Ok(db.execute_batch(sql)?),
            Self::Postgres(db) => Ok(db.execute_batch(sql)?),
        }
    }

    /// Reads the first row.
    ///
    /// # Errors
    /// [`Error::NoRow`] if there is none; those of the engine.
    pub fn query_row<T>(
        &self,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> Result<T>,
    ) -> Result<T> {
        self.prepare_cached(sql)?.query_row(params, read)
    }

    /// # Errors
    /// Those of the engine.
    pub fn begin(&self, access: Access) -> Result<()> {
        match (self, access) {
            (Self::Sqlite(db), Access::Read | Access::Survey) => {
                db.prepare_cached("BEGIN DEFERRED")?.execute([])?
            }
            (Self::Sqlite(db), Access::Write) => db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?,
            (Self::Postgres(db), access) => return Ok(db.begin(access)?),
        };
        Ok(())
    }

    /// # Errors
    /// Those of the engine; [`Error::OutcomeUnknown`] if the connection was lost meanwhile.
    pub fn commit(&self) -> Result<()> {
        match self {
            Self::Sqlite(db) => {
                db.prepare_cached("COMMIT")?.execute([])?;
                Ok(())
            }
            Self::Postgres(db) => db.commit().map_err(|(fault, is_unknown)| {
                if is_unknown { Error::OutcomeUnknown(fault) } else { Error::Postgres(fault) }
            }),
        }
    }

    /// Ends the transaction, if one is open. After some errors, such as a full disk, SQLite has already done so.
    ///
    /// # Errors
    /// Those of the engine.
    pub fn roll_back(&self) -> Result<()> {
        match self {
            Self::Sqlite(db) if db.is_autocommit() => Ok(()),
            Self::Sqlite(db) => Ok(db.execute_batch("ROLLBACK")?),
            Self::Postgres(db) => Ok(db.roll_back()?),
        }
    }

    /// From now on a read of PostgreSQL fails that is not done at this time. SQLite's reads are stopped by its progress
    /// handler.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        if let Self::Postgres(db) = self {
            db.set_deadline(deadline);
        }
    }

    /// From now on a statement of PostgreSQL fails that takes longer, with what it waits for.
    pub fn set_patience(&self, patience: Duration) {
        if let Self::Postgres(db) = self {
            db.set_patience(patience);
        }
    }

    /// For what only PostgreSQL has.
    pub const fn postgres(&self) -> Option<&postgres::Session> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(db) => Some(db),
        }
    }

    /// For the settings of SQLite that need the connection alone.
    pub const fn sqlite_mut(&mut self) -> Option<&mut rusqlite::Connection> {
        match self {
            Self::Sqlite(db) => Some(db),
            Self::Postgres(_) => None,
        }
    }

    /// For what only SQLite has.
    pub const fn sqlite(&self) -> Option<&rusqlite::Connection> {
        match self {
            Self::Sqlite(db) => Some(db),
            Self::Postgres(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn db() -> Connection {
        let db = Connection::from(rusqlite::Connection::open_in_memory().unwrap());
        db.execute_batch("CREATE TABLE t (a INTEGER, b TEXT, c BLOB) STRICT").unwrap();
        db
    }

    fn count(db: &Connection) -> i64 {
        db.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn values_are_read_as_they_were_written() {
        let db = db();
        let sql = "INSERT INTO t (a, b, c) VALUES (?1, ?2, ?3)";
        assert_eq!(db.execute(sql, params![i64::MIN, "ä", [1_u8, 2]]).unwrap(), 1);
        assert_eq!(db.execute(sql, (None::<i64>, Some(""), &[0_u8; 0][..])).unwrap(), 1);
        let mut statement = db.prepare_cached("SELECT a, b, c FROM t").unwrap();
        let mut rows = statement.query([]).unwrap();
        let first = rows.next().unwrap().unwrap();
        assert_eq!(first.get::<_, i64>(0).unwrap(), i64::MIN);
        assert_eq!(first.get_ref(1).unwrap(), Value::Text("ä"));
        assert_eq!(first.get::<_, [u8; 2]>(2).unwrap(), [1, 2]);
        let second = rows.next().unwrap().unwrap();
        assert_eq!(second.get::<_, Option<i64>>(0).unwrap(), None);
        assert_eq!(second.get::<_, String>(1).unwrap(), "");
        assert!(matches!(second.get::<_, i64>(0), Err(Error::Cell { column: 0, found: "NULL" })));
        assert!(rows.next().unwrap().is_none());
    }

    #[test]
    fn a_statement_needs_all_its_parameters_and_a_row_that_is_asked_for() {
        let db = db();
        let sql = "INSERT INTO t (a, b) VALUES (?1, ?2)";
        assert!(db.execute(sql, [1_i64]).is_err());
        assert!(db.execute(sql, [1_i64, 2, 3]).is_err());
        assert_eq!(count(&db), 0);
        assert!(matches!(db.query_row("SELECT a FROM t", [], |_| Ok(())), Err(Error::NoRow)));
    }

    #[test]
    fn a_transaction_is_whole_or_nothing() {
        let db = db();
        db.begin(Access::Write).unwrap();
        db.prepare_cached("INSERT INTO t (a) VALUES (?1)").unwrap().write([1_i64]).unwrap();
        db.roll_back().unwrap();
        db.roll_back().unwrap();
        assert_eq!(count(&db), 0);
        db.begin(Access::Write).unwrap();
        db.prepare_cached("INSERT INTO t (a) VALUES (?1)").unwrap().write([1_i64]).unwrap();
        db.commit().unwrap();
        assert_eq!(count(&db), 1);
    }
}
