//! The store for the dispatcher: rows are written with their change, and delivered in order for each callback.

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::{DeliveryId, Outcome};
use ringmaster::store::{Backlog, Batch, Delivery, DeliveryRecord, DeliveryState, OutboxRow, Settled, Store};

use super::samples::*;

const CALLING: &str = "callback.calling";
const CLOSED: &str = "callback.closed";

fn delivery_id(n: u32) -> DeliveryId {
    told(n, 1, CALLING).id
}

async fn tell(store: &dyn Store, outbox: Vec<OutboxRow>) {
    record(store, Batch { outbox, ..Batch::default() }).await;
}

async fn due(store: &dyn Store, now: Timestamp) -> Vec<DeliveryId> {
    store.claim_deliveries(now, now, 10).await.unwrap().iter().map(|delivery| delivery.row.id).collect()
}

async fn settle(store: &dyn Store, n: u32, second: i64, settled: Settled) {
    store.settle_delivery(delivery_id(n), at(second), settled, None).await.unwrap();
}

pub async fn a_row_is_due_at_its_time_and_reads_as_it_was_written(store: &dyn Store) {
    keep(store, [callback(1)]).await;
    let row = told(1, 1, CLOSED);
    tell(store, vec![row.clone()]).await;
    let step = SignedDuration::from_micros(1);
    assert_eq!(store.claim_deliveries(at(1) - step, at(1), 10).await.unwrap(), []);
    assert_eq!(store.next_delivery(at(1) - step).await.unwrap(), Some(at(1)));
    let delivery = Delivery { row, tries: 0, first_tried_at: None };
    assert_eq!(store.claim_deliveries(at(1), at(1), 10).await.unwrap(), [delivery]);
    assert_eq!(store.next_delivery(at(1)).await.unwrap(), None);
}

pub async fn a_cancellation_and_its_webhook_are_stored_together_or_not_at_all(store: &dyn Store) {
    keep(store, [callback(1)]).await;
    let canceled = next(&callback(1), closed(Outcome::Canceled));
    let amend = |n| amend(store, canceled.clone(), vec![], vec![told(n, 1, CLOSED)]);
    assert!(amend(1).await.unwrap());
    assert!(!amend(2).await.unwrap());
    assert_eq!(due(store, at(1)).await, [delivery_id(1)]);
}

pub async fn a_later_row_of_a_callback_waits_for_the_earlier(store: &dyn Store) {
    keep(store, [callback(1), callback(2)]).await;
    tell(store, vec![told(1, 1, CALLING), told(2, 1, CALLING), told(3, 2, CALLING)]).await;
    tell(store, vec![told(4, 1, CLOSED)]).await;
    assert_eq!(due(store, at(9)).await, [delivery_id(1), delivery_id(3)]);
    settle(store, 1, 9, Settled::RetryAt(at(20))).await;
    assert_eq!(due(store, at(19)).await, [delivery_id(3)]);
    settle(store, 1, 20, Settled::Delivered).await;
    assert_eq!(due(store, at(20)).await, [delivery_id(2), delivery_id(3)]);
    settle(store, 2, 21, Settled::Delivered).await;
    settle(store, 3, 21, Settled::Delivered).await;
    assert_eq!(due(store, at(21)).await, [delivery_id(4)]);
}

pub async fn a_given_up_row_frees_the_next_one(store: &dyn Store) {
    keep(store, [callback(1)]).await;
    tell(store, vec![told(1, 1, CALLING), told(2, 1, CLOSED)]).await;
    settle(store, 1, 9, Settled::GivenUp).await;
    assert_eq!(due(store, at(9)).await, [delivery_id(2)]);
}

