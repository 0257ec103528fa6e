//! Pauses, as those know of them who set them: what may not leave, and when.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::Phone;

/// What an operator stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// When the daemon acknowledged it.
    pub from: Timestamp,
    /// When it certainly holds no longer; `None` until it is ended.
    pub until: Option<Timestamp>,
    /// Whose calls and messages; `None` for every sender's.
    pub senders: Option<Vec<Phone>>,
    /// To whom; `None` for everybody.
    pub consumer: Option<Phone>,
}

/// All stops that were not ended, by their names.
#[derive(Debug, Default)]
pub(super) struct Stops(BTreeMap<String, Stop>);

impl Stops {
    pub(super) fn begin(&mut self, name: &str, stop: Stop) {
        self.0.insert(name.to_owned(), stop);
    }

    pub(super) fn end(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// When the stop began that holds every sender back from this consumer, if there is one at `now`.
    pub(super) fn since_for_all(&self, now: Timestamp, consumer: Phone) -> Option<Timestamp> {
        let holds = |stop: &&Stop| {
            stop.until.is_none_or(|until| now < until)
                && stop.senders.is_none()
                && stop.consumer.is_none_or(|other| other == consumer)
        };
        self.0.values().filter(holds).map(|stop| stop.from).min()
    }

    /// When the stop began that holds this, if there is one at `now`.
    pub(super) fn since(&self, now: Timestamp, sender: Phone, consumer: Phone) -> Option<Timestamp> {
        let holds = |stop: &&Stop| {
            stop.until.is_none_or(|until| now < until)
                && stop.senders.as_ref().is_none_or(|senders| senders.contains(&sender))
                && stop.consumer.is_none_or(|other| other == consumer)
        };
        self.0.values().filter(holds).map(|stop| stop.from).min()
    }
}
