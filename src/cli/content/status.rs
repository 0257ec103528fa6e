//! `content status`: the approval of the declared content, and the wait for it.

use std::collections::BTreeMap;
use std::io::Write;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::failure::refusal;
use super::super::table::{Rows, name, plain};
use super::super::values::duration;
use super::{Accounts, Of, block_on, coloured, counted, plan};
use crate::clock::{Clock, SystemClock, later};
use crate::content::apply::list;
use crate::content::held::Status as Review;
use crate::content::plan::Why;
use crate::content::{self, Declaration, Folder, Item, Step};

#[derive(Debug, Args)]
pub(in crate::cli) struct Status {
    /// Names of declared content [default: all]
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Wait until WhatsApp has decided about everything
    #[arg(long)]
    wait: bool,
    /// How long to wait; WhatsApp may take 48 hours
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "48h")]
    timeout: SignedDuration,
    /// Print an array of objects
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    of: Of,
}

/// The time between two looks: the first one, and the longest one. Twilio has no webhook for approvals.
const LOOK: SignedDuration = SignedDuration::from_secs(5);
const LOOK_MAX: SignedDuration = SignedDuration::from_secs(60);

/// One declared content of an account.
struct Row {
    account: String,
    item: Item,
}

impl Status {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.of.config()?;
        let folder = self.of.folder(&config)?;
        let declarations = self.wanted(&folder)?;
        let accounts = self.of.accounts(&config)?;
        let rows = block_on(self.follow(&accounts, &declarations, out))?;
        if self.json {
            let all: Vec<_> = rows.iter().map(object).collect();
            serde_json::to_writer_pretty(&mut *out, &all)?;
            writeln!(out)?;
        } else {
            print(&rows, out)?;
        }
        let bad = rows.iter().filter(|row| !is_good(row)).count();
        let open = rows.iter().filter(|row| is_open(row)).count();
        if bad > 0 {
            let what = format!("{} cannot be used", counted(bad, "declarations"));
            return refusal(what, ["ringmaster content plan shows what apply would do about it"]);
        }
        if self.wait && open > 0 {
            let what = format!("WhatsApp has not decided about {} yet", counted(open, "declarations"));
            return refusal(what, ["repeat the command to wait on"]);
        }
        Ok(())
    }

    fn wanted(&self, folder: &Folder) -> anyhow::Result<Vec<Declaration>> {
        if let Some(stray) = self.names.iter().find(|name| folder.declaration(name).is_none()) {
            let known: Vec<&str> =
                folder.declarations.iter().map(|declaration| declaration.name.as_str()).collect();
            let hint = format!("declared are {}", known.join(", "));
            return refusal(format!("there is no declaration named {stray:?}"), [hint]);
        }
        let is_wanted =
            |declaration: &&Declaration| self.names.is_empty() || self.names.contains(&declaration.name);
        Ok(folder.declarations.iter().filter(is_wanted).cloned().collect())
    }

    /// Looks until nothing is open, if that is wanted, and tells each change.
    async fn follow(
        &self,
        accounts: &Accounts,
        declarations: &[Declaration],
        out: &mut dyn Write,
    ) -> anyhow::Result<Vec<Row>> {
        let clock = SystemClock;
        let until = later(clock.now(), self.timeout);
        let mut seen: BTreeMap<(String, String), String> = BTreeMap::new();
        let mut wait = LOOK;
        loop {
            let rows = look(accounts, declarations).await?;
            for row in &rows {
                let key = (row.account.clone(), row.item.name.clone());
                let before = seen.insert(key, status(row).to_owned());
                if let Some(before) = before.filter(|before| before != status(row) && !self.json) {
                    writeln!(out, "{}: {} is {}, was {before}", row.account, row.item.name, status(row))?;
                    out.flush()?;
                    wait = LOOK;
                }
            }
            let now = clock.now();
            if !self.wait || !rows.iter().any(is_open) || now >= until {
                return Ok(rows);
            }
            clock.sleep_until(next_look(now, wait, until)).await;
            wait = (wait * 2).min(LOOK_MAX);
        }
    }
}

fn next_look(now: Timestamp, wait: SignedDuration, until: Timestamp) -> Timestamp {
    later(now, wait).min(until)
}

async fn look(accounts: &Accounts, declarations: &[Declaration]) -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    for (alias, catalogue) in accounts {
        let held = list(&**catalogue, &SystemClock).await?;
        let plan =
            content::Plan::new(declarations, &held).only(|index| catalogue.takes(declarations[index].kind));
        rows.extend(plan.items.into_iter().map(|item| Row { account: alias.to_string(), item }));
    }
    Ok(rows)
}

fn is_open(row: &Row) -> bool {
    matches!(&row.item.step, Step::Keep { status, .. } if status.is_open())
}

fn is_good(row: &Row) -> bool {
    matches!(row.item.step, Step::Keep { .. })
}

fn status(row: &Row) -> &str {
    match &row.item.step {
        Step::Create => "missing",
        Step::Submit { .. } => "unsubmitted",
        Step::Keep { status, .. } => status.as_str(),
        Step::Blocked { why: Why::Rejected(_), .. } => "rejected",
        Step::Blocked { why: Why::Disabled, .. } => "disabled",
        Step::Blocked { why: Why::Altered, .. } => "altered",
    }
}

fn print(rows: &[Row], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = Rows::new(&["account", "content", "sid", "status", "note"]);
    for row in rows {
        table.push([
            plain(&row.account),
            name(&row.item.name),
            plain(row.item.sid().unwrap_or("-")),
            coloured(status(row)),
            plain(remark(&row.item)),
        ]);
    }
    Ok(table.write(out)?)
}

/// What the status alone does not say.
fn remark(item: &Item) -> String {
    match &item.step {
        Step::Keep { changed_category: Some(given), .. } => {
            format!("WhatsApp changed its category to {given}")
        }
        Step::Keep { status: Review::Unsubmitted, .. } => "sent inside the service window only".to_owned(),
        Step::Blocked { why, .. } => why.to_string(),
        _ => "-".to_owned(),
    }
}

fn object(row: &Row) -> serde_json::Value {
    json!({
        "account": row.account, "name": row.item.name, "version": row.item.version, "sid": row.item.sid(),
        "status": status(row), "note": plan::note(&row.item),
    })
}
