//! Pauses are kept until they end or are lifted, and what they hold back is counted.

use jiff::Timestamp;
use ringmaster::domain::{
    CallPermission, CampaignState, Event, Pair, PairKey, Pause, PauseId, PauseScope, PersonId, Tenant, Terms,
};
use ringmaster::store::{
    Batch, CampaignChange, Count, Error, Ground, HeldBack, NewCommand, PauseLifted, Report, Store, Whom,
};
use uuid::Uuid;

use super::campaigns;
use super::samples::*;

fn id(n: u8) -> PauseId {
    PauseId::new(Uuid::from_u128(n.into()))
}

fn pause(n: u8, scope: PauseScope, until: Option<Timestamp>) -> Pause {
    Pause {
        id: id(n),
        scope,
        tenant: "other".parse().unwrap(),
        who: "ops".into(),
        why: "a drill".into(),
        from: at(n.into()),
        until,
    }
}

fn set(pauses: impl Into<Vec<Pause>>) -> Batch {
    Batch { pauses: pauses.into(), ..Batch::default() }
}

fn lift(n: u8) -> Batch {
    let lifted = PauseLifted { id: id(n), at: at(50), by: "ops".into() };
    Batch { pauses_lifted: vec![lifted], ..Batch::default() }
}

pub async fn a_pause_is_found_until_it_ends_or_is_lifted(store: &dyn Store) {
    let pauses = [
        pause(1, PauseScope::All, Some(at(100))),
        pause(2, PauseScope::Account("main".into()), None),
        pause(3, PauseScope::Sender(sender(1)), Some(at(90))),
        pause(4, PauseScope::Person(consumer(1)), None),
    ];
    record(store, set(pauses.clone())).await;
    assert_eq!(store.pauses(at(89)).await.unwrap(), pauses);
    let [one, two, _, four] = pauses;
    assert_eq!(store.pauses(at(90)).await.unwrap(), [one.clone(), two.clone(), four.clone()]);
    record(store, lift(2)).await;
    assert_eq!(store.pauses(at(99)).await.unwrap(), [one, four.clone()]);
    assert_eq!(store.pauses(at(100)).await.unwrap(), [four]);
}

pub async fn a_pause_is_set_and_lifted_once(store: &dyn Store) {
    record(store, set([pause(1, PauseScope::All, None)])).await;
    let conflicts = async |batch| matches!(store.record(batch).await, Err(Error::Conflict));
    assert!(conflicts(set([pause(1, PauseScope::All, None)])).await);
    assert!(conflicts(lift(2)).await, "it was never set");
    record(store, lift(1)).await;
    assert!(conflicts(lift(1)).await);
    let both = Batch { pauses_lifted: lift(3).pauses_lifted, ..set([pause(3, PauseScope::All, None)]) };
    record(store, both).await;
    assert!(store.pauses(at(0)).await.unwrap().is_empty());
}

const fn exactly(number: u64) -> Count {
    Count { number, is_at_least: false }
}

fn permitted(n: u32, by: u32, until: i64) -> Pair {
    let key = PairKey { sender: sender(by), person: PersonId::of(consumer(n)) };
    let permission = CallPermission::Temporary { expires_at: at(until) };
    Pair { version: 1, permission, ..Pair::unknown(key) }
}

pub async fn what_a_pause_holds_is_counted(store: &dyn Store) {
    let (mut one, mut two, mut three) = (callback(1), callback(2), callback(3));
    one.order.latest = at(100);
    two.order.latest = at(101);
    two.order.senders = vec![sender(0), sender(1)];
    three.order.senders = vec![sender(1)];
    for (callback, promised) in [(&mut one, 50), (&mut three, 5)] {
        callback.order.campaign = Some(campaigns::id(7).to_string());
        callback.order.terms = Some(Box::new(Terms { promised_at: Some(at(promised)), ..Terms::default() }));
    }
    let campaign = campaigns::campaign(7, CampaignState::Running);
    let campaigns = vec![CampaignChange { campaign, act: None }];
    record(store, Batch { campaigns, ..Batch::default() }).await;
    keep(store, [one, two, three]).await;
    let mut pairs =
        vec![permitted(1, 0, 100), permitted(2, 0, 101), permitted(3, 1, 100), permitted(4, 1, 10)];
    pairs.push(Pair { permission: CallPermission::Permanent, ..permitted(5, 0, 0) });
    record(store, Batch { pairs, ..Batch::default() }).await;
    let count = async |whom, until: Option<i64>| store.held_back(&whom, at(10), until.map(at)).await.unwrap();
    let held = |callbacks, deadlines, permissions| HeldBack {
        callbacks: exactly(callbacks),
        deadlines: exactly(deadlines),
        permissions: exactly(permissions),
        promises: exactly(0),
    };
    let promising = |held| HeldBack { promises: exactly(1), ..held };
    assert_eq!(count(Whom::Everybody, Some(50)).await, held(3, 0, 0), "the promise is kept after it");
    assert_eq!(count(Whom::Everybody, Some(99)).await, promising(held(3, 0, 0)), "the other one is over");
    assert_eq!(
        count(Whom::Everybody, Some(100)).await,
        promising(held(3, 1, 2)),
        "nothing is left of what ends with it"
    );
    assert_eq!(count(Whom::Everybody, Some(101)).await, promising(held(3, 2, 3)));
    assert_eq!(count(Whom::Everybody, None).await, promising(held(3, 3, 3)), "it may last for ever");
    assert_eq!(
        count(Whom::Senders(vec![sender(0)]), None).await,
        promising(held(1, 1, 2)),
        "the second has another sender"
    );
    assert_eq!(count(Whom::Senders(vec![sender(0), sender(1)]), None).await, promising(held(3, 3, 3)));
    let campaign = |n| Whom::Campaign(Tenant::default(), campaigns::id(n));
    assert_eq!(count(campaign(7), Some(99)).await, promising(held(2, 0, 0)));
    assert_eq!(count(campaign(7), Some(100)).await, promising(held(2, 1, 2)), "without those of others");
    assert_eq!(count(campaign(8), None).await, held(0, 0, 0));
    assert_eq!(count(Whom::Senders(Vec::new()), None).await, held(0, 0, 0));
    assert_eq!(count(Whom::Person(consumer(3)), None).await, held(1, 1, 1));
    assert_eq!(count(Whom::Person(consumer(9)), None).await, held(0, 0, 0));
}

pub async fn nothing_leaves_after_a_pause_was_acknowledged(store: &dyn Store) {
    let file = async |n: u8, scope| {
        let event = Event::PauseSet(pause(n, scope, None));
        let report = Report { key: [n; 16], received_at: at(3), event };
        let command = NewCommand { report, tenant: Tenant::default(), callback: None, content: [n; 32] };
        assert!(store.append_command(command).await.unwrap());
    };
    let leaves = async |n: u32| {
        let ground = Ground { people: [PersonId::of(consumer(n))].into(), ..Ground::default() };
        let batch = Batch { entries: vec![entry(n, "attempt.submitting")], ..Batch::default() };
        store.record(Batch { ground: Some(ground), ..batch }).await.is_ok()
    };
    file(1, PauseScope::Person(consumer(1))).await;
    assert_eq!((leaves(1).await, leaves(2).await), (false, true), "it is about one person");
    file(2, PauseScope::Sender(sender(5))).await;
    assert!(!leaves(2).await, "which sender is not looked at");
}
