//! The store of a benchmark: a file, or the database that stands for it.

use std::path::Path;

use ringmaster::store::relational::{Access, Options, Reach, SqlStore};

use super::daemon::{Result, database};

/// Opens it as a daemon does.
pub fn open(path: &Path) -> Result<SqlStore> {
    match database(path)? {
        Some(url) => Ok(SqlStore::connect(Reach::new(&url, None, None)?, &Options::default())?),
        None => Ok(SqlStore::open(path, Access::Exclusive)?),
    }
}
