//! Size of the store and duration of common statements over simulated weeks with retention. Prints one table.
//!
//! `cargo bench --bench weeks --profile quick -- 20000` with that many callbacks a week, in a file; with
//! `RINGMASTER_BENCH_URL=postgres://…` in an empty database.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/numbered.rs"]
mod numbered;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use numbered::{callback, id, sender, start};
use ringmaster::domain::callback::Closed;
use ringmaster::domain::event::CallReport;
use ringmaster::domain::timeline::Entry;
use ringmaster::domain::{
    Attempt, AttemptId, CallProgress, DeliveryId, Event, LegOrder, Numbers, Outcome, Reason, State,
};
use ringmaster::scheduler::told;
use ringmaster::store::relational::{Access, Kept, Options, Reach, SqlStore};
use ringmaster::store::{
    Batch, Enqueue, Filter, Inbox as _, Orders as _, Outbox as _, OutboxRow, Page, Report, Settled,
    Turns as _,
};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const PER_WEEK: usize = 20_000;
const WEEKS: usize = 52;
const SHOWN: [usize; 6] = [1, 6, 13, 26, 39, 52];
const WEEK: SignedDuration = SignedDuration::from_hours(24 * 7);
/// The shortest that the default limits allow.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
const CHUNK: usize = 500;
/// Lines of the timeline, and reports of the platform, for each callback.
const LINES: usize = 6;
const REPORTS: usize = 4;

struct Place {
    store: SqlStore,
    file: Option<PathBuf>,
    url: Option<String>,
}

