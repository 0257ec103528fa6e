//! A turn uses the store a few times only, however much it has to do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ringmaster::simulation::{Mutation, mutated};
use ringmaster::store::Result;
use ringmaster::store::relational::SqlStore;
use serde_json::json;

use crate::harness::{TestDaemon, message};
use crate::leaders::Calls;

/// For a turn that reads reports, due callbacks and callbacks at gates, decides and commits.
const TRIPS_MAX: usize = 6;

/// A store that counts its calls.
#[derive(Default)]
struct Tally(Mutex<BTreeMap<&'static str, usize>>);

impl Tally {
    fn take(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Mutation for Tally {
    fn before(&self, verb: &'static str) -> Result<()> {
        *self.0.lock().unwrap().entry(verb).or_default() += 1;
        Ok(())
    }
}

/// The store calls of each turn until the scheduler is idle, and the maximum of one turn.
async fn turns(daemon: &mut TestDaemon, tally: &Tally) -> Vec<BTreeMap<&'static str, usize>> {
    tally.take();
    let mut turns = Vec::new();
    loop {
        let next = daemon.scheduler.turn().await.unwrap();
        turns.push(tally.take());
        if matches!(next, ringmaster::scheduler::Next::Sleep(_)) {
            return turns;
        }
    }
}

#[tokio::test]
async fn a_turn_has_as_many_reads_for_many_callbacks_as_for_one() {
    let mut most = Vec::new();
    for consumers in [1, 40] {
        let tally = Arc::new(Tally::default());
        let store = mutated(Arc::new(SqlStore::in_memory().unwrap()), tally.clone());
        let mut daemon = TestDaemon::on_store(store, Arc::new(Calls::default())).await;
        let mut worst = 0;
        for n in 0..consumers {
            let consumer = format!("+55119876{:05}", 50_000 + n);
            daemon.grant(&consumer).await;
            let mut order = message();
            order["earliest"] = "2026-11-23T13:00:00Z".into();
            order["campaign"] = json!(format!("campaign-{n}"));
            daemon.order(&consumer, order).await;
        }
        daemon.pass(jiff::SignedDuration::from_hours(1));
        for second in 0..5 {
            for turn in turns(&mut daemon, &tally).await {
                let trips: usize = turn.values().sum();
                assert!(trips <= TRIPS_MAX, "{trips} of a turn for {consumers} in second {second}: {turn:?}");
                worst = worst.max(trips);
            }
            daemon.pass(jiff::SignedDuration::from_secs(1));
        }
        most.push(worst);
    }
    assert!(most[1] <= most[0] + 1, "{most:?}");
}
