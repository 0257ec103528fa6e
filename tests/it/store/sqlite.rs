//! The SQLite adapters, and faults that only a file can have.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ringmaster::domain::{SetAside, SetAsideId, SetAsideItem, State};
use ringmaster::store::relational::{Access, Options, SqlStore};
use ringmaster::store::{
    Batch, Error, Filter, Ground, Inbox as _, Orders as _, Outbox as _, Settled, Token, Tokens as _,
    Turns as _, UnreadableReport,
};
use rusqlite::Connection;
use uuid::Uuid;

use super::Fresh;
use super::samples::*;

pub fn in_file() -> Fresh {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir.path().join("ringmaster.db"));
    Fresh { store: Arc::new(store), _dir: Some(dir), _database: None }
}

pub fn in_file_inline() -> Fresh {
    let dir = tempfile::tempdir().unwrap();
    let store = SqlStore::open_inline(&dir.path().join("ringmaster.db")).unwrap();
    Fresh { store: Arc::new(store), _dir: Some(dir), _database: None }
}

pub fn in_memory() -> Fresh {
    Fresh { store: Arc::new(SqlStore::in_memory().unwrap()), _dir: None, _database: None }
}

fn open(path: &Path) -> SqlStore {
    SqlStore::open(path, Access::Exclusive).unwrap()
}

/// The refusal of a path, without the path that it must begin with.
fn refusal(path: &Path, access: Access) -> String {
    match SqlStore::open(path, access) {
        Err(Error::Unusable(sentence)) => {
            let rest = sentence.strip_prefix(&path.display().to_string());
            rest.unwrap_or_else(|| panic!("{sentence}")).trim().to_owned()
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test]
async fn a_reopened_file_has_everything() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    let store = open(&path);
    keep(&store, [callback(1), callback(2)]).await;
    store.append_reports(vec![report(1), report(2)]).await.unwrap();
    let batch = Batch {
        callbacks: vec![next(&callback(1), State::Calling { attempt: attempt_id(1) })],
        pairs: vec![pair(1)],
        persons: vec![],
        united: vec![],
        attempts: vec![attempt(1)],
        messages: vec![message(1)],
        unmatched: vec![],
        matched: vec![],
        outcomes: vec![],
        folded: vec![store.unfolded_reports(1).await.unwrap()[0].seq],
        entries: vec![entry(1, "attempt.opened")],
        outbox: vec![told(1, 1, "callback.calling")],
        ..Batch::default()
    };
    record(&store, batch.clone()).await;
    let key_before = store.address_key([1; 32]).await.unwrap();
    drop(store);

    let store = open(&path);
    let kept = store.callback(callback_id(1)).await.unwrap().unwrap();
    assert_eq!(kept.callback, batch.callbacks[0]);
    assert_eq!((kept.attempts, kept.messages), (batch.attempts, batch.messages));
    assert_eq!(store.pairs(&[key(1)]).await.unwrap(), batch.pairs);
    assert_eq!(store.timeline(callback_id(1)).await.unwrap(), batch.entries);
    assert_eq!(store.claim_deliveries(at(1), at(1), 9).await.unwrap()[0].row, batch.outbox[0]);
    assert_eq!(store.unfolded_reports(9).await.unwrap().len(), 1);
    assert_eq!(store.append_reports(vec![report(1)]).await.unwrap(), [false]);
    assert_eq!(store.next_wake().await.unwrap(), Some(at(2)));
    assert_eq!(store.address_key([2; 32]).await.unwrap(), key_before);
}

#[tokio::test]
async fn waiting_commands_are_written_when_the_store_is_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    let options = Options { group_max: 3, ..Options::default() };
    let store = Arc::new(SqlStore::open_with(&path, Access::Exclusive, &options).unwrap());
    let asked: Vec<_> = (0..50)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { keep(store.as_ref(), [callback(n)]).await })
        })
        .collect();
    drop(store);
    for task in asked {
        task.await.unwrap();
    }
    assert_eq!(listed(&open(&path), Filter::default()).await.len(), 50);
}

#[tokio::test]
async fn reads_for_requests_are_bounded_and_reads_for_calls_never_wait_behind_them() {
    let cases = [
        (Options { request_queue_max: 0, ..Options::default() }, "too many reads wait"),
        (Options { request_timeout: Duration::ZERO, ..Options::default() }, "the read took too long"),
    ];
    for (options, expected) in cases {
        let dir = tempfile::tempdir().unwrap();
        let store =
            SqlStore::open_with(&dir.path().join("ringmaster.db"), Access::Exclusive, &options).unwrap();
        let for_requests = store.for_requests();
        assert_eq!(for_requests.census().await.unwrap_err().to_string(), expected);
        // Writes have no such limit.
        keep(&for_requests, [callback(1)]).await;
        assert_eq!(store.census().await.unwrap().waiting, 1);
        // The file is released when both are dropped.
        drop(store);
        assert_eq!(for_requests.census().await.unwrap_err().to_string(), expected);
        drop(for_requests);
        open(&dir.path().join("ringmaster.db"));
    }
}

