//! `content plan`: what would change, for each account and declaration.

use std::io::Write;

use clap::Args;
use serde_json::json;

use super::super::failure::refusal;
use super::super::table::{Rows, name, plain};
use super::{Of, block_on, counted, shown};
use crate::clock::SystemClock;
use crate::content::apply::list;
use crate::content::{self, Folder, Item, Step};

#[derive(Debug, Args)]
pub(in crate::cli) struct Plan {
    /// Print an array of objects
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    of: Of,
}

impl Plan {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.of.config()?;
        let folder = self.of.folder(&config)?;
        let accounts = self.of.accounts(&config)?;
        let plans = block_on(async {
            let mut plans = Vec::new();
            for (alias, catalogue) in &accounts {
                let held = list(&**catalogue, &SystemClock).await?;
                let plan = content::Plan::new(&folder.declarations, &held)
                    .only(|index| catalogue.takes(folder.declarations[index].kind));
                plans.push((alias.to_string(), plan));
            }
            Ok(plans)
        })?;
        let items =
            plans.iter().flat_map(|(account, plan)| plan.items.iter().map(move |item| (account, item)));
        if self.json {
            let all: Vec<_> = items.map(|(account, item)| object(account, item, &folder)).collect();
            serde_json::to_writer_pretty(&mut *out, &all)?;
            writeln!(out)?;
        } else {
            let mut rows = Rows::new(&["account", "content", "version", "plan", "note"]);
            for (account, item) in items {
                rows.push([
                    plain(account),
                    name(&item.name),
                    plain(shown(&config, account, &item.version)),
                    plain(step(item, &folder)),
                    plain(note(item)),
                ]);
            }
            rows.write(out)?;
            if plans.iter().all(|(_, plan)| plan.is_done()) {
                writeln!(out, "nothing to do")?;
            }
        }
        let items = plans.iter().flat_map(|(_, plan)| &plan.items);
        blocked(items.filter(|item| matches!(item.step, Step::Blocked { .. })).count())
    }
}

/// The error of declarations that cannot be had.
pub(super) fn blocked(count: usize) -> anyhow::Result<()> {
    if count == 0 {
        return Ok(());
    }
    refusal(
        format!("{} cannot be had as declared", counted(count, "declarations")),
        ["change the text, or raise its revision to submit it under another name"],
    )
}

fn step(item: &Item, folder: &Folder) -> &'static str {
    let seeks = folder.declarations[item.index].seeks_approval();
    match &item.step {
        Step::Create if seeks => "create, submit",
        Step::Create => "create",
        Step::Submit { .. } => "submit",
        Step::Keep { .. } => "keep",
        Step::Blocked { .. } => "blocked",
    }
}

/// What is noteworthy about an item, in words.
pub(super) fn note(item: &Item) -> String {
    let mut notes = Vec::new();
    match &item.step {
        Step::Keep { status, changed_category, .. } => {
            notes.push(status.as_str().to_owned());
            notes.extend(
                changed_category.as_ref().map(|given| format!("WhatsApp changed its category to {given}")),
            );
        }
        Step::Blocked { why, .. } => notes.push(why.to_string()),
        Step::Create | Step::Submit { .. } => {}
    }
    if !item.others.is_empty() {
        notes.push(counted(item.others.len(), "other versions"));
    }
    if !item.twins.is_empty() {
        notes.push(format!("{} of the same version", counted(item.twins.len(), "twins")));
    }
    if notes.is_empty() { "-".to_owned() } else { notes.join("; ") }
}

fn object(account: &str, item: &Item, folder: &Folder) -> serde_json::Value {
    json!({
        "account": account, "name": item.name, "version": item.version, "sid": item.sid(),
        "plan": step(item, folder).split(", ").collect::<Vec<_>>(), "note": note(item),
        "other_versions": item.others, "twins": item.twins,
    })
}
