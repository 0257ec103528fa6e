//! Opening a PostgreSQL database: what it must be, its schema, and the connections.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::reader::{Bounds, Readers};
use super::sql::postgres::{Fault, PATIENCE, Reach, Session, UNHURRIED};
use super::sql::{self, Connection};
use super::token_reads::TokenReads;
use super::writer::Writer;
use super::{Engine, Options, SqlStore, copy, held, origin};
use crate::domain::ServerSettings;
use crate::store::{Error, Result};

mod migrations {
    refinery::embed_migrations!("src/store/relational/postgres");
}

/// PostgreSQL's oldest version that the store is tested with, as the server tells it.
const SERVER_MIN: i64 = 150_000;
/// Held while the schema is changed.
const MIGRATING: &str = "SELECT pg_advisory_xact_lock(1380011592, hashtext(current_schema()))";
/// The row by which a database of ours is known: the version of its schema, and the least version of a program that may
/// use it.
const MARK: &str = "CREATE TABLE ringmaster (one BIGINT PRIMARY KEY CHECK (one = 1), schema BIGINT NOT NULL, \
     least BIGINT NOT NULL)";
const TABLES: &str = "SELECT count(*), count(*) FILTER (WHERE tablename = 'ringmaster') FROM pg_tables \
     WHERE schemaname = current_schema()";

/// What was found and done with the schema of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Migrated {
    /// `None` for an empty database.
    pub from: Option<i64>,
    pub to: i64,
}

impl SqlStore {
    /// Opens a PostgreSQL database, and migrates its schema.
    ///
    /// # Errors
    /// [`Error::Unusable`] with the name of the database and what helps.
    pub fn connect(reach: Reach, options: &Options) -> Result<Self> {
        apart(|| open(&Arc::new(reach), options))
    }
}

impl SqlStore {
    /// Opens a database without threads of the store: every operation runs while its caller waits.
    ///
    /// # Errors
    /// As [`SqlStore::connect`].
    pub fn connect_inline(reach: Reach) -> Result<Self> {
        apart(|| {
            let db = Connection::from(prepare(&Arc::new(reach))?.0);
            Ok(Self::new(Engine::Inline(Mutex::new(db), None), None, Arc::default()))
        })
    }
}

/// Runs work on a connection that has no thread.
pub fn inline<T: Send>(
    db: &Mutex<Connection>,
    work: impl FnOnce(&Connection) -> Result<T> + Send,
) -> Result<T> {
    let is_database = held(db).postgres().is_some();
    let work = || work(&held(db));
    if is_database { apart(work) } else { work() }
}

/// Brings the schema of a database to the version of this program.
///
/// # Errors
/// As [`SqlStore::connect`].
pub fn migrate(reach: Reach) -> Result<Migrated> {
    apart(|| prepare(&Arc::new(reach)).map(|(_, migrated)| migrated))
}

/// Creates a schema in a database, for a store that is of use for a while.
///
/// # Errors
/// As [`SqlStore::connect`].
pub fn create_schema(reach: Reach, name: &str) -> Result<()> {
    run(reach, format!("CREATE SCHEMA \"{name}\""))
}

/// Drops a schema with all that is in it.
///
/// # Errors
/// As [`SqlStore::connect`].
pub fn drop_schema(reach: Reach, name: &str) -> Result<()> {
    run(reach, format!("DROP SCHEMA \"{name}\" CASCADE"))
}

fn run(reach: Reach, sql: String) -> Result<()> {
    apart(|| {
        let reach = Arc::new(reach);
        let done = Session::open(Arc::clone(&reach)).and_then(|session| session.execute_batch(&sql));
        done.map_err(|fault| explain(&reach, fault))
    })
}

/// What the server of a database says of its durability. Changes nothing.
///
/// # Errors
/// As [`SqlStore::connect`].
pub fn server_settings(reach: Reach) -> Result<ServerSettings> {
    apart(|| {
        let reach = Arc::new(reach);
        let session = Session::open(Arc::clone(&reach)).map_err(|fault| explain(&reach, fault))?;
        origin::settings(&Connection::from(session))
    })
}

/// The connection for a copy into a database or a check of one, with the name of the database. Its statements may take as
/// long as they need.
///
/// # Errors
/// As [`SqlStore::connect`].
pub fn open_alone(reach: Reach) -> Result<(Connection, String)> {
    let reach = Arc::new(reach);
    let (session, _) = prepare(&reach)?;
    session.set_patience(UNHURRIED);
    Ok((Connection::from(session), format!("the database {}", reach.name())))
}

/// A connection waits for its answers, which a thread that runs tasks must not do.
pub fn apart<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        scope
            .spawn(work)
            .join()
            .unwrap_or_else(|_| Err(Error::Unavailable("the store could not be opened".into())))
    })
}

