//! One run from a seed: random customers, consumers, faults and crashes, with checks at the end.
//!
//! The checks use only what is visible from outside the daemon: every accepted order was kept and has ended,
//! no slot is still taken, and the oracle found no violation. The same seed gives the same run.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context as _;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::campaigns::Leader;
use super::desk::Desk;
use super::erasures::Erasures;
use super::previews::Previewers;
use super::script::{self, Script};
use super::wrap_ups::WrapUps;
use super::{Customer, Fixture, Mutation, NoMutation, Operator, SENDERS, Simulation, Trace, fixture, judge};
use crate::domain::{CallbackId, Phone};
use crate::sim::world::{Answer, Counts, Faults};
use crate::store::Store;
use crate::store::relational::SqlStore;

/// What is injected into a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// The platform drops, delays, repeats and refuses requests and has outages, and the daemon's clock
    /// steps.
    pub faults: bool,
    /// The daemon is killed at random moments and started again.
    pub deaths: bool,
}

/// The result of a run.
#[derive(Debug, Clone)]
pub struct RunReport {
    pub seed: u64,
    /// What the daemon did wrong; empty if nothing.
    pub problems: Vec<String>,
    pub callbacks: usize,
    pub deaths: u32,
    /// Webhooks that the daemon received, repeated ones included.
    pub webhooks: u64,
    pub counts: Counts,
    /// Simulated time.
    pub lasted: SignedDuration,
    /// The trace, if one was kept.
    pub trace: Vec<String>,
}

const HOURS_WITH_TROUBLE: i64 = 36;
/// After this time without faults, every callback is past its deadline, and every call is over and resolved.
const HOURS_WITHOUT_TROUBLE: i64 = 72;
/// The largest offset of the daemon's clock, in seconds.
pub(in crate::simulation) const STEP_MAX_S: i64 = 20;

/// Runs a seed to its end.
///
/// # Errors
/// If the daemon fails in a way that it must never fail, for example at its start.
pub async fn run_seed(seed: u64, trouble: Trouble) -> anyhow::Result<RunReport> {
    run_seed_with(seed, trouble, Arc::new(NoMutation), Arc::default()).await
}

/// Like [`run_seed`], with a mutation of the daemon and a trace.
///
/// # Errors
/// As [`run_seed`].
pub async fn run_seed_with(
    seed: u64,
    trouble: Trouble,
    mutation: Arc<dyn Mutation>,
    trace: Arc<Trace>,
) -> anyhow::Result<RunReport> {
    run_seed_on(seed, trouble, Arc::new(SqlStore::in_memory()?), mutation, trace).await
}

/// Like [`run_seed_with`], on an empty store of the caller's.
///
/// # Errors
/// As [`run_seed`].
pub async fn run_seed_on(
    seed: u64,
    trouble: Trouble,
    store: Arc<dyn Store>,
    mutation: Arc<dyn Mutation>,
    trace: Arc<Trace>,
) -> anyhow::Result<RunReport> {
    let mut random = Rng::with_seed(seed);
    let mut scene = Script::choose(&mut random)?;
    let with = Fixture {
        seed,
        calls_per_second: random.u32(1..=5),
        invites: random.bool(),
        webhooks: true,
        ..Fixture::default()
    };
    let (mut config, mut setup) = fixture(&with);
    script::limits(&mut random, &mut config, &mut setup);
    script::starts(seed, &mut setup);
    script::agents(seed, &mut setup);
    let consumers = random.u64(2..=24);
    let mut leader = Leader::new(seed, consumers);
    leader.prepare(&mut scene, &mut config)?;
    let mut wrap_ups = WrapUps::new(seed);
    wrap_ups.prepare(&mut config);
    let scene_of_world = (setup, scene.start);
    let daemon = Simulation::begin_mutated(&config, scene_of_world, store, mutation, trace.clone()).await?;
    let mut run = Run {
        daemon,
        random,
        documents: Rng::with_seed(seed.wrapping_mul(31)),
        operator: Operator::new(seed, consumers),
        leader,
        desk: Desk::new(seed)?,
        previewers: Previewers::new(seed),
        wrap_ups,
        erasures: Erasures::new(seed, consumers),
        trouble,
        accepted: BTreeSet::new(),
        problems: Vec::new(),
        scene,
        consumers,
        trace,
    };
    run.desk.open(&run.daemon);
    Customer::admit(&run.daemon).await?;
    run.erasures.open(&run.daemon).await?;
    run.trouble().await?;
    run.peace().await?;
    run.judge(seed).await
}