#[test]
fn a_second_daemon_is_refused_until_the_first_has_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    let first = open(&path);
    let sentence = refusal(&path, Access::Exclusive);
    assert!(sentence.contains("another daemon"), "{sentence}");
    drop(first);
    let inline = SqlStore::open_inline(&path).unwrap();
    assert!(refusal(&path, Access::Exclusive).contains("another daemon"));
    drop(inline);
    open(&path);
}

#[tokio::test]
async fn a_short_command_writes_to_the_file_of_a_running_daemon() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    let token = |hash| Token::new("scheduler", [hash; 32], at(1));
    // Without a daemon, it creates the file.
    let beside = SqlStore::open(&path, Access::Beside).unwrap();
    beside.create_token(token(1)).await.unwrap();
    let daemon = open(&path);
    beside.create_token(token(2)).await.unwrap();
    SqlStore::open(&path, Access::Beside).unwrap().create_token(token(3)).await.unwrap();
    for hash in 1..=3 {
        assert_eq!(daemon.token_by_hash([hash; 32]).await.unwrap(), Some(token(hash)));
    }
}

#[test]
fn a_newer_schema_is_refused_and_both_versions_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    drop(open(&path));
    let newer = "INSERT INTO refinery_schema_history SELECT 9000, name, applied_on, checksum \
                 FROM refinery_schema_history LIMIT 1";
    let known: i64 = {
        let db = Connection::open(&path).unwrap();
        let known =
            db.query_row("SELECT max(version) FROM refinery_schema_history", [], |row| row.get(0)).unwrap();
        db.execute(newer, []).unwrap();
        known
    };
    for access in [Access::Exclusive, Access::Beside] {
        let sentence = refusal(&path, access);
        assert!(sentence.contains("schema 9000"), "{sentence}");
        assert!(sentence.contains(&format!("up to {known};")), "{sentence}");
    }
}

#[test]
fn a_file_that_is_not_our_database_is_refused_and_unchanged() {
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("notes.txt");
    std::fs::write(&text, "not a database\n".repeat(1_000)).unwrap();
    assert_eq!(refusal(&text, Access::Exclusive), "is not a SQLite database");
    assert_eq!(std::fs::read_to_string(&text).unwrap(), "not a database\n".repeat(1_000));

    let foreign = dir.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE songs (name TEXT)").unwrap();
    assert_eq!(refusal(&foreign, Access::Exclusive), "is the database of another program");
}

#[test]
fn a_path_that_cannot_be_a_file_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(refusal(dir.path(), Access::Exclusive), "is a directory; give a file in it");
    let nowhere = dir.path().join("missing").join("ringmaster.db");
    let sentence = refusal(&nowhere, Access::Exclusive);
    assert!(sentence.contains("there is no directory"), "{sentence}");
    assert!(!nowhere.exists() && !dir.path().join("missing").exists());
}

#[tokio::test]
async fn a_damaged_row_is_reported_as_such_and_names_no_number() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    let store = open(&path);
    keep(&store, [callback(1)]).await;
    let db = Connection::open(&path).unwrap();
    db.execute("UPDATE callbacks SET state = 'lost'", []).unwrap();
    let error = store.callback(callback_id(1)).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt(_)), "{error:?}");
    assert!(!error.to_string().contains("5511"), "{error}");
}

/// Changes the stored text of one report. Returns the readable parts.
async fn damaged(change: &str) -> UnreadableReport {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    let store = open(&path);
    keep(&store, [callback(1)]).await;
    let attempt = attempt(1);
    store.record(Batch { attempts: vec![attempt.clone()], ..Batch::default() }).await.unwrap();
    store.append_reports(vec![report(1), report(2), report(3)]).await.unwrap();
    let change = change.replace("ATTEMPT", &attempt.id.to_string());
    let sql = format!("UPDATE reports SET event = {change} WHERE seq = 2");
    Connection::open(&path).unwrap().execute(&sql, []).unwrap();
    let Err(Error::Unreadable(mut found)) = store.unfolded_reports(9).await else { panic!("{change}") };
    let one = found.pop().unwrap();
    assert!(found.is_empty() && !one.why.contains("5511") && one.seq == 2 && !one.is_command, "{one:?}");
    let ground = Ground { read: 1, ..Ground::default() };
    let batch = Batch { folded: vec![1], ground: Some(ground), ..Batch::default() };
    assert!(matches!(store.record(batch).await, Err(Error::Conflict)), "the report may be about anybody");
    let item = SetAside {
        id: SetAsideId::new(Uuid::from_u128(1)),
        item: SetAsideItem::Report(2),
        consumer: one.consumer,
        callback: None,
        at: at(9),
        kind: one.kind.clone().into(),
        place: None,
        end: None,
    };
    store.record(Batch { set_aside: vec![item], ..Batch::default() }).await.unwrap();
    let others: Vec<i64> = store.unfolded_reports(9).await.unwrap().iter().map(|report| report.seq).collect();
    assert_eq!(others, [1, 3]);
    one
}

