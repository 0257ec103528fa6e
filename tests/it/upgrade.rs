//! Opens a store of an older program, migrates it, and continues with it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::config::Config;
use ringmaster::domain::{
    CallPermission, Holds, Name, OrderKind, Outcome, Pair, Person, Phone, RefusalKind, Resource, State,
    Tenant,
};
use ringmaster::sim::world::Setup;
use ringmaster::simulation::{Fixture, Simulation, fixture};
use ringmaster::store::relational::{Access, SqlStore};
use ringmaster::store::{Filter, Orders as _, Page, Records as _, Store, Tokens as _};

/// A store of the program of commit c622951 (schema 5) and its sandbox, killed while three calls were in progress. It has
/// waiting, calling, reached and canceled callbacks, requested, granted and declined permissions, and the intent of one
/// request.
const OLD: &str = "tests/stores/c622951.db";
/// When it was killed.
const KILLED_AT: &str = "2026-11-27T14:58:38Z";
const SENDER: &str = "+442079460000";
const ALL: Page = Page { before: None, limit: 100 };

fn copied(dir: &Path) -> PathBuf {
    let path = dir.join("ringmaster.db");
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(OLD), &path).unwrap();
    path
}

/// The account and the sender of the old store, in the daemon and in the world.
fn setting() -> (Config, Setup) {
    let (mut config, mut setup) = fixture(&Fixture { invites: true, ..Fixture::default() });
    let sender = Phone::parse(SENDER).unwrap();
    let mut account = config.accounts.remove("main").unwrap();
    let (_, mut settings) = account.senders.pop_first().unwrap();
    (settings.number, settings.account) = (sender, "sandbox1".into());
    account.senders.clear();
    account.senders.insert(sender, settings);
    config.accounts.insert("sandbox1".into(), account);
    setup.accounts[0].senders.truncate(1);
    setup.accounts[0].senders[0].number = sender;
    (config, setup)
}

#[tokio::test]
async fn a_store_of_commit_c622951_opens_with_everything_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = copied(dir.path());
    let store = SqlStore::open(&path, Access::Exclusive).unwrap();
    let callbacks = store.list_callbacks(&Filter::default(), &ALL).await.unwrap().callbacks;
    let outcome = |outcome| {
        callbacks
            .iter()
            .filter(|callback| callback.closed().is_some_and(|closed| closed.outcome == outcome))
            .count()
    };
    assert_eq!(callbacks.len(), 15);
    assert_eq!((outcome(Outcome::Reached), outcome(Outcome::Canceled)), (3, 1));
    let calling = callbacks.iter().filter(|callback| matches!(callback.state, State::Calling { .. })).count();
    let live = store.live_attempts().await.unwrap();
    assert_eq!((calling, live.len()), (3, 3));
    for attempt in live {
        let sender = Resource::Sender(Phone::parse(SENDER).unwrap());
        assert_eq!(attempt.holds, Holds::new([sender, Resource::Account("sandbox1".into())]));
    }
    assert_eq!(store.unsettled_messages().await.unwrap().len(), 1);
    assert_eq!(store.tokens().await.unwrap().len(), 1);
    assert_eq!(store.wrong_counts().await.unwrap(), Vec::<String>::new());
    for callback in callbacks.iter().filter(|callback| callback.attempts_opened > 0) {
        assert!(!store.timeline(callback.id).await.unwrap().is_empty(), "{}", callback.id);
    }
    drop(store);
    // Open it again: no migration is left.
    SqlStore::open(&path, Access::Exclusive).unwrap();
}

/// The person of a number, with the ledgers.
async fn person(store: &dyn Store, number: &str) -> (Person, Vec<Pair>) {
    let mut found = store.people(&[Name::Number(Phone::parse(number).unwrap())]).await.unwrap();
    assert_eq!(found.len(), 1, "{number}");
    found.remove(0)
}

#[tokio::test]
async fn people_of_commit_c622951_become_persons() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&copied(dir.path()), Access::Exclusive).unwrap();
    let live = store.live_attempts().await.unwrap();
    let week = SignedDuration::from_hours(24 * 7);
    let sender = Phone::parse(SENDER).unwrap();
    let mut told = Vec::new();
    for (number, requests, connected, misses) in [
        ("+447700900101", 0, 2, 0),
        ("+447700900102", 1, 0, 0),
        ("+447700900103", 1, 0, 0),
        ("+447700900105", 1, 0, 0),
        ("+447700900106", 1, 0, 1),
        ("+447700900108", 1, 0, 1),
        ("+447700900109", 0, 1, 0),
        ("+447700900110", 0, 2, 0),
        ("+447700900501", 1, 0, 0),
    ] {
        let (person, pairs) = person(&store, number).await;
        let [pair] = &pairs[..] else { panic!("{number} has {} ledgers", pairs.len()) };
        assert_eq!((pair.key.sender, pair.key.person), (sender, person.id));
        assert_eq!(
            (pair.requests.len(), pair.connected.len(), pair.misses),
            (requests, connected, misses),
            "{number}"
        );
        let theirs = live.iter().filter(|attempt| attempt.consumer.e164() == number);
        assert_eq!(person.live, theirs.map(|attempt| attempt.id).collect(), "{number}");
        let refusals = match pair.permission {
            CallPermission::Declined { until } => vec![(RefusalKind::Decline, sender, until - week)],
            _ => Vec::new(),
        };
        let found: Vec<_> = person.refusals.iter().map(|no| (no.kind, no.sender, no.at)).collect();
        assert_eq!(found, refusals, "{number}");
        told.push(pair.permission.as_str());
    }
    let granted = "temporary";
    let expected = [granted, "declined", "requested", granted, granted, granted, granted, granted, "none"];
    assert_eq!(told, expected);
    let open = store.awaiting_reply(&Tenant::default(), KILLED_AT.parse().unwrap(), 10).await.unwrap();
    let awaited: Vec<_> = open.requests.iter().map(|(message, _)| message.consumer.e164()).collect();
    assert_eq!(awaited, ["+447700900103"]);
}

