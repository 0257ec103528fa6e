//! The commands of a customer: `enqueue`, `list`, `show`, `explain`, `cancel`, `reschedule`, `wrap-up`, `replay`.
//!
//! Each command sends a request to a running daemon. With `--json` it prints the answer unchanged.

mod enqueue;
mod list;
mod many;
pub(super) mod print;
mod reschedule;
mod terms;
pub(super) mod views;
mod wrap_up;

use std::io::Write;

use clap::Args;

use super::failure::refusal;
use super::remote::{Ask, Body, Target};
use crate::domain::InviteId;

pub(super) use enqueue::Enqueue;
pub(super) use list::{List, OUTCOMES};
pub(super) use many::Many;
pub(super) use reschedule::Changes;
pub(super) use wrap_up::WrapUp;

/// A command about one callback.
#[derive(Debug, Args)]
pub(super) struct One {
    /// The callback: cb_ and 32 digits, or your reference
    #[arg(value_name = "CALLBACK")]
    pub(super) id: Named,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) daemon: Target,
}

/// A callback or an invite by its id or its reference. Displayed as a part of a URL's path.
#[derive(Debug, Clone)]
pub(super) struct Named(String);

impl Named {
    /// The name of its kind in paths. A reference is that of a callback.
    pub(super) fn noun(&self) -> &'static str {
        if self.0.starts_with(InviteId::PREFIX) { "invites" } else { "callbacks" }
    }

    /// The path of a callback; an invite has commands of its own.
    fn path(&self) -> anyhow::Result<String> {
        match self.noun() {
            "callbacks" => Ok(format!("v1/callbacks/{self}")),
            _ => refusal(
                "it is the id of an invite",
                ["\"ringmaster invite\" shows, explains, reschedules and cancels invites"],
            ),
        }
    }
}

impl std::str::FromStr for Named {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            return Err("expected an id or a reference");
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for &byte in self.0.as_bytes() {
            match byte {
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | b'~' => {
                    write!(f, "{}", char::from(byte))?
                }
                other => write!(f, "%{other:02X}")?,
            }
        }
        Ok(())
    }
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Also print the timeline, oldest first
    #[arg(long)]
    timeline: bool,
    #[command(flatten)]
    one: One,
}

#[derive(Debug, Args)]
pub(super) struct Reschedule {
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    one: One,
}

#[derive(Debug, Args)]
pub(super) struct AllowAttempt {
    /// The reason, for the timeline
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    one: One,
}

impl AllowAttempt {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.one.change("allow-attempt", Body::Json(serde_json::json!({ "reason": self.reason })), out)
    }
}

#[derive(Debug, Args)]
pub(super) struct NotToday {
    /// The reason, for the timeline
    #[arg(long)]
    reason: Option<String>,
    #[command(flatten)]
    one: One,
}

impl NotToday {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.one.change("not-today", Body::Json(serde_json::json!({ "reason": self.reason })), out)
    }
}

impl Show {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let One { id, json, daemon } = &self.one;
        let path = id.path()?;
        let mut record = daemon.ask_json(&Ask::get(path.clone()))?;
        let timeline = match self.timeline {
            true => Some(daemon.ask_json(&Ask::get(format!("{path}/timeline")))?),
            false => None,
        };
        if *json {
            if let (Some(record), Some(timeline)) = (record.as_object_mut(), timeline) {
                let entries = timeline.get("entries").cloned().unwrap_or_default();
                record.insert("timeline".to_owned(), entries);
            }
            return print::json(&record, out);
        }
        let record: views::Callback = views::read(record)?;
        print::record(&record, out)?;
        let zone = record.time_zone();
        timeline.map_or(Ok(()), |timeline| print::timeline(&views::read(timeline)?, zone.as_ref(), out))
    }
}

pub(super) fn explain(one: &One, out: &mut dyn Write) -> anyhow::Result<()> {
    let answer = one.daemon.ask_json(&Ask::get(format!("{}/explain", one.id.path()?)))?;
    if one.json { print::json(&answer, out) } else { print::explanation(&views::read(answer)?, out) }
}

pub(super) fn cancel(one: &One, out: &mut dyn Write) -> anyhow::Result<()> {
    one.change("cancel", Body::None, out)
}

pub(super) fn replay(one: &One, out: &mut dyn Write) -> anyhow::Result<()> {
    let ask = Ask::post(format!("v1/{}/{}/replay", one.id.noun(), one.id), Body::None);
    let answer = one.daemon.ask_json(&ask)?;
    if one.json { print::json(&answer, out) } else { print::replayed(&views::read(answer)?, out) }
}

impl One {
    fn change(&self, verb: &str, body: Body, out: &mut dyn Write) -> anyhow::Result<()> {
        let answer = self.daemon.command(Ask::post(format!("{}/{verb}", self.id.path()?), body))?;
        if self.json { print::json(&answer, out) } else { print::line(&views::read(answer)?, out) }
    }
}

impl Reschedule {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.one.change("reschedule", self.changes.body()?, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_says_what_it_names_and_a_reference_names_a_callback() {
        for (text, noun) in [("inv_7", "invites"), ("cb_7", "callbacks"), ("ticket-17", "callbacks")] {
            let named: Named = text.parse().unwrap();
            assert_eq!((named.noun(), named.path().is_ok()), (noun, noun == "callbacks"), "{text}");
        }
    }
}
