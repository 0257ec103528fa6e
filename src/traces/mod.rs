//! Traces: one for the life of a callback, over turns, attempts, requests to platforms, reports and deliveries.
//!
//! A trace needs no state: its id is the id of the callback, or that of the customer's trace (`parent`); the ids of the
//! spans that others refer to come from the ids of what they are about (`ids`). Whoever finishes something sends a whole
//! span. `exporter` collects spans and sends them to an OTLP collector (`otlp`). What does not fit into its queue is
//! dropped and counted: nobody waits for a collector.
//!
//! Without a collector every part has an empty [`Traces`], which costs one comparison.

mod exporter;
mod ids;
mod otlp;
mod parent;
mod span;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::domain::{Callback, TraceParent};
use crate::metrics::Metrics;

pub use exporter::{Exporter, ExporterConfig};
pub use ids::{SpanId, TraceId};
pub use span::{Kind, Mark, Span, Value};

/// Takes finished spans. Empty if there is no collector.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Arc<Tracer>>);

#[derive(Debug)]
struct Tracer {
    queue: mpsc::Sender<Span>,
    /// Of 2^56 traces, so many are recorded.
    share: u64,
    metrics: Arc<Metrics>,
}

/// The trace of one callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    pub id: TraceId,
    /// The span of the callback, from its order to its end.
    pub root: SpanId,
    /// The customer's span in which it was ordered.
    pub parent: Option<SpanId>,
}

impl Trace {
    /// The header `traceparent` for a request that this span makes.
    #[must_use]
    pub fn traceparent(&self, span: SpanId) -> String {
        TraceParent { trace: *self.id.bytes(), span: *span.bytes(), is_sampled: true }.to_string()
    }
}

impl Traces {
    /// Records this share of all traces, from 0 to 1, and keeps at most `queue_max` spans for the exporter.
    #[must_use]
    pub fn new(ratio: f64, queue_max: usize, metrics: Arc<Metrics>) -> (Self, mpsc::Receiver<Span>) {
        let (queue, spans) = mpsc::channel(queue_max.max(1));
        (Self(Some(Arc::new(Tracer { queue, share: ids::share(ratio), metrics }))), spans)
    }

    /// Whether there is a collector.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The trace of this callback, if it is recorded. The sender of a `traceparent` decides whether its trace is.
    #[must_use]
    pub fn of(&self, callback: &Callback) -> Option<Trace> {
        let tracer = self.0.as_ref()?;
        let root = SpanId::of(callback.id.bytes());
        match callback.order.terms.as_ref().and_then(|terms| terms.traced) {
            Some(theirs) => theirs.is_sampled.then_some(Trace {
                id: TraceId::new(theirs.trace),
                root,
                parent: Some(SpanId::new(theirs.span)),
            }),
            None => {
                let id = TraceId::new(*callback.id.bytes());
                id.is_within(tracer.share).then_some(Trace { id, root, parent: None })
            }
        }
    }

    /// Takes a finished span, or drops it if the queue is full.
    pub fn send(&self, span: Span) {
        if let Some(tracer) = &self.0
            && tracer.queue.try_send(span).is_err()
        {
            tracer.metrics.spans("dropped", 1);
        }
    }

    /// What a request says in `traceparent`; `None` without a collector, without the header, or if it is malformed.
    #[must_use]
    pub fn parent(&self, headers: &http::HeaderMap) -> Option<TraceParent> {
        self.0.as_ref()?;
        parent::of(headers)
    }
}
