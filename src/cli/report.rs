//! `report`: what came of the callbacks, as a table, CSV, JSON or a plot.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::failure::Hint as _;
use super::remote::{Ask, Target};
use super::table::{Rows, name, plain};

#[derive(Debug, Args)]
pub(super) struct Report {
    /// The report, such as answer-rate; without one, they are listed
    #[arg(value_name = "REPORT")]
    name: Option<String>,
    /// The first day, as YYYY-MM-DD [default: six days before the last one]
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last day, as YYYY-MM-DD [default: today]
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// The time zone of the days [default: that of the campaign, or of the configuration]
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// What has a row of its own, such as day, sender or campaign
    #[arg(long, value_name = "BREAKDOWN")]
    by: Option<String>,
    /// Only this campaign, by its id or its label
    #[arg(long, value_name = "CAMPAIGN")]
    campaign: Option<String>,
    /// Only this sender, by its label or the last 4 to 6 digits of its number
    #[arg(long, value_name = "SENDER")]
    sender: Option<String>,
    /// How it is shown
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Write it to this file instead, which is replaced
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    daemon: Target,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
    Svg,
}

impl Report {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let Some(name) = &self.name else { return self.list(out) };
        // The name is a part of the path.
        anyhow::ensure!(
            name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') && !name.is_empty(),
            "{name:?} is no report; ringmaster report lists them"
        );
        let mut ask = Ask::get(format!("v1/reports/{name}"));
        let given = [
            ("from", &self.from),
            ("to", &self.to),
            ("zone", &self.zone),
            ("by", &self.by),
            ("campaign", &self.campaign),
            ("sender", &self.sender),
        ];
        ask.query.extend(given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))));
        let format = match self.format {
            Format::Table | Format::Json => "json",
            Format::Csv => "csv",
            Format::Svg => "svg",
        };
        ask.query.push(("format", format.to_owned()));
        let (notes, answer) = self.daemon.ask_with_header(&ask, "x-report-notes")?;
        // The file, or the program that reads standard output, has no place for them.
        if let Some(notes) = notes {
            _ = writeln!(anstream::stderr(), "{notes}");
        }
        let mut shown = Vec::new();
        match self.format {
            Format::Csv | Format::Svg => shown = answer,
            Format::Json => writeln!(shown, "{:#}", read::<Value>(&answer)?)?,
            Format::Table => print(&read(&answer)?, &mut shown)?,
        }
        match &self.out {
            None => Ok(out.write_all(&shown)?),
            Some(file) => {
                write(file, &shown).hint("nothing was written; the file is as it was")?;
                Ok(writeln!(out, "wrote {} ({} bytes)", file.display(), shown.len())?)
            }
        }
    }

    fn list(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let page: Page = read(&self.daemon.ask(&Ask::get("v1/reports"))?)?;
        let mut rows = Rows::new(&["report", "by", "tells"]);
        for report in page.reports {
            rows.push([name(report.name), plain(report.by.join(", ")), plain(report.about)]);
        }
        Ok(rows.write(out)?)
    }
}

fn read<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> anyhow::Result<T> {
    serde_json::from_slice(bytes).context("the server does not answer like a ringmaster daemon")
}

/// Writes a new file and gives it the name, so that no reader sees a half one.
fn write(file: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let cannot = || format!("{} cannot be written", file.display());
    std::fs::write(&new, bytes).with_context(cannot)?;
    std::fs::rename(&new, file).with_context(cannot)
}

#[derive(Deserialize)]
struct Page {
    reports: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
    about: String,
    by: Vec<String>,
}

#[derive(Deserialize)]
struct Shown {
    about: String,
    from: Option<String>,
    to: Option<String>,
    zone: Option<String>,
    currency: Option<String>,
    columns: Vec<Column>,
    rows: Vec<Map<String, Value>>,
    total: Option<Map<String, Value>>,
    corrections: Option<Map<String, Value>>,
    notes: Vec<String>,
}

#[derive(Deserialize)]
struct Column {
    name: String,
    unit: String,
}

fn print(report: &Shown, out: &mut dyn Write) -> anyhow::Result<()> {
    let days = match (&report.from, &report.to, &report.zone) {
        (Some(from), Some(to), Some(zone)) => format!("  {from} to {to} ({zone})"),
        _ => String::new(),
    };
    writeln!(out, "{}{days}\n", report.about)?;
    let heading: Vec<&str> = report.columns.iter().map(|column| column.name.as_str()).collect();
    let mut rows = Rows::new(&heading);
    for row in &report.rows {
        rows.push(report.columns.iter().enumerate().map(|(place, column)| {
            let text = cell(column, row.get(&column.name), report.currency.as_deref());
            if place == 0 { name(text) } else { plain(text) }
        }));
    }
    for (title, sums) in [("total", &report.total), ("corrections", &report.corrections)] {
        let Some(sums) = sums else { continue };
        rows.push(report.columns.iter().enumerate().map(|(place, column)| match place {
            0 => name(title),
            _ => plain(cell(column, sums.get(&column.name), report.currency.as_deref())),
        }));
    }
    rows.write(out)?;
    if !report.notes.is_empty() {
        writeln!(out)?;
    }
    report.notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
    Ok(())
}

fn cell(column: &Column, value: Option<&Value>, currency: Option<&str>) -> String {
    let text = match value {
        None | Some(Value::Null) => return "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match (&*column.unit, currency) {
        ("percent", _) => format!("{text} %"),
        ("money", Some(currency)) => format!("{text} {currency}"),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_table_has_units_sums_and_notes() {
        let report = serde_json::from_value(json!({
            "about": "What the calls cost.", "from": "2026-11-23", "to": "2026-11-23", "zone": "UTC",
            "currency": "USD",
            "columns": [{"name": "country", "unit": "text"}, {"name": "cost", "unit": "money"},
                {"name": "share", "unit": "percent"}],
            "rows": [{"country": "+55", "cost": "1.50", "share": 33.3}, {"country": "+44", "cost": null, "share": null}],
            "total": {"country": null, "cost": "1.50", "share": 100.0},
            "corrections": null,
            "notes": ["A note."],
        }));
        let mut out = Vec::new();
        print(&report.unwrap(), &mut out).unwrap();
        let text = anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string();
        let expected = "What the calls cost.  2026-11-23 to 2026-11-23 (UTC)\n\n\
                        country  cost      share\n\
                        +55      1.50 USD  33.3 %\n\
                        +44      -         -\n\
                        total    1.50 USD  100.0 %\n\n\
                        A note.\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_file_is_written_whole() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("report.csv");
        write(&file, b"one").unwrap();
        write(&file, b"two").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1);
        assert!(write(&directory.path().join("missing/report.csv"), b"x").is_err());
    }
}
