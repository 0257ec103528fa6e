//! What was computed for the order before, because the orders of one list often have the same hours and times.

use std::cell::RefCell;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{CallingHours, Purpose};

/// The results about the order before. They hold for one moment and one set of calendars, as a validator does.
#[derive(Default)]
pub(super) struct Recent {
    /// Of a text that names its zones.
    pub hours: Last<String, CallingHours>,
    /// When they open from a moment on.
    pub opening: Last<(CallingHours, Timestamp), Option<Timestamp>>,
    /// For how long they are open from a moment to another.
    pub open_time: Last<(CallingHours, Timestamp, Timestamp), SignedDuration>,
    /// From when on a request is useful, by the hours, the start, the deadline and the purpose.
    pub asks_from: Last<(Option<CallingHours>, Timestamp, Timestamp, Purpose), Option<Timestamp>>,
}

/// A result, and what it was computed from.
pub(super) struct Last<K, V>(RefCell<Option<(K, V)>>);

impl<K, V> Default for Last<K, V> {
    fn default() -> Self {
        Self(RefCell::new(None))
    }
}

impl<K, V: Clone> Last<K, V> {
    /// The result, if it was computed from the same.
    pub(super) fn of(&self, is_same: impl FnOnce(&K) -> bool) -> Option<V> {
        self.0.borrow().as_ref().filter(|(from, _)| is_same(from)).map(|(_, result)| result.clone())
    }

    pub(super) fn keep(&self, from: K, result: V) {
        self.0.replace(Some((from, result)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_result_is_known_and_only_for_the_same() {
        let last = Last::<&str, u32>::default();
        assert_eq!(last.of(|_| true), None);
        last.keep("a", 1);
        assert_eq!(last.of(|from| *from == "b"), None);
        assert_eq!(last.of(|from| *from == "a"), Some(1));
        last.keep("b", 2);
        assert_eq!(last.of(|from| *from == "a"), None);
    }
}
