//! `store backup`: a copy of the store's file.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::failure::Hint as _;
use super::settings::ConfigFile;
use crate::store::sqlite::backup;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Copy the store into a new file that only its owner can read
    ///
    /// Works while a daemon runs. The copy is of one moment, complete and compact. It has all data of the store: numbers,
    /// variables, metadata. A store that is restored from it knows nothing of what happened after it was made, so
    /// callbacks that were called since are called again.
    #[command(after_long_help = "Example:\n  ringmaster store backup /backup/ringmaster.db")]
    Backup(Backup),
}

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to create; one that exists is refused
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    let Command::Backup(Backup { file, config }) = command;
    let config = config.load()?;
    let bytes = backup(&config.store.path, file).hint("nothing was copied; the store is as it was")?;
    Ok(writeln!(out, "copied {} into {} ({bytes} bytes)", config.store.path.display(), file.display())?)
}
