//! Orders many callbacks or invites from a file, and says what became of each row.

use std::io::{Read as _, Write};
use std::path::Path;

use anyhow::Context as _;
use serde_json::Value;

use super::views::Row;
use crate::cli::failure::refusal;
use crate::cli::remote::{Ask, Body, NDJSON, Target};
use crate::domain::OrderKind;
use crate::text;

/// How many refused rows are printed; `--json` prints all.
const REFUSALS_SHOWN: usize = 20;

/// A file of orders of one kind.
pub(in crate::cli) struct Many<'a> {
    pub(in crate::cli) kind: OrderKind,
    /// `-` for the standard input.
    pub(in crate::cli) path: &'a Path,
    pub(in crate::cli) key: &'a str,
    pub(in crate::cli) json: bool,
    pub(in crate::cli) daemon: &'a Target,
}

const fn noun(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Callback => "callbacks",
        OrderKind::Invite => "invites",
    }
}

impl Many<'_> {
    pub(in crate::cli) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let path = self.path;
        let mut bytes = Vec::new();
        if path.as_os_str() == "-" {
            std::io::stdin().lock().read_to_end(&mut bytes).context("the standard input cannot be read")?;
        } else {
            bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        }
        let text = match text::json::open(&bytes) {
            Ok(text) => text.to_vec(),
            Err(found) => {
                return refusal(format!("{}: {found}", path.display()), [WRITE_OBJECTS]);
            }
        };
        let noun = noun(self.kind);
        let Some((media, bytes)) = rows(text) else {
            return refusal(format!("{} has no {noun}", path.display()), [WRITE_OBJECTS]);
        };
        let ask = Ask::post(format!("v1/{noun}/bulk"), Body::Raw(media, bytes)).with_key(self.key);
        let answer = self.daemon.ask(&ask)?;
        if self.json {
            out.write_all(&answer)?;
        }
        let rows = results(&answer).context("the daemon's answer cannot be read by this version")?;
        summary(self.kind, &rows, !self.json, out)
    }
}

const WRITE_OBJECTS: &str = "write one JSON object on each line, or an array of objects";

/// The rows and their media type; `None` if there are none.
fn rows(bytes: Vec<u8>) -> Option<(&'static str, Vec<u8>)> {
    match bytes.trim_ascii().first()? {
        b'[' => Some(("application/json", bytes)),
        // One object on several lines is one row.
        _ => match serde_json::from_slice::<Value>(&bytes) {
            Ok(only) => Some((NDJSON, only.to_string().into_bytes())),
            Err(_) => Some((NDJSON, bytes)),
        },
    }
}

fn results(answer: &[u8]) -> serde_json::Result<Vec<Row>> {
    if answer.trim_ascii().starts_with(b"[") {
        return serde_json::from_slice(answer);
    }
    serde_json::Deserializer::from_slice(answer).into_iter().collect()
}

fn summary(kind: OrderKind, rows: &[Row], say: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let refused: Vec<&Row> = rows.iter().filter(|row| row.id.is_none()).collect();
    let kept = rows.len() - refused.len();
    let before = rows.iter().filter(|row| row.replayed == Some(true)).count();
    if say {
        let again =
            if before > 0 { format!(", {before} of them by an earlier command") } else { String::new() };
        writeln!(out, "{kept} of {} {} accepted{again}", rows.len(), noun(kind))?;
        let warned = || rows.iter().filter(|row| !row.warnings.is_empty());
        for row in warned().take(REFUSALS_SHOWN) {
            for warning in &row.warnings {
                writeln!(out, "warning: row {}: {warning}", row.row)?;
            }
        }
        let rest = warned().count().saturating_sub(REFUSALS_SHOWN);
        if rest > 0 {
            writeln!(out, "warning: {rest} more rows have warnings; --json prints them all")?;
        }
    }
    if refused.is_empty() {
        return Ok(());
    }
    let told = refused
        .iter()
        .take(REFUSALS_SHOWN)
        .flat_map(|row| row.faults().map(|fault| format!("row {}: {fault}", row.row)).collect::<Vec<_>>());
    let rest = refused.len().saturating_sub(REFUSALS_SHOWN);
    let more = (rest > 0).then(|| format!("{rest} more rows; --json prints them all"));
    refusal(format!("{} of {} rows were refused", refused.len(), rows.len()), told.chain(more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(&'static str, String)> {
        rows(text.as_bytes().to_vec()).map(|(media, bytes)| (media, String::from_utf8(bytes).unwrap()))
    }

    #[test]
    fn a_file_is_lines_an_array_or_one_object() {
        assert_eq!(read("  \n"), None);
        assert_eq!(read("[{}]").map(|(media, _)| media), Some("application/json"));
        assert_eq!(read("{}\n{}\n"), Some((NDJSON, "{}\n{}\n".into())));
        assert_eq!(read("{\n \"a\": 1\n}\n"), Some((NDJSON, "{\"a\":1}".into())));
    }

    #[test]
    fn refused_rows_are_named_by_number_and_accepted_rows_are_counted() {
        let answer = br#"{"row":1,"id":"cb_1"}
{"row":2,"error":{"field":"consumer","code":"x","detail":"is missing"},
 "errors":[{"field":"consumer","code":"x","detail":"is missing"},{"field":"document","code":"x","detail":"is missing"}]}
{"row":3,"id":"cb_0","replayed":true}"#;
        let mut out = Vec::new();
        let error = summary(OrderKind::Callback, &results(answer).unwrap(), true, &mut out).unwrap_err();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "2 of 3 callbacks accepted, 1 of them by an earlier command\n"
        );
        let mut told = Vec::new();
        crate::cli::failure::write(&error, &mut told).unwrap();
        let told = anstream::adapter::strip_str(&String::from_utf8(told).unwrap()).to_string();
        assert_eq!(
            told,
            "error: 1 of 3 rows were refused\nhint: row 2: consumer: is missing\nhint: row 2: document: is missing\n"
        );
    }

    #[test]
    fn warnings_of_accepted_rows_are_named_by_number() {
        let answer = br#"{"row":1,"id":"cb_1"}
{"row":2,"id":"cb_2","warnings":[{"field":"latest","code":"x","detail":"is near"}]}
{"row":3,"id":"cb_3","warnings":[{"field":"","code":"row.repeated","detail":"orders the same as row 1"}]}"#;
        let mut out = Vec::new();
        summary(OrderKind::Callback, &results(answer).unwrap(), true, &mut out).unwrap();
        let told = String::from_utf8(out).unwrap();
        assert_eq!(
            told,
            "3 of 3 callbacks accepted\nwarning: row 2: latest: is near\nwarning: row 3: orders the same as row 1\n"
        );
    }

    #[test]
    fn an_array_is_answered_with_an_array() {
        let rows = results(br#"[{"row":1,"id":"cb_1"}]"#).unwrap();
        assert!(summary(OrderKind::Invite, &rows, false, &mut Vec::new()).is_ok());
    }
}
