//! `suppression register`: asks a register about the people of open orders, as a round trip of two files.
//!
//! `export` writes the numbers to submit. `import` takes the numbers that the register named, and the file that was submitted:
//! who was submitted counts as checked for the age of the answer, and who was named is not called.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use comfy_table::Cell;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use super::Flags;
use crate::cli::failure::refusal;
use crate::cli::remote::{Ask, Body};
use crate::cli::table::{Rows, second};
use crate::cli::values::{country, moment};
use crate::clock::{Clock as _, SystemClock};
use crate::domain::{Country, Phone};

/// So far in the future a moment may be that another clock told.
const CLOCKS_APART: SignedDuration = SignedDuration::from_mins(5);

/// The people of one request.
const PART: usize = 1_000;
/// The longest line, in bytes.
const LINE_MAX: usize = 4_096;

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// List the registers of the configuration, and how old their answers are
    #[command(after_long_help = "Example:\n  ringmaster suppression register list")]
    List(Flags),
    /// Write the numbers that a register has to be asked about: those of open orders that it binds
    ///
    /// One number on each line, in a new file that only its owner can read.
    #[command(
        after_long_help = "Example:\n  ringmaster suppression register export nao-me-perturbe submit.txt --national"
    )]
    Export(Export),
    /// Import what a register answered
    #[command(after_long_help = "Example:\n  \
        ringmaster suppression register import nao-me-perturbe named.txt --submitted submit.txt \
        --checked-at 2026-11-24T09:00:00-03:00 --receipt 8812 --default-country BR")]
    Import(Import),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// The register
    #[arg(id = "register", value_name = "REGISTER")]
    name: String,
    /// The new file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Without "+" and the country calling code; only for a register of one country
    #[arg(long)]
    national: bool,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The register
    #[arg(id = "register", value_name = "REGISTER")]
    name: String,
    /// The numbers that the register named, one on each line or in the first column of CSV; it may be empty
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The file that was submitted
    #[arg(long, value_name = "FILE")]
    submitted: PathBuf,
    /// When the register answered, with an offset
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    checked_at: Timestamp,
    /// The receipt of the register, for the record
    #[arg(long, value_name = "TEXT")]
    receipt: String,
    /// The country of numbers without "+" and a country calling code, such as BR
    #[arg(long, value_name = "COUNTRY", value_parser = country)]
    default_country: Option<Country>,
    #[command(flatten)]
    flags: Flags,
}

#[derive(Deserialize)]
struct Page {
    registers: Vec<Register>,
}

#[derive(Deserialize)]
struct Register {
    name: String,
    age_hours: i64,
    countries: Vec<String>,
    purposes: Vec<String>,
    required: bool,
    version: Option<String>,
    receipt: Option<String>,
    valid_until: Option<Timestamp>,
    stale: bool,
}

#[derive(Deserialize)]
struct Numbers {
    numbers: Vec<String>,
    next_cursor: Option<String>,
}

pub(super) fn run(command: &Command, out: &mut dyn Write) -> anyhow::Result<()> {
    match command {
        Command::List(flags) => list(flags, out),
        Command::Export(export) => export.run(out),
        Command::Import(import) => import.run(out),
    }
}

fn page(flags: &Flags) -> anyhow::Result<Page> {
    let answer = flags.daemon.ask_json(&Ask::get("v1/suppression/registers"))?;
    serde_json::from_value(answer).context("the daemon's answer cannot be read by this version")
}

