//! `campaign forecast`: how a campaign may go on.

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use comfy_table::Cell;
use serde_json::{Value, json};

use super::callbacks::print;
use super::campaign::Which;
use super::remote::{Ask, Body, Target};
use super::table::{Rows, second};
use crate::http::forecast_told;

#[derive(Debug, Args)]
pub(super) struct Forecast {
    #[command(flatten)]
    which: Which,
    /// How many plays
    #[arg(long, value_name = "PLAYS", value_parser = clap::value_parser!(u32).range(20..=200))]
    plays: Option<u32>,
    /// The same seed gives the same forecast of the same work
    #[arg(long)]
    seed: Option<u64>,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

impl Forecast {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut body = json!({});
        if let Some(plays) = self.plays {
            body["plays"] = plays.into();
        }
        if let Some(seed) = self.seed {
            body["seed"] = seed.into();
        }
        let answer: Value =
            self.daemon.ask_json(&Ask::post(self.which.path("forecast"), Body::Json(body)))?;
        if self.json {
            return print::json(&answer, out);
        }
        let told: forecast_told::Forecast =
            serde_json::from_value(answer).context("the daemon's answer cannot be read by this version")?;
        print_told(&told, out)
    }
}

fn print_told(told: &forecast_told::Forecast, out: &mut dyn Write) -> anyhow::Result<()> {
    let forecast_told::Forecast { open, sample, plays, .. } = told;
    writeln!(out, "{open} open callbacks; {plays} plays of {sample} of them")?;
    writeln!(out)?;
    let mut table = Rows::new(&["", "half of the plays", "nine of ten"]);
    let moment = |of: &forecast_told::Moments| (second(of.p50), second(of.p90));
    let number = |of: &forecast_told::Numbers| (of.p50.to_string(), of.p90.to_string());
    let none = || ("no call".to_owned(), String::new());
    for (name, (p50, p90)) in [
        ("last call by", told.last_call_at.as_ref().map_or_else(none, moment)),
        ("finished by", moment(&told.finished_at)),
        ("calls", number(&told.calls)),
        ("requests", number(&told.requests)),
        ("reached", number(&told.reached)),
    ] {
        table.push([name, p50.as_str(), p90.as_str()].map(Cell::new));
    }
    table.write(out)?;
    writeln!(out)?;
    let mut days = Rows::new(&["day", "calls", "fewest", "most"]);
    for day in &told.days {
        let counts = [day.mean, day.min, day.max].map(|count| count.to_string());
        days.push(std::iter::once(Cell::new(day.date)).chain(counts.iter().map(Cell::new)));
    }
    days.write(out)?;
    writeln!(out)?;
    let binds: Vec<String> =
        told.binds.iter().map(|bind| format!("{} {} %", bind.what, bind.percent)).collect();
    writeln!(out, "waits for: {}", if binds.is_empty() { "nothing".to_owned() } else { binds.join(", ") })?;
    if let (Some(agents), Some(idle)) = (told.agents, told.agents_idle_percent) {
        writeln!(out, "agents: {agents}, who wait {idle} % of the time in which somebody could be called")?;
    }
    writeln!(out)?;
    let rates = &told.rates;
    let mut table = Rows::new(&["rate", "value", "from"]);
    for (name, rate) in [
        ("granted, of those who are asked, %", &rates.granted_percent),
        ("time to a grant, minutes", &rates.grant_minutes),
        ("answered, of the calls, %", &rates.answered_percent),
        ("an answered call, seconds", &rates.answered_s),
        ("another call, seconds", &rates.missed_s),
    ] {
        let from = match rate.sample {
            0 => rate.from.to_string(),
            cases => format!("{} cases of 28 days", cases),
        };
        table.push([name, &rate.value.to_string(), &from].map(Cell::new));
    }
    Ok(table.write(out)?)
}