struct Run {
    daemon: Simulation,
    random: Rng,
    /// Draws the documents, so that they do not change what else a seed chooses.
    documents: Rng,
    operator: Operator,
    leader: Leader,
    desk: Desk,
    previewers: Previewers,
    wrap_ups: WrapUps,
    erasures: Erasures,
    trouble: Trouble,
    /// Orders that were accepted.
    accepted: BTreeSet<CallbackId>,
    problems: Vec<String>,
    scene: Script,
    /// How many consumers there are. With few, their callbacks compete.
    consumers: u64,
    trace: Arc<Trace>,
}

impl Run {
    async fn trouble(&mut self) -> anyhow::Result<()> {
        let until = self.scene.start + SignedDuration::from_hours(HOURS_WITH_TROUBLE);
        let over_by = until + SignedDuration::from_hours(HOURS_WITHOUT_TROUBLE);
        let mut faults_until = self.scene.start;
        while self.daemon.now() < until {
            if self.trouble.faults && self.daemon.now() >= faults_until {
                let faults = script::faults(&mut self.random, self.daemon.now());
                self.daemon.world().set_faults(faults);
                faults_until = self.daemon.now() + SignedDuration::from_hours(self.random.i64(2..12));
                let ahead = self.random.i64(-STEP_MAX_S..=STEP_MAX_S);
                self.set_clock(SignedDuration::from_secs(ahead)).await?;
            }
            if self.trouble.deaths && self.random.u8(0..4) == 0 {
                let steps = self.random.u32(0..40);
                self.daemon.crashes.crash_after(steps);
            }
            self.act().await?;
            self.operator.act(&mut self.daemon).await?;
            self.leader.act(&mut self.daemon).await?;
            self.accepted.extend(self.leader.follow_ups.take_ordered());
            self.desk.act(&mut self.daemon).await?;
            self.previewers.act(&mut self.daemon).await?;
            self.wrap_ups.act(&mut self.daemon, &mut self.accepted, over_by).await?;
            self.erasures.act(&mut self.daemon, &self.accepted).await?;
            let minutes = self.random.i64(0..180);
            self.pass(60 * minutes, 60).await?;
        }
        Ok(())
    }

    async fn peace(&mut self) -> anyhow::Result<()> {
        self.daemon.world().set_faults(Faults::default());
        self.daemon.crashes.disarm();
        let ordered = self.wrap_ups.ordered(&self.daemon, &self.accepted).await?;
        self.accepted.extend(ordered);
        self.set_clock(SignedDuration::ZERO).await?;
        self.operator.resume_all(&mut self.daemon).await?;
        self.leader.resume_all(&mut self.daemon).await?;
        self.daemon.advance(SignedDuration::from_hours(1)).await?;
        self.look_for_untrue_reasons().await?;
        self.daemon.advance(SignedDuration::from_hours(HOURS_WITHOUT_TROUBLE)).await?;
        self.leader.end_all(&mut self.daemon).await?;
        self.daemon.advance(SignedDuration::from_mins(10)).await?;
        self.problems.extend(self.leader.problems(&self.daemon).await?);
        self.problems.extend(self.wrap_ups.problems(&self.daemon).await?);
        self.problems.extend(self.erasures.problems(&mut self.daemon).await?);
        Ok(())
    }

    /// Sets the offset of the daemon's clock from the world's.
    async fn set_clock(&mut self, ahead: SignedDuration) -> anyhow::Result<()> {
        let ahead_now = self.daemon.daemon_now().duration_since(self.daemon.now());
        self.daemon.step_clock(ahead - ahead_now).await
    }

    /// Checks that a waiting callback still has to wait when the rules are evaluated again.
    async fn look_for_untrue_reasons(&mut self) -> anyhow::Result<()> {
        for id in self.accepted.clone() {
            let request = Customer::get(&format!("/v1/callbacks/{id}/explain"))?;
            let (status, body) = self.daemon.request(request).await?;
            let told: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
            let waits = told["status"] != "waiting" || told["step"] == "wait";
            if status != 200 || !waits {
                self.problems.push(format!("{id} waits and should not: {body}"));
            }
        }
        Ok(())
    }

    /// Advances by at least `least` seconds, and up to `more` more.
    async fn pass(&mut self, seconds: i64, more: i64) -> anyhow::Result<()> {
        let seconds = seconds + self.random.i64(0..more);
        self.daemon.advance(SignedDuration::from_secs(seconds)).await
    }

