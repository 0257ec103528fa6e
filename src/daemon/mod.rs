//! The composition root: the only place that wires modules together.
//!
//! It has no behaviour of its own: it builds each part from the configuration, starts the parts, and stops
//! them in the right order.

mod content_pauses;
mod contents;
mod daily_reports;
mod descriptors;
mod duties;
mod groups;
mod known_to_meta;
mod lineage;
mod listeners;
mod messenger;
mod meta;
mod metrics_page;
mod named_content;
mod notices;
mod opening;
mod pools;
mod retention;
mod rules;
mod sign_in;
mod start_checks;
mod templates;
mod tracing_to;
mod wiring;
mod witness;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::clock::{Clock, SystemClock};
use crate::config::{Account, Config};
use crate::domain::AccountAlias;
use crate::http::{App, Doors};
use crate::ids::IdGenerator;
use crate::metrics::Metrics;
use crate::nodes::{LeaseRenewal, Presence, host_name, record_alone};
use crate::platform::{Platform, Trust};
use crate::policy::lease;
use crate::pools::Feeder;
use crate::scheduler::Scheduler;
use crate::store::Store;
use crate::store::relational::{Access, Listener, Options as StoreOptions};
use crate::traces::Traces;
use crate::twilio::Transport;
use crate::wake::Waker;
use crate::webhooks::{Dispatcher, Endpoint};

use daily_reports::DailyReports;
use duties::while_leading;
use listeners::Listeners;

pub use contents::{catalogues, clients};
pub use lineage::{Watched, watch as watch_lineage, witness_path};
pub use meta::{GraphReach, graphs};
pub use named_content::{NamedContent, named_content};
pub use notices::{recording_doubts, unstated_notices};
pub use opening::{open_store, reach};
pub use rules::rules;
pub use start_checks::start_checks;
pub use wiring::documents;
pub use witness::WitnessFile;

/// Arguments of a daemon besides its configuration.
pub struct Options {
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<IdGenerator>,
    /// Stops the daemon: nothing new is started, and work in progress is finished.
    pub shutdown: CancellationToken,
    /// Overrides the configured addresses to listen on: everything is served here.
    pub listener: Option<TcpListener>,
    /// Whether a store without a matching witness is meant.
    pub adopts: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(IdGenerator::default()),
            shutdown: CancellationToken::new(),
            listener: None,
            adopts: false,
        }
    }
}

/// A running daemon.
pub struct Running {
    /// Of the API.
    pub address: SocketAddr,
    /// Of the hooks; the same where everything is served on one port.
    pub hooks_address: SocketAddr,
    pub store: Arc<dyn Store>,
    /// Where customer webhooks go, if they are configured.
    pub webhook_endpoint: Option<Arc<Endpoint>>,
    servers: Vec<JoinHandle<()>>,
    scheduler: JoinHandle<()>,
    renewal: Option<JoinHandle<()>>,
    presence: Arc<Presence>,
    clock: Arc<dyn Clock>,
    dispatcher: Option<JoinHandle<()>>,
    feeders: Vec<JoinHandle<()>>,
    reports: Option<JoinHandle<()>>,
    /// Sends traces, until it is told that there are no more.
    exporter: Option<(JoinHandle<()>, CancellationToken)>,
    watched: Option<Watched>,
    /// What other processes of the same database commit. Ends with the daemon.
    listener: Option<Arc<Listener>>,
}

impl Running {
    /// Returns when the daemon has stopped: its requests are answered and its answers recorded.
    ///
    /// # Errors
    /// If a part panicked.
    pub async fn finished(self) -> anyhow::Result<()> {
        self.scheduler.await.context("the scheduler panicked")?;
        if let Some(renewal) = self.renewal {
            renewal.await.context("what keeps the lease panicked")?;
        }
        if let Some(dispatcher) = self.dispatcher {
            dispatcher.await.context("the webhook dispatcher panicked")?;
        }
        for feeder in self.feeders {
            feeder.await.context("what feeds a pool panicked")?;
        }
        if let Some(reports) = self.reports {
            reports.await.context("the writer of daily reports panicked")?;
        }
        for server in self.servers {
            server.await.context("the server panicked")?;
        }
        if let Some((exporter, end)) = self.exporter {
            end.cancel();
            exporter.await.context("the exporter of traces panicked")?;
        }
        LeaseRenewal::leave(&*self.store, &self.presence, self.clock.now()).await;
        if let Some(watched) = self.watched {
            watched.flush();
        }
        if let Some(listener) = self.listener {
            // It ends a thread, for which it waits a moment.
            tokio::task::spawn_blocking(move || drop(listener)).await?;
        }
        Ok(())
    }
}

