//! The store for people: lookup by each name, complete writes, merged records, and reports of unknown people.

use std::collections::BTreeSet;

use ringmaster::domain::{
    Event, Name, Named, Pair, PairKey, Person, PersonId, Phone, Refusal, RefusalKind, UserId,
};
use ringmaster::store::{Batch, Error, Report, Store, Unmatched};

use super::samples::*;

fn number(text: &str) -> Phone {
    Phone::told(text).unwrap()
}

fn user(portfolio: &str, id: &str) -> Name {
    Name::User { portfolio: portfolio.into(), id: id.parse().unwrap() }
}

/// A person as first written.
fn person(text: &str) -> Person {
    Person { version: 1, ..Person::unknown(PersonId::of(number(text))) }
}

fn persons(persons: impl Into<Vec<Person>>) -> Batch {
    Batch { persons: persons.into(), ..Batch::default() }
}

async fn ids(store: &dyn Store, name: Name) -> Vec<PersonId> {
    store.people(&[name]).await.unwrap().into_iter().map(|(person, _)| person.id).collect()
}

pub async fn a_person_reads_as_it_was_written_with_all_pairs(store: &dyn Store) {
    let refusal = |kind, n, second| Refusal { kind, sender: sender(n), at: at(second) };
    let whole = Person {
        names: BTreeSet::from([Name::Number(number("+447700900142")), user("default", "MX.142")]),
        live: BTreeSet::from([attempt_id(1), attempt_id(2)]),
        refusals: vec![refusal(RefusalKind::Stop, 0, 5), refusal(RefusalKind::Decline, 1, 6)],
        talked_until: Some(at(7)),
        invites: vec![at(-9), at(8)],
        calls: vec![at(-8), at(7)],
        ..person("+525555500142")
    };
    let key = |n| PairKey { sender: sender(n), person: whole.id };
    let pairs: Vec<_> = [0, 1].map(|n| Pair { version: 1, misses: n, ..Pair::unknown(key(n)) }).into();
    record(store, Batch { pairs: pairs.clone(), ..persons([whole.clone()]) }).await;
    let found = store.people(&[Name::Number(number("+525555500142"))]).await.unwrap();
    assert_eq!(found, [(whole.clone(), pairs)]);
    let bare = Person { version: 2, ..Person::unknown(whole.id) };
    record(store, persons([bare.clone()])).await;
    let found = store.people(&[Name::Number(number("+525555500142"))]).await.unwrap();
    assert_eq!(found[0].0, bare, "values are replaced whole");
    assert_eq!(ids(store, user("default", "MX.142")).await, [], "a removed name belongs to nobody");
}

pub async fn a_person_is_found_by_every_name_once(store: &dyn Store) {
    let names = [Name::Number(number("+5531987650144")), user("default", "MX.142")];
    let one = Person { names: names.clone().into(), ..person("+525555500142") };
    record(store, persons([one.clone(), person("+525555500143")])).await;
    for name in [
        Name::Number(number("+525555500142")),
        Name::Number(number("+5215555500142")),
        Name::Number(number("+5531987650144")),
        Name::Number(number("+553187650144")),
        user("default", "MX.142"),
    ] {
        assert_eq!(ids(store, name.clone()).await, [one.id], "{name:?}");
    }
    for name in [Name::Number(number("+525555500144")), user("other", "MX.142"), user("default", "MX.14")] {
        assert_eq!(ids(store, name.clone()).await, [], "{name:?}");
    }
    assert_eq!(store.people(&names).await.unwrap().len(), 1, "two names of one person");
    assert_eq!(store.people(&[]).await.unwrap(), []);
}

pub async fn people_who_may_be_the_same_are_found_too(store: &dyn Store) {
    let (short, long, land) = (person("+553177650144"), person("+5531977650144"), person("+553133330144"));
    record(store, persons([short.clone(), long.clone(), land.clone()])).await;
    let both = BTreeSet::from([short.id, long.id]);
    for told in ["+553177650144", "+5531977650144"] {
        let found = ids(store, Name::Number(number(told))).await;
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), both, "{told}");
    }
    assert_eq!(ids(store, Name::Number(number("+553133330144"))).await, [land.id]);
}

pub async fn a_name_belongs_to_the_person_who_got_it_last(store: &dyn Store) {
    let name = user("default", "MX.142");
    let with = |text: &str| Person { names: BTreeSet::from([name.clone()]), ..person(text) };
    record(store, persons([with("+525555500142")])).await;
    record(store, persons([with("+525555500143")])).await;
    assert_eq!(ids(store, name).await, [PersonId::of(number("+525555500143"))]);
}

pub async fn a_stale_person_makes_its_batch_a_conflict(store: &dyn Store) {
    let one = person("+525555500142");
    record(store, persons([one.clone()])).await;
    for version in [1, 3] {
        let stale = Person { version, talked_until: Some(at(1)), ..one.clone() };
        let batch = Batch { persons: vec![person("+525555500143"), stale], ..Batch::default() };
        assert!(matches!(store.record(batch).await, Err(Error::Conflict)), "{version}");
    }
    let found = store.people(&[Name::Number(number("+525555500142"))]).await.unwrap();
    assert_eq!(found[0].0, one);
    assert_eq!(ids(store, Name::Number(number("+525555500143"))).await, []);
}