fn open(reach: &Arc<Reach>, options: &Options) -> Result<SqlStore> {
    let (session, _) = prepare(reach)?;
    let db = Connection::from(session);
    copy::refuse_unfinished(&db, &format!("the database {}", reach.name()))?;
    // Several daemons write: which of them leads, its lease tells, and a start ends no other daemon's term.
    let term = None;
    let connections = |count: usize| {
        let one = |_| Session::open(Arc::clone(reach)).map(Connection::from);
        (0..count.max(1)).map(one).collect::<std::result::Result<Vec<_>, _>>()
    };
    let connections = |count| connections(count).map_err(|fault| explain(reach, fault));
    let no_thread = |error| Error::Unavailable(Box::new(error));
    let bounds = |timeout, queue_max| Bounds { queue_max, timeout: Some(timeout) };
    let of_requests = bounds(options.request_timeout, Some(options.request_queue_max));
    let key = Arc::default();
    let engine = Engine::Threads {
        readers: Readers::start(connections(options.readers)?, bounds(READ_MOST, None)).map_err(no_thread)?,
        request_readers: Readers::start(connections(options.request_readers)?, of_requests)
            .map_err(no_thread)?,
        token_reads: TokenReads::default(),
        writer: Writer::start(db, term, options.group_max, options.on_commit.clone(), Arc::clone(&key))
            .map_err(no_thread)?,
        term,
    };
    Ok(SqlStore::new(engine, None, key))
}

/// The longest read of the scheduler or of a live call, which another server's fault could make endless.
const READ_MOST: Duration = Duration::from_secs(15);

/// A connection to a database of ours with the schema of this program.
fn prepare(reach: &Arc<Reach>) -> Result<(Session, Migrated)> {
    let session = Session::open(Arc::clone(reach)).map_err(|fault| explain(reach, fault))?;
    let db = Connection::from(session);
    let migrated = suits(&db, reach).and_then(|()| schema(&db, reach));
    let migrated = migrated.map_err(|error| match error {
        Told::Already(error) => error,
        Told::Sql(sql::Error::Postgres(fault) | sql::Error::OutcomeUnknown(fault)) => explain(reach, fault),
        Told::Sql(error) => error.into(),
    })?;
    probe(reach)?;
    match db {
        Connection::Postgres(session) => Ok((*session, migrated)),
        Connection::Sqlite(_) => Err(unusable(reach, "is not a PostgreSQL database")),
    }
}

/// An error with its sentence, or one that needs one.
enum Told {
    Already(Error),
    Sql(sql::Error),
}

impl From<sql::Error> for Told {
    fn from(error: sql::Error) -> Self {
        Self::Sql(error)
    }
}

