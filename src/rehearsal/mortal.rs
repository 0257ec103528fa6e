//! Death at any moment: a store and a transport that stop their house before or after what they do.
//!
//! A house that is killed does not return from what it was doing. So the fatal call never ends, and whoever
//! waits for the house sees that it is dead and lets it go.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::Notify;

use crate::domain::timeline::Entry;
use crate::domain::{
    Attempt, AttemptId, Callback, CallbackId, DeliveryId, Gate, Message, MessageId, Pair, PairKey, Phone,
};
use crate::store::{
    Backlog, Batch, Census, Delivery, Enqueue, Enqueued, FiledReport, Filter, IdempotencyKey, OutboxRow,
    Page, Record, Report, Result, Settled, Store, Token,
};
use crate::twilio::{Request, Response, Transport, TransportError};

/// Counts down the steps that a house has left. A step is the moment before or after one of its effects.
#[derive(Debug, Default)]
pub struct Fate {
    /// Zero and below: no end is near.
    steps_left: AtomicI64,
    died: Notify,
}

impl Fate {
    /// The house dies at the step that comes after `steps` others.
    pub fn die_after(&self, steps: u32) {
        self.steps_left.store(i64::from(steps) + 1, Ordering::Relaxed);
    }

    /// Nobody dies any more.
    pub fn spare(&self) {
        self.steps_left.store(0, Ordering::Relaxed);
    }

    /// Ends when the house has died.
    pub async fn death(&self) {
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

/// What a house reaches the world or its store through, while it lives.
pub(super) struct Mortal<T: ?Sized> {
    pub(super) inner: Arc<T>,
    pub(super) fate: Arc<Fate>,
}

#[async_trait]
impl Transport for Mortal<dyn Transport> {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        self.fate.step().await;
        let answer = self.inner.send(request).await;
        self.fate.step().await;
        answer
    }
}

macro_rules! mortal_store {
    (
        writes { $(fn $write:ident($($w:ident: $wt:ty),*) -> $wr:ty;)* }
        reads { $(fn $read:ident($($r:ident: $rt:ty),*) -> $rr:ty;)* }
    ) => {
        #[async_trait]
        impl Store for Mortal<dyn Store> {
            $(async fn $write(&self, $($w: $wt),*) -> Result<$wr> {
                self.fate.step().await;
                let answer = self.inner.$write($($w),*).await;
                self.fate.step().await;
                answer
            })*
            $(async fn $read(&self, $($r: $rt),*) -> Result<$rr> {
                self.inner.$read($($r),*).await
            })*
        }
    };
}

mortal_store! {
    writes {
        fn enqueue_callbacks(orders: Vec<Enqueue>) -> Vec<Enqueued>;
        fn amend_callback(callback: Callback, entries: Vec<Entry>, outbox: Vec<OutboxRow>) -> bool;
        fn settle_delivery(id: DeliveryId, tried_at: Timestamp, settled: Settled) -> ();
        fn replay_deliveries(callback: CallbackId, now: Timestamp) -> u64;
        fn append_reports(reports: Vec<Report>) -> Vec<bool>;
        fn record(batch: Batch) -> ();
    }
    reads {
        fn known_order(key: IdempotencyKey) -> Option<Enqueued>;
        fn callback(id: CallbackId) -> Option<Record>;
        fn list_callbacks(filter: &Filter, page: &Page) -> Vec<Callback>;
        fn timeline(id: CallbackId) -> Vec<Entry>;
        fn pair_timeline(key: PairKey) -> Vec<Entry>;
        fn attempt(id: AttemptId) -> Option<(Attempt, Callback)>;
        fn unfolded_reports(limit: usize) -> Vec<FiledReport>;
        fn due_callbacks(now: Timestamp, limit: usize) -> Vec<Callback>;
        fn next_wake() -> Option<Timestamp>;
        fn callbacks_at_gate(gate: &Gate, limit: usize) -> Vec<Callback>;
        fn gates() -> Vec<Gate>;
        fn waiting_callbacks_to(consumers: &[Phone]) -> Vec<Callback>;
        fn pairs(keys: &[PairKey]) -> Vec<Pair>;
        fn callbacks(ids: &[CallbackId]) -> Vec<Callback>;
        fn attempts(ids: &[AttemptId]) -> Vec<Attempt>;
        fn messages(ids: &[MessageId]) -> Vec<Message>;
        fn message_by_sid(sid: &str) -> Option<Message>;
        fn live_attempts() -> Vec<Attempt>;
        fn unsettled_messages() -> Vec<Message>;
        fn pairs_with_live_inbound() -> Vec<Pair>;
        fn due_deliveries(now: Timestamp, limit: usize) -> Vec<Delivery>;
        fn next_delivery(after: Timestamp) -> Option<Timestamp>;
        fn backlog() -> Backlog;
        fn create_token(token: Token) -> ();
        fn token_by_hash(hash: [u8; 32]) -> Option<Token>;
        fn address_key(fresh: [u8; 32]) -> [u8; 32];
        fn census() -> Census;
    }
}
