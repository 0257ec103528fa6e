//! Opening the file: the lock beside it, the settings of a connection, the schema.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Access, private, sql};
use crate::domain::{Scopes, Tenant};
use crate::store::{Error, Result};

mod migrations {
    refinery::embed_migrations!("src/store/relational/migrations");
}

/// Page caches, in KiB. Two readers and the writer together stay below 20 MB whatever the file holds.
const WRITER_CACHE_KIB: i64 = 8_000;
const READER_CACHE_KIB: i64 = 4_000;
/// 64 MiB of log between checkpoints: fewer checkpoints write a hot page less often.
const LOG_PAGES: i64 = 16_384;
const LOG_BYTES_KEPT: i64 = 64 << 20;
const STATEMENTS: usize = 96;
/// The migration that gave tokens a tenant and scopes.
const TENANTS_AND_SCOPES: i32 = 8;

/// The lock, if one was requested, and the connection that writes.
pub fn open(path: &Path, access: Access) -> Result<(Option<File>, sql::Connection)> {
    stat(path)?;
    private::make(path)?;
    // One lock for all names of a file that are links to it.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let lock = match access {
        Access::Exclusive => Some(lock(path)?.ok_or_else(|| {
            unusable(path, "is in use by another daemon; a file has one daemon, so stop the other one first")
        })?),
        Access::Beside => None,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let mut db = Connection::open_with_flags(path, flags).map_err(|error| explain(path, error))?;
    settle(&db).map_err(|error| explain(path, error))?;
    if db.is_readonly("main").map_err(|error| explain(path, error))? {
        return Err(unusable(path, "can be read but not written"));
    }
    let ours = known();
    match stored(&db, path)? {
        Some(theirs) if theirs > ours => {
            return Err(unusable(
                path,
                &format!(
                    "has schema {theirs}, and this program knows schemas up to {ours}; use a newer ringmaster"
                ),
            ));
        }
        Some(theirs) if theirs == ours => {}
        theirs => {
            // While a daemon is running, only the daemon migrates the schema.
            let _held = match &lock {
                Some(_) => None,
                None => Some(self::lock(path)?.ok_or_else(|| {
                    let theirs = theirs.unwrap_or(0);
                    unusable(
                        path,
                        &format!(
                            "has schema {theirs} and is in use by a daemon, and this program needs {ours}; restart the daemon with this program first"
                        ),
                    )
                })?),
            };
            migrate(&mut db, path)?;
        }
    }
    Ok((lock, db.into()))
}

pub fn open_reader(path: &Path) -> Result<sql::Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let open = || {
        let db = Connection::open_with_flags(path, flags)?;
        db.pragma_update(None, "busy_timeout", 5_000)?;
        db.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        db.pragma_update(None, "temp_store", "MEMORY")?;
        keep_statements(&db)?;
        Ok(db.into())
    };
    open().map_err(|error| explain(path, error))
}

/// A temporary database, in memory while it is small, otherwise in a temporary file. It has one open
/// transaction that is never committed.
pub fn open_memory() -> Result<sql::Connection> {
    let mut db = Connection::open("")?;
    settle(&db)?;
    db.pragma_update_and_check(None, "journal_mode", "MEMORY", |_| Ok(()))?;
    migrate(&mut db, Path::new(":memory:"))?;
    db.execute_batch("BEGIN")?;
    Ok(db.into())
}

fn settle(db: &Connection) -> rusqlite::Result<()> {
    db.pragma_update(None, "busy_timeout", 5_000)?;
    // This is the first statement that reads the file, so it fails if the file is not a database.
    db.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "foreign_keys", "ON")?;
    db.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    // What is deleted or replaced is overwritten, so that an erasure leaves nothing in free space.
    db.pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))?;
    db.pragma_update_and_check(None, "wal_autocheckpoint", LOG_PAGES, |_| Ok(()))?;
    db.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES_KEPT, |_| Ok(()))?;
    keep_statements(db)
}