pub async fn a_merged_record_is_gone_with_its_pairs(store: &dyn Store) {
    let name = user("default", "GB.142");
    let gone = Person { names: BTreeSet::from([name.clone()]), ..person("+447700900142") };
    let kept = person("+525555500142");
    let pair =
        |id, misses| Pair { version: 1, misses, ..Pair::unknown(PairKey { sender: sender(0), person: id }) };
    let before =
        Batch { pairs: vec![pair(gone.id, 2), pair(kept.id, 1)], ..persons([gone.clone(), kept.clone()]) };
    record(store, before).await;

    let mut one = Person { version: 2, ..kept.clone() };
    one.absorb(&gone);
    let united = |version| Batch {
        united: vec![(gone.id, version)],
        pairs: vec![Pair { version: 2, ..pair(kept.id, 3) }],
        ..persons([one.clone()])
    };
    assert!(
        matches!(store.record(united(2)).await, Err(Error::Conflict)),
        "the record has changed in between"
    );
    assert_eq!(ids(store, name.clone()).await, [gone.id]);
    record(store, united(1)).await;
    for name in [name, Name::Number(number("+447700900142")), Name::Number(number("+525555500142"))] {
        let found = store.people(std::slice::from_ref(&name)).await.unwrap();
        let [(person, pairs)] = &found[..] else { panic!("{name:?}: {found:?}") };
        assert_eq!((person, pairs.len(), pairs[0].misses), (&one, 1, 3), "{name:?}");
    }
    assert!(matches!(store.record(united(1)).await, Err(Error::Conflict)), "the record is gone");
}

fn of_id(n: u8, second: i64, id: Option<&str>, replied_to: Option<&str>) -> (Report, Unmatched) {
    let user_id: Option<UserId> = id.map(|id| id.parse().unwrap());
    let who = Named { number: None, user_id: user_id.clone() };
    let event = Event::InboundMessage { sender: sender(0), who, word: None, wrote_at: None };
    let report = Report { key: [n; 16], received_at: at(second), event };
    let unmatched =
        Unmatched { seq: 0, received_at: at(second), user_id, replied_to: replied_to.map(str::to_owned) };
    (report, unmatched)
}

/// Stores reports and folds them as unmatched. Returns their `seq`.
async fn keep_unmatched(store: &dyn Store, reports: Vec<(Report, Unmatched)>) -> Vec<i64> {
    let (reports, unmatched): (Vec<_>, Vec<_>) = reports.into_iter().unzip();
    store.append_reports(reports).await.unwrap();
    let seqs: Vec<i64> = store.unfolded_reports(10).await.unwrap().iter().map(|filed| filed.seq).collect();
    let unmatched =
        unmatched.into_iter().zip(&seqs).map(|(one, seq)| Unmatched { seq: *seq, ..one }).collect();
    record(store, Batch { folded: seqs.clone(), unmatched, ..Batch::default() }).await;
    seqs
}

pub async fn an_unmatched_report_is_kept_until_it_is_matched(store: &dyn Store) {
    let seqs = keep_unmatched(
        store,
        vec![
            of_id(1, 1, Some("GB.1"), None),
            of_id(2, 2, Some("GB.2"), Some("SM2")),
            of_id(3, 3, None, Some("SM2")),
            of_id(4, 4, None, None),
        ],
    )
    .await;
    assert_eq!(store.unfolded_reports(10).await.unwrap(), [], "they are folded");
    let found = async |ids: &[&str], sids: &[&str]| -> Vec<i64> {
        let ids: Vec<UserId> = ids.iter().map(|id| id.parse().unwrap()).collect();
        let sids: Vec<String> = sids.iter().map(|sid| (*sid).to_owned()).collect();
        store.unmatched_of(&ids, &sids).await.unwrap().iter().map(|filed| filed.seq).collect()
    };
    assert_eq!(found(&["GB.1"], &[]).await, seqs[..1]);
    assert_eq!(found(&["GB.2"], &["SM2"]).await, seqs[1..3], "each once, in the order of arrival");
    assert_eq!(found(&["GB.3"], &["SM3"]).await, [0; 0]);
    assert_eq!(found(&[], &[]).await, [0; 0]);
    let newest = async |limit| -> Vec<i64> {
        store.unmatched_reports(limit).await.unwrap().iter().map(|filed| filed.seq).collect()
    };
    assert_eq!(newest(2).await, [seqs[3], seqs[2]], "newest first");
    assert_eq!(store.census().await.unwrap().unmatched_reports, 4);

    let matched = || Batch { matched: vec![seqs[1]], ..Batch::default() };
    record(store, matched()).await;
    assert!(matches!(store.record(matched()).await, Err(Error::Conflict)), "it is folded once");
    assert_eq!(newest(10).await, [seqs[3], seqs[2], seqs[0]]);
    assert_eq!(store.census().await.unwrap().unmatched_reports, 3);
}

pub async fn an_unmatched_report_is_kept_for_thirty_days(store: &dyn Store) {
    const DAYS: i64 = 30 * 24 * 3600;
    let first = keep_unmatched(store, vec![of_id(1, 0, Some("GB.1"), None)]).await;
    keep_unmatched(store, vec![of_id(2, DAYS, Some("GB.2"), None)]).await;
    let count = async || store.unmatched_reports(10).await.unwrap().len();
    assert_eq!(count().await, 2, "30 days to the second");
    keep_unmatched(store, vec![of_id(3, DAYS + 1, Some("GB.3"), None)]).await;
    assert_eq!(count().await, 2);
    assert_eq!(store.unmatched_of(&["GB.1".parse().unwrap()], &[]).await.unwrap(), []);
    let matched = Batch { matched: first, ..Batch::default() };
    assert!(matches!(store.record(matched).await, Err(Error::Conflict)));
}
