//! A store that goes back in time: nothing leaves until the platforms have told what is missing and an operator releases
//! it, and no call is placed twice.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::ManualClock;
use ringmaster::daemon::{Watched, WitnessFile, watch_lineage};
use ringmaster::domain::{
    AccountListed, Lineage, LineageCause, LineageReleased, Numbers, Phone, Position, Server, StoreIdentity,
    Unrecorded, UnrecordedKind, Witnessed,
};
use ringmaster::simulation::Fixture;
use ringmaster::store::relational::{SqlStore, backup};
use ringmaster::store::{Batch, LineageChange, Lineages as _, Turns as _};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{START, SimulatedDaemon};

/// Consumers who grant a permission and answer calls.
const CALLED: &str = "+5511987650010";
const WILLING: &str = "+5511987650001";
const DEADLINE: &str = "2026-11-29T12:00:00Z";
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn witness(&self) -> PathBuf {
        WitnessFile::path(&self.path("a.db"), None)
    }

    /// Opens a store as a daemon does that starts at `now`.
    async fn open(&self, name: &str, adopts: bool, now: Timestamp) -> (Arc<SqlStore>, Watched) {
        let store = Arc::new(SqlStore::open_inline(&self.path(name)).unwrap());
        let clock = Arc::new(ManualClock::new(now));
        let watched = watch_lineage(&store, self.witness(), adopts, clock).await.unwrap();
        (store, watched)
    }
}

fn start() -> Timestamp {
    START.parse().unwrap()
}

/// A daemon that has called somebody, and was copied before that.
async fn gone_on(place: &Place) -> (SimulatedDaemon, String) {
    let (store, watched) = place.open("a.db", false, start()).await;
    let fixture = Fixture { calls_per_second: 10, ..Fixture::default() };
    let mut whole = SimulatedDaemon::begin_on(&fixture, START, store.clone()).await;
    watched.begin(&store).await.unwrap();
    whole.order(CALLED, DEADLINE, &json!({})).await;
    whole.pass(HOUR).await;
    let earliest = (whole.now() + HOUR).to_string();
    let id = whole.order(CALLED, DEADLINE, &json!({"earliest": earliest})).await;
    whole.pass(MINUTE).await;
    backup(&place.path("a.db"), &place.path("b.db"), whole.now()).unwrap();
    whole.pass(HOUR * 2).await;
    assert_eq!(outcome(&mut whole, &id).await, "reached");
    watched.flush();
    // What the checker has seen is not in the older store.
    whole.faults();
    (whole, id)
}

/// Puts the older copy in the place of the store.
async fn put_back(whole: &mut SimulatedDaemon, place: &Place, adopts: bool) -> Watched {
    let (older, watched) = place.open("b.db", adopts, whole.now()).await;
    whole.store = older.clone();
    whole.restart().await.unwrap();
    watched.begin(&older).await.unwrap();
    watched
}

async fn outcome(whole: &mut SimulatedDaemon, id: &str) -> Value {
    whole.get(&format!("/v1/callbacks/{id}")).await["outcome"].clone()
}

fn created(whole: &SimulatedDaemon) -> (u64, u64) {
    let counts = whole.world().report().counts;
    (counts.creates_accepted, counts.permission_requests + counts.messages)
}

#[tokio::test]
async fn after_a_store_went_back_nothing_leaves_until_it_is_released_and_no_call_is_placed_twice() {
    let place = Place::new();
    let (mut whole, id) = gone_on(&place).await;
    let before = created(&whole);
    let _watched = put_back(&mut whole, &place, false).await;
    let meanwhile = whole.order(WILLING, DEADLINE, &json!({})).await;
    whole.pass(HOUR).await;
    assert_eq!(created(&whole), before, "nothing leaves");
    let explained = whole.get(&format!("/v1/callbacks/{meanwhile}/explain")).await;
    assert_eq!(explained["reasons"][0]["code"], "store.lineage", "{explained}");
    assert!(whole.get("/v1/status").await["lineage_held_since"].is_string());

    let told = whole.get("/v1/lineage").await;
    assert_eq!((&told["state"], &told["lost"]["cause"]), (&json!("held"), &json!("gone_back")));
    let account = &told["lost"]["accounts"][0];
    assert_eq!((&account["state"], &account["calls"]), (&json!("listed"), &json!(1)), "{told}");
    let found = &told["lost"]["found"][0];
    assert_eq!((&found["kind"], &found["callback"]), (&json!("call"), &json!(id)), "{told}");
    assert!(told["lost"]["from"].as_str() < told["lost"]["until"].as_str());
    assert_eq!(outcome(&mut whole, &id).await, "reached", "by the call that was found");

    let (status, refused) = whole.try_post("/v1/lineage/release", &json!({})).await;
    assert_eq!((status, &refused["code"]), (422, &json!("lineage.invalid")));
    whole.post("/v1/lineage/release", &json!({"why": "the disk failed"})).await;
    whole.pass(HOUR).await;
    assert_eq!(outcome(&mut whole, &meanwhile).await, "reached");
    assert_eq!(created(&whole).0, before.0 + 1, "only the new one was called");
    let told = whole.get("/v1/lineage").await;
    assert_eq!(told["state"], "known");
    assert_eq!(told["lost"]["released"]["why"], "the disk failed");
    let (status, again) = whole.try_post("/v1/lineage/release", &json!({"why": "again"})).await;
    assert_eq!((status, &again["code"]), (409, &json!("lineage.not_held")));
}

