//! Entries of suppression lists: found by every spelling, checked where orders are stored, and ended by a batch.

use ringmaster::domain::event::SuppressionAdded;
use ringmaster::domain::{
    CallbackId, Event, ListName, Name, Person, PersonId, Phone, Purpose, Suppression, SuppressionScope,
    Tenant,
};
use ringmaster::store::{
    Batch, Enqueued, EntryName, Error, Hashing, ListChange, NewCommand, NewList, NewSuppressions, Report,
    Store, Suppressed, SuppressionList,
};
use ringmaster::suppression::NameHasher;
use sha2::{Digest as _, Sha256};

use super::samples::*;

fn hashing(key: &[u8]) -> Hashing {
    let accounts = [(sender(0), "main".into())];
    Hashing { hasher: NameHasher::new(key), accounts: accounts.into() }
}

fn number(text: &str) -> Phone {
    Phone::from_stored(text[1..].parse().unwrap())
}

fn named(number: Phone) -> EntryName {
    EntryName::Name(Name::Number(number))
}

fn new(n: u8, list: &str, names: Vec<EntryName>) -> NewSuppressions {
    let list: ListName = list.parse().unwrap();
    let event = Event::Suppressed(SuppressionAdded {
        list: list.clone(),
        list_id: 0,
        entries: 0,
        consumers: Vec::new(),
        waiting: Vec::new(),
        is_cut: false,
        by: "ops".into(),
    });
    let report = Report { key: [n; 16], received_at: at(n.into()), event };
    NewSuppressions {
        list,
        version: String::new(),
        scope: SuppressionScope::All,
        expires_at: None,
        why: Some("asked".into()),
        names,
        command: NewCommand { report, tenant: Tenant::default(), callback: None, content: [n; 32] },
    }
}

async fn add(store: &dyn Store, entries: NewSuppressions) -> (u32, Vec<u32>) {
    match store.suppress(entries).await.unwrap() {
        Suppressed::Filed { is_new: true, event } if !event.is_cut => {
            let number = |id: &CallbackId| (1..9).find(|n| callback_id(*n) == *id).unwrap();
            (event.entries, event.waiting.iter().map(number).collect())
        }
        other => panic!("{other:?}"),
    }
}

/// The lists on which the person of this number is.
async fn lists_of(store: &dyn Store, number: Phone) -> Vec<String> {
    let people = store.people(&[Name::Number(number)]).await.unwrap();
    let all = people.into_iter().flat_map(|(person, _)| person.suppressions);
    all.map(|entry| entry.list.to_string()).collect()
}

pub async fn an_entry_is_found_by_every_spelling_and_for_somebody_without_a_record(store: &dyn Store) {
    store.hash_with(hashing(b"key")).await.unwrap();
    let (old, today) = (number("+5215555500142"), number("+525555500142"));
    assert_eq!(add(store, new(1, "house", vec![named(old)])).await, (1, vec![]));
    for spelled in [old, today] {
        let people = store.people(&[Name::Number(spelled)]).await.unwrap();
        let [(person, pairs)] = &people[..] else { panic!("{people:?}") };
        let entry = Suppression {
            list: ListName::House,
            scope: SuppressionScope::All,
            purposes: Vec::new(),
            countries: Vec::new(),
            added_at: at(1),
            expires_at: None,
            why: Some("asked".into()),
        };
        assert_eq!((person.id, person.version), (PersonId::of(today), 0));
        assert_eq!((&person.suppressions[..], pairs.len()), (&[entry][..], 0));
    }
    assert!(store.people(&[Name::Number(number("+525555500143"))]).await.unwrap().is_empty());
}

pub async fn an_entry_by_any_name_holds_for_the_person(store: &dyn Store) {
    store.hash_with(hashing(b"key")).await.unwrap();
    let user = Name::User { portfolio: "default".into(), id: "GB.1".parse().unwrap() };
    let mut person = Person { version: 1, ..Person::unknown(PersonId::of(consumer(1))) };
    person.names.extend([user.clone(), Name::Number(consumer(2))]);
    record(store, Batch { persons: vec![person], ..Batch::default() }).await;
    add(store, new(1, "house", vec![EntryName::Name(user)])).await;
    let bare: [u8; 32] = Sha256::digest(consumer(2).digits().to_string()).into();
    add(store, new(2, "account:main", vec![EntryName::Digest(bare)])).await;
    let with_plus: [u8; 32] = Sha256::digest(consumer(1).e164()).into();
    add(store, new(3, "campaign:spring", vec![EntryName::Digest(with_plus)])).await;
    for known in [consumer(1), consumer(2)] {
        let mut lists = lists_of(store, known).await;
        lists.sort();
        assert_eq!(lists, ["account:main", "campaign:spring", "house"]);
    }
}

pub async fn entries_and_their_command_are_stored_together_and_once(store: &dyn Store) {
    store.hash_with(hashing(b"key")).await.unwrap();
    keep(store, [callback(1), callback(2)]).await;
    let both = || new(1, "house", vec![named(consumer(1)), named(consumer(1)), named(consumer(9))]);
    assert_eq!(add(store, both()).await, (2, vec![1]));
    let [filed] = &store.unfolded_reports(9).await.unwrap()[..] else { panic!("one command") };
    let expected = SuppressionAdded {
        list: ListName::House,
        list_id: 1,
        entries: 2,
        consumers: vec![consumer(1)],
        waiting: vec![callback_id(1)],
        is_cut: false,
        by: "ops".into(),
    };
    assert_eq!((&filed.event, filed.is_command), (&Event::Suppressed(expected.clone()), true));
    let again = Suppressed::Filed { is_new: false, event: expected };
    assert_eq!(store.suppress(both()).await.unwrap(), again);
    assert_eq!(add(store, new(2, "house", vec![named(consumer(1))])).await, (0, vec![1]), "it is there");
    let ends = NewSuppressions { expires_at: Some(at(9)), ..new(3, "house", vec![named(consumer(1))]) };
    assert_eq!(add(store, ends).await.0, 1, "an entry that ends earlier does not replace it");
    assert_eq!(lists_of(store, consumer(1)).await, ["house", "house"]);
}

