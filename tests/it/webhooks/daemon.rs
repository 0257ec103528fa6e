//! Webhooks of a whole daemon: the rows that its changes write into the outbox, and their delivery.

use ringmaster::config::{Config, Secret};
use ringmaster::daemon;
use ringmaster::http::auth;
use ringmaster::simulation::{Fixture, NoMutation, fixture};
use ringmaster::store::Token;
use serde_json::json;

use super::*;
use crate::harness::SimulatedDaemon;

const START: &str = "2026-11-23T12:00:00Z";

fn with_webhooks(config: &mut Config, url: &Url) {
    config.webhooks.url = Some(url.clone());
    config.webhooks.secret = Some(Secret::new(SECRET));
    config.webhooks.allow = vec!["127.0.0.0/8".parse().unwrap()];
}

/// Takes everything out of the outbox, in the order of delivery.
async fn empty(store: &dyn Store, now: Timestamp) -> Vec<Value> {
    let mut told = Vec::new();
    loop {
        let due = store.claim_deliveries(now, now, 100).await.unwrap();
        if due.is_empty() {
            return told;
        }
        for delivery in due {
            told.push(serde_json::from_str(&delivery.row.payload).unwrap());
            store.settle_delivery(delivery.row.id, now, Settled::Delivered, None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn every_change_for_customers_has_one_webhook() {
    let (mut config, setup) = fixture(&Fixture::default());
    with_webhooks(&mut config, &"http://127.0.0.1:9/hook".parse().unwrap());
    let mut whole = SimulatedDaemon::begin_with(&config, setup, START, Arc::new(NoMutation)).await;
    let mut ids = Vec::new();
    // These consumers talk, refuse the permission, and never answer the phone.
    for habit in ["01", "02", "05"] {
        let more = json!({"reference": habit, "metadata": {"ticket": [1, 2]}});
        let consumer = format!("+55119876500{habit}");
        ids.push(whole.order(&consumer, "2026-12-03T12:00:00Z", &more).await);
    }
    whole.pass(SignedDuration::from_hours(96)).await;
    let told = empty(&*whole.store, whole.now()).await;
    let expected = [
        (1, vec![(CALLING, None), (CLOSED, Some("reached"))]),
        (2, vec![(CLOSED, Some("declined"))]),
        (5, vec![(CALLING, None), (CALLING, None), (CLOSED, Some("exhausted"))]),
    ];
    for (id, (habit, expected)) in ids.iter().zip(expected) {
        let of_it: Vec<_> = told.iter().filter(|told| told["data"]["id"] == **id).collect();
        let words: Vec<_> = of_it
            .iter()
            .map(|told| (told["type"].as_str().unwrap(), told["data"]["outcome"].as_str()))
            .collect();
        assert_eq!(words, expected, "habit {habit}");
        let last = of_it.last().unwrap();
        assert_eq!(last["data"]["status"], "closed");
        assert_eq!(last["data"]["reference"], format!("{habit:02}"));
        assert_eq!(last["data"]["metadata"], json!({"ticket": [1, 2]}));
        assert_eq!(last["data"]["closed_at"], last["timestamp"]);
        assert!(last["data"]["reason"]["sentence"].is_string(), "{last}");
        assert!(!last.to_string().contains("119876500"), "a number in {last}");
    }
}

#[tokio::test]
async fn what_happens_to_a_consumer_is_told_with_the_number_and_the_open_callbacks() {
    let (mut config, setup) = fixture(&Fixture::default());
    with_webhooks(&mut config, &"http://127.0.0.1:9/hook".parse().unwrap());
    let mut whole = SimulatedDaemon::begin_with(&config, setup, START, Arc::new(NoMutation)).await;
    let consumer = "+5511987650001";
    let id = whole.order(consumer, "2026-12-03T12:00:00Z", &json!({})).await;
    whole.pass(SignedDuration::from_hours(4)).await;
    let sender = ringmaster::domain::Phone::parse(crate::harness::SENDER).unwrap();
    let caller = ringmaster::domain::Phone::parse(consumer).unwrap();
    let now = whole.now();
    assert!(whole.world().consumer_calls(now, sender, caller));
    whole.pass(SignedDuration::from_hours(1)).await;
    let told = empty(&*whole.store, whole.now()).await;
    let of_them: Vec<&Value> = told.iter().filter(|told| told["data"]["consumer"] == consumer).collect();
    let words: Vec<&str> = of_them.iter().map(|told| told["type"].as_str().unwrap()).collect();
    assert_eq!(words, ["permission.granted", "consumer.called"], "{told:?}");
    assert_eq!(of_them[0]["data"]["callbacks"], json!([id]));
    assert_eq!(of_them[0]["data"]["permission"], "temporary");
    assert!(of_them[0]["data"]["expires_at"].is_string());
    assert_eq!(of_them[1]["data"]["callbacks"], json!([]), "it is closed");
}

#[tokio::test]
async fn without_a_webhook_nothing_is_written() {
    let whole = SimulatedDaemon::begin(&Fixture::default(), START).await;
    assert_eq!(whole.store.backlog().await.unwrap().waiting, 0);
}

/// A daemon in this process, and a client of its API.
struct Daemon {
    running: daemon::Running,
    shutdown: CancellationToken,
    token: String,
    client: reqwest::Client,
}

impl Daemon {
    async fn start(config: &Config, clock: &Arc<ManualClock>) -> Self {
        let shutdown = CancellationToken::new();
        let options = daemon::Options {
            clock: clock.clone(),
            shutdown: shutdown.clone(),
            listener: Some(TcpListener::bind("127.0.0.1:0").await.unwrap()),
            ..daemon::Options::default()
        };
        let running = daemon::start(config, options).await.unwrap();
        let (token, hash) =
            auth::new_token(*uuid::Uuid::new_v4().as_bytes().repeat(2).first_chunk().unwrap());
        let kept = Token::new("test", hash, clock.now());
        running.store.create_token(kept).await.unwrap();
        Self { running, shutdown, token, client: reqwest::Client::new() }
    }

    async fn ask(&self, method: http::Method, path: &str, body: Option<&Value>) -> (u16, Value) {
        let url = format!("http://{}{path}", self.running.address);
        let mut request = self.client.request(method, url).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn post(&self, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.ask(http::Method::POST, path, body).await
    }

    async fn webhooks(&self) -> Value {
        self.ask(http::Method::GET, "/v1/webhooks", None).await.1
    }

    /// Waits until this many tries of the daemon are recorded.
    async fn recorded(&self, tries: u64) {
        let endpoint = self.running.webhook_endpoint.as_ref().unwrap();
        endpoint.recorded().wait_for(|recorded| *recorded >= tries).await.unwrap();
    }

    async fn stop(self) {
        drop(self.client);
        self.shutdown.cancel();
        self.running.finished().await.unwrap();
    }
}

fn far_order() -> Value {
    json!({
        "consumer": "+5511987650001", "sender": "+551140000001", "document": "message",
        "variables": {"message": "Your parcel is at the door."},
        "earliest": "2026-12-20T12:00:00Z", "latest": "2026-12-21T12:00:00Z",
    })
}

#[tokio::test]
async fn the_next_daemon_delivers_and_replays_waiting_webhooks() {
    let dir = tempfile::tempdir().unwrap();
    let mut sink = Sink::open().await;
    let (mut config, _) = fixture(&Fixture::default());
    config.store.path = dir.path().join("ringmaster.db");
    with_webhooks(&mut config, &sink.url);
    let clock = Arc::new(ManualClock::new("2026-11-23T12:00:00Z".parse().unwrap()));

    // Nothing listens at this address.
    let mut elsewhere = config.clone();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    elsewhere.webhooks.url = Some(format!("http://{closed}/hook").parse().unwrap());
    let daemon = Daemon::start(&elsewhere, &clock).await;
    let (status, ordered) = daemon.post("/v1/callbacks", Some(&far_order())).await;
    assert_eq!(status, 202, "{ordered}");
    let id = ordered["id"].as_str().unwrap().to_owned();
    let (status, canceled) = daemon.post(&format!("/v1/callbacks/{id}/cancel"), None).await;
    assert_eq!((status, &canceled["outcome"]), (200, &json!("canceled")));
    daemon.recorded(1).await;
    let state = daemon.webhooks().await;
    assert_eq!((&state["backlog"], &state["last_failure"]), (&json!(1), &json!("unreachable")), "{state}");
    daemon.stop().await;

    clock.advance(SignedDuration::from_mins(1));
    let daemon = Daemon::start(&config, &clock).await;
    let seen = sink.next().await;
    assert!(seen.verifies(SECRET), "{seen:?}");
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    assert_eq!((&body["type"], &body["data"]["id"]), (&json!(CLOSED), &json!(id)));
    assert_eq!(body["data"]["outcome"], "canceled");
    daemon.recorded(1).await;
    let (status, replay) = daemon.post(&format!("/v1/callbacks/{id}/replay"), None).await;
    assert_eq!((status, &replay["deliveries"]), (202, &json!(1)));
    let again = sink.next().await;
    assert_eq!((again.header("webhook-id"), &again.body), (seen.header("webhook-id"), &seen.body));
    daemon.stop().await;
}

#[tokio::test]
async fn a_disabled_endpoint_is_shown_and_enabled_over_the_api() {
    let dir = tempfile::tempdir().unwrap();
    let mut sink = Sink::open().await;
    let (mut config, _) = fixture(&Fixture::default());
    config.store.path = dir.path().join("ringmaster.db");
    with_webhooks(&mut config, &sink.url);
    let clock = Arc::new(ManualClock::new("2026-11-23T12:00:00Z".parse().unwrap()));
    let daemon = Daemon::start(&config, &clock).await;
    assert_eq!(daemon.webhooks().await, json!({"state": "enabled", "backlog": 0, "given_up": 0}));
    let callback = daemon.post("/v1/callbacks", Some(&far_order())).await.1;
    sink.gone();
    daemon.post(&format!("/v1/callbacks/{}/cancel", callback["id"].as_str().unwrap()), None).await;
    sink.next().await;
    daemon.recorded(1).await;
    let state = daemon.webhooks().await;
    assert_eq!((&state["disabled_because"], &state["backlog"]), (&json!("it answered 410"), &json!(1)));
    sink.back();
    let (status, state) = daemon.post("/v1/webhooks/enable", None).await;
    assert_eq!((status, &state["state"]), (200, &json!("enabled")));
    sink.next().await;
    daemon.stop().await;
}
