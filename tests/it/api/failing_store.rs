//! The store in memory, with the faults that a test sets.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ringmaster::domain::{CallbackId, Pair};
use ringmaster::simulation::{Mutation, mutated};
use ringmaster::store::relational::SqlStore;
use ringmaster::store::{Batch, Error, Orders as _, Record, Result, Store, Turns as _};

pub(super) struct FailingStore {
    inner: Arc<SqlStore>,
    failing: Arc<dyn Store>,
    faults: Arc<Faults>,
}

#[derive(Default)]
pub(super) struct Faults {
    /// How many orders succeed before the store becomes unavailable; 0 means that none fails.
    pub(super) fails_after: AtomicUsize,
    writes: AtomicUsize,
    /// Whether counting panics.
    pub(super) broken: AtomicBool,
}

impl Mutation for Faults {
    fn before(&self, verb: &'static str) -> Result<()> {
        let fails_after = self.fails_after.load(Ordering::Relaxed);
        let is_full = match verb {
            "enqueue_callbacks" => self.writes.fetch_add(1, Ordering::Relaxed) >= fails_after,
            "ping" => true,
            "census" => {
                assert!(!self.broken.load(Ordering::Relaxed), "counting failed");
                false
            }
            _ => false,
        };
        if fails_after > 0 && is_full { Err(Error::Unavailable("the disk is full".into())) } else { Ok(()) }
    }
}

impl FailingStore {
    pub(super) fn new() -> Self {
        let inner = Arc::new(SqlStore::in_memory().unwrap());
        let faults = Arc::new(Faults::default());
        Self { failing: mutated(inner.clone(), faults.clone()), inner, faults }
    }

    pub(super) fn faults(&self) -> &Faults {
        &self.faults
    }

    pub(super) fn shared(&self) -> Arc<dyn Store> {
        self.failing.clone()
    }

    /// Changes a callback as the scheduler would.
    pub(super) async fn change(&self, id: CallbackId, change: impl FnOnce(&mut Record)) {
        let mut record = self.inner.callback(id).await.unwrap().unwrap();
        change(&mut record);
        record.callback.version += 1;
        let Record { callback, attempts, messages, .. } = record;
        let batch = Batch { callbacks: vec![callback], attempts, messages, ..Batch::default() };
        self.inner.record(batch).await.unwrap();
    }

    pub(super) async fn put_pair(&self, mut pair: Pair) {
        pair.version = self.inner.pairs(&[pair.key]).await.unwrap()[0].version + 1;
        self.inner.record(Batch { pairs: vec![pair], ..Batch::default() }).await.unwrap();
    }

    /// The number of stored callbacks and invites.
    pub(super) async fn count(&self) -> u64 {
        let census = self.inner.census().await.unwrap();
        let callbacks = census.waiting + census.calling + census.closed.iter().sum::<u64>();
        callbacks + census.invites.waiting + census.invites.closed.iter().sum::<u64>()
    }
}

impl Deref for FailingStore {
    type Target = dyn Store;

    fn deref(&self) -> &Self::Target {
        &*self.failing
    }
}
