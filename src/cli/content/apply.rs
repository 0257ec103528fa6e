//! `content apply`: creates and submits, one line for each declaration as soon as it is done.

use std::io::Write;

use clap::Args;

use super::super::failure::{Hint as _, refusal};
use super::{Of, block_on, counted, plan, shown};
use crate::clock::SystemClock;
use crate::content::Item;
use crate::content::apply::{Done, apply};
use crate::text::visible::escaped;

#[derive(Debug, Args)]
pub(in crate::cli) struct Apply {
    #[command(flatten)]
    of: Of,
}

impl Apply {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.of.config()?;
        let folder = self.of.folder(&config)?;
        let accounts = self.of.accounts(&config)?;
        let (mut blocked, mut failed) = (0, 0);
        for (alias, catalogue) in &accounts {
            let mut written = Ok(());
            let work = apply(&**catalogue, &folder.declarations, &SystemClock, |item, done| {
                blocked += usize::from(matches!(done, Done::Blocked { .. }));
                failed += usize::from(matches!(done, Done::Failed { .. }));
                // Each line is out before the next request: a run that is killed has told what it did.
                let line = escaped(&line(item, done, &shown(&config, alias, &item.version)));
                if written.is_ok() {
                    written = writeln!(out, "{alias}: {line}").and_then(|()| out.flush());
                }
            });
            let ended = block_on(async { Ok(work.await) })?;
            written?;
            ended.hint("ringmaster content apply continues where this run ended")?;
        }
        if failed > 0 {
            return refusal(
                format!("{} could not be applied", counted(failed, "declarations")),
                ["ringmaster content apply continues where this run ended; nothing is created twice"],
            );
        }
        plan::blocked(blocked)
    }
}

fn line(item: &Item, done: &Done, version: &str) -> String {
    let name = &item.name;
    match done {
        Done::Unchanged { sid, status } => format!("{name} is unchanged: {sid}, {}", status.as_str()),
        Done::Created { sid } => format!("{name} is created: {sid} as {version}"),
        Done::Submitted { sid, is_new: true, status } => {
            format!("{name} is created and submitted: {sid} as {version}, {}", status.as_str())
        }
        Done::Submitted { sid, is_new: false, status } => {
            format!("{name} is submitted: {sid} as {version}, {}", status.as_str())
        }
        Done::Blocked { sid, why } => format!("{name} is blocked: {sid}: {why}"),
        Done::Failed { sid: Some(sid), why } => format!("{name} is there and not submitted: {sid}: {why}"),
        Done::Failed { sid: None, why } => format!("{name} is not created: {why}"),
    }
}
