//! Leaders and their batches, and what a turn reads at once.

use ringmaster::domain::State;
use ringmaster::store::{Batch, Error, Keys, Related, Store};

use super::samples::*;

async fn conflicts(store: &dyn Store, batch: Batch) {
    let refused = store.record(batch).await;
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
}

pub async fn what_a_turn_refers_to_is_read_once_with_what_belongs_to_it(store: &dyn Store) {
    keep(store, (1..=4).map(callback)).await;
    let mut named = attempt(1);
    named.submission.sid = Some("CA1".into());
    let calling = next(&callback(2), State::Calling { attempt: attempt_id(2) });
    let (attempts, messages) = (vec![named.clone(), attempt(2), attempt(3)], vec![message(4)]);
    record(store, Batch { callbacks: vec![calling], attempts, messages, ..Batch::default() }).await;
    let keys = Keys {
        callbacks: [callback_id(2), callback_id(9)].into(),
        attempts: [attempt_id(1), attempt_id(9)].into(),
        messages: [message(4).id].into(),
        call_sids: ["CA1".into(), "CA9".into()].into(),
        message_sids: ["MM9".into()].into(),
    };
    let related = store.related(&keys).await.unwrap();
    assert_eq!(numbers(&related.callbacks), [2, 1, 4]);
    assert_eq!(related.attempts, [named, attempt(2)]);
    assert_eq!(related.messages, [message(4)]);
    assert_eq!(store.related(&Keys::default()).await.unwrap(), Related::default());
}

pub async fn a_batch_of_a_leader_has_the_next_number(store: &dyn Store) {
    let led = store.lead().await.unwrap();
    let batch = |lead, n| Batch { lead: Some(lead), pairs: vec![pair(n)], ..Batch::default() };
    store.record(batch(led.next(), 1)).await.unwrap();
    assert_eq!(store.last_batch().await.unwrap(), led.number + 1);
    // Again, and one too many.
    conflicts(store, batch(led.next(), 2)).await;
    conflicts(store, batch(led.next().next().next(), 2)).await;
    store.record(batch(led.next().next(), 2)).await.unwrap();
    // A batch of nobody takes no number; what is refused takes none either.
    record(store, Batch { pairs: vec![pair(3)], ..Batch::default() }).await;
    assert_eq!(store.last_batch().await.unwrap(), led.number + 2);
}

pub async fn a_leader_of_an_older_term_writes_nothing(store: &dyn Store) {
    let older = store.lead().await.unwrap();
    let newer = store.lead().await.unwrap();
    assert_eq!((newer.term, newer.number), (older.term + 1, older.number));
    let batch = |lead| Batch {
        lead: Some(lead),
        pairs: vec![pair(1)],
        outbox: vec![told(1, 1, "callback.closed")],
        ..Batch::default()
    };
    keep(store, [callback(1)]).await;
    let refused = store.record(batch(older.next())).await;
    assert!(matches!(refused, Err(Error::Deposed)), "{refused:?}");
    assert_eq!(store.pairs(&[pair(1).key]).await.unwrap()[0].version, 0);
    assert_eq!(store.backlog().await.unwrap().waiting, 0);
    store.record(batch(newer.next())).await.unwrap();
    assert_eq!(store.backlog().await.unwrap().waiting, 1);
}
