//! Gauges of what is stored and in use. Whoever serves the metrics reads it and shows it here, because counting it in each
//! turn would cost more than it is worth.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use super::shelf::Shelf;

/// What is stored and in use at one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Picture {
    /// Each resource of which any is in use, or that has a ceiling.
    pub resources: Vec<ResourceUse>,
    pub pools: Vec<PoolSeats>,
    /// Accounts by name, and whether a platform pauses them.
    pub accounts: Vec<(String, bool)>,
    /// Senders by account and number in it, and whether a platform pauses them.
    pub senders: Vec<(String, bool)>,
    /// Open callbacks by state.
    pub callbacks: Vec<(&'static str, u64)>,
    /// Open invites by state.
    pub invites: Vec<(&'static str, u64)>,
    /// Waiting callbacks by the code of their reason.
    pub waiting: Vec<(String, u64)>,
    /// Callbacks that wait at gates, by the kind and the name of the gate.
    pub gates: Vec<(&'static str, String, u64)>,
    /// More tenants have callbacks than were counted by reason.
    pub waiting_is_cut: bool,
    /// Reports and commands that are not folded yet.
    pub inbox: u64,
    /// The age of the oldest report that is not folded, in seconds; 0 without one.
    pub inbox_oldest_s: f64,
    pub unmatched: u64,
    pub outbox: u64,
    /// The age of the oldest webhook that waits, in seconds; 0 without one.
    pub outbox_oldest_s: f64,
    pub outbox_given_up: u64,
    /// Whether the endpoint of customer webhooks is disabled.
    pub webhooks_disabled: bool,
    pub unknown_attempts: u64,
    pub unknown_messages: u64,
    /// The files of the store in bytes, by part.
    pub store_bytes: Vec<(&'static str, u64)>,
}

/// How many of a resource are in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceUse {
    /// Such as `sender`.
    pub kind: &'static str,
    pub name: String,
    pub in_use: u32,
    /// `None` without a limit.
    pub ceiling: Option<u32>,
}

/// The seats of a pool.
#[derive(Debug, Clone, PartialEq)]
pub struct PoolSeats {
    pub name: String,
    /// The seats that our calls may take; 0 while nobody feeds the pool.
    pub usable: u32,
    pub in_calls: u32,
    pub in_wrap_up: u32,
    /// How long the figure still holds, in seconds; not above 0 if it holds no more.
    pub holds_for_s: f64,
}

#[derive(Debug)]
pub(super) struct Gauges {
    in_use: Family<Held, Gauge>,
    ceiling: Family<Held, Gauge>,
    seats: Family<Seat, Gauge>,
    figure: Family<Pool, Seconds>,
    account_paused: Family<Account, Gauge>,
    sender_paused: Family<Sender, Gauge>,
    callbacks: Family<State, Gauge>,
    invites: Family<State, Gauge>,
    waiting: Family<Reason, Gauge>,
    gates: Family<Held, Gauge>,
    waiting_is_cut: Gauge,
    inbox: Gauge,
    inbox_oldest: Seconds,
    unmatched: Gauge,
    outbox: Gauge,
    outbox_oldest: Seconds,
    outbox_given_up: Gauge,
    webhooks_disabled: Gauge,
    unknown: Family<Submission, Gauge>,
    store_bytes: Family<Part, Gauge>,
    up: Gauge,
}

type Seconds = Gauge<f64, AtomicU64>;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Held {
    kind: &'static str,
    name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Seat {
    pool: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    pool: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Account {
    account: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Sender {
    sender: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Reason {
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Submission {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Part {
    part: &'static str,
}

impl Gauges {
    pub(super) fn on(shelf: &mut Shelf) -> Self {
        Self {
            in_use: shelf.gauge(
                "resource_in_use",
                &["kind", "name"],
                "Calls in progress that hold a resource: `sender`, `account`, `campaign`, `pool`, `bot` or `agents`",
            ),
            ceiling: shelf.gauge(
                "resource_ceiling",
                &["kind", "name"],
                "How many calls may hold the resource at once; absent without a limit",
            ),
            seats: shelf.gauge(
                "pool_seats",
                &["pool", "state"],
                "Seats of a pool of agents: `usable`, `in_calls` and `in_wrap_up`",
            ),
            figure: shelf.gauge(
                "pool_figure_remaining_seconds",
                &["pool"],
                "How long the last figure of a pool still holds; not above 0 if it holds no more",
            ),
            account_paused: shelf.gauge("account_paused", &["account"], "1 while a platform pauses the account"),
            sender_paused: shelf.gauge("sender_paused", &["sender"], "1 while a platform pauses the sender"),
            callbacks: shelf.gauge(
                "callbacks_open",
                &["state"],
                "Open callbacks: `waiting`, `unlaunched` and `calling`; of these, `abandoned` (the last call was answered and \
                 served nobody)",
            ),
            invites: shelf.gauge("invites_open", &["state"], "Open invites: `waiting` and `unlaunched`"),
            waiting: shelf.gauge(
                "callbacks_waiting",
                &["reason"],
                "Waiting callbacks by the reason for which they wait, of at most 50 tenants",
            ),
            gates: shelf.gauge(
                "gate_waiting",
                &["kind", "name"],
                "Callbacks that wait at a gate, up to 1,000 at each; one that may use several senders waits at the gates of all: \
                 `sender`, `account`, `campaign`, `pool`, `bot` and `agents` for room, `offer` for an agent to offer to, \
                 `account_pace`, `campaign_pace`, `token`, `sender_rest`, `calendar` and `pause`",
            ),
            waiting_is_cut: shelf.gauge(
                "callbacks_waiting_incomplete",
                &[],
                "1 if more tenants have callbacks than were counted by reason",
            ),
            inbox: shelf.gauge("inbox_unfolded", &[], "Stored reports and commands that have no effect yet"),
            inbox_oldest: shelf.gauge(
                "inbox_oldest_seconds",
                &[],
                "Age of the oldest stored report that has no effect yet; 0 without one",
            ),
            unmatched: shelf.gauge("inbox_unmatched", &[], "Reports of the last 30 days without a known person"),
            outbox: shelf.gauge("outbox_waiting", &[], "Customer webhooks that wait, up to 100,000"),
            outbox_oldest: shelf.gauge(
                "outbox_oldest_seconds",
                &[],
                "Age of the oldest customer webhook that waits; 0 without one",
            ),
            outbox_given_up: shelf.gauge("outbox_given_up", &[], "Customer webhooks that were given up, up to 100,000"),
            webhooks_disabled: shelf.gauge(
                "webhook_endpoint_disabled",
                &[],
                "1 while the endpoint of customer webhooks is disabled",
            ),
            unknown: shelf.gauge(
                "submissions_unknown",
                &["kind"],
                "Calls (`call`) and messages (`message`) of which it is unknown whether they exist",
            ),
            store_bytes: shelf.gauge(
                "store_size_bytes",
                &["part"],
                "Size of the files of the store: `data` and `log` (the write-ahead log)",
            ),
            up: shelf.gauge(
                "store_readable",
                &[],
                "1 if the gauges of what is stored could be read the last time; they are read at most every 10 seconds",
            ),
        }
    }

    pub(super) fn failed(&self) {
        self.up.set(0);
    }

    pub(super) fn show(&self, picture: &Picture) {
        self.clear();
        for ResourceUse { kind, name, in_use, ceiling } in &picture.resources {
            let held = Held { kind, name: name.clone() };
            self.in_use.get_or_create(&held).set((*in_use).into());
            if let Some(ceiling) = ceiling {
                self.ceiling.get_or_create(&held).set((*ceiling).into());
            }
        }
        for pool in &picture.pools {
            let seats =
                [("usable", pool.usable), ("in_calls", pool.in_calls), ("in_wrap_up", pool.in_wrap_up)];
            for (state, count) in seats {
                self.seats.get_or_create(&Seat { pool: pool.name.clone(), state }).set(count.into());
            }
            self.figure.get_or_create(&Pool { pool: pool.name.clone() }).set(pool.holds_for_s);
        }
        for (account, paused) in &picture.accounts {
            self.account_paused.get_or_create(&Account { account: account.clone() }).set((*paused).into());
        }
        for (sender, paused) in &picture.senders {
            self.sender_paused.get_or_create(&Sender { sender: sender.clone() }).set((*paused).into());
        }
        for (state, count) in &picture.callbacks {
            self.callbacks.get_or_create(&State { state }).set(whole(*count));
        }
        for (state, count) in &picture.invites {
            self.invites.get_or_create(&State { state }).set(whole(*count));
        }
        for (reason, count) in &picture.waiting {
            self.waiting.get_or_create(&Reason { reason: reason.clone() }).set(whole(*count));
        }
        for (kind, name, count) in &picture.gates {
            self.gates.get_or_create(&Held { kind, name: name.clone() }).set(whole(*count));
        }
        self.waiting_is_cut.set(picture.waiting_is_cut.into());
        self.show_queues(picture);
        self.up.set(1);
    }

    fn show_queues(&self, picture: &Picture) {
        self.inbox.set(whole(picture.inbox));
        self.inbox_oldest.set(picture.inbox_oldest_s);
        self.unmatched.set(whole(picture.unmatched));
        self.outbox.set(whole(picture.outbox));
        self.outbox_oldest.set(picture.outbox_oldest_s);
        self.outbox_given_up.set(whole(picture.outbox_given_up));
        self.webhooks_disabled.set(picture.webhooks_disabled.into());
        self.unknown.get_or_create(&Submission { kind: "call" }).set(whole(picture.unknown_attempts));
        self.unknown.get_or_create(&Submission { kind: "message" }).set(whole(picture.unknown_messages));
        for (part, bytes) in &picture.store_bytes {
            self.store_bytes.get_or_create(&Part { part }).set(whole(*bytes));
        }
    }

    /// What is gone has no series any more.
    fn clear(&self) {
        self.in_use.clear();
        self.ceiling.clear();
        self.seats.clear();
        self.figure.clear();
        self.account_paused.clear();
        self.sender_paused.clear();
        self.callbacks.clear();
        self.invites.clear();
        self.waiting.clear();
        self.gates.clear();
        self.store_bytes.clear();
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
