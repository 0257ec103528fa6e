//! A store full of blocked callbacks: a third wait for a campaign at its limit, a third for a sender at its
//! limit, and a third for one consumer who has not answered the permission request.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::{Clock as _, SystemClock};
use ringmaster::config::{Campaign, Config};
use ringmaster::domain::{CallPermission, Callback, Pair, PairKey, Phone};
use ringmaster::simulation::SENDERS;
use ringmaster::store::relational::{Access, SqlStore};
use ringmaster::store::{Batch, Enqueue, Orders as _, Turns as _};

use super::daemon::{BenchDaemon, Result, database, load_runtime};
use super::rows;

/// How many callbacks are blocked.
pub const BLOCKED: usize = 100_000;
/// The number of the first blocked callback.
pub const FIRST: usize = 20_000_000;
const CHUNK: usize = 5_000;
const CAMPAIGN: &str = "full";

fn full_sender() -> Phone {
    Phone::parse(SENDERS[1]).expect("the fixture's senders are numbers")
}

/// One call at a time for the campaign and for the second sender.
pub fn narrow(config: &mut Config) {
    config.campaigns.insert(CAMPAIGN.to_owned(), Campaign { concurrent_calls_max: 1 });
    for account in config.accounts.values_mut() {
        if let Some(sender) = account.senders.get_mut(&full_sender()) {
            sender.concurrent_calls_max = Some(1);
        }
    }
}

/// Stores the callbacks and their pairs.
pub async fn fill(path: &Path) -> Result<()> {
    let store = crate::store::open(path)?;
    let now = SystemClock.now();
    for first in (0..BLOCKED).step_by(CHUNK) {
        let made: Vec<_> = (first..first + CHUNK).map(|n| one(n, now)).collect();
        let orders = made.iter().map(|(callback, _)| Enqueue {
            callback: callback.clone(),
            idempotency: None,
            ceiling: None,
            of_one_group: Vec::new(),
        });
        store.enqueue_callbacks(orders.collect()).await?;
        let pairs = made.into_iter().filter_map(|(_, pair)| pair).collect();
        store.record(Batch { pairs, ..Batch::default() }).await?;
    }
    Ok(())
}

/// One callback, with its pair if it is the first of that pair. Every third callback is to the one consumer.
fn one(n: usize, now: Timestamp) -> (Callback, Option<Pair>) {
    let mut callback = rows::callback(FIRST + n, now, now);
    let mut pair = rows::permitted_pair(FIRST + n);
    match n % 3 {
        0 => {
            callback.order.consumer = rows::consumer(FIRST);
            let key = PairKey::of(rows::sender(), callback.order.consumer);
            let expires_at = now + SignedDuration::from_hours(24 * 7);
            let permission = CallPermission::Requested { expires_at };
            let asked = Pair { version: 1, permission, ..Pair::unknown(key) };
            return (callback, (n == 0).then_some(asked));
        }
        1 => callback.order.campaign = Some(CAMPAIGN.to_owned()),
        _ => {
            callback.order.senders = vec![full_sender()];
            pair.key.sender = full_sender();
        }
    }
    (callback, Some(pair))
}

/// Runs a daemon until each callback waits for its reason. Returns how long that took.
pub fn park(config: &Config) -> Result<Duration> {
    let began = Instant::now();
    let daemon = BenchDaemon::start(config)?;
    let store = match database(&config.store.path)? {
        Some(_) => crate::store::open(&config.store.path)?,
        None => SqlStore::open(&config.store.path, Access::Beside)?,
    };
    let runtime = load_runtime()?;
    loop {
        let soon = SystemClock.now() + SignedDuration::from_hours(1);
        let next = runtime.block_on(store.next_wake())?;
        if next.is_none_or(|next| next > soon) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let took = began.elapsed();
    daemon.stop()?;
    Ok(took)
}
