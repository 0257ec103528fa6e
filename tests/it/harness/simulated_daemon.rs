//! A whole daemon and a simulated world under virtual time, with one customer who has a token.
//!
//! When it is dropped, it asserts that the oracle and the invariant checker found nothing, unless the test reads their
//! findings.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use axum::body::Body;
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use ringmaster::config::Config;
use ringmaster::http::auth;
use ringmaster::scheduler::told;
use ringmaster::sim::world::Setup;
use ringmaster::simulation::{Fixture, Mutation, NoMutation, Simulation, Trace, fixture};
use ringmaster::store::{Store, Token};
use serde_json::{Value, json};

use super::SENDER;

pub(crate) struct SimulatedDaemon {
    simulation: Simulation,
    token: String,
    /// Whether the test reads the findings.
    told: bool,
}

impl SimulatedDaemon {
    pub(crate) async fn begin(with: &Fixture, start: &str) -> Self {
        let (config, setup) = fixture(with);
        Self::begin_with(&config, setup, start, Arc::new(NoMutation)).await
    }

    pub(crate) async fn begin_with(
        config: &Config,
        setup: Setup,
        start: &str,
        mutation: Arc<dyn Mutation>,
    ) -> Self {
        let start: Timestamp = start.parse().unwrap();
        let trace = Arc::new(Trace::default());
        let simulation = Simulation::begin_with(config, setup, start, mutation, trace).await.unwrap();
        Self::with_token(simulation, start).await
    }

    /// Begins with the test's own store.
    pub(crate) async fn begin_on(with: &Fixture, start: &str, store: Arc<dyn Store>) -> Self {
        let (config, setup) = fixture(with);
        let start: Timestamp = start.parse().unwrap();
        let simulation = Simulation::begin_on(&config, setup, start, store).await.unwrap();
        Self::with_token(simulation, start).await
    }

    async fn with_token(simulation: Simulation, start: Timestamp) -> Self {
        let (token, hash) = auth::new_token([7; 32]);
        simulation.store.create_token(Token::new("test", hash, start)).await.unwrap();
        Self { simulation, token, told: false }
    }

    pub(crate) async fn try_post(&mut self, path: &str, body: &Value) -> (u16, Value) {
        let request = http::Request::post(path)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let (status, body) = self.simulation.request(request).await.unwrap();
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// Sends a request that must succeed.
    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.try_post(path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// The status of the answer.
    pub(crate) async fn try_get(&mut self, path: &str) -> u16 {
        let request = http::Request::get(path)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty())
            .unwrap();
        self.simulation.request(request).await.unwrap().0
    }

    pub(crate) async fn get(&mut self, path: &str) -> Value {
        let request = http::Request::get(path)
            .header("authorization", format!("Bearer {}", self.token))
            .body(Body::empty())
            .unwrap();
        let (status, body) = self.simulation.request(request).await.unwrap();
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// Orders a callback whose document is a plain message; returns its id.
    pub(crate) async fn order(&mut self, consumer: &str, latest: &str, more: &Value) -> String {
        let mut order = json!({
            "consumer": consumer, "sender": SENDER, "latest": latest,
            "document": "message", "variables": {"message": "Your parcel is at the door."},
        });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let ordered = self.post("/v1/callbacks", &order).await;
        ordered["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn pass(&mut self, time: SignedDuration) {
        self.simulation.advance(time).await.unwrap();
    }

    /// The findings of the oracle and the invariant checker. From now on the test has to check them.
    pub(crate) fn faults(&mut self) -> Vec<String> {
        self.told = true;
        self.found()
    }

    fn found(&self) -> Vec<String> {
        let report = self.simulation.world().report();
        let laws = report.violations.iter().map(|broken| format!("{:?}: {}", broken.law, broken.details));
        let wrong = self.simulation.store.wrong_counts().now_or_never();
        let miscounted = self.simulation.store.wrong_reports(told).now_or_never();
        let counts = wrong.unwrap().unwrap().into_iter().chain(miscounted.unwrap().unwrap());
        laws.chain(self.simulation.contradictions()).chain(counts).collect()
    }
}

impl Deref for SimulatedDaemon {
    type Target = Simulation;

    fn deref(&self) -> &Simulation {
        &self.simulation
    }
}

impl DerefMut for SimulatedDaemon {
    fn deref_mut(&mut self) -> &mut Simulation {
        &mut self.simulation
    }
}

impl Drop for SimulatedDaemon {
    fn drop(&mut self) {
        if !self.told && !std::thread::panicking() {
            assert_eq!(self.found(), Vec::<String>::new());
        }
    }
}
