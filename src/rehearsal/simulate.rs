//! A play from one seed: customers, consumers, faults and deaths at random, and a judgement at the end.
//!
//! What is judged here is what only an outsider can see: that everything answered "accepted" was kept and
//! ended, that no slot stayed taken, and what the world's own oracle saw. The same seed plays the same way.

use std::collections::BTreeSet;

use anyhow::Context as _;
use axum::body::Body;
use fastrand::Rng;
use http::Request;
use jiff::{SignedDuration, Timestamp};

use super::{Rehearsal, SENDERS, Stage, stage};
use crate::domain::{CallbackId, Phone, State};
use crate::sim::world::{Answer, Counts, Faults};
use crate::store::Token;

/// What is done to the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// The platform drops, delays, repeats and refuses.
    pub faults: bool,
    /// The house is killed at random moments and started again.
    pub deaths: bool,
}

/// How a play went.
#[derive(Debug, Clone)]
pub struct Played {
    pub seed: u64,
    /// What the house did wrong, in words; empty if nothing.
    pub wrongs: Vec<String>,
    pub callbacks: usize,
    pub deaths: u32,
    pub counts: Counts,
}

const START: &str = "2026-11-23T12:00:00Z";
/// A token that lives only inside a play.
const TOKEN: [u8; 32] = [7; 32];

/// Plays the seed to its end.
///
/// # Errors
/// What the house could not survive at all, which is worse than any wrong.
pub async fn play(seed: u64, trouble: Trouble) -> anyhow::Result<Played> {
    let mut random = Rng::with_seed(seed);
    let with =
        Stage { seed, calls_per_second: random.u32(1..=5), invites: random.bool(), ..Stage::default() };
    let (config, setup) = stage(&with);
    let start: Timestamp = START.parse().context("the start is a moment")?;
    let house = Rehearsal::begin(&config, setup, start).await?;
    let mut play = Play { house, random, trouble, accepted: BTreeSet::new(), start };
    play.admit_customer().await?;
    play.days_of_trouble(3).await?;
    play.days_of_peace(12).await?;
    play.judge(seed).await
}

struct Play {
    house: Rehearsal,
    random: Rng,
    trouble: Trouble,
    /// Orders that were answered with success.
    accepted: BTreeSet<CallbackId>,
    start: Timestamp,
}

impl Play {
    async fn admit_customer(&mut self) -> anyhow::Result<()> {
        let (_, hash) = token();
        let token = Token { name: "customer".to_owned(), hash, created_at: self.start };
        Ok(self.house.store.create_token(token).await?)
    }

    async fn days_of_trouble(&mut self, days: i64) -> anyhow::Result<()> {
        if self.trouble.faults {
            let faults = self.faults();
            self.house.world().set_faults(faults);
        }
        let until = self.start + SignedDuration::from_hours(24 * days);
        while self.house.now() < until {
            if self.trouble.deaths && self.random.u8(0..4) == 0 {
                let steps = self.random.u32(0..40);
                self.house.fate.die_after(steps);
            }
            self.act().await?;
            let minutes = self.random.i64(0..180);
            let seconds = self.random.i64(0..60);
            self.house.advance(SignedDuration::from_secs(60 * minutes + seconds)).await?;
        }
        Ok(())
    }

    async fn days_of_peace(&mut self, days: i64) -> anyhow::Result<()> {
        self.house.world().set_faults(Faults::default());
        self.house.fate.spare();
        self.house.advance(SignedDuration::from_hours(24 * days)).await
    }

    fn faults(&mut self) -> Faults {
        let mut share = |of_hundred: u32| f64::from(self.random.u32(0..=of_hundred)) / 100.0;
        Faults {
            drop_answer: share(15),
            delay_answer: share(20),
            webhook_before_answer: share(20),
            throttle: share(15),
            error_before: share(10),
            error_after: share(15),
            duplicate_webhook: share(20),
            delay_webhook: share(30),
            lose_webhook: share(20),
            answer_delay_ms: self.random.u32(0..25_000),
            webhook_delay_ms: self.random.u32(0..20_000),
            outage_from: None,
            outage_until: None,
        }
    }

    /// Something that a customer or a consumer does.
    async fn act(&mut self) -> anyhow::Result<()> {
        let now = self.house.now();
        let sender = self.sender();
        let consumer = self.consumer();
        match self.random.u8(0..12) {
            0..=5 => self.order(consumer).await?,
            6 => self.cancel().await?,
            7 => _ = self.house.world().consumer_writes(now, sender, consumer, "hello"),
            8 => _ = self.house.world().consumer_calls(now, sender, consumer),
            9 => _ = self.house.world().consumer_answers(now, sender, consumer, Answer::Reject),
            10 => _ = self.house.world().consumer_answers(now, sender, consumer, Answer::Accept),
            _ if self.trouble.deaths => self.house.restart().await?,
            _ => {}
        }
        Ok(())
    }

