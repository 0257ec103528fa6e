//! The metrics.
//!
//! Labels are fixed names, route templates, status classes and a bounded set of error codes. A phone number,
//! a SID or input text is never a label: it would leak data, and each would be a new time series.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// The daemon's metrics. Each daemon has its own, so that two in one process do not mix.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    hooks_received: Family<Kind, Counter>,
    hooks_repeated: Family<Kind, Counter>,
    hooks_repeated_total: AtomicU64,
    reports_unmatched: Counter,
    hooks_refused: Family<Refusal, Counter>,
    callbacks_enqueued: Counter,
    invites_enqueued: Counter,
    callbacks_closed: Family<Outcome, Counter>,
    calls_placed: Family<Answer, Counter>,
    calls_ended: Family<Outcome, Counter>,
    permission_requests: Family<Answer, Counter>,
    invites: Family<Answer, Counter>,
    invite_roads: Family<Way, Counter>,
    invite_tokens: Family<Answer, Counter>,
    webhook_deliveries: Family<Answer, Counter>,
    scheduler_lag: Histogram,
    store_commit: Histogram,
    store_group_size: Histogram,
    http_requests: Family<Request, Counter>,
    http_request: Family<Route, Histogram, fn() -> Histogram>,
    calls_in_progress: Gauge,
    panics: Counter,
    set_aside: Gauge,
    pauses: Family<Scope, Gauge>,
    dialling_stopped: Gauge,
    clock_in_doubt: Gauge,
    lineage_held: Gauge,
    deposed: Gauge,
    platform_codes: Family<Code, Counter>,
    /// Unknown error codes that have a time series of their own.
    unknown_codes: Mutex<BTreeSet<(&'static str, u32)>>,
}

/// The most unknown error codes with a time series of their own. Further codes share one.
const UNKNOWN_CODES_MAX: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    issuer: &'static str,
    code: String,
    for_operator: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    kind: &'static str,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Way {
    road: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Scope {
    scope: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    route: String,
    method: &'static str,
    status: &'static str,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("ringmaster"),
            hooks_received: Family::default(),
            hooks_repeated: Family::default(),
            hooks_repeated_total: AtomicU64::new(0),
            reports_unmatched: Counter::default(),
            hooks_refused: Family::default(),
            callbacks_enqueued: Counter::default(),
            invites_enqueued: Counter::default(),
            callbacks_closed: Family::default(),
            calls_placed: Family::default(),
            calls_ended: Family::default(),
            permission_requests: Family::default(),
            invites: Family::default(),
            invite_roads: Family::default(),
            invite_tokens: Family::default(),
            webhook_deliveries: Family::default(),
            scheduler_lag: Histogram::new(exponential_buckets(0.001, 4.0, 10)),
            store_commit: Histogram::new(exponential_buckets(0.000_25, 2.0, 14)),
            store_group_size: Histogram::new(exponential_buckets(1.0, 2.0, 11)),
            http_requests: Family::default(),
            http_request: Family::new_with_constructor(request_histogram),
            calls_in_progress: Gauge::default(),
            panics: Counter::default(),
            set_aside: Gauge::default(),
            pauses: Family::default(),
            dialling_stopped: Gauge::default(),
            clock_in_doubt: Gauge::default(),
            lineage_held: Gauge::default(),
            deposed: Gauge::default(),
            platform_codes: Family::default(),
            unknown_codes: Mutex::default(),
        };
        metrics.register();
        metrics
    }
}

fn request_histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.000_5, 2.5, 12))
}

