//! Erasures: rows stay and lose the person, the inbox is searched, and a name is known by its hash afterwards.

use ringmaster::domain::{
    Erasure, ErasureId, ErasureState, Event, HeldKind, Name, Person, PersonId, Phone, Tenant, is_pseudonym,
};
use ringmaster::store::{
    Batch, Enqueue, ErasureStep, ErasureTraces, Hashing, IdempotencyKey, KeyPlace, NewCommand, NewErasure,
    Report, Store,
};
use ringmaster::suppression::NameHasher;
use uuid::Uuid;

use super::samples::*;

const MANY: usize = 100;

fn erasure_id(n: u128) -> ErasureId {
    ErasureId::new(Uuid::from_u128(n))
}

async fn begin(store: &dyn Store, n: u8, name: Name) -> Option<Erasure> {
    let id = erasure_id(n.into());
    let event = Event::Erasure { erasure: id, list_id: 0, entries: 0, by: "dpo".into() };
    let report = Report { key: [200_u8.wrapping_add(n); 16], received_at: at(n.into()), event };
    let command = NewCommand { report, tenant: Tenant::default(), callback: None, content: [n; 32] };
    store.erase(NewErasure { id, name, why: "asked".into(), command }).await.unwrap()
}

async fn hashed(store: &dyn Store) {
    let hashing = Hashing { hasher: NameHasher::new(b"key"), accounts: [(sender(0), "main".into())].into() };
    store.hash_with(hashing).await.unwrap();
}

fn number(n: u32) -> Name {
    Name::Number(consumer(n))
}

async fn step(store: &dyn Store, step: ErasureStep) -> Erasure {
    let id = match &step {
        ErasureStep::Rows { erasure, .. } => erasure.id,
        ErasureStep::Traces { id, .. } | ErasureStep::Clean { id, .. } | ErasureStep::Held { id, .. } => *id,
    };
    record(store, Batch { erasures: vec![step], ..Batch::default() }).await;
    store.erasure(id, 9).await.unwrap().unwrap().erasure
}

pub async fn rows_lose_the_person_in_steps_and_stay(store: &dyn Store) {
    hashed(store).await;
    let mut theirs = [callback(1), callback(2), callback(3)];
    for callback in &mut theirs {
        callback.order.consumer = consumer(1);
        callback.order.reference = Some("ref".into());
    }
    keep(store, theirs.clone()).await;
    keep(store, [callback(4)]).await;
    let mut call = attempt(1);
    call.consumer = consumer(1);
    call.submission.sid = Some("CA0123456789abcdef0123456789abcdef".into());
    let mut sent = message(1);
    sent.consumer = consumer(1);
    sent.submission.sid = Some("wamid.HBgNNTUxMTk4NzY1NDMyMRUC".into());
    let mut alone = message(2);
    (alone.callback, alone.consumer) = (None, consumer(1));
    alone.submission.sid = Some("SM0123456789abcdef0123456789abcdef".into());
    let person = Person { version: 1, ..Person::unknown(PersonId::of(consumer(1))) };
    record(
        store,
        Batch {
            attempts: vec![call],
            messages: vec![sent, alone],
            persons: vec![person],
            ..Batch::default()
        },
    )
    .await;
    let erasure = begin(store, 1, number(1)).await.unwrap();
    assert!(is_pseudonym(erasure.pseudonym));
    assert_eq!(erasure.state, ErasureState::Closing);
    let work = store.erasure_work(&erasure, MANY).await.unwrap();
    assert_eq!(work.open.len(), 3, "{work:?}");
    let after = step(store, ErasureStep::Rows { erasure: erasure.clone(), most: 2 }).await;
    assert_eq!((after.state, after.counts.orders), (ErasureState::Closing, 2));
    let left = store.erasure_work(&erasure, MANY).await.unwrap();
    assert_eq!(left.open.len(), 1, "the others are to the pseudonym");
    assert_eq!(store.people(&[number(1)]).await.unwrap().len(), 1);
    let after = step(store, ErasureStep::Rows { erasure: erasure.clone(), most: 2 }).await;
    assert_eq!((after.state, after.counts.orders), (ErasureState::Searching, 3));
    assert_eq!((after.counts.attempts, after.counts.messages, after.counts.unnamed), (1, 2, 1));
    for n in 1..=3 {
        let found = stored(store, n).await;
        assert_eq!(found.order.consumer, erasure.pseudonym);
        assert_eq!((&found.order.reference, found.version), (&None, callback(n).version + 1));
    }
    assert_eq!(stored(store, 4).await, callback(4));
    let record = store.callback(callback_id(1)).await.unwrap().unwrap();
    let call = &record.attempts[0];
    assert_eq!((call.consumer, call.submission.sid.is_some()), (erasure.pseudonym, true));
    let sent = &record.messages[0];
    assert_eq!((sent.consumer, &sent.submission.sid), (erasure.pseudonym, &None));
    let (person, _) = &store.people(&[number(1)]).await.unwrap()[0];
    assert_eq!(person.version, 0, "only the entry of the list is left");
    let held = store.erasure(erasure.id, 9).await.unwrap().unwrap();
    let kinds: Vec<HeldKind> = held.held.iter().map(|item| item.kind).collect();
    assert_eq!((held.held_total, &kinds[..]), (2, &[HeldKind::Call, HeldKind::Message][..]));
    let alone = store.messages(&[message_id(2)]).await.unwrap().remove(0);
    assert_eq!(alone.consumer, erasure.pseudonym);
    assert_eq!(store.wrong_counts().await.unwrap(), Vec::<String>::new());
}