/// Plans a statement once, not again for each bound value.
fn keep_statements(db: &Connection) -> rusqlite::Result<()> {
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

/// Checks with clearer errors than those of SQLite.
fn stat(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(unusable(path, "is a directory; give a file in it"));
    }
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    if parent.is_dir() {
        Ok(())
    } else {
        Err(unusable(path, &format!("cannot be created: there is no directory {}", parent.display())))
    }
}

/// `None` if another process has it. The operating system releases it when the process ends.
pub(super) fn lock(path: &Path) -> Result<Option<File>> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let beside = PathBuf::from(name);
    let cannot =
        |error: std::io::Error| unusable(path, &format!("cannot be locked: {}: {error}", beside.display()));
    let mut options = OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).mode(0o600).open(&beside).map_err(cannot)?;
    private::mend(&beside)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(cannot(error)),
    }
}

/// Refuses a store whose schema is not the one of this program.
///
/// # Errors
/// [`Error::Unusable`] with what to do.
pub(super) fn has_this_schema(db: &sql::Connection, path: &Path) -> Result<()> {
    let theirs = db.sqlite().map(|db| stored(db, path)).transpose()?.flatten().unwrap_or(0);
    let ours = known();
    if theirs == ours {
        return Ok(());
    }
    Err(unusable(
        path,
        &format!(
            "has schema {theirs}, and this program needs {ours}; start its daemon on it once, and stop it"
        ),
    ))
}

/// The newest schema that this program knows.
pub fn known() -> i64 {
    migrations::migrations::runner()
        .get_migrations()
        .iter()
        .map(|migration| i64::from(migration.version()))
        .max()
        .unwrap_or(0)
}

/// The schema of the file; `None` if it has none yet.
fn stored(db: &Connection, path: &Path) -> Result<Option<i64>> {
    let read = || {
        let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        let ours: i64 = db.query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name = 'refinery_schema_history'",
            [],
            |row| row.get(0),
        )?;
        let version: Option<i64> = if ours == 0 {
            None
        } else {
            db.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0))?
        };
        Ok((tables, ours, version))
    };
    match read().map_err(|error| explain(path, error))? {
        (1.., 0, _) => Err(unusable(path, "is the database of another program")),
        (_, _, version) => Ok(version),
    }
}

fn migrate(db: &mut Connection, path: &Path) -> Result<()> {
    match migrations::migrations::runner().run(db) {
        Ok(report) => {
            if report.applied_migrations().iter().any(|applied| applied.version() == TENANTS_AND_SCOPES) {
                tell_of_scopes(db).map_err(|error| explain(path, error))?;
            }
            Ok(())
        }
        Err(error) => {
            let mut text = error.to_string();
            let mut cause = std::error::Error::source(&error);
            while let Some(error) = cause {
                text = format!("{text}: {error}");
                cause = error.source();
            }
            Err(unusable(path, &format!("cannot be migrated to schema {}: {text}", known())))
        }
    }
}

/// Logged once, when a store with tokens gets scopes.
fn tell_of_scopes(db: &Connection) -> rusqlite::Result<()> {
    let tokens: u32 = db.query_row("SELECT count(*) FROM tokens", [], |row| row.get(0))?;
    if tokens > 0 {
        let scopes = Scopes::usual();
        tracing::info!(
            tokens,
            tenant = Tenant::DEFAULT,
            %scopes,
            "API tokens have a tenant and scopes now: existing ones, and all callbacks, belong to the default \
             tenant"
        );
    }
    Ok(())
}

fn explain(path: &Path, error: rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => unusable(path, "is not a SQLite database"),
        Some(ErrorCode::DatabaseCorrupt) => unusable(path, &format!("is damaged: {error}")),
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::ReadOnly) => {
            unusable(path, &format!("cannot be opened: {error}; it and its directory must be writable"))
        }
        Some(ErrorCode::DiskFull) => {
            Error::Unavailable(format!("the disk of {} is full: {error}", path.display()).into())
        }
        _ => Error::Unavailable(format!("{}: {error}", path.display()).into()),
    }
}

pub(super) fn unusable(path: &Path, what: &str) -> Error {
    Error::Unusable(format!("{} {what}", path.display()))
}
