//! `config check` and `config default`.

use std::io::Write;

use clap::Subcommand;

use super::failure::refusal;
use super::settings::ConfigFile;
use crate::config::Config;
use crate::daemon::{named_content, recording_doubts, start_checks};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Check a configuration and print all its faults, or its effective keys
    ///
    /// Reads the file, the RINGMASTER_ variables, the files of secrets, the TwiML documents and the declarations of
    /// content, and checks them, as "serve" does before it starts. Asks no platform and opens no store. Prints each fault on its own line, with its origin. If there is none, prints possible problems as
    /// lines that begin with "# warning:", and all keys with their values and origins. Secrets are printed as ***.
    #[command(after_long_help = "Example:\n  ringmaster config check --config ringmaster.toml")]
    Check(ConfigFile),
    /// Print every key with its meaning, default and range
    ///
    /// The output is a configuration file: save it, remove the "#" before the keys that you set, and check it.
    #[command(after_long_help = "Example:\n  ringmaster config default > ringmaster.toml")]
    Default,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::Check(file) => check(file, out),
        Command::Default => Ok(out.write_all(Config::default_toml().as_bytes())?),
    }
}

fn check(file: &ConfigFile, out: &mut dyn Write) -> anyhow::Result<()> {
    match file.try_load() {
        Ok(config) => {
            let named = named_content(&config)?;
            if !named.faults.is_empty() {
                named.faults.iter().try_for_each(|fault| writeln!(out, "{fault}"))?;
                let hints = ["docs/CONTENT.md explains what a sender can name"];
                return refusal(refused(named.faults.len()), hints);
            }
            let documents = match start_checks(&config) {
                Ok(documents) => documents,
                Err(faults) => {
                    faults.iter().try_for_each(|fault| writeln!(out, "{fault:#}"))?;
                    return refusal(refused(faults.len()), ["\"serve\" would not start with it"]);
                }
            };
            let recordings = recording_doubts(&config, &documents);
            let doubts = config.doubts().into_iter().chain(named.doubts).chain(recordings);
            doubts.into_iter().try_for_each(|doubt| writeln!(out, "# warning: {doubt}"))?;
            Ok(out.write_all(config.to_masked_string().as_bytes())?)
        }
        Err(errors) => {
            errors.0.iter().try_for_each(|fault| writeln!(out, "{fault}"))?;
            refusal(refused(errors.0.len()), ["ringmaster config default prints every key with its meaning"])
        }
    }
}

fn refused(faults: usize) -> String {
    match faults {
        1 => "the configuration is refused for 1 fault".to_owned(),
        count => format!("the configuration is refused for {count} faults"),
    }
}
