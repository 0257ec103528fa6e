//! `demo --nodes 2`: two nodes as processes of their own on one PostgreSQL. The node that leads is killed while calls are
//! placed; the other one goes on, and at the end everything is counted.
//!
//! The processes run in real time. Calls and answers of the simulated world are shorter than real ones.

mod balancer;
mod node;
mod place;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use self::node::{Node, Ordered};
use self::place::Place;
use super::listen;
use super::summary::Summary;
use crate::cli::sandbox;
use crate::cli::scratch::Scratch;
use crate::cli::stop;
use crate::cli::table::second;
use crate::cli::token::random;
use crate::clock::{Clock as _, SystemClock};
use crate::console;
use crate::domain::Outcome;
use crate::http::auth::new_token;
use crate::sim::{Sandbox, World};
use crate::store::relational::{Options as StoreOptions, Reach, SqlStore};
use crate::store::{Census, Orders as _, Token, Tokens as _};

/// How long an order lasts.
const LASTS: SignedDuration = SignedDuration::from_mins(2);
/// The pause between two orders.
const ORDER_EVERY: Duration = Duration::from_millis(400);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long the node that was killed stays away after another one leads.
const AWAY: Duration = Duration::from_secs(3);
/// How long to wait for what has to happen, such as a first leader.
const PATIENCE: Duration = Duration::from_secs(60);
/// French numbers for fiction; the last two digits let their consumers allow calls and answer them.
const CONSUMERS_FROM: u64 = 33_639_980_000;
const HABITS: [u64; 2] = [1, 10];

/// What the command line says.
pub(super) struct Wanted<'a> {
    pub nodes: u8,
    pub store: Option<&'a str>,
    pub password: Option<&'a str>,
    pub callbacks: u16,
    pub seed: u64,
    pub exit_when_idle: bool,
}

struct Stage<'o> {
    // Nodes end before their database.
    nodes: Vec<Node>,
    store: SqlStore,
    _place: Place,
    world: Sandbox,
    sender: String,
    token: String,
    out: &'o mut dyn Write,
}

/// What has happened so far.
#[derive(Default)]
struct Story {
    ordered: usize,
    ordered_at: Option<Instant>,
    leader: Option<usize>,
    /// Which node was killed, and when.
    killed: Option<(usize, Instant)>,
    /// When another one led.
    went_on: Option<Instant>,
    is_back: bool,
    told_placed: u64,
}

/// Plays the demo until all callbacks are closed, or until it is interrupted.
///
/// # Errors
/// If there is no PostgreSQL, a node ends by itself, or, with `exit_when_idle`, something was lost or placed twice.
pub(super) async fn play(wanted: &Wanted<'_>, folder: &Scratch, out: &mut dyn Write) -> anyhow::Result<()> {
    let interrupted = stop::on_signal().context("signals cannot be received")?;
    let place = tokio::task::block_in_place(|| Place::find(wanted.store, wanted.password, folder.path()))?;
    writeln!(out, "PostgreSQL: {}", place.told())?;
    let shutdown = CancellationToken::new();
    let mut stage = begin(wanted, folder, place, &shutdown, out).await?;
    let is_through = stage.run(usize::from(wanted.callbacks), &interrupted).await?;
    let census = stage.store.census().await?;
    let broken = stage.sum_up(&census, wanted.callbacks)?;
    if is_through && !wanted.exit_when_idle {
        writeln!(stage.out, "\nThe nodes go on until you interrupt this.")?;
        stage.out.flush()?;
        interrupted.cancelled().await;
    }
    shutdown.cancel();
    let is_complete = !is_through || census.closed.iter().sum::<u64>() == u64::from(wanted.callbacks);
    anyhow::ensure!(is_complete, "callbacks were lost");
    anyhow::ensure!(broken == 0 || !wanted.exit_when_idle, "{broken} rules of the platforms were broken");
    Ok(())
}

