//! `content prune`: deletes content of ours that nothing uses.

use std::io::Write;

use clap::Args;

use super::super::failure::{Hint as _, refusal};
use super::super::table::{Rows, name, plain};
use super::{Of, block_on, coloured, counted, shown};
use crate::clock::SystemClock;
use crate::config::Config;
use crate::content::apply::{delete, list};
use crate::content::role::Role;
use crate::content::unused::{Uses, unused};
use crate::content::{Catalogue, Held};
use crate::domain::AccountAlias;

#[derive(Debug, Args)]
pub(in crate::cli) struct Prune {
    /// Delete what is printed
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    of: Of,
}

impl Prune {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.of.config()?;
        let folder = self.of.folder(&config)?;
        let accounts = self.of.accounts(&config)?;
        let mut found = 0;
        for (alias, catalogue) in &accounts {
            let uses = uses(&config, alias);
            let held = block_on(async { Ok(list(&**catalogue, &SystemClock).await?) })?;
            let stale = unused(&held, &folder.declarations, &uses);
            found += stale.len();
            if self.yes {
                remove((&config, alias), &**catalogue, &stale, out)?;
            } else if !stale.is_empty() {
                print(&config, alias, &stale, out)?;
            }
        }
        match found {
            0 => Ok(writeln!(out, "nothing to delete")?),
            _ if self.yes => Ok(()),
            count => refusal(
                format!("nothing was deleted: {} may be", counted(count, "contents")),
                [
                    "repeat the command with --yes to delete them",
                    "restart the daemon before: it uses the content that it found at its start",
                ],
            ),
        }
    }
}

/// What the senders of an account use.
fn uses(config: &Config, alias: &AccountAlias) -> Uses {
    let Some(account) = config.accounts.get(alias) else { return Uses::default() };
    let sids = account.senders.values().flat_map(|sender| {
        [&sender.permission_request, &sender.permission_template, &sender.invite].into_iter().flatten()
    });
    let names: Vec<(Role, String)> =
        account.named_content.iter().map(|((_, role), name)| (*role, name.clone())).collect();
    Uses {
        sids: sids.map(|content| content.as_str().to_owned()).collect(),
        names: names.into_iter().collect(),
    }
}

fn print(config: &Config, alias: &AccountAlias, stale: &[&Held], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut rows = Rows::new(&["account", "sid", "name", "approval"]);
    for held in stale {
        rows.push([
            plain(alias),
            plain(&held.sid),
            name(shown(config, alias, &held.friendly_name)),
            coloured(held.review.status.as_str()),
        ]);
    }
    Ok(rows.write(out)?)
}

fn remove(
    (config, alias): (&Config, &AccountAlias),
    catalogue: &dyn Catalogue,
    stale: &[&Held],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    for held in stale {
        block_on(async { Ok(delete(catalogue, &SystemClock, &held.sid).await?) })
            .hint("ringmaster content prune continues where this run ended")?;
        let version = shown(config, alias, &held.friendly_name);
        writeln!(out, "{alias}: {} ({version}) is deleted", held.sid)?;
        out.flush()?;
    }
    Ok(())
}
