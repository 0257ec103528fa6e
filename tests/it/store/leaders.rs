//! Leaders and their batches, and the combined read of a turn.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::domain::held::Aside;
use ringmaster::domain::{
    AccountView, Agent, Agents, Attempt, AttemptId, Budget, Calendars, Callback, CampaignId, ClockDoubt,
    Held, Loads, Name, Outcome, Pair, Person, PersonId, PoolKey, Resource, Seat, Seats, SenderPart, State,
    Tenant, TokenLimits, TokenName,
};
use ringmaster::store::{Batch, DecideKeys, Error, Keys, Related, Store, ToDecide, Token};

use super::samples::*;

async fn conflicts(store: &dyn Store, batch: Batch) {
    let refused = store.record(batch).await;
    assert!(matches!(refused, Err(Error::Conflict)), "{refused:?}");
}

pub async fn waiting_callbacks_are_read_part_by_part(store: &dyn Store) {
    keep(store, (1..=5).map(callback)).await;
    let over = next(&callback(3), closed(Outcome::Reached));
    record(store, Batch { callbacks: vec![over], ..Batch::default() }).await;
    let (first, last) = store.waiting_after(0, 2).await.unwrap();
    assert_eq!(numbers(&first), [1, 2]);
    let (second, last) = store.waiting_after(last.unwrap(), 2).await.unwrap();
    assert_eq!(numbers(&second), [4, 5], "what is closed does not wait");
    assert_eq!(store.waiting_after(last.unwrap(), 2).await.unwrap(), (Vec::new(), None));
}

pub async fn the_digest_of_the_rules_is_kept(store: &dyn Store) {
    assert_eq!(store.rules_digest().await.unwrap(), None);
    for digest in [[1; 32], [2; 32]] {
        store.keep_rules_digest(digest).await.unwrap();
        assert_eq!(store.rules_digest().await.unwrap(), Some(digest));
    }
}

pub async fn related_values_of_a_turn_are_read_once(store: &dyn Store) {
    keep(store, (1..=4).map(callback)).await;
    let mut named = attempt(1);
    named.submission.sid = Some("CA1".into());
    let calling = next(&callback(2), State::Calling { attempt: attempt_id(2) });
    let (attempts, messages) = (vec![named.clone(), attempt(2), attempt(3)], vec![message(4)]);
    let persons = [1, 2, 4, 5, 6].map(person).into();
    record(store, Batch { callbacks: vec![calling], attempts, messages, persons, ..Batch::default() }).await;
    let keys = Keys {
        callbacks: [callback_id(2), callback_id(9)].into(),
        attempts: [attempt_id(1), attempt_id(9)].into(),
        messages: [message(4).id].into(),
        call_sids: ["CA1".into(), "CA9".into()].into(),
        message_sids: ["MM9".into()].into(),
        names: [Name::Number(consumer(5)), Name::Number(consumer(9))].into(),
        ..Keys::default()
    };
    let related = store.related(&keys).await.unwrap();
    assert_eq!(numbers(&related.callbacks), [2, 1, 4]);
    assert_eq!(related.attempts, [named, attempt(2)]);
    assert_eq!(related.messages, [message(4)]);
    assert_eq!(people(related.people), [1, 2, 4, 5]);
    assert_eq!(store.related(&Keys::default()).await.unwrap(), Related::default());
    // What is told of an earlier attempt may be about the one in progress.
    let earlier = Attempt { callback: callback_id(2), ..attempt(5) };
    record(store, Batch { attempts: vec![earlier.clone()], ..Batch::default() }).await;
    let keys = Keys { attempts: [earlier.id].into(), ..Keys::default() };
    assert_eq!(store.related(&keys).await.unwrap().attempts, [earlier, attempt(2)]);
}

/// As first written.
fn person(n: u32) -> Person {
    Person { version: 1, ..Person::unknown(PersonId::of(consumer(n))) }
}

