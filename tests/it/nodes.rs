//! Several nodes on one store: one of them dials, and another one when it dies, is paused or resigns.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use ringmaster::domain::{GroupName, LeaseEnd, Stage};
use ringmaster::simulation::{Mutation, SENDERS, mutated};
use ringmaster::store::relational::SqlStore;
use ringmaster::store::{Beat, Beaten, Error, Result, Store};
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::harness::{CONSUMER, TestDaemon, message};

/// A platform on which every call rings. It can keep its answers back.
#[derive(Default)]
struct Platform {
    placed: AtomicUsize,
    refused: AtomicUsize,
    is_slow: AtomicBool,
    answers: Notify,
}

impl Platform {
    fn placed(&self) -> usize {
        self.placed.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Transport for Platform {
    async fn send(&self, request: Request) -> std::result::Result<Response, TransportError> {
        if request.leave_by.as_ref().is_some_and(|leave_by| leave_by.is_over()) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(TransportError::TooLate);
        }
        let number = match request.method == http::Method::GET {
            true => 1,
            false => self.placed.fetch_add(1, Ordering::Relaxed) + 1,
        };
        if self.is_slow.load(Ordering::Relaxed) {
            self.answers.notified().await;
        }
        let call = json!({"sid": format!("CA{number:032}"), "status": "ringing"}).to_string();
        Ok(Response::new(if request.method == http::Method::GET { 200 } else { 201 }, call))
    }
}

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const MILLI: SignedDuration = SignedDuration::from_millis(1);

struct Two {
    store: Arc<dyn Store>,
    platforms: [Arc<Platform>; 2],
    a: TestDaemon,
    b: TestDaemon,
}

async fn two_on(store: Arc<dyn Store>) -> Two {
    let platforms = [Arc::new(Platform::default()), Arc::new(Platform::default())];
    let names = [("a", platforms[0].clone() as Arc<dyn Transport>), ("b", platforms[1].clone() as _)];
    let [a, b] = <[TestDaemon; 2]>::try_from(TestDaemon::nodes(store.clone(), names).await).ok().unwrap();
    Two { store, platforms, a, b }
}

/// Two nodes, of which `a` leads.
async fn two() -> Two {
    let mut two = two_on(Arc::new(SqlStore::in_memory().unwrap())).await;
    two.a.beat().await;
    two.a.run().await;
    two.b.beat().await;
    two.b.run().await;
    two
}

impl Two {
    fn placed(&self) -> [usize; 2] {
        [self.platforms[0].placed(), self.platforms[1].placed()]
    }

    async fn stages(&self) -> Vec<Stage> {
        let live = self.store.live_attempts().await.unwrap();
        live.into_iter().map(|attempt| attempt.submission.stage).collect()
    }

