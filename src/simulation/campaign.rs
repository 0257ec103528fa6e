//! A campaign: tens of thousands of consumers of every habit, called over weeks, from one seed.
//!
//! [`run_seed`](super::run_seed) tests faults and crashes. A campaign tests volume: limits that hold back
//! many callbacks at once, a list of orders each morning, and ledgers that must stay right for weeks.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use anyhow::Context as _;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::{Customer, Fixture, Mutation, RunReport, SENDERS, Simulation, Trace, campaigns, fixture, judge};
use crate::config::Config;
use crate::domain::{CallbackId, CampaignId, Phone};
use crate::sim::world::{Answer, Faults, Habit, Setup};

/// Parameters of a campaign.
#[derive(Debug, Clone)]
pub struct Campaign {
    pub seed: u64,
    pub consumers: u64,
    /// Length in days. The last callbacks are ordered a week before the end.
    pub days: u32,
    /// Calls that the account starts per second.
    pub calls_per_second: u32,
    /// Actions of all consumers per hour that are not replies: calls, messages and revocations.
    pub deeds_per_hour: u64,
    pub faults: Faults,
    /// Among how many campaigns of the daemon the consumers are divided, with weights 10, 20, 30 and so on; zero: none.
    pub campaigns: u32,
    /// How many calls each of them may have at once.
    pub campaign_calls_max: Option<u32>,
    /// Changes the configuration and the world before the run.
    pub set: fn(&mut Config, &mut Setup),
}

impl Default for Campaign {
    fn default() -> Self {
        Self {
            seed: 1,
            consumers: 50_000,
            days: 30,
            calls_per_second: 100,
            deeds_per_hour: 25,
            faults: Faults {
                duplicate_webhook: 0.02,
                delay_webhook: 0.02,
                lose_webhook: 0.002,
                webhook_delay_ms: 20_000,
                drop_answer: 0.001,
                error_before: 0.002,
                error_after: 0.001,
                ..Faults::default()
            },
            campaigns: 0,
            campaign_calls_max: None,
            set: |_, _| {},
        }
    }
}

/// A Monday, at 08:00 in Sao Paulo.
const START: &str = "2026-11-02T11:00:00Z";
const HOURS: &str = "daily 09:00-18:00 @America/Sao_Paulo";
const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Webhooks that are due within this time are delivered together.
const BEAT: SignedDuration = SignedDuration::from_secs(5);
const ROWS: usize = 1_000;
const AGENTS: u64 = 5;
/// One consumer in this many is called back many times on one day.
const HOT_ONE_IN: u64 = 50;

impl Campaign {
    /// Runs the campaign and checks its result.
    ///
    /// # Errors
    /// If the daemon fails in a way that it must never fail.
    pub async fn run(&self, mutation: Arc<dyn Mutation>, trace: Arc<Trace>) -> anyhow::Result<RunReport> {
        let with = Fixture {
            seed: self.seed,
            calls_per_second: self.calls_per_second,
            invites: true,
            webhooks: true,
            ..Fixture::default()
        };
        let (mut config, mut setup) = fixture(&with);
        setup.mix.0.push((Habit::Absent, 3));
        (self.set)(&mut config, &mut setup);
        let start: Timestamp = START.parse()?;
        let daemon = Simulation::begin_with(&config, setup, start, mutation, trace.clone()).await?;
        let random = Rng::with_seed(self.seed);
        let mut run = Run {
            plan: self,
            daemon,
            random,
            start,
            accepted: BTreeSet::new(),
            again: BTreeMap::new(),
            campaigns: Vec::new(),
            trace,
        };
        run.run().await
    }
}

struct Run<'a> {
    plan: &'a Campaign,
    daemon: Simulation,
    random: Rng,
    start: Timestamp,
    accepted: BTreeSet<CallbackId>,
    /// Consumers to be ordered again, by day.
    again: BTreeMap<u64, Vec<u64>>,
    campaigns: Vec<CampaignId>,
    trace: Arc<Trace>,
}

