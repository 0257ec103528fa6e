//! `suppression import`: reads a file line by line, and adds its people in parts.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Flags, Scope, list};
use crate::cli::failure::refusal;
use crate::cli::remote::{Ask, Body};
use crate::cli::values::{country, moment, purpose};
use crate::domain::{Country, ListName, Phone, Purpose};

/// The people of one part.
const PART: usize = 1_000;
/// The longest line, in bytes.
const LINE_MAX: u64 = 4_096;
/// The maximum of lines that are told.
const REFUSALS_SHOWN: usize = 20;

#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The file: one number or SHA-256 on each line, CSV or NDJSON
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// imported:NAME with --version, or house, account:NAME, campaign:NAME with --why
    #[arg(long, value_name = "LIST", value_parser = list)]
    list: ListName,
    /// The version of an imported list, such as the date of the export; when it is whole it replaces the older ones
    #[arg(long, value_name = "TEXT")]
    version: Option<String>,
    /// A purpose of the orders that an imported list binds, once for each; all without it
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: Vec<Purpose>,
    /// A country of the numbers that an imported list binds, such as BR, once for each; all without it
    #[arg(long, value_name = "COUNTRY", value_parser = country)]
    country: Vec<Country>,
    /// When the term of an imported list ends: with an offset, or from now, such as +30d
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    valid_until: Option<Timestamp>,
    /// Where an imported list comes from
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// What is forbidden
    #[arg(long, value_enum, default_value = "all")]
    scope: Scope,
    /// Why, for the record
    #[arg(long)]
    why: Option<String>,
    /// Take a file without anybody for a whole version of an imported list: it binds nobody any more
    #[arg(long, requires = "version")]
    empty: bool,
    #[command(flatten)]
    flags: Flags,
}

/// What the daemon has answered to all parts.
#[derive(Debug, Default)]
struct Sum {
    added: u64,
    known: u64,
    withdrawn: u64,
}

/// One part.
#[derive(Debug, Default)]
struct Part {
    numbers: Vec<String>,
    digests: Vec<String>,
}

impl Part {
    fn len(&self) -> usize {
        self.numbers.len() + self.digests.len()
    }

    fn take(&mut self, person: Person) {
        match person {
            Person::Number(number) => self.numbers.push(number.e164()),
            Person::Digest(digest) => self.digests.push(digest),
        }
    }
}

