//! The demo of a campaign: a list with faults is checked and imported, the campaign is launched, paused for lunch and resumed,
//! and ends with its figures.

use std::fmt::Write as _;
use std::io::Write;

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::samples;
use crate::cli::campaign;
use crate::cli::remote::{Ask, Body, NDJSON, Target};
use crate::import::{Options, Report, Rows};
use crate::simulation::SENDERS;

/// When the campaign is paused after its launch, and for how long, by the demo's clock.
const PAUSED_AFTER: SignedDuration = SignedDuration::from_mins(10);
const PAUSED_FOR: SignedDuration = SignedDuration::from_mins(10);

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Pause(Timestamp),
    Resume(Timestamp),
    Nothing,
}

/// A campaign that runs.
pub(super) struct Tour<'a> {
    target: &'a Target,
    id: String,
    next: Next,
}

#[derive(Deserialize)]
struct Checked {
    good: u64,
    refused: Vec<Refused>,
}

#[derive(Deserialize)]
struct Refused {
    row: usize,
    code: String,
}

impl<'a> Tour<'a> {
    /// Creates the campaign, checks and imports its list, and launches it.
    pub(super) async fn begin(
        target: &'a Target,
        callbacks: usize,
        now: Timestamp,
        out: &mut dyn Write,
    ) -> anyhow::Result<Self> {
        let draft = json!({
            "name": "Spring renewals",
            "concurrent_calls_max": 4,
            "defaults": {
                "sender": SENDERS[0], "document": "message", "priority": 3,
                "variables": {"message": "Your contract ends in May. Thank you for your time."},
            },
            "note": "list of this morning",
        });
        let made = post(target, "v1/campaigns", draft).await?;
        let id = made["id"].as_str().context("a campaign has an id")?.to_owned();
        writeln!(out, "The campaign {id} is a draft.")?;
        let list = list(callbacks, now);
        let latest = now.checked_add(super::DEADLINE)?;
        let (rows, numbers, mut report) = read(&list, &id, latest)?;
        let body = || Body::Raw(NDJSON, rows.clone().into_bytes());
        let checked =
            target.send(&Ask::post("v1/imports/check", body())).await.context("the preflight failed")?;
        let checked: Checked = serde_json::from_slice(&checked).context("the preflight cannot be read")?;
        for Refused { row, code } in &checked.refused {
            let row = row.checked_sub(1).and_then(|line| numbers.get(line)).copied().unwrap_or_default();
            report.refuse("order", row, [code.as_str()]);
        }
        (0..checked.good).for_each(|_| report.accept());
        writeln!(out, "Preflight of {} rows: {} would be ordered.", report.rows, report.good)?;
        for ((check, code), group) in &report.refused {
            let rows: Vec<String> = group.rows.iter().map(ToString::to_string).collect();
            writeln!(out, "  refused by the check of the {check}: {code}, row {}", rows.join(", "))?;
        }
        target.send(&Ask::post("v1/imports/demo/rows", body())).await.context("the list was refused")?;
        post(target, &format!("v1/campaigns/{id}/launch"), json!({"note": "approved by Rosa"})).await?;
        writeln!(out, "The list is imported, and the campaign is launched.\n")?;
        out.flush()?;
        Ok(Self { target, id, next: Next::Pause(now.checked_add(PAUSED_AFTER)?) })
    }

    /// Pauses and resumes the campaign when it is time.
    pub(super) async fn act(&mut self, now: Timestamp) -> anyhow::Result<()> {
        match self.next {
            Next::Pause(at) if at <= now => {
                self.order("pause", json!({"why": "the agents are at lunch"})).await?;
                self.next = Next::Resume(now.checked_add(PAUSED_FOR)?);
            }
            Next::Resume(at) if at <= now => {
                self.order("resume", json!({})).await?;
                self.next = Next::Nothing;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the campaign is not paused any more, so that the demo may end.
    pub(super) fn is_through(&self) -> bool {
        !matches!(self.next, Next::Resume(_))
    }

    /// Lets the campaign end, and prints its figures.
    pub(super) async fn end(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        self.order("drain", json!({})).await?;
        let shown = self.target.send(&Ask::get(format!("v1/campaigns/{}", self.id))).await?;
        writeln!(out)?;
        campaign::print_progress(&serde_json::from_slice(&shown)?, out)
    }

    async fn order(&self, act: &str, body: Value) -> anyhow::Result<()> {
        post(self.target, &format!("v1/campaigns/{}/{act}", self.id), body).await.map(drop)
    }
}

/// Waits until it is applied: what comes next reads what it has changed.
async fn post(target: &Target, path: &str, body: Value) -> anyhow::Result<Value> {
    target.carry_out(Ask::post(path.to_owned(), Body::Json(body))).await
}

/// The list as a spreadsheet has it. Three of its rows are wrong: a number that is too short, one that a spreadsheet has
/// rounded, and one that no call may go to.
fn list(callbacks: usize, now: Timestamp) -> String {
    let orders = samples::orders(samples::WRITTEN_COUNT + callbacks, now, super::DEADLINE);
    let mut list = "Phone;Ticket\n".to_owned();
    for (n, order) in orders.iter().skip(samples::WRITTEN_COUNT).enumerate() {
        let consumer = order["consumer"].as_str().unwrap_or_default();
        _ = writeln!(list, "{consumer};contract {}", 1_000 + n);
    }
    list.push_str("+3363998;contract 1\n3,36E+10;contract 2\n+5352345678;contract 3\n");
    list
}

/// The rows that can be read, one on each line, with their numbers, and a report of the others.
fn read(list: &str, campaign: &str, latest: Timestamp) -> anyhow::Result<(String, Vec<u32>, Report)> {
    let mut defaults = Map::new();
    defaults.insert("campaign".to_owned(), campaign.into());
    defaults.insert("latest".to_owned(), latest.to_string().into());
    let mapping = ["Phone=consumer", "Ticket=reference"].map(str::parse);
    let mapping =
        mapping.into_iter().collect::<Result<_, _>>().map_err(|error| anyhow::anyhow!("{error}"))?;
    let options = Options { encoding: None, delimiter: None, mapping, default_country: None, defaults };
    let (mut rows, mut numbers, mut report) = (String::new(), Vec::new(), Report::default());
    for row in Rows::open(list.as_bytes(), options)? {
        let row = row?;
        match row.order {
            Ok(order) => {
                _ = writeln!(rows, "{order}");
                numbers.push(row.number);
            }
            Err(faults) => report.refuse("list", row.number, faults.iter().map(|fault| &*fault.code)),
        }
    }
    Ok((rows, numbers, report))
}