/// Starts the world, the address of the nodes, and the nodes.
async fn begin<'o>(
    wanted: &Wanted<'_>,
    folder: &Scratch,
    place: Place,
    shutdown: &CancellationToken,
    out: &'o mut dyn Write,
) -> anyhow::Result<Stage<'o>> {
    let (world_listener, _) = listen().await?;
    let (public_listener, public_url) = listen().await?;
    let at = world_listener.local_addr()?;
    let sandbox = sandbox::Sandbox::hasty(public_url.clone(), wanted.seed);
    let configured = sandbox.configuration(at)?;
    let clock = Arc::new(SystemClock);
    let world = Sandbox::new(World::new(sandbox.setup()?), clock, shutdown.clone());
    tokio::spawn(world.clone().serve(world_listener));

    let reach =
        Reach::new(place.url(), wanted.password, None).map_err(|fault| anyhow::anyhow!("--store {fault}"))?;
    let store = SqlStore::connect(reach, &StoreOptions::default())?;
    let (token, hash) = new_token(random()?);
    store.create_token(Token::new("demo", hash, SystemClock.now())).await?;

    let exports = configured.lines().filter_map(|line| line.strip_prefix("# export ")?.split_once('='));
    let mut variables: Vec<_> = exports.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    variables.extend(
        wanted.password.map(|password| ("RINGMASTER_STORE__PASSWORD".to_owned(), password.to_owned())),
    );
    let mut nodes = Vec::new();
    for number in 1..=wanted.nodes {
        let (name, address) = (format!("calls-{number}"), free_address().await?);
        let own = configuration(&name, address, public_url.as_str(), place.url());
        let text = format!("{own}\n{configured}");
        let mut node = Node::new(&name, address, (folder.path(), &text), variables.clone())?;
        node.start()?;
        nodes.push(node);
    }
    let addresses: Vec<SocketAddr> = nodes.iter().map(|node| node.address).collect();
    tokio::spawn(balancer::forward(public_listener, addresses));
    for node in &nodes {
        writeln!(out, "{} has its console at http://{}{}", node.name, node.address, console::PATH)?;
    }
    writeln!(out, "The token for both is {token}\n")?;
    let sender = sandbox.first_sender();
    Ok(Stage { nodes, store, _place: place, world, sender, token, out })
}

/// An address that is free now. Another program may take it before the node does, which then says so.
async fn free_address() -> anyhow::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen on this machine")?;
    Ok(listener.local_addr()?)
}

/// What differs from node to node, and short time-outs, so that a call whose report was lost is looked up soon.
fn configuration(name: &str, address: SocketAddr, public_url: &str, store: &str) -> String {
    let text = |text: &str| Value::from(text).to_string();
    format!(
        "[node]\nname = {}\nurl = \"http://{address}\"\n[http]\nlisten = \"{address}\"\nhooks_listen = \"{address}\"\n\
         public_url = {}\n[store]\nurl = {}\nstate_dir = \".\"\n[calling]\nring_timeout = \"5s\"\n[calling.silence]\n\
         unknown = \"1s\"\nringing = \"1s\"\nin_progress = \"2s\"\nhorizon = \"20s\"\n",
        text(name),
        text(public_url),
        text(store)
    )
}

