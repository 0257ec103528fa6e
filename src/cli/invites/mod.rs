//! `invite`: orders that only invite the consumer to call.
//!
//! Each command sends a request to a running daemon. With `--json` it prints the answer unchanged.

mod create;
mod list;
mod print;

use std::io::Write;

use clap::{Args, Subcommand};

use super::callbacks::print as printed;
use super::callbacks::{Changes, Named, views};
use super::remote::{Ask, Body, Target};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Order an invite, or many from a file
    ///
    /// The consumer is invited to call by the best way that is open, and no call is placed. When the command ends without
    /// an error, the daemon has stored the invite. After a lost answer, it can be repeated with the same
    /// --idempotency-key.
    #[command(after_long_help = "Examples:\n  ringmaster invite create --consumer +447700900101\n  \
                                 ringmaster invite create --consumer +447700900101 --latest +8h --var 1=Ana\n  \
                                 ringmaster invite create --file invites.ndjson --idempotency-key june")]
    Create(Box<create::Create>),
    /// List invites, newest first
    #[command(after_long_help = "Examples:\n  ringmaster invite list --status waiting\n  \
                                 ringmaster invite list --consumer +447700900101 --json")]
    List(list::List),
    /// Show an invite with its messages
    #[command(after_long_help = "Example:\n  \
                                 ringmaster invite show inv_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --timeline")]
    Show(Show),
    /// Explain why an invite is in its state, and what would change that
    #[command(after_long_help = "Example:\n  ringmaster invite explain inv_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Explain(One),
    /// Cancel an invite
    ///
    /// Nothing more is sent for it. A message that has left stays with the consumer.
    #[command(after_long_help = "Example:\n  ringmaster invite cancel inv_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    Cancel(One),
    /// Change the times or the priority of a waiting invite
    ///
    /// A message that has left stays as it is, and its button ends at its own time.
    #[command(after_long_help = "Example:\n  \
                                 ringmaster invite reschedule inv_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f --latest +2d")]
    Reschedule(Reschedule),
}

/// A command about one invite.
#[derive(Debug, Args)]
pub(super) struct One {
    /// The invite: inv_ and 32 digits, or your reference
    #[arg(value_name = "INVITE")]
    id: Named,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Args)]
pub(super) struct Reschedule {
    #[command(flatten)]
    changes: Changes,
    #[command(flatten)]
    one: One,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Also print the timeline, oldest first
    #[arg(long)]
    timeline: bool,
    #[command(flatten)]
    one: One,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Create(create) => create.run(out),
        Command::List(list) => list.run(out),
        Command::Show(show) => show.run(out),
        Command::Explain(one) => explain(one, out),
        Command::Cancel(one) => one.change("cancel", Body::None, out),
        Command::Reschedule(Reschedule { changes, one }) => one.change("reschedule", changes.body()?, out),
    }
}

impl Show {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let One { id, json, daemon } = &self.one;
        let mut record = daemon.ask_json(&Ask::get(format!("v1/invites/{id}")))?;
        let timeline = match self.timeline {
            true => Some(daemon.ask_json(&Ask::get(format!("v1/invites/{id}/timeline")))?),
            false => None,
        };
        if *json {
            if let (Some(record), Some(timeline)) = (record.as_object_mut(), timeline) {
                let entries = timeline.get("entries").cloned().unwrap_or_default();
                record.insert("timeline".to_owned(), entries);
            }
            return printed::json(&record, out);
        }
        let record: views::Callback = views::read(record)?;
        print::record(&record, out)?;
        let zone = record.time_zone();
        timeline.map_or(Ok(()), |timeline| printed::timeline(&views::read(timeline)?, zone.as_ref(), out))
    }
}

fn explain(one: &One, out: &mut dyn Write) -> anyhow::Result<()> {
    let answer = one.daemon.ask_json(&Ask::get(format!("v1/invites/{}/explain", one.id)))?;
    if one.json { printed::json(&answer, out) } else { printed::explanation(&views::read(answer)?, out) }
}

impl One {
    fn change(&self, verb: &str, body: Body, out: &mut dyn Write) -> anyhow::Result<()> {
        let answer = self.daemon.command(Ask::post(format!("v1/invites/{}/{verb}", self.id), body))?;
        if self.json { printed::json(&answer, out) } else { printed::line(&views::read(answer)?, out) }
    }
}
