//! `webhooks`: shows the state of the webhook endpoint, and enables it again.

use std::io::Write;

use clap::{Args, Subcommand};
use jiff::{Timestamp, Unit};
use serde::Deserialize;
use serde_json::Value;

use super::remote::{Ask, Body, Target};
use super::table::{Rows, name, plain, standing};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show the state of the endpoint, and its waiting deliveries
    #[command(after_long_help = "Example:\n  ringmaster webhooks show")]
    Show(Options),
    /// Enable an endpoint that is disabled or paused
    ///
    /// Waiting deliveries are sent at once, in order. "ringmaster replay" delivers given-up ones again.
    #[command(after_long_help = "Example:\n  ringmaster webhooks enable")]
    Enable(Options),
}

#[derive(Debug, Args)]
pub(super) struct Options {
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
    disabled_at: Option<Timestamp>,
    disabled_because: Option<String>,
    resting_until: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    last_failure: Option<String>,
    last_taken_at: Option<Timestamp>,
    backlog: u64,
    oldest: Option<Timestamp>,
    given_up: u64,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    let (options, ask) = match command {
        Command::Show(options) => (options, Ask::get("v1/webhooks")),
        Command::Enable(options) => (options, Ask::post("v1/webhooks/enable", Body::None)),
    };
    let answer: Value = options.daemon.ask_json(&ask)?;
    if options.json {
        return Ok(writeln!(out, "{answer:#}")?);
    }
    print(&serde_json::from_value(answer)?, out)
}

fn print(view: &View, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&[]);
    rows.push([name("endpoint"), standing(&view.state)]);
    let at = |at: Option<Timestamp>| at.map(|at| at.round(Unit::Second).unwrap_or(at).to_string());
    for (what, value) in [
        ("disabled since", at(view.disabled_at)),
        ("because", view.disabled_because.clone()),
        ("paused until", at(view.resting_until)),
        ("failing since", at(view.failing_since)),
        ("last failure", view.last_failure.clone()),
        ("last taken", at(view.last_taken_at)),
        ("waiting", Some(view.backlog.to_string())),
        ("oldest", at(view.oldest)),
        ("given up", Some(view.given_up.to_string())),
    ] {
        if let Some(value) = value {
            rows.push([name(what), plain(value)]);
        }
    }
    Ok(rows.write(out)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_disabled_endpoint_is_shown_with_the_time_and_the_reason() {
        let view = json!({
            "state": "disabled", "disabled_at": "2026-11-23T12:00:00.4Z", "disabled_because": "it answered 410",
            "last_failure": "status 410", "backlog": 7, "oldest": "2026-11-23T11:00:00Z", "given_up": 1,
        });
        let mut out = Vec::new();
        print(&serde_json::from_value(view).unwrap(), &mut out).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        insta::assert_snapshot!(text, @r"
        endpoint        disabled
        disabled since  2026-11-23T12:00:00Z
        because         it answered 410
        last failure    status 410
        waiting         7
        oldest          2026-11-23T11:00:00Z
        given up        1
        ");
    }
}
