//! The hands: claim what is due, ask policy, record the decision, outbound, and take in what happened.
//!
//! One scheduler owns the dialling of its accounts. It works in turns: a turn reads what is new and due,
//! decides everything in memory, commits it as one batch, and only then lets requests leave. Between turns it
//! sleeps until the earliest moment that matters, or a wake-up; there is no tick.
//!
//! Absent on purpose: rules (they are `policy`'s), SQL, and Twilio's words.

mod decide;
mod fold;
mod load;
mod lookups;
mod messages;
mod metrics;
mod outbound;
mod overdue;
mod pace;
mod permission_log;
mod rate_limiter;
mod reconcile;
mod recover;
mod resolve;
mod settle;
mod turn;
mod working_set;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;
use crate::domain::{AccountAlias, AttemptId, Directory, Gate, LegOrder, MessageId, Phone, attempt};
use crate::hook_urls::HookUrls;
use crate::ids::IdGenerator;
use crate::policy::{Cooldown, Loads, Rules};
use crate::store::{self, Store};
use crate::telemetry::Metrics;
use crate::twilio::Client;
use crate::wake::Waker;
use crate::webhooks::WebhookEvents;

use outbound::Done;
use overdue::{Overdue, Questions};
use pace::Pace;

/// What the scheduler works with.
#[derive(Clone)]
pub struct Deps {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub directory: Arc<Directory>,
    /// Who is called first, by the name of the document; a document that is not here is not loaded.
    pub documents: BTreeMap<String, LegOrder>,
    pub rules: Arc<Rules>,
    pub hook_urls: Arc<HookUrls>,
    pub waker: Arc<Waker>,
    pub webhook_events: WebhookEvents,
    /// Written by the scheduler alone; others read it to explain.
    pub loads: Arc<RwLock<Loads>>,
    pub accounts: BTreeMap<AccountAlias, Account>,
    pub ids: Arc<IdGenerator>,
    pub metrics: Arc<Metrics>,
    pub settings: Settings,
}

/// An account to dial with.
#[derive(Debug, Clone)]
pub struct Account {
    pub client: Client,
    pub calls_per_second: f64,
    /// Requests that may be on their way to Twilio at once.
    pub requests_in_flight_max: u32,
}

/// How the scheduler goes about its work.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a consumer's phone rings, in seconds; at most 600.
    pub ring_timeout_s: u16,
    /// How long a call may last, in seconds.
    pub time_limit_s: u32,
    /// How many callbacks, and how many reports, one turn takes at most.
    pub turn_max: usize,
    pub timeouts: Timeouts,
}

/// How long silence is normal, and after which the platform is asked.
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// After a submission whose fate is unknown.
    pub unknown: SignedDuration,
    /// Beyond the ring timeout, for a call that was accepted and not answered.
    pub ringing: SignedDuration,
    /// For a call in progress.
    pub in_progress: SignedDuration,
    /// An unknown call that was not found for so long does not exist.
    pub horizon: SignedDuration,
}

impl Settings {
    /// For how long a call may be silent before an operator may speak for it.
    #[must_use]
    pub fn doubt(&self) -> attempt::UnresolvedAfter {
        let ring = SignedDuration::from_secs(self.ring_timeout_s.into());
        let talk = SignedDuration::from_secs(self.time_limit_s.into());
        attempt::UnresolvedAfter {
            ringing: ring + self.timeouts.horizon,
            in_progress: ring + talk + self.timeouts.horizon,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            ring_timeout_s: 45,
            time_limit_s: 3600,
            turn_max: 512,
            timeouts: Timeouts {
                unknown: SignedDuration::from_secs(10),
                ringing: SignedDuration::from_secs(30),
                in_progress: SignedDuration::from_mins(2),
                horizon: SignedDuration::from_mins(15),
            },
        }
    }
}

/// The scheduler. [`Scheduler::recover`] once, then [`Scheduler::run`].
pub struct Scheduler {
    deps: Deps,
    paces: BTreeMap<AccountAlias, Pace>,
    /// Committed intents that may be submitted as soon as their account has room, in the order of the decisions.
    intended: BTreeMap<AccountAlias, VecDeque<Intended>>,
    /// Answers to requests, kept until they are recorded.
    answers: Vec<Done>,
    /// Answers that came while the scheduler slept.
    heard: Vec<Done>,
    done: mpsc::UnboundedReceiver<Done>,
    report_done: mpsc::UnboundedSender<Done>,
    /// Gates at which somebody waits.
    gates: BTreeSet<Gate>,
    /// The last rest of each sender that ever had to.
    sender_rests: BTreeMap<Phone, Cooldown>,
    overdue: Overdue,
    questions: Questions,
    /// By the clock that is asked; it may step back.
    last_turn_at: Timestamp,
    /// Error codes that the operator was told of.
    told: BTreeSet<u32>,
    requests: TaskTracker,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intended {
    Call(AttemptId),
    Message(MessageId),
}

/// Whether a turn left something to do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Again,
    /// Nothing to do before this moment, or before a wake-up.
    Sleep(Option<Timestamp>),
}

