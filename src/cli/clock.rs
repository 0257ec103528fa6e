//! `clock`: confirms the machine's clock after a jump.

use std::io::Write;

use clap::{Args, Subcommand};

use super::remote::{Ask, Body, Target};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Confirm that the machine's clock is right after it jumped
    ///
    /// After a jump of more than five minutes nothing is dialled or sent and nothing expires until two dates of the
    /// platform agree with the clock, or until this command. If the clock is wrong, correct it first.
    #[command(after_long_help = "Example:\n  ringmaster clock confirm")]
    Confirm(Confirm),
}

#[derive(Debug, Args)]
pub(super) struct Confirm {
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    let Command::Confirm(confirm) = command;
    let answer = confirm.daemon.command(Ask::post("v1/clock/confirm".to_owned(), Body::None))?;
    if confirm.json {
        return Ok(writeln!(out, "{answer:#}")?);
    }
    Ok(writeln!(out, "confirmed  {}", answer["confirmed"].as_str().unwrap_or_default())?)
}