impl Run<'_> {
    async fn run(&mut self) -> anyhow::Result<RunReport> {
        Customer::admit(&self.daemon).await?;
        self.launch().await?;
        self.daemon.world().set_faults(self.plan.faults.clone());
        let days = u64::from(self.plan.days);
        for day in 0..days {
            let list = self.list_of(day, days.saturating_sub(7).max(1));
            self.order(&list).await?;
            for _ in 0..24 {
                let before = SignedDuration::from_secs(self.random.i64(0..3_600));
                self.daemon.advance_in_beats(before, BEAT).await?;
                self.consumers_act();
                self.cancel_some().await?;
                self.daemon.advance_in_beats(HOUR - before, BEAT).await?;
            }
        }
        self.daemon.world().set_faults(Faults::default());
        self.daemon.advance_in_beats(HOUR * 24 * 7, BEAT).await?;
        judge::tell(&self.daemon, &self.accepted, &self.trace).await?;
        let mut problems = judge::problems(&self.daemon, &self.accepted).await?;
        let ceilings = self.campaigns.iter().map(|id| (*id, self.plan.campaign_calls_max)).collect();
        problems.extend(campaigns::crowded(&self.daemon, &self.accepted, &ceilings).await?);
        Ok(RunReport {
            seed: self.plan.seed,
            problems,
            callbacks: self.accepted.len(),
            deaths: self.daemon.deaths,
            lasted: self.daemon.now().duration_since(self.start),
            webhooks: self.daemon.webhooks,
            counts: self.daemon.world().report().counts,
            trace: self.trace.lines(),
        })
    }

    /// Launches the campaigns. Their callbacks come later, and end by themselves.
    async fn launch(&mut self) -> anyhow::Result<()> {
        for n in 1..=self.plan.campaigns {
            let mut body = serde_json::json!({"name": format!("list {n}"), "weight": n * 10});
            if let Some(max) = self.plan.campaign_calls_max {
                body["concurrent_calls_max"] = max.into();
            }
            let answer = self.post("/v1/campaigns", &body).await?;
            let id = answer["id"].as_str().unwrap_or_default().to_owned();
            self.post(&format!("/v1/campaigns/{id}/launch"), &serde_json::json!({})).await?;
            self.campaigns.push(id.parse()?);
        }
        Ok(())
    }

    async fn post(&mut self, path: &str, body: &serde_json::Value) -> anyhow::Result<serde_json::Value> {
        let request = Customer::post(path, "application/json", body.to_string())?;
        let (status, body) = self.daemon.request(request).await?;
        anyhow::ensure!(status == 200, "{path} was answered with {status}: {body}");
        Ok(serde_json::from_str(&body)?)
    }

    /// The consumers of a day. Consumers are spread over the days, every fifth shares one day, and some
    /// return.
    fn list_of(&mut self, day: u64, days: u64) -> Vec<u64> {
        let first = (0..self.plan.consumers).filter(|consumer| {
            let own = if consumer.is_multiple_of(5) { days / 2 } else { consumer % days };
            own == day
        });
        let mut list: Vec<u64> = first.collect();
        for &consumer in &list {
            if self.random.u8(0..5) == 0 {
                let later = day + self.random.u64(1..12);
                self.again.entry(later.min(days - 1)).or_default().push(consumer);
            }
        }
        list.extend(self.again.remove(&day).unwrap_or_default());
        list
    }

    async fn order(&mut self, list: &[u64]) -> anyhow::Result<()> {
        let rows: Vec<String> = list.iter().flat_map(|&consumer| self.rows(consumer)).collect();
        for chunk in rows.chunks(ROWS) {
            let request = Customer::post("/v1/callbacks/bulk", "application/x-ndjson", chunk.join("\n"))?;
            let (status, body) = self.daemon.request(request).await?;
            anyhow::ensure!(status == 200, "a list was answered with {status}: {body}");
            for line in body.lines() {
                let answer: serde_json::Value = serde_json::from_str(line)?;
                let id = answer["id"].as_str().with_context(|| format!("a row was refused: {line}"))?;
                self.accepted.insert(id.parse()?);
            }
        }
        Ok(())
    }

    /// The orders for one consumer. Registers their calling windows with the oracle.
    fn rows(&mut self, consumer: u64) -> Vec<String> {
        let now = self.daemon.now();
        let hot = consumer.is_multiple_of(HOT_ONE_IN);
        let number = number(consumer);
        let count = if hot { 8 } else { 1 };
        (0..count)
            .map(|_| {
                let latest = now + HOUR * (10 + 24 * self.random.i32(0..6));
                let within_hours = self.random.u8(0..5) > 0;
                let senders = if consumer.is_multiple_of(5) { &SENDERS[..1] } else { &SENDERS[..] };
                self.allow(senders, number, latest, within_hours);
                let mut row = String::new();
                let hours = if within_hours { format!(r#""{HOURS}""#) } else { "null".to_owned() };
                let document = if self.random.u8(0..10) == 0 {
                    format!(r#""document":"agent-first","agent":"client:agent-{}""#, consumer % AGENTS)
                } else {
                    r#""document":"message","variables":{"message":"Hello."}"#.to_owned()
                };
                let senders = senders.join(r#"",""#);
                // Those who are called many times on a day use up what the limits allow.
                let separate = !consumer.is_multiple_of(3) || consumer.is_multiple_of(HOT_ONE_IN);
                let (priority, attempts) = (self.random.u8(0..=9), self.random.u8(1..=4));
                // Many have the same priority, so that their campaigns take turns.
                let (priority, campaign) = match self.campaigns.len() {
                    0 => (priority, String::new()),
                    all => {
                        let campaign = self.campaigns[usize::try_from(consumer).unwrap_or(0) % all];
                        (5 + priority / 9, format!(r#""campaign":"{campaign}","#))
                    }
                };
                write!(
                    row,
                    r#"{{"consumer":"{}","senders":["{senders}"],"latest":"{latest}","hours":{hours},"priority":{priority},"attempts_max":{attempts},"separate":{separate},{campaign}{document}}}"#,
                    number.e164(),
                )
                .expect("writing to memory does not fail");
                row
            })
            .collect()
    }

    /// Registers with the oracle when the order allows calls. Sao Paulo has been at UTC-3 since 2019.
    fn allow(&self, senders: &[&str], consumer: Phone, latest: Timestamp, within_hours: bool) {
        let now = self.daemon.now();
        let mut world = self.daemon.world();
        for sender in senders.iter().filter_map(|sender| Phone::parse(sender).ok()) {
            if !within_hours {
                world.oracle_mut().allow(sender, consumer, now, latest);
                world.oracle_mut().allow_messages(sender, consumer, now, latest);
                continue;
            }
            // The lists arrive at 08:00.
            let mut opens_at = now + HOUR;
            while opens_at < latest {
                let closes_at = latest.min(opens_at + HOUR * 9);
                world.oracle_mut().allow(sender, consumer, opens_at, closes_at);
                world.oracle_mut().allow_messages(sender, consumer, opens_at, closes_at);
                opens_at += HOUR * 24;
            }
        }
    }

    /// Actions of consumers within one hour that are not replies.
    fn consumers_act(&mut self) {
        let now = self.daemon.now();
        for _ in 0..self.plan.deeds_per_hour {
            let consumer = number(self.random.u64(0..self.plan.consumers));
            let sender = SENDERS[self.random.usize(0..SENDERS.len())];
            let Ok(sender) = Phone::parse(sender) else { continue };
            let mut world = self.daemon.world();
            match self.random.u8(0..8) {
                0..=3 => world.consumer_writes(now, sender, consumer, "hello"),
                4..=5 => world.consumer_calls(now, sender, consumer),
                6 => world.consumer_answers(now, sender, consumer, Answer::Accept),
                _ => world.consumer_answers(now, sender, consumer, Answer::Reject),
            };
        }
    }

    async fn cancel_some(&mut self) -> anyhow::Result<()> {
        for _ in 0..self.plan.consumers / 10_000 {
            let from = CallbackId::new(self.random_id());
            let Some(&id) = self.accepted.range(from..).next() else { continue };
            let path = format!("/v1/callbacks/{id}/cancel");
            let request = Customer::post(&path, "application/json", String::new())?;
            let (status, body) = self.daemon.request(request).await?;
            anyhow::ensure!(matches!(status, 200 | 202 | 409), "a cancel was answered with {status}: {body}");
        }
        Ok(())
    }

    /// A random id from about the last day. Ids begin with their creation time.
    fn random_id(&mut self) -> uuid::Uuid {
        let ago = SignedDuration::from_secs(self.random.i64(0..100_000));
        let millis = u64::try_from((self.daemon.now() - ago).as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid()
    }
}

/// The last two digits choose the habit; for 00 and 12 it is drawn from the mix.
fn number(consumer: u64) -> Phone {
    Phone::from_stored(5_511_980_000_000 + consumer * 100 + (consumer * 7) % 13)
}
