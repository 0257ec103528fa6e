//! Folds the changes of campaigns, closes the callbacks of canceled ones a batch at a time, and finds those that have ended.
//!
//! A change touches no callback: those of a campaign are held by its pauses, and found by its id.

use std::sync::Arc;

use jiff::Timestamp;

use super::campaigns_ending::{Ending, Sweep};
use super::counting;
use super::settle::cancel;
use super::state::Scheduler;
use super::turn::Turn;
use crate::domain::campaign_changes::changes;
use crate::domain::campaigns::NoRoom;
use crate::domain::lane::Lanes;
use crate::domain::{
    Breaker, Campaign, CampaignAct, CampaignCommand, CampaignId, CampaignState, Campaigns, CommandOutcome,
    Gate, Lane, Pause, PauseId, PauseScope, Reason,
};
use crate::store::{self, CampaignChange, CampaignRows, PauseLifted, RecordedAct, Store};

/// Folds a command that was received at `at`.
pub(super) fn fold(turn: &mut Turn<'_>, at: Timestamp, command: &CampaignCommand) -> CommandOutcome {
    let before = turn.loads.campaigns.get(command.campaign).cloned();
    let done = match &command.act {
        CampaignAct::Create { .. } => created(turn, at, command),
        act => changed(turn, at, command, act),
    };
    let campaign = match done {
        Ok(campaign) => campaign,
        Err(code) => return CommandOutcome::Refused(code.into()),
    };
    tracing::info!(
        campaign = %campaign.id, token = &*command.by, act = command.act.as_str(), state = campaign.state.as_str(),
        "a campaign changed"
    );
    let (act, by, note) = (command.act.as_str().into(), Arc::clone(&command.by), command.note.clone());
    let changes = before.map_or_else(Vec::new, |before| changes(&before, &campaign));
    put(turn, campaign, Some(RecordedAct { at, act, by, note, changes }));
    CommandOutcome::Applied
}

fn created(turn: &mut Turn<'_>, at: Timestamp, command: &CampaignCommand) -> Result<Campaign, &'static str> {
    let CampaignAct::Create {
        tenant,
        name,
        defaults,
        concurrent_calls_max,
        calls_per_minute,
        weight,
        breaker,
        follow_up,
    } = &command.act
    else {
        return Err("campaign.state");
    };
    turn.loads.campaigns.room_for(tenant).map_err(NoRoom::code)?;
    let campaign = Campaign {
        id: command.campaign,
        version: 1,
        tenant: tenant.clone(),
        name: Arc::clone(name),
        state: CampaignState::Draft,
        defaults: Arc::clone(defaults),
        concurrent_calls_max: *concurrent_calls_max,
        calls_per_minute: *calls_per_minute,
        weight: weight.unwrap_or(Campaign::WEIGHT),
        breaker: breaker.of(Breaker::default()),
        follow_up: follow_up.clone(),
        created_at: at,
        created_by: Arc::clone(&command.by),
        ended_at: None,
    };
    set(turn, campaign.draft_pause());
    Ok(campaign)
}

fn changed(
    turn: &mut Turn<'_>,
    at: Timestamp,
    command: &CampaignCommand,
    act: &CampaignAct,
) -> Result<Campaign, &'static str> {
    let known = turn.loads.campaigns.get(command.campaign).ok_or("campaign.state")?;
    let mut campaign = Campaign::clone(known);
    campaign.state = act.after(campaign.state).ok_or("campaign.state")?;
    if campaign.is_unfinished() && matches!(act, CampaignAct::Ready | CampaignAct::Launch) {
        return Err("campaign.unfinished");
    }
    campaign.version = campaign.version.saturating_add(1);
    match act {
        CampaignAct::Create { .. } | CampaignAct::Ready | CampaignAct::Drain => {}
        CampaignAct::Change { name, concurrent_calls_max, calls_per_minute, weight, breaker } => {
            campaign.weight = weight.unwrap_or(campaign.weight);
            campaign.calls_per_minute = calls_per_minute.unwrap_or(campaign.calls_per_minute);
            campaign.breaker = breaker.of(campaign.breaker);
            campaign.name = name.clone().unwrap_or(campaign.name);
            campaign.concurrent_calls_max = concurrent_calls_max.unwrap_or(campaign.concurrent_calls_max);
        }
        CampaignAct::Launch => {
            let draft = Campaign::draft_pause_id(campaign.id);
            lift(turn, at, draft, &command.by);
            // Orders came to this gate without the scheduler.
            for is_urgent in [false, true] {
                let lane = Lane { campaign: Some(campaign.id), is_urgent };
                turn.scheduler.gates.wait(&Gate::Pause(draft), lane, Lanes::UNKNOWN);
            }
        }
        CampaignAct::Pause { pause, until } => {
            let scope = PauseScope::Campaign(campaign.id);
            set(turn, pause_of(&campaign, command, at, *pause, scope, *until));
        }
        CampaignAct::Resume => {
            let paused: Vec<PauseId> = turn
                .loads
                .pauses
                .of_campaign(campaign.id)
                .filter(|pause| matches!(pause.scope, PauseScope::Campaign(_)))
                .map(|pause| pause.id)
                .collect();
            let of_breaker = turn.loads.pauses.of_campaign(campaign.id).any(|pause| pause.is_of_a_breaker());
            if of_breaker {
                counting::forget(turn, campaign.id);
            }
            paused.into_iter().for_each(|id| lift(turn, at, id, &command.by));
        }
        CampaignAct::Cancel { pause } => {
            let scope = PauseScope::Canceled(campaign.id);
            set(turn, pause_of(&campaign, command, at, *pause, scope, None));
        }
    }
    Ok(campaign)
}

