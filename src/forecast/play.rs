//! One play: events in order of time, with answers that are drawn.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BinaryHeap};

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use strum::{EnumIter, IntoStaticStr};

use super::work::{Permission, Row, Work};
use crate::policy::window;

/// What the work waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Bind {
    /// Agents who take calls.
    Agents,
    /// Calls at once of senders, accounts and the campaign.
    Calls,
    /// Calls per second of the account or per minute of the campaign.
    Pace,
    /// Calling hours.
    Hours,
    /// Consumers' answers to requests, and the time before a call is tried again.
    Answers,
}

impl Bind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Milliseconds from the beginning of the play.
type Millis = i64;

/// What came of a play. Counts are of the rows that were played.
#[derive(Debug, Clone, Default)]
pub(super) struct Played {
    pub(super) last_call: Option<Millis>,
    pub(super) finished: Millis,
    pub(super) calls: u64,
    /// By the number of milliseconds at which they began.
    pub(super) begun: Vec<Millis>,
    pub(super) requests: u64,
    pub(super) reached: u64,
    /// For how long the work waited for what.
    pub(super) bound: BTreeMap<Bind, Millis>,
    /// For how long there was a call, or somebody who might be called.
    pub(super) worked: Millis,
    /// For how long agents talked and wrapped up, all together.
    pub(super) talked: Millis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Ask,
    /// The consumer may be called, after the answer or the pause that was waited for.
    Ready {
        waited_for: Option<Bind>,
    },
    End {
        reached: bool,
    },
    /// The pace allows the next call.
    Pace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Event {
    at: Millis,
    order: u64,
    row: usize,
    what: What,
}

impl Ord for Event {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The intervals in which each of the hours of the work are open, in milliseconds from its beginning.
pub(super) struct Open(Vec<Vec<(Millis, Millis)>>);

/// The most intervals of one row's hours that are looked at.
const INTERVALS_MAX: usize = 1_000;

impl Open {
    pub(super) fn of(work: &Work) -> Self {
        let end = work.rows.iter().map(|row| row.latest).max().unwrap_or(work.now);
        let each = work.hours.iter().map(|hours| {
            let opening = work.calendars.opening(hours);
            let mut intervals = Vec::new();
            let mut from = work.now;
            while intervals.len() < INTERVALS_MAX
                && let Some(opens) = window::next_open(opening, from, end)
            {
                let closes = window::closes_at(opening, opens).unwrap_or(end).min(end);
                intervals.push((millis(work.now, opens), millis(work.now, closes)));
                if closes <= opens {
                    break;
                }
                from = closes;
            }
            intervals
        });
        Self(each.collect())
    }

    /// The first open moment from `at` on.
    fn next(&self, hours: Option<usize>, at: Millis) -> Option<Millis> {
        let Some(intervals) = hours.and_then(|index| self.0.get(index)) else { return Some(at) };
        let next = intervals.partition_point(|(_, closes)| *closes <= at);
        intervals.get(next).map(|(opens, _)| (*opens).max(at))
    }
}

pub(super) fn millis(from: Timestamp, at: Timestamp) -> Millis {
    at.as_millisecond().saturating_sub(from.as_millisecond())
}

/// The state of a play.
struct Play<'a> {
    work: &'a Work,
    open: &'a Open,
    rng: Rng,
    now: Millis,
    events: BinaryHeap<Reverse<Event>>,
    next_order: u64,
    /// Rows that may be called now: the highest priority first, then the earliest deadline.
    queue: BinaryHeap<(u8, Reverse<Millis>, Reverse<usize>)>,
    calls: Vec<Calls>,
    in_progress: u64,
    free: Option<u32>,
    /// What the calls at once are bound by, and how much longer a call takes its place in the thinned work.
    places: (Bind, f64),
    /// Between two calls.
    gap: Millis,
    next_call: Millis,
    is_paced: bool,
    /// How many rows wait for answers, and for hours.
    waits: BTreeMap<Bind, u64>,
    played: Played,
}

/// The calls of a row so far.
#[derive(Debug, Clone, Default)]
struct Calls {
    made: u32,
    /// The begin of the last ones, at most as many as a person may get in a day.
    begun: Vec<Millis>,
    permitted_until: Option<Millis>,
}

/// Plays the work once.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the places are at most the ceiling, and the gap at most a day"
)]
pub(super) fn play(work: &Work, open: &Open, seed: u64) -> Played {
    let share = work.share();
    let (places, bound) = match (work.ceilings.calls, work.ceilings.agents) {
        (calls, Some(agents)) if calls.is_none_or(|calls| agents <= calls) => (Some(agents), Bind::Agents),
        (calls, _) => (calls, Bind::Calls),
    };
    // Fewer places than one are one place in which calls last longer.
    let thinned = places.map(|places| f64::from(places) * share);
    let whole = thinned.map(|thinned| thinned.round().max(1.0));
    let stretch = thinned.zip(whole).map_or(1.0, |(thinned, whole)| whole / thinned.max(f64::MIN_POSITIVE));
    let gap = work.ceilings.per_minute.map_or(0.0, |pace| 60_000.0 / (pace * share).max(1e-9));
    let mut play = Play {
        work,
        open,
        rng: Rng::with_seed(seed),
        now: 0,
        events: BinaryHeap::new(),
        next_order: 0,
        queue: BinaryHeap::new(),
        calls: vec![Calls::default(); work.rows.len()],
        in_progress: 0,
        free: whole.map(|whole| whole as u32),
        places: (bound, stretch),
        gap: gap.min(86_400_000.0) as Millis,
        next_call: 0,
        is_paced: false,
        waits: BTreeMap::new(),
        played: Played::default(),
    };
    play.begin();
    while let Some(Reverse(event)) = play.events.pop() {
        play.pass(event.at);
        play.happen(event);
        play.dial();
    }
    play.played
}

