//! The flag `--config`, which several commands share.

use std::path::PathBuf;

use clap::Args;

use super::failure::Hint as _;
use crate::config::{self, Config, ConfigErrors};

/// The configuration of a command.
#[derive(Debug, Args)]
pub(super) struct ConfigFile {
    /// The configuration file; RINGMASTER_ variables override it
    #[arg(long = "config", value_name = "FILE", env = "RINGMASTER_CONFIG", hide_env_values = true)]
    pub path: Option<PathBuf>,
}

impl ConfigFile {
    /// Reads the file and the variables.
    pub(super) fn load(&self) -> anyhow::Result<Config> {
        self.try_load().map_err(|errors| refused(&errors))
    }

    pub(super) fn try_load(&self) -> Result<Config, ConfigErrors> {
        Config::load(self.path.as_deref(), config::environment())
    }

    /// The configuration, if a file is given.
    pub(super) fn load_if_named(&self) -> anyhow::Result<Option<Config>> {
        self.path.is_some().then(|| self.load()).transpose()
    }
}

fn refused(errors: &ConfigErrors) -> anyhow::Error {
    let reference = "ringmaster config default prints every key with its meaning".to_owned();
    let (what, hints) = match errors.0.as_slice() {
        [fault] => (format!("the configuration is refused: {fault}"), vec![reference]),
        faults => (
            format!("the configuration is refused for {} faults", faults.len()),
            faults.iter().map(ToString::to_string).chain([reference]).collect(),
        ),
    };
    let refused: anyhow::Result<()> = Err(anyhow::anyhow!(what));
    refused.hints(hints).expect_err("a refusal is an error")
}
