//! The open work of a campaign, and what it may use.

use jiff::{SignedDuration, Timestamp};

use super::Rates;
use crate::domain::{Calendars, CallingHours};

/// One open callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// No call before it.
    pub earliest: Timestamp,
    /// No call at or after it.
    pub latest: Timestamp,
    /// The place of its hours in [`Work::hours`]; `None`: any time.
    pub hours: Option<usize>,
    pub priority: u8,
    /// How many more calls may be made.
    pub attempts: u32,
    pub permission: Permission,
}

/// Whether the consumer may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// Up to a moment; `None`: without an end.
    Live(Option<Timestamp>),
    /// It was requested, and the answer is awaited.
    Asked,
    /// It is requested at this moment.
    AskedAt(Timestamp),
    /// It cannot be had, so the callback waits for its deadline.
    None,
}

/// How many calls there may be.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Ceilings {
    /// At once, for senders, accounts and the campaign.
    pub calls: Option<u32>,
    /// At once, for agents, or for the seats of their pools.
    pub agents: Option<u32>,
    /// How long a seat is held after a call that was answered, in seconds.
    pub wrap_up_s: f64,
    /// To begin in a minute.
    pub per_minute: Option<f64>,
    /// To one person in 24 hours; 0: any number.
    pub per_person_day: u32,
}

/// What is played.
#[derive(Debug, Clone)]
pub struct Work {
    pub now: Timestamp,
    /// All open callbacks, or a sample of them.
    pub rows: Vec<Row>,
    /// How many there are; at least as many as `rows`.
    pub total: u64,
    /// The hours of the rows, each once.
    pub hours: Vec<CallingHours>,
    pub calendars: Calendars,
    pub ceilings: Ceilings,
    pub rates: Rates,
    /// From a call that was not answered to the next one.
    pub retry: SignedDuration,
    /// How long a permission that is granted for a time lasts.
    pub permission: SignedDuration,
    /// The zone by whose days calls are counted.
    pub zone: String,
}

impl Work {
    /// Which share of the work is played, above 0 and at most 1.
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
    pub(super) fn share(&self) -> f64 {
        let (rows, total) = (self.rows.len() as f64, self.total.max(1) as f64);
        (rows / total).clamp(f64::MIN_POSITIVE, 1.0)
    }
}