fn main() -> Result<()> {
    let per_week = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(PER_WEEK);
    let dir = tempfile::tempdir()?;
    #[expect(clippy::disallowed_methods, reason = "a benchmark has no configuration")]
    let url = std::env::var("RINGMASTER_BENCH_URL").ok();
    let file = dir.path().join("bench.db");
    let place = match &url {
        None => Place { store: SqlStore::open(&file, Access::Exclusive)?, file: Some(file), url: None },
        Some(address) => {
            let store = SqlStore::connect(Reach::new(address, None, None)?, &Options::default())?;
            Place { store, file: None, url }
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(live(&place, per_week))
}

async fn live(place: &Place, per_week: usize) -> Result<()> {
    println!("{per_week} callbacks a week, everything kept for 30 days; times are medians of 21");
    println!(
        "week     size   retention   500 orders   500 reports   closed page   timeline   due deliveries"
    );
    for week in 0..WEEKS {
        let began = start() + WEEK * i32::try_from(week)?;
        place.store.make_months(began).await?;
        for first in (0..per_week).step_by(CHUNK) {
            chunk(&place.store, week * per_week + first, began).await?;
        }
        let cleaning = Instant::now();
        retain(&place.store, began + WEEK - KEPT).await?;
        let cleaned = cleaning.elapsed();
        if SHOWN.contains(&(week + 1)) {
            show(place, week, per_week, began, cleaned).await?;
        }
    }
    Ok(())
}

/// What comes of some callbacks, from their orders to their ends.
async fn chunk(store: &SqlStore, first: usize, now: Timestamp) -> Result<()> {
    store.enqueue_callbacks((first..first + CHUNK).map(|n| order(n, now)).collect()).await?;
    let reports = (first * REPORTS..(first + CHUNK) * REPORTS).map(|n| report(n, now));
    store.append_reports(reports.collect()).await?;
    let folded = store.unfolded_reports(CHUNK * REPORTS).await?.iter().map(|report| report.seq).collect();
    let mut batch = Batch { folded, ..Batch::default() };
    for n in first..first + CHUNK {
        end(&mut batch, n, now);
    }
    store.record(batch).await?;
    for delivery in store.claim_deliveries(now, now, CHUNK).await? {
        store.settle_delivery(delivery.row.id, now, Settled::Delivered, None).await?;
    }
    Ok(())
}

fn order(n: usize, now: Timestamp) -> Enqueue {
    let mut callback = callback(n);
    callback.created_at = now;
    Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() }
}

fn report(n: usize, received_at: Timestamp) -> Report {
    let event = Event::Call(CallReport {
        attempt: AttemptId::new(id(n / REPORTS)),
        sid: format!("CA{n:032x}"),
        parent_sid: None,
        progress: CallProgress::Ringing,
        at: Some(received_at),
        duration_s: None,
        sip_code: None,
        error_code: None,
    });
    let key = (n as u128 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835).to_be_bytes();
    Report { key, received_at, event }
}

/// The callback `n` is over after one attempt.
fn end(batch: &mut Batch, n: usize, now: Timestamp) {
    let mut callback = callback(n);
    callback.created_at = now;
    callback.version = 2;
    callback.attempts_opened = 1;
    callback.state =
        State::Closed(Closed { outcome: Outcome::Reached, at: now, note: Reason::Answered.note() });
    let (attempt, numbers) = (AttemptId::new(id(n)), Numbers::of(sender(1 + n % 9), callback.order.consumer));
    batch.attempts.push(Attempt {
        ended_at: Some(now),
        ..Attempt::new(attempt, callback.id, numbers, "main", LegOrder::ConsumerFirst, now)
    });
    for _ in 0..LINES {
        batch.entries.push(Entry {
            at: now,
            callback: Some(callback.id),
            pair: Some(numbers),
            attempt: Some(attempt),
            message: None,
            what: "attempt.opened".into(),
            why: "The call can be placed now.".into(),
            by: None,
        });
    }
    batch.outbox.push(OutboxRow {
        id: DeliveryId::new(id(n)),
        subject: callback.id.into(),
        what: "callback.closed".into(),
        payload: format!(
            "{{\"event\":\"callback.closed\",\"callback\":\"{}\",\"outcome\":\"reached\"}}",
            callback.id
        ),
        created_at: now,
    });
    batch.callbacks.push(callback);
}

async fn retain(store: &SqlStore, before: Timestamp) -> Result<()> {
    for kind in [Kept::Callbacks, Kept::Timeline, Kept::Inbox, Kept::Outbox, Kept::Audit] {
        let mut after = 0;
        while let Some(next) = store.retain(kind, before, after, 200, told).await?.next {
            after = next;
        }
    }
    Ok(())
}

async fn show(place: &Place, week: usize, per_week: usize, now: Timestamp, cleaned: Duration) -> Result<()> {
    let store = &place.store;
    let probe = 1_000_000_000 + week * 1_000_000;
    let mut took: [Vec<Duration>; 5] = Default::default();
    for turn in 0..21 {
        let first = probe + turn * CHUNK;
        let orders = (first..first + CHUNK).map(|n| order(n, now)).collect();
        took[0].push(timed(store.enqueue_callbacks(orders)).await?);
        let reports = (first..first + CHUNK).map(|n| report(n, now)).collect();
        took[1].push(timed(store.append_reports(reports)).await?);
        let filter = Filter { outcome: Some(Outcome::Reached), ..Filter::default() };
        let page = Page { before: None, limit: 50 };
        took[2].push(timed(store.list_callbacks(&filter, &page)).await?);
        let of = callback(week * per_week + turn).id;
        took[3].push(timed(store.timeline(of)).await?);
        took[4].push(timed(store.claim_deliveries(now, now, 100)).await?);
        // The probes are over too, so that they are deleted like the others.
        let folded = store.unfolded_reports(CHUNK * REPORTS).await?.iter().map(|report| report.seq).collect();
        let mut batch = Batch { folded, ..Batch::default() };
        (first..first + CHUNK).for_each(|n| end(&mut batch, n, now));
        batch.outbox.clear();
        store.record(batch).await?;
    }
    let [orders, reports, page, timeline, due] = took.map(|mut took| {
        took.sort();
        took[took.len() / 2].as_secs_f64() * 1_000.0
    });
    println!(
        "{:>4} {:>6} MiB {:>8.1} s {orders:>9.1} ms {reports:>10.1} ms {page:>10.2} ms {timeline:>7.2} ms {due:>13.2} ms",
        week + 1,
        size(place).await? >> 20,
        cleaned.as_secs_f64(),
    );
    Ok(())
}

async fn timed<T>(work: impl Future<Output = ringmaster::store::Result<T>>) -> Result<Duration> {
    let began = Instant::now();
    work.await?;
    Ok(began.elapsed())
}

async fn size(place: &Place) -> Result<u64> {
    if let Some(url) = &place.url {
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        let row = client.query_one("SELECT pg_database_size(current_database())", &[]).await?;
        return Ok(row.get::<_, i64>(0).unsigned_abs());
    }
    Ok(place.file.as_ref().map_or(0, |file| std::fs::metadata(file).map_or(0, |file| file.len())))
}
