//! The adapter for PostgreSQL, and faults that only a database can have.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ringmaster::domain::State;
use ringmaster::store::relational::{Access, Listener, Migrated, Options, Reach, SqlStore, migrate};
use ringmaster::store::{Batch, Error, Inbox as _, Orders as _, Store, Tokens as _, Turns as _};
use tokio::sync::Notify;
use tokio_postgres::NoTls;

use super::Fresh;
use super::samples::*;
use crate::harness::postgres::Database;
use crate::harness::silent::Silent;

pub fn in_database() -> Fresh {
    let database = Database::new();
    let store = Arc::new(database.store());
    Fresh { store, _dir: None, _database: Some(database) }
}

/// The refusal of a database, without its name.
fn refusal(reach: Reach) -> String {
    let name = format!("the database {} ", reach.name());
    match SqlStore::connect(reach, &Options::default()) {
        Err(Error::Unusable(sentence)) => {
            let rest = sentence.strip_prefix(&name);
            rest.unwrap_or_else(|| panic!("{sentence}")).to_owned()
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[track_caller]
fn refused(reach: Reach, why: &str) {
    let refusal = refusal(reach);
    assert!(refusal.contains(why), "{why:?} is not in: {refusal}");
}

#[tokio::test]
async fn a_database_that_was_left_has_everything() {
    let database = Database::new();
    let store = database.store();
    keep(&store, [callback(1), callback(2)]).await;
    store.append_reports(vec![report(1)]).await.unwrap();
    let batch = Batch {
        callbacks: vec![next(&callback(1), State::Calling { attempt: attempt_id(1) })],
        attempts: vec![attempt(1)],
        pairs: vec![pair(1)],
        ..Batch::default()
    };
    record(&store, batch.clone()).await;
    let key_before = store.address_key([1; 32]).await.unwrap();
    drop(store);

    let store = database.store();
    let kept = store.callback(callback_id(1)).await.unwrap().unwrap();
    assert_eq!((kept.callback, kept.attempts), (batch.callbacks[0].clone(), batch.attempts));
    assert_eq!(store.pairs(&[key(1)]).await.unwrap(), batch.pairs);
    assert_eq!(store.append_reports(vec![report(1)]).await.unwrap(), [false]);
    assert_eq!(store.address_key([2; 32]).await.unwrap(), key_before);
    assert_eq!(store.wrong_counts().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn an_empty_database_gets_the_schema_once_also_from_several_processes() {
    let database = Database::bare();
    let reaches: Vec<Reach> = (0..4).map(|_| database.reach()).collect();
    let each = reaches.into_iter().map(|reach| std::thread::spawn(move || migrate(reach).unwrap()));
    let each: Vec<_> = each.collect();
    let done: Vec<Migrated> = each.into_iter().map(|one| one.join().unwrap()).collect();
    let made = done.iter().filter(|one| one.from.is_none()).count();
    assert_eq!(made, 1, "{done:?}");
    assert!(done.iter().all(|one| one.to == done[0].to), "{done:?}");
    keep(&database.store(), [callback(1)]).await;
}

#[test]
fn the_tables_and_columns_are_those_of_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    drop(SqlStore::open(&path, Access::Exclusive).unwrap());
    let file = rusqlite::Connection::open(&path).unwrap();
    let sql = "SELECT m.name || '.' || c.name || ' ' || CASE c.type WHEN 'INTEGER' THEN 'bigint' WHEN 'BLOB' THEN 'bytea' \
         ELSE 'text' END || CASE WHEN c.\"notnull\" OR c.pk THEN ' required' ELSE '' END \
         FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c \
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' AND m.name <> 'refinery_schema_history'";
    let mut statement = file.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    let in_file: BTreeSet<String> = rows.map(Result::unwrap).collect();
    let columns = "SELECT table_name || '.' || column_name || ' ' || data_type \
         || CASE WHEN is_nullable = 'NO' THEN ' required' ELSE '' END FROM information_schema.columns \
         WHERE table_schema = 'public' AND table_name <> 'ringmaster' AND table_name NOT LIKE '%rest'";
    let database = Database::new();
    let in_database: BTreeSet<String> = database.ask(columns).into_iter().collect();
    assert_eq!(in_file, in_database, "run tools/postgres/baseline --write");
}

#[test]
fn texts_are_ordered_by_their_bytes() {
    let other = "SELECT attrelid::regclass || '.' || attname FROM pg_attribute JOIN pg_collation AS c \
         ON c.oid = attcollation WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace \
         AND relkind IN ('r', 'p')) AND collname <> 'C'";
    assert_eq!(Database::new().ask(other), Vec::<String>::new());
}

#[test]
fn a_database_that_cannot_be_used_is_refused_with_what_helps() {
    let database = Database::bare();
    database.run("CREATE TABLE invoices (id BIGINT)");
    refused(
        database.reach(),
        "is the database of another program; give Ringmaster a database or a schema of its own",
    );
    let absent = database.url().replace(database.name(), "nothing_here");
    refused(Reach::new(&absent, None, None).unwrap(), "does not exist");
    let nobody = Reach::new("postgres://r@127.0.0.1:1/ringmaster", None, None).unwrap();
    refused(nobody, "cannot be reached");
    let encoded = Database::bare();
    encoded.run("CREATE SCHEMA lost; DROP SCHEMA public");
    refused(encoded.reach(), "has no schema to create tables in");
}

#[test]
fn a_wrong_password_is_refused_without_showing_it() {
    let database = Database::bare();
    database.run(
        "DO $$ BEGIN CREATE ROLE locked LOGIN PASSWORD 'opensesame'; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    );
    database.run(&format!(
        "GRANT ALL ON DATABASE {} TO locked; GRANT ALL ON SCHEMA public TO locked",
        database.name()
    ));
    let reach = |password| Reach::new(&database.url_as("locked"), Some(password), None).unwrap();
    let refusal = refusal(reach("geheim"));
    assert!(refusal.contains("refuses the user or the password"), "{refusal}");
    assert!(refusal.contains("store.password_file") && !refusal.contains("geheim"), "{refusal}");
    assert_eq!(migrate(reach("opensesame")).unwrap().from, None);
}

#[test]
fn a_user_who_may_not_create_tables_is_refused_with_what_helps() {
    let database = Database::bare();
    database.run(
        "DO $$ BEGIN CREATE ROLE poor LOGIN; EXCEPTION WHEN OTHERS THEN NULL; END $$; \
         REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO poor",
    );
    let reach = Reach::new(&database.url_as("poor"), None, None).unwrap();
    refused(reach, "does not let the user do what is needed");
}

#[test]
fn an_older_program_is_refused_unless_the_schema_says_that_it_may() {
    let database = Database::new();
    let Migrated { to, .. } = migrate(database.reach()).unwrap();
    let newer = to + 1;
    database.run(&format!("UPDATE ringmaster SET schema = {newer}, least = {newer}"));
    refused(
        database.reach(),
        &format!("has schema {newer}, which needs a program that knows schema {newer}"),
    );
    database.run(&format!("UPDATE ringmaster SET least = {to}"));
    assert_eq!(migrate(database.reach()).unwrap(), Migrated { from: Some(newer), to: newer });
    drop(database.store());
}

#[tokio::test]
async fn a_lost_connection_is_unavailable_once_and_made_again() {
    let database = Database::new();
    let options = Options { readers: 1, ..Options::default() };
    let store = database.store_with(&options);
    keep(&store, [callback(1)]).await;
    database.close();
    for _ in 0..3 {
        let read = store.callback(callback_id(1)).await;
        assert!(matches!(read, Err(Error::Unavailable(_))), "{read:?}");
        let written = store.append_reports(vec![report(1)]).await;
        assert!(matches!(written, Err(Error::Unavailable(_))), "{written:?}");
    }
    database.open();
    // Attempts to connect are made with pauses.
    let mut found = store.callback(callback_id(1)).await;
    while matches!(found, Err(Error::Unavailable(_))) {
        found = store.callback(callback_id(1)).await;
    }
    assert!(found.unwrap().is_some());
    let mut appended = store.append_reports(vec![report(1)]).await;
    while matches!(appended, Err(Error::Unavailable(_))) {
        appended = store.append_reports(vec![report(1)]).await;
    }
    assert_eq!(appended.unwrap(), [true]);
}

#[tokio::test]
async fn after_a_connection_lost_in_the_commit_it_is_unknown_whether_it_was_written() {
    let database = Database::new();
    let store = database.store();
    database.run(
        "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON reports DEFERRABLE INITIALLY DEFERRED \
         FOR EACH ROW EXECUTE FUNCTION cut()",
    );
    let written = store.append_reports(vec![report(1)]).await;
    assert!(matches!(written, Err(Error::OutcomeUnknown)), "{written:?}");
    database.run("DROP TRIGGER cut ON reports");
    assert_eq!(store.append_reports(vec![report(1)]).await.unwrap(), [true]);
}

#[tokio::test]
async fn a_failed_command_does_not_affect_what_the_connection_does_next() {
    let database = Database::new();
    let store = database.store();
    keep(&store, [callback(1)]).await;
    for _ in 0..3 {
        let twice = store.enqueue_callbacks(vec![order(callback(1))]).await;
        assert!(matches!(twice, Err(Error::Conflict)), "{twice:?}");
    }
    keep(&store, [callback(2)]).await;
    assert_eq!(store.wrong_counts().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn numbers_that_a_rolled_back_transaction_took_are_not_left_out() {
    let database = Database::new();
    let store = database.store();
    keep(&store, [callback(1)]).await;
    let twice = store.enqueue_callbacks(vec![order(callback(2)), order(callback(1))]).await;
    assert!(matches!(twice, Err(Error::Conflict)), "{twice:?}");
    keep(&store, [callback(3)]).await;
    assert_eq!(database.ask("SELECT max(seq) FROM callbacks"), ["2"]);
}

#[tokio::test]
async fn what_one_process_commits_the_other_reads_and_hears_of() {
    let database = Database::new();
    let one = database.store();
    let other = SqlStore::connect(database.reach(), &Options::default()).unwrap();
    let woken = Arc::new(Notify::new());
    let bell = Arc::clone(&woken);
    let hears = Listener::start(database.reach(), move || bell.notify_one()).unwrap();
    let begun = Arc::new(Notify::new());
    let bell = Arc::clone(&begun);
    let tells = Listener::start(database.reach(), move || bell.notify_one()).unwrap();
    woken.notified().await;
    begun.notified().await;
    assert!(hears.hears() && tells.hears());
    keep(&one, [callback(1)]).await;
    tells.tell();
    woken.notified().await;
    assert!(other.callback(callback_id(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn writers_of_several_processes_write_one_after_the_other() {
    let database = Database::new();
    let stores: Vec<Arc<dyn Store>> = (0..3)
        .map(|_| {
            let beside = SqlStore::connect(database.reach(), &Options::default()).unwrap();
            Arc::new(beside) as Arc<dyn Store>
        })
        .collect();
    let each = stores.iter().enumerate().map(|(part, store)| {
        let store = Arc::clone(store);
        tokio::spawn(async move {
            for n in 0..20 {
                let n = u32::try_from(part).unwrap() * 20 + n + 1;
                keep(store.as_ref(), [callback(n)]).await;
            }
        })
    });
    for one in each.collect::<Vec<_>>() {
        one.await.unwrap();
    }
    assert_eq!(stores[0].wrong_counts().await.unwrap(), Vec::<String>::new());
    assert_eq!(database.ask("SELECT max(seq) || ' ' || count(*) FROM callbacks"), ["60 60"]);
}

#[tokio::test]
async fn a_read_beyond_its_time_is_stopped() {
    let database = Database::new();
    let options = Options { request_timeout: Duration::from_millis(200), ..Options::default() };
    let store = database.store_with(&options).for_requests();
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("BEGIN; LOCK TABLE callbacks").await.unwrap();
    let read = store.callback(callback_id(1)).await;
    assert!(matches!(read, Err(Error::Overdue)), "{read:?}");
    client.batch_execute("ROLLBACK").await.unwrap();
    assert!(store.callback(callback_id(1)).await.unwrap().is_none());
}

/// A server that is stopped accepts connections and says nothing.
#[tokio::test]
async fn a_server_that_says_nothing_is_away_for_a_read_when_its_time_is_over() {
    let database = Database::new();
    let silent = Silent::before(&database.socket()).await;
    let url = silent.url(database.name());
    let options = Options { request_timeout: Duration::from_millis(200), ..Options::default() };
    let reach = Reach::new(&url, None, None).unwrap();
    let store =
        tokio::task::spawn_blocking(move || SqlStore::connect(reach, &options)).await.unwrap().unwrap();
    let reading = store.for_requests();
    assert!(reading.callback(callback_id(1)).await.unwrap().is_none());
    silent.stop();
    let read = tokio::time::timeout(Duration::from_secs(10), reading.callback(callback_id(1))).await;
    assert!(matches!(read, Ok(Err(Error::Unavailable(_)))), "{read:?}");
}

#[test]
fn a_database_of_an_older_baseline_is_refused_because_no_release_made_it() {
    let database = Database::new();
    database.run("UPDATE ringmaster SET schema = 109, least = 109");
    refused(
        database.reach(),
        "has schema 109, which no release of Ringmaster has made; give it a new database",
    );
    assert_eq!(database.ask("SELECT schema FROM ringmaster"), ["109"]);
}
