//! The simulated officer for privacy, who has people erased. Draws separately, so that other seeds do not change.

use std::collections::BTreeSet;

use anyhow::Context as _;
use axum::body::Body;
use fastrand::Rng;
use http::Request;
use serde_json::{Value, json};

use super::simulate::consumer;
use super::{Customer, Simulation};
use crate::domain::{CallbackId, Scope, Scopes, is_pseudonym};
use crate::http::auth::new_token;
use crate::sim::world::Stop;
use crate::store::Token;

/// Differs from that of the customer.
const SECRET: [u8; 32] = [9; 32];
/// So many people of a seed are erased.
const MOST: usize = 3;

pub(super) struct Erasures {
    random: Rng,
    /// Of one seed in six.
    erases: bool,
    consumers: u64,
    /// The erasures that were acknowledged.
    begun: Vec<String>,
    /// The callbacks of people who were erased.
    gone: BTreeSet<CallbackId>,
}

impl Erasures {
    pub(super) fn new(seed: u64, consumers: u64) -> Self {
        let mut random = Rng::with_seed(seed.rotate_left(56) ^ 0x06E7);
        let erases = random.u8(0..6) == 0;
        Self { random, erases, consumers, begun: Vec::new(), gone: BTreeSet::new() }
    }

    /// Lets the daemon know who may erase.
    pub(super) async fn open(&self, daemon: &Simulation) -> anyhow::Result<()> {
        if self.erases {
            let token = Token::new("privacy", new_token(SECRET).1, daemon.now());
            let scopes = Scopes::from_iter([Scope::Admin, Scope::Reveal]);
            daemon.store.create_token(Token { scopes, ..token }).await?;
        }
        Ok(())
    }

    /// Sometimes has somebody erased.
    pub(super) async fn act(
        &mut self,
        daemon: &mut Simulation,
        accepted: &BTreeSet<CallbackId>,
    ) -> anyhow::Result<()> {
        if !self.erases || self.begun.len() >= MOST || self.random.u8(0..4) > 0 {
            return Ok(());
        }
        let number = consumer(self.random.u64(0..self.consumers));
        let ids: Vec<CallbackId> = accepted.iter().copied().collect();
        let theirs = daemon.store.callbacks(&ids).await?;
        let theirs = theirs.iter().filter(|callback| callback.order.consumer == number);
        let theirs: Vec<CallbackId> = theirs.map(|callback| callback.id).collect();
        let body = json!({"consumer": number.e164(), "why": "asked by letter"});
        let request = Request::post("/v1/consumers/erase").header("content-type", "application/json");
        let request = request.header("authorization", format!("Bearer {}", new_token(SECRET).0));
        let (status, answer) = daemon.request(request.body(Body::from(body.to_string()))?).await?;
        anyhow::ensure!(matches!(status, 0 | 202), "an erasure was answered with {status}: {answer}");
        if status == 202 {
            let answer: Value = serde_json::from_str(&answer)?;
            let id = answer["id"].as_str().context("an erasure has an id")?.to_owned();
            let stop = Stop { from: daemon.now(), until: None, senders: None, consumer: Some(number) };
            daemon.world().oracle_mut().paused(&id, stop);
            self.begun.push(id);
            self.gone.extend(theirs);
        }
        Ok(())
    }

    /// What is left of people who were erased, and erasures that are not done.
    pub(super) async fn problems(&self, daemon: &mut Simulation) -> anyhow::Result<Vec<String>> {
        let mut problems = Vec::new();
        for id in &self.begun {
            let (status, body) = daemon.request(Customer::get(&format!("/v1/erasures/{id}"))?).await?;
            let shown: Value = serde_json::from_str(&body).unwrap_or_default();
            if status != 200 || shown["state"] != "done" {
                problems.push(format!("the erasure {id} is not done: {body}"));
            }
        }
        let gone: Vec<CallbackId> = self.gone.iter().copied().collect();
        for callback in daemon.store.callbacks(&gone).await? {
            if !is_pseudonym(callback.order.consumer) || !callback.is_closed() {
                problems.push(format!("{} is of somebody who was erased, and tells who", callback.id));
            }
        }
        Ok(problems)
    }
}