    async fn run(&mut self) {
        self.a.run().await;
        self.b.run().await;
    }
}

#[tokio::test]
async fn one_of_two_nodes_dials_and_both_take_orders_and_explain_them() {
    let mut two = two().await;
    assert_eq!(two.a.look("/healthz").await, (200, "ok\nleader a\n".to_owned()));
    assert_eq!(two.b.look("/healthz").await, (200, "ok\nfollower b\n".to_owned()));
    let (status, ready) = two.b.look("/readyz").await;
    assert!(status == 200 && ready.contains("ok: leader\n") && ready.ends_with("follower b\n"), "{ready}");
    two.a.grant(CONSUMER).await;
    let ordered = two.b.order(CONSUMER, message()).await;
    two.run().await;
    assert_eq!(two.placed(), [1, 0]);
    two.a.advance(SECOND).await;
    let path = format!("/v1/callbacks/{}", ordered["id"].as_str().unwrap());
    let from_both = [two.a.get(&path).await, two.b.get(&path).await];
    assert_eq!(from_both[0], from_both[1]);
    assert_eq!(two.b.get("/v1/senders").await, two.a.get("/v1/senders").await);
    let status = two.b.get("/v1/status").await;
    assert_eq!(status["node"], json!({"name": "b", "role": "follower", "leader": "a", "groups": ["main"]}));

    let nodes = two.b.get("/v1/nodes").await;
    let roles: Vec<&Value> = nodes["nodes"].as_array().unwrap().iter().map(|node| &node["role"]).collect();
    assert_eq!(roles, ["leader", "follower"]);
    assert_eq!((&nodes["groups"][0]["leader"], &nodes["groups"][0]["term"]), (&json!("a"), &json!(1)));
}

#[tokio::test]
async fn another_node_dials_when_the_lease_of_a_dead_one_is_over_and_not_before() {
    let mut two = two().await;
    two.a.grant(CONSUMER).await;
    two.platforms[0].is_slow.store(true, Ordering::Relaxed);
    two.a.order(CONSUMER, message()).await;
    two.a.run().await;
    assert_eq!(two.stages().await, [Stage::Submitting]);
    let later = "+5511987650013";
    two.a.grant(later).await;

    // From here on node a is dead.
    two.b.pass(SignedDuration::from_secs(7));
    two.b.order(later, message()).await;
    assert_eq!(two.b.beat().await, SECOND, "it waits for the end of the lease");
    two.b.run().await;
    two.b.pass(SECOND - MILLI);
    assert_eq!(two.b.beat().await, SignedDuration::from_millis(10));
    two.b.run().await;
    assert_eq!(two.placed(), [1, 0]);
    two.b.pass(MILLI);
    two.b.beat().await;
    two.b.run().await;
    // What the dead one submitted may have been placed, and the other call is new.
    assert_eq!(two.placed(), [1, 1]);
    let mut stages = two.stages().await;
    stages.sort();
    assert_eq!(stages, [Stage::Accepted, Stage::Unknown]);
    let terms = two.store.leaders(GroupName::default(), 5).await.unwrap();
    let told: Vec<_> = terms.iter().map(|it| (it.term, &*it.node, it.ended)).collect();
    assert_eq!(told, [(2, "b", None), (1, "a", Some(LeaseEnd::Expired))]);
}

#[tokio::test]
async fn a_paused_leader_sends_nothing_by_a_lease_that_is_nearly_over() {
    // It trusts its lease for seven seconds, and needs one of them for the submission.
    for (millis, sends) in [(5_999, true), (6_000, true), (6_001, false), (6_999, false)] {
        let mut two = two().await;
        two.a.grant(CONSUMER).await;
        two.a.pass(SignedDuration::from_millis(millis));
        two.a.order(CONSUMER, message()).await;
        two.a.run().await;
        assert_eq!(two.placed(), [usize::from(sends), 0], "after {millis} ms");
        assert_eq!(two.platforms[0].refused.load(Ordering::Relaxed) > 0, !sends);
        assert!(!two.stages().await.contains(&Stage::Unknown), "it is recorded as not sent");
        two.a.beat().await;
        two.a.advance(SECOND).await;
        assert_eq!(two.placed(), [1, 0], "after {millis} ms, and a renewal");
    }
}

#[tokio::test]
async fn a_leader_that_wakes_after_another_one_has_taken_over_writes_and_sends_nothing() {
    let mut two = two().await;
    two.a.grant(CONSUMER).await;
    two.a.pass(SignedDuration::from_secs(8));
    let (status, ready) = two.b.look("/readyz").await;
    assert!(status == 200 && ready.contains("warning: leader: no node leads"), "{ready}");
    two.b.beat().await;
    two.b.run().await;
    two.b.order(CONSUMER, message()).await;
    let before = two.store.last_batch().await.unwrap();
    two.a.run().await;
    assert_eq!(two.store.last_batch().await.unwrap(), before);
    two.b.run().await;
    assert_eq!(two.placed(), [0, 1]);
    two.a.beat().await;
    two.a.run().await;
    assert_eq!(two.a.look("/healthz").await, (200, "ok\nfollower a\n".to_owned()));
}

#[tokio::test]
async fn a_leader_that_resigns_appends_the_answers_to_what_it_has_submitted() {
    let mut two = two().await;
    two.a.grant(CONSUMER).await;
    two.platforms[0].is_slow.store(true, Ordering::Relaxed);
    two.a.order(CONSUMER, message()).await;
    two.a.run().await;
    assert_eq!(two.stages().await, [Stage::Submitting]);
    two.a.resign().await;
    two.b.beat().await;
    two.run().await;
    // The new leader knows that an answer may come.
    assert_eq!(two.stages().await, [Stage::Submitting]);
    two.platforms[0].answers.notify_one();
    two.a.run().await;
    two.a.run().await;
    assert_eq!(two.stages().await, [Stage::Submitting], "the answer is appended, and folded by the leader");
    two.b.run().await;
    assert_eq!(two.stages().await, [Stage::Accepted]);
    assert_eq!(two.placed(), [1, 0]);
    let terms = two.store.leaders(GroupName::default(), 5).await.unwrap();
    assert_eq!(terms[1].ended, Some(LeaseEnd::Resigned));
}

#[tokio::test]
async fn what_a_resigned_leader_submitted_is_unknown_if_no_answer_comes_in_time() {
    let mut two = two().await;
    two.a.grant(CONSUMER).await;
    two.platforms[0].is_slow.store(true, Ordering::Relaxed);
    two.a.order(CONSUMER, message()).await;
    two.a.run().await;
    two.a.resign().await;
    two.b.beat().await;
    two.run().await;
    let due = two.b.wakes_at().unwrap();
    while two.b.now() < due {
        let left = due.duration_since(two.b.now()).min(SECOND * 2);
        two.b.pass(left);
        two.b.beat().await;
    }
    two.b.run().await;
    assert_eq!(two.stages().await, [Stage::Unknown]);
    // The answer still comes.
    two.platforms[0].answers.notify_one();
    two.a.run().await;
    two.a.run().await;
    two.b.run().await;
    assert_eq!((two.stages().await, two.placed()), (vec![Stage::Accepted], [1, 0]));
}

#[tokio::test]
async fn a_node_that_resigned_does_not_claim_the_lease_at_once() {
    let mut two = two().await;
    two.a.resign().await;
    two.a.beat().await;
    two.a.pass(SignedDuration::from_secs(10) - MILLI);
    two.a.beat().await;
    assert!(two.a.look("/healthz").await.1.contains("follower"));
    two.a.pass(MILLI);
    two.a.beat().await;
    assert!(two.a.look("/healthz").await.1.contains("leader"), "nobody else has claimed it");
}

#[tokio::test]
async fn a_node_is_asked_to_resign_through_any_node() {
    let mut two = two().await;
    assert_eq!(two.b.try_post("/v1/nodes/c/resign", json!({})).await.1["code"], "node.not_found");
    assert_eq!(two.b.try_post("/v1/nodes/b/resign", json!({})).await.1["code"], "node.not_leading");
    let (status, asked) = two.b.try_post("/v1/nodes/a/resign", json!({})).await;
    assert_eq!((status, &asked["node"]), (202, &json!("a")));
    two.a.beat().await;
    two.b.beat().await;
    two.run().await;
    assert!(two.b.look("/healthz").await.1.contains("leader b"));
    two.a.beat().await;
    assert!(two.a.look("/healthz").await.1.contains("follower a"));

    let mut alone = TestDaemon::open(Arc::new(Platform::default())).await;
    assert_eq!(alone.look("/healthz").await, (200, "ok\n".to_owned()));
    assert_eq!(alone.get("/v1/nodes").await["role"], "alone");
}

/// A database whose clock is behind that of the nodes, and that can be away.
#[derive(Default)]
struct Database {
    behind_ms: AtomicI64,
    is_away: AtomicBool,
    seen: Mutex<Vec<SignedDuration>>,
}

#[async_trait]
impl Mutation for Database {
    async fn beat(&self, store: &dyn Store, beat: Beat) -> Result<Beaten> {
        if self.is_away.load(Ordering::Relaxed) {
            return Err(Error::Unavailable("no connection".into()));
        }
        self.seen.lock().unwrap().push(beat.clock_ahead);
        let behind = SignedDuration::from_millis(self.behind_ms.load(Ordering::Relaxed));
        store.beat(Beat { told_at: beat.told_at - behind, ..beat }).await
    }
}

#[tokio::test]
async fn a_node_whose_clock_is_five_seconds_off_does_not_lead() {
    for (millis, leads) in [(5_000, true), (5_001, false), (-5_000, true), (-5_001, false)] {
        let database = Arc::new(Database::default());
        database.behind_ms.store(millis, Ordering::Relaxed);
        let mut two = two_on(mutated(Arc::new(SqlStore::in_memory().unwrap()), database.clone())).await;
        two.a.beat().await;
        two.a.beat().await;
        let health = two.a.look("/healthz").await.1;
        assert_eq!(health.contains("leader"), leads, "{millis} ms: {health}");
        let told = database.seen.lock().unwrap().last().copied();
        assert_eq!(told, Some(SignedDuration::from_millis(millis)));
        database.behind_ms.store(0, Ordering::Relaxed);
        two.a.pass(SignedDuration::from_secs(20));
        two.a.beat().await;
        two.a.beat().await;
        assert!(two.a.look("/healthz").await.1.contains("leader"), "{millis} ms, and right again");
    }
}

#[tokio::test]
async fn a_leader_whose_database_is_away_stops_when_its_trust_is_over() {
    let database = Arc::new(Database::default());
    let mut two = two_on(mutated(Arc::new(SqlStore::in_memory().unwrap()), database.clone())).await;
    two.a.beat().await;
    two.a.run().await;
    database.is_away.store(true, Ordering::Relaxed);
    two.a.pass(SignedDuration::from_secs(7) - MILLI);
    assert_eq!(two.a.beat().await, SignedDuration::from_millis(500));
    assert!(two.a.look("/healthz").await.1.contains("leader"));
    two.a.pass(MILLI);
    two.a.beat().await;
    assert!(two.a.look("/healthz").await.1.contains("follower"));
    database.is_away.store(false, Ordering::Relaxed);
    two.a.beat().await;
    assert!(two.a.look("/healthz").await.1.contains("leader"));
}

#[tokio::test]
async fn the_younger_of_two_nodes_of_one_name_is_refused() {
    use ringmaster::clock::ManualClock;
    use ringmaster::nodes::{LeaseRenewal, Presence};
    use ringmaster::platform::Trust;

    let store: Arc<dyn Store> = Arc::new(SqlStore::in_memory().unwrap());
    let clock = Arc::new(ManualClock::new("2026-11-23T12:00:00Z".parse().unwrap()));
    let renewal = || {
        let presence = Arc::new(Presence::new("a", None, Trust::by_lease(SECOND)));
        LeaseRenewal::new(
            store.clone(),
            clock.clone(),
            presence,
            Arc::new(ringmaster::wake::Waker::default()),
        )
    };
    let mut first = renewal();
    first.join().await.unwrap().unwrap();
    let second = renewal();
    let mut joining = std::pin::pin!(second.join());
    assert!(futures_util::poll!(&mut joining).is_pending());
    clock.advance(SECOND * 2);
    first.beat().await;
    clock.advance(SECOND);
    let refused = joining.await.unwrap().unwrap_err().to_string();
    assert!(refused.contains("\"a\" runs since") && refused.contains("node.name"), "{refused}");

    // A node that died is replaced when it was not seen for eight seconds.
    let third = renewal();
    let mut joining = std::pin::pin!(third.join());
    for _ in 0..3 {
        assert!(futures_util::poll!(&mut joining).is_pending());
        clock.advance(SignedDuration::from_millis(2_500));
    }
    joining.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_senders_of_an_order_are_of_one_dialling_group() {
    let mut daemon = TestDaemon::configured(Arc::new(Platform::default()), |config| {
        let main = config.accounts.get_mut("main").unwrap();
        let (number, mut sender) = main.senders.pop_last().unwrap();
        let mut south = main.clone();
        sender.account = "south".into();
        south.account_sid = "AC6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b6b".to_owned();
        south.senders = [(number, sender)].into();
        config.accounts.insert("south".into(), south);
        config.groups.insert("brazil".parse().unwrap(), vec!["south".into()]);
    })
    .await;
    let order = |senders: Value| {
        let mut order = json!({"consumer": CONSUMER, "senders": senders, "latest": "2026-12-03T12:00:00Z"});
        order.as_object_mut().unwrap().extend(message().as_object().unwrap().clone());
        order
    };
    let both = order(json!(SENDERS));
    let (status, refused) = daemon.try_post("/v1/callbacks", both).await;
    assert_eq!(status, 422, "{refused}");
    assert_eq!(
        (&refused["errors"][0]["code"], &refused["errors"][0]["field"]),
        (&json!("sender.group"), &json!("senders"))
    );
    for sender in SENDERS {
        assert_eq!(daemon.try_post("/v1/callbacks", order(json!([sender]))).await.0, 202);
    }
    let nodes = daemon.get("/v1/nodes").await;
    let groups: Vec<_> = nodes["groups"].as_array().unwrap().iter().map(|group| &group["name"]).collect();
    assert_eq!(groups, ["brazil", "main"]);
}