    /// One random action of a customer or a consumer.
    async fn act(&mut self) -> anyhow::Result<()> {
        let now = self.daemon.now();
        let sender = self.sender();
        let consumer = self.consumer();
        match self.random.u8(0..16) {
            0..=4 => self.order(consumer).await?,
            5 => {
                for _ in 0..self.random.u8(2..6) {
                    self.order(consumer).await?;
                }
            }
            6 => self.cancel().await?,
            7 => _ = self.daemon.world().consumer_writes(now, sender, consumer, "hello"),
            8 => _ = self.daemon.world().consumer_calls(now, sender, consumer),
            9 => _ = self.daemon.world().consumer_answers(now, sender, consumer, Answer::Reject),
            10 => _ = self.daemon.world().consumer_answers(now, sender, consumer, Answer::Accept),
            11 => self.take_back_in_time(sender, consumer).await?,
            12 => self.reschedule().await?,
            13 => {
                self.order(consumer).await?;
                self.pass(0, 90).await?;
                self.cancel().await?;
            }
            14 => {
                let now = self.daemon.now();
                self.daemon.world().consumer_calls(now, sender, consumer);
                self.order(consumer).await?;
            }
            _ if self.trouble.deaths => self.daemon.restart().await?,
            _ => {}
        }
        Ok(())
    }

    /// The consumer grants the permission, and revokes it while a call is being placed.
    async fn take_back_in_time(&mut self, sender: Phone, consumer: Phone) -> anyhow::Result<()> {
        let now = self.daemon.now();
        self.daemon.world().consumer_answers(now, sender, consumer, Answer::Accept);
        self.order(consumer).await?;
        self.pass(0, 30).await?;
        let now = self.daemon.now();
        self.daemon.world().consumer_answers(now, sender, consumer, Answer::Reject);
        self.pass(0, 30).await
    }

    async fn order(&mut self, consumer: Phone) -> anyhow::Result<()> {
        let now = self.daemon.now();
        let earliest = now + SignedDuration::from_mins(self.random.i64(0..600) * self.random.i64(0..=1));
        let latest = earliest + SignedDuration::from_mins(self.random.i64(30..3500));
        let senders = if self.random.bool() { &SENDERS[..] } else { &SENDERS[..1] };
        let hours = self.scene.hours(&mut self.random);
        // The API refuses hours that never open, so draw again.
        let hours = hours.filter(|hours| hours.windows(earliest, latest).is_ok_and(|open| !open.is_empty()));
        self.allow(senders, consumer, (earliest, latest), hours)?;
        let document = if self.random.u8(0..4) == 0 {
            let agent = if consumer.digits().is_multiple_of(2) { "client:alice" } else { "client:bob" };
            serde_json::json!({"document": "agent-first", "agent": agent})
        } else {
            script::document(&mut self.documents)
        };
        let mut order = serde_json::json!({
            "consumer": consumer.e164(),
            "senders": senders,
            "earliest": earliest.to_string(),
            "latest": latest.to_string(),
            "priority": self.random.u8(0..=9),
            "campaign": self.campaign(),
            "attempts_max": self.random.u8(1..=4),
            "separate": !self.accepted.len().is_multiple_of(4),
        });
        if let (Some(order), Some(document)) = (order.as_object_mut(), document.as_object()) {
            order.extend(document.clone());
            if let Some(hours) = hours {
                order.insert("hours".to_owned(), hours.text().into());
            }
        }
        self.desk.assign(&mut order);
        self.previewers.assign(&mut order, &self.daemon);
        let (status, body) = self.post("/v1/callbacks", order.to_string()).await?;
        if status == 202 {
            let answer: serde_json::Value = serde_json::from_str(&body)?;
            let id = answer["id"].as_str().context("an accepted order has an id")?;
            let id = id.parse()?;
            self.accepted.insert(id);
            self.leader.follow_ups.ordered(id, hours);
        } else {
            // A daemon with a wrong clock may find that the deadline has passed.
            let no_time = self.trouble.faults && status == 422 && body.contains("hours.never_open");
            // A campaign takes orders in some of its states only.
            let is_closed = |code: &str| status == 422 && body.contains(code);
            let closed = is_closed("campaign.closed") || is_closed("campaign.unknown");
            let suppressed = status == 409 && body.contains("consumer.suppressed");
            let is_known = status == 0 || no_time || closed || suppressed;
            anyhow::ensure!(is_known, "an order was answered with {status}: {body}");
        }
        Ok(())
    }

    /// A campaign of the leader, or a label.
    fn campaign(&mut self) -> String {
        let label = format!("campaign-{}", self.random.u8(0..3));
        self.leader.campaign().map_or(label, |campaign| campaign.to_string())
    }

