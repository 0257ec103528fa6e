//! Generates ids: UUIDs of version 7 that also grow within one millisecond, so that rows created together are
//! listed in order of creation. Ids are not secret.

use std::sync::Mutex;

use jiff::Timestamp;
use uuid::{Builder, Uuid};

/// Bits of an id below the milliseconds that can be chosen freely.
const FREE_BITS: u32 = 74;
/// The largest distance between two ids within one millisecond.
const STEP_MAX: u128 = 1 << 24;

/// Generates growing ids. The same seed gives the same ids.
#[derive(Debug)]
pub struct IdGenerator(Mutex<Source>);

#[derive(Debug)]
struct Source {
    random: fastrand::Rng,
    /// Milliseconds and free bits of the last id as one number.
    last: u128,
}

impl IdGenerator {
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(Source { random: fastrand::Rng::with_seed(seed), last: 0 }))
    }

    /// The next id. It is larger than every earlier id of this generator, even if the clock stepped back.
    ///
    /// # Panics
    /// Never: no code panics while it holds the lock.
    #[must_use]
    pub fn uuid(&self, now: Timestamp) -> Uuid {
        let mut source = self.0.lock().expect("no code panics while it holds the lock");
        let millis = u128::from(u64::try_from(now.as_millisecond()).unwrap_or_default());
        let fresh = millis << FREE_BITS | source.random.u128(0..1 << FREE_BITS);
        let next = if source.last >> FREE_BITS < millis {
            fresh
        } else {
            source.last + source.random.u128(1..=STEP_MAX)
        };
        source.last = next;
        uuid(next)
    }
}

impl Default for IdGenerator {
    fn default() -> Self {
        Self(Mutex::new(Source { random: fastrand::Rng::new(), last: 0 }))
    }
}

/// Inserts version and variant between the 12 upper and 62 lower free bits.
fn uuid(number: u128) -> Uuid {
    let free = number & ((1 << FREE_BITS) - 1);
    let spread = (free >> 62) << 64 | free & ((1 << 62) - 1);
    let mut bytes = [0; 10];
    bytes.copy_from_slice(&spread.to_be_bytes()[6..]);
    let millis = u64::try_from(number >> FREE_BITS).unwrap_or(u64::MAX);
    Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_within_a_moment_and_when_the_clock_steps_back() {
        let mint = IdGenerator::seeded(1);
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut last = mint.uuid(at(1_790_000_000));
        for second in [1_790_000_000; 1000].into_iter().chain([1_790_000_001, 1_789_999_000]) {
            let next = mint.uuid(at(second));
            assert!(next > last);
            assert_eq!(next.get_version_num(), 7);
            last = next;
        }
    }

    #[test]
    fn a_full_counter_carries_into_the_milliseconds() {
        let full = (1_790_000_000_000_u128 << FREE_BITS) | ((1 << FREE_BITS) - 1);
        assert!(uuid(full + 1) > uuid(full));
        assert_eq!(uuid(full + 1).get_version_num(), 7);
        assert_eq!(uuid(full + 1).get_variant(), uuid::Variant::RFC4122);
    }
}
