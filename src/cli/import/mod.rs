//! `import`: checks a list of callbacks, and orders its rows, each once.
//!
//! With `--dry-run` the list is read here, row by row, and the daemon tells what would become of each. Otherwise the file is
//! sent as it is, in parts, and the daemon reads it: `upload`. A JSON array cannot be read in parts, so its rows are sent.
//! `list` opens the file and makes parts, `told` prints what was found, `kept` has the commands for imports that the daemon
//! has.

mod kept;
mod list;
mod told;
mod upload;

use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::callbacks::views::Row as RowResult;
use super::failure::{Hint as _, refusal};
use super::remote::{Ask, Body, NDJSON, Target};
use super::values::{Pair, agent, country, moment, pair, phone, priority, purpose, variables};
use crate::domain::{AgentTarget, Country, Phone, Purpose};
use crate::import::export::Refused;
use crate::import::{self, Encoding, Fault, Mapping, Options, Report};

use list::{Part, Parts};
use told::Told;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Import {
    #[command(subcommand)]
    kept: Option<kept::Command>,
    /// The list: CSV, NDJSON or a JSON array. Give a file that is called list, show or delete with its folder: ./list
    #[arg(value_name = "FILE", required = true)]
    file: Option<PathBuf>,
    /// Tell what would become of each row, and order nothing
    #[arg(long)]
    dry_run: bool,
    /// The name of the import: rows that were accepted under it are not ordered again. Needed to send a corrected list
    /// [default: import-, a hash of the file, and the campaign]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// What a column of CSV is: a field of the order, var.NAME or skip; may be repeated
    #[arg(long = "map", value_name = "COLUMN=FIELD")]
    mapping: Vec<Mapping>,
    /// The country of numbers without "+" and a country calling code, such as BR
    #[arg(long, value_name = "COUNTRY", value_parser = country)]
    default_country: Option<Country>,
    /// The delimiter of CSV: comma, semicolon or tab [default: the most frequent one of the first line]
    #[arg(long, value_parser = delimiter)]
    delimiter: Option<u8>,
    /// The encoding of the list: utf-8, utf-16le, utf-16be or windows-1252 [default: UTF-8 or UTF-16, as its first bytes show]
    #[arg(long, value_parser = encoding)]
    encoding: Option<Encoding>,
    /// Write the refused rows into this file, as CSV with their numbers and codes
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
    /// How many rows are sent at once of a dry run or a JSON array; not more than the daemon's http.bulk_rows_max
    #[arg(long, value_name = "COUNT", default_value_t = 5000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    part_rows: u32,
    /// How many bytes of the file are sent at once
    #[arg(long, value_name = "COUNT", default_value_t = 2 << 20, value_parser = clap::value_parser!(u32).range(1..=8_388_608))]
    part_bytes: u32,
    #[command(flatten)]
    defaults: Defaults,
    /// Print what was found as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

/// The fields of all rows; a row's own go before them.
#[derive(Debug, Args)]
#[command(next_help_heading = "For all rows without a field of their own")]
struct Defaults {
    /// The TwiML document of the call
    #[arg(long, value_name = "NAME")]
    document: Option<String>,
    /// The sender that calls; may be repeated: the first sender that can call does
    #[arg(long = "sender", value_name = "NUMBER", value_parser = phone)]
    senders: Vec<Phone>,
    /// A variable of the document; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = pair)]
    variables: Vec<Pair>,
    /// The agent that the consumer is connected to: client:NAME or sip:USER@HOST
    #[arg(long, value_parser = agent)]
    agent: Option<AgentTarget>,
    /// No call before this time, with an offset
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    earliest: Option<Timestamp>,
    /// No call at or after this time, with an offset
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    latest: Option<Timestamp>,
    /// When the consumer may be called, such as "mon-fri 09:00-18:00 @America/Sao_Paulo"
    #[arg(long)]
    hours: Option<String>,
    /// The priority: urgent, normal, bulk, or a number from 0 (bulk) to 9 (urgent)
    #[arg(long, value_name = "LEVEL", value_parser = priority)]
    priority: Option<u8>,
    /// The maximum number of attempts
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts_max: Option<u32>,
    /// The id of a campaign, which gives what the rows leave out, or a label; callbacks can be listed by it
    #[arg(long)]
    campaign: Option<String>,
    /// Why the consumers are called: requested (by the consumer), service, marketing or collections
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: Option<Purpose>,
}

impl Defaults {
    fn order(&self) -> anyhow::Result<Map<String, Value>> {
        let numbers: Vec<Value> = self.senders.iter().map(|sender| sender.e164().into()).collect();
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let given: [(&str, Option<Value>); 11] = [
            ("document", text(&self.document)),
            ("senders", (!numbers.is_empty()).then(|| numbers.into())),
            ("variables", variables(&self.variables)?),
            ("agent", self.agent.as_ref().map(|agent| agent.to_string().into())),
            ("earliest", self.earliest.map(|at| at.to_string().into())),
            ("latest", self.latest.map(|at| at.to_string().into())),
            ("hours", text(&self.hours)),
            ("priority", self.priority.map(Into::into)),
            ("attempts_max", self.attempts_max.map(Into::into)),
            ("campaign", text(&self.campaign)),
            ("purpose", self.purpose.map(|purpose| purpose.as_str().into())),
        ];
        Ok(given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }
}

impl Import {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        match &self.kept {
            Some(kept) => kept.run(out),
            None => self.read(out),
        }
    }

    /// The file. A command without one is refused, unless it is for an import that the daemon has.
    fn file(&self) -> &Path {
        self.file.as_deref().unwrap_or(Path::new(""))
    }

    fn read(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        // A list that cannot be read to its end is refused before anything is ordered.
        let seen = list::examine(self.file(), self.options()?)?;
        let name = self.name.clone().unwrap_or_else(|| seen.name(self.defaults.campaign.as_deref()));
        if !self.dry_run && seen.found.format != "json" {
            return self.upload(&name, seen, out);
        }
        let mut told = Told::new(seen);
        let mut refused = match &self.refused {
            Some(path) => {
                let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
                Some(Refused::begin(BufWriter::new(file))?)
            }
            None => None,
        };
        let mut parts = Parts::open(self.file(), self.options()?, self.part_rows)?;
        while let Some(part) = parts.read()? {
            let mut faults = part.refuse(&mut told.report);
            if !part.numbers.is_empty() {
                if self.dry_run {
                    self.check(&part, &mut told.report, &mut faults)?;
                } else {
                    self.order(&name, &part, &mut told, &mut faults)?;
                }
            }
            faults.iter().for_each(|(_, fault)| told.hear(fault));
            if let Some(refused) = &mut refused {
                faults.sort_by_key(|(row, _)| *row);
                for (row, fault) in &faults {
                    refused.add(*row, &fault.field, &fault.code, &fault.detail)?;
                }
            }
            told.progress();
        }
        refused.map_or(Ok(()), Refused::end)?;
        told.end_progress();
        told.print(self.file(), self.dry_run, &name, self.json, out)?;
        self.judge(&told.report)
    }

    fn options(&self) -> anyhow::Result<Options> {
        Ok(Options {
            encoding: self.encoding,
            delimiter: self.delimiter,
            mapping: self.mapping.clone(),
            default_country: self.default_country,
            defaults: self.defaults.order()?,
        })
    }

    /// Asks the daemon what would become of the rows.
    fn check(&self, part: &Part, report: &mut Report, faults: &mut Vec<(u32, Fault)>) -> anyhow::Result<()> {
        let ask = Ask::post("v1/imports/check", Body::Raw(NDJSON, part.body.clone()));
        let answer: list::Checked = serde_json::from_value(self.daemon.ask_json(&ask)?)
            .context("the daemon's answer cannot be read by this version")?;
        part.merge(answer, report, faults);
        Ok(())
    }

    /// Orders the rows.
    fn order(
        &self,
        name: &str,
        part: &Part,
        told: &mut Told,
        faults: &mut Vec<(u32, Fault)>,
    ) -> anyhow::Result<()> {
        let ask = Ask::post(format!("v1/imports/{name}/rows"), Body::Raw(NDJSON, part.body.clone()));
        let again = format!(
            "{} rows were accepted before; it is safe to repeat the command with --name {name}: no row is ordered twice",
            told.report.good
        );
        let answer = self.daemon.ask(&ask).hint(again)?;
        let rows: Result<Vec<RowResult>, _> =
            serde_json::Deserializer::from_slice(&answer).into_iter().collect();
        let rows = rows.context("the daemon's answer cannot be read by this version")?;
        for row in rows {
            let number = part.row(row.row);
            if row.id.is_some() {
                told.report.accept();
                told.before += u64::from(row.replayed == Some(true));
                for warning in &row.warnings {
                    told.report.find("warning", &warning.code, 1, &[number]);
                }
                continue;
            }
            let own: Vec<_> = row.faults().collect();
            told.report.refuse("order", number, own.iter().map(|fault| fault.code.as_str()));
            faults.extend(own.into_iter().map(|fault| (number, list::fault(fault))));
        }
        Ok(())
    }

    /// A list with refused rows is a failure, so that a script notices.
    fn judge(&self, report: &Report) -> anyhow::Result<()> {
        let count = report.refused_rows();
        if count == 0 {
            return Ok(());
        }
        let hint = match &self.refused {
            Some(path) => format!("{} has each of them with its fault", path.display()),
            None => "--refused FILE writes each of them with its fault".to_owned(),
        };
        refusal(format!("{count} of {} rows are refused", report.rows), [hint])
    }
}

/// Whether progress is shown: only to a person.
fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

fn name(text: &str) -> Result<String, String> {
    if import::is_name(text) { Ok(text.to_owned()) } else { Err(import::NAME_EXPECTED.to_owned()) }
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "comma" | "," => Ok(b','),
        "semicolon" | ";" => Ok(b';'),
        "tab" | "\t" => Ok(b'\t'),
        _ => Err("expected comma, semicolon or tab".to_owned()),
    }
}

fn encoding(text: &str) -> Result<Encoding, String> {
    Encoding::named(text).ok_or_else(|| format!("expected {}", Encoding::NAMES))
}
