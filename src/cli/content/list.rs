//! `content list`: all content of the accounts.

use std::io::Write;

use clap::Args;
use serde_json::json;

use super::super::table::{Rows, name, plain};
use super::{Of, block_on, coloured, shown};
use crate::clock::SystemClock;
use crate::content::apply::list;
use crate::content::{Held, canonical};

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Print an array of objects
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    of: Of,
}

impl List {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.of.config()?;
        let accounts = self.of.accounts(&config)?;
        let all: Vec<(String, Held)> = block_on(async {
            let mut all = Vec::new();
            for (alias, catalogue) in &accounts {
                let held = list(&**catalogue, &SystemClock).await?;
                all.extend(held.into_iter().map(|held| (alias.to_string(), held)));
            }
            Ok(all)
        })?;
        if self.json {
            let all: Vec<_> = all.iter().map(|(account, held)| object(account, held)).collect();
            serde_json::to_writer_pretty(&mut *out, &all)?;
            return Ok(writeln!(out)?);
        }
        let mut rows = Rows::new(&["account", "sid", "name", "language", "type", "approval", "category"]);
        for (account, held) in &all {
            rows.push([
                plain(account),
                plain(&held.sid),
                name(shown(&config, account, &held.friendly_name)),
                plain(&held.language),
                plain(types(held).join(", ")),
                coloured(held.review.status.as_str()),
                plain(held.review.category.as_deref().unwrap_or("-")),
            ]);
        }
        Ok(rows.write(out)?)
    }
}

fn types(held: &Held) -> Vec<&str> {
    let types = held.types.as_object().into_iter().flatten();
    types.filter(|(_, kind)| !kind.is_null()).map(|(name, _)| name.as_str()).collect()
}

fn object(account: &str, held: &Held) -> serde_json::Value {
    json!({
        "account": account, "sid": held.sid, "name": held.friendly_name, "language": held.language,
        "types": types(held), "declared_name": canonical::name_in(&held.friendly_name),
        "approval": held.review.status.as_str(), "category": held.review.category,
        "reason": held.review.reason, "created_at": held.created_at,
    })
}