#[tokio::test]
async fn a_report_that_cannot_be_read_has_its_person_and_leaves_the_others_readable() {
    let of = |kind: &str, consumer| (kind.to_owned(), consumer);
    let told = consumer(2);
    for (change, expected) in [
        ("replace(event, 'sender', 'stranger')", of("inbound_message", Some(told))),
        ("replace(event, 'inbound_message', 'inbound_smoke')", of("inbound_smoke", Some(told))),
        ("replace(event, 'inbound_message', 'Call me ' || event)", of("unreadable", None)),
        ("substr(event, 2)", of("unreadable", None)),
        ("''", of("unreadable", None)),
        ("CAST(x'ff' AS TEXT)", of("unreadable", None)),
        ("'{\"message\":{\"consumer\":12}}'", of("message", None)),
        ("'{\"call\":{\"attempt\":\"ATTEMPT\"}}'", of("call", Some(attempt(1).consumer))),
    ] {
        let one = damaged(change).await;
        assert_eq!((one.kind, one.consumer), expected, "{change}");
    }
}

/// SQLite names its log after the file, so two names of one file would have two logs.
#[test]
fn a_file_with_two_names_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (path, link) = (dir.path().join("ringmaster.db"), dir.path().join("link.db"));
    drop(open(&path));
    std::fs::hard_link(&path, &link).unwrap();
    for name in [&path, &link] {
        for access in [Access::Exclusive, Access::Beside] {
            assert!(refusal(name, access).starts_with("has 2 names (hard links)"));
        }
    }
    std::fs::remove_file(&link).unwrap();
    drop(open(&path));
}

/// Every write checks its term in its own transaction; reads do not.
#[tokio::test]
async fn a_daemon_of_an_older_term_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    let remove_lock = || std::fs::remove_file(dir.path().join("ringmaster.db.lock")).unwrap();
    let first = open(&path);
    keep(&first, [callback(1)]).await;
    record(&first, Batch { outbox: vec![told(1, 1, "callback.calling")], ..Batch::default() }).await;
    remove_lock();
    let second = open(&path);
    let token = |hash| Token::new("operator", [hash; 32], at(1));
    let deposed = |error: Option<Error>| matches!(error, Some(Error::Deposed));
    let batch = Batch { pairs: vec![pair(1)], ..Batch::default() };
    assert!(deposed(first.record(batch.clone()).await.err()), "the scheduler");
    assert!(deposed(first.append_reports(vec![report(1)]).await.err()), "the inbox");
    assert!(deposed(first.enqueue_callbacks(vec![order(callback(2))]).await.err()), "the orders");
    assert!(deposed(first.claim_deliveries(at(99), at(199), 9).await.err()), "the claims of the outbox");
    let id = second.claim_deliveries(at(99), at(199), 9).await.unwrap()[0].row.id;
    assert!(deposed(first.settle_delivery(id, at(1), Settled::Delivered, None).await.err()), "the outbox");
    assert!(deposed(first.create_token(token(9)).await.err()), "the tokens");
    assert!(first.callback(callback_id(1)).await.unwrap().is_some());
    assert_eq!(second.unfolded_reports(9).await.unwrap(), []);
    assert_eq!(second.backlog().await.unwrap().waiting, 1);
    second.record(batch).await.unwrap();
    remove_lock();
    let third = open(&path);
    assert!(deposed(first.append_reports(vec![report(1)]).await.err()), "the first");
    assert!(deposed(second.append_reports(vec![report(1)]).await.err()), "the second");
    assert_eq!(third.append_reports(vec![report(1)]).await.unwrap(), [true]);
    // A short command does not begin a term.
    let beside = SqlStore::open(&path, Access::Beside).unwrap();
    beside.create_token(token(8)).await.unwrap();
    assert_eq!(third.append_reports(vec![report(2)]).await.unwrap(), [true]);
}