fn list(flags: &Flags, out: &mut dyn Write) -> anyhow::Result<()> {
    if flags.json {
        let answer = flags.daemon.ask_json(&Ask::get("v1/suppression/registers"))?;
        return Ok(writeln!(out, "{answer:#}")?);
    }
    let Page { registers } = page(flags)?;
    if registers.is_empty() {
        return Ok(writeln!(out, "the configuration has no register")?);
    }
    let mut rows =
        Rows::new(&["register", "countries", "purposes", "required", "answered", "receipt", "valid until"]);
    let all_or = |texts: &[String]| if texts.is_empty() { "all".to_owned() } else { texts.join(", ") };
    for register in registers {
        let until = match (register.valid_until, register.stale) {
            (None, _) => "never asked".to_owned(),
            (Some(at), true) => format!("{} (too old)", second(at)),
            (Some(at), false) => second(at),
        };
        let cells = [
            register.name,
            all_or(&register.countries),
            all_or(&register.purposes),
            if register.required { "yes" } else { "no" }.to_owned(),
            register.version.unwrap_or_else(|| "-".to_owned()),
            register.receipt.unwrap_or_else(|| "-".to_owned()),
            until,
        ];
        rows.push(cells.map(Cell::new));
    }
    Ok(rows.write(out)?)
}

impl Export {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.national {
            let known = page(&self.flags)?.registers.into_iter().find(|known| known.name == self.name);
            if let Some(countries) = known.map(|known| known.countries).filter(|all| all.len() != 1) {
                let bound =
                    if countries.is_empty() { "all countries".to_owned() } else { countries.join(", ") };
                return refusal(
                    format!("--national: the register binds numbers of {bound}"),
                    ["national numbers of several countries are ambiguous; export without --national"],
                );
            }
        }
        let mut numbers = BTreeSet::new();
        let mut cursor = Some("0".to_owned());
        while let Some(place) = cursor {
            let path = format!("v1/suppression/registers/{}/numbers", self.name);
            let ask = Ask::get(path).with_query("cursor", place);
            let page: Numbers = serde_json::from_value(self.flags.daemon.ask_json(&ask)?)
                .context("the daemon's answer cannot be read by this version")?;
            numbers.extend(page.numbers);
            cursor = page.next_cursor;
        }
        let unwritten = || format!("cannot write {}", self.file.display());
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file);
        let mut file = BufWriter::new(file.with_context(unwritten)?);
        for number in &numbers {
            let text = if self.national { national(number) } else { number.clone() };
            writeln!(file, "{text}").with_context(unwritten)?;
        }
        file.flush().with_context(unwritten)?;
        let count = numbers.len();
        if self.flags.json {
            return Ok(writeln!(out, "{:#}", json!({"numbers": count}))?);
        }
        Ok(writeln!(
            out,
            "{count} numbers are in {}; delete it when the register has answered",
            self.file.display()
        )?)
    }
}

/// A number without "+" and its country calling code.
fn national(number: &str) -> String {
    let code = Phone::parse(number).map_or(0, Phone::calling_code).to_string();
    number.trim_start_matches('+').strip_prefix(&code).unwrap_or(number).to_owned()
}

