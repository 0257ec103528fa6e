//! `content`: declared content, from its check to its approval.

mod apply;
mod check;
mod list;
mod online;
mod plan;
mod prune;
mod status;

use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Args, Subcommand};

use super::failure::{Hint as _, refusal};
use super::settings::ConfigFile;
use super::table::standing;
use crate::config::Config;
use crate::content::{Catalogue, Folder, LoadError, canonical};
use crate::daemon::catalogues;
use crate::domain::AccountAlias;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check declarations and print all faults as file:line: key: message (rule; source)
    ///
    /// Asks nobody without --online: the rules are the published ones, each with its date and source (docs/CONTENT.md). The
    /// default is the configured directory. Exits with 1 if a declaration is refused. A warning is not an error.
    #[command(after_long_help = "Examples:\n  ringmaster content check content/\n  \
                                 ringmaster content check content/ --online\n  \
                                 ringmaster content check --rules")]
    Check(check::Check),
    /// Show what apply would do
    ///
    /// Lists the content of each account and changes nothing. A declaration and its content are matched by the name and a
    /// hash of what the declaration says. Exits with 1 if a declaration cannot be had as it is.
    #[command(after_long_help = "Example:\n  ringmaster content plan --config ringmaster.toml")]
    Plan(plan::Plan),
    /// Create the declared content, and submit it for approval where that is declared
    ///
    /// Applying twice does nothing. A run that was killed is continued by the next one. Content is never edited: a changed
    /// declaration becomes new content, and the old one stays until it is pruned. A name that WhatsApp rejected is not used
    /// again.
    #[command(after_long_help = "Example:\n  ringmaster content apply --config ringmaster.toml")]
    Apply(apply::Apply),
    /// List the content of the accounts with its approval
    #[command(after_long_help = "Example:\n  ringmaster content list --config ringmaster.toml --json")]
    List(list::List),
    /// Show the approval of the declared content, or wait for it
    ///
    /// Tells why content was rejected, and a category that WhatsApp changed. Exits with 1 if content is missing, rejected or
    /// disabled, or if the time is over.
    #[command(after_long_help = "Examples:\n  ringmaster content status --config ringmaster.toml\n  \
                                 ringmaster content status --config ringmaster.toml --wait --timeout 48h")]
    Status(status::Status),
    /// Delete content that nothing uses any more
    ///
    /// Only content with a name of Ringmaster's: not a declared version, and not what a sender of the configuration uses.
    /// The last version that can be sent stays while the declared one cannot. A running daemon uses what it found at its
    /// start, so restart it before. Without --yes, only prints what would be deleted.
    #[command(after_long_help = "Example:\n  ringmaster content prune --config ringmaster.toml --yes")]
    Prune(prune::Prune),
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Check(check) => check.run(out),
        Command::Plan(plan) => plan.run(out),
        Command::Apply(apply) => apply.run(out),
        Command::List(list) => list.run(out),
        Command::Status(status) => status.run(out),
        Command::Prune(prune) => prune.run(out),
    }
}

/// The accounts and the declarations of a command.
#[derive(Debug, Args)]
struct Of {
    /// One account, by its name in the configuration [default: all]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The directory with the declarations [default: the configured one]
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFile,
}

type Accounts = Vec<(AccountAlias, Arc<dyn Catalogue>)>;

impl Of {
    fn config(&self) -> anyhow::Result<Config> {
        self.config.load()
    }

    fn accounts(&self, config: &Config) -> anyhow::Result<Accounts> {
        let mut accounts: Accounts = catalogues(config)?.into_iter().collect();
        if let Some(wanted) = &self.account {
            accounts.retain(|(alias, _)| alias.to_string() == *wanted);
            if accounts.is_empty() {
                let known = config.accounts.keys().chain(config.meta.keys());
                let known: Vec<String> = known.map(ToString::to_string).collect();
                let hint = format!("the accounts are {}", known.join(", "));
                return refusal(format!("there is no account {wanted:?}"), [hint]);
            }
        }
        Ok(accounts)
    }

    fn folder(&self, config: &Config) -> anyhow::Result<Folder> {
        load(self.directory.as_deref().unwrap_or(&config.content.directory))
    }
}

/// The name of a version as the platform of the account shows it.
fn shown<'v>(config: &Config, account: &str, version: &'v str) -> Cow<'v, str> {
    if config.meta.contains_key(account) {
        canonical::name_at_whatsapp(version).into()
    } else {
        version.into()
    }
}

/// Loads a directory of declarations without a fault.
fn load(directory: &Path) -> anyhow::Result<Folder> {
    match Folder::load(directory) {
        Err(LoadError::Faults(faults)) => refusal(
            format!("{} in the declarations", counted(faults.errors(), "faults")),
            [format!("ringmaster content check {} prints them", directory.display())],
        ),
        loaded => loaded.hint("ringmaster content check explains the rules with --rules"),
    }
}

/// Runs a command's requests.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    runtime.block_on(work)
}

/// A status in its colour.
fn coloured(status: &str) -> comfy_table::Cell {
    match status {
        "approved" => standing(status).fg(comfy_table::Color::Green),
        "paused" | "missing" => standing(status).fg(comfy_table::Color::Yellow),
        _ => standing(status),
    }
}

/// `1 fault`, `2 faults`.
fn counted(count: usize, plural: &str) -> String {
    match count {
        1 => format!("1 {}", plural.strip_suffix('s').unwrap_or(plural)),
        _ => format!("{count} {plural}"),
    }
}
