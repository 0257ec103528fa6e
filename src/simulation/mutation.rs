//! Deliberate faults in a daemon, to show that simulations find them. Only tests implement them; `serve` does
//! not use this module.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::verbs::store_verbs;
use super::verbs::types::*;
use crate::config::Config;
use crate::domain::{Attempt, AttemptId, Pause};
use crate::store::{
    AgentReads, Audits, Batch, Bulks, CallUp, CalledUp, CampaignReads, Erasures, Groups, Imports, Inbox,
    Keys, Lineages, Members, NewCommand, Nodes, Orders, Outbox, PersonZones, Records, Related, Report,
    Reporting, Result, Store, Suppressions, Tokens, Turns,
};
use crate::twilio::{Request, Response, Transport, TransportError};

/// Changes to a daemon's behaviour. By default there are none.
#[async_trait]
pub trait Mutation: Send + Sync {
    /// Changes the configuration before the first daemon is built.
    fn configure(&self, _config: &mut Config) {}

    /// Called after a crash, to drop state that a daemon has only in memory.
    fn forget(&self) {}

    /// Called with the name of each verb of the store, before it; an error is its answer.
    fn before(&self, _verb: &'static str) -> Result<()> {
        Ok(())
    }

    async fn record(&self, store: &dyn Store, batch: Batch) -> Result<()> {
        store.record(batch).await
    }

    async fn append_reports(&self, store: &dyn Store, reports: Vec<Report>) -> Result<Vec<bool>> {
        store.append_reports(reports).await
    }

    async fn append_command(&self, store: &dyn Store, command: NewCommand) -> Result<bool> {
        store.append_command(command).await
    }

    async fn pauses(&self, store: &dyn Store, now: Timestamp) -> Result<Vec<Pause>> {
        store.pauses(now).await
    }

    async fn attempts(&self, store: &dyn Store, ids: &[AttemptId]) -> Result<Vec<Attempt>> {
        store.attempts(ids).await
    }

    async fn beat(&self, store: &dyn Store, beat: Beat) -> Result<Beaten> {
        store.beat(beat).await
    }

    async fn suppress(&self, store: &dyn Store, new: NewSuppressions) -> Result<Suppressed> {
        store.suppress(new).await
    }

    async fn callbacks_at_gates(&self, store: &dyn Store, calls: &[CallUp]) -> Result<Vec<CalledUp>> {
        store.callbacks_at_gates(calls).await
    }

    async fn send(
        &self,
        transport: &dyn Transport,
        request: Request,
    ) -> std::result::Result<Response, TransportError> {
        transport.send(request).await
    }
}

/// The daemon without a change.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMutation;

impl Mutation for NoMutation {}

/// A store or transport behind a mutation.
pub(super) struct Mutated<T: ?Sized> {
    pub(super) inner: Arc<T>,
    pub(super) mutation: Arc<dyn Mutation>,
}

/// A store behind a mutation.
pub fn mutated(store: Arc<dyn Store>, mutation: Arc<dyn Mutation>) -> Arc<dyn Store> {
    Arc::new(Mutated { inner: store, mutation })
}

#[async_trait]
impl Transport for Mutated<dyn Transport> {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        self.mutation.send(&*self.inner, request).await
    }
}

impl Mutated<dyn Store> {
    async fn record(&self, batch: Batch) -> Result<()> {
        self.mutation.before("record")?;
        self.mutation.record(&*self.inner, batch).await
    }

    async fn append_reports(&self, reports: Vec<Report>) -> Result<Vec<bool>> {
        self.mutation.before("append_reports")?;
        self.mutation.append_reports(&*self.inner, reports).await
    }

    async fn append_command(&self, command: NewCommand) -> Result<bool> {
        self.mutation.before("append_command")?;
        self.mutation.append_command(&*self.inner, command).await
    }

    async fn pauses(&self, now: Timestamp) -> Result<Vec<Pause>> {
        self.mutation.before("pauses")?;
        self.mutation.pauses(&*self.inner, now).await
    }

    async fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Attempt>> {
        self.mutation.before("attempts")?;
        self.mutation.attempts(&*self.inner, ids).await
    }

    async fn related(&self, keys: &Keys) -> Result<Related> {
        self.mutation.before("related")?;
        let mut related = self.inner.related(keys).await?;
        let ids: Vec<_> = related.attempts.iter().map(|attempt| attempt.id).collect();
        if !ids.is_empty() {
            related.attempts = self.mutation.attempts(&*self.inner, &ids).await?;
        }
        Ok(related)
    }

    async fn beat(&self, beat: Beat) -> Result<Beaten> {
        self.mutation.before("beat")?;
        self.mutation.beat(&*self.inner, beat).await
    }

    async fn suppress(&self, new: NewSuppressions) -> Result<Suppressed> {
        self.mutation.before("suppress")?;
        self.mutation.suppress(&*self.inner, new).await
    }

    async fn callbacks_at_gates(&self, calls: &[CallUp]) -> Result<Vec<CalledUp>> {
        self.mutation.before("callbacks_at_gates")?;
        self.mutation.callbacks_at_gates(&*self.inner, calls).await
    }
}

macro_rules! mutated_store {
    (
        $port:ident
        by_hand { $(fn $own:ident($($o:ident: $ot:ty),*) -> $or:ty;)* }
        writes { $(fn $write:ident($($w:ident: $wt:ty),*) -> $wr:ty;)* }
        reads { $(fn $read:ident($($r:ident: $rt:ty),*) -> $rr:ty;)* }
    ) => {
        #[async_trait]
        impl $port for Mutated<dyn Store> {
            $(async fn $own(&self, $($o: $ot),*) -> Result<$or> {
                Self::$own(self, $($o),*).await
            })*
            $(async fn $write(&self, $($w: $wt),*) -> Result<$wr> {
                self.mutation.before(stringify!($write))?;
                self.inner.$write($($w),*).await
            })*
            $(async fn $read(&self, $($r: $rt),*) -> Result<$rr> {
                self.mutation.before(stringify!($read))?;
                self.inner.$read($($r),*).await
            })*
        }
    };
}

store_verbs!(mutated_store);
