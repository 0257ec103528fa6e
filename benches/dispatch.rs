//! Lateness and throughput of calls, and the memory of a daemon with a million callbacks.
//!
//! `cargo bench --bench dispatch [-- start|memory|lateness|blocked|throughput]`. A store with a million callbacks that
//! are due in a month is created once; each round works on a copy. Twilio is a socket that accepts every
//! call.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/begin.rs"]
mod begin;
#[path = "kit/blocked.rs"]
mod blocked;
#[path = "kit/copies.rs"]
mod copies;
#[path = "kit/daemon.rs"]
mod daemon;
#[path = "kit/figures.rs"]
mod figures;
#[path = "kit/latency.rs"]
mod latency;
#[path = "kit/rows.rs"]
mod rows;
#[path = "kit/sink.rs"]
mod sink;
#[path = "kit/store.rs"]
mod store;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use copies::copy;
use daemon::{BenchDaemon, Result, config, folder, load_runtime};
use figures::{ROUNDS, head, row, wanted};
use jiff::{SignedDuration, Timestamp};
use latency::percentile;
use ringmaster::clock::{Clock as _, SystemClock};
use ringmaster::config::Config;
use ringmaster::domain::Stage;
use ringmaster::store::{Batch, Enqueue, Orders as _, Records as _, Turns as _};
use sink::Sink;

/// Callbacks that are not due during the measurement.
const FAR: usize = 1_000_000;
/// The first callback that is due.
const NEAR: usize = 50_000_000;
const PUNCTUAL: usize = 10_000;
const PUNCTUAL_RATE: f64 = 500.0;
const AT_ONCE: usize = 30_000;
const CHUNK: usize = 5_000;
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);
/// Argument with which this program starts itself to measure memory in a separate process.
const IDLE: &str = "--idle";
/// Long enough for a daemon to become idle.
const REST: Duration = Duration::from_secs(3);

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().collect();
    if let [_, word, path] = words.as_slice()
        && word == IDLE
    {
        return idle(Path::new(path));
    }
    let dir = folder()?;
    let far = dir.path().join("far.db");
    fill(&far)?;
    head();
    if wanted("start") {
        let mut times = Vec::new();
        for _ in 0..ROUNDS {
            let config = fast(&far, NOWHERE)?;
            let began = Instant::now();
            let daemon = BenchDaemon::start(&config)?;
            times.push(began.elapsed().as_secs_f64() * 1e3);
            daemon.stop()?;
        }
        row("start with a million callbacks, until ready", "ms", "1,000", times);
    }
    if wanted("memory") {
        let sizes = (0..ROUNDS).map(|_| weigh(&far)).collect::<Result<_>>()?;
        row("resident memory of an idle daemon with a million callbacks", "MB", "60", sizes);
    }
    if wanted("lateness") {
        let mut spread = Spread::default();
        for round in 0..ROUNDS {
            spread.add(lateness(&copy(&far, &dir.path().join(format!("lateness-{round}.db")))?)?);
        }
        let Spread { medians, tails, worst } = spread;
        row("from due to the request's arrival, 500 calls/s, p50", "ms", "", medians);
        row("from due to the request's arrival, 500 calls/s, p99", "ms", "10", tails);
        row("from due to the request's arrival, 500 calls/s, worst", "ms", "", worst);
    }
    if wanted("blocked") {
        let (mut spread, mut parked) = (Spread::default(), Vec::new());
        for round in 0..ROUNDS {
            let path = copy(&far, &dir.path().join(format!("blocked-{round}.db")))?;
            load_runtime()?.block_on(blocked::fill(&path))?;
            parked.push(park(&path)?.as_secs_f64());
            spread.add(lateness(&path)?);
        }
        let Spread { medians, tails, worst } = spread;
        row("100,000 callbacks that are due and blocked, until each waits for a reason", "s", "", parked);
        row("from due to the request's arrival beside them, 500 calls/s, p50", "ms", "", medians);
        row("… p99", "ms", "10", tails);
        row("… worst", "ms", "", worst);
    }
    if wanted("throughput") {
        let rates = (0..ROUNDS)
            .map(|round| throughput(&copy(&far, &dir.path().join(format!("throughput-{round}.db")))?))
            .collect::<Result<_>>()?;
        row("calls with committed intent, submission and answer", "calls/s", "5,000", rates);
    }
    copies::remove(&far)
}

/// The latencies of each round.
#[derive(Default)]
struct Spread {
    medians: Vec<f64>,
    tails: Vec<f64>,
    worst: Vec<f64>,
}

impl Spread {
    fn add(&mut self, mut latencies: Vec<Duration>) {
        self.medians.push(percentile(&mut latencies, 0.5));
        self.tails.push(percentile(&mut latencies, 0.99));
        self.worst.push(percentile(&mut latencies, 1.0));
    }
}

