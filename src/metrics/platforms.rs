//! The platforms: how long they take to answer our requests, and their error codes.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::Metrics;
use super::shelf::Shelf;

#[derive(Debug)]
pub(super) struct Platforms {
    answers: Family<Request, Histogram, fn() -> Histogram>,
    codes: Family<Code, Counter>,
    /// Unknown error codes that have a time series of their own.
    unknown_codes: Mutex<BTreeSet<(&'static str, u32)>>,
}

/// The most unknown error codes with a time series of their own. Further codes share one.
pub(super) const UNKNOWN_CODES_MAX: usize = 32;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    platform: &'static str,
    request: &'static str,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Code {
    issuer: &'static str,
    code: String,
    for_operator: &'static str,
}

/// In seconds, up to the longest time that a request may take by default.
const ANSWERS: [f64; 12] = [0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 15.0];

impl Platforms {
    pub(super) fn on(shelf: &mut Shelf) -> Self {
        Self {
            answers: shelf.histograms(
                "platform_request_seconds",
                &["platform", "request", "result"],
                "Duration of a request to a platform, by kind of request and by result",
                || Histogram::new(ANSWERS),
            ),
            codes: shelf.counter(
                "platform_codes",
                &["issuer", "code", "for_operator"],
                "Error codes of calls and messages, and whether only an operator can do something about them",
            ),
            unknown_codes: Mutex::default(),
        }
    }
}

impl Metrics {
    /// A platform answered a request, or did not. `request` and `result` are fixed names such as `place` and `accepted`.
    pub fn platform_answered(
        &self,
        platform: &'static str,
        request: &'static str,
        result: &'static str,
        took: Duration,
    ) {
        let request = Request { platform, request, result };
        self.platforms.answers.get_or_create(&request).observe(took.as_secs_f64());
    }

    /// A call or message failed with this code of the platform.
    pub fn platform_code(&self, issuer: &'static str, code: u32, is_known: bool, for_operator: bool) {
        let shown = is_known || {
            let mut unknown = self.platforms.unknown_codes.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (issuer, code);
            unknown.contains(&key) || unknown.len() < UNKNOWN_CODES_MAX && unknown.insert(key)
        };
        let code = if shown { code.to_string() } else { "other".to_owned() };
        let for_operator = if for_operator { "yes" } else { "no" };
        self.platforms.codes.get_or_create(&Code { issuer, code, for_operator }).inc();
    }
}
