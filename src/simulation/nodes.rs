//! One run of several nodes on one store from a seed: nodes are killed, paused and asked to resign at random moments.
//!
//! Besides the laws of every simulation: two nodes never trust the lease at once, and nothing leaves while another node
//! leads. The same seed gives the same run.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use anyhow::Context as _;
use axum::Router;
use fastrand::Rng;
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};

use super::clocks::WorldClock;
use super::delivery::signed;
use super::invariants::look;
use super::parts::Parts;
use super::passing::answer_to;
use super::seat::{Process, Seat, Table};
use super::simulate::{RunReport, consumer};
use super::{
    Customer, Fixture, Mutation, NoMutation, SENDERS, Simulation, Trace, ask, fixture, judge, script,
};
use crate::clock::{Clock as _, later};
use crate::domain::{CallbackId, Phone};
use crate::nodes::{LeaseRenewal, Presence};
use crate::platform::Trust;
use crate::policy::lease;
use crate::scheduler::Scheduler;
use crate::sim::world::{Answer, Faults, WebhookReply};
use crate::wake::Waker;

const HOURS_WITH_TROUBLE: i64 = 2;
const HOURS_WITHOUT_TROUBLE: i64 = 72;
const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// Runs a seed to its end, with so many nodes (2 to 4).
///
/// # Errors
/// If a node fails in a way that it must never fail.
pub async fn run_nodes_seed(seed: u64, nodes: usize) -> anyhow::Result<RunReport> {
    run_nodes_seed_with(seed, nodes, Arc::new(NoMutation), Arc::default()).await
}

/// Like [`run_nodes_seed`], with a mutation of the daemons and a trace.
///
/// # Errors
/// As [`run_nodes_seed`].
pub async fn run_nodes_seed_with(
    seed: u64,
    nodes: usize,
    mutation: Arc<dyn Mutation>,
    trace: Arc<Trace>,
) -> anyhow::Result<RunReport> {
    let mut random = Rng::with_seed(seed);
    let start = Timestamp::from_second(1_795_435_200 + random.i64(0..86_400))?;
    let with = Fixture { seed, calls_per_second: random.u32(1..=5), ..Fixture::default() };
    let (mut config, mut setup) = fixture(&with);
    script::limits(&mut random, &mut config, &mut setup);
    script::starts(seed, &mut setup);
    let daemon = Simulation::begin_with(&config, setup, start, mutation, trace.clone()).await?;
    Customer::admit(&daemon).await?;
    let consumers = random.u64(4..=24);
    let mut run = Run {
        daemon,
        random,
        nodes: Vec::new(),
        table: Arc::default(),
        waker: Arc::default(),
        starts: 1,
        deaths: 0,
        accepted: BTreeSet::new(),
        consumers,
        trace,
    };
    for name in NAMES.iter().take(nodes.clamp(2, NAMES.len())) {
        run.start(name).await?;
    }
    run.trouble(start + SignedDuration::from_hours(HOURS_WITH_TROUBLE)).await?;
    run.peace().await?;
    run.judge(seed, start).await
}

/// A node that runs, or is paused.
struct Running {
    presence: Arc<Presence>,
    process: Arc<Process>,
    scheduler: Scheduler,
    router: Router,
    renewal: LeaseRenewal,
    beats_at: Timestamp,
    wakes_at: Option<Timestamp>,
    /// When it goes on, if it is paused.
    goes_on_at: Option<Timestamp>,
}

struct Run {
    daemon: Simulation,
    random: Rng,
    nodes: Vec<Running>,
    table: Arc<Table>,
    waker: Arc<Waker>,
    starts: u64,
    deaths: u32,
    accepted: BTreeSet<CallbackId>,
    consumers: u64,
    trace: Arc<Trace>,
}

impl Run {
    /// Starts a node. Nothing is known to it but the store.
    async fn start(&mut self, name: &str) -> anyhow::Result<()> {
        self.starts += 1;
        let presence = Arc::new(Presence::new(name, None, Trust::by_lease(lease::LEFT_AT_LEAST)));
        let process = Arc::new(Process::default());
        let seat = Seat {
            presence: presence.clone(),
            waker: self.waker.clone(),
            process: process.clone(),
            table: self.table.clone(),
        };
        let daemon = &self.daemon;
        let parts = Parts {
            config: &daemon.config,
            store: &daemon.store,
            clocks: &daemon.clocks,
            world: &daemon.world,
            mutation: &daemon.mutation,
            trace: &daemon.trace,
            seen: &daemon.seen,
            platforms: &daemon.platforms,
            seat: Some(&seat),
        };
        let (scheduler, router, _) = parts.daemon(&daemon.crashes, self.starts).await?;
        let clock = Arc::new(WorldClock(daemon.clocks.clone()));
        let store = super::mutated(daemon.store.clone(), daemon.mutation.clone());
        let renewal = LeaseRenewal::new(store, clock, presence.clone(), self.waker.clone());
        renewal.join().await.context("a node cannot be recorded")??;
        self.table.nodes.lock().unwrap_or_else(PoisonError::into_inner).push(presence.clone());
        let beats_at = daemon.now();
        self.nodes.push(Running {
            presence,
            process,
            scheduler,
            router,
            renewal,
            beats_at,
            wakes_at: None,
            goes_on_at: None,
        });
        Ok(())
    }

