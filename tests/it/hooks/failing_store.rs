//! A store that fails on request.

use ringmaster::domain::Tenant;

use super::*;

/// The real store, which fails on request. Only the methods that hooks use work.
pub(super) struct FailingStore {
    pub(super) inner: Sqlite,
    /// Nothing can be written.
    pub(super) full: AtomicBool,
    /// Nothing can be read.
    pub(super) away: AtomicBool,
}

fn unavailable<T>() -> store::Result<T> {
    Err(store::Error::Unavailable("away".into()))
}

#[async_trait]
impl Store for FailingStore {
    async fn append_reports(&self, reports: Vec<Report>) -> store::Result<Vec<bool>> {
        if self.full.load(SeqCst) { unavailable() } else { self.inner.append_reports(reports).await }
    }

    async fn attempt(&self, id: AttemptId) -> store::Result<Option<(Attempt, Callback)>> {
        if self.away.load(SeqCst) { unavailable() } else { self.inner.attempt(id).await }
    }

    async fn messages(&self, ids: &[MessageId]) -> store::Result<Vec<Message>> {
        if self.away.load(SeqCst) { unavailable() } else { self.inner.messages(ids).await }
    }

    async fn enqueue_callbacks(&self, _: Vec<Enqueue>) -> store::Result<Vec<Enqueued>> {
        unavailable()
    }
    async fn known_order(&self, _: IdempotencyKey) -> store::Result<Option<Enqueued>> {
        unavailable()
    }
    async fn callback(&self, _: CallbackId) -> store::Result<Option<Record>> {
        unavailable()
    }
    async fn referenced(&self, _: &Tenant, _: &str, _: usize) -> store::Result<Vec<CallbackId>> {
        unavailable()
    }
    async fn list_callbacks(&self, _: &Filter, _: &Page) -> store::Result<Vec<Callback>> {
        unavailable()
    }
    async fn timeline(&self, _: CallbackId) -> store::Result<Vec<Entry>> {
        unavailable()
    }
    async fn pair_timeline(&self, _: PairKey) -> store::Result<Vec<Entry>> {
        unavailable()
    }
    async fn append_command(&self, _: NewCommand) -> store::Result<bool> {
        unavailable()
    }
    async fn command(&self, _: [u8; 16]) -> store::Result<Option<CommandRecord>> {
        unavailable()
    }
    async fn unmatched_of(&self, ids: &[UserId], sids: &[String]) -> store::Result<Vec<FiledReport>> {
        self.inner.unmatched_of(ids, sids).await
    }

    async fn unmatched_reports(&self, limit: usize) -> store::Result<Vec<FiledReport>> {
        self.inner.unmatched_reports(limit).await
    }

    async fn people(&self, names: &[Name]) -> store::Result<Vec<(Person, Vec<Pair>)>> {
        if self.away.load(SeqCst) { unavailable() } else { self.inner.people(names).await }
    }
    async fn unfolded_reports(&self, _: usize) -> store::Result<Vec<FiledReport>> {
        unavailable()
    }
    async fn due_callbacks(&self, _: Timestamp, _: usize) -> store::Result<Vec<Callback>> {
        unavailable()
    }
    async fn next_wake(&self) -> store::Result<Option<Timestamp>> {
        unavailable()
    }
    async fn callbacks_at_gate(&self, _: &Gate, _: usize) -> store::Result<Vec<Callback>> {
        unavailable()
    }
    async fn gates(&self) -> store::Result<Vec<Gate>> {
        unavailable()
    }
    async fn waiting_callbacks_to(&self, _: &[Phone]) -> store::Result<Vec<Callback>> {
        unavailable()
    }
    async fn pairs(&self, keys: &[PairKey]) -> store::Result<Vec<Pair>> {
        if self.away.load(SeqCst) { unavailable() } else { self.inner.pairs(keys).await }
    }
    async fn callbacks(&self, _: &[CallbackId]) -> store::Result<Vec<Callback>> {
        unavailable()
    }
    async fn attempts_by_sid(&self, _: &[String]) -> store::Result<Vec<Attempt>> {
        unavailable()
    }
    async fn attempts(&self, _: &[AttemptId]) -> store::Result<Vec<Attempt>> {
        unavailable()
    }
    async fn message_by_sid(&self, _: &str) -> store::Result<Option<Message>> {
        unavailable()
    }
    async fn live_attempts(&self) -> store::Result<Vec<Attempt>> {
        unavailable()
    }
    async fn unsettled_messages(&self) -> store::Result<Vec<Message>> {
        unavailable()
    }
    async fn submitted_since(&self, _: Timestamp) -> store::Result<Vec<ringmaster::domain::AccountAlias>> {
        unavailable()
    }
    async fn pairs_with_live_inbound(&self) -> store::Result<Vec<Pair>> {
        unavailable()
    }
    async fn set_aside(&self) -> store::Result<Vec<SetAside>> {
        unavailable()
    }
    async fn set_aside_by_id(&self, _: SetAsideId) -> store::Result<Option<SetAside>> {
        unavailable()
    }
    async fn record(&self, _: Batch) -> store::Result<()> {
        unavailable()
    }
    async fn claim_deliveries(&self, _: Timestamp, _: Timestamp, _: usize) -> store::Result<Vec<Delivery>> {
        unavailable()
    }

    async fn void_claims(&self) -> store::Result<()> {
        unavailable()
    }
    async fn next_delivery(&self, _: Timestamp) -> store::Result<Option<Timestamp>> {
        unavailable()
    }
    async fn settle_delivery(&self, _: DeliveryId, _: Timestamp, _: Settled) -> store::Result<()> {
        unavailable()
    }
    async fn replay_deliveries(&self, _: CallbackId, _: Timestamp) -> store::Result<u64> {
        unavailable()
    }
    async fn backlog(&self) -> store::Result<Backlog> {
        unavailable()
    }
    async fn tokens(&self) -> store::Result<Vec<Token>> {
        unavailable()
    }
    async fn revoke_token(&self, _: [u8; 32]) -> store::Result<bool> {
        unavailable()
    }
    async fn create_token(&self, _: Token) -> store::Result<()> {
        unavailable()
    }
    async fn token_used(&self, _: [u8; 32], _: Timestamp) -> store::Result<()> {
        unavailable()
    }
    async fn token_by_hash(&self, _: [u8; 32]) -> store::Result<Option<Token>> {
        unavailable()
    }
    async fn address_key(&self, _: [u8; 32]) -> store::Result<[u8; 32]> {
        unavailable()
    }
    async fn census(&self) -> store::Result<Census> {
        unavailable()
    }
}
