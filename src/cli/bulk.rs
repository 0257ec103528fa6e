//! `bulk`: one change of many callbacks, with a preview, a confirmation, progress and a stop.

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::remote::{Ask, Body, Target};
use super::values::moment;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Prepare one change of all waiting callbacks that match, at most 10,000
    ///
    /// Nothing changes yet. The set is fixed now: what is ordered later does not come into it, and what changes until then is
    /// passed over.
    #[command(
        after_long_help = "Examples:\n  ringmaster bulk prepare cancel --campaign spring --why closed\n  \
                           ringmaster bulk prepare priority --reason window.outside_hours --level 8 --why storm"
    )]
    Prepare(Prepare),
    /// Begin it, with the number of callbacks that the preview told
    #[command(
        after_long_help = "Example:\n  ringmaster bulk confirm bk_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --count 120"
    )]
    Confirm(Confirm),
    /// Show how far one is
    #[command(after_long_help = "Example:\n  ringmaster bulk show bk_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Show(One),
    /// Stop one; what was ordered already is carried out
    #[command(after_long_help = "Example:\n  ringmaster bulk stop bk_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Stop(One),
    /// List the changes of many callbacks, newest first
    #[command(after_long_help = "Example:\n  ringmaster bulk list")]
    List(Flags),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Act {
    Cancel,
    Reschedule,
    Priority,
}

#[derive(Debug, Args)]
pub(super) struct Prepare {
    /// What to do with each
    act: Act,
    /// Only those that wait for this reason
    #[arg(long, value_name = "CODE")]
    reason: Option<String>,
    /// Only those of this campaign
    #[arg(long)]
    campaign: Option<String>,
    /// All that wait
    #[arg(long, conflicts_with_all = ["reason", "campaign"], required_unless_present_any = ["reason", "campaign"])]
    all: bool,
    /// The new earliest time, for reschedule
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    earliest: Option<Timestamp>,
    /// The new deadline, for reschedule
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    latest: Option<Timestamp>,
    /// The new priority, 0 to 9
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u8).range(..=9))]
    level: Option<u8>,
    /// Why, for the timelines
    #[arg(long)]
    why: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Confirm {
    /// The change
    #[arg(value_name = "BULK")]
    id: String,
    /// The number of callbacks in the preview
    #[arg(long, value_name = "COUNT")]
    count: u64,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct One {
    /// The change
    #[arg(value_name = "BULK")]
    id: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Flags {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

impl Command {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let (flags, ask) = match self {
            Self::Prepare(prepare) => (&prepare.flags, Ask::post("v1/bulk", Body::Json(prepare.body()))),
            Self::Confirm(confirm) => {
                let body = Body::Json(json!({ "count": confirm.count }));
                (&confirm.flags, Ask::post(format!("v1/bulk/{}/confirm", confirm.id), body))
            }
            Self::Show(one) => (&one.flags, Ask::get(format!("v1/bulk/{}", one.id))),
            Self::Stop(one) => {
                (&one.flags, Ask::post(format!("v1/bulk/{}/stop", one.id), Body::Json(json!({}))))
            }
            Self::List(flags) => (flags, Ask::get("v1/bulk")),
        };
        let answer = flags.daemon.ask_json(&ask)?;
        if flags.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        match answer.get("bulk").and_then(Value::as_array) {
            Some(all) => all.iter().try_for_each(|bulk| told(bulk, out)),
            None => told(&answer, out),
        }
    }
}

impl Prepare {
    fn body(&self) -> Value {
        let mut filter = Map::new();
        for (name, given) in [("reason", &self.reason), ("campaign", &self.campaign)] {
            if let Some(given) = given {
                filter.insert(name.to_owned(), given.clone().into());
            }
        }
        if self.all {
            filter.insert("all".to_owned(), true.into());
        }
        let act = match self.act {
            Act::Cancel => "cancel",
            Act::Reschedule => "reschedule",
            Act::Priority => "priority",
        };
        let mut body = json!({ "act": act, "filter": filter, "why": self.why });
        for (name, given) in [("earliest", self.earliest), ("latest", self.latest)] {
            if let Some(at) = given {
                body[name] = at.to_string().into();
            }
        }
        if let Some(level) = self.level {
            body["priority"] = level.into();
        }
        body
    }
}

/// One line: its id, its state, and how far it is.
fn told(bulk: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let text = |name: &str| bulk[name].as_str().unwrap_or_default().to_owned();
    let count = |name: &str| bulk[name].as_u64().unwrap_or_default();
    writeln!(
        out,
        "{}  {}  {}  {} of {} done, {} under way, {} not begun, {} passed over, {} refused",
        text("id"),
        text("state"),
        text("act"),
        count("applied"),
        count("total"),
        count("pending"),
        count("open"),
        count("changed"),
        count("refused"),
    )?;
    Ok(())
}