impl Play<'_> {
    fn begin(&mut self) {
        for (index, row) in self.work.rows.iter().enumerate() {
            let earliest = self.at(row.earliest).max(0);
            match row.permission {
                Permission::Live(until) => {
                    self.calls[index].permitted_until = until.map(|until| self.at(until));
                    self.push(earliest, index, What::Ready { waited_for: None });
                }
                Permission::Asked => self.answer(index, 0),
                Permission::AskedAt(at) => self.push(self.at(at).max(0), index, What::Ask),
                Permission::None => self.close_at_deadline(index),
            }
        }
    }

    fn at(&self, at: Timestamp) -> Millis {
        millis(self.work.now, at)
    }

    fn row(&self, index: usize) -> &Row {
        &self.work.rows[index]
    }

    fn push(&mut self, at: Millis, row: usize, what: What) {
        let order = self.next_order;
        self.next_order += 1;
        if let What::Ready { waited_for: Some(bind) } = what {
            *self.waits.entry(bind).or_default() += 1;
        }
        self.events.push(Reverse(Event { at, order, row, what }));
    }

    /// Time passes until the next event.
    fn pass(&mut self, at: Millis) {
        let passed = at - self.now;
        self.now = at;
        if passed <= 0 {
            return;
        }
        if !self.queue.is_empty() || self.in_progress > 0 {
            self.played.worked += passed;
        }
        let waits = |bind| self.waits.get(&bind).is_some_and(|count| *count > 0);
        let bind = if !self.queue.is_empty() {
            Some(if self.free == Some(0) { self.places.0 } else { Bind::Pace })
        } else if waits(Bind::Hours) {
            Some(Bind::Hours)
        } else if waits(Bind::Answers) {
            Some(Bind::Answers)
        } else {
            None
        };
        if let Some(bind) = bind {
            *self.played.bound.entry(bind).or_default() += passed;
        }
    }

    fn happen(&mut self, event: Event) {
        match event.what {
            What::Ask => self.ask(event.row),
            What::Ready { waited_for } => {
                if let Some(bind) = waited_for {
                    let waiting = self.waits.entry(bind).or_default();
                    *waiting = waiting.saturating_sub(1);
                }
                self.ready(event.row);
            }
            What::End { reached } => self.end(event.row, reached),
            What::Pace => self.is_paced = false,
        }
    }

    fn ask(&mut self, index: usize) {
        if self.now >= self.at(self.row(index).latest) {
            self.close_at_deadline(index);
            return;
        }
        self.played.requests += 1;
        self.answer(index, self.now);
    }

    /// Draws whether and when the consumer grants the permission.
    fn answer(&mut self, index: usize, from: Millis) {
        let rates = self.work.rates;
        if self.rng.f64() >= rates.granted.value {
            self.close_at_deadline(index);
            return;
        }
        let granted = from.saturating_add(self.exponential(rates.grant_s.value));
        let until = i64::try_from(self.work.permission.as_millis()).unwrap_or(i64::MAX);
        self.calls[index].permitted_until = Some(granted.saturating_add(until));
        let earliest = self.at(self.row(index).earliest);
        self.push(granted.max(earliest), index, What::Ready { waited_for: Some(Bind::Answers) });
    }

    fn close_at_deadline(&mut self, index: usize) {
        let latest = self.at(self.row(index).latest);
        self.played.finished = self.played.finished.max(latest);
    }

    /// The row may be called, if it is in time and its hours are open.
    fn ready(&mut self, index: usize) {
        let row = self.row(index);
        let (latest, hours, priority) = (self.at(row.latest), row.hours, row.priority);
        match self.open.next(hours, self.now) {
            Some(opens) if opens >= latest => self.close_at_deadline(index),
            None => self.close_at_deadline(index),
            Some(opens) if opens > self.now => {
                self.push(opens, index, What::Ready { waited_for: Some(Bind::Hours) });
            }
            Some(_) if self.calls[index].permitted_until.is_some_and(|until| until <= self.now) => {
                self.ask(index);
            }
            Some(_) => self.queue.push((priority, Reverse(latest), Reverse(index))),
        }
    }

    /// Begins calls as far as there are places and the pace allows it.
    fn dial(&mut self) {
        while self.free != Some(0) && !self.queue.is_empty() {
            if self.now < self.next_call {
                if !self.is_paced {
                    self.is_paced = true;
                    self.push(self.next_call, 0, What::Pace);
                }
                return;
            }
            let Some((_, Reverse(latest), Reverse(index))) = self.queue.pop() else { return };
            let is_open = self.open.next(self.row(index).hours, self.now) == Some(self.now);
            if self.now >= latest || !is_open {
                self.ready(index);
                continue;
            }
            self.call(index);
        }
    }

    fn call(&mut self, index: usize) {
        let rates = self.work.rates;
        let reached = self.rng.f64() < rates.answered.value;
        let mean = if reached { rates.answered_s.value } else { rates.missed_s.value };
        // Between half and one and a half of the mean.
        let mut lasts = mean * (0.5 + self.rng.f64());
        if reached {
            lasts += self.work.ceilings.wrap_up_s;
            self.played.talked = self.played.talked.saturating_add(seconds(lasts));
        }
        let lasts = seconds(lasts * self.places.1);
        self.in_progress += 1;
        if let Some(free) = &mut self.free {
            *free -= 1;
        }
        self.next_call = self.now.saturating_add(self.gap);
        self.calls[index].made += 1;
        let most = self.work.ceilings.per_person_day as usize;
        if most > 0 {
            let begun = &mut self.calls[index].begun;
            begun.push(self.now);
            let surplus = begun.len().saturating_sub(most);
            begun.drain(..surplus);
        }
        self.played.calls += 1;
        self.played.begun.push(self.now);
        self.push(self.now.saturating_add(lasts), index, What::End { reached });
    }

    fn end(&mut self, index: usize, reached: bool) {
        self.in_progress = self.in_progress.saturating_sub(1);
        if let Some(free) = &mut self.free {
            *free += 1;
        }
        self.played.last_call = Some(self.now);
        let calls = &self.calls[index];
        if reached || calls.made >= self.row(index).attempts {
            self.played.reached += u64::from(reached);
            self.played.finished = self.played.finished.max(self.now);
            return;
        }
        let most = self.work.ceilings.per_person_day as usize;
        let retry = i64::try_from(self.work.retry.as_millis()).unwrap_or(i64::MAX);
        let mut again = self.now.saturating_add(retry);
        if most > 0 && calls.begun.len() >= most {
            const DAY: Millis = 86_400_000;
            again = again.max(calls.begun[0].saturating_add(DAY));
        }
        self.push(again, index, What::Ready { waited_for: Some(Bind::Answers) });
    }

    fn exponential(&mut self, mean_s: f64) -> Millis {
        seconds(-mean_s * (1.0 - self.rng.f64()).ln())
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the conversion saturates")]
fn seconds(seconds: f64) -> Millis {
    (seconds * 1000.0) as Millis
}

/// The moment of a number of milliseconds.
pub(super) fn moment(from: Timestamp, at: Millis) -> Timestamp {
    from.checked_add(SignedDuration::from_millis(at)).unwrap_or(Timestamp::MAX)
}