    /// Registers with the oracle when the order allows calls.
    fn allow(
        &self,
        senders: &[&str],
        consumer: Phone,
        (earliest, latest): (Timestamp, Timestamp),
        hours: Option<script::Hours>,
    ) -> anyhow::Result<()> {
        let windows = match hours {
            Some(hours) => hours.windows(earliest, latest)?,
            None => vec![(earliest, latest)],
        };
        // The daemon does not know the offset of its clock, so the window is wider by it.
        let wrong = SignedDuration::from_secs(if self.trouble.faults { STEP_MAX_S } else { 0 });
        // A permission may be asked for before the call may be placed. Hours that end at this instant are still
        // open for a daemon whose clock is behind.
        let ordered = self.daemon.now() - wrong;
        let asking = match hours {
            Some(hours) => hours.windows(ordered, latest)?,
            None => vec![(ordered, latest)],
        };
        for sender in senders {
            let sender = Phone::parse(sender).context("the fixture's senders are numbers")?;
            let mut world = self.daemon.world();
            // Register an empty window too, so that a pair whose hours never open is checked.
            world.oracle_mut().allow(sender, consumer, latest, latest);
            for (from, to) in &asking {
                world.oracle_mut().allow_messages(sender, consumer, *from - wrong, *to + wrong);
            }
            for (from, to) in &windows {
                world.oracle_mut().allow(sender, consumer, *from - wrong, *to + wrong);
            }
        }
        Ok(())
    }

    async fn reschedule(&mut self) -> anyhow::Result<()> {
        let Some(&id) = self.random.choice(&Vec::from_iter(&self.accepted)).copied() else { return Ok(()) };
        let Some(record) = self.daemon.store.callback(id).await? else { return Ok(()) };
        let now = self.daemon.now();
        let earliest = now + SignedDuration::from_mins(self.random.i64(0..300));
        let latest = earliest + SignedDuration::from_mins(self.random.i64(30..1200));
        for &sender in &record.callback.order.senders {
            let wrong = SignedDuration::from_secs(STEP_MAX_S);
            let consumer = record.callback.order.consumer;
            let mut world = self.daemon.world();
            world.oracle_mut().allow(sender, consumer, earliest - wrong, latest + wrong);
            world.oracle_mut().allow_messages(sender, consumer, now - wrong, latest + wrong);
        }
        let times = serde_json::json!({
            "earliest": earliest.to_string(),
            "latest": latest.to_string(),
            "hours": null,
            "priority": self.random.u8(0..=9),
        });
        let (status, body) = self.post(&format!("/v1/callbacks/{id}/reschedule"), times.to_string()).await?;
        anyhow::ensure!(matches!(status, 0 | 200 | 409), "a reschedule was answered with {status}: {body}");
        Ok(())
    }

    async fn cancel(&mut self) -> anyhow::Result<()> {
        let Some(&id) = self.random.choice(&Vec::from_iter(&self.accepted)).copied() else { return Ok(()) };
        let (status, body) = self.post(&format!("/v1/callbacks/{id}/cancel"), String::new()).await?;
        anyhow::ensure!(matches!(status, 0 | 200 | 202 | 409), "a cancel was answered with {status}: {body}");
        Ok(())
    }

    async fn post(&mut self, path: &str, body: String) -> anyhow::Result<(u16, String)> {
        self.daemon.request(Customer::post(path, "application/json", body)?).await
    }

    fn sender(&mut self) -> Phone {
        let index = self.random.usize(0..SENDERS.len());
        Phone::parse(SENDERS[index]).expect("the fixture's senders are numbers")
    }

    /// One of a few consumers. The last digits choose the habit.
    fn consumer(&mut self) -> Phone {
        consumer(self.random.u64(0..self.consumers))
    }

    async fn judge(self, seed: u64) -> anyhow::Result<RunReport> {
        let mut problems = self.problems.clone();
        problems.extend(judge::problems(&self.daemon, &self.accepted).await?);
        problems.extend(self.leader.left(&self.daemon, &self.accepted).await?);
        if !self.trouble.faults {
            problems.extend(self.leader.crowded(&self.daemon, &self.accepted).await?);
        }
        judge::tell(&self.daemon, &self.accepted, &self.trace).await?;
        Ok(RunReport {
            seed,
            problems,
            callbacks: self.accepted.len(),
            deaths: self.daemon.deaths,
            lasted: self.daemon.now().duration_since(self.scene.start),
            webhooks: self.daemon.webhooks,
            counts: self.daemon.world().report().counts,
            trace: self.trace.lines(),
        })
    }
}

/// A consumer by the place in the list.
pub(super) const fn consumer(place: u64) -> Phone {
    Phone::from_stored(5_511_987_650_000 + place / 12 * 100 + (place * 7) % 12)
}
