//! `config check` and `config default`.

use std::io::Write;

use clap::Subcommand;

use super::failure::refusal;
use super::settings::ConfigFile;
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Say every fault of a configuration, or what it comes to
    ///
    /// Reads the file, lays the RINGMASTER_ variables over it, reads the files of secrets and checks all of it,
    /// as "serve" does before it starts. Prints every fault on a line of its own, with where it was set; or,
    /// if there is none, what may not work as a line that begins with "# warning:", and every key in force with
    /// where it comes from. Secrets print as ***.
    #[command(after_long_help = "Example:\n  ringmaster config check --config ringmaster.toml")]
    Check(ConfigFile),
    /// Print every key with its meaning and default
    ///
    /// The output is a configuration file itself: keep it, remove the "#" before what you set, and check it.
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
            config.doubts().iter().try_for_each(|doubt| writeln!(out, "# warning: {doubt}"))?;
            Ok(out.write_all(config.to_masked_string().as_bytes())?)
        }
        Err(errors) => {
            errors.0.iter().try_for_each(|fault| writeln!(out, "{fault}"))?;
            let what = match errors.0.len() {
                1 => "the configuration is refused for a fault".to_owned(),
                count => format!("the configuration is refused for {count} faults"),
            };
            refusal(what, ["ringmaster config default prints every key with its meaning"])
        }
    }
}
