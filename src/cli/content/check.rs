//! `content check`: all faults of declarations; with `--online` their URLs are asked as well.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::super::failure::refusal;
use super::super::settings::ConfigFile;
use super::super::table::{Rows, name, plain};
use super::online::{Asker, is_sandbox};
use super::{block_on, counted};
use crate::content::online::{Link, judged, to_ask};
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
    /// Ask also whether the URLs of media and buttons answer, over https and at public addresses only
    #[arg(long, conflicts_with = "rules")]
    online: bool,
    #[command(flatten)]
    config: ConfigFile,
}

impl Check {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.rules {
            return self.print_rules(out);
        }
        let mut paths = self.paths.clone();
        let config = self.config.load_if_named()?.unwrap_or_default();
        if paths.is_empty() {
            paths.push(config.content.directory.clone());
        }
        let mut checked = Checked::default();
        let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) =
            paths.into_iter().partition(|path| path.is_dir());
        for folder in folders {
            match Folder::read(&folder) {
                Ok(read) => checked.add(read),
                Err(error) => checked.unread.push(error),
            }
        }
        if !files.is_empty() {
            checked.add(Folder::read_files(&files));
        }
        if self.online {
            checked.ask(is_sandbox(&config))?;
        }
        self.write(checked.count, &checked.faults, out)?;
        checked.unread.into_iter().next().map_or(Ok(()), |error| Err(error.into()))
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

/// What was checked so far.
#[derive(Default)]
struct Checked {
    /// The declarations without a fault.
    count: usize,
    links: Vec<Link>,
    faults: Vec<(PathBuf, Fault)>,
    /// Directories that cannot be read or are empty.
    unread: Vec<LoadError>,
}

impl Checked {
    fn add(&mut self, (folder, FileFaults(faults)): (Folder, FileFaults)) {
        self.count += folder.declarations.len();
        self.links.extend(folder.links);
        self.faults.extend(faults);
    }

    /// Asks the URLs that have no fault so far.
    fn ask(&mut self, is_sandbox: bool) -> anyhow::Result<()> {
        let (urls, not_asked) = to_ask(&self.links, is_sandbox);
        let asker = Asker::new(is_sandbox)?;
        let answers = block_on(async { Ok(asker.ask_all(urls).await) })?;
        self.faults.extend(not_asked);
        self.faults.extend(judged(&self.links, &answers));
        self.faults.sort_by(|left, right| (&left.0, left.1.line).cmp(&(&right.0, right.1.line)));
        Ok(())
    }
}

fn object(path: &Path, fault: &Fault) -> serde_json::Value {
    json!({
        "file": path.display().to_string(), "line": fault.line, "key": fault.key,
        "severity": fault.severity.as_str(), "rule": fault.rule.code(), "message": fault.message,
        "source": fault.rule.published().source,
    })
}
