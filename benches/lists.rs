//! Duration of counts and filtered lists with millions of callbacks in the store. Prints one table.
//!
//! `cargo bench --bench lists --profile quick -- 2000000`. Nineteen of twenty callbacks are closed.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/numbered.rs"]
mod numbered;

use std::time::{Duration, Instant};

use numbered::{callback, consumer, sender, start};
use ringmaster::domain::callback::Closed;
use ringmaster::domain::{Callback, Outcome, Reason, State};
use ringmaster::store::relational::{Access, SqlStore};
use ringmaster::store::{Batch, Enqueue, Filter, Orders as _, Page, Status, Turns as _};

const ROWS: usize = 2_000_000;
const BULK: usize = 1_000;
const TRIES: u32 = 20;
/// Of this many callbacks one is open.
const OPEN_ONE_IN: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(ROWS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(rows))
}

async fn measure(rows: usize) -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let store = SqlStore::open(&dir.path().join("bench.db"), Access::Exclusive)?;
    fill(&store, rows).await?;

    let filter = Filter::default;
    let campaign = || Some("renewals".to_owned());
    let lists = [
        ("all", filter()),
        ("status waiting", Filter { status: Some(Status::Waiting), ..filter() }),
        ("status closed", Filter { status: Some(Status::Closed), ..filter() }),
        ("outcome reached", Filter { outcome: Some(Outcome::Reached), ..filter() }),
        ("outcome without a match", Filter { outcome: Some(Outcome::Failed), ..filter() }),
        ("sender", Filter { sender: Some(sender(1)), ..filter() }),
        ("sender without a match", Filter { sender: Some(sender(0)), ..filter() }),
        ("campaign", Filter { campaign: campaign(), ..filter() }),
        ("campaign, closed", Filter { campaign: campaign(), status: Some(Status::Closed), ..filter() }),
        (
            "campaign, outcome without a match",
            Filter { campaign: campaign(), outcome: Some(Outcome::Failed), ..filter() },
        ),
        ("consumer", Filter { consumer: Some(consumer(7)), ..filter() }),
        ("reference", Filter { reference: Some("order-7".into()), ..filter() }),
        (
            "reference, closed",
            Filter { reference: Some("order-7".into()), status: Some(Status::Closed), ..filter() },
        ),
    ];
    println!("{rows} callbacks, {TRIES} tries each: shortest, longest");
    let mut took = Vec::new();
    for _ in 0..TRIES {
        let began = Instant::now();
        store.census().await?;
        took.push(began.elapsed());
    }
    show("counts", &took);
    for (name, filter) in lists {
        let page = Page { before: None, limit: 50 };
        let mut took = Vec::new();
        for _ in 0..TRIES {
            let began = Instant::now();
            store.list_callbacks(&filter, &page).await?;
            took.push(began.elapsed());
        }
        show(name, &took);
    }
    let mut took = Vec::new();
    for turn in 0..TRIES as usize {
        let consumers: Vec<_> = (0..512).map(|n| consumer(turn * 512 + n)).collect();
        let began = Instant::now();
        store.waiting_callbacks_to(&consumers).await?;
        took.push(began.elapsed());
    }
    show("waiting callbacks of 512 consumers", &took);
    Ok(())
}

async fn fill(store: &SqlStore, rows: usize) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    for bulk in 0..rows / BULK {
        let all = || (bulk * BULK..(bulk + 1) * BULK).map(callback);
        let orders = all()
            .map(|callback| Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() })
            .collect();
        store.enqueue_callbacks(orders).await?;
        let closed = all().enumerate().filter(|(n, _)| n % OPEN_ONE_IN != 0).map(|(n, callback)| Callback {
            version: 2,
            state: State::Closed(Closed {
                outcome: [Outcome::Reached, Outcome::Exhausted, Outcome::Expired][n % 3],
                at: start(),
                note: Reason::BeforeEarliest { earliest: start() }.note(),
            }),
            ..callback
        });
        store.record(Batch { callbacks: closed.collect(), ..Batch::default() }).await?;
    }
    println!("ordered and closed: {:.0} callbacks/s", rows as f64 / began.elapsed().as_secs_f64());
    Ok(())
}

fn show(what: &str, took: &[Duration]) {
    let millis = |took: Option<&Duration>| took.map_or(0.0, |took| took.as_secs_f64() * 1_000.0);
    println!("{what:<40} {:>9.2} {:>9.2} ms", millis(took.iter().min()), millis(took.iter().max()));
}
