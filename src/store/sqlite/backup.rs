//! A copy of the store for a backup, made while a daemon may run.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::file::{open_reader, unusable};
use crate::store::Result;

/// Copies the store into a new file that only its owner can read, and returns the size of the copy in bytes. The copy
/// is of one moment, is complete and compact, and is on the disk when this returns.
///
/// Reads the whole store in one transaction: meanwhile the write-ahead log of a running daemon grows.
///
/// # Errors
/// [`Error::Unusable`](crate::store::Error::Unusable) if the target exists or cannot be written, or if the store cannot be opened. A copy that failed
/// is removed.
pub fn backup(store: &Path, target: &Path) -> Result<u64> {
    let cannot = |error: std::io::Error| unusable(target, &format!("cannot be written: {error}"));
    let db = open_reader(store)?;
    // SQLite writes into an empty file, which so has its mode from the beginning.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(target).map_err(cannot)?;
    let path = target.to_str().ok_or_else(|| unusable(target, "its name is not UTF-8"));
    let copied = path.and_then(|path| {
        db.execute("VACUUM INTO ?1", [path])
            .map_err(|error| unusable(target, &format!("the store cannot be copied into it: {error}")))?;
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
