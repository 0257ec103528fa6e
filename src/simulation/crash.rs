//! Crash injection: a store and a transport that stop their daemon before or after one of their effects.
//!
//! A killed process never returns from a call. So the call at which the daemon crashes stays pending, and the
//! simulation drops the daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Notify;

use super::verbs::store_verbs;
use super::verbs::types::*;
use crate::domain::{Attempt, AttemptId};
use crate::store::{
    AgentReads, Audits, Batch, Bulks, CallUp, CalledUp, CampaignReads, Erasures, Groups, Imports, Inbox,
    Keys, Lineages, Members, NewCommand, Nodes, Orders, Outbox, PersonZones, Records, Related, Report,
    Reporting, Result, Store, Suppressions, Tokens, Turns,
};
use crate::twilio::{Request, Response, Transport, TransportError};

/// Counts down to a crash in steps. There is one step before and one after each effect.
#[derive(Debug, Default)]
pub struct CrashPlan {
    /// Steps until the crash; no crash is planned at zero and below.
    steps_left: AtomicI64,
    died: Notify,
}

impl CrashPlan {
    /// Crashes the daemon after `steps` more steps.
    pub fn crash_after(&self, steps: u32) {
        self.steps_left.store(i64::from(steps) + 1, Ordering::Relaxed);
    }

    /// Cancels the planned crash.
    pub fn disarm(&self) {
        self.steps_left.store(0, Ordering::Relaxed);
    }

    /// Returns when the daemon has crashed.
    pub async fn crashed(&self) {
        self.died.notified().await;
    }

    async fn step(&self) {
        let before = self.steps_left.load(Ordering::Relaxed);
        if before > 0 && self.steps_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
    }
}

/// A store or transport that may crash its daemon.
pub(super) struct CrashInjecting<T: ?Sized> {
    pub(super) inner: Arc<T>,
    pub(super) crashes: Arc<CrashPlan>,
}

#[async_trait]
impl Transport for CrashInjecting<dyn Transport> {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        self.step_around(self.inner.send(request)).await
    }
}

impl CrashInjecting<dyn Store> {
    async fn record(&self, batch: Batch) -> Result<()> {
        self.step_around(self.inner.record(batch)).await
    }

    async fn append_reports(&self, reports: Vec<Report>) -> Result<Vec<bool>> {
        self.step_around(self.inner.append_reports(reports)).await
    }

    async fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Attempt>> {
        self.inner.attempts(ids).await
    }

    async fn append_command(&self, command: NewCommand) -> Result<bool> {
        self.step_around(self.inner.append_command(command)).await
    }

    async fn pauses(&self, now: Timestamp) -> Result<Vec<Pause>> {
        self.inner.pauses(now).await
    }

    async fn related(&self, keys: &Keys) -> Result<Related> {
        self.inner.related(keys).await
    }

    async fn beat(&self, beat: Beat) -> Result<Beaten> {
        self.inner.beat(beat).await
    }

    async fn suppress(&self, new: NewSuppressions) -> Result<Suppressed> {
        self.step_around(self.inner.suppress(new)).await
    }

    async fn callbacks_at_gates(&self, calls: &[CallUp]) -> Result<Vec<CalledUp>> {
        self.inner.callbacks_at_gates(calls).await
    }
}

macro_rules! mortal_store {
    (
        $port:ident
        by_hand { $(fn $own:ident($($o:ident: $ot:ty),*) -> $or:ty;)* }
        writes { $(fn $write:ident($($w:ident: $wt:ty),*) -> $wr:ty;)* }
        reads { $(fn $read:ident($($r:ident: $rt:ty),*) -> $rr:ty;)* }
    ) => {
        #[async_trait]
        impl $port for CrashInjecting<dyn Store> {
            $(async fn $own(&self, $($o: $ot),*) -> Result<$or> {
                Self::$own(self, $($o),*).await
            })*
            $(async fn $write(&self, $($w: $wt),*) -> Result<$wr> {
                self.step_around(self.inner.$write($($w),*)).await
            })*
            $(async fn $read(&self, $($r: $rt),*) -> Result<$rr> {
                self.inner.$read($($r),*).await
            })*
        }
    };
}

store_verbs!(mortal_store);

impl<T: ?Sized> CrashInjecting<T> {
    async fn step_around<R>(&self, effect: impl Future<Output = R>) -> R {
        self.crashes.step().await;
        let answer = effect.await;
        self.crashes.step().await;
        answer
    }
}
