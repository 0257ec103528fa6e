//! Compares the wall clock with the time since the boot, which nobody can set. After a jump it is in doubt until two
//! dates of a platform agree with it, or an operator confirms it.
//!
//! During the doubt, time continues from before the jump, by the time since the boot, so that nothing expires.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{ClockDoubt, ClockMark, Reading};

/// The wall clock may differ by this much from what it should show, and from a platform's date.
pub const JUMP_MAX: SignedDuration = SignedDuration::from_mins(5);

/// So many dates in a row must agree.
const DATES_NEEDED: usize = 2;

/// An older date says nothing of the wall clock now.
const DATE_VALID_FOR: SignedDuration = SignedDuration::from_hours(1);

/// Small corrections add up to a jump only within this time.
const TRUSTED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// A smaller change of a jump is not reported again.
const TOLD_FROM: SignedDuration = SignedDuration::from_secs(1);

/// The state of the watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockWatch {
    trusted: Reading,
    doubt: Option<ClockDoubt>,
    /// The last dates of a platform since the doubt began, each as a reading of the platform's clock.
    dates: VecDeque<Reading>,
}

impl ClockWatch {
    /// Begins at `now`, with what was stored before. A reading of another boot cannot be compared, but a doubt stays.
    #[must_use]
    pub fn begin(now: &Reading, stored: Option<ClockMark>) -> Self {
        let doubt = stored.as_ref().and_then(|stored| stored.doubt);
        let before = stored.map(|stored| stored.trusted).filter(|before| before.boot == now.boot);
        let still_counts = |before: &Reading| doubt.is_some() || jump(before, now).abs() > JUMP_MAX;
        let trusted = before.filter(still_counts).unwrap_or_else(|| now.clone());
        Self { trusted, doubt, dates: VecDeque::new() }
    }

    /// Takes in a reading. Returns the time to go by.
    pub fn look(&mut self, now: &Reading) -> Timestamp {
        let (due, by) = (self.trusted.wall_when(now.up), jump(&self.trusted, now));
        let jumped = by.abs() > JUMP_MAX;
        match self.doubt {
            None if jumped => {
                self.doubt = Some(ClockDoubt { since: due, by });
                self.dates.clear();
                due
            }
            None => {
                if now.up.saturating_sub(self.trusted.up) >= TRUSTED_FOR {
                    self.trusted = now.clone();
                }
                now.wall
            }
            Some(_) if self.dates_agree(now) => {
                self.confirm(now);
                now.wall
            }
            Some(doubt) => {
                if jumped && by.saturating_sub(doubt.by).abs() >= TOLD_FROM {
                    self.doubt = Some(ClockDoubt { by, ..doubt });
                }
                due
            }
        }
    }

    /// Takes in the date of a platform's answer, which came when the clocks were read as `at`.
    pub fn told(&mut self, at: &Reading, date: Timestamp) {
        self.dates.push_back(Reading { wall: date, ..at.clone() });
        while self.dates.len() > DATES_NEEDED {
            self.dates.pop_front();
        }
    }

    /// The wall clock is right: a doubt ends.
    pub fn confirm(&mut self, now: &Reading) {
        self.trusted = now.clone();
        self.doubt = None;
        self.dates.clear();
    }

    #[must_use]
    pub const fn doubt(&self) -> Option<ClockDoubt> {
        self.doubt
    }

    /// What to store.
    #[must_use]
    pub fn mark(&self) -> ClockMark {
        ClockMark { trusted: self.trusted.clone(), doubt: self.doubt }
    }

    fn dates_agree(&self, now: &Reading) -> bool {
        let agrees = |date: &Reading| {
            date.boot == now.boot
                && now.up.saturating_sub(date.up) <= DATE_VALID_FOR
                && now.wall.duration_since(date.wall_when(now.up)).abs() <= JUMP_MAX
        };
        self.dates.len() == DATES_NEEDED && self.dates.iter().all(agrees)
    }
}

/// How far the wall clock is ahead of what it should show.
fn jump(trusted: &Reading, now: &Reading) -> SignedDuration {
    now.wall.duration_since(trusted.wall_when(now.up))
}
