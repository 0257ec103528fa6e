//! The simulated team leader, who makes campaigns, launches, pauses and ends them, and puts people on the suppression list.
//! Draws separately, so that other seeds do not change.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::follow_ups::FollowUps;
use super::script::Script;
use super::simulate::{STEP_MAX_S, consumer};
use super::{Customer, Simulation};
use crate::config::Config;
use crate::domain::calendar::OwnCalendar;
use crate::domain::{CallbackId, CampaignId, CampaignState};
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
    /// The highest ceiling that each campaign may ever have had; `None`: it may have had none.
    ceilings: BTreeMap<CampaignId, Option<u32>>,
    /// When campaigns were stopped, by the daemon's clock, as far as that was acknowledged.
    stops: Vec<Stopped>,
    pub(super) follow_ups: FollowUps,
}

/// A time in which nothing may leave for a campaign.
struct Stopped {
    campaign: CampaignId,
    from: Timestamp,
    /// When it may be over; `None`: not yet.
    until: Option<Timestamp>,
    /// A launch ends it, or a resume.
    is_draft: bool,
}

/// How far the daemon's clock may be from what it was when it acknowledged a stop.
const WRONG: SignedDuration = SignedDuration::from_secs(2 * STEP_MAX_S + 5);

impl Leader {
    pub(super) fn new(seed: u64, consumers: u64) -> Self {
        let mut random = Rng::with_seed(seed.rotate_left(24));
        let leads = random.bool();
        Self {
            random,
            leads,
            consumers,
            campaigns: Vec::new(),
            suppressed: Vec::new(),
            ceilings: BTreeMap::new(),
            stops: Vec::new(),
            follow_ups: FollowUps::new(seed),
        }
    }

