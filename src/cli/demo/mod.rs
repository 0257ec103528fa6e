//! `demo`: a daemon and a simulated world in one process, with sample callbacks and a table of their progress.

mod nodes;
pub mod samples;
mod setting;
pub mod summary;
pub mod table;
#[cfg(test)]
mod tests;
mod tour;

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use self::setting::Setting;
use self::summary::Summary;
use self::table::{Live, Row, Size};
use self::tour::Tour;
use super::remote::{Ask, Body, NDJSON, Target};
use super::scratch::Scratch;
use super::stop;
use super::table::terminal_width;
use super::token::random;
use super::values::speed;
use crate::clock::{Clock, ScaledClock, SystemClock};
use crate::config::{Log, LogFormat};
use crate::console;
use crate::daemon::{self, Running};
use crate::domain::{Callback, Outcome, Reason, RoadKind, State};
use crate::http::auth::new_token;
use crate::ids::IdGenerator;
use crate::log;
use crate::sim::{Sandbox, World};
use crate::store::{Filter, Page, Store, Token};

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// The speed: how many times faster than real time everything runs
    #[arg(long, value_name = "FACTOR", default_value = "120", value_parser = speed)]
    speed: f64,
    /// The seed of all random choices
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The number of callbacks; consumers beyond the samples are random
    #[arg(long, value_name = "COUNT", default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=i64::from(samples::MAX)))]
    callbacks: u16,
    /// A campaign instead of single callbacks: its list is checked and imported, it is launched, paused and resumed, and its
    /// figures are shown at the end
    #[arg(long)]
    campaign: bool,
    /// So many nodes as processes on one PostgreSQL, in real time: the one that leads is killed, and another one goes on
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["campaign", "speed"],
        value_parser = clap::value_parser!(u8).range(2..=4))]
    nodes: Option<u8>,
    /// The PostgreSQL database for --nodes, in which the demo makes a schema of its own and drops it
    /// [default: a server of the demo's own, by the programs that are installed]
    #[arg(long, value_name = "URL", requires = "nodes")]
    store: Option<String>,
    /// The password for --store
    #[arg(long, env = "RINGMASTER_STORE__PASSWORD", hide_env_values = true, hide = true)]
    store_password: Option<String>,
    /// End when all callbacks are closed, and fail if a rule of the platforms was broken
    #[arg(long)]
    exit_when_idle: bool,
}

/// The deadline of each sample, by the demo's clock.
const DEADLINE: SignedDuration = SignedDuration::from_hours(2);
const REDRAW_EVERY: Duration = Duration::from_millis(200);

/// The running tasks, until the token is canceled.
struct Stage {
    daemon: Running,
    world: Sandbox,
    clock: Arc<dyn Clock>,
    shutdown: CancellationToken,
}

impl Demo {
    pub(super) fn run(&self, out: &mut dyn Write) -> anyhow::Result<()> {
        let is_terminal = std::io::stdout().is_terminal();
        // A log would disturb the table.
        let filter = if is_terminal { "off" } else { "error" };
        log::start(&Log { filter: filter.to_owned(), format: LogFormat::Text })?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("the runtime cannot be started")?;
        let folder = Scratch::new()?;
        let done = match self.nodes {
            Some(nodes) => runtime.block_on(self.play_nodes(nodes, &folder, out)),
            None => runtime.block_on(self.play(&folder, is_terminal, out)),
        };
        drop(runtime);
        done
    }

    async fn play_nodes(&self, nodes: u8, folder: &Scratch, out: &mut dyn Write) -> anyhow::Result<()> {
        let wanted = nodes::Wanted {
            nodes,
            store: self.store.as_deref(),
            password: self.store_password.as_deref(),
            // There are two hundred consumers who answer.
            callbacks: self.callbacks.min(200),
            seed: self.seed,
            exit_when_idle: self.exit_when_idle,
        };
        nodes::play(&wanted, folder, out).await
    }

    async fn play(&self, folder: &Scratch, is_terminal: bool, out: &mut dyn Write) -> anyhow::Result<()> {
        let interrupted = stop::on_signal().context("signals cannot be received")?;
        let (stage, target) = self.begin(folder, out).await?;
        let now = stage.clock.now();
        let mut tour = match self.campaign {
            true => Some(Tour::begin(&target, usize::from(self.callbacks), now, out).await?),
            false => {
                order_samples(&stage, &target, usize::from(self.callbacks), now).await?;
                None
            }
        };

        let live = if is_terminal { Live::on_terminal(out, size()) } else { Live::as_lines(out) };
        let out = self.watch(&stage, live, &interrupted, tour.as_mut()).await?;
        if let Some(tour) = &tour {
            tour.end(out).await?;
        }
        let mut summary = Summary::of(&stage.daemon.store.census().await?, &stage.world.report());
        summary.reached_by = ways(&*stage.daemon.store, usize::from(self.callbacks)).await?;
        summary.write(out)?;
        out.flush()?;
        stage.shutdown.cancel();
        stage.daemon.finished().await?;
        let is_broken = self.exit_when_idle && summary.violations_total > 0;
        anyhow::ensure!(!is_broken, "{} rules of the platforms were broken", summary.violations_total);
        Ok(())
    }

