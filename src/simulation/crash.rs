//! Crash injection: a store and a transport that stop their daemon before or after one of their effects.
//!
//! A killed process never returns from a call. So the call at which the daemon crashes stays pending, and the
//! simulation drops the daemon.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use tokio::sync::Notify;

use crate::domain::{Attempt, AttemptId};
use crate::store::{Batch, Report, Result, Store};
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

/// Implements decorators of [`Store`]: passes every method, except `record`, `append_reports`,
/// `attempts`, which each decorator implements by hand, to the given macro.
macro_rules! store_verbs {
    ($macro:ident) => {
        $macro! {
            writes {
                fn enqueue_callbacks(orders: Vec<$crate::store::Enqueue>) -> Vec<$crate::store::Enqueued>;
                fn settle_delivery(
                    id: $crate::domain::DeliveryId,
                    tried_at: jiff::Timestamp,
                    settled: $crate::store::Settled
                ) -> ();
                fn revoke_token(hash: [u8; 32]) -> bool;
                fn append_command(command: $crate::store::NewCommand) -> bool;
                fn token_used(hash: [u8; 32], at: jiff::Timestamp) -> ();
                fn replay_deliveries(callback: $crate::domain::CallbackId, now: jiff::Timestamp) -> u64;
            }
            reads {
                fn known_order(key: $crate::store::IdempotencyKey) -> Option<$crate::store::Enqueued>;
                fn callback(id: $crate::domain::CallbackId) -> Option<$crate::store::Record>;
                fn referenced(
                    tenant: &$crate::domain::Tenant,
                    reference: &str,
                    most: usize
                ) -> Vec<$crate::domain::CallbackId>;
                fn list_callbacks(
                    filter: &$crate::store::Filter,
                    page: &$crate::store::Page
                ) -> Vec<$crate::domain::Callback>;
                fn command(key: [u8; 16]) -> Option<$crate::store::CommandRecord>;
                fn timeline(id: $crate::domain::CallbackId) -> Vec<$crate::domain::timeline::Entry>;
                fn pair_timeline(key: $crate::domain::PairKey) -> Vec<$crate::domain::timeline::Entry>;
                fn attempt(
                    id: $crate::domain::AttemptId
                ) -> Option<($crate::domain::Attempt, $crate::domain::Callback)>;
                fn unfolded_reports(limit: usize) -> Vec<$crate::store::FiledReport>;
                fn due_callbacks(now: jiff::Timestamp, limit: usize) -> Vec<$crate::domain::Callback>;
                fn next_wake() -> Option<jiff::Timestamp>;
                fn callbacks_at_gate(
                    gate: &$crate::domain::Gate,
                    limit: usize
                ) -> Vec<$crate::domain::Callback>;
                fn gates() -> Vec<$crate::domain::Gate>;
                fn waiting_callbacks_to(
                    consumers: &[$crate::domain::Phone]
                ) -> Vec<$crate::domain::Callback>;
                fn unmatched_of(
                    ids: &[$crate::domain::UserId],
                    sids: &[String]
                ) -> Vec<$crate::store::FiledReport>;
                fn unmatched_reports(limit: usize) -> Vec<$crate::store::FiledReport>;
                fn people(
                    names: &[$crate::domain::Name]
                ) -> Vec<($crate::domain::Person, Vec<$crate::domain::Pair>)>;
                fn pairs(keys: &[$crate::domain::PairKey]) -> Vec<$crate::domain::Pair>;
                fn callbacks(ids: &[$crate::domain::CallbackId]) -> Vec<$crate::domain::Callback>;
                fn attempts_by_sid(sids: &[String]) -> Vec<$crate::domain::Attempt>;
                fn messages(ids: &[$crate::domain::MessageId]) -> Vec<$crate::domain::Message>;
                fn message_by_sid(sid: &str) -> Option<$crate::domain::Message>;
                fn live_attempts() -> Vec<$crate::domain::Attempt>;
                fn unsettled_messages() -> Vec<$crate::domain::Message>;
                fn pairs_with_live_inbound() -> Vec<$crate::domain::Pair>;
                fn submitted_since(since: jiff::Timestamp) -> Vec<$crate::domain::AccountAlias>;
                fn set_aside() -> Vec<$crate::domain::SetAside>;
                fn set_aside_by_id(id: $crate::domain::SetAsideId) -> Option<$crate::domain::SetAside>;
                fn claim_deliveries(
                    now: jiff::Timestamp,
                    until: jiff::Timestamp,
                    limit: usize
                ) -> Vec<$crate::store::Delivery>;
                fn void_claims() -> ();
                fn next_delivery(after: jiff::Timestamp) -> Option<jiff::Timestamp>;
                fn backlog() -> $crate::store::Backlog;
                fn create_token(token: $crate::store::Token) -> ();
                fn tokens() -> Vec<$crate::store::Token>;
                fn token_by_hash(hash: [u8; 32]) -> Option<$crate::store::Token>;
                fn address_key(fresh: [u8; 32]) -> [u8; 32];
                fn census() -> $crate::store::Census;
            }
        }
    };
}
pub(super) use store_verbs;

macro_rules! mortal_store {
    (
        writes { $(fn $write:ident($($w:ident: $wt:ty),*) -> $wr:ty;)* }
        reads { $(fn $read:ident($($r:ident: $rt:ty),*) -> $rr:ty;)* }
    ) => {
        #[async_trait]
        impl Store for CrashInjecting<dyn Store> {
            async fn record(&self, batch: Batch) -> Result<()> {
                self.step_around(self.inner.record(batch)).await
            }
            async fn append_reports(&self, reports: Vec<Report>) -> Result<Vec<bool>> {
                self.step_around(self.inner.append_reports(reports)).await
            }
            async fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Attempt>> {
                self.inner.attempts(ids).await
            }
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
