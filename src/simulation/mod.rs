//! A whole daemon and a whole world on one thread, under virtual time. Tests, scenarios and `ringmaster
//! simulate` run on it.
//!
//! The daemon is the real one, with its HTTP router, scheduler and store. Only the clock is simulated, and
//! requests and webhooks need no socket. The same configuration, world and calls give the same run.

mod campaign;
mod campaigns;
mod clocks;
mod cloud;
mod crash;
mod customer;
mod delivery;
mod desk;
mod erasures;
mod fixture;
mod follow_ups;
mod invariants;
mod judge;
mod ladder;
mod mutation;
mod nodes;
mod operator;
mod page;
mod parts;
mod passing;
mod previews;
mod roads;
mod script;
mod seat;
mod simulate;
mod trace;
mod verbs;
mod wrap_ups;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard};

use anyhow::Context as _;
use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use tower::ServiceExt as _;

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::Loads;
use crate::scheduler::Scheduler;
use crate::sim::World;
use crate::sim::world::Setup;
use crate::store::relational::SqlStore;
use crate::store::{Batch, Report, Store};

use clocks::Clocks;
use clocks::WorldClock;
use customer::Customer;
use invariants::{Seen, look};
use operator::Operator;
use parts::{Parts, Platforms};

pub use campaign::Campaign;
pub use cloud::{CLOUD, Cloud};
pub use crash::CrashPlan;
pub use fixture::{Fixture, SENDERS, fixture};
pub use invariants::InvariantChecks;
pub use ladder::run_ladder_seed;
pub use mutation::{Mutation, NoMutation, mutated};
pub use nodes::{run_nodes_seed, run_nodes_seed_with};
pub use page::{AtMessenger, PAGE};
pub use roads::run_roads_seed;
pub use simulate::{RunReport, Trouble, run_seed, run_seed_on, run_seed_with};
pub use trace::Trace;

/// A daemon, a world and their clocks.
pub struct Simulation {
    pub store: Arc<dyn Store>,
    /// Decides when the daemon crashes.
    pub crashes: Arc<CrashPlan>,
    pub deaths: u32,
    /// How many webhooks the daemon received.
    pub webhooks: u64,
    lives: u64,
    config: Config,
    clocks: Arc<Clocks>,
    /// What the daemon goes by: its machine's clock, as long as the daemon trusts it.
    daemon_clock: Arc<dyn Clock>,
    world: Arc<Mutex<World>>,
    scheduler: Scheduler,
    router: Router,
    /// When the scheduler wants to run next, by the daemon's clock.
    wakes_at: Option<Timestamp>,
    /// A timer of the daemon, or of a request in flight, is due.
    stirred: bool,
    /// How long webhooks may be collected before they are delivered together.
    beat: SignedDuration,
    delivers_at: Timestamp,
    received: Vec<ReceivedWebhook>,
    mutation: Arc<dyn Mutation>,
    trace: Arc<Trace>,
    seen: Arc<Mutex<Seen>>,
    platforms: Platforms,
    /// Webhooks that the daemon accepted, by the token that all tries of one webhook share.
    taken: HashSet<String>,
}

/// A webhook that the daemon received, and its answer.
#[derive(Debug, Clone)]
pub struct ReceivedWebhook {
    /// The world's time.
    pub at: Timestamp,
    pub path: String,
    /// Form fields of Twilio's.
    pub params: Vec<(String, String)>,
    /// The body of Meta's; empty for the others.
    pub json: String,
    pub status: u16,
}

impl Simulation {
    /// Builds the world and the daemon, and runs the daemon until it is idle.
    ///
    /// # Errors
    /// If the daemon cannot be built.
    pub async fn begin(config: &Config, setup: Setup, start: Timestamp) -> anyhow::Result<Self> {
        Self::begin_with(config, setup, start, Arc::new(NoMutation), Arc::default()).await
    }

    /// Like [`Simulation::begin`], with a mutation of the daemon and a trace.
    ///
    /// # Errors
    /// If the daemon cannot be built.
    pub async fn begin_with(
        config: &Config,
        setup: Setup,
        start: Timestamp,
        mutation: Arc<dyn Mutation>,
        trace: Arc<Trace>,
    ) -> anyhow::Result<Self> {
        Self::begin_mutated(config, (setup, start), Arc::new(SqlStore::in_memory()?), mutation, trace).await
    }