impl Metrics {
    /// Content type of [`Metrics::encode`].
    pub const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    /// All metrics as OpenMetrics text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String does not fail");
        text
    }

    /// A webhook was verified and stored; `kind` is a fixed name such as `call_status`.
    pub fn hook_received(&self, kind: &'static str) {
        self.hooks_received.get_or_create(&Kind { kind }).inc();
    }

    /// A webhook repeated a known report, so it changed nothing.
    pub fn hook_repeated(&self, kind: &'static str) {
        self.hooks_repeated.get_or_create(&Kind { kind }).inc();
        self.hooks_repeated_total.fetch_add(1, Relaxed);
    }

    /// Reports without a known person were stored.
    pub fn reports_unmatched(&self, count: usize) {
        self.reports_unmatched.inc_by(count as u64);
    }

    /// The number of repeated reports since the start, of all kinds.
    #[must_use]
    pub fn hooks_repeated_total(&self) -> u64 {
        self.hooks_repeated_total.load(Relaxed)
    }

    /// A webhook was refused for this reason, such as `signature`.
    pub fn hook_refused(&self, kind: &'static str, reason: &'static str) {
        self.hooks_refused.get_or_create(&Refusal { kind, reason }).inc();
    }

    pub fn callbacks_enqueued(&self, count: u64) {
        self.callbacks_enqueued.inc_by(count);
    }

    pub fn invites_enqueued(&self, count: u64) {
        self.invites_enqueued.inc_by(count);
    }

    pub fn callback_closed(&self, outcome: &'static str) {
        self.callbacks_closed.get_or_create(&Outcome { outcome }).inc();
    }

    /// A create request for a call was answered; `result` is for example `accepted` or `unknown`.
    pub fn call_placed(&self, result: &'static str) {
        self.calls_placed.get_or_create(&Answer { result }).inc();
    }

    /// A call that was placed is over; `outcome` is its end for the consumer, for example `completed` or `abandoned`.
    pub fn call_ended(&self, outcome: &'static str) {
        self.calls_ended.get_or_create(&Outcome { outcome }).inc();
    }

    pub fn permission_requested(&self, result: &'static str) {
        self.permission_requests.get_or_create(&Answer { result }).inc();
    }

    pub fn invited(&self, result: &'static str) {
        self.invites.get_or_create(&Answer { result }).inc();
    }

    /// The platform has an invite by this kind of road, such as `call_button`.
    pub fn invited_by(&self, road: &'static str) {
        self.invite_roads.get_or_create(&Way { road }).inc();
    }

    /// A consumer's call had the token of an invite; `result` is `counted`, `borrowed` or `unknown`.
    pub fn invite_token(&self, result: &'static str) {
        self.invite_tokens.get_or_create(&Answer { result }).inc();
    }

    /// A try to deliver a customer webhook ended.
    pub fn webhook_delivered(&self, result: &'static str) {
        self.webhook_deliveries.get_or_create(&Answer { result }).inc();
    }

    /// A due callback was processed this long after it was due.
    pub fn scheduler_lagged(&self, lag: Duration) {
        self.scheduler_lag.observe(lag.as_secs_f64());
    }

    /// A commit of the store with this many commands.
    #[expect(clippy::cast_precision_loss, reason = "a group has a few thousand commands at most")]
    pub fn store_committed(&self, commands: usize, took: Duration) {
        self.store_commit.observe(took.as_secs_f64());
        self.store_group_size.observe(commands as f64);
    }

    /// An HTTP request was answered; `route` is the template (`/v1/callbacks/{id}`), never the path.
    pub fn http_answered(
        &self,
        route: &str,
        method: &http::Method,
        status: http::StatusCode,
        took: Duration,
    ) {
        let request =
            Request { route: route.to_owned(), method: method_label(method), status: status_class(status) };
        self.http_requests.get_or_create(&request).inc();
        self.http_request.get_or_create(&Route { route: request.route }).observe(took.as_secs_f64());
    }

    /// A call or message failed with this code of the platform.
    pub fn platform_code(&self, issuer: &'static str, code: u32, is_known: bool, for_operator: bool) {
        let shown = is_known || {
            let mut unknown = self.unknown_codes.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (issuer, code);
            unknown.contains(&key) || unknown.len() < UNKNOWN_CODES_MAX && unknown.insert(key)
        };
        let code = if shown { code.to_string() } else { "other".to_owned() };
        let for_operator = if for_operator { "yes" } else { "no" };
        self.platform_codes.get_or_create(&Code { issuer, code, for_operator }).inc();
    }

    pub fn calls_in_progress(&self, count: i64) {
        self.calls_in_progress.set(count);
    }

    /// A turn of the scheduler, or a request to a platform, failed in the code.
    pub fn panicked(&self) {
        self.panics.inc();
    }

    /// The number of set-aside items, and whether dialling has stopped.
    pub fn set_aside(&self, count: usize, is_stopped: bool) {
        self.set_aside.set(i64::try_from(count).unwrap_or(i64::MAX));
        self.dialling_stopped.set(i64::from(is_stopped));
    }

    /// The number of pauses in force with this scope.
    pub fn pauses(&self, scope: &'static str, count: usize) {
        self.pauses.get_or_create(&Scope { scope }).set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Whether the machine's clock is in doubt.
    pub fn clock_in_doubt(&self, is_in_doubt: bool) {
        self.clock_in_doubt.set(i64::from(is_in_doubt));
    }

    /// Whether nothing leaves because the store is not the one that was last written.
    pub fn lineage_held(&self, is_held: bool) {
        self.lineage_held.set(i64::from(is_held));
    }

    /// Whether another daemon has opened the store.
    pub fn deposed(&self, is_deposed: bool) {
        self.deposed.set(i64::from(is_deposed));
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("panics", "Failures of the code that were contained", self.panics.clone());
        registry.register("set_aside", "Reports, commands and callbacks set aside", self.set_aside.clone());
        registry.register("pauses", "Operators' pauses in force, by scope", self.pauses.clone());
        registry.register(
            "dialling_stopped",
            "1 while nothing is dialled or sent after too many failures of the code",
            self.dialling_stopped.clone(),
        );
        registry.register(
            "clock_in_doubt",
            "1 while nothing is dialled or sent because the machine's clock jumped",
            self.clock_in_doubt.clone(),
        );
        registry.register(
            "lineage_held",
            "1 while nothing is dialled or sent because the store is not the one that was last written",
            self.lineage_held.clone(),
        );
        registry.register(
            "deposed",
            "1 once another daemon has opened the store, so that this one dials and writes nothing more",
            self.deposed.clone(),
        );
        let mut counters = |name: &str, help: &str, family: &Family<Answer, Counter>| {
            registry.register(name, help, family.clone());
        };
        counters("calls_placed", "Requests to place a call, by result", &self.calls_placed);
        counters("permission_requests", "Permission requests sent, by result", &self.permission_requests);
        counters("invites", "Invites sent, by result", &self.invites);
        counters(
            "invite_tokens",
            "Calls of consumers with an invite's token, by result",
            &self.invite_tokens,
        );
        counters("webhook_deliveries", "Tries to deliver a customer webhook", &self.webhook_deliveries);
        registry.register(
            "invite_roads",
            "Invites that the platform accepted, by road",
            self.invite_roads.clone(),
        );
        registry.register("hooks_received", "Webhook requests stored", self.hooks_received.clone());
        registry.register(
            "hooks_repeated",
            "Webhook requests that repeated a known report",
            self.hooks_repeated.clone(),
        );
        registry.register(
            "reports_unmatched",
            "Reports without a known person",
            self.reports_unmatched.clone(),
        );
        registry.register("hooks_refused", "Webhook requests refused", self.hooks_refused.clone());
        registry.register("callbacks_enqueued", "Callbacks accepted", self.callbacks_enqueued.clone());
        registry.register("invites_enqueued", "Invites accepted", self.invites_enqueued.clone());
        registry.register("callbacks_closed", "Callbacks closed, by outcome", self.callbacks_closed.clone());
        registry.register(
            "scheduler_lag_seconds",
            "Delay from the due time of a callback to its decision",
            self.scheduler_lag.clone(),
        );
        registry.register(
            "calls_ended",
            "Calls that are over, by their end for the consumer",
            self.calls_ended.clone(),
        );
        registry.register("store_commit_seconds", "Duration of a commit", self.store_commit.clone());
        registry.register("store_group_size", "Commands in a commit", self.store_group_size.clone());
        registry.register("http_requests", "HTTP requests answered", self.http_requests.clone());
        registry.register("http_request_seconds", "Duration of an HTTP request", self.http_request.clone());
        registry.register(
            "platform_codes",
            "Error codes of the platforms, and whether only an operator can do something about them",
            self.platform_codes.clone(),
        );
        registry.register(
            "calls_in_progress",
            "Calls queued, ringing or answered",
            self.calls_in_progress.clone(),
        );
    }
}