/// The consumers that they are.
fn people(people: Vec<(Person, Vec<Pair>)>) -> Vec<u32> {
    let number = |id: PersonId| (0..10).find(|n| PersonId::of(consumer(*n)) == id).unwrap();
    people.into_iter().map(|(person, _)| number(person.id)).collect()
}

fn token(name: &str) -> TokenName {
    TokenName { tenant: Tenant::default(), name: name.into() }
}

/// A token of that name may place so many calls.
async fn limit(store: &dyn Store, name: &str, calls: u32) {
    let limits = TokenLimits { calls_per_day: Some(calls), ..TokenLimits::default() };
    let hash = [u8::try_from(calls).unwrap(); 32];
    store.create_token(Token { limits, ..Token::new(name, hash, at(1)) }).await.unwrap();
}

pub async fn a_turn_begins_with_what_was_filed_and_what_is_due(store: &dyn Store) {
    keep(store, (1..=4).map(callback)).await;
    store.append_reports((1..=3).map(report).collect()).await.unwrap();
    limit(store, "crm", 5).await;
    let input = store.input(at(3), 2, &[token("web"), token("crm")]).await.unwrap();
    assert_eq!(input.reports, store.unfolded_reports(2).await.unwrap());
    assert_eq!((input.reports.len(), numbers(&input.due)), (2, vec![1, 2]));
    let ceilings: Vec<_> = input.budgets.iter().map(|budget| budget.calls_per_day).collect();
    assert_eq!(ceilings, [None, Some(5)]);
    let nothing = store.input(at(0), 9, &[]).await.unwrap();
    assert_eq!((nothing.reports.len(), nothing.due, nothing.budgets), (3, vec![], vec![]));
}

pub async fn what_is_decided_comes_with_people_and_budgets_that_are_not_known(store: &dyn Store) {
    let of = |n, name: &str| Callback { ordered_by: Some(name.into()), ..callback(n) };
    keep(store, [of(1, "crm"), of(2, "web"), of(3, "crm"), callback(4)]).await;
    let persons = (1..=6).map(person).collect();
    record(store, Batch { persons, ..Batch::default() }).await;
    limit(store, "crm", 5).await;
    limit(store, "web", 6).await;
    limit(store, "desk", 7).await;
    let name = |n| Name::Number(consumer(n));
    let mut keys = DecideKeys {
        waiting_to: [consumer(1), consumer(2), consumer(9)].into(),
        names: [name(5)].into(),
        tokens: [token("desk")].into(),
        known_names: [name(2), name(5), name(6)].into(),
        known_tokens: [token("crm")].into(),
        ..DecideKeys::default()
    };
    let found = store.to_decide(at(1), &keys).await.unwrap();
    assert_eq!(numbers(&found.callbacks), [1, 2]);
    assert_eq!((found.names, people(found.people)), ([name(1), name(5)].into(), vec![1, 5]));
    let ceilings = |budgets: Vec<(TokenName, Budget)>| -> Vec<_> {
        budgets.into_iter().map(|(token, budget)| (token.name.to_string(), budget.calls_per_day)).collect()
    };
    assert_eq!(ceilings(found.budgets), [("desk".into(), Some(7)), ("web".into(), Some(6))]);

    // Without callbacks only what is named is read.
    keys.waiting_to.clear();
    let found = store.to_decide(at(1), &keys).await.unwrap();
    assert_eq!((found.callbacks, people(found.people)), (vec![], vec![5]));
    assert_eq!(ceilings(found.budgets), [("desk".into(), Some(7))]);
    assert_eq!(store.to_decide(at(1), &DecideKeys::default()).await.unwrap(), ToDecide::default());
}

