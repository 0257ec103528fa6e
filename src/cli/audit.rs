//! `audit`: the audit log, from the store on the daemon's machine.

use std::io::Write;

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::json;

use super::person::Beside;
use super::settings::ConfigFile;
use super::table::{Rows, plain, second};
use super::values::moment;
use crate::import::export::neutral;
use crate::store::{AuditEntry, AuditFilter, Audits as _};

/// So many entries are read at once.
const AT_ONCE: usize = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Ndjson,
    Csv,
}

#[derive(Debug, Args)]
pub(super) struct Audit {
    /// Only what this token did, or person/NAME
    #[arg(long, value_name = "WHO")]
    who: Option<String>,
    /// Only this act, such as sign_in or "POST /v1/pauses"
    #[arg(long, value_name = "WHAT")]
    what: Option<String>,
    /// Only what was done to this, such as an id
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// Not before this time, with its offset
    #[arg(long, value_name = "SINCE", value_parser = moment)]
    since: Option<Timestamp>,
    /// At most so many entries, the newest first, 1 to 1000000
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    limit: u32,
    /// How they are printed
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn run(audit: &Audit, out: &mut dyn Write) -> anyhow::Result<()> {
    let beside = Beside::open(&audit.config)?;
    let filter = AuditFilter {
        who: audit.who.clone(),
        what: audit.what.clone(),
        object: audit.object.clone(),
        since: audit.since,
        ..AuditFilter::default()
    };
    let mut rows = Rows::new(&["at", "who", "by", "what", "object", "from", "outcome"]);
    let mut csv = csv::Writer::from_writer(Vec::new());
    let (mut before, mut left) = (None, usize::try_from(audit.limit)?);
    let mut is_first = true;
    while left > 0 {
        let most = left.min(AT_ONCE);
        let found = beside.runtime.block_on(beside.store.audit(&filter, before, most))?;
        before = found.last().map(|(seq, _)| *seq);
        left = if found.len() == most { left.saturating_sub(most) } else { 0 };
        for (_, entry) in &found {
            match audit.format {
                Format::Table => rows.push([
                    plain(second(entry.at)),
                    plain(&entry.who),
                    plain(entry.way.as_str()),
                    plain(&entry.what),
                    plain(entry.object.as_deref().unwrap_or("-")),
                    plain(entry.from.map_or_else(|| "-".to_owned(), |address| address.to_string())),
                    plain(entry.outcome.to_string()),
                ]),
                Format::Ndjson => writeln!(out, "{}", object(entry))?,
                Format::Csv => {
                    let value = object(entry);
                    let Some(fields) = value.as_object() else { continue };
                    if std::mem::take(&mut is_first) {
                        csv.write_record(fields.keys())?;
                    }
                    let cell = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
                    csv.write_record(fields.values().map(cell).map(|cell| neutral(&cell).into_owned()))?;
                }
            }
        }
    }
    match audit.format {
        Format::Table => Ok(rows.write(out)?),
        Format::Ndjson => Ok(()),
        Format::Csv => Ok(out.write_all(&csv.into_inner()?)?),
    }
}

fn object(entry: &AuditEntry) -> serde_json::Value {
    json!({
        "at": entry.at,
        "who": entry.who,
        "way": entry.way.as_str(),
        "tenant": entry.tenant.as_str(),
        "what": entry.what,
        "object": entry.object,
        "consumer": entry.consumer.map(|number| number.to_string()),
        "from": entry.from.map(|address| address.to_string()),
        "outcome": entry.outcome.to_string(),
        "before": entry.before,
        "after": entry.after,
    })
}
