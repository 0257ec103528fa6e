//! The metrics, by subject: `orders`, `calls`, `hooks`, `platforms`, `scheduling`, `storing`, `http`, `telling` (customer
//! webhooks and traces), and `picture` (gauges of what is stored, set when somebody looks). `shelf` describes each metric;
//! `text` writes them.
//!
//! Labels are fixed names, route templates, status classes, names of the configuration, and a bounded set of error codes
//! and of names of campaigns. A phone number, a SID or input text is never a label: it would leak data, and each would be
//! a new time series.

mod calls;
mod hooks;
mod http;
mod orders;
mod picture;
mod platforms;
mod scheduling;
mod shelf;
mod storing;
mod telling;
#[cfg(test)]
mod tests;
mod text;

use std::sync::{Mutex, PoisonError};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;

use shelf::Shelf;

pub use picture::{Picture, PoolSeats, ResourceUse};
pub use shelf::{Description, Kind};

/// The daemon's metrics. Each daemon has its own, so that two in one process do not mix.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    described: Vec<Description>,
    /// Held while the gauges of the picture are replaced, and while all are written.
    whole: Mutex<()>,
    orders: orders::Orders,
    calls: calls::Calls,
    hooks: hooks::Hooks,
    platforms: platforms::Platforms,
    scheduling: scheduling::Scheduling,
    storing: storing::Storing,
    http: http::Http,
    telling: telling::Telling,
    picture: picture::Gauges,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut shelf = Shelf::default();
        let (orders, calls) = (orders::Orders::on(&mut shelf), calls::Calls::on(&mut shelf));
        let (hooks, platforms) = (hooks::Hooks::on(&mut shelf), platforms::Platforms::on(&mut shelf));
        let scheduling = scheduling::Scheduling::on(&mut shelf);
        let (storing, http) = (storing::Storing::on(&mut shelf), http::Http::on(&mut shelf));
        let (telling, picture) = (telling::Telling::on(&mut shelf), picture::Gauges::on(&mut shelf));
        let Shelf { registry, described } = shelf;
        Self {
            registry,
            described,
            whole: Mutex::default(),
            orders,
            calls,
            hooks,
            platforms,
            scheduling,
            storing,
            http,
            telling,
            picture,
        }
    }
}

impl Metrics {
    /// Content type of [`Metrics::encode`].
    pub const CONTENT_TYPE: &'static str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    /// Content type of [`Metrics::encode_classic`].
    pub const CLASSIC_TYPE: &'static str = "text/plain; version=0.0.4; charset=utf-8";

    /// All metrics as OpenMetrics text.
    #[must_use]
    pub fn encode(&self) -> String {
        let _whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("writing to a String does not fail");
        text
    }

    /// All metrics in the older text format of Prometheus, for readers that do not know OpenMetrics.
    #[must_use]
    pub fn encode_classic(&self) -> String {
        text::classic(&self.encode())
    }

    /// What each metric is, in the order of the subjects.
    #[must_use]
    pub fn described(&self) -> &[Description] {
        &self.described
    }

    /// Replaces the gauges of what is stored.
    pub fn show(&self, picture: &Picture) {
        let _whole = self.whole.lock().unwrap_or_else(PoisonError::into_inner);
        self.picture.show(picture);
    }

    /// What is stored could not be read: its gauges stay as they were.
    pub fn picture_failed(&self) {
        self.picture.failed();
    }
}
