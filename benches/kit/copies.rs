//! Copies of a filled store, one for each round.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::daemon::{Result, ask, server_and_name};

/// Copies and syncs the store, so that write-back does not disturb the round.
pub fn copy(from: &Path, to: &Path) -> Result<PathBuf> {
    match (server_and_name(from), server_and_name(to)) {
        (Some((server, source)), Some((_, target))) => {
            ask(
                &server,
                &format!(
                    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{source}'"
                ),
            )?;
            ask(&server, &format!("CREATE DATABASE {target} TEMPLATE {source}"))?;
            ask(&server, "CHECKPOINT")?;
        }
        _ => {
            std::fs::copy(from, to)?;
            File::open(to)?.sync_all()?;
        }
    }
    Ok(to.to_owned())
}

/// Removes it.
pub fn remove(path: &Path) -> Result<()> {
    match server_and_name(path) {
        Some((server, name)) => ask(&server, &format!("DROP DATABASE {name} WITH (FORCE)")).map(drop),
        None => Ok(std::fs::remove_file(path)?),
    }
}
