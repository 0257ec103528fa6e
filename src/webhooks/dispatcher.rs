//! The dispatcher: sends due deliveries, up to a limit in parallel, and records the result of each try.
//!
//! It sleeps until the next row is due or a wake-up. If the daemon or the store fails between sending and
//! recording, the row is sent again. Receivers detect that by `webhook-id`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::endpoint::Change;
use super::retry_policy::{Answer, Circumstances, judge};
use super::{Endpoint, HttpSender};
use crate::clock::{Clock, later};
use crate::domain::{Callback, CallbackId, DeliveryId};
use crate::failpoint::failpoint;
use crate::metrics::Metrics;
use crate::store::{self, Delivery, Outbox, Records, Settled, Subject};
use crate::traces::{Kind, Span, SpanId, Trace, Traces};

/// Delivers the rows of the outbox.
#[derive(Clone)]
pub struct Dispatcher {
    pub store: Arc<dyn Outbox>,
    pub clock: Arc<dyn Clock>,
    pub metrics: Arc<Metrics>,
    pub endpoint: Arc<Endpoint>,
    pub sender: Arc<HttpSender>,
    pub traces: Traces,
    /// Where the callbacks of traces are read.
    pub records: Arc<dyn Records>,
    /// The most deliveries in flight.
    pub in_flight_max: usize,
    pub give_up_after: SignedDuration,
    /// The duration of a claim, longer than a try can take. The rows of a killed process stay claimed until then, unless
    /// the next process owns the store alone.
    pub claim_for: SignedDuration,
}

/// Delay after a failure of the store.
const STORE_REST: SignedDuration = SignedDuration::from_secs(1);

type Flights = FuturesUnordered<BoxFuture<'static, Landing>>;

/// A finished try.
struct Landing {
    delivery: Delivery,
    tried_at: Timestamp,
    answer: Answer,
    took: Duration,
    /// The trace of the callback, and the span of the try.
    trace: Option<(Trace, SpanId)>,
}

/// Deliveries in flight, and finished tries that are not recorded yet.
#[derive(Default)]
struct InFlight {
    flights: Flights,
    under_way: BTreeSet<DeliveryId>,
    /// The last is why the try failed.
    unrecorded: Vec<(DeliveryId, Timestamp, Settled, Option<String>)>,
}

