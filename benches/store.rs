//! Throughput of the store in a file, in durable commands per second. Prints one table.
//!
//! `cargo bench --bench store --profile quick`. The figures depend mostly on the disk.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/numbered.rs"]
mod numbered;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use numbered::{callback, id, sender, start};
use ringmaster::domain::callback::Waiting;
use ringmaster::domain::event::CallReport;
use ringmaster::domain::timeline::Entry;
use ringmaster::domain::{
    Attempt, AttemptId, CallProgress, Event, Gate, LegOrder, Numbers, Pair, PairKey, Person, Phone, Place,
    Reason, State,
};
use ringmaster::store::relational::{Access, SqlStore};
use ringmaster::store::{Batch, Enqueue, Inbox as _, Orders as _, Report, Turns as _};

const CALLERS: usize = 64;
const SINGLE: usize = 100_000;
const BULK_ROWS: usize = 1_000_000;
const BULK: usize = 1_000;
const TURNS: usize = 500;
const PER_TURN: usize = 100;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure())
}

async fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("bench.db");
    let store = Arc::new(SqlStore::open(&path, Access::Exclusive)?);

    let took = together(&store, order, |store, order| async move {
        store.enqueue_callbacks(vec![order]).await.map(drop)
    })
    .await?;
    show("enqueue, one a command, 64 callers", SINGLE, took, "callbacks");

    let took = together(&store, report, |store, report| async move {
        store.append_reports(vec![report]).await.map(drop)
    })
    .await?;
    show("append reports, one a command, 64 callers", SINGLE, took, "reports");

    let mut took = Duration::ZERO;
    for turn in 0..BULK_ROWS / BULK {
        let orders = (0..BULK).map(|n| order(100_000_000 + turn * BULK + n)).collect();
        let began = Instant::now();
        store.enqueue_callbacks(orders).await?;
        took += began.elapsed();
    }
    show("enqueue, 1,000 a command, one caller", BULK_ROWS, took, "callbacks");

    let mut took = Duration::ZERO;
    for turn in 0..TURNS {
        let batch = opening(turn);
        let began = Instant::now();
        store.record(batch).await?;
        took += began.elapsed();
    }
    show("record 100 attempts, callbacks, pairs a batch", TURNS * PER_TURN, took, "attempts");

    let began = Instant::now();
    let mut read = 0;
    for turn in 0..200 {
        read += store.due_callbacks(start() + SignedDuration::from_secs(turn), 500).await?.len();
    }
    show("due callbacks, 500 a reading", read, began.elapsed(), "callbacks");

    let began = Instant::now();
    for _ in 0..20_000 {
        store.next_wake().await?;
    }
    show("next wake", 20_000, began.elapsed(), "readings");

    let began = Instant::now();
    let census = store.census().await?;
    println!("census of {} waiting: {:?}", census.waiting, began.elapsed());

    drop(store);
    let before = resident();
    let began = Instant::now();
    let store = SqlStore::open(&path, Access::Exclusive)?;
    let wake = store.next_wake().await?;
    let due = store.due_callbacks(start() + SignedDuration::from_hours(1), 500).await?.len();
    println!("reopened, next wake {wake:?} and {due} due: {:?}", began.elapsed());
    println!("resident before and after reopening: {before} and {} KiB", resident());
    println!("file: {} MiB", size(&path) >> 20);
    Ok(())
}

/// Creates the input, then runs one task for each caller and waits for all.
async fn together<T, W>(
    store: &Arc<SqlStore>,
    input: fn(usize) -> T,
    work: fn(Arc<SqlStore>, T) -> W,
) -> Result<Duration, Box<dyn std::error::Error>>
where
    T: Send + 'static,
    W: Future<Output = ringmaster::store::Result<()>> + Send + 'static,
{
    let inputs: Vec<Vec<T>> =
        (0..CALLERS).map(|caller| (caller..SINGLE).step_by(CALLERS).map(input).collect()).collect();
    let began = Instant::now();
    let tasks: Vec<_> = inputs
        .into_iter()
        .map(|inputs| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                for input in inputs {
                    work(Arc::clone(&store), input).await?;
                }
                ringmaster::store::Result::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(began.elapsed())
}

fn show(what: &str, count: usize, took: Duration, unit: &str) {
    let rate = count as f64 / took.as_secs_f64();
    println!("{what:<46} {rate:>10.0} {unit}/s");
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

/// 0 if the system does not report it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse().ok())
        .unwrap_or(0)
}

fn order(n: usize) -> Enqueue {
    Enqueue { callback: callback(n), idempotency: None, ceiling: None, of_one_group: Vec::new() }
}

fn report(n: usize) -> Report {
    let event = Event::Call(CallReport {
        attempt: AttemptId::new(id(n)),
        sid: format!("CA{n:032x}"),
        parent_sid: None,
        progress: CallProgress::Ringing,
        at: Some(start()),
        duration_s: None,
        sip_code: None,
        error_code: None,
    });
    let key = (n as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes();
    Report { key, received_at: start(), event }
}

/// The batch of a scheduler that opens 100 attempts, each for its own callback and pair.
fn opening(turn: usize) -> Batch {
    let mut batch = Batch::default();
    for n in (0..PER_TURN).map(|n| 100_000_000 + turn * PER_TURN + n) {
        let mut callback = callback(n);
        let attempt = AttemptId::new(id(n));
        let numbers =
            Numbers { sender: sender(1 + n % 9), consumer: Phone::from_stored(56_000_000_000 + n as u64) };
        let key = PairKey::of(numbers.sender, numbers.consumer);
        callback.version = 2;
        callback.state = if n % 4 == 0 {
            State::Waiting(Waiting {
                wake_at: callback.order.latest,
                place: Some(Place {
                    gate: Gate::sender(key.sender),
                    aged: None,
                    expires_at: callback.order.latest,
                }),
                note: Reason::SenderFull { live: 1_000, max: 1_000 }.note(),
            })
        } else {
            State::Calling { attempt }
        };
        batch.attempts.push(Attempt {
            news_due_at: Some(start()),
            ..Attempt::new(attempt, callback.id, numbers, "main", LegOrder::ConsumerFirst, start())
        });
        let live = [attempt].into();
        batch.persons.push(Person { version: 1, live, ..Person::unknown(key.person) });
        batch.pairs.push(Pair { version: 1, ..Pair::unknown(key) });
        batch.entries.push(Entry {
            at: start(),
            callback: Some(callback.id),
            pair: Some(numbers),
            attempt: Some(attempt),
            message: None,
            what: "attempt.opened".into(),
            why: "The call can be placed now.".into(),
            by: None,
        });
        batch.callbacks.push(callback);
    }
    batch
}
