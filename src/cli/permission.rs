//! `permission`: shows the ledger of a sender and a consumer, and changes their permission.

use std::io::Write;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::remote::{Ask, Body, Target};
use super::table::{Rows, plain, second};
use super::values::phone;
use crate::domain::Phone;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the permission, its counters and its timeline
    #[command(after_long_help = "Example:\n  \
        ringmaster permission show --sender +551151991234 --consumer +5511987654321")]
    Show(Pair),
    /// Record a permission that the consumer granted at WhatsApp
    ///
    /// For example a permanent one, which Twilio does not report as such. It does not replace the consumer's consent:
    /// WhatsApp refuses calls without a permission. While the person refuses contact, it is refused.
    #[command(after_long_help = "Example:\n  ringmaster permission grant --sender +551151991234 \
        --consumer +5511987654321 --kind permanent --reason seen-in-the-profile")]
    Grant(Grant),
    /// Record that the consumer does not want to be called
    #[command(after_long_help = "Example:\n  ringmaster permission revoke --sender +551151991234 \
        --consumer +5511987654321 --reason asked-by-mail")]
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(super) struct Pair {
    /// The sender, in E.164
    #[arg(long, value_name = "NUMBER", value_parser = phone)]
    sender: Phone,
    /// The consumer, in E.164
    #[arg(long, value_name = "NUMBER", value_parser = phone)]
    consumer: Phone,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Args)]
pub(super) struct Grant {
    /// Temporary (seven days) or permanent
    #[arg(long)]
    kind: Kind,
    /// The reason, for the timeline
    #[arg(long)]
    reason: String,
    /// The consumer allowed calls after a refusal, so end the refusals too
    #[arg(long)]
    ends_refusals: bool,
    #[command(flatten)]
    pair: Pair,
}

#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// The reason, for the timeline
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    pair: Pair,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    Temporary,
    Permanent,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Show(pair) => show(pair, out),
        Command::Grant(Grant { kind, reason, ends_refusals, pair }) => {
            let kind = match kind {
                Kind::Temporary => "temporary",
                Kind::Permanent => "permanent",
            };
            let mut body = json!({ "kind": kind, "reason": reason });
            if *ends_refusals {
                body["ends_refusals"] = true.into();
            }
            pair.tell("grant", body, out)
        }
        Command::Revoke(Revoke { reason, pair }) => pair.tell("revoke", json!({ "reason": reason }), out),
    }
}

#[derive(Deserialize)]
struct View {
    permission: String,
    until: Option<Timestamp>,
    requests_short: Counter,
    requests_long: Counter,
    connected_calls: Counter,
    misses: u32,
    misses_before_revocation: u32,
    service_window_until: Option<Timestamp>,
    paused_until: Option<Timestamp>,
    refusals: Vec<Refusal>,
    timeline: Vec<Line>,
}

/// A refusal that holds the person back.
#[derive(Deserialize)]
struct Refusal {
    kind: String,
    at: Timestamp,
    sender: Option<String>,
}

#[derive(Deserialize)]
struct Counter {
    used: u64,
    max: u32,
    window_s: i64,
    lifts_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Line {
    at: Timestamp,
    what: String,
    why: String,
}

fn show(pair: &Pair, out: &mut dyn Write) -> anyhow::Result<()> {
    let answer = pair.ask("show", json!({}))?;
    if pair.json {
        return Ok(writeln!(out, "{answer:#}")?);
    }
    let view: View = serde_json::from_value(answer)?;
    let until = |at: Option<Timestamp>| at.map_or_else(String::new, |at| format!(" until {}", second(at)));
    writeln!(out, "permission: {}{}", view.permission, until(view.until))?;
    for Refusal { kind, at, sender } in &view.refusals {
        let told_to = sender.as_ref().map_or_else(String::new, |sender| format!(" to {sender}"));
        writeln!(out, "refused: {}{told_to} at {}", kind, second(*at))?;
    }
    for (name, counter) in [
        ("requests", &view.requests_short),
        ("requests", &view.requests_long),
        ("connected calls", &view.connected_calls),
    ] {
        let lifts = counter.lifts_at.map_or_else(String::new, |at| format!("; the next at {}", second(at)));
        writeln!(out, "{name}: {} of {} in {} h{lifts}", counter.used, counter.max, counter.window_s / 3600)?;
    }
    writeln!(out, "misses in a row: {}; revoked at {}", view.misses, view.misses_before_revocation)?;
    if view.service_window_until.is_some() {
        writeln!(out, "service window: open{}", until(view.service_window_until))?;
    }
    if view.paused_until.is_some() {
        writeln!(out, "at rest{}", until(view.paused_until))?;
    }
    writeln!(out)?;
    let mut rows = Rows::new(&["at", "what", "why"]);
    for line in &view.timeline {
        rows.push([plain(second(line.at)), plain(&line.what), plain(&line.why)]);
    }
    Ok(rows.write(out)?)
}

impl Pair {
    fn ask(&self, verb: &str, mut body: Value) -> anyhow::Result<Value> {
        body["sender"] = self.sender.e164().into();
        body["consumer"] = self.consumer.e164().into();
        let ask = Ask::post(format!("v1/permissions/{verb}"), Body::Json(body));
        if verb == "show" { self.daemon.ask_json(&ask) } else { self.daemon.command(ask) }
    }

    fn tell(&self, verb: &str, body: Value, out: &mut dyn Write) -> anyhow::Result<()> {
        let answer = self.ask(verb, body)?;
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        Ok(writeln!(out, "{}", answer["word"].as_str().unwrap_or("taken"))?)
    }
}
