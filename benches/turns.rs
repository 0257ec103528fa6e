//! What a turn reads at a full gate, by how much waits there and in how many campaigns. Prints one table.
//!
//! `cargo bench --bench turns --profile quick`. The figures must not grow with what waits, nor with the campaigns.
#![expect(clippy::print_stdout, reason = "the table is what it is for")]

#[path = "kit/numbered.rs"]
mod numbered;

use std::sync::Arc;
use std::time::{Duration, Instant};

use numbered::{callback, sender, start};
use ringmaster::domain::callback::Waiting;
use ringmaster::domain::lane::{Lanes, Paid, Room};
use ringmaster::domain::{
    Breaker, Campaign, CampaignId, CampaignState, Campaigns, Gate, Place, Reason, State, Tenant,
};
use ringmaster::store::relational::{Access, SqlStore};
use ringmaster::store::{Batch, CallUp, CampaignChange, Enqueue, Orders as _, Turns as _};
use uuid::Uuid;

/// Waiting callbacks, and the campaigns to which they belong in turn.
const CASES: [(usize, usize); 5] =
    [(10, 1), (10_000, 10), (1_000_000, 1), (1_000_000, 10), (1_000_000, 1_000)];
const CHUNK: usize = 5_000;
/// How many places become free in a turn.
const PLACES: usize = 10;
const TURNS: u32 = 200;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{:>10}  {:>9}  {:>14}  {:>14}", "waiting", "campaigns", "first turn", "later turn");
    for (waiting, campaigns) in CASES {
        let (first, later) = runtime.block_on(measure(waiting, campaigns))?;
        println!("{waiting:>10}  {campaigns:>9}  {first:>14.1?}  {later:>14.1?}");
    }
    Ok(())
}

/// How long the first turn after a start takes, and one of the later ones.
async fn measure(
    waiting: usize,
    campaigns: usize,
) -> Result<(Duration, Duration), Box<dyn std::error::Error>> {
    let dir = tempfile::tempdir()?;
    let store = SqlStore::open(&dir.path().join("bench.db"), Access::Exclusive)?;
    let all: Vec<Campaign> = (0..campaigns).map(campaign).collect();
    let changes = all.iter().cloned().map(|campaign| CampaignChange { campaign, act: None });
    store.record(Batch { campaigns: changes.collect(), ..Batch::default() }).await?;
    for first in (0..waiting).step_by(CHUNK) {
        let orders = (first..waiting.min(first + CHUNK)).map(|n| order(n, all[n % campaigns].id));
        store.enqueue_callbacks(orders.collect()).await?;
    }
    let lanes: Lanes = store.gates().await?.into_iter().map(|(_, lane)| lane).collect();
    let campaigns = Arc::new(Campaigns::new(all));
    let call = |lanes| CallUp {
        gate: gate(),
        room: Room::of(PLACES),
        lanes,
        paid: Paid::new(),
        campaigns: Arc::clone(&campaigns),
    };
    let began = Instant::now();
    let mut called = store.callbacks_at_gates(&[call(lanes)]).await?;
    let first = began.elapsed();
    let mut took = Duration::ZERO;
    for _ in 0..TURNS {
        let lanes = std::mem::take(&mut called[0].lanes);
        let began = Instant::now();
        called = store.callbacks_at_gates(&[call(lanes)]).await?;
        took += began.elapsed();
    }
    Ok((first, took / TURNS))
}

fn gate() -> Gate {
    Gate::sender(sender(1))
}

fn order(n: usize, campaign: CampaignId) -> Enqueue {
    let mut callback = callback(n);
    callback.order.campaign = Some(campaign.to_string());
    let place = Place { gate: gate(), aged: None, expires_at: callback.order.latest };
    let note = Reason::SenderFull { live: 1, max: 1 }.note();
    callback.state = State::Waiting(Waiting { wake_at: callback.order.latest, place: Some(place), note });
    Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() }
}

fn campaign(n: usize) -> Campaign {
    Campaign {
        id: CampaignId::new(Uuid::from_u128(n as u128 + 1)),
        version: 1,
        tenant: Tenant::default(),
        name: "list".into(),
        state: CampaignState::Running,
        defaults: "{}".into(),
        concurrent_calls_max: None,
        calls_per_minute: None,
        weight: Campaign::WEIGHT,
        breaker: Breaker::default(),
        follow_up: None,
        created_at: start(),
        created_by: "bench".into(),
        ended_at: None,
    }
}
