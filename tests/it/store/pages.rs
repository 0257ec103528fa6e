//! Whom pages of Messenger know, and what platforms restrict.

use ringmaster::domain::{Contact, ContactKey, Numbers, Restricted, Restriction};
use ringmaster::store::{Batch, DecideKeys, Error, Keys, Store};

use super::samples::*;

fn key_of(account: &str, psid: &str) -> ContactKey {
    (account.into(), psid.parse().unwrap())
}

fn contact(account: &str, psid: &str) -> Contact {
    Contact { version: 1, wrote_at: Some(at(5)), ..Contact::unknown(key_of(account, psid)) }
}

fn contacts(contacts: impl Into<Vec<Contact>>) -> Batch {
    Batch { contacts: contacts.into(), ..Batch::default() }
}

pub async fn a_contact_is_found_by_its_page_and_id(store: &dyn Store) {
    let numbers = vec![
        Numbers { sender: sender(1), consumer: consumer(2) },
        Numbers { sender: sender(2), consumer: consumer(3) },
    ];
    let whole = Contact { numbers, stopped_at: Some(at(6)), ..contact("page", "1234567890") };
    let other = contact("other", "1234567890");
    record(store, contacts([whole.clone(), other.clone()])).await;
    let keys = [key_of("page", "1234567890"), key_of("other", "1234567890"), key_of("page", "1")];
    assert_eq!(store.contacts(&keys).await.unwrap(), [whole.clone(), other]);
    assert_eq!(store.contacts(&[]).await.unwrap(), []);
    let changed =
        Contact { version: 2, wrote_at: None, stopped_at: None, numbers: Vec::new(), ..whole.clone() };
    record(store, contacts([changed.clone()])).await;
    assert_eq!(store.contacts(&[whole.key()]).await.unwrap(), std::slice::from_ref(&changed));
    let again = Contact { version: 3, numbers: whole.numbers.clone(), ..changed };
    record(store, contacts([again.clone()])).await;
    assert_eq!(store.contacts(&[whole.key()]).await.unwrap(), [again]);
}

pub async fn a_stale_contact_makes_its_batch_a_conflict(store: &dyn Store) {
    let first = contact("page", "1");
    record(store, contacts([first.clone()])).await;
    for stale in [first.clone(), Contact { version: 3, ..first.clone() }] {
        assert!(matches!(store.record(contacts([stale])).await, Err(Error::Conflict)));
    }
    record(store, contacts([Contact { version: 2, ..first }])).await;
}

pub async fn contacts_are_read_with_the_callbacks_that_name_them(store: &dyn Store) {
    let mut named = callback(1);
    named.order.psids = [("page".into(), "77".parse().unwrap())].into();
    keep(store, [named.clone()]).await;
    let numbers = vec![Numbers { sender: sender(1), consumer: consumer(9) }];
    let (theirs, asked) = (contact("page", "77"), Contact { numbers, ..contact("page", "88") });
    record(store, contacts([theirs.clone(), asked.clone()])).await;
    let keys = Keys { callbacks: [named.id].into(), contacts: [asked.key()].into(), ..Keys::default() };
    let related = store.related(&keys).await.unwrap();
    assert_eq!(related.contacts, [theirs.clone(), asked.clone()]);
    let keys = DecideKeys {
        waiting_to: [named.order.consumer].into(),
        contacts: [asked.key()].into(),
        ..DecideKeys::default()
    };
    let to_decide = store.to_decide(at(0), &keys).await.unwrap();
    assert_eq!(to_decide.contacts, [theirs, asked]);
}

pub async fn a_restriction_holds_until_it_ends(store: &dyn Store) {
    let restriction = |sender, until| Restriction {
        account: "cloud".into(),
        sender,
        what: Restricted::Everything,
        why: Some("RESTRICTED".into()),
        until,
        told_at: None,
    };
    let write = |restriction: Restriction| Batch { restrictions: vec![restriction], ..Batch::default() };
    let (whole, one) = (restriction(None, None), restriction(Some(sender(1)), Some(at(50))));
    record(store, write(whole.clone())).await;
    record(store, write(restriction(Some(sender(1)), Some(at(40))))).await;
    record(store, write(one.clone())).await;
    assert_eq!(store.restrictions(at(49)).await.unwrap(), [whole.clone(), one]);
    assert_eq!(store.restrictions(at(50)).await.unwrap(), std::slice::from_ref(&whole));
    // A restriction of a part stands beside it. The end is that of all.
    let part = Restriction { what: Restricted::Placed, ..whole.clone() };
    record(store, write(part.clone())).await;
    assert_eq!(store.restrictions(at(50)).await.unwrap(), [whole.clone(), part]);
    record(store, write(Restriction { why: None, ..whole })).await;
    assert_eq!(store.restrictions(at(50)).await.unwrap(), []);
}

/// Those that were told later than the end are kept, and the end is read before them.
pub async fn the_end_of_restrictions_is_kept_with_its_time(store: &dyn Store) {
    let told = |what, why: Option<&str>, second| Restriction {
        account: "cloud".into(),
        sender: None,
        what,
        why: why.map(Into::into),
        until: None,
        told_at: Some(at(second)),
    };
    let write = |restriction: Restriction| Batch { restrictions: vec![restriction], ..Batch::default() };
    let later = told(Restricted::Buttons, Some("RESTRICTED"), 11);
    record(store, write(told(Restricted::Placed, Some("RESTRICTED"), 10))).await;
    record(store, write(later.clone())).await;
    let end = told(Restricted::Everything, None, 10);
    record(store, write(end.clone())).await;
    assert_eq!(store.restrictions(at(50)).await.unwrap(), [end.clone(), later.clone()]);
    record(store, write(told(Restricted::Everything, None, 9))).await;
    assert_eq!(store.restrictions(at(50)).await.unwrap(), [end, later]);
}
