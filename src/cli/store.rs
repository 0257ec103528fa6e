//! `store`: a copy of the store's file, a check of its invariants, and a recount of what reports show.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use super::failure::{Exit, Hint as _, refusal};
use super::settings::ConfigFile;
use super::table::{Rows, plain};
use crate::clock::{Clock as _, SystemClock};
use crate::config;
use crate::daemon::reach;
use crate::domain::lease::Node;
use crate::policy::errors::told_by_sip;
use crate::policy::lease;
use crate::store::Nodes as _;
use crate::store::relational::{
    CopiedTable, CopyProgress, Reach, Recounted, SqlStore, VERIFY_CHECKS, VerifyFault, backup, copy,
    copy_to_database, verify, verify_database,
};
use crate::text::visible::escaped;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Copy the store into a new file that only its owner can read
    ///
    /// Works while a daemon runs. The copy is of one moment, complete and compact. It has all data of the store: numbers,
    /// variables, metadata. It is marked as a copy. A daemon that opens it where something happened after it was made dials
    /// nothing until ringmaster lineage release; elsewhere it needs serve --adopt.
    #[command(after_long_help = "Example:\n  ringmaster store backup /backup/ringmaster.db")]
    Backup(Backup),
    /// Count again what reports show, from the calls, messages and callbacks that are stored
    ///
    /// No daemon may run. What was counted before is replaced; corrections stay, because the rows do not tell when something
    /// was counted. Calls of erased people are counted without their country. Needed once after an update from a version
    /// without reports.
    #[command(after_long_help = "Example:\n  ringmaster store recount")]
    Recount(Recount),
    /// Check the invariants of the whole store, and count its counters again
    ///
    /// Works while a daemon runs, and changes nothing. It reads everything. A line for each fault: the check, the id and what
    /// is wrong. The exit code is 1 if there is a fault.
    #[command(after_long_help = "Examples:\n  ringmaster store verify\n  ringmaster store verify --json")]
    Verify(Verify),
    /// Copy the store into a new one, with everything, and compare each table
    ///
    /// No daemon may use the source. One that was interrupted goes on where it stopped, if it is repeated. Afterwards the
    /// source dials nothing any more, unless a daemon is started on it with --adopt.
    #[command(
        after_long_help = "Examples:\n  ringmaster store copy --from ringmaster.db --to /data/ringmaster.db"
    )]
    Copy(Copy),
}

#[derive(Debug, Args)]
pub(super) struct Copy {
    /// The store to copy
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// The new store: a file, or the URL of a PostgreSQL database without a password; one with data is refused
    #[arg(long, value_name = "FILE")]
    to: String,
    /// A file with the password of the database and nothing else
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A PEM file with the certificates that the database's certificate is checked with
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Print an object with "tables"
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Print an object with "faults"
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigFile,
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
        Command::Verify(verify) => return verify.run(out),
        Command::Copy(copy) => return copy.run(out),
    };
    let config = config.load()?;
    is_a_file(&config.store, "copy the database with pg_dump or pg_basebackup")?;
    let bytes = backup(&config.store.path, file, SystemClock.now())
        .hint("nothing was copied; the store is as it was")?;
    Ok(writeln!(out, "copied {} into {} ({bytes} bytes)", config.store.path.display(), file.display())?)
}

impl Verify {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let (path, reach) = (&config.store.path, reach(&config.store)?);
        anyhow::ensure!(reach.is_some() || path.is_file(), "there is no store at {}", path.display());
        let shows = std::io::stderr().is_terminal();
        let mut done = 0;
        let mut begins = |check| {
            if shows {
                let _ = write!(std::io::stderr(), "\r\u{1b}[K{done} of {VERIFY_CHECKS} checks, now {check}");
            }
            done += 1;
        };
        let faults = match reach {
            Some(reach) => verify_database(reach, told_by_sip, &mut begins),
            None => verify(path, told_by_sip, &mut begins),
        };
        if shows {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
        let faults = faults.hint("nothing was changed; it can be repeated")?;
        if self.json {
            let rows: Vec<_> = faults
                .iter()
                .map(|VerifyFault { check, id, what, figures }| {
                    json!({"check": check, "id": id, "what": what, "figures": figures})
                })
                .collect();
            writeln!(out, "{:#}", json!({"checks": VERIFY_CHECKS, "faults": rows}))?;
        } else {
            for VerifyFault { check, id, what, figures } in &faults {
                let figures = figures.as_ref().map(|figures| format!(" ({figures})")).unwrap_or_default();
                writeln!(out, "{}", escaped(&format!("{check} {id}: {what}{figures}")))?;
            }
        }
        if faults.is_empty() {
            return match self.json {
                true => Ok(()),
                false => Ok(writeln!(out, "{VERIFY_CHECKS} checks, no fault")?),
            };
        }
        let count = faults.len();
        let word = if count == 1 { "fault" } else { "faults" };
        Err(Exit { what: format!("{count} {word} found"), code: 1 }.into())
    }
}