    /// For the seeds with campaigns: closes the second day of the run in the calendar, and draws who goes first and when
    /// somebody who did not answer is called again.
    pub(super) fn prepare(&mut self, scene: &mut Script, config: &mut Config) -> anyhow::Result<()> {
        if self.leads {
            config.calling.queueing.urgent_share = if self.random.bool() { 50 } else { 0 };
            let step = if self.random.bool() { self.random.i64(1..240) } else { 0 };
            config.calling.queueing.ageing_step = SignedDuration::from_mins(step);
            config.calling.retry.shift = self.random.bool();
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

    /// Some changes of campaigns, and of the suppression list.
    pub(super) async fn act(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        if !self.leads {
            return Ok(());
        }
        if self.campaigns.len() < MOST && self.random.u8(0..3) == 0 {
            self.create(daemon).await?;
        }
        for _ in 0..self.random.u8(0..4) {
            self.act_once(daemon).await?;
        }
        self.follow(daemon).await
    }

    /// Sometimes makes a campaign of those whom another one did not reach.
    async fn follow(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        let suppressed = self.suppressed.iter().map(|whom| consumer(*whom)).collect();
        let made = self.follow_ups.act(daemon, &self.campaigns, &suppressed).await?;
        if let Some((campaign, first)) = made {
            let from = daemon.daemon_now();
            self.campaigns.push(campaign);
            self.stops.push(Stopped { campaign, from, until: None, is_draft: true });
            self.ceilings.insert(campaign, self.ceilings.get(&first).copied().flatten());
        }
        Ok(())
    }

    async fn act_once(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        match self.random.u8(0..12) {
            0..=2 => self.order(daemon, "launch", json!({})).await,
            3 => self.pause(daemon).await,
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
            self.post(daemon, campaign, "launch", &json!({})).await?;
            self.post(daemon, campaign, "resume", &json!({})).await?;
        }
        Ok(())
    }

    pub(super) async fn end_all(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        for campaign in self.campaigns.clone() {
            self.post(daemon, campaign, "drain", &json!({})).await?;
        }
        Ok(())
    }

    /// The campaigns that have not ended, although all of their callbacks should be closed.
    pub(super) async fn problems(&self, daemon: &Simulation) -> anyhow::Result<Vec<String>> {
        let mut problems = self.follow_ups.problems.clone();
        for id in &self.campaigns {
            let record = daemon.store.campaign(*id).await?.context("the campaign is stored")?;
            let canceled = |stop: &Stopped| stop.campaign == *id && stop.until.is_none() && !stop.is_draft;
            if record.campaign.state != CampaignState::Canceled && self.stops.iter().any(canceled) {
                problems.push(format!("{id} was canceled and is {}", record.campaign.state.as_str()));
            }
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
            let campaign = answer["id"].as_str().unwrap_or_default().parse()?;
            self.campaigns.push(campaign);
            let from = daemon.daemon_now();
            self.stops.push(Stopped { campaign, from, until: None, is_draft: true });
            self.ceilings.insert(campaign, ceiling(&body));
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
        self.post(daemon, campaign, act, &body).await.map(|_| ())
    }

    async fn pause(&mut self, daemon: &mut Simulation) -> anyhow::Result<()> {
        let Some(campaign) = self.random.choice(&self.campaigns).copied() else { return Ok(()) };
        let until = daemon.now() + SignedDuration::from_mins(self.random.i64(1..300));
        let until = self.random.bool().then_some(until);
        let body = json!({"why": "a drill", "until": until.map(|until| until.to_string())});
        if matches!(self.post(daemon, campaign, "pause", &body).await?, 200 | 202) {
            let until = Some(until.unwrap_or(Timestamp::MAX));
            self.stops.push(Stopped { campaign, from: daemon.daemon_now(), until, is_draft: false });
        }
        Ok(())
    }

    /// Orders a change of a campaign. Returns the status of the answer; 0 without one.
    async fn post(
        &mut self,
        daemon: &mut Simulation,
        campaign: CampaignId,
        act: &str,
        body: &Value,
    ) -> anyhow::Result<u16> {
        // What it ends may be over before it is answered.
        if matches!(act, "launch" | "resume") {
            let now = daemon.daemon_now();
            let ended = |stop: &&mut Stopped| {
                let is_lifted = if act == "launch" { stop.is_draft } else { !stop.is_draft };
                stop.campaign == campaign && is_lifted && (stop.is_draft || stop.until.is_some())
            };
            for stop in self.stops.iter_mut().filter(ended) {
                stop.until = Some(stop.until.map_or(now, |until| until.min(now)));
            }
        }
        if let (Some(max), Some(known)) = (ceiling(body), self.ceilings.get_mut(&campaign)) {
            // It may be in force without an answer.
            *known = known.map(|known| known.max(max));
        }
        let path = format!("/v1/campaigns/{campaign}/{act}");
        let request = Customer::post(&path, "application/json", body.to_string())?;
        let (status, answer) = daemon.request(request).await?;
        // The campaign may be in another state, and a clock that is ahead may show the end of the pause as past.
        let is_known = matches!(status, 0 | 200 | 202 | 409) || (status == 422 && answer.contains("until"));
        anyhow::ensure!(is_known, "{act} of a campaign was answered with {status}: {answer}");
        if act == "cancel" && matches!(status, 200 | 202) {
            let from = daemon.daemon_now();
            self.stops.push(Stopped { campaign, from, until: None, is_draft: false });
        }
        Ok(status)
    }

    /// Campaigns that had more calls at once than they ever might. The clock must have shown the right time.
    pub(super) async fn crowded(
        &self,
        daemon: &Simulation,
        accepted: &BTreeSet<CallbackId>,
    ) -> anyhow::Result<Vec<String>> {
        crowded(daemon, accepted, &self.ceilings).await
    }

    /// What left for the callbacks while their campaigns were stopped.
    pub(super) async fn left(
        &self,
        daemon: &Simulation,
        accepted: &BTreeSet<CallbackId>,
    ) -> anyhow::Result<Vec<String>> {
        let mut problems = Vec::new();
        if self.stops.is_empty() {
            return Ok(problems);
        }
        for id in accepted {
            let Some(record) = daemon.store.callback(*id).await? else { continue };
            let Some(campaign) = record.callback.order.campaign_id() else { continue };
            let calls = record.attempts.iter().map(|attempt| attempt.submission.submitted_at);
            let messages = record.messages.iter().map(|message| message.submission.submitted_at);
            for at in calls.chain(messages).flatten() {
                let holds = |stop: &&Stopped| {
                    stop.campaign == campaign
                        && stop.from.checked_add(WRONG).is_ok_and(|from| from < at)
                        && stop.until.is_none_or(|until| at.checked_add(WRONG).is_ok_and(|at| at < until))
                };
                if self.stops.iter().any(|stop| holds(&stop)) {
                    problems.push(format!("{id} left while its campaign was stopped, at {at}"));
                }
            }
        }
        Ok(problems)
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

/// Campaigns that had more calls at once than these. The clock must have shown the right time.
pub(super) async fn crowded(
    daemon: &Simulation,
    accepted: &BTreeSet<CallbackId>,
    ceilings: &BTreeMap<CampaignId, Option<u32>>,
) -> anyhow::Result<Vec<String>> {
    let mut calls: BTreeMap<CampaignId, Vec<(Timestamp, Timestamp)>> = BTreeMap::new();
    for id in accepted.iter().filter(|_| !ceilings.is_empty()) {
        let Some(record) = daemon.store.callback(*id).await? else { continue };
        let Some(campaign) = record.callback.order.campaign_id() else { continue };
        let attempts = record.attempts.iter();
        let spans = attempts.filter_map(|it| Some((it.submission.submitted_at?, it.ended_at?)));
        calls.entry(campaign).or_default().extend(spans);
    }
    let mut problems = Vec::new();
    for (campaign, spans) in calls {
        let Some(Some(max)) = ceilings.get(&campaign) else { continue };
        let at_once = |at: Timestamp| spans.iter().filter(|(from, until)| *from <= at && at < *until).count();
        let most = spans.iter().map(|(from, _)| at_once(*from)).max().unwrap_or_default();
        if most > *max as usize {
            problems
                .push(format!("{campaign} had {most} calls at once, and never might have more than {max}"));
        }
    }
    Ok(problems)
}

fn ceiling(body: &Value) -> Option<u32> {
    body["concurrent_calls_max"].as_u64().and_then(|max| u32::try_from(max).ok())
}

fn name(whom: u64) -> String {
    format!("suppressed {whom}")
}
