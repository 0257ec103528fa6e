//! `set-aside`: lists, retries and drops the items at which the daemon failed.

use std::io::Write;

use clap::{Args, Subcommand};
use jiff::{Timestamp, Unit};
use serde::Deserialize;

use super::remote::{Ask, Body, Target};
use super::table::{Rows, name, plain, standing};
use crate::domain::SetAsideId;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// List set-aside items, oldest first
    ///
    /// While a report is set aside its consumer is neither asked nor called, because it may be a refusal. A callback
    /// that is set aside is not decided.
    #[command(after_long_help = "Example:\n  ringmaster set-aside list")]
    List(List),
    /// Process an item again
    ///
    /// Use it after an upgrade, or if the failure was temporary. If the daemon fails at the item again, it is set aside
    /// again, under another id.
    #[command(after_long_help = "Example:\n  ringmaster set-aside retry sa_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Retry(One),
    /// Drop an item permanently
    ///
    /// A report has no effect, a command is refused, a callback closes as failed. If the report may have been a refusal,
    /// record that first: "ringmaster permission revoke".
    #[command(after_long_help = "Example:\n  ringmaster set-aside drop sa_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Drop(One),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// The maximum number to show
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The set-aside item (sa_ and 32 digits)
    #[arg(value_name = "ITEM", value_parser = id)]
    id: SetAsideId,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

fn id(text: &str) -> Result<SetAsideId, &'static str> {
    text.parse().map_err(|_| "expected sa_ and 32 hexadecimal digits")
}

#[derive(Deserialize)]
struct Page {
    set_aside: Vec<Row>,
    total: usize,
}

#[derive(Deserialize)]
struct Row {
    id: String,
    item: String,
    kind: String,
    since: Timestamp,
    consumer: Option<String>,
    callback: Option<String>,
    place: Option<String>,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::List(list) => list.run(out),
        Command::Retry(one) => one.say("retry", out),
        Command::Drop(one) => one.say("drop", out),
    }
}

impl List {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut ask = Ask::get("v1/set-aside".to_owned());
        ask.query.push(("limit", self.limit.to_string()));
        let answer = self.daemon.ask_json(&ask)?;
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print(&serde_json::from_value(answer)?, out)
    }
}

impl One {
    fn say(&self, word: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        let path = format!("v1/set-aside/{}/{word}", self.id);
        let answer = self.daemon.command(Ask::post(path, Body::None))?;
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        Ok(writeln!(out, "{}  {word}", self.id)?)
    }
}

fn print(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    if page.set_aside.is_empty() {
        return Ok(writeln!(out, "nothing is set aside")?);
    }
    let mut rows = Rows::new(&["id", "what", "since", "consumer", "callback", "failed at"]);
    for row in &page.set_aside {
        let since = row.since.round(Unit::Second).unwrap_or(row.since).to_string();
        let what = match row.item == row.kind {
            true => row.item.clone(),
            false => format!("{} ({})", row.item, row.kind.replace('_', " ")),
        };
        let or_none = |text: &Option<String>| plain(text.as_deref().unwrap_or("-"));
        rows.push([
            name(row.id.clone()),
            standing(&what),
            plain(&since),
            or_none(&row.consumer),
            or_none(&row.callback),
            or_none(&row.place),
        ]);
    }
    rows.write(out)?;
    if page.total > page.set_aside.len() {
        let shown = page.set_aside.len();
        writeln!(out, "more: {shown} of {} are shown; --limit shows up to 500", page.total)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_shows_the_blocked_people_and_where_the_daemon_failed() {
        let page = json!({"total": 3, "set_aside": [
            {"id": "sa_1", "item": "report", "kind": "permission_reply", "since": "2026-11-23T12:00:00.4Z",
             "consumer": "+5511987654321", "place": "src/scheduler/fold.rs:30"},
            {"id": "sa_2", "item": "callback", "kind": "callback", "since": "2026-11-23T12:00:01Z", "callback": "cb_1"},
        ]});
        let mut out = Vec::new();
        print(&serde_json::from_value(page).unwrap(), &mut out).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        insta::assert_snapshot!(text, @r"
        id    what                       since                 consumer        callback  failed at
        sa_1  report (permission reply)  2026-11-23T12:00:00Z  +5511987654321  -         src/scheduler/fold.rs:30
        sa_2  callback                   2026-11-23T12:00:01Z  -               cb_1      -
        more: 2 of 3 are shown; --limit shows up to 500
        ");
    }
}