fn pause_of(
    campaign: &Campaign,
    command: &CampaignCommand,
    from: Timestamp,
    id: PauseId,
    scope: PauseScope,
    until: Option<Timestamp>,
) -> Pause {
    let why = command.note.clone().unwrap_or_else(|| "no reason was given".into());
    Pause { id, scope, tenant: campaign.tenant.clone(), who: Arc::clone(&command.by), why, from, until }
}

/// Pauses a campaign because its breaker says so, until somebody resumes it. Its calls count anew then.
pub(super) fn pause_by_breaker(turn: &mut Turn<'_>, id: CampaignId, why: String) {
    let Some(campaign) = turn.loads.campaigns.get(id).map(|known| Campaign::clone(known)) else { return };
    let now = turn.now;
    let (who, why): (Arc<str>, Arc<str>) = (Pause::OURS.into(), why.into());
    let pause = Pause {
        id: PauseId::new(turn.scheduler.deps.ids.uuid(now)),
        scope: PauseScope::Campaign(id),
        tenant: campaign.tenant.clone(),
        who: Arc::clone(&who),
        why: Arc::clone(&why),
        from: now,
        until: None,
    };
    tracing::warn!(campaign = %id, pause = %pause.id, why = &*why, "a campaign was paused by its breaker");
    set(turn, pause);
    let version = campaign.version.saturating_add(1);
    let act = RecordedAct { at: now, act: "pause".into(), by: who, note: Some(why), changes: Vec::new() };
    put(turn, Campaign { version, ..campaign }, Some(act));
}

fn set(turn: &mut Turn<'_>, pause: Pause) {
    Arc::make_mut(&mut turn.loads.pauses).set(pause.clone());
    turn.work.pauses.push(pause);
}

fn lift(turn: &mut Turn<'_>, at: Timestamp, id: PauseId, by: &str) {
    if Arc::make_mut(&mut turn.loads.pauses).remove(id).is_some() {
        turn.work.pauses_lifted.push(PauseLifted { id, at, by: by.to_owned() });
    }
}

pub(super) fn put(turn: &mut Turn<'_>, campaign: Campaign, act: Option<RecordedAct>) {
    Arc::make_mut(&mut turn.loads.campaigns).put(campaign.clone());
    turn.work.campaigns.push(CampaignChange { campaign, act });
}

/// Reads the next callbacks of a canceled campaign, and ends the campaigns that have no open callback any more. Reads nothing
/// if none is about to end.
pub(super) async fn sweep(turn: &mut Turn<'_>, store: &dyn Store, max: usize) -> store::Result<()> {
    let ending: Vec<Arc<Campaign>> = turn.loads.campaigns.ending().cloned().collect();
    for campaign in ending {
        if campaign.state == CampaignState::Canceled && turn.sweep.is_none() {
            let after = turn.scheduler.campaigns_ending.after.get(&campaign.id).copied().unwrap_or(0);
            let CampaignRows { open, last, .. } = store.campaign_rows(campaign.id, after, max).await?;
            if let Some(last) = last {
                turn.sweep = Some(Sweep { campaign: campaign.id, open, last });
                continue;
            }
        }
        let is_open = store.campaign(campaign.id).await?.is_none_or(|record| record.open() > 0);
        if !is_open {
            end(turn, &campaign);
        }
    }
    Ok(())
}

/// The last callback of a campaign is closed.
fn end(turn: &mut Turn<'_>, campaign: &Campaign) {
    let now = turn.now;
    let state = match campaign.state {
        CampaignState::Draining => CampaignState::Finished,
        state => state,
    };
    let version = campaign.version.saturating_add(1);
    let pauses: Vec<PauseId> = turn.loads.pauses.of_campaign(campaign.id).map(|pause| pause.id).collect();
    pauses.into_iter().for_each(|id| lift(turn, now, id, Pause::OURS));
    counting::forget(turn, campaign.id);
    tracing::info!(campaign = %campaign.id, state = state.as_str(), "a campaign ended");
    let ended = Campaign { state, version, ended_at: Some(now), ..campaign.clone() };
    if state == CampaignState::Finished {
        turn.work.finished.push(ended.clone());
    }
    put(turn, ended, None);
}

/// Closes the callbacks that were read for it. A call in progress is handled as if its customer had canceled.
pub(super) fn close_swept(turn: &mut Turn<'_>) {
    let Some(sweep) = &turn.sweep else { return };
    let (campaign, open) = (sweep.campaign, sweep.open.clone());
    let Some(cause) = cause(turn, campaign) else { return };
    let by = match &cause {
        Reason::Paused { who, .. } => who.to_string(),
        _ => String::new(),
    };
    for id in open {
        cancel(turn, id, &cause, &by);
    }
    turn.is_at_nothing();
}

/// Why the callbacks of a canceled campaign are closed.
fn cause(turn: &Turn<'_>, campaign: CampaignId) -> Option<Reason> {
    let mut pauses = turn.loads.pauses.of_campaign(campaign);
    let canceled = pauses.find(|pause| matches!(pause.scope, PauseScope::Canceled(_)))?;
    Some(canceled.reason())
}

impl Scheduler {
    /// Reads the campaigns that are not over.
    pub(super) async fn read_campaigns(&mut self) -> store::Result<()> {
        self.loads.campaigns = Arc::new(Campaigns::new(self.deps.store.open_campaigns().await?));
        self.campaigns_ending = Ending::default();
        Ok(())
    }
}