/// The same with a daemon that does not look at the witness: the call is placed a second time, so the test above can fail.
#[tokio::test]
async fn without_the_witness_the_call_is_placed_twice() {
    let place = Place::new();
    let (mut whole, id) = gone_on(&place).await;
    let before = created(&whole);
    whole.store = Arc::new(SqlStore::open_inline(&place.path("b.db")).unwrap());
    whole.restart().await.unwrap();
    whole.pass(HOUR).await;
    assert_eq!(created(&whole).0, before.0 + 1);
    assert_eq!(outcome(&mut whole, &id).await, "reached");
}

#[tokio::test]
async fn a_restart_forgets_neither_a_held_store_nor_its_release_and_adopt_does_not_help_an_older_one() {
    let place = Place::new();
    let (mut whole, _) = gone_on(&place).await;
    drop(put_back(&mut whole, &place, true).await);
    assert_eq!(whole.get("/v1/lineage").await["state"], "held", "--adopt is no word about lost calls");
    whole.restart().await.unwrap();
    assert_eq!(whole.get("/v1/lineage").await["state"], "held");
    whole.pass(MINUTE).await;
    whole.post("/v1/lineage/release", &json!({"why": "checked"})).await;
    whole.restart().await.unwrap();
    assert_eq!(whole.get("/v1/lineage").await["state"], "known");
}

#[tokio::test]
async fn what_a_consumer_wrote_in_the_lost_span_makes_the_permission_void() {
    let place = Place::new();
    let (mut whole, _) = gone_on(&place).await;
    let show = json!({"sender": crate::harness::SENDER, "consumer": CALLED});
    assert_eq!(whole.post("/v1/permissions/show", &show).await["permission"], "temporary");
    let [sender, consumer] = [crate::harness::SENDER, CALLED].map(|number| Phone::parse(number).unwrap());
    let now = whole.now();
    assert!(whole.world().consumer_writes(now, sender, consumer, "do not call me"));
    whole.pass(MINUTE).await;
    let _watched = put_back(&mut whole, &place, false).await;
    whole.pass(MINUTE).await;
    let told = whole.get("/v1/lineage").await;
    assert_eq!(told["lost"]["accounts"][0]["inbound_messages"], 1, "{told}");
    assert_eq!(whole.post("/v1/permissions/show", &show).await["permission"], "none");
}

#[tokio::test]
async fn a_copy_elsewhere_is_held_unless_it_is_adopted() {
    for adopts in [false, true] {
        let place = Place::new();
        let (mut whole, _) = gone_on(&place).await;
        std::fs::remove_file(place.witness()).unwrap();
        let _watched = put_back(&mut whole, &place, adopts).await;
        let told = whole.get("/v1/lineage").await;
        let state = if adopts { "known" } else { "held" };
        assert_eq!(told["state"], state, "{told}");
        if !adopts {
            assert_eq!(told["lost"]["cause"], "copied");
        }
    }
}

async fn store_at(path: &Path) -> SqlStore {
    SqlStore::open_inline(path).unwrap()
}

#[tokio::test]
async fn a_store_that_goes_back_under_a_daemon_is_held_when_it_begins_to_lead_again() {
    let place = Place::new();
    let (store, watched) = place.open("a.db", false, start()).await;
    watched.begin(&store).await.unwrap();
    let mut lead = store.lead(None).await.unwrap();
    let published = || Some(ringmaster::domain::Loads::default());
    for _ in 0..3 {
        lead = lead.next();
        store.record(Batch { lead: Some(lead), published: published(), ..Batch::default() }).await.unwrap();
    }
    store.lead(None).await.unwrap();
    assert!(!store.own_lineage().await.unwrap().is_held, "it is where it was");
    watched.flush();
    let witnessed = WitnessFile::read(&place.witness()).unwrap().unwrap();

    let db = rusqlite::Connection::open(place.path("a.db")).unwrap();
    db.execute("UPDATE term SET batches = batches - 1", []).unwrap();
    let lead = store.lead(None).await.unwrap();
    let own = store.own_lineage().await.unwrap();
    assert!(own.is_held && own.identity != Some(witnessed.identity));
    assert_eq!(store.lineage().await.unwrap().unwrap().cause, LineageCause::GoneBack);
    store
        .record(Batch { lead: Some(lead.next()), published: published(), ..Batch::default() })
        .await
        .unwrap();
    watched.flush();
    assert_eq!(
        WitnessFile::read(&place.witness()).unwrap(),
        Some(witnessed),
        "the newest store is still known"
    );
}

