//! A store in memory that does what the customers' doors ask of one, and fails when a test tells it to.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use jiff::Timestamp;
use ringmaster::domain::timeline::Entry;
use ringmaster::domain::{
    Attempt, AttemptId, Callback, CallbackId, Gate, Message, MessageId, Outcome, Pair, PairKey, Phone, State,
};
use ringmaster::store::{
    Batch, Census, Enqueue, Enqueued, Error, FiledReport, Filter, Page, Record, Report, Result, Status,
    Store, Token,
};

#[derive(Default)]
pub(super) struct Shelf {
    kept: Mutex<Kept>,
    /// So many writes succeed before the store becomes unavailable; 0 means that none fails.
    pub(super) fails_after: AtomicUsize,
    writes: AtomicUsize,
    /// So many changes find that somebody else was faster.
    pub(super) contended: AtomicUsize,
    pub(super) token_reads: AtomicUsize,
}

#[derive(Default)]
struct Kept {
    records: BTreeMap<CallbackId, Record>,
    keys: BTreeMap<(String, String), ([u8; 32], CallbackId)>,
    entries: Vec<Entry>,
    pairs: BTreeMap<PairKey, Pair>,
    tokens: Vec<Token>,
}

impl Shelf {
    pub(super) fn change(&self, id: CallbackId, change: impl FnOnce(&mut Record)) {
        change(self.kept.lock().unwrap().records.get_mut(&id).unwrap());
    }

    pub(super) fn put_pair(&self, pair: Pair) {
        self.kept.lock().unwrap().pairs.insert(pair.key, pair);
    }

    pub(super) fn count(&self) -> usize {
        self.kept.lock().unwrap().records.len()
    }
}

fn matches(callback: &Callback, filter: &Filter) -> bool {
    let status = match callback.state {
        State::Waiting(_) => Status::Waiting,
        State::Calling { .. } => Status::Calling,
        State::Closed(_) => Status::Closed,
    };
    filter.status.is_none_or(|wanted| wanted == status)
        && filter
            .outcome
            .is_none_or(|wanted| callback.closed().is_some_and(|closed| closed.outcome == wanted))
        && filter.sender.is_none_or(|wanted| callback.order.senders.contains(&wanted))
        && filter.consumer.is_none_or(|wanted| callback.order.consumer == wanted)
        && (filter.campaign.is_none() || filter.campaign == callback.order.campaign)
}

#[async_trait]
impl Store for Shelf {
    async fn enqueue_callbacks(&self, orders: Vec<Enqueue>) -> Result<Vec<Enqueued>> {
        let fails_after = self.fails_after.load(Ordering::Relaxed);
        if fails_after > 0 && self.writes.fetch_add(1, Ordering::Relaxed) >= fails_after {
            return Err(Error::Unavailable("the disk is full".into()));
        }
        let mut kept = self.kept.lock().unwrap();
        let mut answers = Vec::new();
        for Enqueue { callback, idempotency } in orders {
            let id = callback.id;
            if let Some(key) = idempotency {
                let name = (key.token, key.key);
                if let Some((body, first)) = kept.keys.get(&name) {
                    let same = *body == key.body;
                    answers.push(if same { Enqueued::Repeated(*first) } else { Enqueued::KeyReused });
                    continue;
                }
                kept.keys.insert(name, (key.body, id));
            }
            kept.records.insert(id, Record { callback, attempts: Vec::new(), messages: Vec::new() });
            answers.push(Enqueued::New(id));
        }
        Ok(answers)
    }

    async fn callback(&self, id: CallbackId) -> Result<Option<Record>> {
        Ok(self.kept.lock().unwrap().records.get(&id).cloned())
    }

    async fn list_callbacks(&self, filter: &Filter, page: &Page) -> Result<Vec<Callback>> {
        let kept = self.kept.lock().unwrap();
        let before = |id: &CallbackId| page.before.is_none_or(|before| *id < before);
        let rows = kept.records.iter().rev().filter(|(id, _)| before(id)).map(|(_, record)| &record.callback);
        Ok(rows.filter(|callback| matches(callback, filter)).take(page.limit).cloned().collect())
    }

    async fn timeline(&self, id: CallbackId) -> Result<Vec<Entry>> {
        let kept = self.kept.lock().unwrap();
        Ok(kept.entries.iter().filter(|entry| entry.callback == Some(id)).cloned().collect())
    }

