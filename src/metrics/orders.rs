//! Callbacks and invites: accepted and closed.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

use super::Metrics;
use super::shelf::Shelf;

#[derive(Debug)]
pub(super) struct Orders {
    callbacks: Counter,
    invites: Counter,
    closed: Family<Outcome, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

impl Orders {
    pub(super) fn on(shelf: &mut Shelf) -> Self {
        Self {
            callbacks: shelf.counter("callbacks_enqueued", &[], "Callbacks accepted"),
            invites: shelf.counter("invites_enqueued", &[], "Invites accepted (`POST /v1/invites`)"),
            closed: shelf.counter("callbacks_closed", &["outcome"], "Callbacks closed, by outcome"),
        }
    }
}

impl Metrics {
    pub fn callbacks_enqueued(&self, count: u64) {
        self.orders.callbacks.inc_by(count);
    }

    pub fn invites_enqueued(&self, count: u64) {
        self.orders.invites.inc_by(count);
    }

    pub fn callback_closed(&self, outcome: &'static str) {
        self.orders.closed.get_or_create(&Outcome { outcome }).inc();
    }
}