pub async fn a_search_finds_reports_commands_and_keys_in_parts(store: &dyn Store) {
    hashed(store).await;
    for n in [1, 2] {
        let idempotency =
            Some(IdempotencyKey { token: "crm".into(), key: format!("key-{n}"), body: [n; 32] });
        let order = Enqueue { idempotency, ..order(callback(n.into())) };
        store.enqueue_callbacks(vec![order]).await.unwrap();
    }
    let reports = [1, 2, 1].into_iter().zip(1..).map(|(person, n)| Report {
        key: [n; 16],
        received_at: at(n.into()),
        event: wrote(person),
    });
    store.append_reports(reports.collect()).await.unwrap();
    let seqs: Vec<i64> =
        store.unfolded_reports(9).await.unwrap().into_iter().map(|report| report.seq).collect();
    record(store, Batch { folded: seqs[..2].to_vec(), ..Batch::default() }).await;
    let erasure = begin(store, 1, number(1)).await.unwrap();
    let erasure = step(store, ErasureStep::Rows { erasure, most: MANY }).await;
    let first = store.erasure_traces(&erasure, &KeyPlace::default(), 1).await.unwrap();
    assert_eq!((&first.reports[..], first.searched, first.is_end), (&seqs[..1], seqs[0], false));
    assert_eq!(first.keys, [("crm".to_owned(), "key-1".to_owned())]);
    assert_eq!(first.keys_after, Some(("crm".into(), "key-1".into())));
    let whole = store.erasure_traces(&erasure, &KeyPlace::default(), MANY).await.unwrap();
    assert_eq!((&whole.reports[..], whole.is_end), (&[seqs[0], seqs[2]][..], true));
    assert_eq!(whole.keys, first.keys);
    let id = erasure.id;
    let after = step(store, ErasureStep::Traces { id, found: whole }).await;
    assert_eq!((after.state, after.names.len(), after.counts.reports), (ErasureState::Cleaning, 0, 1));
    let unfolded = store.unfolded_reports(9).await.unwrap();
    let waiting = unfolded.iter().find(|report| report.seq == seqs[2]).unwrap();
    assert_eq!(waiting.event, wrote(1), "what is not folded stays until it is");
    let done = step(store, ErasureStep::Clean { id, at: at(99) }).await;
    assert_eq!((done.state, done.done_at), (ErasureState::Done, Some(at(99))));
    assert_eq!(store.open_erasures().await.unwrap(), []);
    record(store, Batch { folded: vec![seqs[2]], dropped: vec![seqs[2]], ..Batch::default() }).await;
    let found: ErasureTraces =
        store.erasure_traces(&Erasure { searched: 0, ..erasure }, &KeyPlace::default(), MANY).await.unwrap();
    assert_eq!((found.reports, found.keys), (vec![], vec![]));
}

pub async fn an_erased_name_is_known_by_its_hash_only(store: &dyn Store) {
    hashed(store).await;
    let user = Name::User { portfolio: "default".into(), id: "BR.1".parse().unwrap() };
    let (old, today) = (Phone::from_stored(553_187_650_144), Phone::from_stored(5_531_987_650_144));
    let mut person = Person { version: 1, ..Person::unknown(PersonId::of(old)) };
    person.names.extend([user.clone(), Name::Number(old)]);
    record(store, Batch { persons: vec![person], ..Batch::default() }).await;
    assert!(!store.has_erased().await.unwrap());
    let erasure = begin(store, 1, Name::Number(today)).await.unwrap();
    for name in [user.clone(), Name::Number(old), Name::Number(today)] {
        assert!(erasure.names.contains(&name));
    }
    let stranger = Name::User { portfolio: "default".into(), id: "BR.2".parse().unwrap() };
    let names = [user, Name::Number(old), Name::Number(today), stranger, number(3)];
    for _ in 0..2 {
        assert!(store.has_erased().await.unwrap());
        assert_eq!(store.erased_names(&names).await.unwrap(), names[..3]);
        let erasure = store.erasure(erasure.id, 0).await.unwrap().unwrap().erasure;
        step(store, ErasureStep::Rows { erasure, most: MANY }).await;
    }
}

pub async fn so_many_erasures_are_open_and_no_more(store: &dyn Store) {
    hashed(store).await;
    let max = u8::try_from(Erasure::OPEN_MAX).unwrap();
    for n in 1..=max {
        assert!(begin(store, n, number(n.into())).await.is_some());
    }
    assert_eq!(begin(store, max + 1, number(1)).await, None);
    assert_eq!(store.open_erasures().await.unwrap().len(), Erasure::OPEN_MAX);
    step(store, ErasureStep::Clean { id: erasure_id(5), at: at(9) }).await;
    assert!(begin(store, max + 1, number(1)).await.is_some());
}
