//! `senders`: the senders of a running daemon with their calls in progress and pauses.

use std::collections::BTreeMap;
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
    paused_parts: Vec<Part>,
    roads: Vec<Road>,
    /// Of its content for permission requests.
    request_pauses: Vec<pause::Row>,
}

/// What the platform restricts of it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Part {
    part: String,
    paused_until: Option<Timestamp>,
    why: Option<String>,
}

/// The account of one of its roads.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Road {
    account: String,
    paused_until: Option<Timestamp>,
    why: Option<String>,
    pause: Option<pause::Row>,
    content_pause: Option<pause::Row>,
}

/// The end and the cause of a pause; that of an operator goes first.
fn paused(
    until: Option<Timestamp>,
    why: Option<&String>,
    pause: Option<&pause::Row>,
) -> Option<(String, String)> {
    match (pause, until) {
        (Some(pause), _) => Some((pause.end(), pause.cause())),
        (None, Some(at)) => {
            let at = at.round(Unit::Second).unwrap_or(at).to_string();
            Some((at, why.map_or_else(|| "-".to_owned(), String::clone)))
        }
        (None, None) => why.map(|why| ("the platform ends it".to_owned(), why.clone())),
    }
}

impl Sender {
    /// Its paused content with the account that sends it: of permission requests, then of invites.
    fn paused_contents(&self) -> impl Iterator<Item = (&str, &pause::Row)> {
        let requests = self.request_pauses.iter();
        let requests = requests.map(|pause| (pause.account().unwrap_or(&self.account), pause));
        let roads = self.roads.iter();
        requests.chain(roads.filter_map(|road| Some((&*road.account, road.content_pause.as_ref()?))))
    }

    /// The accounts of its roads that are paused, each once, other than its own account.
    fn paused_roads(&self) -> BTreeMap<&str, (String, String)> {
        let others = self.roads.iter().filter(|road| road.account != self.account);
        let paused = others.filter_map(|road| {
            let paused = paused(road.paused_until, road.why.as_ref(), road.pause.as_ref())?;
            Some((road.account.as_str(), paused))
        });
        paused.collect()
    }

    /// The pause of the sender itself; without one, that of its own account as one of its roads.
    fn own_pause(&self) -> Option<(String, String)> {
        paused(self.paused_until, self.why.as_ref(), self.pause.as_ref()).or_else(|| {
            let road = self.roads.iter().find(|road| road.account == self.account)?;
            paused(road.paused_until, road.why.as_ref(), road.pause.as_ref())
        })
    }
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
    let mut rows = Rows::new(&["sender", "label", "account", "what", "calls", "paused until", "why"]);
    for sender in &view.senders {
        let (until, why) = sender.own_pause().unzip();
        rows.push([
            name(&sender.number),
            plain(sender.label.as_deref().unwrap_or("-")),
            plain(&sender.account),
            plain("everything"),
            plain(format!("{}/{}", sender.live_calls, sender.live_calls_max)),
            plain(until.as_deref().unwrap_or("-")),
            plain(why.as_deref().unwrap_or("-")),
        ]);
        for Part { part, paused_until, why } in &sender.paused_parts {
            let what = if part == "placed" { "calls" } else { "buttons" };
            let (until, why) = paused(*paused_until, why.as_ref(), None).unwrap_or_default();
            rows.push([
                name(&sender.number),
                plain("-"),
                plain(&sender.account),
                plain(what),
                plain("-"),
                plain(until),
                plain(why),
            ]);
        }
        for (account, pause) in sender.paused_contents() {
            rows.push([
                name(&sender.number),
                plain("-"),
                plain(account),
                plain(format!("content {}", pause.content())),
                plain("-"),
                plain(pause.end()),
                plain(pause.cause()),
            ]);
        }
        // What it cannot send at the moment, although it may call.
        for (account, (until, why)) in sender.paused_roads() {
            rows.push([
                name(&sender.number),
                plain("-"),
                plain(account),
                plain("invites"),
                plain("-"),
                plain(until),
                plain(why),
            ]);
        }
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
            {"number": "+4930123455", "account": "main", "live_calls_max": 1000, "request_pauses": [
             {"id": "ps_4", "scope": "content", "account": "main", "content": "HX26", "by": "platform",
              "why": "WhatsApp paused the template", "since": "2026-11-23T12:00:00Z", "until": "2026-11-23T18:00:00Z"}]},
            {"number": "+4930123456", "account": "main", "live_calls_max": 1000, "pause": {"id": "ps_1", "scope": "all",
             "by": "ops", "why": "a drill", "since": "2026-11-23T12:00:00Z"}},
            {"number": "+4930123457", "account": "main", "live_calls_max": 1000, "why": "calls are switched off",
             "roads": [{"road": "call_button", "account": "cloud", "why": "low quality"},
                       {"road": "deep_link", "account": "cloud", "why": "low quality"},
                       {"road": "messenger", "account": "page", "pause": {"id": "ps_2", "scope": "account",
                        "by": "ops", "why": "a drill", "since": "2026-11-23T12:00:00Z"}},
                       {"road": "template", "account": "main", "content_pause": {"id": "ps_3", "scope": "content",
                        "account": "main", "content": "HX1", "by": "platform", "why": "WhatsApp disabled the template",
                        "since": "2026-11-23T12:00:00Z", "until": "2026-11-24T12:00:00Z"}}]},
            {"number": "+4930123458", "account": "cloud", "live_calls_max": 1000,
             "paused_parts": [{"part": "placed", "why": "low pick-up"},
                              {"part": "buttons", "paused_until": "2026-11-23T12:02:00Z", "why": "blocks"}],
             "roads": [{"road": "call_button", "account": "cloud", "paused_until": "2026-11-23T12:01:00Z",
                        "why": "low quality"}]},
        ]});
        let mut out = Vec::new();
        print(&serde_json::from_value(view).unwrap(), &mut out).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        insta::assert_snapshot!(text, @r"
        sender         label    account  what          calls   paused until          why
        +551151991234  Support  main     everything    3/50    2026-11-23T12:01:00Z  the sender's call rate is used up
        +4930123455    -        main     everything    0/1000  -                     -
        +4930123455    -        main     content HX26  -       2026-11-23T18:00:00Z  WhatsApp paused the template (platform)
        +4930123456    -        main     everything    0/1000  it is lifted          a drill (ops)
        +4930123457    -        main     everything    0/1000  the platform ends it  calls are switched off
        +4930123457    -        main     content HX1   -       2026-11-24T12:00:00Z  WhatsApp disabled the template (platform)
        +4930123457    -        cloud    invites       -       the platform ends it  low quality
        +4930123457    -        page     invites       -       it is lifted          a drill (ops)
        +4930123458    -        cloud    everything    0/1000  2026-11-23T12:01:00Z  low quality
        +4930123458    -        cloud    calls         -       the platform ends it  low pick-up
        +4930123458    -        cloud    buttons       -       2026-11-23T12:02:00Z  blocks
        ");
    }
}
