//! The tables that PostgreSQL keeps by month.

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::{Event, Named, Outcome, Phone, State};
use ringmaster::scheduler::told as told_by_sip;
use ringmaster::store::relational::{Kept, Options, Reach, SqlStore};
use ringmaster::store::{Batch, Error, Inbox as _, OutboxRow, Report, Turns as _};
use tokio_postgres::NoTls;

use super::samples::*;
use crate::harness::postgres::Database;

const INSTANT: SignedDuration = SignedDuration::from_micros(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn december() -> Timestamp {
    at("2026-12-01T00:00:00Z")
}

/// A store with the months from November 2026 to January 2027.
async fn with_months() -> (Database, SqlStore) {
    let database = Database::new();
    let store = database.store();
    assert_eq!(store.make_months(december() - INSTANT).await.unwrap(), 12);
    (database, store)
}

fn report_at(key: u8, received_at: Timestamp, event: Event) -> Report {
    Report { key: [key; 16], received_at, event }
}

fn cancel() -> Event {
    Event::CancelRequested { callback: callback_id(1) }
}

fn answer() -> Event {
    Event::InboundMessage {
        sender: Phone::parse("+551140000001").unwrap(),
        who: Named::number(Phone::parse("+5511987650001").unwrap()),
        word: None,
        wrote_at: None,
    }
}

async fn fold_all(store: &SqlStore) {
    let folded = store.unfolded_reports(99).await.unwrap().iter().map(|report| report.seq).collect();
    store.record(Batch { folded, ..Batch::default() }).await.unwrap();
}

/// A whole pass; how many rows were deleted, and how many months dropped.
async fn pass(store: &SqlStore, kind: Kept, before: Timestamp) -> (u64, u64) {
    let (mut rows, mut months, mut after) = (0, 0, 0);
    loop {
        let step = store.retain(kind, before, after, 2, told_by_sip).await.unwrap();
        rows += step.deleted;
        months += step.months;
        let Some(next) = step.next else { return (rows, months) };
        after = next;
    }
}

fn count(database: &Database, of: &str) -> String {
    database.ask(&format!("SELECT count(*) FROM {of}")).remove(0)
}

#[tokio::test]
async fn rows_are_in_the_month_of_their_time_and_in_the_rest_without_one() {
    let database = Database::new();
    let store = database.store();
    let reports = [
        (1, at("2026-11-01T00:00:00Z") - INSTANT),
        (2, at("2026-11-01T00:00:00Z")),
        (3, december() - INSTANT),
        (4, december()),
    ];
    let of = |(key, received_at)| report_at(key, received_at, cancel());
    store.append_reports(reports[..3].iter().copied().map(of).collect()).await.unwrap();
    assert_eq!(count(&database, "reports_rest"), "3");
    assert_eq!(store.make_months(december() - INSTANT).await.unwrap(), 12);
    assert_eq!(store.make_months(december() - INSTANT).await.unwrap(), 0, "they are there");
    assert_eq!(store.make_months(december()).await.unwrap(), 4, "the month ahead is made in time");
    store.append_reports(reports.into_iter().map(of).collect()).await.unwrap();
    let counts = ["reports_rest", "reports_2026_11", "reports_2026_12"].map(|table| count(&database, table));
    assert_eq!(counts, ["1", "2", "1"], "a repeated report is not stored again");
    assert_eq!(store.unfolded_reports(9).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_month_goes_when_all_in_it_is_old_and_the_keys_of_answers_stay() {
    let (database, store) = with_months().await;
    let first = at("2026-11-10T12:00:00Z");
    let all = || {
        vec![
            report_at(1, first, answer()),
            report_at(2, first, cancel()),
            report_at(3, december() - INSTANT, cancel()),
            report_at(4, december(), cancel()),
        ]
    };
    store.append_reports(all()).await.unwrap();
    fold_all(&store).await;
    assert_eq!(pass(&store, Kept::Inbox, december() - INSTANT).await, (0, 0), "its last moment is not old");
    assert_eq!(count(&database, "reports"), "4");
    assert_eq!(pass(&store, Kept::Inbox, december()).await.1, 1);
    assert_eq!(count(&database, "reports"), "2");
    assert_eq!(database.ask("SELECT event FROM reports_rest"), ["\"erased\""], "without its text");
    assert_eq!(store.append_reports(all()).await.unwrap(), [false, true, true, false]);
    assert_eq!(pass(&store, Kept::Inbox, december()).await.1, 0, "it is gone");
}

#[tokio::test]
async fn what_is_not_folded_outlives_its_month_and_goes_from_the_rest_later() {
    let (database, store) = with_months().await;
    store.append_reports(vec![report_at(1, december() - INSTANT, cancel())]).await.unwrap();
    assert_eq!(pass(&store, Kept::Inbox, december()).await, (0, 1));
    let left = store.unfolded_reports(9).await.unwrap();
    assert_eq!(left.iter().map(|report| &report.event).collect::<Vec<_>>(), [&cancel()]);
    fold_all(&store).await;
    store.append_reports(vec![report_at(2, december(), cancel())]).await.unwrap();
    assert_eq!(pass(&store, Kept::Inbox, december()).await, (1, 0));
    assert_eq!(count(&database, "reports_rest"), "0");
}

#[tokio::test]
async fn lines_of_open_callbacks_outlive_their_month() {
    let (database, store) = with_months().await;
    let (waits, calls, over) = (callback(1), callback(2), callback(3));
    keep(&store, [waits, calls.clone(), over.clone()]).await;
    let batch = Batch {
        callbacks: vec![
            next(&calls, State::Calling { attempt: attempt_id(2) }),
            next(&over, closed(Outcome::Reached)),
        ],
        attempts: vec![attempt(2)],
        ..Batch::default()
    };
    record(&store, batch).await;
    database.run("DELETE FROM timeline; UPDATE callbacks SET created_at = 0");
    let time = (december() - INSTANT).as_microsecond();
    for id in ["id FROM callbacks", "NULL FROM callbacks WHERE seq = 1"] {
        database.run(&format!("INSERT INTO timeline (at, what, why, callback) SELECT {time}, 'x', '', {id}"));
    }
    assert_eq!(count(&database, "timeline_2026_11"), "4");
    assert_eq!(pass(&store, Kept::Timeline, december()).await, (0, 1));
    let left =
        "SELECT c.state FROM timeline_rest AS t JOIN callbacks AS c ON c.id = t.callback ORDER BY c.seq";
    assert_eq!(database.ask(left), ["waiting", "calling"]);
    assert_eq!(count(&database, "timeline"), "2");
}

#[tokio::test]
async fn what_waits_or_was_settled_lately_outlives_its_month() {
    let (database, store) = with_months().await;
    let created = (december() - INSTANT).as_microsecond();
    let before = december() + DAY;
    let late = before.as_microsecond();
    for (id, state, settled_at) in [
        (1, "waiting", "NULL".to_owned()),
        (2, "delivered", created.to_string()),
        (3, "delivered", (late - 1).to_string()),
        (4, "given_up", late.to_string()),
    ] {
        database.run(&format!(
            "INSERT INTO outbox (id, subject, what, payload, created_at, state, tries, settled_at) \
             VALUES ('\\x0{id}', '\\x0{id}', 'callback.closed', '', {created}, '{state}', 0, {settled_at})"
        ));
    }
    assert_eq!(pass(&store, Kept::Outbox, before - INSTANT).await, (0, 0));
    assert_eq!(pass(&store, Kept::Outbox, before).await, (0, 1));
    assert_eq!(database.ask("SELECT state FROM outbox ORDER BY seq"), ["waiting", "given_up"]);
}

#[tokio::test]
async fn the_audit_log_goes_by_month() {
    let (database, store) = with_months().await;
    for time in [december() - INSTANT, december()] {
        database.run(&format!(
            "INSERT INTO audit (at, who, way, tenant, what, outcome) \
             VALUES ({}, 'a', 'token', 'default', 'token.create', 'done')",
            time.as_microsecond()
        ));
    }
    assert_eq!(pass(&store, Kept::Audit, december() - INSTANT).await, (0, 0));
    assert_eq!(pass(&store, Kept::Audit, december()).await, (0, 1));
    assert_eq!(count(&database, "audit"), "1");
}

#[tokio::test]
async fn several_months_go_in_one_pass_the_oldest_first() {
    let (database, store) = with_months().await;
    assert_eq!(pass(&store, Kept::Timeline, at("2027-01-01T00:00:00Z")).await, (0, 2));
    let left = "SELECT relname FROM pg_class AS c JOIN pg_inherits AS i ON i.inhrelid = c.oid \
                WHERE i.inhparent = 'timeline'::regclass ORDER BY 1";
    assert_eq!(database.ask(left), ["timeline_2027_01", "timeline_rest"]);
}

#[tokio::test]
async fn a_long_read_puts_a_month_off_and_nothing_else() {
    let (database, store) = with_months().await;
    let (reader, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    reader.batch_execute("BEGIN; SELECT count(*) FROM timeline").await.unwrap();
    let step = store.retain(Kept::Timeline, december(), 0, 2, told_by_sip).await;
    assert!(matches!(step, Err(Error::Busy)), "{step:?}");
    store.append_reports(vec![report_at(1, december(), cancel())]).await.unwrap();
    reader.batch_execute("COMMIT").await.unwrap();
    assert_eq!(pass(&store, Kept::Timeline, december()).await, (0, 1));
}

#[tokio::test]
async fn a_user_who_does_not_own_the_tables_writes_into_the_rest_and_deletes_rows() {
    let (database, owner) = with_months().await;
    owner.append_reports(vec![report_at(9, december() - INSTANT, cancel())]).await.unwrap();
    fold_all(&owner).await;
    database.run(
        "DO $$ BEGIN CREATE ROLE guest LOGIN; EXCEPTION WHEN OTHERS THEN NULL; END $$; \
         GRANT USAGE ON SCHEMA public TO guest; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest; \
         GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO guest",
    );
    let reach = Reach::new(&database.url_as("guest"), None, None).unwrap();
    let store = SqlStore::connect(reach, &Options::default()).unwrap();
    assert!(store.lacks_months().await.unwrap() && !owner.lacks_months().await.unwrap());
    let march = at("2027-03-10T00:00:00Z");
    assert_eq!(store.make_months(march).await.unwrap(), 0);
    let reports = vec![report_at(1, march, cancel()), report_at(2, march + DAY, cancel())];
    store.append_reports(reports).await.unwrap();
    fold_all(&store).await;
    assert_eq!(count(&database, "reports_rest"), "2");
    assert_eq!(pass(&store, Kept::Inbox, march + INSTANT).await, (1, 0));
}

#[tokio::test]
async fn an_end_of_a_callback_has_one_webhook_also_in_another_month() {
    let (database, store) = with_months().await;
    keep(&store, [callback(1)]).await;
    let row = |id: u32, created_at: Timestamp| OutboxRow { created_at, ..told(id, 1, "callback.closed") };
    for (id, created_at) in [(1, december() - INSTANT), (2, december())] {
        record(&store, Batch { outbox: vec![row(id, created_at)], ..Batch::default() }).await;
    }
    assert_eq!(count(&database, "outbox"), "1");
}
