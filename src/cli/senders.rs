//! `senders`: the senders of a running daemon with their calls in progress and pauses.

use std::io::Write;

use clap::Args;
use jiff::{Timestamp, Unit};
use serde::Deserialize;

use super::pause;
use super::remote::{Ask, Target};
use super::table::{Rows, name, plain};

#[derive(Debug, Args)]
pub(super) struct Senders {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Deserialize)]
struct View {
    senders: Vec<Sender>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Sender {
    number: String,
    label: Option<String>,
    account: String,
    live_calls: u32,
    live_calls_max: u32,
    paused_until: Option<Timestamp>,
    why: Option<String>,
    /// An operator's.
    pause: Option<pause::Row>,
}

impl Senders {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let answer = self.daemon.ask_json(&Ask::get("v1/senders"))?;
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print(&serde_json::from_value(answer)?, out)
    }
}

fn print(view: &View, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&["sender", "label", "account", "calls", "paused until", "why"]);
    for sender in &view.senders {
        let rests_until = match (sender.paused_until, &sender.why) {
            (Some(at), _) => Some(at.round(Unit::Second).unwrap_or(at).to_string()),
            (None, Some(_)) => Some("the platform ends it".to_owned()),
            (None, None) => None,
        };
        let (until, why) = match &sender.pause {
            Some(pause) => (Some(pause.end()), Some(pause.cause())),
            None => (rests_until, sender.why.clone()),
        };
        rows.push([
            name(&sender.number),
            plain(sender.label.as_deref().unwrap_or("-")),
            plain(&sender.account),
            plain(format!("{}/{}", sender.live_calls, sender.live_calls_max)),
            plain(until.as_deref().unwrap_or("-")),
            plain(why.as_deref().unwrap_or("-")),
        ]);
    }
    Ok(rows.write(out)?)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_paused_sender_is_shown_with_the_end_and_the_reason() {
        let view = json!({"senders": [
            {"number": "+551151991234", "label": "Support", "account": "main", "live_calls": 3,
             "live_calls_max": 50, "paused_until": "2026-11-23T12:01:00.2Z", "why": "the sender's call rate is used up"},
            {"number": "+4930123456", "account": "main", "live_calls_max": 1000, "pause": {"id": "ps_1", "scope": "all",
             "by": "ops", "why": "a drill", "since": "2026-11-23T12:00:00Z"}},
            {"number": "+4930123457", "account": "main", "live_calls_max": 1000, "why": "calls are switched off"},
        ]});
        let mut out = Vec::new();
        print(&serde_json::from_value(view).unwrap(), &mut out).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        insta::assert_snapshot!(text, @r"
        sender         label    account  calls   paused until          why
        +551151991234  Support  main     3/50    2026-11-23T12:01:00Z  the sender's call rate is used up
        +4930123456    -        main     0/1000  it is lifted          a drill (ops)
        +4930123457    -        main     0/1000  the platform ends it  calls are switched off
        ");
    }
}
