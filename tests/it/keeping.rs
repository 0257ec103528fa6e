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

/// As if the order had come with this key.
fn keep_key(path: &Path, key: u8, callback: &str) {
    let db = Connection::open(path).unwrap();
    let callback = callback.trim_start_matches("cb_");
    db.execute(&format!("INSERT INTO idempotency_keys VALUES ('t', '{key}', x'', x'{callback}')"), [])
        .unwrap();
}

#[tokio::test]
async fn a_closed_callback_goes_with_all_that_hangs_on_it_and_stays_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (store, mut whole, path) = begin(&folder).await;
    let reached = whole.order(WILLING, DEADLINE, &json!({})).await;
    keep_key(&path, 1, &reached);
    whole.pass(DAY).await;
    let earliest = (whole.now() + DAY * 5).to_string();
    let waiting = whole.order(WILLING, DEADLINE, &json!({"earliest": earliest})).await;
    keep_key(&path, 2, &waiting);
    let closed_at = whole.get(&format!("/v1/callbacks/{reached}")).await["closed_at"].clone();
    let closed_at: Timestamp = closed_at.as_str().unwrap().parse().unwrap();
    let before = whole.get("/v1/status").await["callbacks"]["closed"].clone();
    assert_eq!(before["reached"], 1);

    assert_eq!(pass(&store, Kept::Callbacks, closed_at).await, 0, "it is not older than that");
    assert_eq!(pass(&store, Kept::Callbacks, closed_at + INSTANT).await, 1);
    assert_eq!(whole.try_get(&format!("/v1/callbacks/{reached}")).await, 404);
    whole.get(&format!("/v1/callbacks/{waiting}")).await;
    assert_eq!(rows(&path, "attempts"), 0);
    assert_eq!(rows(&path, "idempotency_keys"), 1, "its key has gone with it");
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

/// The rows of a kind are looked at up to the first step in which nothing is old, and rows that are kept for ever not again.
#[tokio::test]
async fn a_pass_looks_at_what_is_old_and_at_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = SqlStore::open_inline(&path).unwrap();
    let before: Timestamp = START.parse().unwrap();
    let db = Connection::open(&path).unwrap();
    let times = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) \
         SELECT i, {} + CASE WHEN i <= 5 THEN -1 ELSE i - 6 END FROM n",
        before.as_microsecond()
    );
    for sql in [
        "INSERT INTO timeline (at, what, why) SELECT t, 'x', '' FROM ({})",
        "INSERT INTO audit (at, who, way, tenant, what, outcome) SELECT t, 'a', 'token', 'default', 'x', 'done' FROM ({})",
        "INSERT INTO outbox (id, subject, what, payload, created_at, state, tries, settled_at) \
         SELECT CAST(i AS BLOB), x'', 'x', '', t, 'delivered', 1, t FROM ({})",
        "INSERT INTO reports (key, received_at, event) SELECT CAST(i AS BLOB), t, '{\"inbound_x\"}' FROM ({})",
    ] {
        let (head, _) = sql.split_once("({})").unwrap();
        db.execute(&format!("WITH times (i, t) AS ({times}) {head}times"), []).unwrap();
    }
    drop(db);
    for kind in [Kept::Timeline, Kept::Audit, Kept::Outbox, Kept::Inbox] {
        let (mut deleted, mut after, mut settled) = (0, 0, None);
        let mut steps = 0;
        loop {
            steps += 1;
            let step = store.retain(kind, before, after, 2, told).await.unwrap();
            deleted += step.deleted;
            settled = settled.max(step.settled);
            let Some(next) = step.next else { break };
            after = next;
        }
        let kept = kind == Kept::Inbox;
        assert_eq!(
            (deleted, steps),
            (if kept { 0 } else { 5 }, 4),
            "{kind:?}: five of a thousand rows are old"
        );
        assert_eq!(settled, Some(5), "{kind:?}: the sixth row is to be looked at again");
    }
    let db = Connection::open(&path).unwrap();
    let erased = "SELECT count(*) FROM reports WHERE event = '\"erased\"'";
    assert_eq!(db.query_row(erased, [], |row| row.get::<_, i64>(0)).unwrap(), 5);
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

/// A store that is read in several parts to be compared, one of which ends exactly with the table.
fn large(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("a.db");
    drop(SqlStore::open_inline(&path).unwrap());
    let db = Connection::open(&path).unwrap();
    let numbers = |last: u32| {
        format!("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) ")
    };
    db.execute_batch(&format!(
        "{} INSERT INTO timeline (at, what, why) SELECT i, 'x', '' FROM n; \
         {} INSERT INTO idempotency_keys (token, key, body, callback) SELECT 't' || (i % 7), 'k' || i, x'', x'' FROM n",
        numbers(20_001),
        numbers(20_000)
    ))
    .unwrap();
    path
}

/// Copies until this call of the progress, at which the process is killed.
fn copy_until(from: &Path, to: &Path, mut is_there: impl FnMut(&CopyProgress<'_>) -> bool + Send) {
    let mut tell = |at: CopyProgress<'_>| assert!(!is_there(&at), "killed");
    let killed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| copy(from, to, &mut tell)));
    assert!(killed.is_err());
}

#[test]
fn tables_of_several_parts_are_compared_and_a_killed_copy_goes_on_within_one() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (large(&folder), folder.path().join("b.db"));
    copy_until(&from, &to, |at| at.table == "timeline" && at.rows_done == 6_000);
    let copied = copy(&from, &to, &mut |_| {}).unwrap();
    let rows_of = |name: &str| copied.iter().find(|table| table.name == name).unwrap().rows;
    assert_eq!((rows_of("timeline"), rows_of("idempotency_keys")), (20_001, 20_000));
    assert_eq!((rows(&to, "timeline"), rows(&to, "idempotency_keys")), (20_001, 20_000));
}

#[tokio::test]
async fn a_copy_that_is_killed_at_its_end_is_finished_by_the_next_one() {
    // Everything is compared; the source has its other identity or has not.
    for kill in 1..=2 {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (large(&folder), folder.path().join("b.db"));
        let identity = |path: &Path| {
            let db = Connection::open(path).unwrap();
            db.query_row("SELECT max(identity) FROM lineage", [], |row| row.get::<_, Option<Vec<u8>>>(0))
                .unwrap()
        };
        let before = identity(&from);
        let mut ends = 0;
        copy_until(&from, &to, |at| {
            ends += u32::from(at.tables_done == at.tables);
            ends == kill
        });
        assert_eq!(identity(&from) == before, kill == 1);
        refused(SqlStore::open_inline(&to), "is a copy that is not finished");
        let copied = copy(&from, &to, &mut |_| {}).unwrap();
        assert!(copied.iter().any(|table| (table.name.as_str(), table.rows) == ("timeline", 20_001)));
        assert_ne!(identity(&from), before, "the source dials no more");
        drop(SqlStore::open_inline(&to).unwrap());
        refused(copy(&from, &to, &mut |_| {}), "has data in");
    }
}

#[tokio::test]
async fn a_source_that_went_on_is_not_finished() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (large(&folder), folder.path().join("b.db"));
    copy_until(&from, &to, |at| at.tables_done == at.tables);
    let db = Connection::open(&from).unwrap();
    db.execute("UPDATE term SET leader = leader + 1", []).unwrap();
    drop(db);
    refused(copy(&from, &to, &mut |_| {}), "is an unfinished copy of another store");
}