/// The parts of a daemon, before they are started.
pub struct Assembled {
    pub scheduler: Scheduler,
    /// The API, the hooks and the metrics, for one listener or two.
    pub doors: Doors,
    /// What feeds the pools of the configuration.
    pub feeders: Vec<Feeder>,
    /// `None` if no customer webhook is configured.
    pub dispatcher: Option<Dispatcher>,
    /// `None` if no files of reports are configured.
    daily: Option<DailyReports>,
    /// What the parts go by: the machine's clock, as long as it is trusted.
    pub clock: Arc<dyn Clock>,
}

/// Dependencies of the parts.
pub struct Deps {
    pub store: Arc<dyn Store>,
    /// What the API reads from: the same store, or a way to it on which nothing else waits.
    pub api_store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<IdGenerator>,
    pub transport: Box<MakeTransport>,
    pub graph_transport: Box<MakeGraphTransport>,
    /// Accounts that another platform than Twilio serves, and their adapters.
    pub platforms: BTreeMap<AccountAlias, Arc<dyn Platform>>,
    pub metrics: Arc<Metrics>,
    /// Takes the spans of traces; empty without a collector.
    pub traces: Traces,
    /// This process among the nodes on the store, and whether it dials.
    pub presence: Arc<Presence>,
    /// Wakes the scheduler.
    pub waker: Arc<Waker>,
}

/// Creates the transport to Twilio of each account.
pub type MakeTransport = dyn Fn(&Account) -> anyhow::Result<Arc<dyn Transport>> + Send + Sync;

/// Creates the transport to the Graph API of each number and page.
pub type MakeGraphTransport = dyn Fn(&GraphReach) -> anyhow::Result<Arc<dyn Transport>> + Send + Sync;

/// Builds the parts. Simulations use this too, with a simulated world as transport.
///
/// # Errors
/// If the configuration or the store does not allow it.
pub async fn assemble(config: &Config, deps: Deps) -> anyhow::Result<Assembled> {
    let documents = Arc::new(start_checks(config).map_err(start_checks::as_one)?);
    for doubt in recording_doubts(config, &documents) {
        tracing::warn!("{doubt}");
    }
    let parts = wiring::Shared::new(config, &deps, documents).await?;
    let scheduler = Scheduler::new(parts.scheduler_deps(config, &deps)?);
    let doors = parts.doors(config);
    let dispatcher = parts.dispatcher(config)?;
    let feeders = parts.feeders(config, &deps)?;
    let daily = parts.daily_reports(config)?;
    Ok(Assembled { scheduler, doors, feeders, dispatcher, daily, clock: parts.clock() })
}