mod migrations {
    refinery::embed_migrations!("src/store/relational/migrations");
}

/// A store at schema 17, the last one without records of people, made from the one of commit c622951. It has two senders
/// with different answers of one consumer, a user id, and a consumer under two spellings.
fn at_schema_17(dir: &Path) -> PathBuf {
    let path = copied(dir);
    let mut db = rusqlite::Connection::open(&path).unwrap();
    migrations::migrations::runner().set_target(refinery::Target::Version(17)).run(&mut db).unwrap();
    db.execute_batch(
        "INSERT INTO pairs (sender, consumer, version, permission, permission_until, requests, connected, misses, \
             external_user_id) \
         VALUES (442079460000, 447700900601, 1, 'declined', 1796396286000000, x'', x'', 0, NULL), \
             (442079460001, 447700900601, 3, 'temporary', 1796396286000000, x'', x'', 2, 'whatsapp:GB.601'), \
             (442079460000, 447700900602, 1, 'revoked_by_consumer', NULL, x'', x'', 0, 'GB.602'), \
             (442079460000, 447700900603, 1, 'revoked_automatically', NULL, x'', x'', 4, 'no id'), \
             (442079460000, 525555500142, 1, 'permanent', NULL, x'', x'', 1, NULL), \
             (442079460000, 5215555500142, 1, 'declined', 1796396286000000, x'', x'', 3, NULL);
         CREATE TEMP TABLE one AS SELECT * FROM callbacks WHERE consumer = 447700900201;
         UPDATE one SET seq = NULL, id = x'01A21D83FF0000000000000000000001', consumer = 525555500142, reference = 'mx-1';
         INSERT INTO callbacks SELECT * FROM one;
         UPDATE one SET id = x'01A21D83FF0000000000000000000002', consumer = 5215555500142, reference = 'mx-2';
         INSERT INTO callbacks SELECT * FROM one;",
    )
    .unwrap();
    path
}

#[tokio::test]
async fn a_stored_refusal_of_schema_17_binds_the_person() {
    let dir = tempfile::tempdir().unwrap();
    let store = SqlStore::open(&at_schema_17(dir.path()), Access::Exclusive).unwrap();
    let sender = Phone::parse(SENDER).unwrap();
    let kinds =
        |person: &Person| -> Vec<_> { person.refusals.iter().map(|no| (no.kind, no.sender)).collect() };

    let (both, pairs) = person(&store, "+447700900601").await;
    assert_eq!(kinds(&both), [(RefusalKind::Decline, sender)], "whichever sender asks next");
    let permissions: Vec<_> = pairs.iter().map(|pair| (pair.permission.as_str(), pair.misses)).collect();
    assert_eq!(permissions, [("declined", 0), ("temporary", 2)]);
    let id = Name::User { portfolio: "default".into(), id: "GB.601".parse().unwrap() };
    assert_eq!(both.names, BTreeSet::from([id.clone()]));
    let by_id = store.people(&[id]).await.unwrap();
    assert_eq!(by_id[0].0, both);

    let (revoked, _) = person(&store, "+447700900602").await;
    assert_eq!(kinds(&revoked), [(RefusalKind::Revocation, sender)]);
    assert_eq!(revoked.names.len(), 1);
    let (automatic, _) = person(&store, "+447700900603").await;
    assert_eq!(
        (kinds(&automatic), automatic.names.len()),
        (Vec::new(), 0),
        "an automatic revocation is not a refusal"
    );

    // Two records of one person are found together; a turn that reads them merges them.
    let spellings = store.people(&[Name::Number(Phone::told("+525555500142").unwrap())]).await.unwrap();
    assert_eq!(spellings.len(), 2);
    let mut one = spellings[0].0.clone();
    one.absorb(&spellings[1].0);
    assert_eq!(kinds(&one), [(RefusalKind::Decline, sender)]);
}

