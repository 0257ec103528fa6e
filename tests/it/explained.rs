//! `explain` and the next turn have the same deciding reason and the same step.

use std::sync::Arc;

use async_trait::async_trait;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use ringmaster::config::Config;
use ringmaster::domain::callback::Waiting;
use ringmaster::domain::{
    CallPermission, Callback, CallbackId, MessagePurpose, Order, Pair, PairKey, Phone, Reason, State,
};
use ringmaster::simulation::{Fixture, SENDERS};
use ringmaster::store::{Batch, Enqueue};
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::Value;
use uuid::Uuid;

use crate::harness::{START, TestDaemon};

/// A platform that never answers, because these tests look at decisions only.
struct Silent;

#[async_trait]
impl Transport for Silent {
    async fn send(&self, _: Request) -> Result<Response, TransportError> {
        std::future::pending().await
    }
}

struct Daemon {
    daemon: TestDaemon,
}

impl Daemon {
    async fn start(invites: bool) -> Self {
        let with = Fixture { invites, calls_per_second: 50, ..Fixture::default() };
        let change = |config: &mut Config| config.limits.concurrent_calls_per_sender_max = Some(1);
        Self { daemon: TestDaemon::fitted(&with, Arc::new(Silent), change).await }
    }

    async fn explain(&mut self, id: CallbackId) -> Value {
        self.daemon.get(&format!("/v1/callbacks/{id}/explain")).await
    }

    /// The step of the last turn for a callback, and its reason.
    async fn written(&mut self, id: CallbackId) -> (&'static str, String) {
        let record = self.daemon.store().callback(id).await.unwrap().unwrap();
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

/// A random callback, and the ledgers of its pairs.
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
    callback.reached_late_at = (random.u8(0..12) == 0).then_some(now);
    let pairs = senders.iter().map(|&sender| ledger(random, PairKey::of(sender, consumer), now));
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
async fn explain_gives_the_reason_that_the_next_turn_writes() {
    let now: Timestamp = START.parse().unwrap();
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for seed in 0..400 {
        let mut random = Rng::with_seed(seed);
        let mut daemon = Daemon::start(random.bool()).await;
        let (callback, pairs) = draw(&mut random, now);
        let id = callback.id;
        let store = daemon.daemon.store();
        let order = Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() };
        store.enqueue_callbacks(vec![order]).await.unwrap();
        store.record(Batch { pairs, ..Batch::default() }).await.unwrap();
        let told = daemon.explain(id).await;
        daemon.daemon.scheduler.turn().await.unwrap();
        let (step, reason) = daemon.written(id).await;
        let binds = told["reasons"][0]["code"].as_str().unwrap_or("ready");
        assert_eq!(told["step"], step, "seed {seed}: {told}");
        if step != "invite" {
            assert_eq!(binds, reason, "seed {seed}: {told}");
        }
        if step == "wait" {
            let listed = daemon.daemon.get("/v1/callbacks").await["callbacks"][0].clone();
            assert_eq!(told["next_look_at"], listed["next_look_at"], "seed {seed}: {told} {listed}");
            assert_eq!(told["reasons"][0]["lifts_at"], listed["reason"]["lifts_at"], "seed {seed}: {told}");
        }
        *seen.entry(format!("{step} {binds}")).or_default() += 1;
    }
    // The random callbacks must cover all kinds of steps.
    for step in ["place_call", "request_permission", "invite", "wait", "finish"] {
        assert!(seen.keys().any(|told| told.starts_with(step)), "{step} was never drawn: {seen:?}");
    }
    assert!(seen.contains_key("finish document.unknown") && seen.contains_key("finish document.no_agent"));
    assert!(seen.len() > 20, "{seen:?}");
}
