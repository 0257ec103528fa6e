//! `lineage`: a store that is not the one that was last written, and an operator's word that dialling may go on.

use std::io::Write;

use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::remote::{Ask, Body, Target};
use super::table::{Rows, plain};
use crate::text::visible::escaped;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show whether the store is the one that was last written, and what is missing in it if it is not
    #[command(after_long_help = "Example:\n  ringmaster lineage show")]
    Show(Show),
    /// Let dialling go on with a store that is not the one that was last written
    ///
    /// What the platforms have of the lost span counts by then. It is refused while a platform has not told, unless
    /// --despite-unlisted says otherwise: then calls may be placed a second time.
    #[command(after_long_help = "Example:\n  ringmaster lineage release --why restored-after-disk-failure")]
    Release(Release),
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Args)]
pub(super) struct Release {
    /// Why, for the record
    #[arg(long)]
    why: String,
    /// Although not every platform has told what it has of the lost span
    #[arg(long)]
    despite_unlisted: bool,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct View {
    state: String,
    lost: Option<Lost>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Lost {
    sentence: String,
    from: String,
    until: String,
    accounts: Vec<Account>,
    found: Vec<Found>,
    unknown: Vec<String>,
    released: Option<Released>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Account {
    name: String,
    state: String,
    calls: u64,
    messages: u64,
    inbound_messages: u64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Found {
    kind: String,
    account: String,
    sid: String,
    at: String,
    callback: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Released {
    at: String,
    by: String,
    why: String,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Show(show) => {
            let answer = show.daemon.ask_json(&Ask::get("v1/lineage".to_owned()))?;
            if show.json {
                return Ok(writeln!(out, "{answer:#}")?);
            }
            print(&serde_json::from_value(answer)?, out)
        }
        Command::Release(release) => {
            let body = json!({"why": release.why, "despite_unlisted": release.despite_unlisted});
            let ask = Ask::post("v1/lineage/release".to_owned(), Body::Json(body));
            let answer = release.daemon.command(ask)?;
            if release.json {
                return Ok(writeln!(out, "{answer:#}")?);
            }
            Ok(writeln!(out, "released  dialling goes on")?)
        }
    }
}

fn print(view: &View, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "state     {}", escaped(&view.state))?;
    let Some(lost) = &view.lost else { return Ok(()) };
    writeln!(out, "cause     {}", escaped(&lost.sentence))?;
    writeln!(out, "lost      {} to {}", escaped(&lost.from), escaped(&lost.until))?;
    if let Some(Released { at, by, why }) = &lost.released {
        writeln!(out, "released  {} by {}: {}", escaped(at), escaped(by), escaped(why))?;
    }
    let mut accounts = Rows::new(&["ACCOUNT", "STATE", "CALLS", "MESSAGES", "FROM CONSUMERS"]);
    for account in &lost.accounts {
        accounts.push([
            plain(&account.name),
            plain(&account.state),
            plain(account.calls),
            plain(account.messages),
            plain(account.inbound_messages),
        ]);
    }
    writeln!(out)?;
    accounts.write(out)?;
    if !lost.found.is_empty() {
        let mut found = Rows::new(&["AT", "KIND", "ACCOUNT", "SID", "CALLBACK"]);
        for row in &lost.found {
            found.push([
                plain(&row.at),
                plain(&row.kind),
                plain(&row.account),
                plain(&row.sid),
                plain(row.callback.as_deref().unwrap_or("-")),
            ]);
        }
        writeln!(out)?;
        found.write(out)?;
    }
    writeln!(out)?;
    lost.unknown.iter().try_for_each(|sentence| writeln!(out, "{}", escaped(sentence)))?;
    if view.state == "held" {
        writeln!(out, "To go on: ringmaster lineage release --why ...")?;
    }
    Ok(())
}