/// A million callbacks for next month, ordered under the configuration of the rounds.
fn fill(path: &Path) -> Result<()> {
    begin::begin(&fast(path, NOWHERE)?)?;
    load_runtime()?.block_on(order_far(path))
}

async fn order_far(path: &Path) -> Result<()> {
    let store = store::open(path)?;
    let now = SystemClock.now();
    for first in (0..FAR).step_by(CHUNK) {
        let orders = (first..first + CHUNK).map(|n| {
            let due_at = now + SignedDuration::from_hours(24 * 30) + SignedDuration::from_millis(n as i64);
            Enqueue {
                callback: rows::callback(n, now, due_at),
                idempotency: None,
                ceiling: None,
                of_one_group: Vec::new(),
            }
        });
        store.enqueue_callbacks(orders.collect()).await?;
    }
    Ok(())
}

/// The callbacks of a round, with the permission to call.
async fn schedule(path: &Path, count: usize, due_at: impl Fn(usize) -> Timestamp) -> Result<()> {
    let store = store::open(path)?;
    let now = SystemClock.now();
    for first in (0..count).step_by(CHUNK) {
        let numbers = first..(first + CHUNK).min(count);
        let orders = numbers.clone().map(|n| Enqueue {
            callback: rows::callback(NEAR + n, now, due_at(n)),
            idempotency: None,
            ceiling: None,
            of_one_group: Vec::new(),
        });
        store.enqueue_callbacks(orders.collect()).await?;
        let pairs = numbers.map(|n| rows::permitted_pair(NEAR + n)).collect();
        store.record(Batch { pairs, ..Batch::default() }).await?;
    }
    Ok(())
}

/// The highest configurable rate of an account, and no ceilings of senders and agents.
fn fast(path: &Path, twilio: SocketAddr) -> Result<Config> {
    let mut config = config(path, twilio)?;
    config.limits.concurrent_calls_per_sender_max = Some(1_000_000);
    config.calling.agent_calls_max = 1_000_000;
    for account in config.accounts.values_mut() {
        account.calls_per_second = 10_000.0;
        account.requests_in_flight_max = 256;
    }
    blocked::narrow(&mut config);
    Ok(config)
}

/// Runs a daemon with many blocked callbacks, and two that can be called.
fn park(path: &Path) -> Result<Duration> {
    let sink = Sink::start(blocked::FIRST, blocked::BLOCKED)?;
    blocked::park(&fast(path, sink.address)?)
}

fn lateness(path: &Path) -> Result<Vec<Duration>> {
    let sink = Sink::start(NEAR, PUNCTUAL)?;
    let first_due = SystemClock.now() + SignedDuration::from_secs(4);
    let due_at = |n: usize| first_due + SignedDuration::from_secs_f64(n as f64 / PUNCTUAL_RATE);
    load_runtime()?.block_on(schedule(path, PUNCTUAL, due_at))?;
    let daemon = BenchDaemon::start(&fast(path, sink.address)?)?;
    if SystemClock.now() + SignedDuration::from_millis(500) > first_due {
        return Err("the machine is too slow: the daemon was not ready in time".into());
    }
    let arrived = load_runtime()?.block_on(sink.all(Duration::from_secs(60)))?;
    daemon.stop()?;
    copies::remove(path)?;
    let late = |(n, at): (usize, i64)| {
        Duration::from_micros(u64::try_from(at - due_at(n).as_microsecond()).expect("no call is sent early"))
    };
    Ok(arrived.into_iter().enumerate().map(late).collect())
}

fn throughput(path: &Path) -> Result<f64> {
    let sink = Sink::start(NEAR, AT_ONCE)?;
    let now = SystemClock.now();
    load_runtime()?.block_on(schedule(path, AT_ONCE, |_| now))?;
    let daemon = BenchDaemon::start(&fast(path, sink.address)?)?;
    let began = Instant::now();
    load_runtime()?.block_on(sink.all(Duration::from_secs(120)))?;
    // A daemon records its last answers before it stops.
    daemon.stop()?;
    let took = began.elapsed();
    let store = store::open(path)?;
    let attempts = load_runtime()?.block_on(store.live_attempts())?;
    let accepted = attempts.iter().filter(|attempt| attempt.submission.stage == Stage::Accepted).count();
    assert_eq!(accepted, AT_ONCE, "every call has its answer recorded");
    drop(store);
    copies::remove(path)?;
    Ok(AT_ONCE as f64 / took.as_secs_f64())
}

/// The resident memory in megabytes of a daemon in a separate process.
fn weigh(path: &Path) -> Result<f64> {
    let output = Command::new(std::env::current_exe()?).arg(IDLE).arg(path).output()?;
    let kib: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// Runs a daemon until it is idle, and prints its resident memory in KiB.
fn idle(path: &Path) -> Result<()> {
    let daemon = BenchDaemon::start(&fast(path, NOWHERE)?)?;
    std::thread::sleep(REST);
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    println!("{}", resident.ok_or("this system does not report the resident memory of a process")?);
    daemon.stop()
}
