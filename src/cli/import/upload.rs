//! Sends a file in parts to an import of the daemon, and goes on where an earlier command was stopped.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write};

use anyhow::Context as _;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::list::Seen;
use super::told::Told;
use super::{Import, list};
use crate::cli::failure::Hint as _;
use crate::cli::remote::{Ask, Body};
use crate::import::Report;
use crate::import::report::Group;

/// A part of a list.
const BYTES: &str = "application/octet-stream";

/// What the daemon tells of an import.
#[derive(Debug, Deserialize)]
pub(super) struct State {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) campaign: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) received: u64,
    pub(super) rows: u64,
    pub(super) accepted: u64,
    pub(super) accepted_before: u64,
    pub(super) created_at: Timestamp,
    pub(super) created_by: String,
    refused: Vec<GroupOf>,
    findings: Vec<GroupOf>,
}

#[derive(Debug, Deserialize)]
struct GroupOf {
    check: String,
    code: String,
    count: u64,
    rows: Vec<u32>,
}

impl Import {
    /// Sends the file, and prints what became of its rows.
    pub(super) fn upload(&self, name: &str, seen: Seen, out: &mut dyn Write) -> anyhow::Result<()> {
        let begin = Ask::post("v1/imports", Body::Json(self.settings(name, &seen)?));
        let mut state = self.import(&begin)?;
        let is_complete = state.state == "complete";
        let again =
            format!("it is safe to repeat the command with --name {name}: it goes on where it was stopped");
        let mut told = Told::new(seen);
        if !is_complete {
            state = self.send(&state, &mut told).hint(again.clone())?;
            let complete = Ask::post(format!("v1/imports/{}/complete", state.id), Body::None);
            state = self.import(&complete).hint(again)?;
        }
        told.end_progress();
        told.before = if is_complete { state.accepted } else { state.accepted_before };
        told.report = report(&state);
        if let Some(path) = &self.refused {
            let refused = self.daemon.ask(&Ask::get(format!("v1/imports/{}/refused", state.id)))?;
            std::fs::write(path, refused).with_context(|| format!("cannot write {}", path.display()))?;
        }
        told.print(self.file(), false, name, self.json, out)?;
        self.judge(&told.report)
    }

    fn send(&self, begun: &State, told: &mut Told) -> anyhow::Result<State> {
        let path = format!("v1/imports/{}/parts", begun.id);
        let mut file: File = list::open(self.file())?.into_inner();
        let show = Ask::get(format!("v1/imports/{}", begun.id));
        let mut state = self.import(&show)?;
        let mut most = u64::from(self.part_bytes);
        loop {
            told.arrived(state.received, state.rows);
            let mut part = Vec::new();
            let read = file.seek(SeekFrom::Start(state.received));
            let read = read.and_then(|_| (&file).take(most).read_to_end(&mut part));
            read.with_context(|| format!("cannot read {}", self.file().display()))?;
            if part.is_empty() {
                return Ok(state);
            }
            let offset = state.received.to_string();
            let ask = Ask::put(path.clone(), Body::Raw(BYTES, part)).with_query("offset", offset);
            state = match self.import(&ask) {
                Ok(state) => state,
                // A slow daemon ends a request in the middle of a part. What it has read until then is stored.
                Err(error) => match self.import(&show) {
                    Ok(known) if known.received > state.received => {
                        most = most.div_ceil(2);
                        known
                    }
                    _ => return Err(error),
                },
            };
        }
    }

    fn import(&self, ask: &Ask<'_>) -> anyhow::Result<State> {
        serde_json::from_value(self.daemon.ask_json(ask)?)
            .context("the daemon's answer cannot be read by this version")
    }

    /// What the daemon has to know to read the list.
    fn settings(&self, name: &str, seen: &Seen) -> anyhow::Result<Value> {
        let mapping: Vec<String> = self.mapping.iter().map(ToString::to_string).collect();
        let mut settings = json!({
            "name": name,
            "defaults": self.defaults.order()?,
            "size": seen.size,
            "sha256": seen.sha256(),
            "mapping": mapping,
        });
        let given = [
            ("default_country", self.default_country.map(|country| country.to_string())),
            ("delimiter", self.delimiter.map(|delimiter| delimiter_name(delimiter).to_owned())),
            ("encoding", self.encoding.map(|encoding| encoding.as_str().to_owned())),
        ];
        for (field, value) in given {
            if let Some(value) = value {
                settings[field] = value.into();
            }
        }
        Ok(settings)
    }
}

const fn delimiter_name(delimiter: u8) -> &'static str {
    match delimiter {
        b'\t' => "tab",
        b',' => "comma",
        _ => "semicolon",
    }
}

pub(super) fn report(state: &State) -> Report {
    let groups = |groups: &[GroupOf]| {
        let group = |of: &GroupOf| {
            ((of.check.clone(), of.code.clone()), Group { count: of.count, rows: of.rows.clone() })
        };
        groups.iter().map(group).collect()
    };
    Report {
        rows: state.rows,
        good: state.accepted,
        refused: groups(&state.refused),
        findings: groups(&state.findings),
    }
}
