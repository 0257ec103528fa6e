//! Opens a list, and makes parts of its rows: what is sent in one request.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::cli::failure::Hint as _;
use crate::cli::remote::FieldError;
use crate::import::rows::Found;
use crate::import::{Fault, ListError, Options, Report, Row, Rows, is_name};

/// A part ends with the row that reaches this, in bytes.
const PART_BYTES: usize = 4 << 20;

/// A list that was read to its end.
pub(super) struct Seen {
    pub(super) found: Found,
    /// Rows that are not empty.
    pub(super) rows: u64,
    pub(super) empty: u32,
    /// The size of the file, in bytes.
    pub(super) size: u64,
    hash: [u8; 32],
}

impl Seen {
    /// The name of an import of this file for this campaign, so that another campaign has its own.
    pub(super) fn name(&self, campaign: Option<&str>) -> String {
        name_of(&self.hash, campaign)
    }

    /// SHA-256 of the file, in hexadecimal digits.
    pub(super) fn sha256(&self) -> String {
        self.hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn name_of(hash: &[u8], campaign: Option<&str>) -> String {
    let digits = |hash: &[u8]| -> String { hash.iter().map(|byte| format!("{byte:02x}")).collect() };
    let file = format!("import-{}", digits(&hash[..8]));
    let Some(campaign) = campaign else { return file };
    let named = format!("{file}-{campaign}");
    if is_name(&named) { named } else { format!("{file}-{}", digits(&Sha256::digest(campaign)[..8])) }
}

/// Reads a list to its end.
pub(super) fn examine(path: &Path, options: Options) -> anyhow::Result<Seen> {
    let (mut hash, mut size) = (Sha256::new(), 0);
    let mut rows = rows(path, Hashed { inner: open(path)?, hash: &mut hash, size: &mut size }, options)?;
    let mut count = 0;
    for row in rows.by_ref() {
        told(path, row)?;
        count += 1;
    }
    let (found, empty) = (rows.found().clone(), rows.empty());
    drop(rows);
    Ok(Seen { found, rows: count, empty, size, hash: hash.finalize().into() })
}

pub(super) fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(BufReader::with_capacity(256 << 10, file))
}

fn rows<R: BufRead>(path: &Path, input: R, options: Options) -> anyhow::Result<Rows<R>> {
    told(path, Rows::open(input, options))
}

/// An error with the name of the file and what to do about it.
fn told<T>(path: &Path, result: Result<T, ListError>) -> anyhow::Result<T> {
    let hint = result.as_ref().err().and_then(ListError::hint).map(str::to_owned);
    let result = result.with_context(|| format!("{} cannot be imported", path.display()));
    result.hints(hint)
}

/// Hashes what is read.
struct Hashed<'h, R> {
    inner: R,
    hash: &'h mut Sha256,
    size: &'h mut u64,
}

impl<R: BufRead> Read for Hashed<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.hash.update(&out[..count]);
        *self.size += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Hashed<'_, R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        if let Ok(bytes) = self.inner.fill_buf() {
            self.hash.update(&bytes[..count]);
            *self.size += count as u64;
        }
        self.inner.consume(count);
    }
}

/// The rows of a list in parts.
pub(super) struct Parts<'a> {
    path: &'a Path,
    rows: Rows<BufReader<File>>,
    rows_max: usize,
}

/// Rows that are sent in one request.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// One order on each line.
    pub(super) body: Vec<u8>,
    /// The row of each line.
    pub(super) numbers: Vec<u32>,
    /// Rows that are not sent.
    refused: Vec<(u32, Vec<Fault>)>,
}

impl<'a> Parts<'a> {
    pub(super) fn open(path: &'a Path, options: Options, rows_max: u32) -> anyhow::Result<Self> {
        Ok(Self { path, rows: rows(path, open(path)?, options)?, rows_max: rows_max as usize })
    }

    /// The next part; `None` at the end.
    pub(super) fn read(&mut self) -> anyhow::Result<Option<Part>> {
        let mut part = Part::default();
        while part.numbers.len() + part.refused.len() < self.rows_max && part.body.len() < PART_BYTES {
            match self.rows.next() {
                None => break,
                Some(row) => part.add(told(self.path, row)?),
            }
        }
        Ok((!part.numbers.is_empty() || !part.refused.is_empty()).then_some(part))
    }
}

impl Part {
    fn add(&mut self, Row { number, order, .. }: Row) {
        match order {
            Ok(json) => {
                self.body.extend_from_slice(json.as_bytes());
                self.body.push(b'\n');
                self.numbers.push(number);
            }
            Err(faults) => self.refused.push((number, faults)),
        }
    }

    /// The row of a line, from 1.
    pub(super) fn row(&self, line: usize) -> u32 {
        let index = line.checked_sub(1);
        index.and_then(|index| self.numbers.get(index)).copied().unwrap_or(u32::MAX)
    }

    /// Counts the rows that are not sent, and returns their faults.
    pub(super) fn refuse(&self, report: &mut Report) -> Vec<(u32, Fault)> {
        let mut all = Vec::new();
        for (row, faults) in &self.refused {
            report.refuse("list", *row, faults.iter().map(|fault| &*fault.code));
            all.extend(faults.iter().map(|fault| (*row, fault.clone())));
        }
        all
    }

    /// Adds the daemon's answer about the rows of this part.
    pub(super) fn merge(&self, answer: Checked, report: &mut Report, faults: &mut Vec<(u32, Fault)>) {
        (0..answer.good).for_each(|_| report.accept());
        for faults_of_row in answer.refused.chunk_by(|a, b| a.row == b.row) {
            let row = self.row(faults_of_row[0].row);
            report.refuse("order", row, faults_of_row.iter().map(|fault| fault.fault.code.as_str()));
            faults.extend(faults_of_row.iter().map(|told| (row, fault(&told.fault))));
        }
        for finding in answer.findings {
            let rows: Vec<u32> = finding.rows.iter().map(|&line| self.row(line)).collect();
            report.find(&finding.check, &finding.code, finding.count, &rows);
        }
    }
}

/// What the daemon tells about a part.
#[derive(Debug, Deserialize)]
pub(super) struct Checked {
    good: u64,
    refused: Vec<RefusedRow>,
    findings: Vec<Finding>,
}

#[derive(Debug, Deserialize)]
struct RefusedRow {
    row: usize,
    #[serde(flatten)]
    fault: FieldError,
}

#[derive(Debug, Deserialize)]
struct Finding {
    check: String,
    code: String,
    count: u64,
    rows: Vec<usize>,
}

/// A fault that the daemon found.
pub(super) fn fault(told: &FieldError) -> Fault {
    Fault { field: told.field.clone(), code: Cow::Owned(told.code.clone()), detail: told.detail.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_without_a_name_has_one_for_each_campaign() {
        let hash = [0xAB; 32];
        let id = "cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f";
        assert_eq!(name_of(&hash, None), "import-abababababababab");
        assert_eq!(name_of(&hash, Some(id)), format!("import-abababababababab-{id}"));
        let [label, other] = ["Natal e Ano Novo", "Páscoa"].map(|label| name_of(&hash, Some(label)));
        assert!(is_name(&label) && is_name(&other) && label != other, "{label} {other}");
        assert!(is_name(&name_of(&hash, Some(&"x".repeat(100)))));
    }
}