impl Import {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let opened =
            File::open(&self.file).with_context(|| format!("cannot read {}", self.file.display()))?;
        if self.list.has_versions() {
            self.make_list()?;
        }
        let mut file = BufReader::new(opened);
        let (mut part, mut sum) = (Part::default(), Sum::default());
        let (mut refused, mut lines) = (Vec::new(), 0_u64);
        let (mut refusals, mut people) = (0_u64, 0_u64);
        while let Some(line) = next_line(&mut file)? {
            lines += 1;
            match read(&line, lines == 1) {
                Ok(Some(person)) => {
                    people += 1;
                    part.take(person);
                }
                Ok(None) => {}
                Err(fault) => {
                    refusals += 1;
                    if refused.len() < REFUSALS_SHOWN {
                        refused.push(format!("line {lines}: {fault}"));
                    }
                }
            }
            if part.len() == PART {
                self.send(&std::mem::take(&mut part), &mut sum)?;
                self.tell_progress(lines, &sum);
            }
        }
        if part.len() > 0 {
            self.send(&part, &mut sum)?;
        }
        if refusals == 0 && people == 0 && !self.empty {
            let hint = match self.list.has_versions() {
                true => {
                    "the version is not complete, and older ones stay in force; --empty takes a list of nobody"
                }
                false => "nothing was changed",
            };
            return refusal(format!("nobody is in the file, of {lines} lines"), [hint.to_owned()]);
        }
        let is_whole = refusals == 0;
        if is_whole && self.list.has_versions() {
            let body = json!({"list": self.list.to_string(), "version": self.version});
            self.flags.daemon.command(Ask::post("v1/suppression/lists/complete", Body::Json(body)))?;
        }
        self.summary(lines, is_whole, &sum, out)?;
        if is_whole {
            return Ok(());
        }
        let more = refusals.saturating_sub(REFUSALS_SHOWN as u64);
        refused.extend((more > 0).then(|| format!("{more} more lines")));
        refusal(format!("{refusals} of {lines} lines were not imported"), refused)
    }

    fn make_list(&self) -> anyhow::Result<()> {
        let mut body = json!({"list": self.list.to_string()});
        let purposes: Vec<&str> = self.purpose.iter().map(|purpose| purpose.as_str()).collect();
        body["purposes"] = purposes.into();
        let countries: Vec<&str> = self.country.iter().map(Country::letters).collect();
        body["countries"] = countries.into();
        let valid_until = self.term()?;
        for (field, given) in
            [("version", &self.version), ("valid_until", &valid_until), ("source", &self.source)]
        {
            if let Some(text) = given {
                body[field] = text.clone().into();
            }
        }
        self.flags.daemon.ask_json(&Ask::post("v1/suppression/lists", Body::Json(body))).map(drop)
    }

    /// When the term of the version ends. A version that is there keeps its own, so that the command can be repeated
    /// with a term from now.
    fn term(&self) -> anyhow::Result<Option<String>> {
        let Some(given) = self.valid_until else { return Ok(None) };
        let page = self.flags.daemon.ask_json(&Ask::get("v1/suppression/lists"))?;
        let name = self.list.to_string();
        let is_ours =
            |list: &&Value| list["list"] == *name && list["version"].as_str() == self.version.as_deref();
        let known = page["lists"].as_array().into_iter().flatten().find(is_ours);
        let Some(kept) = known.and_then(|list| list["valid_until"].as_str()) else {
            return Ok(Some(given.to_string()));
        };
        if kept.parse::<Timestamp>().ok() != Some(given) {
            let _ =
                writeln!(anstream::stderr(), "the version is there already, and stays valid until {kept}");
        }
        Ok(Some(kept.to_owned()))
    }

    fn send(&self, part: &Part, sum: &mut Sum) -> anyhow::Result<()> {
        let mut body = json!({
            "list": self.list.to_string(), "scope": self.scope.as_str(),
            "consumers": part.numbers, "sha256": part.digests,
        });
        for (field, given) in [("version", &self.version), ("why", &self.why)] {
            if let Some(text) = given {
                body[field] = text.clone().into();
            }
        }
        let answer = self.flags.daemon.command(Ask::post("v1/suppression", Body::Json(body)))?;
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        sum.added += number(&answer["added"]);
        sum.known += number(&answer["known"]);
        sum.withdrawn += number(&answer["withdrawn"]["count"]);
        Ok(())
    }

    /// On standard error, so that the output stays one answer.
    fn tell_progress(&self, lines: u64, sum: &Sum) {
        if !self.flags.json {
            let _ = writeln!(anstream::stderr(), "{lines} lines read, {} people added", sum.added);
        }
    }

    fn summary(&self, lines: u64, is_whole: bool, sum: &Sum, out: &mut dyn Write) -> anyhow::Result<()> {
        let Sum { added, known, withdrawn } = sum;
        if self.flags.json {
            let answer = json!({"lines": lines, "added": added, "known": known, "withdrawn": withdrawn,
                "complete": is_whole});
            return Ok(writeln!(out, "{answer:#}")?);
        }
        writeln!(
            out,
            "{lines} lines read: {added} people added, {known} were there already, {withdrawn} waiting orders withdrawn"
        )?;
        Ok(())
    }
}

/// One person of a line.
#[derive(Debug, PartialEq, Eq)]
enum Person {
    Number(Phone),
    Digest(String),
}

/// The next line without its end; `None` at the end of the file.
fn next_line(file: &mut impl std::io::BufRead) -> anyhow::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    if file.by_ref().take(LINE_MAX).read_until(b'\n', &mut line).context("cannot read the file")? == 0 {
        return Ok(None);
    }
    if !line.ends_with(b"\n") && line.len() as u64 == LINE_MAX {
        // The rest of the line is no line of its own.
        let mut rest = Vec::new();
        while file.by_ref().take(LINE_MAX).read_until(b'\n', &mut rest)? > 0 && !rest.ends_with(b"\n") {
            rest.clear();
        }
    }
    Ok(Some(line))
}