async fn ordered(store: &dyn Store, n: u32) -> Enqueued {
    store.enqueue_callbacks(vec![order(callback(n))]).await.unwrap().remove(0)
}

pub async fn an_order_for_somebody_on_a_list_is_not_stored(store: &dyn Store) {
    store.hash_with(hashing(b"key")).await.unwrap();
    keep(store, [callback(1)]).await;
    let calls =
        NewSuppressions { scope: SuppressionScope::Calls, ..new(1, "house", vec![named(consumer(2))]) };
    add(store, calls).await;
    let refused = Enqueued::Suppressed { list: ListName::House, scope: SuppressionScope::Calls };
    assert_eq!(ordered(store, 2).await, refused);
    assert_eq!(store.callback(callback_id(2)).await.unwrap(), None);
    assert_eq!(ordered(store, 3).await, Enqueued::New(callback_id(3)));
    let together = vec![order(callback(2)), order(callback(4))];
    let answers = store.enqueue_callbacks(together).await.unwrap();
    assert_eq!(answers, [refused, Enqueued::New(callback_id(4))], "the others of a group are stored");
}

pub async fn an_entry_ends_by_a_batch_and_is_counted(store: &dyn Store) {
    store.hash_with(hashing(b"key")).await.unwrap();
    add(store, new(1, "house", vec![named(consumer(1)), named(consumer(2))])).await;
    let counted = ListChange::Added { list: 1, entries: 2 };
    record(store, Batch { suppressions: vec![counted], ..Batch::default() }).await;
    let hashes = store.entries_of(&ListName::House, &named(consumer(1))).await.unwrap();
    assert_eq!(hashes.len(), 1);
    assert!(store.entries_of(&ListName::Erased, &named(consumer(1))).await.unwrap().is_empty());
    let removed = ListChange::Removed { list: ListName::House, hashes };
    record(store, Batch { suppressions: vec![removed], ..Batch::default() }).await;
    assert!(lists_of(store, consumer(1)).await.is_empty());
    assert_eq!(lists_of(store, consumer(2)).await, ["house"]);
    let [house] = &store.suppression_lists().await.unwrap()[..] else { panic!("one list") };
    assert_eq!((house.name.to_string(), house.entries), ("house".into(), 1));
}

async fn version(store: &dyn Store, version: &str) -> SuppressionList {
    let list = NewList {
        name: "imported:register".parse().unwrap(),
        version: version.into(),
        purposes: vec![Purpose::Marketing],
        countries: Vec::new(),
        valid_until: Some(at(900)),
        source: None,
        at: at(1),
        by: "ops".into(),
    };
    store.make_list(list).await.unwrap()
}

pub async fn a_complete_version_replaces_the_older_ones(store: &dyn Store) {
    store.hash_with(hashing(b"key")).await.unwrap();
    let into = |n, version: &str, number| NewSuppressions {
        version: version.into(),
        ..new(n, "imported:register", vec![named(number)])
    };
    assert_eq!(store.suppress(into(1, "1", consumer(1))).await.unwrap(), Suppressed::NoSuchVersion);
    let first = version(store, "1").await;
    assert_eq!(version(store, "1").await, first, "it is made once");
    add(store, into(2, "1", consumer(1))).await;
    let second = version(store, "2").await;
    add(store, into(3, "2", consumer(2))).await;
    let both = [lists_of(store, consumer(1)).await, lists_of(store, consumer(2)).await];
    assert_eq!(
        both,
        [["imported:register"], ["imported:register"]],
        "both hold until the second is complete"
    );
    let complete = ListChange::Complete { list: second.id, at: at(9) };
    record(store, Batch { suppressions: vec![complete], ..Batch::default() }).await;
    assert!(lists_of(store, consumer(1)).await.is_empty());
    assert_eq!(lists_of(store, consumer(2)).await, ["imported:register"]);
    let left = store.suppression_lists().await.unwrap();
    let left: Vec<_> = left.iter().map(|list| (list.version.as_str(), list.complete_at)).collect();
    assert_eq!(left, [("2", Some(at(9)))]);
    assert_eq!(store.suppress(into(4, "1", consumer(1))).await.unwrap(), Suppressed::NoSuchVersion);
}

pub async fn entries_need_the_key_that_they_were_hashed_with(store: &dyn Store) {
    let entries = || new(1, "house", vec![named(consumer(1))]);
    assert!(matches!(store.suppress(entries()).await, Err(Error::Unusable(_))), "no key");
    store.hash_with(hashing(b"one")).await.unwrap();
    store.hash_with(hashing(b"key")).await.unwrap();
    add(store, entries()).await;
    assert!(matches!(store.hash_with(hashing(b"one")).await, Err(Error::Unusable(_))));
    store.hash_with(hashing(b"key")).await.unwrap();
    assert_eq!(lists_of(store, consumer(1)).await, ["house"]);
}