    async fn amend_callback(&self, callback: Callback, entries: Vec<Entry>) -> Result<bool> {
        let contended =
            self.contended.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        let mut kept = self.kept.lock().unwrap();
        let record = kept.records.get_mut(&callback.id).unwrap();
        if contended.is_ok() || record.callback.version + 1 != callback.version {
            return Ok(false);
        }
        record.callback = callback;
        kept.entries.extend(entries);
        Ok(true)
    }

    async fn next_wake(&self) -> Result<Option<Timestamp>> {
        match self.fails_after.load(Ordering::Relaxed) {
            0 => Ok(None),
            _ => Err(Error::Unavailable("the disk is full".into())),
        }
    }

    async fn pairs(&self, keys: &[PairKey]) -> Result<Vec<Pair>> {
        let kept = self.kept.lock().unwrap();
        Ok(keys.iter().map(|key| kept.pairs.get(key).cloned().unwrap_or(Pair::unknown(*key))).collect())
    }

    async fn create_token(&self, token: Token) -> Result<()> {
        self.kept.lock().unwrap().tokens.push(token);
        Ok(())
    }

    async fn token_by_hash(&self, hash: [u8; 32]) -> Result<Option<Token>> {
        self.token_reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.kept.lock().unwrap().tokens.iter().find(|token| token.hash == hash).cloned())
    }

    async fn census(&self) -> Result<Census> {
        let mut census = Census::default();
        for record in self.kept.lock().unwrap().records.values() {
            match &record.callback.state {
                State::Waiting(_) => census.waiting += 1,
                State::Calling { .. } => census.calling += 1,
                State::Closed(closed) => {
                    let index = Outcome::ALL.iter().position(|&outcome| outcome == closed.outcome).unwrap();
                    census.closed[index] += 1;
                }
            }
        }
        Ok(census)
    }

    async fn pair_timeline(&self, _key: PairKey) -> Result<Vec<Entry>> {
        unreachable!("no customer's door asks for it")
    }
    async fn append_reports(&self, _reports: Vec<Report>) -> Result<Vec<bool>> {
        unreachable!("no customer's door asks for it")
    }
    async fn attempt(&self, _id: AttemptId) -> Result<Option<(Attempt, Callback)>> {
        unreachable!("no customer's door asks for it")
    }
    async fn unfolded_reports(&self, _limit: usize) -> Result<Vec<FiledReport>> {
        unreachable!("no customer's door asks for it")
    }
    async fn due_callbacks(&self, _now: Timestamp, _limit: usize) -> Result<Vec<Callback>> {
        unreachable!("no customer's door asks for it")
    }
    async fn callbacks_at_gate(&self, _gate: &Gate, _limit: usize) -> Result<Vec<Callback>> {
        unreachable!("no customer's door asks for it")
    }
    async fn gates(&self) -> Result<Vec<Gate>> {
        unreachable!("no customer's door asks for it")
    }
    async fn waiting_callbacks_to(&self, _consumers: &[Phone]) -> Result<Vec<Callback>> {
        unreachable!("no customer's door asks for it")
    }
    async fn callbacks(&self, _ids: &[CallbackId]) -> Result<Vec<Callback>> {
        unreachable!("no customer's door asks for it")
    }
    async fn attempts(&self, _ids: &[AttemptId]) -> Result<Vec<Attempt>> {
        unreachable!("no customer's door asks for it")
    }
    async fn messages(&self, _ids: &[MessageId]) -> Result<Vec<Message>> {
        unreachable!("no customer's door asks for it")
    }
    async fn message_by_sid(&self, _sid: &str) -> Result<Option<Message>> {
        unreachable!("no customer's door asks for it")
    }
    async fn live_attempts(&self) -> Result<Vec<Attempt>> {
        unreachable!("no customer's door asks for it")
    }
    async fn unsettled_messages(&self) -> Result<Vec<Message>> {
        unreachable!("no customer's door asks for it")
    }
    async fn pairs_with_live_inbound(&self) -> Result<Vec<Pair>> {
        unreachable!("no customer's door asks for it")
    }
    async fn record(&self, _batch: Batch) -> Result<()> {
        unreachable!("no customer's door asks for it")
    }
    async fn address_key(&self, _fresh: [u8; 32]) -> Result<[u8; 32]> {
        unreachable!("no customer's door asks for it")
    }
}
