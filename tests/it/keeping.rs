//! What is old is deleted, what was counted of it stays counted, and the whole store is checked.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::{CallbackId, Event, LineageCause, Named, Phone};
use ringmaster::policy::lineage::{LineageVerdict, compare};
use ringmaster::scheduler::told;
use ringmaster::simulation::Fixture;
use ringmaster::store::relational::{CopyProgress, Kept, SqlStore, copy, verify};
use ringmaster::store::{Batch, Inbox as _, Orders as _, Report, Turns as _};
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

use crate::harness::{START, SimulatedDaemon};

const WILLING: &str = "+5511987650001";
const DEADLINE: &str = "2026-12-20T12:00:00Z";
const DAY: SignedDuration = SignedDuration::from_hours(24);
const INSTANT: SignedDuration = SignedDuration::from_micros(1);

async fn begin(folder: &TempDir) -> (Arc<SqlStore>, SimulatedDaemon, PathBuf) {
    let path = folder.path().join("a.db");
    let store = Arc::new(SqlStore::open_inline(&path).unwrap());
    let fixture = Fixture { calls_per_second: 10, ..Fixture::default() };
    let whole = SimulatedDaemon::begin_on(&fixture, START, store.clone()).await;
    (store, whole, path)
}

/// A whole pass, in steps of two rows.
async fn pass(store: &SqlStore, kind: Kept, before: Timestamp) -> u64 {
    let (mut deleted, mut after) = (0, 0);
    loop {
        let step = store.retain(kind, before, after, 2, told).await.unwrap();
        deleted += step.deleted;
        let Some(next) = step.next else { return deleted };
        assert!(next >= after);
        after = next;
    }
}

fn rows(path: &Path, table: &str) -> i64 {
    let db = Connection::open(path).unwrap();
    db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_closed_callback_goes_with_all_that_hangs_on_it_and_stays_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut whole, path) = begin(&folder).await;
    let reached = whole.order(WILLING, DEADLINE, &json!({})).await;
    whole.pass(DAY).await;
    let earliest = (whole.now() + DAY * 5).to_string();
    let waiting = whole.order(WILLING, DEADLINE, &json!({"earliest": earliest})).await;
    let closed_at = whole.get(&format!("/v1/callbacks/{reached}")).await["closed_at"].clone();
    let closed_at: Timestamp = closed_at.as_str().unwrap().parse().unwrap();
    let before = whole.get("/v1/status").await["callbacks"]["closed"].clone();
    assert_eq!(before["reached"], 1);

    assert_eq!(pass(&store, Kept::Callbacks, closed_at).await, 0, "it is not older than that");
    assert_eq!(pass(&store, Kept::Callbacks, closed_at + INSTANT).await, 1);
    assert_eq!(whole.try_get(&format!("/v1/callbacks/{reached}")).await, 404);
    whole.get(&format!("/v1/callbacks/{waiting}")).await;
    assert_eq!(rows(&path, "attempts"), 0);
    let of_it = format!("timeline WHERE callback = x'{}'", reached.trim_start_matches("cb_"));
    assert_eq!(rows(&path, &of_it), 0);
    assert_eq!(whole.get("/v1/status").await["callbacks"]["closed"], before, "it stays counted");
    // The counts and reports are compared with a recount when the daemon is dropped.
    assert_eq!(verify(&path, told, &mut |_| {}).unwrap(), []);
    assert_eq!(store.recount_reports(told).await.unwrap().changed, 0);
    whole.pass(DAY * 10).await;
    assert_eq!(whole.get(&format!("/v1/callbacks/{waiting}")).await["outcome"], "reached");
}

#[tokio::test]
async fn a_repeated_answer_of_a_consumer_is_known_after_its_text_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqlStore::open_inline(&path).unwrap();
    let received_at: Timestamp = START.parse().unwrap();
    let number = Phone::parse(WILLING).unwrap();
    let wrote = Event::InboundMessage {
        sender: Phone::parse(crate::harness::SENDER).unwrap(),
        who: Named::number(number),
        word: None,
        wrote_at: None,
    };
    let other = Event::CancelRequested { callback: CallbackId::new(Uuid::from_u128(7)) };
    let report = |key: u8, event: &Event| Report { key: [key; 16], received_at, event: event.clone() };
    let all = || vec![report(1, &wrote), report(2, &other), report(3, &other)];
    assert_eq!(store.append_reports(all()).await.unwrap(), [true; 3]);
    let seqs: Vec<i64> = store.unfolded_reports(9).await.unwrap().iter().map(|report| report.seq).collect();
    assert_eq!(pass(&store, Kept::Inbox, received_at + DAY).await, 0, "none is folded");
    store.record(Batch { folded: seqs, ..Batch::default() }).await.unwrap();
    assert_eq!(pass(&store, Kept::Inbox, received_at).await, 0, "none is older than that");
    assert_eq!(pass(&store, Kept::Inbox, received_at + INSTANT).await, 1, "the newest place stays");
    assert_eq!(rows(&path, "reports WHERE event LIKE '%inbound_message%'"), 0);
    assert_eq!(store.append_reports(all()).await.unwrap(), [false, true, false]);
}

