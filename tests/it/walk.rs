//! Single callbacks in a whole daemon with a simulated world.

use axum::body::Body;
use http::Request;
use jiff::{SignedDuration, Timestamp};
use ringmaster::http::auth;
use ringmaster::simulation::{Fixture, Simulation, fixture};
use ringmaster::store::Token;
use serde_json::{Value, json};

/// A harness with one customer, who has a token.
struct Harness {
    simulation: Simulation,
    token: String,
}

impl Harness {
    async fn begin(with: Fixture) -> Self {
        let (config, setup) = fixture(&with);
        let start: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let simulation = Simulation::begin(&config, setup, start).await.unwrap();
        let (token, hash) = auth::new_token([7; 32]);
        let kept = Token::new("test", hash, start);
        simulation.store.create_token(kept).await.unwrap();
        Self { simulation, token }
    }

    async fn post(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let (status, body) = self.simulation.request(request).await.unwrap();
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    async fn get(&mut self, path: &str) -> Value {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty())
            .unwrap();
        let (status, body) = self.simulation.request(request).await.unwrap();
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Orders a callback whose document is a plain message.
    async fn enqueue(&mut self, consumer: &str) -> String {
        let order = json!({
            "consumer": consumer,
            "sender": "+551140000001",
            "document": "message",
            "variables": {"message": "Your parcel is at the door."},
            "latest": "2026-12-03T12:00:00Z",
        });
        let (status, body) = self.post("/v1/callbacks", &order).await;
        assert_eq!(status, 202, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    async fn show(&mut self, id: &str) -> Value {
        self.get(&format!("/v1/callbacks/{id}")).await
    }

    async fn days(&mut self, days: i64) {
        self.simulation.advance(SignedDuration::from_hours(24 * days)).await.unwrap();
    }

    fn assert_lawful(&self) {
        let report = self.simulation.world().report();
        assert_eq!(report.violations_total, 0, "{:#?}", report.violations);
    }
}

#[tokio::test]
async fn a_consumer_who_accepts_is_called_and_reached() {
    let mut harness = Harness::begin(Fixture::default()).await;
    let id = harness.enqueue("+5511987650001").await;
    harness.days(1).await;
    let shown = harness.show(&id).await;
    assert_eq!(shown["outcome"], "reached", "{shown:#}");
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 1, "{shown:#}");
    let counts = harness.simulation.world().report().counts;
    assert_eq!((counts.permission_requests, counts.creates_accepted, counts.calls_connected), (1, 1, 1));
    harness.assert_lawful();
}

#[tokio::test]
async fn a_consumer_who_refuses_is_not_called() {
    let mut harness = Harness::begin(Fixture::default()).await;
    let id = harness.enqueue("+5511987650002").await;
    harness.days(2).await;
    let shown = harness.show(&id).await;
    assert_eq!(shown["outcome"], "declined", "{shown:#}");
    assert_eq!(harness.simulation.world().report().counts.creates_accepted, 0);
    harness.assert_lawful();
}

#[tokio::test]
async fn a_consumer_who_never_answers_the_phone_is_spared_the_third_ring() {
    let mut harness = Harness::begin(Fixture::default()).await;
    let id = harness.enqueue("+5511987650005").await;
    harness.days(3).await;
    let shown = harness.show(&id).await;
    assert_eq!(shown["outcome"], "exhausted", "{shown:#}");
    assert_eq!(harness.simulation.world().report().counts.calls_missed, 2);
    harness.assert_lawful();
}

#[tokio::test]
async fn every_habit_ends_every_callback_without_a_violation() {
    let mut harness = Harness::begin(Fixture { invites: true, ..Fixture::default() }).await;
    let mut ids = Vec::new();
    for habit in 1..=11 {
        for series in [5, 6, 7] {
            ids.push(harness.enqueue(&format!("+55119876{series}00{habit:02}")).await);
        }
    }
    harness.days(11).await;
    for id in ids {
        let shown = harness.show(&id).await;
        assert_eq!(shown["status"], "closed", "{shown:#}");
    }
    let report = harness.simulation.world().report();
    assert_eq!(report.calls_live, 0);
    harness.assert_lawful();
}
