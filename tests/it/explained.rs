//! What `explain` says is what the next turn writes: the same reason binds, and the same step follows.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use fastrand::Rng;
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::ManualClock;
use ringmaster::daemon::{self, Assembled, Deps};
use ringmaster::domain::callback::Waiting;
use ringmaster::domain::{
    CallPermission, Callback, CallbackId, MessagePurpose, Order, Pair, PairKey, Phone, Reason, State,
};
use ringmaster::http::auth;
use ringmaster::ids::IdGenerator;
use ringmaster::scheduler::Scheduler;
use ringmaster::simulation::{Fixture, SENDERS, fixture};
use ringmaster::store::sqlite::Sqlite;
use ringmaster::store::{Batch, Enqueue, Store, Token};
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::Value;
use tower::ServiceExt as _;
use uuid::Uuid;

const START: &str = "2026-11-23T12:00:00Z";

/// A platform that never answers: what is decided is looked at, and not what comes of it.
struct Silent;

#[async_trait]
impl Transport for Silent {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        std::future::pending().await
    }
}

struct Daemon {
    store: Arc<dyn Store>,
    scheduler: Scheduler,
    router: Router,
    token: String,
}

impl Daemon {
    async fn start(now: Timestamp, invites: bool) -> Self {
        let (mut config, _) = fixture(&Fixture { invites, calls_per_second: 50, ..Fixture::default() });
        config.limits.concurrent_calls_per_sender_max = Some(1);
        let store: Arc<dyn Store> = Arc::new(Sqlite::in_memory().unwrap());
        let (token, hash) = auth::new_token([7; 32]);
        store.create_token(Token::new("test", hash, now)).await.unwrap();
        let deps = Deps {
            store: store.clone(),
            api_store: store.clone(),
            clock: Arc::new(ManualClock::new(now)),
            ids: Arc::new(IdGenerator::seeded(1)),
            transport: Box::new(|_| Ok(Arc::new(Silent))),
            metrics: Arc::default(),
        };
        let Assembled { mut scheduler, doors, .. } = daemon::assemble(&config, deps).await.unwrap();
        scheduler.recover().await.unwrap();
        Self { store, scheduler, router: doors.together(), token }
    }

    async fn explain(&self, id: CallbackId) -> Value {
        let request = http::Request::get(format!("/v1/callbacks/{id}/explain"))
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty())
            .unwrap();
        let body = self.router.clone().oneshot(request).await.unwrap().into_body();
        serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap()
    }

    /// The step that the last turn took for a callback, and its reason.
    async fn written(&self, id: CallbackId) -> (&'static str, String) {
        let record = self.store.callback(id).await.unwrap().unwrap();
        match (record.callback.state, record.messages.last()) {
            (State::Calling { .. }, _) => ("place_call", "ready".to_owned()),
            (State::Closed(closed), _) => ("finish", closed.note.code.into_owned()),
            (State::Waiting(_), Some(message)) if message.purpose == MessagePurpose::PermissionRequest => {
                ("request_permission", "permission.none".to_owned())
            }
            (State::Waiting(_), Some(_)) => ("invite", String::new()),
            (State::Waiting(waiting), None) => ("wait", waiting.note.code.into_owned()),
        }
    }
}

