//! A store that an older program made is opened, brought up to date, and worked on.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::config::Config;
use ringmaster::domain::{Holds, Outcome, Phone, Resource, State};
use ringmaster::sim::world::Setup;
use ringmaster::simulation::{Fixture, Simulation, fixture};
use ringmaster::store::sqlite::{Access, Sqlite};
use ringmaster::store::{Filter, Orders as _, Page, Records as _, Store, Tokens as _};

/// Made by the program of commit c622951 (schema 5) with its sandbox, and killed while three calls were in progress:
/// callbacks that wait, call, were reached and were canceled; permissions asked for, granted and declined; one request
/// that was intended and had not left.
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
    let (_, settings) = account.senders.pop_first().unwrap();
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
    let store = Sqlite::open(&path, Access::Exclusive).unwrap();
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
    // Open once more: there is nothing left to bring up to date.
    Sqlite::open(&path, Access::Exclusive).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_daemon_goes_on_with_a_store_of_commit_c622951() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(Sqlite::open_inline(&copied(dir.path())).unwrap());
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
    // The world that knew of these calls is gone, so nobody can tell how they ended: they wait for an operator, and
    // are not placed again.
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
    assert_eq!(store.unsettled_messages().await.unwrap(), [], "what had not left is decided anew");
}
