//! The simulated operator, who pauses and resumes. Draws separately, so that other seeds do not change.

use fastrand::Rng;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::simulate::{STEP_MAX_S, consumer};
use super::{Customer, SENDERS, Simulation};
use crate::domain::Phone;
use crate::sim::world::Stop;

/// How wrong the daemon's clock can be, which tells it when a pause ends.
const WRONG: SignedDuration = SignedDuration::from_secs(STEP_MAX_S);

pub(super) struct Operator {
    random: Rng,
    /// Of one seed in three.
    pauses: bool,
    consumers: u64,
    /// The pauses that were acknowledged and not lifted.
    set: Vec<String>,
}

impl Operator {
    pub(super) fn new(seed: u64, consumers: u64) -> Self {
        let mut random = Rng::with_seed(seed.rotate_left(16));
        let pauses = random.u8(0..3) == 0;
        Self { random, pauses, consumers, set: Vec::new() }
    }

    /// Sometimes pauses something, or resumes what was paused.
    pub(super) async fn act(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        if !self.pauses {
            return Ok(());
        }
        match self.random.u8(0..6) {
            0 | 1 => self.pause(daemon).await,
            2 if !self.set.is_empty() => self.resume(daemon).await,
            _ => Ok(()),
        }
    }

    /// Resumes everything. A callback that waits for something else looks at a pause only when that ends, and so at its
    /// other senders; see the decision about pauses.
    pub(super) async fn resume_all(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        if !self.pauses {
            return Ok(());
        }
        let (_, body) = daemon.request(Customer::get("/v1/pauses")?).await?;
        let listed: Value = serde_json::from_str(&body)?;
        let ids = listed["pauses"].as_array().into_iter().flatten().filter_map(|pause| pause["id"].as_str());
        self.set = ids.map(str::to_owned).collect();
        while !self.set.is_empty() {
            self.resume(daemon).await?;
        }
        Ok(())
    }

    async fn pause(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        let until = daemon.now() + SignedDuration::from_mins(self.random.i64(2..400));
        let consumer = consumer(self.random.u64(0..self.consumers));
        let sender = SENDERS[self.random.usize(0..SENDERS.len())];
        let (mut order, senders, whom) = match self.random.u8(0..4) {
            0 => (json!({"scope": "all"}), None, None),
            1 => (json!({"scope": "account", "account": "main"}), None, None),
            2 => (
                json!({"scope": "sender", "sender": sender}),
                Phone::parse(sender).ok().map(|it| vec![it]),
                None,
            ),
            _ => (json!({"scope": "person", "consumer": consumer.e164()}), None, Some(consumer)),
        };
        order["why"] = "a drill".into();
        order["until"] = until.to_string().into();
        let request = Customer::post("/v1/pauses", "application/json", order.to_string())?;
        let (status, body) = daemon.request(request).await?;
        anyhow::ensure!(matches!(status, 0 | 200 | 202), "a pause was answered with {status}: {body}");
        if status == 0 {
            // It may be in force; it ends by itself.
            return Ok(());
        }
        let answer: Value = serde_json::from_str(&body)?;
        let id = answer["pause"]["id"].as_str().unwrap_or_default().to_owned();
        let stop = Stop { from: daemon.now(), until: Some(until - WRONG), senders, consumer: whom };
        daemon.world().oracle_mut().paused(&id, stop);
        self.set.push(id);
        Ok(())
    }

    async fn resume(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        let id = self.set.swap_remove(self.random.usize(0..self.set.len()));
        daemon.world().oracle_mut().resumed(&id);
        let (status, body) = daemon.request(Customer::delete(&format!("/v1/pauses/{id}"))?).await?;
        let is_known = matches!(status, 0 | 200 | 202 | 404);
        anyhow::ensure!(is_known, "a resume was answered with {status}: {body}");
        Ok(())
    }
}