impl Stage<'_> {
    /// Returns whether all callbacks are closed; `false` if it was interrupted.
    async fn run(&mut self, callbacks: usize, interrupted: &CancellationToken) -> anyhow::Result<bool> {
        let mut look = tokio::time::interval(LOOK_EVERY);
        let (mut story, began) = (Story::default(), Instant::now());
        loop {
            tokio::select! {
                _ = look.tick() => {}
                () = interrupted.cancelled() => return Ok(false),
            }
            self.nodes.iter_mut().try_for_each(Node::check)?;
            self.watch(&mut story).await?;
            anyhow::ensure!(story.leader.is_some() || began.elapsed() < PATIENCE, "no node leads");
            let is_first = story.leader.is_none() && story.killed.is_none();
            let is_due = story.ordered_at.is_none_or(|at| at.elapsed() >= ORDER_EVERY);
            if story.ordered < callbacks && !is_first && is_due {
                self.order(&mut story).await?;
            }
            self.act(&mut story, callbacks)?;
            if story.ordered == callbacks && story.is_back {
                let census = self.store.census().await?;
                if census.waiting + census.calling == 0 {
                    return Ok(true);
                }
            }
        }
    }

    /// Tells who leads, and how many calls were placed.
    async fn watch(&mut self, story: &mut Story) -> anyhow::Result<()> {
        let mut leader = None;
        for (index, node) in self.nodes.iter().enumerate() {
            if node.leads().await == Some(true) {
                leader = Some(index);
            }
        }
        if leader != story.leader {
            if let Some(index) = leader {
                let name = self.nodes[index].name.clone();
                match story.killed.filter(|_| story.went_on.is_none()) {
                    Some((_, at)) => {
                        story.went_on = Some(Instant::now());
                        self.say(&format!(
                            "{name} leads, {:.1} s after the kill",
                            at.elapsed().as_secs_f64()
                        ))?;
                    }
                    None => self.say(&format!("{name} leads"))?,
                }
            }
            story.leader = leader;
        }
        let placed = self.world.report().counts.creates_accepted;
        if placed >= story.told_placed + 5 {
            story.told_placed = placed;
            self.say(&format!("{placed} calls placed, {} callbacks ordered", story.ordered))?;
        }
        Ok(())
    }

    /// Orders the next callback at one node or the other. One that was not accepted is repeated with its key.
    async fn order(&self, story: &mut Story) -> anyhow::Result<()> {
        let number = u64::try_from(story.ordered)?;
        let (hundreds, habit) = (number / 2, HABITS[story.ordered % 2]);
        let order = json!({
            "consumer": format!("+{}", CONSUMERS_FROM + hundreds * 100 + habit),
            "sender": self.sender,
            "document": "message",
            "variables": {"message": "Thank you for waiting."},
            "attempts_max": 1,
            "latest": (SystemClock.now() + LASTS).to_string(),
        });
        for turn in 0..self.nodes.len() {
            let node = &self.nodes[(story.ordered + turn) % self.nodes.len()];
            match node.order(&self.token, &format!("demo-{number}"), &order).await {
                Ordered::Accepted => {
                    story.ordered += 1;
                    story.ordered_at = Some(Instant::now());
                    return Ok(());
                }
                Ordered::Again => {}
                Ordered::Refused(why) => anyhow::bail!("an order was refused: {why}"),
            }
        }
        Ok(())
    }

    /// Kills the leader when a third of the callbacks is called, and starts it again when another one leads.
    fn act(&mut self, story: &mut Story, callbacks: usize) -> anyhow::Result<()> {
        let placed = usize::try_from(self.world.report().counts.creates_accepted)?;
        if let Some(index) = story.leader
            && story.killed.is_none()
            && placed * 3 >= callbacks
        {
            let name = self.nodes[index].name.clone();
            self.say(&format!("{name} leads and is killed (SIGKILL)"))?;
            self.nodes[index].kill();
            story.killed = Some((index, Instant::now()));
            story.leader = None;
        }
        if let Some((index, at)) = story.killed
            && !story.is_back
        {
            anyhow::ensure!(story.went_on.is_some() || at.elapsed() < PATIENCE, "no other node leads");
            if story.went_on.is_some_and(|at| at.elapsed() >= AWAY) {
                self.nodes[index].start()?;
                story.is_back = true;
                let name = self.nodes[index].name.clone();
                self.say(&format!("{name} is started again, and follows"))?;
            }
        }
        Ok(())
    }

    fn say(&mut self, what: &str) -> anyhow::Result<()> {
        writeln!(self.out, "{}  {what}", second(SystemClock.now()))?;
        Ok(self.out.flush()?)
    }

    /// Counts what became of everything. Returns how many rules were broken.
    fn sum_up(&mut self, census: &Census, callbacks: u16) -> anyhow::Result<u64> {
        let report = self.world.report();
        let closed: u64 = census.closed.iter().sum();
        let reached =
            census.closed.get(Outcome::ALL.iter().position(|it| *it == Outcome::Reached).unwrap_or(0));
        writeln!(
            self.out,
            "\ncallbacks            {callbacks} ordered, {closed} closed, {} reached",
            reached.unwrap_or(&0)
        )?;
        Summary::of(census, &report).write(self.out)?;
        Ok(report.violations_total)
    }
}