/// A callback of which anything may be the case, and the ledgers of its pairs.
fn draw(random: &mut Rng, now: Timestamp) -> (Callback, Vec<Pair>) {
    let hour = SignedDuration::from_hours(1);
    let numbers = SENDERS.map(|number| Phone::parse(number).unwrap());
    let senders = numbers[random.usize(0..2)..].to_vec();
    let consumer = Phone::parse("+5511987650012").unwrap();
    let document = ["message", "message", "message", "agent-first", "gone"][random.usize(0..5)];
    let earliest = now + hour * random.i32(-2..3);
    let mut order =
        Order::new(consumer, senders.clone(), document, earliest, now + hour * random.i32(-1..240));
    order.hours =
        [None, Some("daily 09:00-18:00 @UTC"), Some("daily 14:00-18:00 @UTC"), Some("sun 02:00-03:00 @UTC")]
            [random.usize(0..4)]
        .map(|hours| hours.parse().unwrap());
    order.agent = random.bool().then(|| "client:alice".parse().unwrap());
    let state = State::Waiting(Waiting { wake_at: now, place: None, note: Reason::CallInProgress.note() });
    let mut callback = Callback::new(CallbackId::new(Uuid::from_u128(random.u128(..))), now, order, state);
    callback.attempts_made = random.u32(0..5);
    callback.faults = random.u32(0..12);
    callback.retry_at = random.bool().then(|| now + hour * random.i32(-2..6));
    callback.invited_at = (random.u8(0..4) == 0).then(|| now - hour);
    callback.cancel_requested_at = (random.u8(0..12) == 0).then_some(now);
    let pairs = senders.iter().map(|&sender| ledger(random, PairKey { sender, consumer }, now));
    (callback, pairs.collect())
}

fn ledger(random: &mut Rng, key: PairKey, now: Timestamp) -> Pair {
    let hour = SignedDuration::from_hours(1);
    let around = now + hour * random.i32(-1..100);
    Pair {
        version: 1,
        permission: [
            CallPermission::None,
            CallPermission::None,
            CallPermission::Requested { expires_at: around },
            CallPermission::Declined { until: around },
            CallPermission::Temporary { expires_at: around },
            CallPermission::Permanent,
            CallPermission::Expired,
            CallPermission::RevokedByConsumer,
            CallPermission::RevokedAutomatically,
            CallPermission::Uncallable { until: around },
        ][random.usize(0..10)],
        requests: (0..random.i32(0..3)).rev().map(|age| now - hour * (age * 40 + 1)).collect(),
        connected: (0..random.i32(0..7)).rev().map(|age| now - hour * (age + 1)).collect(),
        misses: random.u32(0..5),
        invited_at: random.bool().then(|| now - hour),
        inbound_at: random.bool().then(|| now - hour * random.i32(0..30)),
        live_inbound: (random.u8(0..8) == 0).then(|| "CA1".to_owned()),
        paused_until: (random.u8(0..8) == 0).then(|| now + hour),
        ..Pair::unknown(key)
    }
}

#[tokio::test]
async fn the_reason_that_is_explained_is_the_one_that_the_next_turn_writes() {
    let now: Timestamp = START.parse().unwrap();
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for seed in 0..400 {
        let mut random = Rng::with_seed(seed);
        let mut daemon = Daemon::start(now, random.bool()).await;
        let (callback, pairs) = draw(&mut random, now);
        let id = callback.id;
        daemon
            .store
            .enqueue_callbacks(vec![Enqueue { callback, idempotency: None, ceiling: None }])
            .await
            .unwrap();
        daemon.store.record(Batch { pairs, ..Batch::default() }).await.unwrap();
        let told = daemon.explain(id).await;
        daemon.scheduler.turn().await.unwrap();
        let (step, reason) = daemon.written(id).await;
        let binds = told["reasons"][0]["code"].as_str().unwrap_or("ready");
        assert_eq!(told["step"], step, "seed {seed}: {told}");
        if step != "invite" {
            assert_eq!(binds, reason, "seed {seed}: {told}");
        }
        *seen.entry(format!("{step} {binds}")).or_default() += 1;
    }
    // All kinds of steps were drawn, or this shows little.
    for step in ["place_call", "request_permission", "invite", "wait", "finish"] {
        assert!(seen.keys().any(|told| told.starts_with(step)), "{step} was never drawn: {seen:?}");
    }
    assert!(seen.contains_key("finish document.unknown") && seen.contains_key("finish document.no_agent"));
    assert!(seen.len() > 20, "{seen:?}");
}
