//! A wake-up wakes the scheduler before its time, because something it would want to know has been committed.

use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use tokio::sync::Notify;

/// Shared by whoever commits and the scheduler that sleeps. A wake-up given while nobody sleeps is kept.
#[derive(Debug)]
pub struct Waker {
    bell: Notify,
    /// Until when the scheduler means to sleep, in microseconds; a wake-up for later does not wake it.
    asleep_until: AtomicI64,
}

impl Default for Waker {
    fn default() -> Self {
        Self { bell: Notify::new(), asleep_until: AtomicI64::new(i64::MAX) }
    }
}

impl Waker {
    /// Something happened that is worth a look now.
    pub fn now(&self) {
        self.bell.notify_one();
    }

    /// Something is due at `at`: wakes the scheduler only if it would sleep past that.
    pub fn due_at(&self, at: Timestamp) {
        if at.as_microsecond() < self.asleep_until.load(Ordering::Acquire) {
            self.now();
        }
    }

    /// Called by the scheduler before it looks at what is due, so that nothing committed after the look is
    /// slept through.
    pub fn awake(&self) {
        self.asleep_until.store(i64::MAX, Ordering::Release);
    }

    /// Called by the scheduler when it knows how long it will sleep.
    pub fn sleeping_until(&self, at: Option<Timestamp>) {
        self.asleep_until.store(at.map_or(i64::MAX, Timestamp::as_microsecond), Ordering::Release);
    }

    /// Ends at the next wake-up, or at once if one was given since the last.
    pub async fn given(&self) {
        self.bell.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[tokio::test]
    async fn a_nudge_given_before_the_sleep_is_kept() {
        let waker = Waker::default();
        waker.now();
        waker.given().await;
    }

    #[test]
    fn only_what_is_due_before_the_scheduler_wakes_nudges_it() {
        let waker = Waker::default();
        let given = |waker: &Waker| waker.given().now_or_never().is_some();
        waker.sleeping_until(Some(at(100)));
        waker.due_at(at(100));
        assert!(!given(&waker));
        waker.due_at(at(99));
        assert!(given(&waker));
        waker.awake();
        waker.due_at(at(1_000_000));
        assert!(given(&waker));
    }
}
