//! What many plays say together: the middle one, and the one that nine of ten do not exceed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::play::{Bind, Open, Played, moment, play};
use super::work::Work;
use crate::domain::zones;

/// The middle of the plays, and what nine of ten do not exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span<T> {
    pub p50: T,
    pub p90: T,
}

/// Calls of a day: the mean of the plays, and the fewest and the most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Days {
    pub date: Date,
    pub mean: f64,
    pub min: f64,
    pub max: f64,
}

/// A forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Outlook {
    /// How many plays were made. Fewer than asked for, if the time was over.
    pub plays: u32,
    /// How many rows were played, of how many.
    pub sample: u64,
    pub total: u64,
    /// When the last call ends; `None` if there is no call.
    pub last_call: Option<Span<Timestamp>>,
    /// When the last callback is closed. A consumer who does not answer a request is waited for until the deadline.
    pub finished: Span<Timestamp>,
    pub calls: Span<f64>,
    pub requests: Span<f64>,
    pub reached: Span<f64>,
    pub days: Vec<Days>,
    /// Of the time in which something waited, the share in which it waited for this, the greatest first.
    pub binds: Vec<(Bind, f64)>,
    /// The seats of agents that were assumed; `None` if agents do not bound it.
    pub agents: Option<u32>,
    /// Of the time in which somebody was called or might be, the share in which agents neither talked nor wrapped up. The
    /// ringing of answered calls counts as talking.
    pub agents_idle: Option<f64>,
}

/// Plays the work `plays` times, or until `is_over`. `None` if there is no work or no play was made.
#[must_use]
pub fn outlook(work: &Work, plays: u32, seed: u64, is_over: impl Fn() -> bool) -> Option<Outlook> {
    if work.rows.is_empty() {
        return None;
    }
    let open = Open::of(work);
    let mut all = Vec::new();
    for number in 0..plays {
        if is_over() {
            break;
        }
        all.push(play(work, &open, seed.wrapping_add(u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15))));
    }
    (!all.is_empty()).then(|| told(work, &all))
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
fn told(work: &Work, all: &[Played]) -> Outlook {
    let times = 1.0 / work.share();
    let counts = |of: fn(&Played) -> u64| {
        let mut counts: Vec<f64> = all.iter().map(|played| of(played) as f64 * times).collect();
        counts.sort_by(f64::total_cmp);
        span(&counts)
    };
    let moments = |of: fn(&Played) -> Option<i64>| {
        let mut ends: Vec<i64> = all.iter().filter_map(of).collect();
        ends.sort_unstable();
        let Span { p50, p90 } = span(&ends)?;
        Some(Span { p50: moment(work.now, p50), p90: moment(work.now, p90) })
    };
    let zero = Span { p50: 0.0, p90: 0.0 };
    Outlook {
        plays: u32::try_from(all.len()).unwrap_or(u32::MAX),
        sample: work.rows.len() as u64,
        total: work.total,
        last_call: moments(|played| played.last_call),
        finished: moments(|played| Some(played.finished)).unwrap_or(Span { p50: work.now, p90: work.now }),
        calls: counts(|played| played.calls).unwrap_or(zero),
        requests: counts(|played| played.requests).unwrap_or(zero),
        reached: counts(|played| played.reached).unwrap_or(zero),
        days: days(work, all, times),
        binds: binds(all),
        agents: work.ceilings.agents,
        agents_idle: work.ceilings.agents.map(|agents| idle(work, all, agents)),
    }
}

/// Of sorted values.
fn span<T: Copy>(sorted: &[T]) -> Option<Span<T>> {
    let at = |percent: usize| sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied();
    Some(Span { p50: at(50)?, p90: at(90)? })
}

#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^52")]
fn days(work: &Work, all: &[Played], times: f64) -> Vec<Days> {
    let Ok(zone) = zones::zone(&work.zone) else { return Vec::new() };
    let mut by_day: BTreeMap<Date, Vec<u64>> = BTreeMap::new();
    for (number, played) in all.iter().enumerate() {
        for &at in &played.begun {
            let date = moment(work.now, at).to_zoned(zone.clone()).date();
            by_day.entry(date).or_insert_with(|| vec![0; all.len()])[number] += 1;
        }
    }
    let day = |(date, calls): (Date, Vec<u64>)| {
        let sum: u64 = calls.iter().sum();
        Days {
            date,
            mean: sum as f64 * times / all.len() as f64,
            min: calls.iter().min().map_or(0.0, |&min| min as f64 * times),
            max: calls.iter().max().map_or(0.0, |&max| max as f64 * times),
        }
    };
    by_day.into_iter().map(day).collect()
}

/// How much of their time the agents wait, in the mean of the plays.
#[expect(clippy::cast_precision_loss, reason = "milliseconds of a year are below 2^52")]
fn idle(work: &Work, all: &[Played], agents: u32) -> f64 {
    let of = |played: &Played| {
        let there = played.worked as f64 * f64::from(agents) * work.share();
        if there > 0.0 { (1.0 - played.talked as f64 / there).clamp(0.0, 1.0) } else { 0.0 }
    };
    all.iter().map(of).sum::<f64>() / all.len().max(1) as f64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a year are below 2^52")]
fn binds(all: &[Played]) -> Vec<(Bind, f64)> {
    let mut sums: BTreeMap<Bind, i64> = BTreeMap::new();
    for (bind, lasted) in all.iter().flat_map(|played| &played.bound) {
        *sums.entry(*bind).or_default() += lasted;
    }
    let all: i64 = sums.values().sum();
    let mut shares: Vec<(Bind, f64)> =
        sums.into_iter().map(|(bind, lasted)| (bind, lasted as f64 / all.max(1) as f64)).collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}
