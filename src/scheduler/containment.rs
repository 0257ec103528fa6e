//! The state of failures of the code between turns: the current item, the last panics, and the set-aside items.
//!
//! A panic costs the turn's work. The item that the turn was at is set aside, and the state in memory is built anew as
//! at a start. Three panics within a minute stop dialling until a restart.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{CallbackId, Held, Numbers, SetAside, SetAsideId, SetAsideItem};

/// This many panics within [`WITHIN`] stop dialling.
const PANICS_MAX: usize = 3;
const WITHIN: SignedDuration = SignedDuration::from_mins(1);
/// The item that a turn is processing.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) item: SetAsideItem,
    /// The person of the item.
    pub(super) pair: Option<Numbers>,
    pub(super) callback: Option<CallbackId>,
    pub(super) kind: &'static str,
}

/// The state of failures between turns.
#[derive(Debug, Default)]
pub(super) struct Containment {
    /// The item that the turn is processing, if it is one.
    pub(super) at: Option<At>,
    /// The only item of a careful turn, to which every failure in it belongs.
    only: Option<At>,
    /// The index of the answer that the turn is processing.
    pub(super) at_answer: Option<usize>,
    /// Turns take one item each, because it is unknown at which item the last one failed.
    pub(super) is_careful: bool,
    /// The last panics, the newest last.
    panics: VecDeque<Timestamp>,
    /// The stored set-aside items.
    pub(super) aside: Vec<SetAside>,
    /// The people and callbacks that they block.
    pub(super) held: Held,
    /// Items that must be set aside and are not stored yet.
    pub(super) pending: Option<(SetAside, Option<Numbers>)>,
    /// The state in memory does not match what is stored.
    pub(super) must_rebuild: bool,
    pub(super) told_of_unknown: bool,
}

impl Containment {
    /// Notes a panic; whether it is the one that stops dialling.
    pub(super) fn panicked(&mut self, now: Timestamp) -> bool {
        self.panics.push_back(now);
        if self.panics.len() > PANICS_MAX {
            self.panics.pop_front();
        }
        let recent = self.panics.iter().filter(|at| now.duration_since(**at) <= WITHIN).count();
        let stops = recent >= PANICS_MAX && self.held.stopped_since.is_none();
        if stops {
            self.held.stopped_since = Some(now);
        }
        stops
    }

    pub(super) fn aside(&self, id: SetAsideId) -> Option<&SetAside> {
        self.aside.iter().find(|item| item.id == id)
    }

    /// The turn is not processing an item that could be set aside.
    pub(super) fn leave(&mut self) {
        self.at.clone_from(&self.only);
        self.at_answer = None;
    }

    /// A turn begins or has ended.
    pub(super) fn clear(&mut self) {
        self.only = None;
        self.leave();
    }

    /// The turn takes this item alone.
    pub(super) fn is_only_at(&mut self, at: At) {
        self.only = Some(at);
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + millis).unwrap()
    }

    /// The number of the panic that stops dialling, of those at these milliseconds.
    fn stops_at(panics: &[i64]) -> Option<usize> {
        let mut containment = Containment::default();
        panics.iter().position(|millis| containment.panicked(at(*millis)))
    }

    #[test]
    fn the_third_panic_within_a_minute_stops_dialling() {
        assert_eq!(stops_at(&[0, 1]), None);
        assert_eq!(stops_at(&[0, 1, 2]), Some(2));
        assert_eq!(stops_at(&[0, 30_000, 60_000]), Some(2));
        assert_eq!(stops_at(&[0, 30_000, 60_001]), None);
        assert_eq!(stops_at(&[0, 30_000, 60_001, 90_000]), Some(3));
        assert_eq!(stops_at(&[0, 59_000, 118_000, 177_000]), None);
    }

    #[test]
    fn dialling_stops_once_and_stays_stopped() {
        let mut containment = Containment::default();
        for millis in [0, 1, 2, 3, 4] {
            containment.panicked(at(millis));
        }
        assert_eq!(containment.held.stopped_since, Some(at(2)));
        assert_eq!(containment.panics.len(), PANICS_MAX);
    }
}
