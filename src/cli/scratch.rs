//! A folder for the files of one run of a command, removed when the command ends.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use uuid::Uuid;

pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Creates a folder in the system's folder for temporary files.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(super) fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("ringmaster-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // If this fails, the system's cleaning of temporary directories removes it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
