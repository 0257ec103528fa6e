//! Numbered sample values of the domain; a test changes the fields that it needs.

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::callback::{Closed, Waiting};
use ringmaster::domain::message::Ordered;
use ringmaster::domain::timeline::Entry;
use ringmaster::domain::{
    AgentTarget, Attempt, AttemptId, Callback, CallbackId, DeliveryId, Event, Gate, LegOrder, Message,
    MessageId, MessagePurpose, Named, Note, Numbers, Order, Outcome, Pair, PairKey, Phone, Place, Purpose,
    Reason, State,
};
use ringmaster::store::{Batch, Enqueue, Enqueued, Filter, OutboxRow, Page, Report, Store};
use uuid::Uuid;

/// Seconds after an arbitrary start.
pub fn at(second: i64) -> Timestamp {
    Timestamp::constant(1_790_000_000, 0) + SignedDuration::from_secs(second)
}

pub fn callback_id(n: u32) -> CallbackId {
    CallbackId::new(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + u128::from(n)))
}

pub fn attempt_id(n: u32) -> AttemptId {
    AttemptId::new(callback_id(n).uuid())
}

pub fn message_id(n: u32) -> MessageId {
    MessageId::new(callback_id(n).uuid())
}

pub fn consumer(n: u32) -> Phone {
    Phone::from_stored(5_511_900_000_000 + u64::from(n))
}

pub fn sender(n: u32) -> Phone {
    Phone::from_stored(551_130_000_000 + u64::from(n))
}

pub fn key(n: u32) -> PairKey {
    PairKey::of(sender(0), consumer(n))
}

pub fn note() -> Note {
    Reason::NoPermission.note()
}

/// A callback that waits until `at(n)`.
pub fn callback(n: u32) -> Callback {
    Callback::new(
        callback_id(n),
        at(i64::from(n)),
        Order::new(consumer(n), vec![sender(0)], "reminder", at(0), at(100_000)),
        waiting(i64::from(n), None),
    )
}

pub fn waiting(second: i64, gate: Option<Gate>) -> State {
    let place = gate.map(|gate| Place { gate, aged: None, expires_at: at(second) });
    State::Waiting(Waiting { wake_at: at(second), place, note: note() })
}

pub fn closed(outcome: Outcome) -> State {
    State::Closed(Closed { outcome, at: at(9), note: Reason::Answered.note() })
}

/// The same callback, one version later and in another state.
pub fn next(callback: &Callback, state: State) -> Callback {
    Callback { version: callback.version + 1, state, ..callback.clone() }
}

pub fn ends(n: u32) -> Numbers {
    Numbers::of(sender(0), consumer(n))
}

pub fn attempt(n: u32) -> Attempt {
    let agent = (n % 2 == 1).then(|| AgentTarget::Client("alice".to_owned()));
    Attempt {
        agent,
        ..Attempt::new(attempt_id(n), callback_id(n), ends(n), "main", LegOrder::ConsumerFirst, at(1))
    }
}

pub fn message(n: u32) -> Message {
    let content = "HX0".parse().unwrap();
    let asks = MessagePurpose::PermissionRequest;
    let ordered = (n % 2 == 1).then(|| Ordered {
        purpose: Purpose::Marketing,
        campaign: (n % 4 == 1).then(|| "spring".to_owned()),
    });
    let message = Message::new(message_id(n), asks, content, ends(n), "main", at(1));
    Message { ordered, ..message.for_callback(callback_id(n)) }
}

/// A pair as it is first written.
pub fn pair(n: u32) -> Pair {
    Pair { version: 1, ..Pair::unknown(key(n)) }
}

pub fn entry(n: u32, what: &'static str) -> Entry {
    Entry {
        at: at(1),
        callback: Some(callback_id(n)),
        pair: Some(ends(n)),
        attempt: None,
        message: None,
        what: what.into(),
        why: "The test needs a line.".into(),
        by: Some("crm".into()),
    }
}

/// The row `n` of the outbox, about a callback.
pub fn told(n: u32, callback: u32, what: &'static str) -> OutboxRow {
    OutboxRow {
        id: DeliveryId::new(callback_id(n).uuid()),
        subject: callback_id(callback).into(),
        what: what.into(),
        payload: format!("{{\"n\":{n}}}"),
        created_at: at(1),
    }
}

pub fn report(n: u8) -> Report {
    Report { key: [n; 16], received_at: at(i64::from(n)), event: wrote(u32::from(n)) }
}

/// The consumer wrote.
pub fn wrote(n: u32) -> Event {
    Event::InboundMessage { sender: sender(0), who: Named::number(consumer(n)), word: None, wrote_at: None }
}

pub fn order(callback: Callback) -> Enqueue {
    Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() }
}

/// Enqueues callbacks that must all be new.
pub async fn keep(store: &dyn Store, callbacks: impl IntoIterator<Item = Callback>) {
    let orders: Vec<_> = callbacks.into_iter().map(order).collect();
    let expected: Vec<_> = orders.iter().map(|order| Enqueued::New(order.callback.id)).collect();
    assert_eq!(store.enqueue_callbacks(orders).await.unwrap(), expected);
}

pub async fn stored(store: &dyn Store, n: u32) -> Callback {
    store.callback(callback_id(n)).await.unwrap().unwrap().callback
}

pub async fn record(store: &dyn Store, batch: Batch) {
    store.record(batch).await.unwrap();
}

/// The numbers of the callbacks that a filter lists on one long page.
pub async fn listed(store: &dyn Store, filter: Filter) -> Vec<u32> {
    numbers(&store.list_callbacks(&filter, &Page { before: None, limit: 1_000 }).await.unwrap().callbacks)
}

pub fn numbers(callbacks: &[Callback]) -> Vec<u32> {
    let number = |callback: &Callback| u32::try_from(callback.id.uuid().as_u128() & 0xFFFF_FFFF).unwrap();
    callbacks.iter().map(number).collect()
}

/// Writes one callback as a turn would; `false` if its version is not the next one.
pub async fn amend(
    store: &dyn Store,
    callback: Callback,
    entries: Vec<Entry>,
    outbox: Vec<OutboxRow>,
) -> ringmaster::store::Result<bool> {
    let batch = Batch { callbacks: vec![callback], entries, outbox, ..Batch::default() };
    match store.record(batch).await {
        Ok(()) => Ok(true),
        Err(ringmaster::store::Error::Conflict) => Ok(false),
        Err(error) => Err(error),
    }
}
