//! Leaders and their batches, and what a turn reads at once.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::domain::held::Aside;
use ringmaster::domain::{AccountView, Agent, Agents, ClockDoubt, Held, Loads, PersonId, Resource, State};
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

fn loads(second: i64, live: u32) -> Loads {
    let in_use = [(Resource::Sender(sender(1)), live)].into_iter().collect();
    Loads { in_use, as_of: Some(at(second)), ..Loads::default() }
}

fn full_loads() -> Loads {
    let agents = Agents::new(["alice", "bob"].into_iter().filter_map(Agent::client)).unwrap();
    let resources = [
        Resource::Sender(sender(1)),
        Resource::Account("main".into()),
        Resource::campaign("spring: a, \"b\""),
        Resource::Agents(agents),
        Resource::Bot,
    ];
    let pause = || (at(30), "its calls per second are used up".into());
    let free = AccountView { paused: None, next_call_at: jiff::Timestamp::MIN };
    let paused = AccountView { paused: Some(pause()), next_call_at: at(31) };
    let aside = Aside {
        people: [PersonId::of(consumer(1))].into(),
        numbers: [consumer(1), consumer(2)].into(),
        callbacks: [callback_id(3)].into(),
        count: 2,
    };
    let by = SignedDuration::from_secs(-3_600);
    Loads {
        in_use: resources.into_iter().zip(1..).collect(),
        accounts: [("main".into(), paused), ("other: b".into(), free)].into(),
        paused_senders: [(sender(2), pause())].into(),
        held: Held {
            aside: Arc::new(aside),
            stopped_since: Some(at(20)),
            clock_in_doubt: Some(ClockDoubt { since: at(21), by }),
        },
        as_of: Some(at(22)),
    }
}

pub async fn what_a_leader_publishes_is_read_as_it_was_written(store: &dyn Store) {
    assert_eq!(store.loads().await.unwrap(), Loads::default());
    for loads in [full_loads(), loads(23, 2)] {
        let lead = Some(store.lead().await.unwrap().next());
        record(store, Batch { published: Some(loads.clone()), lead, ..Batch::default() }).await;
        assert_eq!(store.loads().await.unwrap(), loads);
    }
    // A batch without a load leaves what was published.
    record(store, Batch { pairs: vec![pair(1)], ..Batch::default() }).await;
    assert_eq!(store.loads().await.unwrap(), loads(23, 2));
}

pub async fn what_an_older_leader_publishes_replaces_nothing(store: &dyn Store) {
    let older = store.lead().await.unwrap();
    let newer = store.lead().await.unwrap();
    let publish = |lead, loads| Batch { published: Some(loads), lead: Some(lead), ..Batch::default() };
    store.record(publish(newer.next(), loads(1, 1))).await.unwrap();
    let refused = store.record(publish(older.next(), loads(2, 2))).await;
    assert!(matches!(refused, Err(Error::Deposed)), "{refused:?}");
    assert_eq!(store.loads().await.unwrap(), loads(1, 1));
    // What is refused for another cause publishes nothing either.
    conflicts(store, Batch { pairs: vec![next_pair()], ..publish(newer.next().next(), loads(3, 3)) }).await;
    assert_eq!(store.loads().await.unwrap(), loads(1, 1));
}

/// A pair of a version that is not the next one.
fn next_pair() -> ringmaster::domain::Pair {
    ringmaster::domain::Pair { version: 7, ..pair(1) }
}
