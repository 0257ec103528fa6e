//! The simulated team leader, who makes campaigns, launches, pauses and ends them, and puts people on the suppression list.
//! Draws separately, so that other seeds do not change.

use anyhow::Context as _;
use fastrand::Rng;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::script::Script;
use super::simulate::consumer;
use super::{Customer, Simulation};
use crate::config::Config;
use crate::domain::CampaignId;
use crate::domain::calendar::OwnCalendar;
use crate::sim::world::Stop;

/// So many campaigns of a seed.
const MOST: usize = 5;
/// The calendar by which the calling hours of orders are closed on a day.
pub(super) const CALENDAR: &str = "drill";

pub(super) struct Leader {
    random: Rng,
    /// Of one seed in two.
    leads: bool,
    consumers: u64,
    /// The campaigns that were acknowledged.
    campaigns: Vec<CampaignId>,
    /// The people on the list, by the names of their stops.
    suppressed: Vec<u64>,
}

impl Leader {
    pub(super) fn new(seed: u64, consumers: u64) -> Self {
        let mut random = Rng::with_seed(seed.rotate_left(24));
        let leads = random.bool();
        Self { random, leads, consumers, campaigns: Vec::new(), suppressed: Vec::new() }
    }

    /// Closes the second day of the run in the calendar, for the seeds with campaigns.
    pub(super) fn close_a_day(&self, scene: &mut Script, config: &mut Config) -> anyhow::Result<()> {
        if self.leads {
            let day = scene.close_second_day()?;
            let calendar = OwnCalendar { closed: [day].into(), ..OwnCalendar::default() };
            config.calendars.insert(CALENDAR.parse().context("the name of a calendar")?, calendar);
        }
        Ok(())
    }

    /// The campaign of the next order, if it has one.
    pub(super) fn campaign(&mut self) -> Option<CampaignId> {
        if self.campaigns.is_empty() || self.random.u8(0..4) == 0 {
            return None;
        }
        // Two campaigns often have the same people.
        self.random.choice(&self.campaigns).copied()
    }

    pub(super) async fn act(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        if !self.leads {
            return Ok(());
        }
        if self.campaigns.len() < MOST && self.random.u8(0..3) == 0 {
            self.create(daemon).await?;
        }
        match self.random.u8(0..12) {
            0..=2 => self.order(daemon, "launch", json!({})).await,
            3 => {
                let until = daemon.now() + SignedDuration::from_mins(self.random.i64(1..300));
                let until = self.random.bool().then(|| until.to_string());
                self.order(daemon, "pause", json!({"why": "a drill", "until": until})).await
            }
            4 | 5 => self.order(daemon, "resume", json!({})).await,
            6 => {
                let change = self.change();
                self.order(daemon, "change", change).await
            }
            7 if self.random.bool() => self.order(daemon, "drain", json!({})).await,
            8 if self.random.bool() => self.order(daemon, "cancel", json!({})).await,
            9 => self.suppress(daemon).await,
            10 => self.forgive(daemon).await,
            _ => Ok(()),
        }
    }

    /// Launches and resumes everything, and then lets everything end.
    pub(super) async fn resume_all(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        for campaign in self.campaigns.clone() {
            post(daemon, campaign, "launch", &json!({})).await?;
            post(daemon, campaign, "resume", &json!({})).await?;
        }
        Ok(())
    }

    pub(super) async fn end_all(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        for campaign in self.campaigns.clone() {
            post(daemon, campaign, "drain", &json!({})).await?;
        }
        Ok(())
    }

    /// The campaigns that have not ended, although all of their callbacks should be closed.
    pub(super) async fn problems(&self, daemon: &Simulation) -> anyhow::Result<Vec<String>> {
        let mut problems = Vec::new();
        for id in &self.campaigns {
            let record = daemon.store.campaign(*id).await?.context("the campaign is stored")?;
            if record.open() > 0 || record.campaign.ended_at.is_none() {
                let (state, open) = (record.campaign.state.as_str(), record.open());
                problems.push(format!("{id} is {state} and has not ended: {open} callbacks are open"));
            }
        }
        Ok(problems)
    }

    async fn create(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        let mut body = self.change();
        body["name"] = "a drill".into();
        body["defaults"] = json!({"attempts_max": self.random.u8(1..=4)});
        let request = Customer::post("/v1/campaigns", "application/json", body.to_string())?;
        let (status, answer) = daemon.request(request).await?;
        anyhow::ensure!(matches!(status, 0 | 200 | 202), "a campaign was answered with {status}: {answer}");
        if status == 200 {
            let answer: Value = serde_json::from_str(&answer)?;
            self.campaigns.push(answer["id"].as_str().unwrap_or_default().parse()?);
        }
        Ok(())
    }

    /// A ceiling, a pace, a weight and a breaker, or none of them.
    fn change(&mut self) -> Value {
        let mut body = json!({"weight": self.random.u32(1..=100)});
        if self.random.bool() {
            body["concurrent_calls_max"] = self.random.u32(1..=3).into();
        }
        if self.random.bool() {
            body["calls_per_minute"] = self.random.u32(1..=30).into();
        }
        if self.random.u8(0..4) == 0 {
            let percent = self.random.u32(20..80);
            body["breaker"] = json!({
                "failed_percent_max": percent, "failed_of_min": self.random.u32(2..6),
                "abandoned_of_min": self.random.u32(2..10),
            });
        }
        body
    }

    async fn order(&mut self, daemon: &mut Simulation, act: &str, body: Value) -> anyhow::Result<()> {
        let Some(campaign) = self.random.choice(&self.campaigns).copied() else { return Ok(()) };
        post(daemon, campaign, act, &body).await
    }

    async fn suppress(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        let whom = self.random.u64(0..self.consumers);
        let number = consumer(whom);
        let body = json!({"consumers": [number.e164()], "why": "a drill"});
        let request = Customer::post("/v1/suppression", "application/json", body.to_string())?;
        let (status, body) = daemon.request(request).await?;
        anyhow::ensure!(matches!(status, 0 | 200 | 202), "a suppression was answered with {status}: {body}");
        if status != 0 {
            let stop = Stop { from: daemon.now(), until: None, senders: None, consumer: Some(number) };
            daemon.world().oracle_mut().paused(&name(whom), stop);
            self.suppressed.push(whom);
        }
        Ok(())
    }

    async fn forgive(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        let Some(whom) = self.random.choice(&self.suppressed).copied() else { return Ok(()) };
        let body = json!({"consumer": consumer(whom).e164(), "why": "a drill"});
        daemon.world().oracle_mut().resumed(&name(whom));
        self.suppressed.retain(|other| *other != whom);
        let request = Customer::post("/v1/suppression/remove", "application/json", body.to_string())?;
        let (status, body) = daemon.request(request).await?;
        let is_known = matches!(status, 0 | 200 | 202 | 404);
        anyhow::ensure!(is_known, "the end of a suppression was answered with {status}: {body}");
        Ok(())
    }
}

fn name(whom: u64) -> String {
    format!("suppressed {whom}")
}

async fn post(daemon: &mut Simulation, id: CampaignId, act: &str, body: &Value) -> anyhow::Result<()> {
    let path = format!("/v1/campaigns/{id}/{act}");
    let request = Customer::post(&path, "application/json", body.to_string())?;
    let (status, answer) = daemon.request(request).await?;
    // The campaign may be in another state, and a clock that is ahead may show the end of the pause as past.
    let is_known = matches!(status, 0 | 200 | 202 | 409) || (status == 422 && answer.contains("until"));
    anyhow::ensure!(is_known, "{act} of a campaign was answered with {status}: {answer}");
    Ok(())
}