#[tokio::test]
async fn each_broken_invariant_is_named_with_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut whole, path) = begin(&folder).await;
    let id = whole.order(WILLING, DEADLINE, &json!({})).await;
    whole.pass(DAY).await;
    let mut seen = Vec::new();
    assert_eq!(verify(&path, told, &mut |check| seen.push(check)).unwrap(), []);
    assert_eq!(seen.len(), ringmaster::store::relational::VERIFY_CHECKS);
    // From now on the file is broken on purpose.
    whole.faults();
    drop((whole, store));
    let hex = id.trim_start_matches("cb_").to_owned();
    for (check, sql, about) in [
        ("callback.calling", "UPDATE callbacks SET state = 'calling'", Some(&hex)),
        ("callback.attempt", "UPDATE callbacks SET attempt = x'00'", Some(&hex)),
        ("callback.gate", "UPDATE callbacks SET gate = 'account:main'", Some(&hex)),
        ("callback.attempts", "UPDATE callbacks SET attempts_opened = attempts_opened + 1", Some(&hex)),
        ("callback.time", "UPDATE callbacks SET at = NULL", Some(&hex)),
        ("attempt.live", "UPDATE attempts SET live = 1", None),
        ("message.unsettled", "UPDATE messages SET unsettled = 1", None),
        ("person.live", "UPDATE persons SET live = '00112233445566778899aabbccddeeff'", None),
        ("counts", "UPDATE callback_counts SET callbacks = callbacks + 1 WHERE state = 'reached'", None),
        ("reports", "UPDATE report_cells SET c0 = c0 + 1", None),
    ] {
        let broken = folder.path().join(format!("{check}.db"));
        std::fs::copy(&path, &broken).unwrap();
        let db = Connection::open(&broken).unwrap();
        assert!(db.execute(sql, []).unwrap() > 0, "{sql}");
        drop(db);
        let faults = verify(&broken, told, &mut |_| {}).unwrap();
        let found = faults.iter().find(|fault| fault.check == check);
        let found = found.unwrap_or_else(|| panic!("{check}: {faults:?}"));
        assert!(about.is_none_or(|about| *about == found.id), "{found:?}");
    }
}

fn refused<T>(result: ringmaster::store::Result<T>, words: &str) {
    let error = result.err().expect("it is refused").to_string();
    assert!(error.contains(words), "{error}");
}

#[tokio::test]
async fn a_copy_has_everything_and_its_source_dials_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut whole, from) = begin(&folder).await;
    let id = whole.order(WILLING, DEADLINE, &json!({})).await;
    whole.pass(DAY).await;
    let to = folder.path().join("b.db");
    refused(copy(&from, &to, &mut |_| {}), "is in use by a daemon");
    whole.faults();
    drop((whole, store));
    refused(copy(&from, &from, &mut |_| {}), "is the source itself");
    refused(copy(&folder.path().join("none.db"), &to, &mut |_| {}), "there is no such file");

    // It is interrupted when it has copied the attempts.
    let mut until_attempts = |at: CopyProgress<'_>| assert!(at.table != "attempts" || at.rows_done == 0);
    let interrupted =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| copy(&from, &to, &mut until_attempts)));
    assert!(interrupted.is_err());
    refused(SqlStore::open_inline(&to), "is a copy that is not finished");
    let copied = copy(&from, &to, &mut |_| {}).unwrap();
    let rows_of = |name: &str| copied.iter().find(|table| table.name == name).unwrap().rows;
    assert_eq!((rows_of("callbacks"), rows_of("attempts")), (1, 1));
    assert_eq!(verify(&to, told, &mut |_| {}).unwrap(), []);
    refused(copy(&from, &to, &mut |_| {}), "has data in");

    let target = SqlStore::open_inline(&to).unwrap();
    let callback: CallbackId = id.parse().unwrap();
    assert!(target.callback(callback).await.unwrap().is_some());
    let (old, new) =
        (SqlStore::open_inline(&from).unwrap().own_lineage().await.unwrap(), target.own_lineage());
    let new = new.await.unwrap();
    let verdict = |own| compare(own, None, false);
    assert_eq!(verdict(&old), LineageVerdict::Held(LineageCause::NoWitness));
    assert_eq!(verdict(&new), LineageVerdict::Adopted);
}
