//! How long counts and filtered lists take beside millions of callbacks. Prints one table.
//!
//! `cargo bench --bench lists --profile quick -- 2000000`. Of the callbacks nineteen in twenty are closed.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::callback::{Closed, Waiting};
use ringmaster::domain::{Callback, CallbackId, Order, Outcome, Phone, Priority, Purpose, Reason, State};
use ringmaster::store::sqlite::{Access, Sqlite};
use ringmaster::store::{Batch, Enqueue, Filter, Orders as _, Page, Status, Turns as _};
use uuid::Uuid;

const ROWS: usize = 2_000_000;
const BULK: usize = 1_000;
const TRIES: u32 = 20;
/// One in so many is still open.
const OPEN_ONE_IN: usize = 20;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(ROWS);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(rows))
}

async fn measure(rows: usize) -> Result<(), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let store = Sqlite::open(&dir.path().join("bench.db"), Access::Exclusive)?;
    fill(&store, rows).await?;

    let filter = Filter::default;
    let campaign = || Some("renewals".to_owned());
    let lists = [
        ("all", filter()),
        ("status waiting", Filter { status: Some(Status::Waiting), ..filter() }),
        ("status closed", Filter { status: Some(Status::Closed), ..filter() }),
        ("outcome reached", Filter { outcome: Some(Outcome::Reached), ..filter() }),
        ("outcome that nobody has", Filter { outcome: Some(Outcome::Failed), ..filter() }),
        ("sender", Filter { sender: Some(sender(1)), ..filter() }),
        ("sender that nobody has", Filter { sender: Some(sender(0)), ..filter() }),
        ("campaign", Filter { campaign: campaign(), ..filter() }),
        ("campaign, closed", Filter { campaign: campaign(), status: Some(Status::Closed), ..filter() }),
        (
            "campaign, outcome that nobody has",
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

async fn fill(store: &Sqlite, rows: usize) -> Result<(), Box<dyn std::error::Error>> {
    let began = Instant::now();
    for bulk in 0..rows / BULK {
        let all = || (bulk * BULK..(bulk + 1) * BULK).map(callback);
        let orders = all().map(|callback| Enqueue { callback, idempotency: None, ceiling: None }).collect();
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

fn start() -> Timestamp {
    Timestamp::constant(1_790_000_000, 0)
}

fn consumer(n: usize) -> Phone {
    Phone::from_stored(5_511_900_000_000 + (n as u64).wrapping_mul(7_919) % 99_999_989)
}

/// Orders have the numbers 1 to 9.
fn sender(n: usize) -> Phone {
    Phone::from_stored(551_130_000_000 + n as u64)
}

fn callback(n: usize) -> Callback {
    let earliest = start() + SignedDuration::from_millis(n as i64 % 100_000_000);
    let id = (n as u128) << 64 | (n as u128).wrapping_mul(0x9E37_79B9_7F4A_7C15) & u128::from(u64::MAX);
    Callback::new(
        CallbackId::new(Uuid::from_u128(id)),
        start(),
        Order {
            consumer: consumer(n),
            senders: vec![sender(1 + n % 9)],
            earliest,
            latest: start() + SignedDuration::from_hours(72),
            hours: "mon-fri 09:00-18:00 @America/Sao_Paulo".parse().ok(),
            priority: Priority::DEFAULT,
            document: "reminder".into(),
            variables: [("name".to_owned(), "Maria".to_owned())].into(),
            agent: None,
            attempts_max: 3,
            campaign: Some("renewals".into()),
            reference: Some(format!("order-{n}")),
            metadata: None,
            purpose: Purpose::default(),
            waive_gap: false,
        },
        State::Waiting(Waiting {
            wake_at: earliest,
            place: None,
            note: Reason::BeforeEarliest { earliest }.note(),
        }),
    )
}
