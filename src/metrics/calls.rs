//! Calls, permission requests and invites: what was sent, how it was answered, how it ended, and how late it was.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

use super::Metrics;
use super::shelf::Shelf;

#[derive(Debug)]
pub(super) struct Calls {
    placed: Family<Answer, Counter>,
    ended: Family<Outcome, Counter>,
    in_progress: Gauge,
    requests: Family<Answer, Counter>,
    invites: Family<Answer, Counter>,
    invite_roads: Family<Way, Counter>,
    invite_tokens: Family<Answer, Counter>,
    lateness: Histogram,
    leaving: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Way {
    road: &'static str,
}

/// In seconds. A promised call needs the platform's time as well; the consumer notices minutes.
const LATENESS: [f64; 14] =
    [0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0];

/// In seconds, close together around 15 ms, within which 99 % of the calls are to leave.
pub(super) const DISPATCH: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0];

impl Calls {
    pub(super) fn on(shelf: &mut Shelf) -> Self {
        Self {
            placed: shelf.counter("calls_placed", &["result"], "Requests to place a call, by how they were answered"),
            ended: shelf.counter(
                "calls_ended",
                &["outcome"],
                "Calls that are over, by their end for the consumer; `abandoned` was answered and not served",
            ),
            in_progress: shelf.gauge("calls_in_progress", &[], "Calls queued, ringing or answered, in both directions"),
            requests: shelf.counter("permission_requests", &["result"], "Permission requests sent, by result"),
            invites: shelf.counter("invites", &["result"], "Invites sent, by result"),
            invite_roads: shelf.counter("invite_roads", &["road"], "Invites that the platform accepted, by road"),
            invite_tokens: shelf.counter(
                "invite_tokens",
                &["result"],
                "Calls of consumers with the token of an invite: `counted`, `closed` (its order was closed before), \
                 `borrowed` (made for somebody else) or `unknown`",
            ),
            lateness: shelf.histogram(
                "call_lateness_seconds",
                "How much later than promised the consumer's phone first rang, for callbacks with a promised time",
                LATENESS,
            ),
            leaving: shelf.histogram(
                "call_leaving_seconds",
                "Time from the decision to place a call to its request to the platform",
                DISPATCH,
            ),
        }
    }
}

impl Metrics {
    /// A create request for a call was answered; `result` is for example `accepted` or `unknown`.
    pub fn call_placed(&self, result: &'static str) {
        self.calls.placed.get_or_create(&Answer { result }).inc();
    }

    /// A call that was placed is over; `outcome` is its end for the consumer, for example `completed` or `abandoned`.
    pub fn call_ended(&self, outcome: &'static str) {
        self.calls.ended.get_or_create(&Outcome { outcome }).inc();
    }

    pub fn calls_in_progress(&self, count: i64) {
        self.calls.in_progress.set(count);
    }

    pub fn permission_requested(&self, result: &'static str) {
        self.calls.requests.get_or_create(&Answer { result }).inc();
    }

    pub fn invited(&self, result: &'static str) {
        self.calls.invites.get_or_create(&Answer { result }).inc();
    }

    /// The platform has an invite by this kind of road, such as `call_button`.
    pub fn invited_by(&self, road: &'static str) {
        self.calls.invite_roads.get_or_create(&Way { road }).inc();
    }

    /// A consumer's call had the token of an invite; `result` is `counted`, `borrowed` or `unknown`.
    pub fn invite_token(&self, result: &'static str) {
        self.calls.invite_tokens.get_or_create(&Answer { result }).inc();
    }

    /// The consumer's phone first rang this long after the promised time.
    pub fn rang_late(&self, late: Duration) {
        self.calls.lateness.observe(late.as_secs_f64());
    }

    /// The request for a call left this long after it was decided.
    pub fn call_left(&self, waited: Duration) {
        self.calls.leaving.observe(waited.as_secs_f64());
    }
}