pub async fn a_batch_of_a_leader_has_the_next_number(store: &dyn Store) {
    let led = store.lead(None).await.unwrap();
    let batch = |lead, n| Batch { lead: Some(lead), pairs: vec![pair(n)], ..Batch::default() };
    store.record(batch(led.next(), 1)).await.unwrap();
    assert_eq!(store.last_batch().await.unwrap(), led.number + 1);
    // A repeated number, and a number that is one too high.
    conflicts(store, batch(led.next(), 2)).await;
    conflicts(store, batch(led.next().next().next(), 2)).await;
    store.record(batch(led.next().next(), 2)).await.unwrap();
    // A batch without a leader uses no number, nor does a refused one.
    record(store, Batch { pairs: vec![pair(3)], ..Batch::default() }).await;
    assert_eq!(store.last_batch().await.unwrap(), led.number + 2);
}

pub async fn a_leader_of_an_older_term_writes_nothing(store: &dyn Store) {
    let older = store.lead(None).await.unwrap();
    let newer = store.lead(None).await.unwrap();
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

fn seats() -> Seats {
    let seat = |busy_since, until| Seat { taken_at: at(1), busy_since, until };
    let held = [seat(None, None), seat(Some(at(2)), None), seat(Some(at(2)), Some(at(9)))];
    let pool: PoolKey = "shop/support".parse().unwrap();
    (1..).zip(held).map(|(n, seat)| (pool.clone(), AttemptId::new(uuid::Uuid::from_u128(n)), seat)).collect()
}

fn full_loads() -> Loads {
    let agents = Agents::new(["alice", "bob"].into_iter().filter_map(Agent::client)).unwrap();
    let resources = [
        Resource::Sender(sender(1)),
        Resource::Account("main".into()),
        Resource::campaign("spring: a, \"b\""),
        Resource::Agents(agents),
        Resource::Bot,
        Resource::Pool("shop/support".parse().unwrap()),
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
        paused_parts: SenderPart::ALL.map(|part| ((sender(2), part), pause())).into(),
        pauses: Arc::default(),
        calendars: Calendars::default(),
        campaigns: Arc::default(),
        pools: Arc::default(),
        list_terms: Arc::default(),
        seats: seats(),
        offers: [(callback_id(4), Resource::Sender(sender(2)), at(23))].into_iter().collect(),
        campaign_paces: [(CampaignId::new(uuid::Uuid::from_u128(7)), at(9))].into_iter().collect(),
        held: Held {
            aside: Arc::new(aside),
            stopped_since: Some(at(20)),
            deposed_since: None,
            clock_in_doubt: Some(ClockDoubt { since: at(21), by }),
            lineage_since: Some(at(22)),
        },
        as_of: Some(at(22)),
    }
}

pub async fn what_a_leader_publishes_is_read_as_it_was_written(store: &dyn Store) {
    assert_eq!(store.loads().await.unwrap(), Loads::default());
    for loads in [full_loads(), loads(23, 2)] {
        let lead = Some(store.lead(None).await.unwrap().next());
        record(store, Batch { published: Some(loads.clone()), lead, ..Batch::default() }).await;
        assert_eq!(store.loads().await.unwrap(), loads);
    }
    // A batch without a load leaves what was published.
    record(store, Batch { pairs: vec![pair(1)], ..Batch::default() }).await;
    assert_eq!(store.loads().await.unwrap(), loads(23, 2));
}

pub async fn what_an_older_leader_publishes_replaces_nothing(store: &dyn Store) {
    let older = store.lead(None).await.unwrap();
    let newer = store.lead(None).await.unwrap();
    let publish = |lead, loads| Batch { published: Some(loads), lead: Some(lead), ..Batch::default() };
    store.record(publish(newer.next(), loads(1, 1))).await.unwrap();
    let refused = store.record(publish(older.next(), loads(2, 2))).await;
    assert!(matches!(refused, Err(Error::Deposed)), "{refused:?}");
    assert_eq!(store.loads().await.unwrap(), loads(1, 1));
    // What is refused for another cause publishes nothing either.
    let stale = Pair { version: 7, ..pair(1) };
    conflicts(store, Batch { pairs: vec![stale], ..publish(newer.next().next(), loads(3, 3)) }).await;
    assert_eq!(store.loads().await.unwrap(), loads(1, 1));
}
