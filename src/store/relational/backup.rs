//! A copy of the store for a backup, made while a daemon may run.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use jiff::Timestamp;
use rusqlite::OpenFlags;
use uuid::Uuid;

use super::file::{open_reader, unusable};
use super::lineage::mark_copy;
use super::sql::{self, Connection};
use crate::domain::StoreIdentity;
use crate::store::Result;

/// Copies the store into a new file that only its owner can read, and returns the size of the copy in bytes. The copy
/// is of one moment, is complete and compact, is marked as a copy made at `now`, and is on the disk when this returns.
///
/// Reads the whole store in one transaction: meanwhile the write-ahead log of a running daemon grows.
///
/// # Errors
/// [`Error::Unusable`](crate::store::Error::Unusable) if the target exists or cannot be written, or if the store cannot be opened. A copy that failed
/// is removed.
pub fn backup(store: &Path, target: &Path, now: Timestamp) -> Result<u64> {
    let cannot = |error: std::io::Error| unusable(target, &format!("cannot be written: {error}"));
    let db = open_reader(store)?;
    // SQLite writes into an empty file, which so has its mode from the beginning.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(target).map_err(cannot)?;
    let path = target.to_str().ok_or_else(|| unusable(target, "its name is not UTF-8"));
    let copied = path.and_then(|path| {
        db.execute("VACUUM INTO ?1", [path])
            .map_err(|error| unusable(target, &format!("the store cannot be copied into it: {error}")))?;
        mark(target, now)
            .map_err(|error| unusable(target, &format!("cannot be marked as a copy: {error}")))?;
        let file = File::open(target).map_err(cannot)?;
        file.sync_all().map_err(cannot)?;
        if let Some(folder) = target.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(cannot)?;
        }
        Ok(file.metadata().map_err(cannot)?.len())
    });
    if copied.is_err() {
        // It is of no use, and an error of the removal would hide the reason.
        _ = fs::remove_file(target);
    }
    copied
}

/// A copy says that it is one, so that whoever opens it learns that it may be old. A store of an older schema has no place
/// for that; its migration does not add it.
fn mark(copy: &Path, now: Timestamp) -> sql::Result<()> {
    let db = rusqlite::Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'lineage'";
    let db = Connection::from(db);
    if db.query_row(tables, [], |row| row.get::<_, i64>(0))? > 0 {
        mark_copy(&db, StoreIdentity::new(*Uuid::new_v4().as_bytes()), now)?;
    }
    Ok(())
}
