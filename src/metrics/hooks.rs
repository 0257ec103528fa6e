//! Requests of the platforms: stored, repeated, refused, and how old their reports were when they took effect.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::Metrics;
use super::shelf::Shelf;

#[derive(Debug)]
pub(super) struct Hooks {
    received: Family<Kind, Counter>,
    repeated: Family<Kind, Counter>,
    repeated_of_all_kinds: AtomicU64,
    received_of_all_kinds: AtomicU64,
    unverified_of_all_kinds: AtomicU64,
    unmatched: Counter,
    refused: Family<Refusal, Counter>,
    age: Histogram,
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

/// In seconds: a report is usually folded within two commits.
const AGE: [f64; 14] = [0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 600.0];

impl Hooks {
    pub(super) fn on(shelf: &mut Shelf) -> Self {
        Self {
            received: shelf.counter(
                "hooks_received",
                &["kind"],
                "Requests of the platforms that were verified and stored",
            ),
            repeated: shelf.counter(
                "hooks_repeated",
                &["kind"],
                "Those requests that repeated a known report",
            ),
            repeated_of_all_kinds: AtomicU64::new(0),
            received_of_all_kinds: AtomicU64::new(0),
            unverified_of_all_kinds: AtomicU64::new(0),
            unmatched: shelf.counter("reports_unmatched", &[], "Reports without a known person"),
            refused: shelf.counter(
                "hooks_refused",
                &["kind", "reason"],
                "Requests to the hooks that were refused",
            ),
            age: shelf.histogram(
                "hook_age_seconds",
                "Age of a report when the scheduler had committed its effects",
                AGE,
            ),
        }
    }
}

impl Metrics {
    /// A webhook was verified and stored; `kind` is a fixed name such as `call_status`.
    pub fn hook_received(&self, kind: &'static str) {
        self.hooks.received.get_or_create(&Kind { kind }).inc();
        self.hooks.received_of_all_kinds.fetch_add(1, Relaxed);
    }

    /// A webhook repeated a known report, so it changed nothing.
    pub fn hook_repeated(&self, kind: &'static str) {
        self.hooks.repeated.get_or_create(&Kind { kind }).inc();
        self.hooks.repeated_of_all_kinds.fetch_add(1, Relaxed);
    }

    /// Reports without a known person were stored.
    pub fn reports_unmatched(&self, count: usize) {
        self.hooks.unmatched.inc_by(count as u64);
    }

    /// The number of repeated reports since the start, of all kinds.
    #[must_use]
    pub fn hooks_repeated_total(&self) -> u64 {
        self.hooks.repeated_of_all_kinds.load(Relaxed)
    }

    /// How many requests to the hooks are refused for their signature since the start, if none was verified.
    #[must_use]
    pub fn only_unverified(&self) -> Option<u64> {
        let unverified = self.hooks.unverified_of_all_kinds.load(Relaxed);
        let has_verified = self.hooks.received_of_all_kinds.load(Relaxed) + self.hooks_repeated_total() > 0;
        (unverified > 0 && !has_verified).then_some(unverified)
    }

    /// A webhook was refused for this reason, such as `signature`.
    pub fn hook_refused(&self, kind: &'static str, reason: &'static str) {
        if ["signature", "unsigned"].contains(&reason) {
            self.hooks.unverified_of_all_kinds.fetch_add(1, Relaxed);
        }
        self.hooks.refused.get_or_create(&Refusal { kind, reason }).inc();
    }

    /// The effects of a report that was received this long ago are committed.
    pub fn hook_folded(&self, age: Duration) {
        self.hooks.age.observe(age.as_secs_f64());
    }
}