#[tokio::test(start_paused = true)]
async fn a_no_under_one_spelling_at_schema_17_ends_what_waits_under_both() {
    for is_sender_configured in [true, false] {
        let dir = tempfile::tempdir().unwrap();
        let store: Arc<dyn Store> = Arc::new(SqlStore::open_inline(&at_schema_17(dir.path())).unwrap());
        let (mut config, setup) = setting();
        if !is_sender_configured {
            let senders = &mut config.accounts.get_mut("sandbox1").unwrap().senders;
            let (_, mut settings) = senders.pop_first().unwrap();
            settings.number = Phone::parse("+442079460001").unwrap();
            senders.insert(settings.number, settings);
        }
        let start: Timestamp = KILLED_AT.parse().unwrap();
        let mut simulation = Simulation::begin_on(&config, setup, start, store.clone()).await.unwrap();
        simulation.advance(SignedDuration::from_hours(24 * 2)).await.unwrap();
        for reference in ["mx-1", "mx-2"] {
            let found =
                store.referenced(&Tenant::default(), OrderKind::Callback, reference, 1).await.unwrap();
            let record = store.callback(found[0]).await.unwrap().unwrap();
            let end = record.callback.closed().unwrap();
            let told = (end.outcome, &*end.note.code);
            assert_eq!(
                told,
                (Outcome::Declined, "permission.declined"),
                "{reference}, {is_sender_configured}"
            );
            assert_eq!((record.attempts.len(), record.messages.len()), (0, 0), "{reference}");
        }
        // Invited by the older program after the no; the invite was not taken up until the deadline.
        let invited = store.referenced(&Tenant::default(), OrderKind::Callback, "fx-02", 1).await.unwrap();
        let invited = store.callback(invited[0]).await.unwrap().unwrap();
        let outcome = invited.callback.closed().map(|end| end.outcome);
        assert_eq!((outcome, invited.messages.len()), (Some(Outcome::Declined), 2), "{is_sender_configured}");
        let (one, pairs) = person(&*store, "+525555500142").await;
        assert_eq!((one.refusals.len(), pairs.len()), (1, 1), "both records are one person now");
    }
}

#[tokio::test]
async fn abandoned_callbacks_of_schema_32_are_counted_and_listed() {
    let dir = tempfile::tempdir().unwrap();
    let path = copied(dir.path());
    let mut db = rusqlite::Connection::open(&path).unwrap();
    migrations::migrations::runner().set_target(refinery::Target::Version(32)).run(&mut db).unwrap();
    // Two wait, one calls, one is closed.
    db.execute_batch(
        "UPDATE callbacks SET abandoned_at = 1795791514000000 WHERE consumer IN (447700900106, 447700900108) \
             OR (consumer = 447700900105 AND state = 'calling') OR (consumer = 447700900109 AND state = 'reached');",
    )
    .unwrap();
    drop(db);
    let store = SqlStore::open(&path, Access::Exclusive).unwrap();
    assert_eq!(store.census().await.unwrap().abandoned, 3);
    assert_eq!(store.wrong_counts().await.unwrap(), Vec::<String>::new());
    let listed = async |abandoned| {
        let filter = Filter { abandoned: Some(abandoned), ..Filter::default() };
        store.list_callbacks(&filter, &ALL).await.unwrap().callbacks.len()
    };
    assert_eq!((listed(true).await, listed(false).await), (4, 11));
}

#[tokio::test(start_paused = true)]
async fn a_daemon_continues_with_a_store_of_commit_c622951() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqlStore::open_inline(&copied(dir.path())).unwrap());
    let before = store.list_callbacks(&Filter::default(), &ALL).await.unwrap().callbacks;
    let closed_before: BTreeSet<_> =
        before.iter().filter(|callback| callback.is_closed()).map(|callback| callback.id).collect();
    let (config, setup) = setting();
    let start: Timestamp = KILLED_AT.parse().unwrap();
    let mut simulation = Simulation::begin_on(&config, setup, start, store.clone()).await.unwrap();
    simulation.advance(SignedDuration::from_hours(24 * 6)).await.unwrap();
    let after = store.list_callbacks(&Filter::default(), &ALL).await.unwrap().callbacks;
    let open: Vec<_> =
        after.iter().filter(|callback| !callback.is_closed()).map(|callback| callback.id).collect();
    // The world of these calls is gone, so they cannot be looked up: they wait for an operator and are not placed again.
    let calling_before: Vec<_> = before
        .iter()
        .filter(|callback| matches!(callback.state, State::Calling { .. }))
        .map(|callback| callback.id)
        .collect();
    assert_eq!(open, calling_before, "every deadline has passed");
    let closed_after =
        after.iter().filter(|callback| callback.is_closed() && !closed_before.contains(&callback.id));
    assert_eq!(closed_after.count(), before.len() - closed_before.len() - calling_before.len());
    assert_eq!(store.live_attempts().await.unwrap().len(), calling_before.len());
    assert_eq!(store.unsettled_messages().await.unwrap(), [], "an intent is withdrawn and decided again");
    // The consumer with an old refusal gets nothing more than the request and the invite that were sent before.
    let declined = after.iter().find(|callback| callback.order.consumer.e164() == "+447700900102").unwrap();
    let record = store.callback(declined.id).await.unwrap().unwrap();
    assert_eq!((record.attempts.len(), record.messages.len()), (0, 2));
    let end = declined.closed().unwrap();
    assert_eq!((end.outcome, &*end.note.code), (Outcome::Declined, "permission.declined"));
}
