//! The store in memory, with the faults that a test orders.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use ringmaster::domain::timeline::Entry;
use ringmaster::domain::{
    AccountAlias, Attempt, AttemptId, Callback, CallbackId, DeliveryId, Gate, Message, MessageId, Name, Pair,
    PairKey, Person, Phone, SetAside, SetAsideId, Tenant, UserId,
};
use ringmaster::store::sqlite::Sqlite;
use ringmaster::store::{
    Backlog, Batch, Census, CommandRecord, Delivery, Enqueue, Enqueued, Error, FiledReport, Filter,
    IdempotencyKey, NewCommand, Page, Record, Report, Result, Settled, Store, Token,
};

pub(super) struct FailingStore {
    inner: Sqlite,
    /// How many orders succeed before the store becomes unavailable; 0 means that none fails.
    pub(super) fails_after: AtomicUsize,
    writes: AtomicUsize,
    /// Counting panics.
    pub(super) broken: AtomicBool,
}

impl FailingStore {
    pub(super) fn new() -> Self {
        Self {
            inner: Sqlite::in_memory().unwrap(),
            fails_after: AtomicUsize::new(0),
            writes: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
        }
    }

    /// Changes a callback as the scheduler would.
    pub(super) async fn change(&self, id: CallbackId, change: impl FnOnce(&mut Record)) {
        let mut record = self.inner.callback(id).await.unwrap().unwrap();
        change(&mut record);
        record.callback.version += 1;
        let Record { callback, attempts, messages } = record;
        let batch = Batch { callbacks: vec![callback], attempts, messages, ..Batch::default() };
        self.inner.record(batch).await.unwrap();
    }

    pub(super) async fn put_pair(&self, mut pair: Pair) {
        pair.version = self.inner.pairs(&[pair.key]).await.unwrap()[0].version + 1;
        self.inner.record(Batch { pairs: vec![pair], ..Batch::default() }).await.unwrap();
    }

    /// How many callbacks are kept.
    pub(super) async fn count(&self) -> u64 {
        let census = self.inner.census().await.unwrap();
        census.waiting + census.calling + census.closed.iter().sum::<u64>()
    }
}

#[async_trait]
impl Store for FailingStore {
    async fn enqueue_callbacks(&self, orders: Vec<Enqueue>) -> Result<Vec<Enqueued>> {
        let fails_after = self.fails_after.load(Ordering::Relaxed);
        if fails_after > 0 && self.writes.fetch_add(1, Ordering::Relaxed) >= fails_after {
            return Err(Error::Unavailable("the disk is full".into()));
        }
        self.inner.enqueue_callbacks(orders).await
    }

    async fn known_order(&self, key: IdempotencyKey) -> Result<Option<Enqueued>> {
        self.inner.known_order(key).await
    }

    async fn callback(&self, id: CallbackId) -> Result<Option<Record>> {
        self.inner.callback(id).await
    }

    async fn referenced(&self, tenant: &Tenant, reference: &str, most: usize) -> Result<Vec<CallbackId>> {
        self.inner.referenced(tenant, reference, most).await
    }

    async fn list_callbacks(&self, filter: &Filter, page: &Page) -> Result<Vec<Callback>> {
        self.inner.list_callbacks(filter, page).await
    }

    async fn timeline(&self, id: CallbackId) -> Result<Vec<Entry>> {
        self.inner.timeline(id).await
    }

    async fn pair_timeline(&self, key: PairKey) -> Result<Vec<Entry>> {
        self.inner.pair_timeline(key).await
    }

    async fn append_command(&self, command: NewCommand) -> Result<bool> {
        self.inner.append_command(command).await
    }

    async fn command(&self, key: [u8; 16]) -> Result<Option<CommandRecord>> {
        self.inner.command(key).await
    }

    async fn append_reports(&self, reports: Vec<Report>) -> Result<Vec<bool>> {
        self.inner.append_reports(reports).await
    }

    async fn attempt(&self, id: AttemptId) -> Result<Option<(Attempt, Callback)>> {
        self.inner.attempt(id).await
    }

    async fn unmatched_of(&self, ids: &[UserId], sids: &[String]) -> Result<Vec<FiledReport>> {
        self.inner.unmatched_of(ids, sids).await
    }

    async fn unmatched_reports(&self, limit: usize) -> Result<Vec<FiledReport>> {
        self.inner.unmatched_reports(limit).await
    }

    async fn people(&self, names: &[Name]) -> Result<Vec<(Person, Vec<Pair>)>> {
        self.inner.people(names).await
    }

