//! `enqueue`: orders one callback from flags, or many from a file.

use std::io::{Read as _, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::print;
use super::views::{self, Row};
use crate::cli::failure::refusal;
use crate::cli::remote::{Ask, Body, NDJSON, Target};
use crate::cli::values::{
    Page, Pair, agent, json, messenger, moment, page, pair, phone, priority, purpose, variables,
};
use crate::domain::{AgentTarget, Phone, Purpose};
use crate::text;

/// How many refused rows are printed; `--json` prints all.
const REFUSALS_SHOWN: usize = 20;

#[derive(Debug, Args)]
pub(in crate::cli) struct Enqueue {
    /// The number to call, in E.164
    #[arg(long, value_name = "NUMBER", value_parser = phone, required_unless_present = "file")]
    consumer: Option<Phone>,
    /// The TwiML document of the call
    #[arg(long, value_name = "NAME", required_unless_present = "file")]
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
    /// No call before this time: with an offset, such as 2026-11-22T09:00:00-03:00, or from now, such as +2h
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    earliest: Option<Timestamp>,
    /// No call at or after this time [default: the end of the third open day]
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    latest: Option<Timestamp>,
    /// When the consumer may be called, such as "mon-fri 09:00-18:00, sat 10:00-13:00 @America/Sao_Paulo"
    #[arg(long)]
    hours: Option<String>,
    /// The priority: urgent, normal, bulk, or a number from 0 (bulk) to 9 (urgent)
    #[arg(long, value_name = "LEVEL", value_parser = priority)]
    priority: Option<u8>,
    /// The maximum number of attempts
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=20))]
    attempts_max: Option<u32>,
    /// A campaign; callbacks can be listed by it
    #[arg(long)]
    campaign: Option<String>,
    /// Why the consumer is called: requested (by the consumer), service, marketing or collections
    #[arg(long, value_name = "PURPOSE", value_parser = purpose)]
    purpose: Option<Purpose>,
    /// Call also soon after an earlier call that the consumer answered
    #[arg(long)]
    waive_gap: bool,
    /// Your own name for the callback
    #[arg(long)]
    reference: Option<String>,
    /// The consumer's id at the page of a Messenger account; may be repeated for other accounts
    #[arg(long, value_name = "ACCOUNT=PSID", value_parser = page)]
    messenger: Vec<Page>,
    /// Any JSON; answers have it unchanged
    #[arg(long, value_name = "JSON", value_parser = json)]
    metadata: Option<Value>,
    /// Callbacks as NDJSON or as a JSON array, with the fields of the API; "-" reads the standard input
    #[arg(
        long, value_name = "FILE",
        conflicts_with_all = ["consumer", "document", "senders", "variables", "agent", "earliest", "latest",
            "hours", "priority", "attempts_max", "campaign", "purpose", "waive_gap",
            "reference", "messenger", "metadata"]
    )]
    file: Option<PathBuf>,
    /// Makes the command safe to repeat: callbacks with the same key are ordered once. By default, each command has
    /// a new key
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Print the daemon's answer as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: Target,
}

impl Enqueue {
    pub(in crate::cli) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let key = self.idempotency_key.clone().unwrap_or_else(|| Uuid::new_v4().simple().to_string());
        match &self.file {
            Some(path) => self.many(path, &key, out),
            None => {
                let ask = Ask::post("v1/callbacks", Body::Json(self.order()?)).with_key(&key);
                let answer = self.daemon.ask_json(&ask)?;
                if self.json { print::json(&answer, out) } else { print::line(&views::read(answer)?, out) }
            }
        }
    }

    fn order(&self) -> anyhow::Result<Value> {
        let numbers: Vec<String> = self.senders.iter().map(|sender| sender.e164()).collect();
        let (sender, senders) = match numbers.as_slice() {
            [] => (None, None),
            [only] => (Some(only.clone().into()), None),
            several => (None, Some(several.into())),
        };
        let text = |text: &Option<String>| text.clone().map(Value::from);
        let given: [(&str, Option<Value>); 17] = [
            ("consumer", self.consumer.map(|consumer| consumer.e164().into())),
            ("sender", sender),
            ("senders", senders),
            ("earliest", self.earliest.map(|at| at.to_string().into())),
            ("latest", self.latest.map(|at| at.to_string().into())),
            ("hours", text(&self.hours)),
            ("priority", self.priority.map(Into::into)),
            ("document", text(&self.document)),
            ("variables", variables(&self.variables)?),
            ("agent", self.agent.as_ref().map(|agent| agent.to_string().into())),
            ("attempts_max", self.attempts_max.map(Into::into)),
            ("campaign", text(&self.campaign)),
            ("purpose", self.purpose.map(|purpose| purpose.as_str().into())),
            ("waive_gap", self.waive_gap.then_some(true.into())),
            ("reference", text(&self.reference)),
            ("messenger", messenger(&self.messenger)?),
            ("metadata", self.metadata.clone()),
        ];
        let present = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Ok(Value::Object(present.collect()))
    }

    fn many(&self, path: &PathBuf, key: &str, out: &mut dyn Write) -> anyhow::Result<()> {
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
        let Some((media, bytes)) = rows(text) else {
            return refusal(format!("{} has no callbacks", path.display()), [WRITE_OBJECTS]);
        };
        let answer =
            self.daemon.ask(&Ask::post("v1/callbacks/bulk", Body::Raw(media, bytes)).with_key(key))?;
        if self.json {
            out.write_all(&answer)?;
        }
        let rows = results(&answer).context("the daemon's answer cannot be read by this version")?;
        summary(&rows, !self.json, out)
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

fn summary(rows: &[Row], say: bool, out: &mut dyn Write) -> anyhow::Result<()> {
    let refused: Vec<&Row> = rows.iter().filter(|row| row.id.is_none()).collect();
    let kept = rows.len() - refused.len();
    let before = rows.iter().filter(|row| row.replayed == Some(true)).count();
    if say {
        let again =
            if before > 0 { format!(", {before} of them by an earlier command") } else { String::new() };
        writeln!(out, "{kept} of {} callbacks accepted{again}", rows.len())?;
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
        let error = summary(&results(answer).unwrap(), true, &mut out).unwrap_err();
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
        summary(&results(answer).unwrap(), true, &mut out).unwrap();
        let told = String::from_utf8(out).unwrap();
        assert_eq!(
            told,
            "3 of 3 callbacks accepted\nwarning: row 2: latest: is near\nwarning: row 3: orders the same as row 1\n"
        );
    }

    #[test]
    fn an_array_is_answered_with_an_array() {
        let rows = results(br#"[{"row":1,"id":"cb_1"}]"#).unwrap();
        assert!(summary(&rows, false, &mut Vec::new()).is_ok());
    }
}
