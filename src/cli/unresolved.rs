//! `attempts`, `messages`, `resolve`, `hold`: attempts and messages in progress, and what people do about unresolved ones.

use std::io::Write;

use clap::Args;
use clap::builder::PossibleValuesParser;
use jiff::{Timestamp, Unit};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::remote::{Ask, Body, Target};
use super::table::{Rows, name, plain, standing};
use crate::domain::{AttemptId, MessageId};

const OUTCOMES: [&str; 9] =
    ["not_placed", "completed", "abandoned", "no_answer", "busy", "canceled", "failed", "sent", "not_sent"];

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only unresolved attempts or messages
    #[arg(long)]
    unknown: bool,
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
pub(super) struct Resolve {
    /// The attempt (at_ and 32 digits) or the message (ms_ and 32 digits)
    #[arg(value_name = "ID", value_parser = subject)]
    id: Subject,
    /// The resolution: "sent" or "not_sent" for a message, one of the others for an attempt
    #[arg(value_name = "OUTCOME", value_parser = PossibleValuesParser::new(OUTCOMES))]
    outcome: String,
    /// The platform's identifier of the call or message, if you found it
    #[arg(long)]
    sid: Option<String>,
    /// A note for the timeline
    #[arg(long)]
    note: Option<String>,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Args)]
pub(super) struct Hold {
    /// The attempt: at_ and 32 digits
    #[arg(value_name = "ATTEMPT")]
    attempt: AttemptId,
    /// Hold it no more
    #[arg(long)]
    release: bool,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

impl Hold {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let (verb, told) = if self.release { ("release", "not held") } else { ("hold", "held for a day") };
        let path = format!("v1/attempts/{}/{verb}", self.attempt);
        let answer = self.daemon.command(Ask::post(path, Body::Json(Map::new().into())))?;
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        Ok(writeln!(out, "{}  {told}", self.attempt)?)
    }
}

#[derive(Debug, Clone, Copy)]
enum Subject {
    Attempt(AttemptId),
    Message(MessageId),
}

fn subject(text: &str) -> Result<Subject, &'static str> {
    let attempt = text.parse().map(Subject::Attempt);
    let message = || text.parse().map(Subject::Message);
    attempt.or_else(|_| message()).map_err(|_| "expected at_ or ms_ and 32 hexadecimal digits")
}

#[derive(Deserialize)]
struct Page {
    #[serde(alias = "attempts", alias = "messages")]
    rows: Vec<Row>,
    total: usize,
}

/// The printed parts of an attempt or a message.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Row {
    id: String,
    /// A message may belong to no order.
    callback: Option<String>,
    invite: Option<String>,
    purpose: Option<String>,
    stage: String,
    state: Option<String>,
    sender: String,
    consumer: String,
    sid: Option<String>,
    submitted_at: Option<Timestamp>,
    created_at: Option<Timestamp>,
    is_unresolved: bool,
    awaits: Option<String>,
    lapses_at: Option<Timestamp>,
}

impl Row {
    /// The state of the attempt or message.
    fn standing(&self) -> &str {
        match (self.stage.as_str(), &self.state) {
            ("accepted", Some(state)) => state,
            (stage, _) => stage,
        }
    }

    /// What a message waits for, and until when.
    fn awaits(&self) -> String {
        let until = self.lapses_at.map(|at| format!(" until {}", to_the_second(at))).unwrap_or_default();
        format!("{}{until}", self.awaits.as_deref().unwrap_or("-"))
    }
}

impl List {
    pub(super) fn attempts(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.list("attempts", ("is_unresolved", "true"), out)
    }

    pub(super) fn messages(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.list("messages", ("stage", "unknown"), out)
    }

