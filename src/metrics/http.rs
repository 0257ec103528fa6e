//! Requests to our listeners.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use super::Metrics;
use super::shelf::Shelf;

#[derive(Debug)]
pub(super) struct Http {
    requests: Family<Request, Counter>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
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

impl Http {
    pub(super) fn on(shelf: &mut Shelf) -> Self {
        Self {
            requests: shelf.counter(
                "http_requests",
                &["route", "method", "status"],
                "HTTP requests answered, by route, method and class of the status",
            ),
            durations: shelf.histograms(
                "http_request_seconds",
                &["route"],
                "Duration of an HTTP request",
                || Histogram::new(exponential_buckets(0.000_5, 2.5, 12)),
            ),
        }
    }
}

impl Metrics {
    /// An HTTP request was answered; `route` is the template (`/v1/callbacks/{id}`), never the path.
    pub fn http_answered(
        &self,
        route: &str,
        method: &::http::Method,
        status: ::http::StatusCode,
        took: Duration,
    ) {
        let request =
            Request { route: route.to_owned(), method: method_label(method), status: status_class(status) };
        self.http.requests.get_or_create(&request).inc();
        self.http.durations.get_or_create(&Route { route: request.route }).observe(took.as_secs_f64());
    }
}

/// The method as one of a closed set, because the peer can send any text.
fn method_label(method: &::http::Method) -> &'static str {
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

fn status_class(status: ::http::StatusCode) -> &'static str {
    match status.as_u16() / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