pub async fn a_failed_row_is_due_again_at_its_retry_time(store: &dyn Store) {
    keep(store, [callback(1)]).await;
    tell(store, vec![told(1, 1, CLOSED)]).await;
    settle(store, 1, 3, Settled::RetryAt(at(8))).await;
    settle(store, 1, 8, Settled::RetryAt(at(38))).await;
    assert_eq!(due(store, at(37)).await, []);
    assert_eq!(store.next_delivery(at(8)).await.unwrap(), Some(at(38)));
    let delivery = &store.claim_deliveries(at(38), at(38), 1).await.unwrap()[0];
    assert_eq!((delivery.tries, delivery.first_tried_at), (2, Some(at(3))));
}

pub async fn a_claimed_row_cannot_be_claimed_until_its_claim_ends(store: &dyn Store) {
    keep(store, [callback(1), callback(2)]).await;
    tell(store, vec![told(1, 1, CLOSED), told(2, 2, CLOSED)]).await;
    let claim = async |second, until| {
        let claimed = store.claim_deliveries(at(second), at(until), 1).await.unwrap();
        claimed.iter().map(|delivery| delivery.row.id).collect::<Vec<_>>()
    };
    assert_eq!(claim(5, 15).await, [delivery_id(1)]);
    assert_eq!(claim(5, 30).await, [delivery_id(2)]);
    assert_eq!(claim(14, 30).await, []);
    assert_eq!(store.next_delivery(at(14)).await.unwrap(), Some(at(15)));
    assert_eq!(claim(15, 30).await, [delivery_id(1)]);
    settle(store, 2, 16, Settled::RetryAt(at(20))).await;
    assert_eq!(claim(20, 30).await, [delivery_id(2)]);
}

pub async fn voided_claims_make_rows_due_again(store: &dyn Store) {
    keep(store, [callback(1), callback(2), callback(3)]).await;
    tell(store, vec![told(1, 1, CLOSED), told(2, 2, CLOSED), told(3, 3, CLOSED)]).await;
    settle(store, 3, 4, Settled::RetryAt(at(50))).await;
    assert_eq!(store.claim_deliveries(at(5), at(90), 10).await.unwrap().len(), 2);
    settle(store, 1, 6, Settled::Delivered).await;
    store.void_claims().await.unwrap();
    assert_eq!(due(store, at(6)).await, [delivery_id(2)]);
    assert_eq!(due(store, at(50)).await, [delivery_id(2), delivery_id(3)]);
}

pub async fn the_end_of_a_callback_has_one_webhook(store: &dyn Store) {
    keep(store, [callback(1), callback(2)]).await;
    tell(store, vec![told(1, 1, CLOSED), told(2, 2, CLOSED)]).await;
    tell(store, vec![told(3, 1, CLOSED)]).await;
    assert_eq!(due(store, at(9)).await, [delivery_id(1), delivery_id(2)]);
    assert_eq!(store.backlog().await.unwrap().waiting, 2);
}

pub async fn a_replay_begins_with_the_first_row(store: &dyn Store) {
    keep(store, [callback(1), callback(2)]).await;
    tell(store, vec![told(1, 1, CALLING), told(2, 1, CLOSED), told(3, 2, CLOSED)]).await;
    settle(store, 1, 2, Settled::Delivered).await;
    settle(store, 2, 2, Settled::GivenUp).await;
    settle(store, 3, 2, Settled::Delivered).await;
    assert_eq!(store.replay_deliveries(callback_id(1), at(50)).await.unwrap(), 2);
    assert_eq!(due(store, at(49)).await, []);
    assert_eq!(due(store, at(50)).await, [delivery_id(1)]);
    settle(store, 1, 50, Settled::Delivered).await;
    assert_eq!(due(store, at(50)).await, [delivery_id(2)]);
    assert_eq!(store.replay_deliveries(callback_id(3), at(50)).await.unwrap(), 0);
}

pub async fn a_replay_during_a_try_is_not_undone_by_its_end(store: &dyn Store) {
    keep(store, [callback(1)]).await;
    tell(store, vec![told(1, 1, CALLING), told(2, 1, CLOSED)]).await;
    settle(store, 1, 2, Settled::Delivered).await;
    store.replay_deliveries(callback_id(1), at(3)).await.unwrap();
    settle(store, 2, 2, Settled::Delivered).await;
    settle(store, 1, 4, Settled::Delivered).await;
    assert_eq!(due(store, at(4)).await, [delivery_id(2)]);
}

