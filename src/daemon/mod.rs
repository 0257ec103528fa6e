//! The composition root: the only place that wires modules together.
//!
//! It has no behaviour of its own: it builds each part from the configuration, starts the parts, and stops
//! them in the right order.

mod content_pauses;
mod contents;
mod daily_reports;
mod descriptors;
mod known_to_meta;
mod listeners;
mod messenger;
mod meta;
mod named_content;
mod pools;
mod rules;
mod sign_in;
mod templates;
mod wiring;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, SystemClock};
use crate::config::{Account, Config};
use crate::domain::AccountAlias;
use crate::http::Doors;
use crate::ids::IdGenerator;
use crate::metrics::Metrics;
use crate::platform::Platform;
use crate::pools::Feeder;
use crate::scheduler::Scheduler;
use crate::store::Store;
use crate::store::sqlite::{Access, Options as StoreOptions, Sqlite};
use crate::twilio::Transport;
use crate::webhooks::{Dispatcher, Endpoint};

use daily_reports::DailyReports;
use listeners::Listeners;

pub use contents::{catalogues, clients};
pub use meta::{GraphReach, graphs};
pub use named_content::{NamedContent, named_content};
pub use rules::rules;
pub use wiring::documents;

/// Arguments of a daemon besides its configuration.
pub struct Options {
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<IdGenerator>,
    /// Stops the daemon: nothing new is started, and work in progress is finished.
    pub shutdown: CancellationToken,
    /// Overrides the configured addresses to listen on: everything is served here.
    pub listener: Option<TcpListener>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            ids: Arc::new(IdGenerator::default()),
            shutdown: CancellationToken::new(),
            listener: None,
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
    dispatcher: Option<JoinHandle<()>>,
    feeders: Vec<JoinHandle<()>>,
    reports: Option<JoinHandle<()>>,
}

impl Running {
    /// Returns when the daemon has stopped: its requests are answered and its answers recorded.
    ///
    /// # Errors
    /// If a part panicked.
    pub async fn finished(self) -> anyhow::Result<()> {
        self.scheduler.await.context("the scheduler panicked")?;
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
    anyhow::ensure!(
        !(config.accounts.is_empty() && config.meta.is_empty()),
        "no Twilio account is configured: add [accounts.<alias>] with its senders (see `ringmaster config default`)"
    );
    let documents = Arc::new(documents(config)?);
    wiring::check_inbound_documents(config, &documents)?;
    wiring::check_spoken_documents(&documents)?;
    wiring::check_missed_calls(config, &documents)?;
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
    let Options { clock, ids, shutdown, listener } = options;
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
    let store = Sqlite::open_with(&config.store.path, Access::Exclusive, &store_options)?;
    known_to_meta::check(config).await?;
    let looked_up = content_pauses::Start { clock: &*clock, store: &store, ids: &ids };
    let config = &contents::resolve(config, &looked_up).await?;
    let api_store: Arc<dyn Store> = Arc::new(store.for_requests());
    let store: Arc<dyn Store> = Arc::new(store);
    descriptors::raise_limit(config)?;
    let listeners = Listeners::bind(&config.http, listener).await?;
    let (address, hooks_address) = listeners.addresses()?;
    let deps = Deps {
        store: store.clone(),
        api_store,
        clock,
        ids,
        transport: Box::new(wiring::over_http),
        graph_transport: Box::new(meta::over_http),
        platforms: BTreeMap::new(),
        metrics,
    };
    let Assembled { mut scheduler, doors, feeders, dispatcher, daily, .. } = assemble(config, deps).await?;
    scheduler.recover().await.context("cannot recover from the last stop")?;
    store.void_claims().await.context("cannot release the deliveries of the last run")?;
    let servers = listeners.serve(&doors, config, &shutdown);
    let (places, stops) = (doors.app.event_places.clone(), shutdown.clone());
    tokio::spawn(async move {
        stops.cancelled().await;
        places.close();
    });
    let feeders = feeders.into_iter().map(|feeder| tokio::spawn(feeder.run(shutdown.clone()))).collect();
    let webhook_endpoint = dispatcher.as_ref().map(|dispatcher| dispatcher.endpoint.clone());
    let dispatcher = dispatcher.map(|dispatcher| tokio::spawn(dispatcher.run(shutdown.clone())));
    let reports = daily.map(|daily| tokio::spawn(daily.run(shutdown.clone())));
    let scheduler = tokio::spawn(scheduler.run(shutdown));
    tracing::info!(%address, hooks = %hooks_address, accounts = config.accounts.len(), "ready");
    Ok(Running {
        address,
        hooks_address,
        store,
        webhook_endpoint,
        servers,
        scheduler,
        dispatcher,
        feeders,
        reports,
    })
}