#[tokio::test]
async fn a_state_directory_that_is_not_there_is_refused_before_the_store_is_held() {
    let place = Place::new();
    let (whole, _) = gone_on(&place).await;
    drop(whole);
    let store = SqlStore::open_inline(&place.path("a.db")).unwrap();
    let before = store.own_lineage().await.unwrap();
    let clock = Arc::new(ManualClock::new(start()));
    let absent = place.path("not-mounted").join("a.db.witness");
    let refused = watch_lineage(&store, absent, false, clock).await.err().unwrap();
    assert!(format!("{refused:#}").contains("store.state_dir cannot be written"), "{refused:#}");
    assert_eq!(store.own_lineage().await.unwrap(), before);
}

#[tokio::test]
async fn a_store_that_never_had_a_witness_is_taken_by_itself_and_known_from_then_on() {
    let place = Place::new();
    let store = store_at(&place.path("a.db")).await;
    let lead = store.lead(None).await.unwrap();
    let batch = Batch { clock: None, lead: Some(lead.next()), folded: vec![], ..Batch::default() };
    let published = Some(ringmaster::domain::Loads::default());
    store.record(Batch { published, ..batch }).await.unwrap();
    assert_eq!(store.own_lineage().await.unwrap().identity, None);
    drop(store);
    let (store, watched) = place.open("a.db", false, start()).await;
    watched.begin(&store).await.unwrap();
    let own = store.own_lineage().await.unwrap();
    assert!(!own.is_held && own.identity.is_some());
    let witnessed = WitnessFile::read(&place.witness()).unwrap().unwrap();
    assert_eq!((Some(witnessed.identity), witnessed.position), (own.identity, own.position));
    drop((store, watched));
    let (store, _watched) = place.open("a.db", false, start()).await;
    assert_eq!(store.own_lineage().await.unwrap(), own);
}

#[tokio::test]
async fn what_is_known_of_a_lost_span_is_stored_and_read() {
    let at = |second| start() + SignedDuration::from_secs(second);
    let store = SqlStore::in_memory().unwrap();
    assert_eq!(store.lineage().await.unwrap(), None);
    let position = Position { leader: 2, batch: 30 };
    let mut lineage = Lineage {
        since: at(100),
        cause: LineageCause::GoneBack,
        from: at(10),
        stored: Position { leader: 1, batch: 20 },
        witnessed: Some(Witnessed {
            identity: StoreIdentity::new([3; 16]),
            position,
            at: at(99),
            server: Server::default(),
        }),
        accounts: [].into(),
        released: None,
    };
    store.hold(StoreIdentity::new([4; 16]), lineage.clone()).await.unwrap();
    assert_eq!(store.lineage().await.unwrap(), Some(lineage.clone()));
    assert!(store.own_lineage().await.unwrap().is_held);
    let found = |sid: &str, second| Unrecorded {
        account: "main".into(),
        sid: sid.to_owned(),
        kind: UnrecordedKind::Call,
        at: at(second),
        numbers: Numbers {
            sender: Phone::parse("+551140000001").unwrap(),
            consumer: Phone::parse(WILLING).unwrap(),
        },
        callback: None,
        attempt: None,
    };
    let listed = AccountListed { at: at(101), is_listed: true, calls: 2, messages: 0, inbound: 1 };
    let unrecorded = vec![found("CA2", 60), found("CA1", 50)];
    let change = LineageChange { accounts: vec![("main".into(), listed)], unrecorded, released: None };
    for _ in 0..2 {
        let lineage = change.clone();
        store.record(Batch { lineage, ..Batch::default() }).await.unwrap();
    }
    assert_eq!(store.unrecorded(9).await.unwrap(), [found("CA1", 50), found("CA2", 60)]);
    assert_eq!(store.unrecorded(1).await.unwrap(), [found("CA1", 50)]);
    let released = Some(LineageReleased { at: at(102), by: "ops".into(), why: "seen".into() });
    let change = LineageChange { released: released.clone(), ..LineageChange::default() };
    store.record(Batch { lineage: change, ..Batch::default() }).await.unwrap();
    lineage.released = released;
    lineage.accounts = [("main".into(), listed)].into();
    assert_eq!(store.lineage().await.unwrap(), Some(lineage));
    assert!(!store.own_lineage().await.unwrap().is_held);
}
