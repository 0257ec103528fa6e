//! The store for the hooks: an inbox that stores each report once, and the attempt of a document.

use ringmaster::store::{Batch, Store};

use super::samples::*;

pub async fn a_report_is_stored_once_for_its_key(store: &dyn Store) {
    assert_eq!(store.append_reports(vec![report(1), report(2)]).await.unwrap(), [true, true]);
    let mut repeated = report(2);
    repeated.received_at = at(60);
    assert_eq!(store.append_reports(vec![repeated, report(3)]).await.unwrap(), [false, true]);
    let filed = store.unfolded_reports(10).await.unwrap();
    let seen: Vec<_> = filed.iter().map(|filed| (filed.received_at, filed.event.clone())).collect();
    assert_eq!(seen, [(at(1), wrote(1)), (at(2), wrote(2)), (at(3), wrote(3))]);
}

pub async fn a_report_repeated_within_one_command_is_stored_once(store: &dyn Store) {
    let answers = store.append_reports(vec![report(1), report(1), report(2)]).await.unwrap();
    assert_eq!(answers, [true, false, true]);
    assert_eq!(store.unfolded_reports(10).await.unwrap().len(), 2);
}

pub async fn a_folded_report_is_not_stored_again(store: &dyn Store) {
    store.append_reports(vec![report(1)]).await.unwrap();
    let seq = store.unfolded_reports(1).await.unwrap()[0].seq;
    record(store, Batch { folded: vec![seq], ..Batch::default() }).await;
    assert_eq!(store.append_reports(vec![report(1)]).await.unwrap(), [false]);
    assert_eq!(store.unfolded_reports(10).await.unwrap(), []);
}

pub async fn an_attempt_is_read_with_its_callback(store: &dyn Store) {
    keep(store, [callback(1)]).await;
    assert_eq!(store.attempt(attempt_id(1)).await.unwrap(), None);
    record(store, Batch { attempts: vec![attempt(1)], ..Batch::default() }).await;
    assert_eq!(store.attempt(attempt_id(1)).await.unwrap(), Some((attempt(1), callback(1))));
}
