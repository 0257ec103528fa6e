//! Prints what was found about a list, and the progress meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::Path;

use comfy_table::Cell;
use serde_json::{Value, json};

use super::is_watched;
use super::list::Seen;
use crate::cli::callbacks::print;
use crate::cli::table::Rows;
use crate::import::report::{Group, Key};
use crate::import::{Fault, Report};

/// So many fields of one code are told.
const FIELDS_MAX: usize = 20;

/// What was found so far.
pub(super) struct Told {
    seen: Seen,
    pub(super) report: Report,
    /// Rows that were accepted by an earlier command.
    pub(super) before: u64,
    /// The fields of orders with faults of the kind `field.`, by the code.
    fields: BTreeMap<String, BTreeSet<String>>,
    is_watched: bool,
}

impl Told {
    pub(super) fn new(seen: Seen) -> Self {
        Self { seen, report: Report::default(), before: 0, fields: BTreeMap::new(), is_watched: is_watched() }
    }

    /// Keeps the field of a fault that says nothing without it. Of each code at most [`FIELDS_MAX`] are kept.
    pub(super) fn hear(&mut self, fault: &Fault) {
        if !fault.code.starts_with("field.") || fault.field.is_empty() {
            return;
        }
        let fields = self.fields.entry(fault.code.to_string()).or_default();
        if fields.len() < FIELDS_MAX {
            fields.insert(fault.field.to_string());
        }
    }

    /// Shows how far it is, on one line.
    pub(super) fn progress(&self) {
        if self.is_watched {
            // A closed standard error is no reason to stop.
            let _ = write!(io::stderr(), "\r{} of {} rows", self.report.rows, self.seen.rows);
        }
    }

    /// Shows how much of the file has arrived, as a bar.
    pub(super) fn arrived(&self, received: u64, rows: u64) {
        const WIDTH: u64 = 30;
        if self.is_watched {
            let full = received.saturating_mul(WIDTH) / self.seen.size.max(1);
            let bar: String = (0..WIDTH).map(|at| if at < full { '#' } else { '.' }).collect();
            // A closed standard error is no reason to stop.
            let _ = write!(io::stderr(), "\r[{bar}] {rows} of {} rows", self.seen.rows);
        }
    }

    pub(super) fn end_progress(&self) {
        if self.is_watched {
            let _ = writeln!(io::stderr());
        }
    }

    pub(super) fn print(
        &self,
        path: &Path,
        is_dry: bool,
        name: &str,
        as_json: bool,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        if as_json {
            return print::json(&self.json(is_dry, name), out);
        }
        self.head(path, out)?;
        let Report { rows, good, .. } = self.report;
        if is_dry {
            writeln!(out, "{good} of {rows} rows would be ordered; nothing was ordered")?;
        } else {
            let before = if self.before > 0 {
                format!(", {} of them by an earlier command", self.before)
            } else {
                String::new()
            };
            writeln!(out, "{good} of {rows} rows are ordered{before}; the import is {name}")?;
        }
        table("refused", &self.report.refused, out)?;
        for (code, fields) in &self.fields {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            writeln!(out, "{code} is about: {}", fields.join(", "))?;
        }
        table("found", &self.report.findings, out)
    }

    fn head(&self, path: &Path, out: &mut dyn Write) -> io::Result<()> {
        let found = &self.seen.found;
        write!(out, "{}: {}, {}", path.display(), found.format, found.encoding.as_str())?;
        match found.delimiter {
            Some(b'\t') => write!(out, ", delimiter tab")?,
            Some(delimiter) => write!(out, ", delimiter {:?}", char::from(delimiter))?,
            None => {}
        }
        if !found.unused_columns.is_empty() {
            let columns: Vec<String> = found.unused_columns.iter().map(ToString::to_string).collect();
            write!(out, "; columns that are not used: {}", columns.join(", "))?;
        }
        if self.seen.empty > 0 {
            write!(out, "; empty rows: {}", self.seen.empty)?;
        }
        writeln!(out)
    }

    fn json(&self, is_dry: bool, name: &str) -> Value {
        let found = &self.seen.found;
        let groups = |groups: &BTreeMap<Key, Group>| -> Vec<Value> {
            let group = |((check, code), group): (&Key, &Group)| json!({"check": check, "code": code, "count": group.count, "rows": group.rows});
            groups.iter().map(group).collect()
        };
        json!({
            "import": name,
            "dry_run": is_dry,
            "format": found.format,
            "encoding": found.encoding.as_str(),
            "delimiter": found.delimiter.map(|delimiter| char::from(delimiter).to_string()),
            "unused_columns": found.unused_columns,
            "rows": self.report.rows,
            "empty": self.seen.empty,
            "good": self.report.good,
            "accepted_before": self.before,
            "refused": groups(&self.report.refused),
            "refused_fields": self.fields,
            "findings": groups(&self.report.findings),
        })
    }
}

pub(super) fn table(heading: &str, groups: &BTreeMap<Key, Group>, out: &mut dyn Write) -> anyhow::Result<()> {
    if groups.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut rows = Rows::new(&[heading, "code", "rows", "numbers"]);
    for ((check, code), group) in groups {
        let mut numbers: Vec<String> = group.rows.iter().map(ToString::to_string).collect();
        if group.count > group.rows.len() as u64 {
            numbers.push("...".to_owned());
        }
        let count = group.count.to_string();
        rows.push([check.as_str(), code, &count, &numbers.join(", ")].map(Cell::new));
    }
    Ok(rows.write(out)?)
}