    async fn unfolded_reports(&self, limit: usize) -> Result<Vec<FiledReport>> {
        self.inner.unfolded_reports(limit).await
    }

    async fn due_callbacks(&self, now: Timestamp, limit: usize) -> Result<Vec<Callback>> {
        self.inner.due_callbacks(now, limit).await
    }

    async fn next_wake(&self) -> Result<Option<Timestamp>> {
        if self.fails_after.load(Ordering::Relaxed) > 0 {
            return Err(Error::Unavailable("the disk is full".into()));
        }
        self.inner.next_wake().await
    }

    async fn callbacks_at_gate(&self, gate: &Gate, limit: usize) -> Result<Vec<Callback>> {
        self.inner.callbacks_at_gate(gate, limit).await
    }

    async fn gates(&self) -> Result<Vec<Gate>> {
        self.inner.gates().await
    }

    async fn waiting_callbacks_to(&self, consumers: &[Phone]) -> Result<Vec<Callback>> {
        self.inner.waiting_callbacks_to(consumers).await
    }

    async fn pairs(&self, keys: &[PairKey]) -> Result<Vec<Pair>> {
        self.inner.pairs(keys).await
    }

    async fn callbacks(&self, ids: &[CallbackId]) -> Result<Vec<Callback>> {
        self.inner.callbacks(ids).await
    }

    async fn attempts_by_sid(&self, sids: &[String]) -> Result<Vec<Attempt>> {
        self.inner.attempts_by_sid(sids).await
    }

    async fn attempts(&self, ids: &[AttemptId]) -> Result<Vec<Attempt>> {
        self.inner.attempts(ids).await
    }

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>> {
        self.inner.messages(ids).await
    }

    async fn message_by_sid(&self, sid: &str) -> Result<Option<Message>> {
        self.inner.message_by_sid(sid).await
    }

    async fn live_attempts(&self) -> Result<Vec<Attempt>> {
        self.inner.live_attempts().await
    }

    async fn unsettled_messages(&self) -> Result<Vec<Message>> {
        self.inner.unsettled_messages().await
    }

    async fn submitted_since(&self, since: Timestamp) -> Result<Vec<AccountAlias>> {
        self.inner.submitted_since(since).await
    }

    async fn pairs_with_live_inbound(&self) -> Result<Vec<Pair>> {
        self.inner.pairs_with_live_inbound().await
    }

    async fn set_aside(&self) -> Result<Vec<SetAside>> {
        self.inner.set_aside().await
    }

    async fn set_aside_by_id(&self, id: SetAsideId) -> Result<Option<SetAside>> {
        self.inner.set_aside_by_id(id).await
    }

    async fn record(&self, batch: Batch) -> Result<()> {
        self.inner.record(batch).await
    }

    async fn claim_deliveries(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: usize,
    ) -> Result<Vec<Delivery>> {
        self.inner.claim_deliveries(now, until, limit).await
    }

    async fn void_claims(&self) -> Result<()> {
        self.inner.void_claims().await
    }

    async fn next_delivery(&self, after: Timestamp) -> Result<Option<Timestamp>> {
        self.inner.next_delivery(after).await
    }

    async fn settle_delivery(&self, id: DeliveryId, tried_at: Timestamp, settled: Settled) -> Result<()> {
        self.inner.settle_delivery(id, tried_at, settled).await
    }

    async fn replay_deliveries(&self, callback: CallbackId, now: Timestamp) -> Result<u64> {
        self.inner.replay_deliveries(callback, now).await
    }

    async fn backlog(&self) -> Result<Backlog> {
        self.inner.backlog().await
    }

    async fn create_token(&self, token: Token) -> Result<()> {
        self.inner.create_token(token).await
    }

    async fn tokens(&self) -> Result<Vec<Token>> {
        self.inner.tokens().await
    }

    async fn revoke_token(&self, hash: [u8; 32]) -> Result<bool> {
        self.inner.revoke_token(hash).await
    }

    async fn token_used(&self, hash: [u8; 32], at: Timestamp) -> Result<()> {
        self.inner.token_used(hash, at).await
    }

    async fn token_by_hash(&self, hash: [u8; 32]) -> Result<Option<Token>> {
        self.inner.token_by_hash(hash).await
    }

    async fn address_key(&self, fresh: [u8; 32]) -> Result<[u8; 32]> {
        self.inner.address_key(fresh).await
    }

    async fn census(&self) -> Result<Census> {
        assert!(!self.broken.load(Ordering::Relaxed), "the store lost count");
        self.inner.census().await
    }
}