/// The method as one of a closed set, because the peer can send any text.
fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        _ => "other",
    }
}

fn status_class(status: http::StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_encoded() {
        let metrics = Metrics::default();
        metrics.hook_received("call_status");
        metrics.hook_repeated("call_status");
        metrics.hook_refused("call_status", "signature");
        metrics.callbacks_enqueued(3);
        metrics.callback_closed("reached");
        metrics.call_placed("accepted");
        metrics.call_ended("abandoned");
        metrics.permission_requested("rejected");
        metrics.invited("accepted");
        metrics.invited_by("call_button");
        metrics.invite_token("borrowed");
        metrics.webhook_delivered("delivered");
        metrics.scheduler_lagged(Duration::from_millis(3));
        metrics.store_committed(40, Duration::from_millis(1));
        metrics.calls_in_progress(2);
        metrics.pauses("person", 3);
        let text = metrics.encode();
        for line in [
            "ringmaster_hooks_received_total{kind=\"call_status\"} 1",
            "ringmaster_hooks_repeated_total{kind=\"call_status\"} 1",
            "ringmaster_hooks_refused_total{kind=\"call_status\",reason=\"signature\"} 1",
            "ringmaster_callbacks_enqueued_total 3",
            "ringmaster_callbacks_closed_total{outcome=\"reached\"} 1",
            "ringmaster_calls_placed_total{result=\"accepted\"} 1",
            "ringmaster_calls_ended_total{outcome=\"abandoned\"} 1",
            "ringmaster_permission_requests_total{result=\"rejected\"} 1",
            "ringmaster_invites_total{result=\"accepted\"} 1",
            "ringmaster_invite_roads_total{road=\"call_button\"} 1",
            "ringmaster_invite_tokens_total{result=\"borrowed\"} 1",
            "ringmaster_webhook_deliveries_total{result=\"delivered\"} 1",
            "ringmaster_scheduler_lag_seconds_bucket{le=\"0.004\"} 1",
            "ringmaster_store_commit_seconds_count 1",
            "ringmaster_store_group_size_bucket{le=\"32.0\"} 0",
            "ringmaster_store_group_size_bucket{le=\"64.0\"} 1",
            "ringmaster_calls_in_progress 2",
            "ringmaster_pauses{scope=\"person\"} 3",
        ] {
            assert!(text.lines().any(|written| written == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn unknown_codes_have_a_bounded_number_of_series() {
        let metrics = Metrics::default();
        metrics.platform_code("meta", 138_014, true, true);
        for code in 0..100 {
            metrics.platform_code("twilio", 900_000 + code, false, false);
        }
        metrics.platform_code("twilio", 900_000, false, false);
        let text = metrics.encode();
        let series = |text: &str| {
            text.lines().filter(|line| line.starts_with("ringmaster_platform_codes_total")).count()
        };
        assert_eq!(series(&text), 1 + UNKNOWN_CODES_MAX + 1);
        for line in [
            "ringmaster_platform_codes_total{issuer=\"meta\",code=\"138014\",for_operator=\"yes\"} 1",
            "ringmaster_platform_codes_total{issuer=\"twilio\",code=\"900000\",for_operator=\"no\"} 2",
            "ringmaster_platform_codes_total{issuer=\"twilio\",code=\"other\",for_operator=\"no\"} 68",
        ] {
            assert!(text.lines().any(|written| written == line), "{line}\n{text}");
        }
    }

    #[test]
    fn requests_are_counted_by_template_known_method_and_class() {
        let metrics = Metrics::default();
        let brew = http::Method::from_bytes(b"BREW").unwrap();
        let teapot = http::StatusCode::IM_A_TEAPOT;
        metrics.http_answered("/v1/callbacks/{id}", &brew, teapot, Duration::from_millis(2));
        let text = metrics.encode();
        let line =
            "ringmaster_http_requests_total{route=\"/v1/callbacks/{id}\",method=\"other\",status=\"4xx\"} 1";
        assert!(text.lines().any(|written| written == line), "{text}");
    }

    #[test]
    fn two_daemons_in_one_process_have_separate_metrics() {
        let (one, other) = (Metrics::default(), Metrics::default());
        one.callbacks_enqueued(1);
        assert!(one.encode().contains("ringmaster_callbacks_enqueued_total 1"));
        assert!(other.encode().contains("ringmaster_callbacks_enqueued_total 0"));
    }
}
