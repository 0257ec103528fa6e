//! Registers metrics, and keeps a description of each for the documentation and for the checks of alerts and dashboards.

use std::fmt;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

/// The prefix of every name.
const PREFIX: &str = "ringmaster";

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// As it is read, with `_total` for a counter. A histogram has `_bucket`, `_sum` and `_count` after it.
    pub name: String,
    pub kind: Kind,
    pub labels: &'static [&'static str],
    /// What it counts or shows, in one phrase.
    pub help: &'static str,
}

/// Where metrics are registered.
#[derive(Debug)]
pub(super) struct Shelf {
    pub(super) registry: Registry,
    pub(super) described: Vec<Description>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { registry: Registry::with_prefix(PREFIX), described: Vec::new() }
    }
}

impl Shelf {
    /// A counter, or a family of them. `name` is without prefix and `_total`.
    pub(super) fn counter<M: Metric + Clone + Default>(
        &mut self,
        name: &str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> M {
        self.put(Kind::Counter, name, labels, help, M::default())
    }

    /// A gauge, or a family of them.
    pub(super) fn gauge<M: Metric + Clone + Default>(
        &mut self,
        name: &str,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> M {
        self.put(Kind::Gauge, name, labels, help, M::default())
    }

    pub(super) fn histogram(
        &mut self,
        name: &str,
        help: &'static str,
        buckets: impl IntoIterator<Item = f64>,
    ) -> Histogram {
        self.put(Kind::Histogram, name, &[], help, Histogram::new(buckets))
    }

    pub(super) fn histograms<L>(
        &mut self,
        name: &str,
        labels: &'static [&'static str],
        help: &'static str,
        each: fn() -> Histogram,
    ) -> Family<L, Histogram, fn() -> Histogram>
    where
        L: Clone + std::hash::Hash + Eq,
        Family<L, Histogram, fn() -> Histogram>: Metric,
    {
        self.put(Kind::Histogram, name, labels, help, Family::new_with_constructor(each))
    }

    fn put<M: Metric + Clone>(
        &mut self,
        kind: Kind,
        name: &str,
        labels: &'static [&'static str],
        help: &'static str,
        metric: M,
    ) -> M {
        let end = if kind == Kind::Counter { "_total" } else { "" };
        self.described.push(Description { name: format!("{PREFIX}_{name}{end}"), kind, labels, help });
        self.registry.register(name, help, metric.clone());
        metric
    }
}