    /// Like [`Simulation::begin_with`], on a store of the caller's.
    async fn begin_mutated(
        config: &Config,
        scene: (Setup, Timestamp),
        store: Arc<dyn Store>,
        mutation: Arc<dyn Mutation>,
        trace: Arc<Trace>,
    ) -> anyhow::Result<Self> {
        Self::build(config, scene, store, mutation, trace, |_| Platforms::new()).await
    }

    /// Like [`Simulation::begin_with`], with platforms beside the world's Twilio. They have the world's clock, and their
    /// reports are filed by [`Simulation::file`].
    async fn begin_beyond(
        config: &Config,
        (setup, start): (Setup, Timestamp),
        mutation: Arc<dyn Mutation>,
        trace: Arc<Trace>,
        platforms: impl FnOnce(Arc<dyn Clock>) -> Platforms,
    ) -> anyhow::Result<Self> {
        Self::build(config, (setup, start), Arc::new(SqlStore::in_memory()?), mutation, trace, platforms)
            .await
    }

    /// Like [`Simulation::begin`], on a store that may hold something already.
    ///
    /// # Errors
    /// If the daemon cannot be built.
    pub async fn begin_on(
        config: &Config,
        setup: Setup,
        start: Timestamp,
        store: Arc<dyn Store>,
    ) -> anyhow::Result<Self> {
        let none = |_| Platforms::new();
        Self::build(config, (setup, start), store, Arc::new(NoMutation), Arc::default(), none).await
    }

    async fn build(
        config: &Config,
        (setup, start): (Setup, Timestamp),
        store: Arc<dyn Store>,
        mutation: Arc<dyn Mutation>,
        trace: Arc<Trace>,
        platforms: impl FnOnce(Arc<dyn Clock>) -> Platforms,
    ) -> anyhow::Result<Self> {
        let mut config = config.clone();
        mutation.configure(&mut config);
        let clocks = Clocks::new(start);
        let world = Arc::new(Mutex::new(World::new(setup)));
        let seen = Arc::new(Mutex::new(Seen::new(config.webhooks.url.is_some())));
        let (attempts, inbound) = (store.live_attempts().await?, store.pairs_with_live_inbound().await?);
        look(&seen).found(&attempts, &inbound);
        let crashes = Arc::new(CrashPlan::default());
        let platforms = platforms(Arc::new(WorldClock(clocks.clone())));
        let parts = Parts {
            config: &config,
            store: &store,
            clocks: &clocks,
            world: &world,
            mutation: &mutation,
            trace: &trace,
            seen: &seen,
            platforms: &platforms,
            seat: None,
        };
        let (scheduler, router, daemon_clock) = parts.daemon(&crashes, 1).await?;
        let mut simulation = Self {
            clocks,
            daemon_clock,
            store,
            crashes,
            deaths: 0,
            webhooks: 0,
            lives: 1,
            config,
            world,
            scheduler,
            router,
            wakes_at: None,
            stirred: false,
            beat: SignedDuration::ZERO,
            delivers_at: start,
            received: Vec::new(),
            mutation,
            trace,
            seen,
            platforms,
            taken: HashSet::new(),
        };
        simulation.settle().await?;
        Ok(simulation)
    }