pub async fn a_disabled_endpoint_resets_the_tries_of_waiting_rows(store: &dyn Store) {
    keep(store, [callback(1), callback(2), callback(3)]).await;
    tell(store, vec![told(1, 1, CLOSED), told(2, 2, CLOSED), told(3, 3, CLOSED)]).await;
    settle(store, 1, 2, Settled::RetryAt(at(1000))).await;
    settle(store, 3, 2, Settled::Delivered).await;
    settle(store, 2, 3, Settled::Disabled).await;
    let due = store.claim_deliveries(at(4), at(4), 10).await.unwrap();
    let tried: Vec<_> = due.iter().map(|delivery| (delivery.tries, delivery.first_tried_at)).collect();
    assert_eq!(tried, [(0, None), (0, None)]);
}

pub async fn the_backlog_counts_waiting_and_given_up_rows(store: &dyn Store) {
    assert_eq!(store.backlog().await.unwrap(), Backlog::default());
    keep(store, [callback(1), callback(2)]).await;
    let later = OutboxRow { created_at: at(5), ..told(2, 1, CLOSED) };
    tell(store, vec![told(1, 1, CALLING), later, told(3, 2, CLOSED)]).await;
    let backlog = |waiting, oldest, given_up| Backlog { waiting, oldest, given_up };
    assert_eq!(store.backlog().await.unwrap(), backlog(3, Some(at(1)), 0));
    settle(store, 1, 9, Settled::Delivered).await;
    settle(store, 3, 9, Settled::GivenUp).await;
    assert_eq!(store.backlog().await.unwrap(), backlog(1, Some(at(5)), 1));
}

pub async fn the_rows_of_a_callback_are_listed_with_their_last_error(store: &dyn Store) {
    keep(store, [callback(1), callback(2)]).await;
    tell(store, vec![told(1, 1, CALLING), told(2, 1, CLOSED), told(3, 2, CLOSED)]).await;
    let failed = Some("status 503".to_owned());
    store.settle_delivery(delivery_id(1), at(3), Settled::RetryAt(at(8)), failed.clone()).await.unwrap();
    let listed = async || store.deliveries_of(callback_id(1).into(), 10).await.unwrap();
    let first = DeliveryRecord {
        id: delivery_id(1),
        what: CALLING.to_owned(),
        state: DeliveryState::Waiting,
        created_at: at(1),
        due_at: Some(at(8)),
        tries: 1,
        first_tried_at: Some(at(3)),
        settled_at: None,
        last_error: failed.clone(),
    };
    let found = listed().await;
    assert_eq!((found.len(), &found[0]), (2, &first));
    assert_eq!(
        (found[1].due_at, found[1].tries, &found[1].last_error),
        (None, 0, &None),
        "it waits for the first"
    );
    store.settle_delivery(delivery_id(1), at(8), Settled::GivenUp, failed.clone()).await.unwrap();
    store.settle_delivery(delivery_id(2), at(9), Settled::Delivered, None).await.unwrap();
    let states = async || -> Vec<_> {
        listed().await.into_iter().map(|row| (row.state, row.settled_at, row.last_error)).collect()
    };
    let settled =
        [(DeliveryState::GivenUp, Some(at(8)), failed), (DeliveryState::Delivered, Some(at(9)), None)];
    assert_eq!(states().await, settled);
    store.replay_deliveries(callback_id(1), at(20)).await.unwrap();
    assert_eq!(states().await, [(DeliveryState::Waiting, None, None), (DeliveryState::Waiting, None, None)]);
    assert_eq!(store.deliveries_of(callback_id(1).into(), 1).await.unwrap().len(), 1);
    assert_eq!(store.deliveries_of(callback_id(9).into(), 10).await.unwrap(), []);
}
