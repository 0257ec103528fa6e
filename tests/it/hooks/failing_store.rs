//! A store that fails on request.

use ringmaster::simulation::Mutation;

use super::*;

/// The real store in memory, which fails on request.
pub(super) struct FailingStore {
    pub(super) inner: Arc<SqlStore>,
    pub(super) faults: Arc<Faults>,
}

#[derive(Default)]
pub(super) struct Faults {
    /// Writes fail.
    pub(super) full: AtomicBool,
    /// Reads fail.
    pub(super) away: AtomicBool,
}

impl Mutation for Faults {
    fn before(&self, verb: &'static str) -> store::Result<()> {
        let is_write = verb.starts_with("append_");
        let fails = if is_write { &self.full } else { &self.away };
        if fails.load(SeqCst) { Err(store::Error::Unavailable("away".into())) } else { Ok(()) }
    }
}