    /// Kills a node with its requests in flight. It is started again when its name is free.
    async fn kill(&mut self, index: usize) -> anyhow::Result<()> {
        let node = self.nodes.remove(index);
        let name = node.presence.name.clone();
        self.note(|| format!("node {name} dies"));
        self.deaths += 1;
        self.table
            .nodes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|other| other.run != node.presence.run);
        drop(node);
        self.pass(lease::GONE_AFTER + SignedDuration::from_secs(1)).await?;
        self.daemon.world().oracle_mut().daemon_began();
        self.start(&name).await
    }

    async fn trouble(&mut self, until: Timestamp) -> anyhow::Result<()> {
        let mut faults_until = self.daemon.now();
        while self.daemon.now() < until {
            if self.daemon.now() >= faults_until {
                let faults = match self.random.bool() {
                    true => script::faults(&mut self.random, self.daemon.now()),
                    false => Faults::default(),
                };
                self.daemon.world().set_faults(faults);
                faults_until = self.daemon.now() + SignedDuration::from_mins(30);
            }
            self.act().await?;
            self.disturb().await?;
            let seconds = self.random.i64(0..180);
            self.pass(SignedDuration::from_secs(seconds)).await?;
        }
        Ok(())
    }

    /// Something happens to a node.
    async fn disturb(&mut self) -> anyhow::Result<()> {
        let index = self.random.usize(0..self.nodes.len());
        match self.random.u8(0..8) {
            0 => self.kill(index).await?,
            // Longer than the lease, or shorter.
            1 => {
                let seconds = self.random.i64(1..30);
                self.pause(index, seconds);
            }
            2 | 3 => {
                // It stops right before a byte leaves, and goes on later.
                let after = self.random.u32(1..4);
                self.nodes[index].process.pauses_after.store(after, Ordering::Relaxed);
            }
            4 => {
                self.note(|| "the leader resigns".to_owned());
                self.nodes[index].renewal.resign().await;
            }
            _ => {}
        }
        Ok(())
    }

    fn pause(&mut self, index: usize, seconds: i64) {
        let goes_on_at = self.daemon.now() + SignedDuration::from_secs(seconds);
        let name = self.nodes[index].presence.name.clone();
        self.note(|| format!("node {name} is paused for {seconds} s"));
        self.nodes[index].process.pause(true);
        self.nodes[index].goes_on_at = Some(goes_on_at);
    }

    /// One random action of a customer or a consumer.
    async fn act(&mut self) -> anyhow::Result<()> {
        let (now, consumer) = (self.daemon.now(), consumer(self.random.u64(0..self.consumers)));
        let sender = Phone::parse(SENDERS[self.random.usize(0..SENDERS.len())]).context("a sender")?;
        match self.random.u8(0..8) {
            0..=3 => self.order(consumer).await?,
            4 => _ = self.daemon.world().consumer_writes(now, sender, consumer, "hello"),
            5 => _ = self.daemon.world().consumer_calls(now, sender, consumer),
            6 => _ = self.daemon.world().consumer_answers(now, sender, consumer, Answer::Reject),
            _ => _ = self.daemon.world().consumer_answers(now, sender, consumer, Answer::Accept),
        }
        Ok(())
    }

    async fn order(&mut self, consumer: Phone) -> anyhow::Result<()> {
        let now = self.daemon.now();
        let latest = now + SignedDuration::from_mins(self.random.i64(30..2_000));
        let senders = if self.random.bool() { &SENDERS[..] } else { &SENDERS[..1] };
        for sender in senders {
            let sender = Phone::parse(sender).context("a sender")?;
            let mut world = self.daemon.world();
            world.oracle_mut().allow(sender, consumer, now, latest);
            world.oracle_mut().allow_messages(sender, consumer, now, latest);
        }
        let order = serde_json::json!({
            "consumer": consumer.e164(), "senders": senders, "latest": latest.to_string(),
            "attempts_max": self.random.u8(1..=4), "document": "message",
            "variables": {"message": "Your parcel is at the door."},
        });
        let Some(node) = self.awake() else { return Ok(()) };
        let request = Customer::post("/v1/callbacks", "application/json", order.to_string())?;
        let (status, body) = ask(self.nodes[node].router.clone(), request).await?;
        anyhow::ensure!(status == 202, "an order was answered with {status}: {body}");
        let answer: serde_json::Value = serde_json::from_str(&body)?;
        self.accepted.insert(answer["id"].as_str().context("an accepted order has an id")?.parse()?);
        self.settle().await
    }

    /// A node that answers.
    fn awake(&mut self) -> Option<usize> {
        let awake: Vec<usize> =
            (0..self.nodes.len()).filter(|index| !self.nodes[*index].process.is_paused()).collect();
        self.random.choice(awake)
    }

    /// Advances the time, and runs everything that is due in it.
    async fn pass(&mut self, by: SignedDuration) -> anyhow::Result<()> {
        let until = self.daemon.now() + by;
        loop {
            self.settle().await?;
            self.deliver().await?;
            let now = self.daemon.now();
            if now >= until {
                return Ok(());
            }
            let next = self.next(now).filter(|next| *next < until).unwrap_or(until);
            self.daemon.clocks.time.set(next.max(now));
        }
    }

    /// When something happens next.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let of_nodes = self.nodes.iter().filter_map(|node| match node.process.is_paused() {
            true => node.goes_on_at,
            false => Some(node.wakes_at.map_or(node.beats_at, |at| at.min(node.beats_at))),
        });
        let world = self.daemon.world().next_at();
        of_nodes.chain(world).chain(self.daemon.clocks.next_alarm(now)).min()
    }

    /// Runs every node that is not paused until none has anything to do at this time.
    async fn settle(&mut self) -> anyhow::Result<()> {
        loop {
            for index in 0..self.nodes.len() {
                self.run(index).await?;
            }
            // What one node appends, another one folds.
            if self.waker.given().now_or_never().is_none() {
                break;
            }
        }
        let clock = WorldClock(self.daemon.clocks.clone());
        let leaders = self.table.leaders(&clock);
        if leaders.len() > 1 {
            self.table.problem(format!("{} {leaders:?} lead at once", clock.now()));
        }
        Ok(())
    }

    async fn run(&mut self, index: usize) -> anyhow::Result<()> {
        let now = self.daemon.now();
        let seconds = self.random.i64(2..30);
        let node = &mut self.nodes[index];
        if node.process.is_paused() {
            // A plan has paused it.
            let goes_on_at = *node.goes_on_at.get_or_insert(now + SignedDuration::from_secs(seconds));
            if now < goes_on_at {
                return Ok(());
            }
            node.goes_on_at = None;
            node.process.pause(false);
        }
        if now >= node.beats_at {
            let wait = node.renewal.beat().await;
            node.beats_at = later(now, wait);
        }
        let seen = &self.daemon.seen;
        let idle = node.scheduler.idle_watched(|scheduler| look(seen).counted(scheduler)).await;
        node.wakes_at = idle.context("a turn failed")?;
        Ok(())
    }

    /// Delivers the world's webhooks, each to a node that answers.
    async fn deliver(&mut self) -> anyhow::Result<()> {
        loop {
            let now = self.daemon.now();
            let due = self.daemon.world().due(now);
            if due.is_empty() {
                return Ok(());
            }
            for webhook in due {
                let request = signed(&self.daemon.world(), &webhook);
                self.daemon.webhooks += 1;
                let reply = match self.awake() {
                    Some(node) => answer_to(self.nodes[node].router.clone(), request).await?,
                    None => WebhookReply::Unreachable,
                };
                self.daemon.world().answered(now, webhook.id, reply);
            }
            self.settle().await?;
        }
    }

    async fn peace(&mut self) -> anyhow::Result<()> {
        self.daemon.world().set_faults(Faults::default());
        for node in &mut self.nodes {
            node.process.pauses_after.store(0, Ordering::Relaxed);
        }
        self.pass(SignedDuration::from_mins(1)).await?;
        // All of them stop, and a daemon that is alone goes on: an hour of several nodes has 1,800 renewals.
        self.nodes.clear();
        self.table.nodes.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.daemon.restart().await?;
        self.daemon.advance(SignedDuration::from_hours(HOURS_WITHOUT_TROUBLE)).await
    }

    fn note(&self, line: impl FnOnce() -> String) {
        self.trace.note(self.daemon.now(), line);
    }

    async fn judge(self, seed: u64, start: Timestamp) -> anyhow::Result<RunReport> {
        let mut problems = judge::problems(&self.daemon, &self.accepted).await?;
        problems.extend(self.table.problems.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned());
        judge::tell(&self.daemon, &self.accepted, &self.trace).await?;
        Ok(RunReport {
            seed,
            problems,
            callbacks: self.accepted.len(),
            deaths: self.deaths,
            lasted: self.daemon.now().duration_since(start),
            webhooks: self.daemon.webhooks,
            counts: self.daemon.world().report().counts,
            trace: self.trace.lines(),
        })
    }
}
