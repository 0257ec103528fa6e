//! The scheduler: its turns, how late it is, and what keeps it from dialling.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use super::Metrics;
use super::calls::DISPATCH;
use super::shelf::Shelf;

#[derive(Debug)]
pub(super) struct Scheduling {
    lag: Histogram,
    oldest_due: Gauge<f64, AtomicU64>,
    turn: Histogram,
    turns_failed: Counter,
    panics: Counter,
    set_aside: Gauge,
    dialling_stopped: Gauge,
    clock_in_doubt: Gauge,
    lineage_held: Gauge,
    deposed: Gauge,
    term: Gauge,
    role: Family<RoleOf, Gauge>,
    pauses: Family<Scope, Gauge>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Scope {
    scope: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RoleOf {
    role: &'static str,
}

/// The roles of a node; one of them is 1.
const ROLES: [&str; 3] = ["alone", "leader", "follower"];

impl Scheduling {
    pub(super) fn on(shelf: &mut Shelf) -> Self {
        Self {
            lag: shelf.histogram(
                "scheduler_lag_seconds",
                "Delay from the due time of a callback to its decision",
                DISPATCH,
            ),
            oldest_due: shelf.gauge(
                "scheduler_oldest_due_seconds",
                &[],
                "How long the oldest callback of the last turn had been due; 0 if none was",
            ),
            turn: shelf.histogram(
                "scheduler_turn_seconds",
                "Duration of a turn of the scheduler, with its commit",
                exponential_buckets(0.000_25, 2.0, 14),
            ),
            turns_failed: shelf.counter(
                "scheduler_turns_failed",
                &[],
                "Turns that ended in an error of the store",
            ),
            panics: shelf.counter("panics", &[], "Failures of the code that did not end the daemon"),
            set_aside: shelf.gauge("set_aside", &[], "Reports, commands and callbacks that are set aside"),
            dialling_stopped: shelf.gauge(
                "dialling_stopped",
                &[],
                "1 while nothing is dialled or sent after three failures of the code within a minute",
            ),
            clock_in_doubt: shelf.gauge(
                "clock_in_doubt",
                &[],
                "1 while nothing is dialled or sent because the machine's clock jumped",
            ),
            lineage_held: shelf.gauge(
                "lineage_held",
                &[],
                "1 while nothing is dialled or sent because the store is not the one that was last written",
            ),
            deposed: shelf.gauge(
                "deposed",
                &[],
                "1 once another daemon has opened the store, so that this one dials and writes nothing more",
            ),
            term: shelf.gauge("leader_term", &[], "The term in which this daemon leads; 0 while it does not"),
            role: shelf.gauge(
                "node_role",
                &["role"],
                "1 for what this node does: `leader` and `alone` (no other node is on the store) dial, a `follower` does not",
            ),
            pauses: shelf.gauge(
                "pauses",
                &["scope"],
                "Pauses in force: `all`, `account`, `sender`, `person` and `campaign` by operators, `content` by platforms, \
                 `draft` and `canceled` for campaigns that are not launched or are being closed",
            ),
        }
    }
}

impl Metrics {
    /// A due callback was processed this long after it was due.
    pub fn scheduler_lagged(&self, lag: Duration) {
        self.scheduling.lag.observe(lag.as_secs_f64());
    }

    /// How long the oldest due callback of a turn had been due; zero if none was.
    pub fn oldest_due(&self, lag: Duration) {
        self.scheduling.oldest_due.set(lag.as_secs_f64());
    }

    /// A turn ended.
    pub fn turn_taken(&self, took: Duration, failed: bool) {
        self.scheduling.turn.observe(took.as_secs_f64());
        if failed {
            self.scheduling.turns_failed.inc();
        }
    }

    /// A turn of the scheduler, or a request to a platform, failed in the code.
    pub fn panicked(&self) {
        self.scheduling.panics.inc();
    }

    /// The number of set-aside items, and whether dialling has stopped.
    pub fn set_aside(&self, count: usize, is_stopped: bool) {
        self.scheduling.set_aside.set(whole(count));
        self.scheduling.dialling_stopped.set(i64::from(is_stopped));
    }

    /// The number of pauses in force with this scope.
    pub fn pauses(&self, scope: &'static str, count: usize) {
        self.scheduling.pauses.get_or_create(&Scope { scope }).set(whole(count));
    }

    /// Whether the machine's clock is in doubt.
    pub fn clock_in_doubt(&self, is_in_doubt: bool) {
        self.scheduling.clock_in_doubt.set(i64::from(is_in_doubt));
    }

    /// Whether nothing leaves because the store is not the one that was last written.
    pub fn lineage_held(&self, is_held: bool) {
        self.scheduling.lineage_held.set(i64::from(is_held));
    }

    /// Whether another daemon has opened the store.
    pub fn deposed(&self, is_deposed: bool) {
        self.scheduling.deposed.set(i64::from(is_deposed));
        if is_deposed {
            self.scheduling.term.set(0);
        }
    }

    /// The term in which this daemon leads; `None` when it does not. Then no call and no due callback is its own.
    pub fn leads(&self, term: Option<u64>) {
        self.scheduling.term.set(term.map_or(0, |term| i64::try_from(term).unwrap_or(i64::MAX)));
        if term.is_none() {
            self.scheduling.oldest_due.set(0.0);
            self.calls_in_progress(0);
        }
    }

    /// Another node leads: what holds its dialling is a gauge of its own.
    pub fn follows(&self) {
        self.set_aside(0, false);
        self.clock_in_doubt(false);
        self.lineage_held(false);
    }

    /// What this node does: `alone`, `leader` or `follower`.
    pub fn node_role(&self, role: &str) {
        for name in ROLES {
            self.scheduling.role.get_or_create(&RoleOf { role: name }).set(i64::from(name == role));
        }
    }
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