    async fn order(&mut self, consumer: Phone) -> anyhow::Result<()> {
        let now = self.house.now();
        let earliest = now + SignedDuration::from_mins(self.random.i64(0..600));
        let latest = earliest + SignedDuration::from_mins(self.random.i64(30..7000));
        let senders = if self.random.bool() { &SENDERS[..] } else { &SENDERS[..1] };
        for sender in senders {
            let sender = Phone::parse(sender).context("the stage's senders are numbers")?;
            self.house.world().oracle_mut().allow(sender, consumer, earliest, latest);
        }
        let document = if self.random.u8(0..4) == 0 {
            serde_json::json!({"document": "agent-first", "agent": "client:alice"})
        } else {
            serde_json::json!({"document": "message", "variables": {"message": "Hello."}})
        };
        let mut order = serde_json::json!({
            "consumer": consumer.e164(),
            "senders": senders,
            "earliest": earliest.to_string(),
            "latest": latest.to_string(),
            "priority": self.random.u8(0..=9),
        });
        if let (Some(order), Some(document)) = (order.as_object_mut(), document.as_object()) {
            order.extend(document.clone());
        }
        let (status, body) = self.post("/v1/callbacks", order.to_string()).await?;
        if status == 202 {
            let answer: serde_json::Value = serde_json::from_str(&body)?;
            let id = answer["id"].as_str().context("an accepted order has an id")?;
            self.accepted.insert(id.parse()?);
        } else {
            anyhow::ensure!(status == 0, "an order was answered with {status}: {body}");
        }
        Ok(())
    }

    async fn cancel(&mut self) -> anyhow::Result<()> {
        let Some(&id) = self.random.choice(&Vec::from_iter(&self.accepted)).copied() else { return Ok(()) };
        let (status, body) = self.post(&format!("/v1/callbacks/{id}/cancel"), String::new()).await?;
        anyhow::ensure!(matches!(status, 0 | 200 | 202 | 409), "a cancel was answered with {status}: {body}");
        Ok(())
    }

    async fn post(&mut self, path: &str, body: String) -> anyhow::Result<(u16, String)> {
        let request = Request::post(path)
            .header("authorization", format!("Bearer {}", token().0))
            .header("content-type", "application/json")
            .body(Body::from(body))?;
        self.house.request(request).await
    }

    fn sender(&mut self) -> Phone {
        let index = self.random.usize(0..SENDERS.len());
        Phone::parse(SENDERS[index]).expect("the stage's senders are numbers")
    }

    /// One of a few consumers, so that callbacks meet; the last digits choose the habit.
    fn consumer(&mut self) -> Phone {
        let habit = self.random.u64(0..12);
        let series = self.random.u64(0..2);
        Phone::from_stored(5_511_987_650_000 + series * 100 + habit)
    }

    async fn judge(self, seed: u64) -> anyhow::Result<Played> {
        let report = self.house.world().report();
        let mut wrongs: Vec<String> =
            report.violations.iter().map(|violation| format!("{violation:?}")).collect();
        if report.calls_live > 0 {
            wrongs.push(format!("{} calls never ended in the world", report.calls_live));
        }
        for attempt in self.house.store.live_attempts().await? {
            wrongs.push(format!("{} still holds a slot, {:?}", attempt.id, attempt.submission.stage));
        }
        for pair in self.house.store.pairs_with_live_inbound().await? {
            wrongs.push(format!("{} has a call of the consumer that never ended", pair.key.consumer));
        }
        let ids = Vec::from_iter(self.accepted.iter().copied());
        let kept = self.house.store.callbacks(&ids).await?;
        if kept.len() != ids.len() {
            wrongs.push(format!("{} accepted orders were lost", ids.len() - kept.len()));
        }
        for callback in &kept {
            if !matches!(callback.state, State::Closed(_)) {
                wrongs.push(format!("{} never ended: {:?}", callback.id, callback.state));
            }
        }
        Ok(Played { seed, wrongs, callbacks: ids.len(), deaths: self.house.deaths, counts: report.counts })
    }
}

fn token() -> (String, [u8; 32]) {
    crate::http::auth::new_token(TOKEN)
}