/// The longest password file, in bytes.
const PASSWORD_MAX: u64 = 4_096;

impl Copy {
    /// How to reach the target, if it is a database.
    fn reach(&self) -> anyhow::Result<Option<Reach>> {
        if !self.to.starts_with("postgres://") && !self.to.starts_with("postgresql://") {
            return Ok(None);
        }
        let password = self.password_file.as_deref().map(|path| {
            let mut text = String::new();
            let read = File::open(path).and_then(|file| file.take(PASSWORD_MAX).read_to_string(&mut text));
            read.with_context(|| format!("--password-file: {} cannot be read", path.display()))?;
            anyhow::Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        });
        let password = password.transpose()?;
        let reach = Reach::new(&self.to, password.as_deref(), self.ca.as_deref());
        Ok(Some(reach.map_err(|fault| anyhow::anyhow!("--to {fault}"))?))
    }

    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let shows = std::io::stderr().is_terminal();
        let mut tell = |at: CopyProgress<'_>| {
            if shows {
                let CopyProgress { table, tables_done, tables, rows_done, rows } = at;
                let _ = write!(
                    std::io::stderr(),
                    "\r\u{1b}[K{tables_done} of {tables} tables; {table}: {rows_done} of {rows} rows"
                );
            }
        };
        let copied = match self.reach()? {
            Some(reach) => copy_to_database(&self.from, reach, &mut tell),
            None => copy(&self.from, Path::new(&self.to), &mut tell),
        };
        if shows {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K");
        }
        let copied = copied.hint("repeat the command to go on")?;
        let hex = |sum: &[u8; 32]| sum.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        if self.json {
            let tables: Vec<_> = copied
                .iter()
                .map(|CopiedTable { name, rows, checksum }| {
                    json!({"name": name, "rows": rows, "sha256": hex(checksum)})
                })
                .collect();
            return Ok(writeln!(out, "{:#}", json!({"tables": tables}))?);
        }
        let mut table = Rows::new(&["TABLE", "ROWS", "SHA-256"]);
        for CopiedTable { name, rows, checksum } in &copied {
            table.push([plain(name), plain(rows), plain(&hex(checksum)[..16])]);
        }
        table.write(out)?;
        let (from, to) = (self.from.display(), escaped(&self.to));
        Ok(writeln!(out, "copied {from} into {to}; set store.path or store.url and start the daemon")?)
    }
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
        let (path, reach) = (&config.path, reach(&config)?);
        anyhow::ensure!(reach.is_some() || path.is_file(), "there is no store at {}", path.display());
        let store = match reach {
            Some(reach) => SqlStore::connect_inline(reach),
            None => SqlStore::open_inline(path),
        };
        let store = store.hint("nothing was counted; the store is as it was")?;
        let runtime = tokio::runtime::Builder::new_current_thread().build()?;
        if store.is_shared() {
            // A file has a lock for that.
            runtime.block_on(no_node_runs(&store))?;
        }
        let Recounted { cells, changed } = runtime.block_on(store.recount_reports(told_by_sip))?;
        Ok(writeln!(out, "counted {cells} cells, of which {changed} had other numbers")?)
    }
}

/// Refuses a database on which nodes run: they would wait for the recount.
async fn no_node_runs(store: &SqlStore) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let runs = |node: &Node| node.left_at.is_none() && now.duration_since(node.seen_at) < lease::GONE_AFTER;
    let nodes = store.nodes().await?;
    match nodes.iter().find(|node| runs(node)) {
        None => Ok(()),
        Some(node) => {
            let what = format!("the node {} runs on the database", escaped(&node.name));
            refusal(what, ["stop all nodes first; nothing was counted"])
        }
    }
}