    fn list(&self, what: &str, unknown: (&'static str, &str), out: &mut dyn Write) -> anyhow::Result<()> {
        let mut ask = Ask::get(format!("v1/{what}"));
        ask.query.push(("limit", self.limit.to_string()));
        if self.unknown {
            ask.query.push((unknown.0, unknown.1.to_owned()));
        }
        let answer = self.daemon.ask_json(&ask)?;
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print(what, &serde_json::from_value(answer)?, out)
    }
}

fn print(what: &str, page: &Page, out: &mut dyn Write) -> anyhow::Result<()> {
    if page.rows.is_empty() {
        return Ok(writeln!(out, "no {what}")?);
    }
    let singular = what.trim_end_matches('s');
    // Only messages have this field.
    let awaits = page.rows.iter().any(|row| row.awaits.is_some());
    let mut head =
        vec![singular, "state", "since", "sender", "consumer", "order", "platform id", "unresolved"];
    if awaits {
        head.push("awaits");
    }
    let mut rows = Rows::new(&head);
    for row in &page.rows {
        let since = row.submitted_at.or(row.created_at).map(to_the_second);
        let purpose = row.purpose.as_ref().map(|purpose| format!(" ({})", purpose.replace('_', " ")));
        let mut cells = vec![
            name(format!("{}{}", row.id, purpose.unwrap_or_default())),
            standing(row.standing()),
            plain(since.as_deref().unwrap_or("-")),
            plain(&row.sender),
            plain(&row.consumer),
            plain(row.callback.as_deref().or(row.invite.as_deref()).unwrap_or("-")),
            plain(row.sid.as_deref().unwrap_or("-")),
            plain(if row.is_unresolved { "yes" } else { "-" }),
        ];
        if awaits {
            cells.push(plain(row.awaits()));
        }
        rows.push(cells);
    }
    rows.write(out)?;
    if page.total > page.rows.len() {
        writeln!(out, "more: {} of {} are shown; --limit shows up to 500", page.rows.len(), page.total)?;
    }
    Ok(())
}

fn to_the_second(at: Timestamp) -> String {
    at.round(Unit::Second).unwrap_or(at).to_string()
}

impl Resolve {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let path = match self.id {
            Subject::Attempt(id) => format!("v1/attempts/{id}/resolve"),
            Subject::Message(id) => format!("v1/messages/{id}/resolve"),
        };
        let given =
            [("outcome", Some(&self.outcome)), ("sid", self.sid.as_ref()), ("note", self.note.as_ref())];
        let body: Map<String, Value> = given
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.clone().into())))
            .collect();
        let answer = self.daemon.command(Ask::post(path, Body::Json(body.into())))?;
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        let word = |field: &str| answer[field].as_str().unwrap_or_default().to_owned();
        let order = answer["callback"].as_str().or(answer["invite"].as_str());
        let of = order.map(|order| format!("  of {order}")).unwrap_or_default();
        Ok(writeln!(out, "{}  {}{of}", word("id"), word("outcome"))?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{AttemptResolution, MessageResolution};

    #[test]
    fn the_command_accepts_every_outcome_of_the_api() {
        let words = AttemptResolution::ALL.map(AttemptResolution::as_str);
        let of_messages = MessageResolution::ALL.map(MessageResolution::as_str);
        assert_eq!(OUTCOMES.to_vec(), [&words[..], &of_messages[..]].concat());
    }

    #[test]
    fn a_list_of_messages_shows_what_each_awaits() {
        let page = json!({"total": 3, "messages": [
            {"id": "ms_1", "callback": "cb_1", "purpose": "permission_request", "stage": "accepted", "state": "read",
             "sid": "SM1", "is_unresolved": false, "created_at": "2026-11-23T12:00:00.4Z", "awaits": "reply",
             "lapses_at": "2026-11-30T12:00:00Z", "sender": "+551151991234", "consumer": "+5511987654321"},
            {"id": "ms_2", "callback": "cb_2", "purpose": "invite", "stage": "unknown", "state": "queued",
             "is_unresolved": true, "awaits": "confirmation"},
            {"id": "ms_3", "invite": "inv_3", "purpose": "invite", "stage": "accepted", "state": "sent",
             "sid": "wamid.A"},
        ]});
        let mut out = Vec::new();
        print("messages", &serde_json::from_value(page).unwrap(), &mut out).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        insta::assert_snapshot!(text, @r"
        message                    state    since                 sender         consumer        order  platform id  unresolved  awaits
        ms_1 (permission request)  read     2026-11-23T12:00:00Z  +551151991234  +5511987654321  cb_1   SM1          -           reply until 2026-11-30T12:00:00Z
        ms_2 (invite)              unknown  -                                                    cb_2   -            yes         confirmation
        ms_3 (invite)              sent     -                                                    inv_3  wamid.A      -           -
        ");
    }

    #[test]
    fn a_list_shows_unresolved_attempts() {
        let page = json!({"total": 3, "attempts": [
            {"id": "at_1", "callback": "cb_1", "stage": "unknown", "state": "queued", "is_unresolved": true,
             "submitted_at": "2026-11-23T12:00:00.4Z", "sender": "+551151991234", "consumer": "+5511987654321"},
            {"id": "at_2", "callback": "cb_2", "stage": "accepted", "state": "ringing", "sid": "CA1"},
        ]});
        let mut out = Vec::new();
        print("attempts", &serde_json::from_value(page).unwrap(), &mut out).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        insta::assert_snapshot!(text, @r"
        attempt  state    since                 sender         consumer        order  platform id  unresolved
        at_1     unknown  2026-11-23T12:00:00Z  +551151991234  +5511987654321  cb_1   -            yes
        at_2     ringing  -                                                    cb_2   CA1          -
        more: 2 of 3 are shown; --limit shows up to 500
        ");
    }
}
