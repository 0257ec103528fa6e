//! Makes identifiers: time-ordered, from the given `now` and randomness of its own.

use std::sync::Mutex;

use jiff::Timestamp;
use uuid::{Builder, Uuid};

/// A source of fresh identifiers. Seeded, it gives the same ones again.
#[derive(Debug)]
pub struct Mint(Mutex<fastrand::Rng>);

impl Mint {
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(fastrand::Rng::with_seed(seed)))
    }

    /// A UUID of version 7: its order is the order of creation, to the millisecond.
    ///
    /// # Panics
    /// Never: nothing panics while it holds the generator.
    pub fn uuid(&self, now: Timestamp) -> Uuid {
        let mut random = [0; 10];
        self.0.lock().expect("nothing panics while it holds the generator").fill(&mut random);
        let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

impl Default for Mint {
    fn default() -> Self {
        Self(Mutex::new(fastrand::Rng::new()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_identifiers_sort_later() {
        let mint = Mint::seeded(1);
        let at = |millis| Timestamp::from_millisecond(millis).unwrap();
        assert!(mint.uuid(at(1000)) < mint.uuid(at(1001)));
        assert_ne!(mint.uuid(at(1000)), mint.uuid(at(1000)));
    }

    #[test]
    fn a_seed_repeats_its_identifiers() {
        let at = Timestamp::from_millisecond(1000).unwrap();
        assert_eq!(Mint::seeded(7).uuid(at), Mint::seeded(7).uuid(at));
    }
}
