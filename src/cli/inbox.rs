//! `inbox`: reports of the platform that could not be applied.

use std::io::Write;

use clap::{Args, Subcommand};
use jiff::{Timestamp, Unit};
use serde::Deserialize;

use super::remote::{Ask, Target};
use super::table::{Rows, name, plain};

#[derive(Debug, Args)]
pub(super) struct Inbox {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List reports of the last 30 days without a known person, newest first
    ///
    /// WhatsApp reports a user id instead of the number of a consumer with a username. Such a report is applied when the
    /// id arrives together with a number, or when the message that it answers is known.
    #[command(after_long_help = "Example:\n  ringmaster inbox unmatched")]
    Unmatched(Unmatched),
}

#[derive(Debug, Args)]
struct Unmatched {
    /// The maximum number to show
    #[arg(long, value_name = "COUNT", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Deserialize)]
struct Page {
    reports: Vec<Report>,
    total: u64,
}

#[derive(Deserialize)]
struct Report {
    received_at: Timestamp,
    sender: String,
    kind: String,
    user_id: Option<String>,
    replied_to: Option<String>,
}

impl Inbox {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let Command::Unmatched(list) = &self.command;
        let mut ask = Ask::get("v1/inbox/unmatched");
        ask.query.push(("limit", list.limit.to_string()));
        let answer = list.daemon.ask_json(&ask)?;
        if list.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print(&serde_json::from_value(answer)?, out)
    }
}

fn print(page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    if page.reports.is_empty() {
        return Ok(writeln!(out, "every report has a known person")?);
    }
    let mut rows = Rows::new(&["received", "what", "user id", "to", "answers"]);
    for report in &page.reports {
        let received = report.received_at.round(Unit::Second).unwrap_or(report.received_at).to_string();
        rows.push([
            plain(&received),
            name(&report.kind),
            plain(report.user_id.as_deref().unwrap_or("-")),
            plain(&report.sender),
            plain(report.replied_to.as_deref().unwrap_or("-")),
        ]);
    }
    rows.write(out)?;
    if page.total > page.reports.len() as u64 {
        writeln!(out, "more: {} of {} are shown; --limit shows up to 500", page.reports.len(), page.total)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn printed(page: serde_json::Value) -> String {
        let mut out = Vec::new();
        print(&serde_json::from_value(page).unwrap(), &mut out).unwrap();
        anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string()
    }

    #[test]
    fn a_list_shows_the_reports_and_their_number() {
        let text = printed(json!({"total": 3, "reports": [
            {"received_at": "2026-11-23T12:00:00.4Z", "sender": "+551151991234", "kind": "no",
             "user_id": "GB.***0274", "replied_to": "MM1"},
            {"received_at": "2026-11-23T11:00:00Z", "sender": "+551151991234", "kind": "message"},
        ]}));
        insta::assert_snapshot!(text, @r"
        received              what     user id     to             answers
        2026-11-23T12:00:00Z  no       GB.***0274  +551151991234  MM1
        2026-11-23T11:00:00Z  message  -           +551151991234  -
        more: 2 of 3 are shown; --limit shows up to 500
        ");
        assert_eq!(printed(json!({"total": 0, "reports": []})), "every report has a known person\n");
    }
}