impl Import {
    fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let list = format!("imported:{}", self.name);
        let register = page(&self.flags)?.registers.into_iter().find(|known| known.name == self.name);
        let Some(register) = register else {
            return refusal(
                "the configuration has no register of this name",
                ["\"ringmaster suppression register list\" shows them"],
            );
        };
        let now = SystemClock.now();
        if self.checked_at > now + CLOCKS_APART {
            return refusal(
                format!("--checked-at {} is in the future", second(self.checked_at)),
                ["give the moment at which the register answered"],
            );
        }
        let expires_at = self.checked_at.checked_add(SignedDuration::from_hours(register.age_hours))?;
        let submitted = self.read(&self.submitted)?;
        let named = self.read(&self.file)?;
        if submitted.is_empty() {
            return refusal(format!("{} has no number", self.submitted.display()), None::<String>);
        }
        let stray = named.difference(&submitted).count();
        if stray > 0 {
            let told = format!("{stray} numbers of {} were not submitted", self.file.display());
            return refusal(told, ["give the file that was submitted with --submitted"]);
        }
        let version = self.checked_at.to_string();
        let body = json!({
            "list": list, "version": version, "purposes": register.purposes, "countries": register.countries,
            "valid_until": expires_at.to_string(), "source": format!("receipt {}", self.receipt),
        });
        self.flags.daemon.ask_json(&Ask::post("v1/suppression/lists", Body::Json(body)))?;
        // Who is named is kept first, so that nobody is called between the two.
        self.send(&list, &version, &named, "all", None)?;
        self.send(&list, &version, &submitted, "checked", Some(expires_at))?;
        let body = json!({"list": list, "version": version});
        self.flags.daemon.command(Ask::post("v1/suppression/lists/complete", Body::Json(body)))?;
        let (asked, named) = (submitted.len(), named.len());
        if self.flags.json {
            let told = json!({"list": list, "version": version, "submitted": asked, "named": named,
                "valid_until": expires_at.to_string()});
            return Ok(writeln!(out, "{told:#}")?);
        }
        writeln!(
            out,
            "{asked} people were checked, {named} of them are named and not called; the answer counts until {}",
            second(expires_at)
        )?;
        Ok(())
    }

    fn send(
        &self,
        list: &str,
        version: &str,
        numbers: &BTreeSet<String>,
        scope: &str,
        expires_at: Option<Timestamp>,
    ) -> anyhow::Result<()> {
        let numbers: Vec<&String> = numbers.iter().collect();
        for part in numbers.chunks(PART) {
            let mut body = json!({"list": list, "version": version, "scope": scope, "consumers": part});
            if let Some(expires_at) = expires_at {
                body["expires_at"] = expires_at.to_string().into();
            }
            self.flags.daemon.command(Ask::post("v1/suppression", Body::Json(body)))?;
        }
        Ok(())
    }

    /// The numbers of a file, in E.164. A fault names the line and never the number.
    fn read(&self, path: &Path) -> anyhow::Result<BTreeSet<String>> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut numbers = BTreeSet::new();
        for (index, line) in BufReader::new(file).lines().enumerate() {
            let line = line.with_context(|| format!("cannot read {}", path.display()))?;
            match number(&line, index == 0, self.default_country) {
                Ok(number) => numbers.extend(number),
                Err(fault) => {
                    let told = format!("{}, line {}: {fault}", path.display(), index + 1);
                    return refusal(told, ["local numbers need --default-country"]);
                }
            }
        }
        Ok(numbers)
    }
}

/// The number of a line in E.164; `None` for an empty line and a heading.
fn number(line: &str, is_first: bool, country: Option<Country>) -> Result<Option<String>, &'static str> {
    if line.len() > LINE_MAX {
        return Err("is too long");
    }
    let text = line.trim_start_matches('\u{FEFF}').trim();
    let first = text.split([',', ';', '\t']).next().unwrap_or_default().trim().trim_matches('"').trim();
    match Phone::read(first, country) {
        _ if first.is_empty() => Ok(None),
        Ok(number) => Ok(Some(number.e164())),
        Err(_) if is_first && !first.contains(|c: char| c.is_ascii_digit()) => Ok(None),
        Err(_) => Err("is no phone number"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_number_in_either_form() {
        let brazil = Country::parse("BR");
        let kept = |text: &str| Ok(Some(text.to_owned()));
        assert_eq!(number("+5511987654321", false, None), kept("+5511987654321"));
        assert_eq!(number("11987654321;x\r", false, brazil), kept("+5511987654321"));
        assert_eq!(number("\u{FEFF}telefone;status", true, brazil), Ok(None));
        assert_eq!(number("", false, None), Ok(None));
        for line in ["11987654321", "telefone", &"1".repeat(5_000)] {
            assert!(number(line, false, None).is_err(), "{}", line.len());
        }
    }

    #[test]
    fn a_national_number_has_no_calling_code() {
        assert_eq!(national("+5511987654321"), "11987654321");
        assert_eq!(national("+12025550123"), "2025550123");
    }
}
