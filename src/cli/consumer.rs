//! `consumer`: what is known of a person beside orders and consents.

use std::io::Write;

use clap::{Args, Subcommand};
use serde_json::json;

use super::remote::{Ask, Body, Target};
use super::values::phone;
use crate::domain::Phone;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Set the time zones of a person, in place of those of the number
    ///
    /// They count for orders that are accepted from now on, if the order names no zone. Of several, the hours of all have to
    /// be open. Orders that were accepted keep theirs. It needs a token of the default tenant.
    #[command(after_long_help = "Examples:\n  ringmaster consumer zone +5511987654321 America/Manaus\n  \
                           ringmaster consumer zone +5511987654321 --none")]
    Zone(Zone),
}

#[derive(Debug, Args)]
pub(super) struct Zone {
    /// The number, in E.164
    #[arg(value_name = "NUMBER", value_parser = phone)]
    number: Phone,
    /// Time zones by their IANA names, at most 10
    #[arg(value_name = "ZONE", num_args = 1..=10, required_unless_present = "none", conflicts_with = "none")]
    zones: Vec<String>,
    /// Remove what is known of the person's zones
    #[arg(long)]
    none: bool,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    let Command::Zone(zone) = command;
    let body = json!({"consumer": zone.number.e164(), "zones": zone.zones});
    let answer = zone.daemon.ask_json(&Ask::put("v1/consumers/zone", Body::Json(body)))?;
    if zone.json {
        return Ok(writeln!(out, "{answer:#}")?);
    }
    let known: Vec<&str> =
        answer["zones"].as_array().into_iter().flatten().filter_map(|name| name.as_str()).collect();
    match known.as_slice() {
        [] => writeln!(out, "no time zone is set")?,
        zones => writeln!(out, "time zones: {}", zones.join(", "))?,
    }
    Ok(())
}
