//! `content check`: all faults of declarations, without asking anybody.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::failure::refusal;
use super::super::settings::ConfigFile;
use super::super::table::{Rows, name, plain};
use super::counted;
use crate::content::{Fault, FileFaults, Folder, LoadError, Rule};
use crate::text::visible::escaped;

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// Files, or directories with .toml files
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Print an array of objects with "file", "line", "key", "severity", "rule", "message" and "source"
    #[arg(long)]
    json: bool,
    /// Print every rule with its date and source, and check nothing
    #[arg(long, conflicts_with = "paths")]
    rules: bool,
    #[command(flatten)]
    config: ConfigFile,
}

impl Check {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.rules {
            return self.print_rules(out);
        }
        let mut paths = self.paths.clone();
        if paths.is_empty() {
            let config = self.config.load_if_named()?.unwrap_or_default();
            paths.push(config.content.directory);
        }
        let mut checked = 0;
        let mut faults = Vec::new();
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.into_iter().partition(|path| path.is_dir());
        for folder in folders {
            collect(Folder::load(&folder), &mut checked, &mut faults)?;
        }
        if !files.is_empty() {
            collect(Folder::load_files(&files), &mut checked, &mut faults)?;
        }
        self.write(checked, &faults, out)
    }

    fn write(&self, checked: usize, faults: &[(PathBuf, Fault)], out: &mut dyn Write) -> anyhow::Result<()> {
        let errors = faults.iter().filter(|(_, fault)| fault.is_error()).count();
        if self.json {
            let all: Vec<_> = faults.iter().map(|(path, fault)| object(path, fault)).collect();
            serde_json::to_writer_pretty(&mut *out, &all)?;
            writeln!(out)?;
        } else {
            for (path, fault) in faults {
                writeln!(out, "{}", escaped(&format!("{}:{fault}", path.display())))?;
            }
            if errors == 0 {
                writeln!(out, "{} without a fault", counted(checked, "declarations"))?;
            }
        }
        if errors == 0 {
            return Ok(());
        }
        let hints = ["ringmaster content check --rules prints the rules with their sources"];
        refusal(format!("{} in the declarations", counted(errors, "faults")), hints)
    }

    fn print_rules(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.json {
            let rule = |rule: &Rule| {
                let published = rule.published();
                json!({
                    "rule": rule.code(), "says": rule.sentence(), "figure": published.figure,
                    "since": published.since, "source": published.source,
                })
            };
            let all: Vec<_> = Rule::ALL.iter().map(rule).collect();
            serde_json::to_writer_pretty(&mut *out, &all)?;
            return Ok(writeln!(out)?);
        }
        let mut rows = Rows::new(&["rule", "says", "since", "source"]);
        for rule in Rule::ALL {
            let published = rule.published();
            rows.push([
                name(rule.code()),
                plain(rule.sentence()),
                plain(published.since),
                plain(published.source),
            ]);
        }
        Ok(rows.write(out)?)
    }
}

fn collect(
    loaded: Result<Folder, LoadError>,
    checked: &mut usize,
    faults: &mut Vec<(PathBuf, Fault)>,
) -> anyhow::Result<()> {
    match loaded {
        Ok(folder) => {
            *checked += folder.declarations.len();
            faults.extend(folder.warnings);
        }
        Err(LoadError::Faults(FileFaults(found))) => faults.extend(found),
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

fn object(path: &Path, fault: &Fault) -> serde_json::Value {
    json!({
        "file": path.display().to_string(), "line": fault.line, "key": fault.key,
        "severity": fault.severity.as_str(), "rule": fault.rule.code(), "message": fault.message,
        "source": fault.rule.published().source,
    })
}