    /// Starts the world and a daemon in it, and prints their URLs.
    async fn begin(&self, folder: &Scratch, out: &mut dyn Write) -> anyhow::Result<(Stage, Target)> {
        let clock: Arc<dyn Clock> = Arc::new(ScaledClock::new(SystemClock.now(), self.speed));
        let shutdown = CancellationToken::new();
        let (world_listener, world_url) = listen().await?;
        let (daemon_listener, daemon_url) = listen().await?;
        let setting = Setting {
            seed: self.seed,
            speed: self.speed,
            world: world_url,
            daemon: daemon_url.clone(),
            store: folder.path().join("demo.db"),
            content: folder.path().join("content"),
        };
        let (config, world) = setting.fixture()?;
        let world = Sandbox::new(World::new(world), clock.clone(), shutdown.clone());
        tokio::spawn(world.clone().serve(world_listener));
        let options = daemon::Options {
            clock: clock.clone(),
            ids: Arc::new(IdGenerator::seeded(self.seed)),
            shutdown: shutdown.clone(),
            listener: Some(daemon_listener),
            adopts: false,
        };
        let daemon = daemon::start(&config, options).await?;
        let token = token(&*daemon.store, clock.as_ref()).await?;
        let url = daemon_url.as_str().trim_end_matches('/');
        writeln!(out, "Watch it in a browser: {url}{}", console::PATH)?;
        writeln!(out, "The API is described at {url}/docs; from another terminal:")?;
        writeln!(out, "  export RINGMASTER_URL={url} RINGMASTER_TOKEN={token}")?;
        writeln!(out, "  ringmaster list\n")?;
        out.flush()?;
        Ok((Stage { daemon, world, clock, shutdown }, Target::at(daemon_url, &token)))
    }

    /// Shows the callbacks until the demo ends. Returns the output.
    async fn watch<W: Write>(
        &self,
        stage: &Stage,
        mut live: Live<W>,
        interrupted: &CancellationToken,
        mut tour: Option<&mut Tour<'_>>,
    ) -> anyhow::Result<W> {
        let mut redraw = tokio::time::interval(REDRAW_EVERY);
        loop {
            tokio::select! {
                _ = redraw.tick() => {}
                () = interrupted.cancelled() => return Ok(live.into_inner()),
            }
            if let Some(tour) = &mut tour {
                tour.act(stage.clock.now()).await?;
            }
            let rows = rows(&*stage.daemon.store, usize::from(self.callbacks)).await?;
            live.show(stage.clock.now(), &rows)?;
            let census = stage.daemon.store.census().await?;
            let is_through = tour.as_ref().is_none_or(|tour| tour.is_through());
            if is_through
                && self.exit_when_idle
                && census.waiting + census.calling == 0
                && census.unfolded_reports == 0
            {
                return Ok(live.into_inner());
            }
        }
    }
}

/// Orders the samples, for which consumers write first.
async fn order_samples(stage: &Stage, target: &Target, count: usize, now: Timestamp) -> anyhow::Result<()> {
    samples::write_first(&stage.world).await;
    let mut orders = samples::orders(count, now, DEADLINE);
    stage.world.with(|world, _| samples::name_people(&mut orders, world));
    let rows: String = orders.iter().map(|order| format!("{order}\n")).collect();
    let body = Body::Raw(NDJSON, rows.into_bytes());
    target.send(&Ask::post("v1/callbacks/bulk", body)).await.context("the samples were refused")?;
    Ok(())
}

/// The width of the terminal. A line that wraps would disturb the redrawing.
fn size() -> Size {
    let columns = terminal_width().map_or(Size::default().columns, usize::from);
    Size { columns, ..Size::default() }
}

async fn rows(store: &dyn Store, count: usize) -> anyhow::Result<Vec<Row>> {
    let page = Page { before: None, limit: count };
    let mut callbacks = store.list_callbacks(&Filter::default(), &page).await?.callbacks;
    callbacks.reverse();
    Ok(callbacks.iter().map(row).collect())
}

/// By which ways consumers were reached, each with its count.
async fn ways(store: &dyn Store, count: usize) -> anyhow::Result<Vec<(&'static str, u64)>> {
    let page = Page { before: None, limit: count };
    let mut ways = BTreeMap::new();
    for callback in store.list_callbacks(&Filter::default(), &page).await?.callbacks {
        let State::Closed(closed) = &callback.state else { continue };
        if closed.outcome != Outcome::Reached {
            continue;
        }
        let record = store.callback(callback.id).await?;
        let mut invited =
            record.iter().flat_map(|record| &record.messages).filter_map(|message| message.road);
        let by_invite = closed.note.code == Reason::ConsumerCalled.code();
        let way = invited.next_back().filter(|_| by_invite).map_or("call", RoadKind::as_str);
        *ways.entry(way).or_default() += 1;
    }
    Ok(ways.into_iter().collect())
}

fn row(callback: &Callback) -> Row {
    let (standing, why) = match &callback.state {
        State::Waiting(waiting) => ("waiting", waiting.note.sentence.to_string()),
        State::Calling { .. } => ("calling", Reason::CallInProgress.sentence().into_owned()),
        State::Closed(closed) => (closed.outcome.as_str(), closed.note.sentence.to_string()),
    };
    Row {
        id: callback.id.to_string(),
        consumer: callback.order.consumer.to_string(),
        standing,
        attempts: callback.attempts_made,
        why,
    }
}

async fn listen() -> anyhow::Result<(TcpListener, Url)> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen on this machine")?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url.parse().context("an address of this machine is not a URL")?))
}

async fn token(store: &dyn Store, clock: &dyn Clock) -> anyhow::Result<String> {
    let (token, hash) = new_token(random()?);
    store.create_token(Token::new("demo", hash, clock.now())).await?;
    Ok(token)
}
