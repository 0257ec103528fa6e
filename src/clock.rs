//! Time as a port, implemented by the daemon, the simulation and tests.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rustix::time::{ClockId, clock_gettime};
use tokio::sync::watch;

use crate::domain::Reading;

/// The moment so much later, or the last one that there is.
#[must_use]
pub fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(if by.is_negative() { Timestamp::MIN } else { Timestamp::MAX })
}

/// The moment so much earlier, or the first one that there is.
#[must_use]
pub fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_sub(by).unwrap_or(if by.is_negative() { Timestamp::MAX } else { Timestamp::MIN })
}

/// Tells the time and sleeps. Code that makes decisions takes `now` as an argument instead.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;

    /// The wall clock and the time since the boot, as the machine shows them.
    fn reading(&self) -> Reading;

    /// Returns when `now()` has reached `at`, at once if it already has.
    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;

    /// How much of this clock's time passes in so much of the machine's.
    fn span(&self, of_the_machine: SignedDuration) -> SignedDuration {
        of_the_machine
    }

    /// Returns after this much real time, whatever the speed of this clock: for waits on the machine itself,
    /// such as a disk. A [`ManualClock`] only has its own time.
    fn machine_sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(wait))
    }
}

/// The system clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
    fn now(&self) -> Timestamp {
        // Whole microseconds, as in the store, so that values in memory equal stored ones.
        let now = Timestamp::now();
        Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now)
    }

    fn reading(&self) -> Reading {
        loop {
            let before = up();
            let wall = self.now();
            let up = up();
            // Else the process was stopped between the two.
            if up.saturating_sub(before) < TOGETHER {
                return Reading { wall, boot: BOOT.clone(), up };
            }
        }
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(until(self.now(), at)))
    }
}

/// The two clocks are read within this time.
const TOGETHER: SignedDuration = SignedDuration::from_secs(1);

/// Linux names each boot. Without a name each process counts as a boot of its own.
static BOOT: LazyLock<Arc<str>> = LazyLock::new(|| {
    let named = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    let name = named.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    name.unwrap_or_else(|| uuid::Uuid::new_v4().to_string()).into()
});

/// The time since the boot, including the time that the machine was suspended.
fn up() -> SignedDuration {
    let up = clock_gettime(ClockId::Boottime);
    let nanos = i32::try_from(up.tv_nsec).unwrap_or(0);
    SignedDuration::new(up.tv_sec, nanos)
}

/// A clock that starts at a given time and runs `speed` times as fast as the system clock.
#[derive(Debug)]
pub struct ScaledClock {
    start: Timestamp,
    began: Instant,
    speed: f64,
}

impl ScaledClock {
    /// # Panics
    /// If `speed` is not a positive finite number.
    #[must_use]
    pub fn new(start: Timestamp, speed: f64) -> Self {
        assert!(speed.is_finite() && speed > 0.0, "a clock's speed is a positive number");
        Self { start, began: Instant::now(), speed }
    }
}

impl Clock for ScaledClock {
    fn now(&self) -> Timestamp {
        let passed = self.began.elapsed().mul_f64(self.speed);
        self.start + SignedDuration::try_from(passed).unwrap_or(SignedDuration::MAX)
    }

    /// Nobody can set it.
    fn reading(&self) -> Reading {
        let wall = self.now();
        Reading { wall, boot: "scaled".into(), up: wall.duration_since(Timestamp::UNIX_EPOCH) }
    }

    fn span(&self, of_the_machine: SignedDuration) -> SignedDuration {
        SignedDuration::try_from_secs_f64(of_the_machine.as_secs_f64() * self.speed)
            .unwrap_or(SignedDuration::MAX)
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(tokio::time::sleep(until(self.now(), at).div_f64(self.speed)))
    }
}

/// A clock that only [`ManualClock::set`] moves. Moving it wakes tasks whose sleep is over.
#[derive(Debug)]
pub struct ManualClock {
    now: Mutex<watch::Sender<Timestamp>>,
    /// All jumps together.
    jumped: Mutex<SignedDuration>,
}

impl ManualClock {
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self { now: Mutex::new(watch::Sender::new(start)), jumped: Mutex::default() }
    }

    /// Sets the time to `at`, which may be earlier than now, because real clocks step backwards too.
    pub fn set(&self, at: Timestamp) {
        self.lock().send_replace(at);
    }

    pub fn advance(&self, by: SignedDuration) {
        self.lock().send_modify(|now| *now += by);
    }

    /// Sets the wall clock alone, so that it differs by `by` more from the time since the boot.
    pub fn jump(&self, by: SignedDuration) {
        *self.jumped.lock().expect("no code panics while it holds the lock") += by;
        self.advance(by);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, watch::Sender<Timestamp>> {
        self.now.lock().expect("no code panics while it holds the lock")
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.lock().borrow()
    }

    fn reading(&self) -> Reading {
        let wall = self.now();
        let jumped = *self.jumped.lock().expect("no code panics while it holds the lock");
        let up = wall.duration_since(Timestamp::UNIX_EPOCH).saturating_sub(jumped);
        Reading { wall, boot: "manual".into(), up }
    }

    fn machine_sleep(&self, wait: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        self.sleep_until(self.now().saturating_add(wait).unwrap_or(Timestamp::MAX))
    }

    fn sleep_until(&self, at: Timestamp) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        let mut moved = self.lock().subscribe();
        Box::pin(async move {
            let _ = moved.wait_for(|now| *now >= at).await;
        })
    }
}

/// The time from `now` to `at`, rounded up to whole milliseconds so that a task never wakes early.
fn until(now: Timestamp, at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clocks_of_this_machine_go_on_together() {
        let (first, second) = (SystemClock.reading(), SystemClock.reading());
        assert_eq!(first.boot, second.boot);
        assert!(first.up <= second.up && first.up > SignedDuration::ZERO);
    }

    #[test]
    fn only_a_jump_moves_the_wall_clock_alone() {
        let clock = ManualClock::new(Timestamp::constant(1_790_000_000, 0));
        let (minute, before) = (SignedDuration::from_mins(1), clock.reading());
        clock.advance(minute);
        assert_eq!(
            clock.reading(),
            Reading { wall: before.wall + minute, up: before.up + minute, ..before.clone() }
        );
        clock.jump(minute);
        assert_eq!(
            clock.reading(),
            Reading { wall: before.wall + minute * 2, up: before.up + minute, ..before }
        );
    }

    #[test]
    fn no_moment_is_later_than_the_last() {
        let at = Timestamp::constant(1_790_000_000, 0);
        assert_eq!(later(at, SignedDuration::from_secs(7)), Timestamp::constant(1_790_000_007, 0));
        assert_eq!(later(at, SignedDuration::MAX), Timestamp::MAX);
        assert_eq!(later(at, SignedDuration::MIN), Timestamp::MIN);
    }
}
