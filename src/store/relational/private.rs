//! Restricts the files of the store to their owner: they have numbers of consumers, the key of our hook URLs and hashes
//! of tokens.

use std::fs::{OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use super::file::unusable;
use crate::store::Result;

const OWNER_ONLY: u32 = 0o600;
const OTHERS: u32 = 0o077;

/// Makes the file, if there is none, refuses one that has several names, and closes it to others, with the log and the index beside it. SQLite gives
/// those two the mode of the file when it makes them.
pub fn make(path: &Path) -> Result<()> {
    let made = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path);
    match made {
        Ok(_) => {}
        // Not opened, because closing it would release the locks of this process on it (POSIX).
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            refuse_links(path)?;
            mend(path)?;
        }
        // SQLite has a better error message.
        Err(_) => return Ok(()),
    }
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        mend(Path::new(&name))?;
    }
    Ok(())
}

/// SQLite names its log and index after the file, so a file with two names gets two logs, which destroys it (SQLite,
/// *How to corrupt an SQLite database file*, section 2.5).
fn refuse_links(path: &Path) -> Result<()> {
    match path.metadata() {
        Ok(metadata) if metadata.is_file() && metadata.nlink() > 1 => Err(unusable(
            path,
            &format!(
                "has {} names (hard links); two programs with different names would damage it; remove the other names",
                metadata.nlink()
            ),
        )),
        _ => Ok(()),
    }
}

/// Removes the access of others to a file, if it exists.
///
/// # Errors
/// [`Unusable`](crate::store::Error::Unusable) if that fails, because the file belongs to another user.
pub fn mend(path: &Path) -> Result<()> {
    let mode = match path.metadata() {
        Ok(metadata) => metadata.permissions().mode() & 0o7777,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable(path, &format!("cannot be examined: {error}"))),
    };
    if mode & OTHERS == 0 {
        return Ok(());
    }
    std::fs::set_permissions(path, Permissions::from_mode(mode & !OTHERS)).map_err(|error| {
        unusable(
            path,
            &format!(
                "can be read or written by others (mode {mode:04o}), and its mode cannot be changed: {error}; its owner \
                 must run \"chmod 600\" on it"
            ),
        )
    })?;
    tracing::warn!(
        path = %path.display(),
        "others had access to the file (mode {mode:04o}); its mode is 0600 now"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::relational::{Access, SqlStore};

    fn mode(path: &Path) -> u32 {
        path.metadata().unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn every_file_of_a_store_is_for_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ringmaster.db");
        let _store = SqlStore::open(&path, Access::Exclusive).unwrap();
        let mut names: Vec<_> =
            folder.path().read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        names.sort();
        assert_eq!(names.len(), 4, "{names:?}");
        for name in names {
            assert_eq!(mode(&name), 0o600, "{}", name.display());
        }
    }

    #[test]
    fn a_file_that_is_open_to_others_is_closed_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ringmaster.db");
        drop(SqlStore::open(&path, Access::Exclusive).unwrap());
        for laxer in [0o644, 0o640, 0o604, 0o620, 0o777] {
            std::fs::set_permissions(&path, Permissions::from_mode(laxer)).unwrap();
            drop(SqlStore::open(&path, Access::Beside).unwrap());
            assert_eq!(mode(&path), laxer & 0o700, "{laxer:o}");
        }
        for strict in [0o600, 0o700] {
            std::fs::set_permissions(&path, Permissions::from_mode(strict)).unwrap();
            mend(&path).unwrap();
            assert_eq!(mode(&path), strict);
        }
        mend(&folder.path().join("none")).unwrap();
    }

    #[test]
    fn a_link_to_a_store_in_use_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("ringmaster.db"), folder.path().join("link.db"));
        let _store = SqlStore::open(&path, Access::Exclusive).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let refused = SqlStore::open(&link, Access::Exclusive).err().unwrap().to_string();
        assert!(refused.contains("is in use by another daemon"), "{refused}");
    }
}
