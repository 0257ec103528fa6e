//! Wakes the scheduler early when something that it has to process was committed.
//!
//! Two ports: [`Wake`] for those who commit, [`Sleep`] for the scheduler. [`Waker`] is both within one process. A lost
//! wake-up delays what is due to the scheduler's next look at the store; it loses nothing.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tokio::sync::Notify;

/// For those who commit something that the scheduler has to process.
pub trait Wake: Send + Sync {
    /// Wakes the scheduler now.
    fn now(&self);

    /// Something is due at `at`: wakes the scheduler only if it would sleep longer.
    fn due_at(&self, at: Timestamp);

    /// Ends when commands are folded the next time, counted from this call.
    fn folded(&self) -> BoxFuture<'_, ()>;

    /// Ends when lines of timelines are committed the next time, counted from this call. A hint: it can be lost.
    fn recorded(&self) -> BoxFuture<'_, ()>;
}

/// For the scheduler.
#[async_trait]
pub trait Sleep: Send + Sync {
    /// Called before it reads what is due, so that a commit after that read wakes it.
    fn awake(&self);

    /// Sets the planned end of its sleep; `None` is without an end.
    fn sleeping_until(&self, at: Option<Timestamp>);

    /// Returns at the next wake-up, or at once if there was one since the last call.
    async fn given(&self);

    /// Called when a batch with commands is committed.
    fn tell_folded(&self);

    /// Called when a batch with lines of timelines is committed.
    fn tell_recorded(&self);
}

/// Both ports within one process. A wake-up while the scheduler is running is
/// kept for its next sleep.
pub struct Waker {
    bell: Notify,
    /// Planned end of the scheduler's sleep, in microseconds. A wake-up for a later time does nothing.
    asleep_until: AtomicI64,
    /// Rings for those who wait for a command to be folded.
    folded: Notify,
    /// Rings for those who follow the timelines.
    recorded: Notify,
    /// Tells other processes of the same store.
    others: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waker").finish_non_exhaustive()
    }
}

impl Default for Waker {
    fn default() -> Self {
        Self {
            bell: Notify::new(),
            asleep_until: AtomicI64::new(i64::MAX),
            folded: Notify::new(),
            recorded: Notify::new(),
            others: OnceLock::new(),
        }
    }
}

impl Waker {
    /// Wakes the scheduler now.
    pub fn now(&self) {
        self.bell.notify_one();
        self.told_others();
    }

    /// Something was committed by another process, which does not say what.
    pub fn from_outside(&self) {
        self.bell.notify_one();
        self.folded.notify_waiters();
        self.recorded.notify_waiters();
    }

    /// From now on `tell` is called for each wake-up of this process. It must not wait.
    pub fn tell_others(&self, tell: impl Fn() + Send + Sync + 'static) {
        // A second one would tell the same.
        let _ = self.others.set(Box::new(tell));
    }

    fn told_others(&self) {
        if let Some(tell) = self.others.get() {
            tell();
        }
    }

    /// Something is due at `at`: wakes the scheduler only if it would sleep longer.
    pub fn due_at(&self, at: Timestamp) {
        if at.as_microsecond() < self.asleep_until.load(Ordering::Acquire) {
            self.now();
        } else {
            // The scheduler of another process may sleep longer than ours.
            self.told_others();
        }
    }

    /// Called by the scheduler before it reads what is due, so that a commit after that read wakes it.
    pub fn awake(&self) {
        self.asleep_until.store(i64::MAX, Ordering::Release);
    }

    /// Called by the scheduler to set the planned end of its sleep.
    pub fn sleeping_until(&self, at: Option<Timestamp>) {
        self.asleep_until.store(at.map_or(i64::MAX, Timestamp::as_microsecond), Ordering::Release);
    }

    /// Ends when commands are folded the next time, counted from this call.
    pub fn folded(&self) -> impl Future<Output = ()> {
        self.folded.notified()
    }

    /// Called by the scheduler when a batch with commands is committed.
    pub fn tell_folded(&self) {
        self.folded.notify_waiters();
        self.told_others();
    }

    /// Ends when lines of timelines are committed the next time, counted from this call.
    pub fn recorded(&self) -> impl Future<Output = ()> {
        self.recorded.notified()
    }

    /// Called by the scheduler when a batch with lines of timelines is committed.
    pub fn tell_recorded(&self) {
        self.recorded.notify_waiters();
        self.told_others();
    }

    /// Returns at the next wake-up, or at once if there was one since the last call.
    pub async fn given(&self) {
        self.bell.notified().await;
    }
}

impl Wake for Waker {
    fn now(&self) {
        Self::now(self);
    }

    fn due_at(&self, at: Timestamp) {
        Self::due_at(self, at);
    }

    fn folded(&self) -> BoxFuture<'_, ()> {
        Box::pin(Self::folded(self))
    }

    fn recorded(&self) -> BoxFuture<'_, ()> {
        Box::pin(Self::recorded(self))
    }
}

#[async_trait]
impl Sleep for Waker {
    fn awake(&self) {
        Self::awake(self);
    }

    fn sleeping_until(&self, at: Option<Timestamp>) {
        Self::sleeping_until(self, at);
    }

    async fn given(&self) {
        Self::given(self).await;
    }

    fn tell_folded(&self) {
        Self::tell_folded(self);
    }

    fn tell_recorded(&self) {
        Self::tell_recorded(self);
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

    #[tokio::test]
    async fn who_waits_for_a_fold_hears_of_one_after_the_call_and_of_none_before() {
        let waker = Waker::default();
        waker.tell_folded();
        let folded = waker.folded();
        waker.tell_folded();
        folded.await;
        assert!(waker.folded().now_or_never().is_none());
    }

    #[tokio::test]
    async fn other_processes_are_told_and_what_comes_from_them_is_not_told_again() {
        let waker = Waker::default();
        let told = std::sync::Arc::new(AtomicI64::new(0));
        let count = std::sync::Arc::clone(&told);
        waker.tell_others(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        waker.sleeping_until(Some(at(100)));
        waker.now();
        waker.due_at(at(99));
        waker.due_at(at(100));
        waker.tell_folded();
        waker.tell_recorded();
        assert_eq!(told.load(Ordering::Relaxed), 5);
        let (folded, recorded) = (waker.folded(), waker.recorded());
        waker.from_outside();
        waker.given().await;
        folded.await;
        recorded.await;
        assert_eq!(told.load(Ordering::Relaxed), 5);
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
