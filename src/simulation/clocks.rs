//! The clocks of a simulation: the world's, which is right by definition, and the daemon's, which may be wrong.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, ManualClock};

/// The time of the world, and how far the daemon's clock is off.
#[derive(Debug)]
pub(super) struct Clocks {
    pub(super) time: ManualClock,
    off_by: Mutex<SignedDuration>,
    /// When somebody who sleeps by the world's time wants to be woken.
    alarms: Mutex<BTreeSet<Timestamp>>,
}

impl Clocks {
    pub(super) fn new(start: Timestamp) -> Arc<Self> {
        Arc::new(Self { time: ManualClock::new(start), off_by: Mutex::default(), alarms: Mutex::default() })
    }

    pub(super) fn off_by(&self) -> SignedDuration {
        *self.off_by.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the daemon's clock step; backwards if the span is negative.
    pub(super) fn step(&self, by: SignedDuration) {
        *self.off_by.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }

    /// The earliest moment after `now` at which a sleeper of the world wakes.
    pub(super) fn next_alarm(&self, now: Timestamp) -> Option<Timestamp> {
        let mut alarms = self.alarms.lock().unwrap_or_else(PoisonError::into_inner);
        alarms.retain(|at| *at > now);
        alarms.first().copied()
    }
}

/// The clock that the world goes by.
#[derive(Debug)]
pub(super) struct WorldClock(pub(super) Arc<Clocks>);

impl Clock for WorldClock {
    fn now(&self) -> Timestamp {
        self.0.time.now()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.alarms.lock().unwrap_or_else(PoisonError::into_inner).insert(at);
        self.0.time.sleep_until(at)
    }
}

/// The clock that hangs in the daemon.
#[derive(Debug)]
pub(super) struct DaemonClock(pub(super) Arc<Clocks>);

impl Clock for DaemonClock {
    fn now(&self) -> Timestamp {
        self.0.time.now() + self.0.off_by()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.time.sleep_until(at - self.0.off_by())
    }
}
