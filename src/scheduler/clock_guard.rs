//! The clock that all parts go by: the machine's, as long as it is trusted. While the wall clock is in doubt, time goes on
//! from before the jump.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, later};
use crate::domain::{ClockDoubt, ClockMark, Reading};
use crate::policy::ClockWatch;

/// A clock that checks for a jump before each read of the time.
pub struct ClockGuard {
    machine: Arc<dyn Clock>,
    watch: Mutex<ClockWatch>,
}

impl ClockGuard {
    /// Continues from the stored reading, which shows whether the clock jumped while the daemon was down.
    #[must_use]
    pub fn new(machine: Arc<dyn Clock>, stored: Option<ClockMark>) -> Self {
        let watch = Mutex::new(ClockWatch::begin(&machine.reading(), stored));
        Self { machine, watch }
    }

    /// The doubt about the wall clock now.
    pub(super) fn doubt(&self) -> Option<ClockDoubt> {
        let reading = self.machine.reading();
        let mut watch = self.watch();
        watch.look(&reading);
        watch.doubt()
    }

    /// The reading that must be stored.
    pub(super) fn mark(&self) -> ClockMark {
        self.watch().mark()
    }

    /// Applies the date of a platform's answer that arrived at `at`.
    pub(super) fn told(&self, at: &Reading, date: Timestamp) {
        self.watch().told(at, date);
    }

    /// The wall clock was right at this reading.
    pub(super) fn confirm(&self, reading: &Reading) {
        self.watch().confirm(reading);
    }

    fn watch(&self) -> MutexGuard<'_, ClockWatch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ClockGuard {
    /// Whole microseconds, as in the store.
    fn now(&self) -> Timestamp {
        let now = self.watch().look(&self.machine.reading());
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn reading(&self) -> Reading {
        self.machine.reading()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let left = at.duration_since(self.now());
        self.machine.sleep_until(later(self.machine.now(), left))
    }

    fn span(&self, of_the_machine: SignedDuration) -> SignedDuration {
        self.machine.span(of_the_machine)
    }

    fn machine_sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.machine.machine_sleep(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    #[tokio::test]
    async fn a_sleep_ends_in_its_time_whatever_jumps() {
        let start = Timestamp::constant(1_790_000_000, 0);
        let machine = Arc::new(ManualClock::new(start));
        let guard = ClockGuard::new(machine.clone(), None);
        machine.jump(HOUR);
        let (mut sleep, second) = (guard.sleep_until(start + HOUR), SignedDuration::from_secs(1));
        machine.advance(HOUR - second);
        assert!(futures_util::poll!(&mut sleep).is_pending());
        machine.advance(second);
        assert!(futures_util::poll!(&mut sleep).is_ready());
        assert_eq!(guard.now(), start + HOUR);
        guard.confirm(&guard.reading());
        assert_eq!(guard.now(), start + HOUR + HOUR);
    }
}