/// Starts a daemon: opens the store, binds its address, recovers and runs.
///
/// # Errors
/// The first step that failed, and why.
pub async fn start(config: &Config, options: Options) -> anyhow::Result<Running> {
    let Options { clock, ids, shutdown, listener, adopts } = options;
    let metrics = Arc::new(Metrics::default());
    let gauge = metrics.clone();
    let store_options = StoreOptions {
        group_max: config.store.group_max as usize,
        readers: config.store.readers as usize,
        request_readers: config.store.api_readers as usize,
        request_queue_max: config.store.api_reads_waiting_max as usize,
        request_timeout: config.store.api_read_timeout,
        on_commit: Some(Arc::new(move |commands, took| gauge.store_committed(commands, took))),
    };
    let store = open_store(&config.store, Access::Exclusive, &store_options)?;
    lineage::warn_if_beside(&config.store);
    let watched = match witness_path(&config.store) {
        Some(path) => Some(watch_lineage(&store, path, adopts, Arc::clone(&clock)).await?),
        None => None,
    };
    known_to_meta::check(config).await?;
    let looked_up = content_pauses::Start { clock: &*clock, store: &store, ids: &ids };
    let config = &contents::resolve(config, &looked_up).await?;
    let is_shared = store.is_shared();
    let api_store: Arc<dyn Store> = Arc::new(store.for_requests());
    let file = Arc::new(store);
    let store: Arc<dyn Store> = file.clone();
    descriptors::raise_limit(config)?;
    let listeners = Listeners::bind(&config.http, listener).await?;
    let (address, hooks_address) = listeners.addresses()?;
    let (traces, exporter) = tracing_to::collector(&config.tracing, &metrics)?;
    let name = config.node.name.clone().unwrap_or_else(host_name);
    let trust = if is_shared { Trust::by_lease(lease::LEFT_AT_LEAST) } else { Trust::alone() };
    let presence = Arc::new(Presence::new(&name, config.node.url.as_ref().map(Url::as_str), trust.clone()));
    let waker: Arc<Waker> = Arc::default();
    let deps = Deps {
        store: store.clone(),
        api_store,
        clock: clock.clone(),
        ids,
        transport: Box::new(wiring::over_http),
        graph_transport: Box::new(meta::over_http),
        platforms: BTreeMap::new(),
        metrics,
        traces,
        presence: presence.clone(),
        waker: waker.clone(),
    };
    let Assembled { mut scheduler, doors, feeders, dispatcher, daily, clock: retention_clock, .. } =
        assemble(config, deps).await?;
    let listener = opening::listen(&config.store, &waker)?;
    let renewal = match is_shared {
        true => {
            let renewal = LeaseRenewal::new(store.clone(), clock.clone(), presence.clone(), waker);
            renewal.join().await.context("cannot record this node")??;
            groups::regroup(&*store, &config.directory()).await?;
            Some(tokio::spawn(renewal.run(shutdown.clone())))
        }
        false => {
            record_alone(&*store, &presence, clock.now()).await.context("cannot record this node")?;
            groups::regroup(&*store, &config.directory()).await?;
            scheduler.recover().await.context("cannot recover from the last stop")?;
            store.void_claims().await.context("cannot release the deliveries of the last run")?;
            None
        }
    };
    if let Some(watched) = &watched {
        watched.begin(&file).await?;
    }
    let accepting = CancellationToken::new();
    let servers = listeners.serve(&doors, config, &accepting);
    tokio::spawn(stop_accepting(doors.app.clone(), config.http.shutdown_delay, shutdown.clone(), accepting));
    let traces_end = CancellationToken::new();
    let exporter = exporter.map(|exporter| (tokio::spawn(exporter.run(traces_end.clone())), traces_end));
    let feeders = feeders
        .into_iter()
        .map(|feeder| while_leading(trust.clone(), shutdown.clone(), move |stop| feeder.clone().run(stop)));
    let feeders = feeders.collect();
    let webhook_endpoint = dispatcher.as_ref().map(|dispatcher| dispatcher.endpoint.clone());
    let dispatcher = dispatcher.map(|dispatcher| {
        let outbox = store.clone();
        while_leading(trust.clone(), shutdown.clone(), move |stop| {
            deliver(dispatcher.clone(), outbox.clone(), stop)
        })
    });
    // A database needs its months also if everything is kept for ever.
    if is_shared || !config.retention.is_off() {
        let (store, kept) = (file.clone(), config.retention.clone());
        let retention = retention::Retention { store, clock: retention_clock, kept };
        // One node at a time: the one that leads.
        drop(while_leading(trust.clone(), shutdown.clone(), move |stop| retention.clone().run(stop)));
    }
    let reports = daily
        .map(|daily| while_leading(trust.clone(), shutdown.clone(), move |stop| daily.clone().run(stop)));
    let scheduler = tokio::spawn(scheduler.run(shutdown));
    tracing::info!(%address, hooks = %hooks_address, accounts = config.accounts.len(), "ready");
    Ok(Running {
        address,
        hooks_address,
        store,
        webhook_endpoint,
        servers,
        scheduler,
        renewal,
        presence,
        clock,
        dispatcher,
        feeders,
        reports,
        exporter,
        watched,
        listener,
    })
}

/// When the daemon is told to stop, it is not ready from then on, and after the delay it accepts no more requests.
async fn stop_accepting(
    app: Arc<App>,
    delay: Duration,
    shutdown: CancellationToken,
    accepting: CancellationToken,
) {
    shutdown.cancelled().await;
    app.stopping_since.get_or_init(|| app.clock.now());
    if !delay.is_zero() {
        tracing::info!(delay_s = delay.as_secs(), "stopping; requests are accepted until the delay is over");
        tokio::time::sleep(delay).await;
    }
    app.event_places.close();
    accepting.cancel();
}

/// Delivers, after the claims of whoever delivered before are void. Until then a claimed row waits for the end of its claim.
async fn deliver(dispatcher: Dispatcher, outbox: Arc<dyn Store>, stop: CancellationToken) {
    if let Err(error) = outbox.void_claims().await {
        let error = &error as &dyn std::error::Error;
        tracing::error!(
            error,
            "the deliveries of the last leader are not released; they wait for their time"
        );
    }
    dispatcher.run(stop).await;
}
