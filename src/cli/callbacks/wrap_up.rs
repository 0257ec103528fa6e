//! `wrap-up`: says what came of a call.

use std::io::Write;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{One, print};
use crate::cli::remote::{Ask, Body};
use crate::cli::values::moment;

#[derive(Debug, Args)]
pub(in crate::cli) struct WrapUp {
    /// What came of the call: a disposition of the configuration, such as done or call_again
    #[arg(long, value_name = "DISPOSITION")]
    disposition: String,
    /// Your own words; they are erased with the person
    #[arg(long)]
    note: Option<String>,
    /// Who says it
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// When to call again, for a disposition that does: with an offset, or from now, such as +2h
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    callback_at: Option<Timestamp>,
    #[command(flatten)]
    one: One,
}

impl WrapUp {
    pub(in crate::cli) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let given = [
            ("disposition", Some(self.disposition.clone())),
            ("note", self.note.clone()),
            ("agent", self.agent.clone()),
            ("callback_at", self.callback_at.map(|at| at.to_string())),
        ];
        let present = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
        let said: Map<String, Value> = present.collect();
        let One { id, json, daemon } = &self.one;
        let answer = daemon.command(Ask::post(format!("{}/wrap-up", id.path()?), Body::Json(said.into())))?;
        if *json {
            return print::json(&answer, out);
        }
        let wrap_up = &answer["wrap_up"];
        let text = |name: &str| wrap_up[name].as_str().unwrap_or_default().to_owned();
        writeln!(out, "{}  {}", answer["id"].as_str().unwrap_or_default(), text("disposition"))?;
        match wrap_up["follow_up"].as_str() {
            Some(next) => writeln!(out, "next: {next} at {}", text("callback_at"))?,
            None if wrap_up["list"].is_string() => writeln!(out, "suppressed: {}", text("list"))?,
            None => {}
        }
        Ok(())
    }
}
