//! The clocks of a simulation: the world's clock, which is always right, and the daemon's, which may be
//! wrong.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, ManualClock, earlier};
use crate::domain::Reading;

/// The world's time, and the offset of the daemon's clock.
#[derive(Debug)]
pub(super) struct Clocks {
    pub(super) time: ManualClock,
    off_by: Mutex<SignedDuration>,
    /// Wake-up times of tasks that sleep by the world's time.
    alarms: Mutex<BTreeSet<Timestamp>>,
}

impl Clocks {
    pub(super) fn new(start: Timestamp) -> Arc<Self> {
        Arc::new(Self { time: ManualClock::new(start), off_by: Mutex::default(), alarms: Mutex::default() })
    }

    pub(super) fn off_by(&self) -> SignedDuration {
        *self.off_by.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the daemon's clock by `by`, which may be negative.
    pub(super) fn step(&self, by: SignedDuration) {
        *self.off_by.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// The earliest wake-up after `now` of a task that sleeps by the world's time.
    pub(super) fn next_alarm(&self, now: Timestamp) -> Option<Timestamp> {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        alarms.retain(|at| *at > now);
        alarms.first().copied()
    }
}

/// The world's clock.
#[derive(Debug)]
pub(super) struct WorldClock(pub(super) Arc<Clocks>);

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.0.time.now()
    }

    fn reading(&self) -> Reading {
        self.0.time.reading()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.alarms.lock().unwrap_or_else(PoisonError::into_inner).insert(at);
        self.0.time.sleep_until(at)
    }
}

/// The daemon's clock.
#[derive(Debug)]
pub(super) struct DaemonClock(pub(super) Arc<Clocks>);

impl Clock for DaemonClock {
    fn now(&self) -> Timestamp {
        self.0.time.now() + self.0.off_by()
    }

    fn reading(&self) -> Reading {
        Reading { wall: self.now(), ..self.0.time.reading() }
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.time.sleep_until(earlier(at, self.0.off_by()))
    }
}