const STORE_REST: SignedDuration = SignedDuration::from_secs(1);

impl Scheduler {
    #[must_use]
    pub fn new(deps: Deps) -> Self {
        let now = deps.clock.now();
        let (report_done, done) = mpsc::unbounded_channel();
        let paces = deps
            .accounts
            .iter()
            .map(|(alias, account)| {
                (alias.clone(), Pace::new(now, account.calls_per_second, account.requests_in_flight_max))
            })
            .collect();
        Self {
            deps,
            paces,
            intended: BTreeMap::new(),
            answers: Vec::new(),
            heard: Vec::new(),
            done,
            report_done,
            gates: BTreeSet::new(),
            sender_rests: BTreeMap::new(),
            overdue: Overdue::default(),
            questions: Questions::new(now),
            last_turn_at: now,
            told: BTreeSet::new(),
            requests: TaskTracker::new(),
        }
    }

    /// Works until `shutdown`, then takes in the answers of the requests that are on their way.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut store_is_up = true;
        while !shutdown.is_cancelled() {
            self.deps.waker.awake();
            match self.turn().await {
                Ok(Next::Again) => store_is_up = true,
                Ok(Next::Sleep(until)) => {
                    store_is_up = true;
                    self.sleep(until, &shutdown).await;
                }
                Err(error) => {
                    if std::mem::take(&mut store_is_up) {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the store failed; dialling stops until it recovers"
                        );
                    }
                    let rest = self.deps.clock.now() + STORE_REST;
                    tokio::select! {
                        () = self.deps.clock.sleep_until(rest) => {}
                        () = shutdown.cancelled() => {}
                    }
                }
            }
        }
        self.drain().await;
    }

    /// One turn. Public for simulations, which take turns by hand.
    ///
    /// # Errors
    /// The store's; nothing was decided then, and nothing is lost: the next turn begins anew.
    pub async fn turn(&mut self) -> store::Result<Next> {
        turn::take(self).await
    }

    /// Whether answers to requests have come in since the last turn.
    pub fn has_answers(&mut self) -> bool {
        while let Ok(done) = self.done.try_recv() {
            self.heard.push(done);
        }
        !self.heard.is_empty()
    }

    /// Finishes what was begun: every request that left gets its answer recorded.
    async fn drain(&mut self) {
        self.requests.close();
        self.requests.wait().await;
        if let Err(error) = turn::settle_only(self).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the last answers could not be recorded; they are asked for after the restart"
            );
        }
    }

    async fn sleep(&mut self, until: Option<Timestamp>, shutdown: &CancellationToken) {
        self.deps.waker.sleeping_until(until);
        let clock = self.deps.clock.clone();
        let alarm = async {
            match until {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = alarm => {}
            () = self.deps.waker.given() => {}
            Some(done) = self.done.recv() => self.heard.push(done),
            () = shutdown.cancelled() => {}
        }
    }

    /// When something matters that no row of the store says.
    fn own_alarm(&self, now: Timestamp) -> Option<Timestamp> {
        let gates = self.gates.iter().filter_map(|gate| self.alarm_of(gate)).map(|at| at.max(now));
        let silence = self.questions.alarm(&self.overdue);
        let waiting_to_send = self
            .intended
            .iter()
            .filter(|(_, intended)| !intended.is_empty())
            .filter_map(|(alias, _)| self.paces.get(alias))
            .flat_map(|pace| [pace.changes_at(), pace.leaves_at()])
            .filter(|&at| at > now);
        gates.chain(silence).chain(waiting_to_send).min()
    }

    /// When a gate opens by itself.
    fn alarm_of(&self, gate: &Gate) -> Option<Timestamp> {
        match gate {
            Gate::Account(alias) => self.paces.get(alias).map(Pace::changes_at),
            Gate::Rest(number) => {
                let rest = self.sender_rests.get(number).map_or(Timestamp::MIN, |rest| rest.until);
                let account = self.deps.directory.sender(*number).map(|sender| &sender.account);
                let pace = account.and_then(|account| self.paces.get(account));
                // Whoever waited for the end of the rest needs a share of the account too.
                Some(pace.map_or(rest, |pace| rest.max(pace.changes_at())))
            }
            // A slot is freed by a report, which wake-ups.
            Gate::Sender(_) | Gate::Campaign(_) => None,
            Gate::Any(parts) => parts.iter().filter_map(|part| self.alarm_of(part)).min(),
        }
    }

    fn somebody_waits_at(&self, gate: &Gate) -> bool {
        self.gates.iter().any(|known| known.opens_with(gate))
    }

    fn loads(&self) -> Loads {
        self.deps.loads.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, loads: Loads) {
        *self.deps.loads.write().unwrap_or_else(PoisonError::into_inner) = loads;
    }
}