    /// Kills the daemon with its requests in flight, and starts another one on the same store.
    ///
    /// # Errors
    /// If the daemon cannot be built.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        self.rebuild().await?;
        self.settle().await
    }

    /// Like [`Simulation::restart`], with another configuration.
    ///
    /// # Errors
    /// If the daemon cannot be built.
    pub async fn restart_with(&mut self, config: &Config) -> anyhow::Result<()> {
        self.config = config.clone();
        self.restart().await
    }

    async fn rebuild(&mut self) -> anyhow::Result<()> {
        self.crashes.disarm();
        self.mutation.forget();
        self.crashes = Arc::new(CrashPlan::default());
        self.lives += 1;
        self.world().oracle_mut().daemon_began();
        let parts = Parts {
            config: &self.config,
            store: &self.store,
            clocks: &self.clocks,
            world: &self.world,
            mutation: &self.mutation,
            trace: &self.trace,
            seen: &self.seen,
            platforms: &self.platforms,
            seat: None,
        };
        let (scheduler, router, daemon_clock) = parts.daemon(&self.crashes, self.lives).await?;
        self.scheduler = scheduler;
        self.daemon_clock = daemon_clock;
        self.router = router;
        Ok(())
    }

    async fn rise_again(&mut self) -> anyhow::Result<()> {
        self.deaths += 1;
        self.trace.note(self.now(), || "daemon    dies, and is started again".to_owned());
        self.rebuild().await
    }

    /// Violated invariants of what the daemon committed and sent.
    #[must_use]
    pub fn contradictions(&self) -> Vec<String> {
        look(&self.seen).problems().to_vec()
    }

    /// The world's time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clocks.time.now()
    }

    /// The time by the daemon's clock.
    #[must_use]
    pub fn daemon_now(&self) -> Timestamp {
        self.now() + self.clocks.off_by()
    }

    /// Moves the daemon's clock by `by`, which may be negative. The world's time does not change.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn step_clock(&mut self, by: SignedDuration) -> anyhow::Result<()> {
        self.trace.note(self.now(), || format!("daemon    its clock steps by {by:#}"));
        self.clocks.step(by);
        self.settle().await
    }

    /// Publishes the load at once. Readers learn it up to a quarter of a second late, for which a script does not wait.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn publish(&self) -> anyhow::Result<()> {
        let as_of = Some(self.daemon_clock.now());
        let published = Some(Loads { as_of, ..self.scheduler.loads().clone() });
        Ok(self.store.record(Batch { published, ..Batch::default() }).await?)
    }

    /// Webhooks received since the last call, in order.
    pub fn take_received(&mut self) -> Vec<ReceivedWebhook> {
        std::mem::take(&mut self.received)
    }

    /// # Panics
    /// Never: no code panics while it holds the lock.
    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("nothing panics while it holds the world")
    }

    /// Sends a request to the daemon's router, and runs the daemon until it is idle. Returns status 0 if the
    /// daemon crashed.
    ///
    /// # Errors
    /// If the store fails.
    pub async fn request(&mut self, request: Request<Body>) -> anyhow::Result<(u16, String)> {
        let crashes = self.crashes.clone();
        let line = format!("{} {}", request.method(), request.uri().path());
        let life = self.lives;
        let mut asked = std::pin::pin!(ask(self.router.clone(), request));
        let answer = loop {
            tokio::select! {
                biased;
                answer = &mut asked => break answer?,
                () = crashes.crashed() => {
                    self.rise_again().await?;
                    break (0, String::new());
                }
                // The answer to a command waits for the fold.
                () = self.scheduler.woken() => {}
            }
            self.settle().await?;
            if self.lives != life {
                break (0, String::new());
            }
        };
        self.trace.note(self.now(), || format!("customer {line}: {}", answer.0));
        self.settle().await?;
        Ok(answer)
    }

    /// Files what a platform beside the world reports, as its hooks would, and runs the daemon until it is idle.
    async fn file(&mut self, reports: Vec<Report>) -> anyhow::Result<()> {
        self.store.append_reports(reports).await?;
        self.settle().await
    }

    /// Runs turns until the daemon has nothing to do at this time.
    async fn settle(&mut self) -> anyhow::Result<()> {
        loop {
            let crashes = self.crashes.clone();
            let seen = &self.seen;
            let idle = tokio::select! {
                biased;
                () = crashes.crashed() => None,
                idle = self.scheduler.idle_watched(|it| look(seen).counted(it)) => Some(idle.context("a turn failed")?),
            };
            match idle {
                Some(wakes_at) => {
                    self.wakes_at = wakes_at;
                    return Ok(());
                }
                None => self.rise_again().await?,
            }
        }
    }
}

async fn ask(router: Router, request: Request<Body>) -> anyhow::Result<(u16, String)> {
    let response = router.oneshot(request).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}
