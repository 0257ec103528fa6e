//! New ids of callbacks: UUIDs of version 7, which grow with time and within one moment with a counter.

use std::sync::Mutex;

use jiff::Timestamp;
use uuid::{ContextV7, Uuid};

use crate::domain::CallbackId;

/// Makes ids that grow, so that the rows of one order are listed in the order in which they were given.
#[derive(Debug, Default)]
pub struct Ids(Mutex<ContextV7>);

impl Ids {
    /// The next id. It is larger than every id of this process before it, also if the clock stepped back.
    #[must_use]
    pub fn callback(&self, now: Timestamp) -> CallbackId {
        let context = self.0.lock().expect("nothing panics while it holds the counter");
        let seconds = u64::try_from(now.as_second()).unwrap_or(0);
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        let time = uuid::Timestamp::from_unix(&*context, seconds, nanoseconds);
        CallbackId::new(Uuid::new_v7(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_within_a_moment_and_when_the_clock_steps_back() {
        let ids = Ids::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut last = ids.callback(at(1_790_000_000));
        for second in [1_790_000_000; 1000].into_iter().chain([1_790_000_001, 1_789_999_000]) {
            let next = ids.callback(at(second));
            assert!(next > last);
            last = next;
        }
    }
}
