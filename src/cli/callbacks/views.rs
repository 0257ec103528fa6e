//! The parts of the daemon's answers that are printed. Unknown fields are ignored and missing ones are empty, so
//! that a command works with a daemon of another version.

use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cli::remote::FieldError;
use crate::domain::zones;

pub(in crate::cli) fn read<T: DeserializeOwned>(answer: Value) -> anyhow::Result<T> {
    serde_json::from_value(answer)
        .context("the daemon's answer cannot be read by this version; --json prints it")
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Replay {
    pub id: String,
    pub deliveries: u64,
}

/// A callback or an invite.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Callback {
    pub id: String,
    pub status: String,
    pub outcome: Option<String>,
    pub reason: Reason,
    pub next_look_at: Option<Timestamp>,
    pub created_at: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub cancel_requested_at: Option<Timestamp>,
    pub reached_late_at: Option<Timestamp>,
    pub attempts_made: u32,
    pub attempts_max: u32,
    pub retry_at: Option<Timestamp>,
    pub abandoned_at: Option<Timestamp>,
    pub invited_at: Option<Timestamp>,
    pub consumer: String,
    pub senders: Vec<String>,
    pub earliest: Option<Timestamp>,
    pub latest: Option<Timestamp>,
    pub hours: Option<Hours>,
    pub priority: u8,
    pub document: String,
    pub agent: Option<String>,
    pub pool: Option<String>,
    pub campaign: Option<String>,
    pub purpose: String,
    pub waive_gap: bool,
    pub separate: bool,
    pub missed_window: Option<String>,
    pub reference: Option<String>,
    pub assigned_agent: Option<String>,
    pub exclusive_until: Option<Timestamp>,
    pub promised_at: Option<Timestamp>,
    pub late_s: Option<i64>,
    pub place_in_line_since: Option<Timestamp>,
    pub follows: Option<String>,
    pub by_missed_call: bool,
    pub wrap_up: Option<WrapUp>,
    pub attempts: Vec<Attempt>,
    pub messages: Vec<Message>,
    /// The warnings of an accepted order.
    pub warnings: Vec<FieldError>,
}

impl Callback {
    /// The consumer's time zone, if the order has hours.
    pub(in crate::cli) fn time_zone(&self) -> Option<TimeZone> {
        self.hours.as_ref().and_then(|hours| zones::zone(&hours.zone).ok())
    }

    /// The outcome of a closed callback, the status of others. `abandoned` for a callback that waits because its consumer
    /// answered and was not served.
    pub(in crate::cli) fn standing(&self) -> &str {
        match &self.outcome {
            Some(outcome) => outcome,
            None if self.status == "waiting" && self.abandoned_at.is_some() => "abandoned",
            None => &self.status,
        }
    }
}

/// What an agent said.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct WrapUp {
    pub disposition: String,
    pub note: Option<String>,
    pub agent: Option<String>,
    pub by: String,
    pub follow_up: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Reason {
    pub code: String,
    pub sentence: String,
    pub lifts_at: Option<Timestamp>,
    pub lifted_by: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Hours {
    pub zone: String,
    pub also: Vec<String>,
    pub spans: Vec<Span>,
    pub calendar: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Span {
    pub days: String,
    pub from: String,
    pub to: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Attempt {
    pub number: u32,
    pub sender: String,
    pub stage: String,
    pub state: Option<String>,
    pub sid: Option<String>,
    pub created_at: Option<Timestamp>,
    pub disposition: Option<String>,
    pub duration_s: Option<u32>,
    pub error: Option<PlatformError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Message {
    pub purpose: String,
    pub road: Option<String>,
    pub sender: String,
    pub stage: String,
    pub state: String,
    pub sid: Option<String>,
    pub created_at: Option<Timestamp>,
    pub error: Option<PlatformError>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct PlatformError {
    pub code: u32,
    pub meaning: Option<String>,
}

impl std::fmt::Display for PlatformError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.meaning {
            Some(meaning) => write!(f, "{} ({meaning})", self.code),
            None => write!(f, "{}", self.code),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Page {
    #[serde(alias = "invites")]
    pub callbacks: Vec<Callback>,
    pub next_cursor: Option<String>,
    pub incomplete: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Timeline {
    pub entries: Vec<Entry>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Entry {
    pub at: Option<Timestamp>,
    pub what: String,
    pub why: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Explanation {
    pub id: String,
    pub status: String,
    pub outcome: Option<String>,
    pub step: Option<String>,
    pub sender: Option<String>,
    pub next_look_at: Option<Timestamp>,
    pub reasons: Vec<Reason>,
    pub senders: Vec<SenderStanding>,
    pub ladder: Vec<Rung>,
    pub local: Option<Local>,
    pub attempt: Option<Attempt>,
}

/// A road by which a sender could invite the consumer.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Rung {
    pub sender: String,
    pub road: String,
    pub account: String,
    pub standing: String,
    pub reason: Option<Reason>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct SenderStanding {
    pub number: String,
    pub configured: bool,
    pub permission: String,
    pub permission_until: Option<Timestamp>,
    pub misses: u32,
    pub live_calls: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Local {
    pub zone: String,
    pub time: String,
    pub open: bool,
    pub opens_at: Option<Timestamp>,
}

/// The result of one row of a bulk order.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cli) struct Row {
    pub row: usize,
    pub id: Option<String>,
    pub replayed: Option<bool>,
    pub warnings: Vec<FieldError>,
    pub error: Option<FieldError>,
    pub errors: Vec<FieldError>,
}

impl Row {
    pub(in crate::cli) fn faults(&self) -> impl Iterator<Item = &FieldError> {
        let only = self.error.as_ref().filter(|_| self.errors.is_empty());
        self.errors.iter().chain(only)
    }
}