/// Whether the server can hold a store.
fn suits(db: &Connection, reach: &Reach) -> std::result::Result<(), Told> {
    let asked = "SELECT current_setting('server_version_num')::BIGINT, pg_is_in_recovery(), current_schema(), \
         current_setting('server_encoding')";
    let (version, is_standby, schema, encoding): (i64, bool, Option<String>, String) =
        db.query_row(asked, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
    let refuse = |why: &str| Err(Told::Already(unusable(reach, why)));
    if version < SERVER_MIN {
        return refuse("is older than PostgreSQL 15, the oldest version that is tested; update the server");
    }
    if is_standby {
        return refuse("is a read-only standby; give store.url the address of the primary");
    }
    if encoding != "UTF8" {
        return refuse(&format!("has the encoding {encoding}; create the database with ENCODING 'UTF8'"));
    }
    if schema.is_none() {
        return refuse(
            "has no schema to create tables in; create it, or correct search_path (see docs/POSTGRESQL.md)",
        );
    }
    Ok(())
}

/// Creates the schema, or brings it to this program's version.
fn schema(db: &Connection, reach: &Reach) -> std::result::Result<Migrated, Told> {
    if let Some((theirs, least)) = stored(db, reach)?
        && theirs >= known()
    {
        return check(reach, theirs, least);
    }
    // A change of a large table takes its time, and so does another process that migrates now.
    db.set_patience(UNHURRIED);
    db.execute_batch("BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0")?;
    let migrated = db.execute_batch(MIGRATING).map_err(Told::from).and_then(|()| {
        // Another process may have done it meanwhile.
        match stored(db, reach)? {
            Some((theirs, least)) if theirs >= known() => check(reach, theirs, least),
            found => {
                let from = found.map(|(theirs, _)| theirs);
                write(db, reach, from)?;
                Ok(Migrated { from, to: known() })
            }
        }
    });
    let migrated = match migrated {
        Ok(migrated) => db.execute_batch("COMMIT").map(|()| migrated).map_err(Told::from),
        Err(error) => {
            let _ = db.execute_batch("ROLLBACK");
            Err(error)
        }
    };
    db.set_patience(PATIENCE);
    migrated
}

fn write(db: &Connection, reach: &Reach, from: Option<i64>) -> std::result::Result<(), Told> {
    if from.is_some_and(|from| from < baseline()) {
        let why = format!(
            "has schema {}, which no release of Ringmaster has made; give it a new database",
            from.unwrap_or_default()
        );
        return Err(Told::Already(unusable(reach, &why)));
    }
    if from.is_none() {
        db.execute_batch(MARK)?;
        db.execute_batch("INSERT INTO ringmaster (one, schema, least) VALUES (1, 0, 0)")?;
    }
    for migration in migrations::migrations::runner().get_migrations() {
        let version = i64::from(migration.version());
        if from.is_some_and(|from| version <= from) {
            continue;
        }
        let sql = migration.sql().unwrap_or_default();
        db.execute_batch(sql)?;
        let least = least(sql).unwrap_or(version);
        db.execute_batch(&format!("UPDATE ringmaster SET schema = {version}, least = {least}"))?;
    }
    Ok(())
}

/// A migration that older programs can live with says which: `-- least: 85`.
fn least(sql: &str) -> Option<i64> {
    sql.lines().find_map(|line| line.strip_prefix("-- least: ")?.trim().parse().ok())
}

/// The version of the schema, and the least version of a program that may use it.
fn stored(db: &Connection, reach: &Reach) -> std::result::Result<Option<(i64, i64)>, Told> {
    let (tables, ours): (i64, i64) = db.query_row(TABLES, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if ours == 0 && tables > 0 {
        let why = "is the database of another program; give Ringmaster a database or a schema of its own";
        return Err(Told::Already(unusable(reach, why)));
    }
    if ours == 0 {
        return Ok(None);
    }
    let sql = "SELECT schema, least FROM ringmaster WHERE one = 1";
    Ok(Some(db.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?))
}

/// Whether this program may use the schema of a newer one.
fn check(reach: &Reach, theirs: i64, least: i64) -> std::result::Result<Migrated, Told> {
    let ours = known();
    if least > ours {
        let why = format!(
            "has schema {theirs}, which needs a program that knows schema {least}, and this one knows schemas up to \
             {ours}; use a newer ringmaster"
        );
        return Err(Told::Already(unusable(reach, &why)));
    }
    Ok(Migrated { from: Some(theirs), to: theirs })
}

/// The newest schema that this program knows.
pub fn known() -> i64 {
    let versions = migrations::migrations::runner();
    versions.get_migrations().iter().map(|migration| i64::from(migration.version())).max().unwrap_or(0)
}

/// The oldest schema that is brought up to date: that of the baseline, with which new databases begin.
fn baseline() -> i64 {
    let versions = migrations::migrations::runner();
    versions.get_migrations().iter().map(|migration| i64::from(migration.version())).min().unwrap_or(0)
}

/// Refuses a pooler that gives the next transaction another server connection and does not bring prepared statements
/// along (PgBouncer before 1.21 in transaction mode).
fn probe(reach: &Arc<Reach>) -> Result<()> {
    let to_error = |fault| explain(reach, fault);
    let one = Session::open(Arc::clone(reach)).map_err(to_error)?;
    let other = Session::open(Arc::clone(reach)).map_err(to_error)?;
    let tried = || {
        let sql = "SELECT 1";
        one.prepare(sql)?;
        // Takes the server connection on which it was prepared, if there is a pooler.
        other.execute_batch("BEGIN; SELECT 1")?;
        one.execute_batch("BEGIN")?;
        one.prepare(sql)?.query(&[0_i64; 0].as_slice())?;
        one.execute_batch("COMMIT")?;
        other.execute_batch("COMMIT")
    };
    match tried() {
        Ok(()) => Ok(()),
        Err(fault) if fault.code().is_some_and(|code| ["26000", "42P05"].contains(&code)) => Err(unusable(
            reach,
            "is behind a pooler that loses prepared statements; use PgBouncer 1.21 or newer with \
             max_prepared_statements, or pool_mode = session, or the server's own address",
        )),
        Err(fault) => Err(explain(reach, fault)),
    }
}

fn unusable(reach: &Reach, what: &str) -> Error {
    Error::Unusable(format!("the database {} {what}", reach.name()))
}

/// With what helps (PostgreSQL, *Appendix A: Error codes*).
fn explain(reach: &Reach, fault: Fault) -> Error {
    let why = match fault.code() {
        Some("28P01" | "28000") => format!(
            "refuses the user or the password: {fault}; check store.url, and the password in \
             RINGMASTER_STORE__PASSWORD or the file store.password_file, and pg_hba.conf"
        ),
        Some("3D000") => format!("does not exist: {fault}; create it (see docs/POSTGRESQL.md)"),
        Some("42501") => {
            format!("does not let the user do what is needed: {fault}; grant it (see docs/POSTGRESQL.md)")
        }
        Some("53300") => format!("has no free connection: {fault}; raise max_connections or close others"),
        Some("57P03") => format!("is not ready: {fault}; wait until the server has started"),
        None => format!(
            "cannot be reached: {fault}; check that the server runs, host, port and sslmode in store.url, store.ca, and \
             the password in RINGMASTER_STORE__PASSWORD or the file store.password_file"
        ),
        _ => return Error::Unavailable(Box::new(fault)),
    };
    unusable(reach, &why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_schema_is_that_of_sqlite() {
        assert_eq!(known(), super::super::file::known(), "run tools/postgres/baseline --write");
    }

    #[test]
    fn a_migration_says_which_programs_can_live_with_it() {
        assert_eq!(least("-- Words.\n-- least: 85\nALTER TABLE a;"), Some(85));
        assert_eq!(least("CREATE TABLE a (b BIGINT);"), None);
    }
}
