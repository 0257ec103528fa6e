//! Set-aside items leave the inbox, and return to their place or are dropped.

use ringmaster::domain::event::{CallbackChange, CallbackCommand, SetAsideWord};
use ringmaster::domain::{
    CommandOutcome, Event, SetAside, SetAsideEnd, SetAsideId, SetAsideItem, SetAsideVerdict, Tenant,
};
use ringmaster::store::{Batch, Error, NewCommand, Report, SetAsideEnded, Store};
use uuid::Uuid;

use super::samples::*;

fn id(n: u8) -> SetAsideId {
    SetAsideId::new(Uuid::from_u128(n.into()))
}

fn item(n: u8, item: SetAsideItem) -> SetAside {
    SetAside {
        id: id(n),
        item,
        consumer: None,
        callback: None,
        at: at(5),
        kind: "inbound_message".into(),
        place: None,
        end: None,
    }
}

fn begin(items: impl Into<Vec<SetAside>>) -> Batch {
    Batch { set_aside: items.into(), ..Batch::default() }
}

fn end(n: u8, verdict: SetAsideVerdict) -> Batch {
    let end = SetAsideEnd { verdict, at: at(9), by: "ops".into() };
    Batch { set_aside_ended: vec![SetAsideEnded { id: id(n), end }], ..Batch::default() }
}

async fn seqs(store: &dyn Store) -> Vec<i64> {
    store.unfolded_reports(10).await.unwrap().iter().map(|filed| filed.seq).collect()
}

async fn conflicts(store: &dyn Store, batch: Batch) {
    assert!(matches!(store.record(batch).await, Err(Error::Conflict)));
}

async fn command(store: &dyn Store, n: u8) -> i64 {
    let change = CallbackChange::Cancel;
    let event = Event::Command(CallbackCommand { callback: callback_id(1), by: "crm".into(), change });
    let report = Report { key: [n; 16], received_at: at(3), event };
    let (tenant, callback) = (Tenant::default(), Some(callback_id(1)));
    assert!(store.append_command(NewCommand { report, tenant, callback, content: [n; 32] }).await.unwrap());
    store.unfolded_reports(1).await.unwrap()[0].seq
}

async fn outcome(store: &dyn Store, n: u8) -> Option<CommandOutcome> {
    store.command([n; 16]).await.unwrap().unwrap().outcome
}

pub async fn a_set_aside_item_reads_as_it_was_written(store: &dyn Store) {
    store.append_reports(vec![report(1), report(2)]).await.unwrap();
    let of_report = SetAside {
        consumer: Some(consumer(1)),
        place: Some("src/scheduler/fold.rs:30".into()),
        ..item(1, SetAsideItem::Report(seqs(store).await[0]))
    };
    let of_callback = SetAside {
        callback: Some(callback_id(3)),
        kind: "callback".into(),
        ..item(2, SetAsideItem::Callback(callback_id(3)))
    };
    record(store, begin([of_report.clone(), of_callback.clone()])).await;
    assert_eq!(store.set_aside().await.unwrap(), [of_report.clone(), of_callback.clone()]);
    assert_eq!(store.set_aside_by_id(id(2)).await.unwrap(), Some(of_callback));
    assert_eq!(store.set_aside_by_id(id(3)).await.unwrap(), None);
    record(store, end(2, SetAsideVerdict::Drop)).await;
    assert_eq!(store.set_aside().await.unwrap(), [of_report]);
    let ended = store.set_aside_by_id(id(2)).await.unwrap().unwrap().end;
    assert_eq!(ended, Some(SetAsideEnd { verdict: SetAsideVerdict::Drop, at: at(9), by: "ops".into() }));
}

pub async fn a_set_aside_report_returns_to_its_place_or_is_dropped(store: &dyn Store) {
    store.append_reports(vec![report(1), report(2), report(3)]).await.unwrap();
    let all = seqs(store).await;
    let items = [item(1, SetAsideItem::Report(all[0])), item(2, SetAsideItem::Report(all[1]))];
    record(store, begin(items)).await;
    assert_eq!(seqs(store).await, all[2..]);
    assert_eq!(store.census().await.unwrap().unfolded_reports, 1);
    record(store, end(1, SetAsideVerdict::Retry)).await;
    assert_eq!(seqs(store).await, [all[0], all[2]]);
    record(store, end(2, SetAsideVerdict::Drop)).await;
    assert_eq!(seqs(store).await, [all[0], all[2]]);
    assert_eq!(store.append_reports(vec![report(2)]).await.unwrap(), [false], "it is still known");
}

pub async fn a_set_aside_command_is_pending_until_it_is_retried_or_refused(store: &dyn Store) {
    let first = command(store, 1).await;
    record(store, begin([item(1, SetAsideItem::Command(first))])).await;
    let second = command(store, 2).await;
    record(store, begin([item(2, SetAsideItem::Command(second))])).await;
    assert_eq!(seqs(store).await, [0_i64; 0]);
    assert_eq!((outcome(store, 1).await, outcome(store, 2).await), (None, None));
    record(store, end(1, SetAsideVerdict::Retry)).await;
    record(store, end(2, SetAsideVerdict::Drop)).await;
    assert_eq!(seqs(store).await, [first]);
    let dropped = Some(CommandOutcome::Refused("command.dropped".into()));
    assert_eq!((outcome(store, 1).await, outcome(store, 2).await), (None, dropped));
}

pub async fn a_folded_report_is_not_set_aside_and_an_ended_item_does_not_end_again(store: &dyn Store) {
    store.append_reports(vec![report(1), report(2)]).await.unwrap();
    let all = seqs(store).await;
    record(store, Batch { folded: vec![all[0]], ..Batch::default() }).await;
    conflicts(store, begin([item(1, SetAsideItem::Report(all[0]))])).await;
    record(store, begin([item(2, SetAsideItem::Report(all[1]))])).await;
    conflicts(store, begin([item(3, SetAsideItem::Report(all[1]))])).await;
    conflicts(store, Batch { folded: vec![all[1]], ..Batch::default() }).await;
    conflicts(store, end(3, SetAsideVerdict::Retry)).await;
    record(store, end(2, SetAsideVerdict::Retry)).await;
    conflicts(store, end(2, SetAsideVerdict::Retry)).await;
    conflicts(store, end(2, SetAsideVerdict::Drop)).await;
    assert_eq!(seqs(store).await, all[1..]);
    let filed = command(store, 7).await;
    record(store, begin([item(4, SetAsideItem::Command(filed))])).await;
    conflicts(store, begin([item(5, SetAsideItem::Command(filed))])).await;
    conflicts(store, Batch { outcomes: vec![(filed, CommandOutcome::Applied)], ..Batch::default() }).await;
}

pub async fn a_retry_or_drop_of_an_item_is_a_command(store: &dyn Store) {
    let word = SetAsideWord { id: id(1), verdict: SetAsideVerdict::Drop, by: "ops".into() };
    let report = Report { key: [1; 16], received_at: at(3), event: Event::SetAside(word.clone()) };
    let new = NewCommand { report, tenant: Tenant::default(), callback: None, content: [1; 32] };
    store.append_command(new).await.unwrap();
    let filed = store.unfolded_reports(10).await.unwrap().remove(0);
    assert_eq!((filed.event, filed.is_command), (Event::SetAside(word), true));
}
