//! The house's own clock in a rehearsal: it may be ahead of the world's or behind it, and step.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, ManualClock};

/// The time that the house believes. A step wakes nobody by itself; the next move of the world's time does.
#[derive(Debug)]
pub(super) struct HouseClock {
    world: Arc<ManualClock>,
    ahead_ms: AtomicI64,
}

impl HouseClock {
    pub(super) fn new(world: Arc<ManualClock>) -> Self {
        Self { world, ahead_ms: AtomicI64::new(0) }
    }

    /// From now on the house is so far ahead of the world, or behind it.
    pub(super) fn step_to(&self, ahead: SignedDuration) {
        self.ahead_ms.store(i64::try_from(ahead.as_millis()).unwrap_or_default(), Ordering::Relaxed);
    }

    /// When it is `at` in the house, what time is it in the world?
    pub(super) fn in_world(&self, at: Timestamp) -> Timestamp {
        at.checked_sub(self.ahead()).unwrap_or(at)
    }

    fn ahead(&self) -> SignedDuration {
        SignedDuration::from_millis(self.ahead_ms.load(Ordering::Relaxed))
    }
}

impl Clock for HouseClock {
    fn now(&self) -> Timestamp {
        self.world.now() + self.ahead()
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.world.sleep_until(self.in_world(at))
    }
}