impl Dispatcher {
    /// Runs until `shutdown`, then waits for tries in flight.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut in_flight = InFlight::default();
        let mut store_is_up = true;
        while !shutdown.is_cancelled() {
            let until = match self.work(&mut in_flight).await {
                Ok(until) => {
                    store_is_up = true;
                    until
                }
                Err(error) => {
                    if std::mem::take(&mut store_is_up) {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the store failed; webhooks wait until it recovers"
                        );
                    }
                    Some(later(self.clock.now(), STORE_REST))
                }
            };
            let alarm = async {
                match until {
                    Some(at) => self.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = alarm => {}
                () = self.endpoint.waker.given() => {}
                Some(landing) = in_flight.flights.next() => self.land(&mut in_flight, &landing),
                () = shutdown.cancelled() => {}
            }
        }
        while let Some(landing) = in_flight.flights.next().await {
            self.land(&mut in_flight, &landing);
        }
        if let Err(error) = self.record(&mut in_flight).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the last deliveries could not be recorded; they are sent again after the restart"
            );
        }
    }

    /// Records finished tries and sends due deliveries. Returns when to run next.
    async fn work(&self, in_flight: &mut InFlight) -> store::Result<Option<Timestamp>> {
        self.record(in_flight).await?;
        let now = self.clock.now();
        let standing = self.endpoint.standing();
        if standing.disabled.is_some() || in_flight.under_way.len() >= self.in_flight_max {
            return Ok(None);
        }
        if let Some(until) = standing.resting_until.filter(|until| *until > now) {
            return Ok(Some(until));
        }
        let room = self.in_flight_max.saturating_sub(in_flight.under_way.len());
        let claimed = self.store.claim_deliveries(now, later(now, self.claim_for), room).await?;
        failpoint!("delivery.claimed", !claimed.is_empty());
        let traced = self.traced(&claimed).await;
        for delivery in claimed {
            // A row is claimed twice if the endpoint was disabled and enabled during its try.
            if in_flight.under_way.insert(delivery.row.id) {
                let trace = traced.get(&delivery.row.subject).map(|trace| (*trace, SpanId::random()));
                self.send(in_flight, delivery, now, trace);
            }
        }
        self.store.next_delivery(now).await
    }

    /// The traces of the callbacks that these are about. Without a collector nothing is read; what cannot be read has none.
    async fn traced(&self, claimed: &[Delivery]) -> BTreeMap<Subject, Trace> {
        if !self.traces.is_on() || claimed.is_empty() {
            return BTreeMap::new();
        }
        let subjects: BTreeSet<Subject> = claimed.iter().map(|delivery| delivery.row.subject).collect();
        let id = |subject: &Subject| CallbackId::new(Uuid::from_bytes(*subject.bytes()));
        let ids: Vec<CallbackId> = subjects.iter().map(id).collect();
        let callbacks = self.records.callbacks(&ids).await.unwrap_or_default();
        let traced = |callback: &Callback| Some((Subject::from(callback.id), self.traces.of(callback)?));
        callbacks.iter().filter_map(traced).collect()
    }

    fn send(
        &self,
        in_flight: &InFlight,
        delivery: Delivery,
        tried_at: Timestamp,
        trace: Option<(Trace, SpanId)>,
    ) {
        let sender = Arc::clone(&self.sender);
        in_flight.flights.push(Box::pin(async move {
            let began = Instant::now();
            let traceparent = trace.map(|(trace, span)| trace.traceparent(span));
            let answer = sender.deliver(&delivery.row, tried_at, traceparent.as_deref()).await;
            Landing { delivery, tried_at, answer, took: began.elapsed(), trace }
        }));
    }

    /// The span of a try that is over.
    fn trace(&self, landing: &Landing, result: &'static str) {
        let Some((trace, id)) = landing.trace else { return };
        let span = Span::of(&trace, "webhook", Kind::Client, landing.tried_at, self.clock.now())
            .with("ringmaster.webhook.id", landing.delivery.row.id.to_string())
            .with("ringmaster.webhook.type", landing.delivery.row.what.to_string())
            .with("ringmaster.webhook.tries", landing.delivery.tries.saturating_add(1))
            .with("ringmaster.result", result);
        self.traces.send(Span { id, ..span.failed(result != "taken") });
    }

    fn land(&self, in_flight: &mut InFlight, landing: &Landing) {
        let Landing { delivery, tried_at, answer, .. } = landing;
        let now = self.clock.now();
        let standing = self.endpoint.standing();
        let circumstances = Circumstances {
            now,
            failing_since: standing.failing_since,
            disabled: standing.disabled.is_some(),
            give_up_after: self.give_up_after,
            dice: fastrand::f64(),
        };
        let verdict = judge(delivery, *answer, &circumstances);
        let result = match verdict.settled {
            Settled::Delivered => "taken",
            Settled::RetryAt(_) => "failed",
            Settled::GivenUp => "given_up",
            Settled::Disabled => "disabled",
        };
        self.metrics.webhook_delivered(result);
        self.metrics.webhook_tried(landing.took);
        self.trace(landing, result);
        let id = delivery.row.id;
        tracing::debug!(delivery = %id, ?answer, "a webhook was tried");
        if verdict.settled == Settled::GivenUp {
            tracing::warn!(delivery = %id, subject = %delivery.row.subject, "a webhook was given up");
        }
        match self.endpoint.learn(now, *answer, &verdict) {
            Some(Change::Failing) => {
                tracing::warn!(?answer, "the webhook endpoint does not accept deliveries")
            }
            Some(Change::Recovered) => tracing::info!("the webhook endpoint accepts deliveries again"),
            Some(Change::Disabled(why)) => tracing::error!(
                why,
                "the webhook endpoint is disabled until a restart or POST /v1/webhooks/enable"
            ),
            None => {}
        }
        in_flight.unrecorded.push((id, *tried_at, verdict.settled, answer.failure()));
    }

    async fn record(&self, in_flight: &mut InFlight) -> store::Result<()> {
        while let Some((id, tried_at, settled, failure)) = in_flight.unrecorded.last().cloned() {
            failpoint!("delivery.unsettled");
            self.store.settle_delivery(id, tried_at, settled, failure).await?;
            failpoint!("delivery.settled");
            in_flight.unrecorded.pop();
            in_flight.under_way.remove(&id);
            self.endpoint.note_recorded();
        }
        Ok(())
    }
}
