//! `store`: a copy of the store's file, and a recount of what reports show.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::failure::{Hint as _, refusal};
use super::settings::ConfigFile;
use crate::config;
use crate::policy::errors::told_by_sip;
use crate::store::sqlite::{Recounted, Sqlite, backup};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Copy the store into a new file that only its owner can read
    ///
    /// Works while a daemon runs. The copy is of one moment, complete and compact. It has all data of the store: numbers,
    /// variables, metadata. A store that is restored from it knows nothing of what happened after it was made, so
    /// callbacks that were called since are called again.
    #[command(after_long_help = "Example:\n  ringmaster store backup /backup/ringmaster.db")]
    Backup(Backup),
    /// Count again what reports show, from the calls, messages and callbacks that are stored
    ///
    /// No daemon may run. What was counted before is replaced; corrections stay, because the rows do not tell when something
    /// was counted. Calls of erased people are counted without their country. Needed once after an update from a version
    /// without reports.
    #[command(after_long_help = "Example:\n  ringmaster store recount")]
    Recount(Recount),
}

#[derive(Debug, Args)]
pub(super) struct Recount {
    #[command(flatten)]
    config: ConfigFile,
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
    let Backup { file, config } = match command {
        Command::Backup(backup) => backup,
        Command::Recount(recount) => return recount.run(out),
    };
    let config = config.load()?;
    is_a_file(&config.store, "copy the database with pg_dump or pg_basebackup")?;
    let bytes = backup(&config.store.path, file).hint("nothing was copied; the store is as it was")?;
    Ok(writeln!(out, "copied {} into {} ({bytes} bytes)", config.store.path.display(), file.display())?)
}

/// Refuses a database.
fn is_a_file(config: &config::Store, instead: &str) -> anyhow::Result<()> {
    match config.url {
        None => Ok(()),
        Some(_) => refusal("the store is a PostgreSQL database", [instead]),
    }
}

impl Recount {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.config.load()?.store;
        is_a_file(&config, "the command counts in a SQLite file only")?;
        let path = config.path;
        anyhow::ensure!(path.is_file(), "there is no store at {}", path.display());
        let store = Sqlite::open_inline(&path).hint("nothing was counted; the store is as it was")?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        let Recounted { cells, changed } = runtime.block_on(store.recount_reports(told_by_sip))?;
        Ok(writeln!(out, "counted {cells} cells, of which {changed} had other numbers")?)
    }
}
