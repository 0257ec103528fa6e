//! A rate limiter for any clock, including simulated clocks and clocks that step back.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, FakeRelativeClock, Reference as _};
use governor::middleware::StateInformationMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{NotUntil, Quota};
use jiff::Timestamp;

/// A rate limiter whose time is an argument.
pub(super) struct RateLimiter {
    limiter: governor::RateLimiter<NotKeyed, InMemoryState, FakeRelativeClock, StateInformationMiddleware>,
    clock: FakeRelativeClock,
    synced: Timestamp,
}

impl RateLimiter {
    /// `per_second` permits per second, above zero, and at most `burst` at once.
    pub(super) fn new(now: Timestamp, per_second: f64, burst: NonZeroU32) -> Self {
        let clock = FakeRelativeClock::default();
        let period = Duration::from_secs_f64(1.0 / per_second).max(Duration::from_nanos(1));
        let quota = Quota::with_period(period).expect("the period is positive").allow_burst(burst);
        let limiter = governor::RateLimiter::direct_with_clock(quota, clock.clone()).with_middleware();
        Self { limiter, clock, synced: now }
    }

    /// Sets the time. A clock that stepped back gives no extra permits and no delay.
    pub(super) fn sync(&mut self, now: Timestamp) {
        let passed = Duration::try_from(now.duration_since(self.synced));
        self.synced = now;
        self.clock.advance(passed.unwrap_or_default());
    }

    /// Takes a permit. Returns how many more there are now.
    ///
    /// # Errors
    /// The time of the next permit.
    pub(super) fn take(&self) -> Result<u32, Timestamp> {
        match self.limiter.check() {
            Ok(left) => Ok(left.remaining_burst_capacity()),
            Err(not_until) => Err(self.moment_of(&not_until)),
        }
    }

    /// Times are whole microseconds, as in the store.
    fn moment_of(&self, not_until: &NotUntil<Nanos>) -> Timestamp {
        let wait = not_until.earliest_possible().duration_since(self.clock.now());
        let micros = Duration::from(wait).as_nanos().div_ceil(1_000);
        self.synced + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + millis).unwrap()
    }

    #[test]
    fn so_many_at_once_and_then_so_many_a_second() {
        let mut rate_limiter = RateLimiter::new(at(0), 10.0, NonZeroU32::new(3).unwrap());
        assert_eq!([rate_limiter.take(), rate_limiter.take(), rate_limiter.take()], [Ok(2), Ok(1), Ok(0)]);
        assert_eq!(rate_limiter.take(), Err(at(100)));
        rate_limiter.sync(at(99));
        assert_eq!(rate_limiter.take(), Err(at(100)));
        rate_limiter.sync(at(100));
        assert_eq!((rate_limiter.take(), rate_limiter.take()), (Ok(0), Err(at(200))));
        // Idle time is saved up to the burst.
        rate_limiter.sync(at(60_000));
        assert_eq!([rate_limiter.take(), rate_limiter.take(), rate_limiter.take()], [Ok(2), Ok(1), Ok(0)]);
        assert_eq!(rate_limiter.take(), Err(at(60_100)));
    }

    #[test]
    fn a_clock_that_steps_back_grants_nothing_and_freezes_nothing() {
        let mut rate_limiter = RateLimiter::new(at(0), 1.0, NonZeroU32::MIN);
        assert_eq!(rate_limiter.take(), Ok(0));
        rate_limiter.sync(at(-5_000));
        assert_eq!(rate_limiter.take(), Err(at(-4_000)));
        rate_limiter.sync(at(-4_000));
        assert_eq!(rate_limiter.take(), Ok(0));
    }
}
