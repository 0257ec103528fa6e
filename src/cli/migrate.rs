//! `migrate`: brings the schema of the store to this program's version.

use std::io::Write;

use clap::Args;

use super::failure::Hint as _;
use super::settings::ConfigFile;
use crate::daemon;
use crate::store::relational::{Access, Migrated, Options, migrate};

#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    config: ConfigFile,
}

impl Migrate {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let config = self.config.load()?;
        let hint = "the store is as it was";
        let Some(reach) = daemon::reach(&config.store)? else {
            daemon::open_store(&config.store, Access::Beside, &Options::default()).hint(hint)?;
            return Ok(writeln!(out, "{} has the schema of this program", config.store.path.display())?);
        };
        let name = reach.name().to_owned();
        let Migrated { from, to } = migrate(reach).hint(hint)?;
        let what = match from {
            None => format!("created schema {to} in {name}"),
            Some(from) if from == to => format!("{name} has schema {to}; nothing was changed"),
            Some(from) => format!("migrated {name} from schema {from} to {to}"),
        };
        Ok(writeln!(out, "{what}")?)
    }
}
