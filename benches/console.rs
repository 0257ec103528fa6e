//! The page Now on the server with millions of callbacks, and what live streams of it cost. Prints one table.
//!
//! `cargo bench --bench console --profile quick -- 10000000`. Nineteen of twenty callbacks are closed; what waits is counted
//! in a thousand cells of reason and campaign. The processor time of the streams includes that of their readers, which are
//! in this process.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/begin.rs"]
mod begin;
#[expect(dead_code, reason = "only single requests are sent")]
#[path = "kit/client.rs"]
mod client;
#[path = "kit/daemon.rs"]
mod daemon;
#[expect(dead_code, reason = "there are no names to select")]
#[path = "kit/figures.rs"]
mod figures;
#[path = "kit/numbered.rs"]
mod numbered;
#[path = "kit/store.rs"]
mod store;

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use client::Connection;
use daemon::{BenchDaemon, Result, config, folder, load_runtime};
use figures::{ROUNDS, head, row};
use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::{Clock as _, SystemClock};
use ringmaster::domain::callback::{Closed, Waiting};
use ringmaster::domain::{Callback, Outcome, Reason, Role, State, Way};
use ringmaster::store::{AuditEntry, Batch, Enqueue, Member, Members as _, Orders as _, Turns as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const ROWS: usize = 1_000_000;
const BULK: usize = 1_000;
const OPEN_ONE_IN: usize = 20;
/// Cells of what waits: so many reasons, each of so many campaigns.
const REASONS: usize = 20;
const CAMPAIGNS: usize = 50;
const PAGES: usize = 200;
const STREAMS: usize = 200;
/// A person has at most 16 streams.
const PEOPLE: usize = 20;
const WATCHED: Duration = Duration::from_secs(10);
const NOWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 9);

fn main() -> Result<()> {
    let rows = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(ROWS);
    let dir = folder()?;
    let mut config = config(&dir.path().join("bench.db"), NOWHERE)?;
    config.sign_in.proxy_header = Some("X-Remote-User".to_owned());
    begin::begin(&config)?;
    let runtime = load_runtime()?;
    runtime.block_on(fill(&config.store.path, rows))?;
    head();
    let (mut middle, mut slowest, mut quiet, mut watched) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let daemon = BenchDaemon::start(&config)?;
        let address = daemon.running.address;
        let mut took = runtime.block_on(pages(address))?;
        took.sort();
        middle.push(took[took.len() / 2].as_secs_f64() * 1e3);
        slowest.push(took[took.len() * 99 / 100].as_secs_f64() * 1e3);
        quiet.push(runtime.block_on(idle())?);
        watched.push(runtime.block_on(streams(address))?);
        daemon.stop()?;
    }
    row(
        &format!("Now with {rows} callbacks and {} cells, half of the requests", REASONS * CAMPAIGNS),
        "ms",
        "20",
        middle,
    );
    row("the same, 99 of 100", "ms", "20", slowest);
    row("processor of an idle daemon", "% of a core", "", quiet);
    row(&format!("processor with {STREAMS} streams of Now"), "% of a core", "10", watched);
    Ok(())
}

/// Callbacks, the cells of what waits, and the people who look.
async fn fill(path: &Path, rows: usize) -> Result<()> {
    let store = store::open(path)?;
    let now = SystemClock.now();
    for bulk in 0..rows / BULK {
        let all = || (bulk * BULK..(bulk + 1) * BULK).map(|n| callback(n, now));
        let orders = all()
            .map(|callback| Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() })
            .collect();
        store.enqueue_callbacks(orders).await?;
        let closed = all().enumerate().filter(|(n, _)| n % OPEN_ONE_IN != 0).map(|(n, callback)| Callback {
            version: 2,
            state: State::Closed(Closed {
                outcome: [Outcome::Reached, Outcome::Exhausted, Outcome::Expired][n % 3],
                at: now,
                note: Reason::BeforeEarliest { earliest: now }.note(),
            }),
            ..callback
        });
        store.record(Batch { callbacks: closed.collect(), ..Batch::default() }).await?;
    }
    for n in 0..PEOPLE {
        let entry = AuditEntry::new(now, "machine", Way::Machine, "bench");
        store.add_member(Member::new(format!("person{n}"), Role::Operator, now), entry).await?;
    }
    drop(store);
    let db = rusqlite::Connection::open(path)?;
    for cell in 0..REASONS * CAMPAIGNS {
        let (reason, campaign) = (cell % REASONS, cell / REASONS);
        db.execute(
            "INSERT INTO waiting_by_reason (tenant, reason, campaign, callbacks) VALUES ('default', ?1, ?2, 100)",
            (format!("bench.reason_{reason}"), format!("cmp_{campaign:032x}")),
        )?;
    }
    Ok(())
}

/// A callback that is due in a month.
fn callback(n: usize, now: Timestamp) -> Callback {
    let mut callback = numbered::callback(n);
    let earliest = now + SignedDuration::from_hours(30 * 24);
    (callback.order.earliest, callback.order.latest) = (earliest, earliest + SignedDuration::from_hours(72));
    callback.created_at = now;
    callback.state = State::Waiting(Waiting {
        wake_at: earliest,
        place: None,
        note: Reason::BeforeEarliest { earliest }.note(),
    });
    callback
}

fn get(path: &str, person: usize) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-remote-user: person{person}\r\naccept: text/html\r\n\r\n"
    )
    .into()
}

/// How long the page takes, one request after the other.
async fn pages(address: SocketAddr) -> Result<Vec<Duration>> {
    let mut connection = Connection::open(address).await?;
    let request = get("/console/", 0);
    let mut took = Vec::new();
    for _ in 0..PAGES {
        let began = Instant::now();
        connection.exchange(&request, 200).await?;
        took.push(began.elapsed());
    }
    Ok(took)
}

/// The processor time of this process while nobody looks, in percent of a core.
async fn idle() -> Result<f64> {
    let before = processor_time()?;
    tokio::time::sleep(WATCHED).await;
    Ok(share(processor_time()? - before))
}

/// The same while so many streams are open.
async fn streams(address: SocketAddr) -> Result<f64> {
    let mut readers = Vec::new();
    for n in 0..STREAMS {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(&get("/console/live?page=", n % PEOPLE)).await?;
        let mut begun = [0; 15];
        stream.read_exact(&mut begun).await?;
        if !begun.ends_with(b"200 OK") {
            return Err(format!("a stream was refused: {}", String::from_utf8_lossy(&begun)).into());
        }
        readers.push(tokio::spawn(async move {
            let mut bytes = vec![0; 1 << 16];
            while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
        }));
    }
    // The first parts are sent at once.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let before = processor_time()?;
    tokio::time::sleep(WATCHED).await;
    let used = share(processor_time()? - before);
    readers.iter().for_each(|reader| reader.abort());
    Ok(used)
}

fn share(used: Duration) -> f64 {
    used.as_secs_f64() / WATCHED.as_secs_f64() * 100.0
}

/// What this process has used, as Linux counts it: in hundredths of a second.
fn processor_time() -> Result<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("no end of the name")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    Ok(Duration::from_millis(ticks * 10))
}