/// The person of a line; `None` for an empty one and for a heading. The fault never has the line's text.
fn read(line: &[u8], is_first: bool) -> Result<Option<Person>, &'static str> {
    let text = std::str::from_utf8(line).map_err(|_| "is not UTF-8")?;
    let text = if is_first { text.trim_start_matches('\u{FEFF}') } else { text }.trim();
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with('{') {
        let row: Value = serde_json::from_str(text).map_err(|_| "is not JSON")?;
        return match (row["consumer"].as_str(), row["sha256"].as_str()) {
            (Some(number), None) => person(number).map(Some),
            (None, Some(digest)) => person(digest).map(Some),
            _ => Err("has neither \"consumer\" nor \"sha256\" as a text, or both"),
        };
    }
    let first = text.split([',', ';', '\t']).next().unwrap_or_default().trim().trim_matches('"').trim();
    match person(first) {
        Err(_) if is_first && !first.contains(|c: char| c.is_ascii_digit()) => Ok(None),
        // A heading of hashes.
        Err(_) if is_first && first.eq_ignore_ascii_case("sha256") => Ok(None),
        read => read.map(Some),
    }
}

fn person(text: &str) -> Result<Person, &'static str> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Person::Digest(text.to_ascii_lowercase()));
    }
    let number = Phone::parse(text).map(Person::Number);
    number.map_err(|_| "is neither a number in E.164, with its plus, nor a SHA-256 of 64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Option<Person> {
        Some(Person::Number(Phone::parse(text).unwrap()))
    }

    #[test]
    fn a_line_is_a_number_a_hash_a_row_of_csv_or_json() {
        let digest = "AB".repeat(32);
        let digested = Some(Person::Digest("ab".repeat(32)));
        for (line, person) in [
            ("+5511987654321\r\n", number("+5511987654321")),
            ("\"+5511987654321\";Maria\n", number("+5511987654321")),
            ("+5511987654321\t2026\n", number("+5511987654321")),
            ("{\"consumer\": \"+5511987654321\"}\n", number("+5511987654321")),
            (&digest, digested),
            ("  \n", None),
        ] {
            assert_eq!(read(line.as_bytes(), false), Ok(person), "{line}");
        }
        assert_eq!(
            read(format!("{{\"sha256\": \"{digest}\"}}").as_bytes(), false).unwrap(),
            Some(Person::Digest("ab".repeat(32)))
        );
    }

    #[test]
    fn a_heading_is_passed_over_on_the_first_line_only() {
        for heading in ["consumer,name\n", "\u{FEFF}Telefone\n", "SHA256\n"] {
            assert_eq!(read(heading.as_bytes(), true), Ok(None), "{heading}");
            assert!(read(heading.as_bytes(), false).is_err(), "{heading}");
        }
        assert!(read(b"5511987654321\n", true).is_err(), "a number without its plus is no heading");
    }

    #[test]
    fn a_fault_does_not_show_the_line() {
        for line in ["11987654321", "5.51E+12", "{\"consumer\": 5511987654321}", "{}", "{", "abc"] {
            let fault = read(line.as_bytes(), false).unwrap_err();
            assert!(!fault.contains("987654321") && !fault.contains("5.51"), "{fault}");
        }
        assert_eq!(read(&[0xff], false), Err("is not UTF-8"));
    }

    #[test]
    fn a_long_line_is_one_line() {
        let text = format!("{}\n+5511987654321\n", "x".repeat(20_000));
        let mut file = text.as_bytes();
        assert_eq!(next_line(&mut file).unwrap().unwrap().len() as u64, LINE_MAX);
        assert_eq!(next_line(&mut file).unwrap().unwrap(), b"+5511987654321\n");
        assert_eq!(next_line(&mut file).unwrap(), None);
    }
}
