//! `erase` and `erasure`: takes the data of a person out of the store.

use std::io::Write;

use clap::Args;
use serde_json::Value;

use super::remote::{Ask, Body, Target};
use super::suppression::Who;

#[derive(Debug, Args)]
pub(super) struct Erase {
    #[command(flatten)]
    who: Who,
    /// Why, for the record; it stays, so it must not name the person
    #[arg(long)]
    why: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The id, as `ringmaster erase` prints it
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
struct Flags {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

impl Erase {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut body = self.who.body();
        body["why"] = self.why.clone().into();
        let answer = self.flags.daemon.ask_json(&Ask::post("v1/consumers/erase", Body::Json(body)))?;
        self.flags.show(&answer, out)
    }
}

impl Show {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let ask = Ask::get(format!("v1/erasures/{}", self.id));
        self.flags.show(&self.flags.daemon.ask_json(&ask)?, out)
    }
}

impl Flags {
    fn show(&self, answer: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.json {
            return Ok(writeln!(out, "{answer:#}")?);
        }
        print(answer, out)
    }
}

fn print(answer: &Value, out: &mut dyn Write) -> anyhow::Result<()> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (id, state) = (text(&answer["id"]), text(&answer["state"]));
    writeln!(out, "{id}  {state}")?;
    let erased = &answer["erased"];
    writeln!(
        out,
        "erased: {} orders, {} attempts, {} messages, {} reports and commands",
        erased["orders"], erased["attempts"], erased["messages"], erased["reports"]
    )?;
    match answer["waits_for"].as_u64() {
        Some(0) | None => {}
        Some(busy) => writeln!(out, "waits for {busy} calls in progress or messages without an answer")?,
    }
    let held = &answer["held_elsewhere"];
    writeln!(
        out,
        "at Twilio: {} calls and messages; not erased at Meta: {}",
        held["total"], held["without_id"]
    )?;
    for item in held["items"].as_array().into_iter().flatten() {
        let [account, kind, sid, state] = ["account", "kind", "sid", "state"].map(|field| text(&item[field]));
        writeln!(out, "  {account}  {kind}  {sid}  {state}")?;
    }
    writeln!(out, "not erased: backups, logs, and what your own systems hold")?;
    if state != "done" {
        writeln!(out, "ringmaster erasure {id} tells how far it is")?;
    }
    Ok(())
}
