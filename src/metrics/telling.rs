//! What goes to others than the platforms: customer webhooks, and traces.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use super::Metrics;
use super::shelf::Shelf;

#[derive(Debug)]
pub(super) struct Telling {
    deliveries: Family<Answer, Counter>,
    delivery: Histogram,
    spans: Family<Answer, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    result: &'static str,
}

impl Telling {
    pub(super) fn on(shelf: &mut Shelf) -> Self {
        Self {
            deliveries: shelf.counter(
                "webhook_deliveries",
                &["result"],
                "Tries to deliver a customer webhook: `taken`, `failed`, `given_up` or `disabled`",
            ),
            delivery: shelf.histogram(
                "webhook_delivery_seconds",
                "Duration of a try to deliver a customer webhook",
                exponential_buckets(0.005, 2.0, 13),
            ),
            spans: shelf.counter(
                "trace_spans",
                &["result"],
                "Spans of traces: `sent`, `dropped` (the queue was full) or `lost` (the collector did not take them)",
            ),
        }
    }
}

impl Metrics {
    /// A try to deliver a customer webhook ended.
    pub fn webhook_delivered(&self, result: &'static str) {
        self.telling.deliveries.get_or_create(&Answer { result }).inc();
    }

    /// A try to deliver a customer webhook took this long.
    pub fn webhook_tried(&self, took: Duration) {
        self.telling.delivery.observe(took.as_secs_f64());
    }

    /// Spans were `sent`, `dropped` or `lost`.
    pub fn spans(&self, result: &'static str, count: usize) {
        self.telling.spans.get_or_create(&Answer { result }).inc_by(count as u64);
    }
}
