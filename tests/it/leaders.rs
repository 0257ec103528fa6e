//! Two schedulers on one store, and a store that does not report whether a batch was written.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use jiff::SignedDuration;
use ringmaster::domain::Loads;
use ringmaster::simulation::{Mutation, mutated};
use ringmaster::store::relational::{Access, SqlStore};
use ringmaster::store::{Batch, Error, Result, Store};
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::json;

use crate::harness::{CONSUMER, TestDaemon, message};

const CALL: &str = "CA00000000000000000000000000000001";
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A platform on which every call rings.
#[derive(Default)]
pub(crate) struct Calls(AtomicUsize);

impl Calls {
    fn placed(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Transport for Calls {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        let call = json!({"sid": CALL, "status": "ringing"}).to_string();
        if request.method == http::Method::GET {
            return Ok(Response::new(200, call));
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(Response::new(201, call))
    }
}

#[tokio::test]
async fn only_the_newer_of_two_schedulers_on_one_file_dials() {
    let dir = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = Arc::new(SqlStore::open_inline(&dir.path().join("ringmaster.db")).unwrap());
    let platforms = [Arc::new(Calls::default()), Arc::new(Calls::default())];
    let mut first = TestDaemon::on_store(store.clone(), platforms[0].clone()).await;
    first.grant(CONSUMER).await;
    let mut order = message();
    order["earliest"] = (first.now() + MINUTE).to_string().into();
    first.order(CONSUMER, order).await;
    let mut second = first.beside(platforms[1].clone()).await;
    second.scheduler.recover().await.unwrap();

    let before = (store.census().await.unwrap(), store.backlog().await.unwrap());
    first.pass(MINUTE);
    for _ in 0..3 {
        assert!(matches!(first.scheduler.turn().await, Err(Error::Deposed)));
    }
    assert_eq!((store.census().await.unwrap(), store.backlog().await.unwrap()), before);
    assert!(store.live_attempts().await.unwrap().is_empty());

    second.advance(SignedDuration::ZERO).await;
    second.advance(SignedDuration::from_secs(5)).await;
    assert_eq!([platforms[0].placed(), platforms[1].placed()], [0, 1]);
    assert_eq!(store.census().await.unwrap().calling, 1);
}

#[tokio::test]
async fn a_daemon_whose_store_another_one_has_opened_says_so_wherever_it_is_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    let open = || -> Arc<dyn Store> { Arc::new(SqlStore::open_inline(&path).unwrap()) };
    let mut first = TestDaemon::on_store(open(), Arc::new(Calls::default())).await;
    first.forgives = true;
    let mut order = message();
    order["earliest"] = (first.now() + MINUTE).to_string().into();
    let ordered = first.order(CONSUMER, order).await;
    let id = ordered["id"].as_str().unwrap().to_owned();
    assert_eq!(first.look("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(first.get("/v1/status").await.get("deposed_since"), None);
    assert!(first.look("/metrics").await.1.contains("ringmaster_deposed 0"));

    std::fs::remove_file(dir.path().join("ringmaster.db.lock")).unwrap();
    let _second = open();
    // It is idle: it finds out because it is asked.
    let since = first.now().to_string();
    assert!(first.look("/metrics").await.1.contains("ringmaster_deposed 1"));
    let (status, health) = first.look("/healthz").await;
    assert!(status == 503 && health.contains("store.deposed"), "{status} {health}");
    assert_eq!(first.get("/v1/status").await["deposed_since"], since);
    // Whoever asked has woken the scheduler.
    assert!(first.scheduler.woken().now_or_never().is_some());
    assert!(matches!(first.scheduler.turn().await, Err(Error::Deposed)));
    assert_eq!(first.get("/v1/status").await["deposed_since"], since);
    for path in [format!("/v1/callbacks/{id}/explain"), format!("/v1/callbacks/{id}")] {
        let told = first.get(&path).await;
        let reason = told.get("reasons").map_or(&told["reason"], |reasons| &reasons[0]);
        assert_eq!(reason["code"], "store.deposed", "{told}");
    }
}

/// What happens to a batch whose outcome the store does not report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Written,
    Lost,
    /// The number of the last batch cannot be read at first.
    WrittenAndSilent,
    LostAndSilent,
}

/// A store that does not report the outcome of the batch at this place in the order.
struct Untold {
    at: usize,
    fate: Fate,
    batches: AtomicUsize,
    is_silent: AtomicBool,
}

#[async_trait]
impl Mutation for Untold {
    fn before(&self, verb: &'static str) -> Result<()> {
        if verb == "last_batch" && self.is_silent.swap(false, Ordering::Relaxed) {
            return Err(Error::Unavailable("no connection".into()));
        }
        Ok(())
    }

    async fn record(&self, store: &dyn Store, batch: Batch) -> Result<()> {
        if self.batches.fetch_add(1, Ordering::Relaxed) != self.at {
            return store.record(batch).await;
        }
        let is_silent = matches!(self.fate, Fate::WrittenAndSilent | Fate::LostAndSilent);
        self.is_silent.store(is_silent, Ordering::Relaxed);
        if matches!(self.fate, Fate::Written | Fate::WrittenAndSilent) {
            store.record(batch).await?;
        }
        Err(Error::OutcomeUnknown)
    }
}

#[tokio::test]
async fn a_batch_with_an_unknown_outcome_is_found_by_its_number() {
    for fate in [Fate::Written, Fate::Lost, Fate::WrittenAndSilent, Fate::LostAndSilent] {
        for at in 0..6 {
            let batches = AtomicUsize::new(0);
            let faults = Arc::new(Untold { at, fate, batches, is_silent: AtomicBool::new(false) });
            let store = mutated(Arc::new(SqlStore::in_memory().unwrap()), faults.clone());
            let platform = Arc::new(Calls::default());
            let mut daemon = TestDaemon::on_store(store.clone(), platform.clone()).await;
            daemon.forgives = true;
            // The invariant checker relies on the outcomes that the store reports.
            let _ = daemon.store();
            daemon.grant(CONSUMER).await;
            daemon.order(CONSUMER, message()).await;
            for _ in 0..20 {
                daemon.advance(SignedDuration::from_secs(1)).await;
            }
            let what = format!("{fate:?} at {at} of {faults:?}", faults = faults.batches);
            // A request that may have been sent is unknown, and is never sent again.
            let unknown = fate == Fate::WrittenAndSilent;
            assert!(platform.placed() == 1 || unknown && platform.placed() == 0, "{what}");
            assert_eq!(store.live_attempts().await.unwrap().len(), 1, "{what}");
            assert_eq!(store.census().await.unwrap().calling, 1, "{what}");
        }
    }
}

/// RecordingTransport what is published.
#[derive(Default)]
struct Publications(Mutex<Vec<Loads>>);

#[async_trait]
impl Mutation for Publications {
    async fn record(&self, store: &dyn Store, batch: Batch) -> Result<()> {
        self.0.lock().unwrap().extend(batch.published.clone());
        store.record(batch).await
    }
}

#[tokio::test]
async fn whoever_else_has_the_file_open_tells_the_load_of_the_leader() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    let store: Arc<dyn Store> = Arc::new(SqlStore::open_inline(&path).unwrap());
    let beside: Arc<dyn Store> = Arc::new(SqlStore::open(&path, Access::Beside).unwrap());
    let mut leader = TestDaemon::on_store(store, Arc::new(Calls::default())).await;
    let mut other = leader.elsewhere(beside, Arc::new(Calls::default())).await;
    assert_eq!(other.get("/v1/senders").await.get("as_of"), None);

    leader.grant(CONSUMER).await;
    leader.order(CONSUMER, message()).await;
    let later = "+5511987650013";
    leader.grant(later).await;
    let waits = leader.order(later, message()).await;
    leader.advance_to(leader.now() + SignedDuration::from_secs(10)).await;

    let senders = other.get("/v1/senders").await;
    assert_eq!(senders["senders"][0]["live_calls"], 2, "{senders}");
    let status = other.get("/v1/status").await;
    let explained = other.get(&format!("/v1/callbacks/{}/explain", waits["id"].as_str().unwrap())).await;
    assert_eq!(explained["senders"][0]["live_calls"], 2, "{explained}");
    let as_of = senders["as_of"].as_str().unwrap();
    assert_eq!([&status["as_of"], &explained["as_of"]], [as_of, as_of]);
    assert!(as_of.parse::<jiff::Timestamp>().unwrap() <= leader.now());
    assert_eq!(leader.get("/v1/senders").await, senders);
}

#[tokio::test]
async fn the_load_is_published_at_most_every_quarter_of_a_second_and_the_last_of_it_too() {
    const STEP: SignedDuration = SignedDuration::from_millis(50);
    const INTERVAL: SignedDuration = SignedDuration::from_millis(250);
    let notes = Arc::new(Publications::default());
    let store = mutated(Arc::new(SqlStore::in_memory().unwrap()), notes.clone());
    let mut daemon = TestDaemon::on_store(store.clone(), Arc::new(Calls::default())).await;
    for n in 0..20 {
        let consumer = format!("+55119876{:05}", 50_000 + n);
        daemon.grant(&consumer).await;
        daemon.order(&consumer, message()).await;
        daemon.advance(STEP).await;
    }
    let published = std::mem::take(&mut *notes.0.lock().unwrap());
    let moments: Vec<_> = published.iter().filter_map(|loads| loads.as_of).collect();
    assert_eq!(moments.len(), published.len());
    assert!(moments.len() > 2, "{moments:?}");
    assert!(moments.windows(2).all(|two| two[1].duration_since(two[0]) >= INTERVAL), "{moments:?}");

    // Nothing more happens, and what the last batches left is told without another reason to run.
    daemon.advance_to(daemon.now() + SignedDuration::from_mins(1)).await;
    assert_eq!(store.loads().await.unwrap().in_use, daemon.scheduler.in_use().unwrap());
    notes.0.lock().unwrap().clear();
    daemon.advance_to(daemon.now() + SignedDuration::from_mins(1)).await;
    assert_eq!(notes.0.lock().unwrap().len(), 0, "nothing changed");
}

#[tokio::test]
async fn a_new_leader_publishes_what_it_found() {
    let store: Arc<dyn Store> = Arc::new(SqlStore::in_memory().unwrap());
    let mut daemon = TestDaemon::on_store(store.clone(), Arc::new(Calls::default())).await;
    daemon.grant(CONSUMER).await;
    daemon.order(CONSUMER, message()).await;
    daemon.advance(SignedDuration::from_secs(1)).await;
    let before = store.loads().await.unwrap();
    assert_eq!(before.in_use, daemon.scheduler.in_use().unwrap());
    daemon.pass(MINUTE);
    let daemon = daemon.restart(Arc::new(Calls::default())).await;
    let after = store.loads().await.unwrap();
    assert_eq!((after.as_of, after.in_use), (Some(daemon.now()), before.in_use));
}
