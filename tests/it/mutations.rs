//! Deliberate faults in the daemon: simulations have to find each of them within a few seeds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use ringmaster::config::Config;
use ringmaster::domain::campaign::CampaignAct;
use ringmaster::domain::event::CallReport;
use ringmaster::domain::{
    Attempt, AttemptId, CallProgress, Event, Holds, Name, Pause, Person, PoolAct, PoolCommand, Proof,
    Resource, Stage,
};
use ringmaster::sim::world::Faults;
use ringmaster::simulation::{Campaign, Mutation, NoMutation, Trace, Trouble, run_seed_with};
use ringmaster::store::{
    Batch, CallUp, CalledUp, NewCommand, NewSuppressions, Report, Result, Store, Suppressed,
};
use ringmaster::twilio::{Request, Response, Transport, TransportError};

pub(crate) const PEACE: Trouble = Trouble { faults: false, deaths: false };
const FAULTS: Trouble = Trouble { faults: true, deaths: false };
const ALL: Trouble = Trouble { faults: true, deaths: true };

/// Runs seeds until the mutation is found. Returns the reported problems.
async fn caught<F: Mutation + 'static>(trouble: Trouble, flaw: impl Fn() -> F) -> String {
    caught_among(1000..1024, trouble, flaw).await
}

pub(crate) async fn caught_among<F: Mutation + 'static>(
    seeds: std::ops::Range<u64>,
    trouble: Trouble,
    flaw: impl Fn() -> F,
) -> String {
    for seed in seeds {
        let report =
            run_seed_with(seed, trouble, Arc::new(flaw()), Arc::new(Trace::default())).await.unwrap();
        if !report.problems.is_empty() {
            return report.problems.join("\n");
        }
    }
    panic!("the mutation was not found in two dozen seeds");
}

pub(crate) fn assert_named(problems: &str, any_of: &[&str]) {
    assert!(any_of.iter().any(|words| problems.contains(words)), "{problems}");
}

/// Repeats requests without an answer.
struct Resends;

#[async_trait]
impl Mutation for Resends {
    async fn send(
        &self,
        transport: &dyn Transport,
        request: Request,
    ) -> std::result::Result<Response, TransportError> {
        match transport.send(request.clone()).await {
            Err(TransportError::Lost(_)) => transport.send(request).await,
            answer => answer,
        }
    }
}

#[tokio::test]
async fn a_request_that_is_sent_again_after_a_timeout_is_found() {
    assert_named(
        &caught(FAULTS, || Resends).await,
        &["OneCallPerAttempt", "sent twice", "PermissionRequestLimit", "later than a quarter of a second"],
    );
}

/// Reads a server error as a refusal.
struct Trusts500;

#[async_trait]
impl Mutation for Trusts500 {
    async fn send(
        &self,
        transport: &dyn Transport,
        request: Request,
    ) -> std::result::Result<Response, TransportError> {
        match transport.send(request.clone()).await {
            Ok(response) if response.status >= 500 => transport.send(request).await,
            answer => answer,
        }
    }
}

#[tokio::test]
async fn a_server_error_that_is_read_as_a_refusal_is_found() {
    assert_named(
        &caught(FAULTS, || Trusts500).await,
        &["OneCallPerAttempt", "sent twice", "PermissionRequestLimit", "later than a quarter of a second"],
    );
}

/// Frees the pair as soon as it is unknown whether there is a call.
struct FreesUnknown;

#[async_trait]
impl Mutation for FreesUnknown {
    async fn record(&self, store: &dyn Store, mut batch: Batch) -> Result<()> {
        let unknown: Vec<Name> = batch
            .attempts
            .iter()
            .filter(|attempt| attempt.submission.stage == Stage::Unknown)
            .map(|attempt| Name::Number(attempt.consumer))
            .collect();
        for (person, _) in store.people(&unknown).await? {
            if let Some(held) = batch.persons.iter_mut().find(|held| held.id == person.id) {
                held.live.clear();
            } else {
                let version = person.version + 1;
                batch.persons.push(Person { version, live: [].into(), ..person });
            }
        }
        store.record(batch).await
    }
}

#[tokio::test]
async fn a_slot_that_is_freed_while_the_call_may_exist_is_found() {
    assert_named(&caught(FAULTS, || FreesUnknown).await, &["its person is free", "OneCallPerPair"]);
}

/// Applies the report that arrived last instead of the furthest one.
#[derive(Default)]
struct BelievesTheLast(Mutex<BTreeMap<i64, CallReport>>);

#[async_trait]
impl Mutation for BelievesTheLast {
    async fn append_reports(&self, store: &dyn Store, reports: Vec<Report>) -> Result<Vec<bool>> {
        let new = store.append_reports(reports).await?;
        for filed in store.unfolded_reports(100).await? {
            if let Event::Call(report) = filed.event {
                self.0.lock().unwrap().insert(filed.seq, report);
            }
        }
        Ok(new)
    }

    async fn record(&self, store: &dyn Store, mut batch: Batch) -> Result<()> {
        let mut last = BTreeMap::new();
        for seq in &batch.folded {
            if let Some(report) = self.0.lock().unwrap().remove(seq)
                && report.parent_sid.is_none()
            {
                last.insert(report.attempt, report.progress);
            }
        }
        for (id, progress) in last {
            let held = batch.attempts.iter().position(|attempt| attempt.id == id);
            let mut attempt = match held {
                Some(index) => batch.attempts.remove(index),
                None => store.attempts(&[id]).await?.remove(0),
            };
            attempt.first_leg = progress;
            if !matches!(progress, CallProgress::Ended(_)) {
                attempt.ended_at = None;
            }
            batch.attempts.push(attempt);
        }
        store.record(batch).await
    }
}

#[tokio::test]
async fn a_late_webhook_that_moves_a_call_backwards_is_found() {
    assert_named(
        &caught(FAULTS, BelievesTheLast::default).await,
        &["back to", "lost its end", "in progress hold"],
    );
}

/// Stores the submission only after the request was sent: it is in memory until the next write.
#[derive(Default)]
struct WritesLate(Mutex<BTreeMap<AttemptId, Attempt>>);

#[async_trait]
impl Mutation for WritesLate {
    fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    async fn record(&self, store: &dyn Store, mut batch: Batch) -> Result<()> {
        let mut late = Vec::new();
        for attempt in &mut batch.attempts {
            if attempt.submission.stage == Stage::Submitting {
                late.push(attempt.clone());
                attempt.submission.stage = Stage::Intent;
                attempt.submission.submitted_at = None;
            }
        }
        store.record(batch).await?;
        self.0.lock().unwrap().extend(late.into_iter().map(|attempt| (attempt.id, attempt)));
        Ok(())
    }

    async fn attempts(&self, store: &dyn Store, ids: &[AttemptId]) -> Result<Vec<Attempt>> {
        let mut attempts = store.attempts(ids).await?;
        for attempt in &mut attempts {
            if attempt.submission.stage == Stage::Intent
                && let Some(late) = self.0.lock().unwrap().get(&attempt.id)
            {
                *attempt = late.clone();
            }
        }
        Ok(attempts)
    }
}

#[tokio::test]
async fn a_request_that_is_sent_before_it_is_stored_is_found() {
    let problems = caught(PEACE, WritesLate::default).await;
    assert_named(&problems, &["before its attempt was submitting"]);
}

/// Stores every report as a new one.
#[derive(Default)]
struct NeverSawIt(AtomicU64);

#[async_trait]
impl Mutation for NeverSawIt {
    async fn append_reports(&self, store: &dyn Store, mut reports: Vec<Report>) -> Result<Vec<bool>> {
        for report in &mut reports {
            let fresh = self.0.fetch_add(1, Ordering::Relaxed);
            report.key[..8].copy_from_slice(&fresh.to_be_bytes());
        }
        store.append_reports(reports).await
    }
}

#[tokio::test]
async fn a_webhook_that_is_stored_twice_is_found() {
    assert_named(&caught(FAULTS, NeverSawIt::default).await, &["filed again"]);
}

/// Writes the attempts first, and their effects in a second transaction.
struct WritesTwice;

#[async_trait]
impl Mutation for WritesTwice {
    async fn record(&self, store: &dyn Store, batch: Batch) -> Result<()> {
        let first = Batch { attempts: batch.attempts, folded: batch.folded, ..Batch::default() };
        let second = Batch { attempts: Vec::new(), folded: Vec::new(), ..batch };
        store.record(first).await?;
        store.record(second).await
    }
}

#[tokio::test]
async fn an_outcome_in_a_second_transaction_is_found() {
    assert_named(&caught(PEACE, || WritesTwice).await, &["its pair is", "still taken"]);
}

#[tokio::test]
async fn an_outcome_that_a_kill_separates_from_its_cause_is_found() {
    caught(ALL, || WritesTwice).await;
}

/// Writes customer webhooks in a second transaction.
struct TellsLater;

#[async_trait]
impl Mutation for TellsLater {
    async fn record(&self, store: &dyn Store, mut batch: Batch) -> Result<()> {
        let outbox = std::mem::take(&mut batch.outbox);
        store.record(batch).await?;
        store.record(Batch { outbox, ..Batch::default() }).await
    }
}

#[tokio::test]
async fn an_end_whose_webhook_is_in_a_second_transaction_is_found() {
    assert_named(&caught(PEACE, || TellsLater).await, &["was told 0 times in its commit"]);
}

/// Counts every answered call as served.
struct AnsweredIsReached;

#[async_trait]
impl Mutation for AnsweredIsReached {
    async fn record(&self, store: &dyn Store, mut batch: Batch) -> Result<()> {
        batch.attempts.iter_mut().for_each(|attempt| attempt.proof = Proof::Answer);
        store.record(batch).await
    }
}

#[tokio::test]
async fn an_answered_call_that_served_nobody_and_is_closed_as_reached_is_found() {
    assert_named(&caught(PEACE, || AnsweredIsReached).await, &["nobody served its consumer"]);
}

/// Rules that differ from the published ones.
struct Loose(fn(&mut Config));

impl Mutation for Loose {
    fn configure(&self, config: &mut Config) {
        (self.0)(config);
    }
}

#[tokio::test]
async fn one_permission_request_too_many_is_noticed() {
    let problems = caught_among(1012..1024, FAULTS, || {
        Loose(|config| config.limits.permission_requests_short_max = Some(2))
    })
    .await;
    assert_named(&problems, &["PermissionRequestLimit"]);
}

#[tokio::test]
async fn one_connected_call_too_many_is_noticed() {
    let problems = caught(PEACE, || {
        Loose(|config| {
            let max = config.limits.connected_calls_max.unwrap_or(5);
            config.limits.connected_calls_max = Some(max + 1);
        })
    })
    .await;
    assert_named(&problems, &["ConnectedCallsPerDay"]);
}

#[tokio::test]
async fn calls_that_are_faster_than_the_account_allows_are_found() {
    let problems = caught_among(66..260, PEACE, || {
        Loose(|config| {
            config.calling.people.gap = SignedDuration::ZERO;
            config.accounts.values_mut().for_each(|account| account.calls_per_second = 1000.0);
        })
    })
    .await;
    assert_named(&problems, &["CallsPerSecond"]);
}

#[tokio::test]
async fn a_missing_streak_guard_is_found() {
    let problems = caught(PEACE, || {
        Loose(|config| {
            config.limits.misses_before_nudge = Some(90);
            config.limits.misses_before_revocation = Some(99);
        })
    })
    .await;
    assert_named(&problems, &["MissStreak"]);
}

/// Stores attempts without the agents that they hold.
struct ForgetsAgents;

#[async_trait]
impl Mutation for ForgetsAgents {
    async fn record(&self, store: &dyn Store, mut batch: Batch) -> Result<()> {
        for attempt in &mut batch.attempts {
            let rest = attempt.holds.iter().filter(|held| !matches!(held, Resource::Agents(_)));
            attempt.holds = Holds::new(rest.cloned());
        }
        store.record(batch).await
    }
}

#[tokio::test]
async fn an_agent_that_is_not_stored_is_found() {
    assert_named(&caught(ALL, || ForgetsAgents).await, &["calls in progress hold", "OneCallPerAgent"]);
}

/// Takes every pause for one that is over.
struct IgnoresPauses;

#[async_trait]
impl Mutation for IgnoresPauses {
    async fn append_command(&self, store: &dyn Store, mut command: NewCommand) -> Result<bool> {
        if let Event::PauseSet(pause) = &mut command.report.event {
            pause.until = Some(pause.from);
        }
        store.append_command(command).await
    }
}

#[tokio::test]
async fn a_pause_that_is_ignored_is_noticed() {
    assert_named(&caught(PEACE, || IgnoresPauses).await, &["PauseIsKept"]);
}

/// Does not read the pauses at a start.
struct ForgetsPauses;

#[async_trait]
impl Mutation for ForgetsPauses {
    async fn pauses(&self, _: &dyn Store, _: Timestamp) -> Result<Vec<Pause>> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn pauses_that_are_forgotten_at_a_restart_are_noticed() {
    assert_named(
        &caught(ALL, || ForgetsPauses).await,
        &["PauseIsKept", "left while its campaign was stopped"],
    );
}

/// Takes every pause of a campaign for one that is over.
struct IgnoresCampaignPauses;

#[async_trait]
impl Mutation for IgnoresCampaignPauses {
    async fn append_command(&self, store: &dyn Store, mut command: NewCommand) -> Result<bool> {
        if let Event::Campaign(word) = &mut command.report.event
            && let CampaignAct::Pause { until, .. } = &mut word.act
        {
            *until = Some(Timestamp::UNIX_EPOCH);
        }
        store.append_command(command).await
    }
}

#[tokio::test]
async fn a_pause_of_a_campaign_that_is_ignored_is_noticed() {
    let problems = caught_among(1000..1060, PEACE, || IgnoresCampaignPauses).await;
    assert_named(&problems, &["left while its campaign was stopped"]);
}

/// Takes a cancellation of a campaign for its drain.
struct DrainsInstead;

#[async_trait]
impl Mutation for DrainsInstead {
    async fn append_command(&self, store: &dyn Store, mut command: NewCommand) -> Result<bool> {
        if let Event::Campaign(word) = &mut command.report.event
            && matches!(word.act, CampaignAct::Cancel { .. })
        {
            word.act = CampaignAct::Drain;
        }
        store.append_command(command).await
    }
}

#[tokio::test]
async fn a_campaign_that_goes_on_after_its_cancellation_is_noticed() {
    let problems = caught_among(1000..1060, PEACE, || DrainsInstead).await;
    assert_named(&problems, &["left while its campaign was stopped", "was canceled and is"]);
}

/// Keeps no ceiling and no pace of campaigns.
struct LiftsCeilings;

#[async_trait]
impl Mutation for LiftsCeilings {
    async fn append_command(&self, store: &dyn Store, mut command: NewCommand) -> Result<bool> {
        if let Event::Campaign(word) = &mut command.report.event {
            match &mut word.act {
                CampaignAct::Create { concurrent_calls_max, calls_per_minute, .. } => {
                    (*concurrent_calls_max, *calls_per_minute) = (None, None);
                }
                CampaignAct::Change { concurrent_calls_max, calls_per_minute, .. } => {
                    (*concurrent_calls_max, *calls_per_minute) = (None, None);
                }
                _ => {}
            }
        }
        store.append_command(command).await
    }
}

#[tokio::test]
async fn a_campaign_without_its_ceiling_is_noticed() {
    let crowd = || Campaign { campaign_calls_max: Some(1), set: |_, _| {}, ..three_campaigns() };
    let run = |mutation: Arc<dyn Mutation>| async move {
        crowd().run(mutation, Arc::new(Trace::default())).await.unwrap().problems
    };
    assert_eq!(run(Arc::new(NoMutation)).await, Vec::<String>::new());
    assert_named(&run(Arc::new(LiftsCeilings)).await.join("\n"), &["calls at once"]);
}

/// Calls up the callbacks of one campaign as long as it has any.
struct OneAfterTheOther;

#[async_trait]
impl Mutation for OneAfterTheOther {
    async fn callbacks_at_gates(&self, store: &dyn Store, calls: &[CallUp]) -> Result<Vec<CalledUp>> {
        let mut calls = calls.to_vec();
        for call in &mut calls {
            call.paid = [(call.lanes.campaigns().next().flatten(), 0)].into();
            let others = call.lanes.campaigns().skip(1).map(|campaign| (campaign, u64::MAX / 2));
            call.paid.extend(others);
        }
        store.callbacks_at_gates(&calls).await
    }
}

/// Three campaigns that compete for two calls at once.
fn three_campaigns() -> Campaign {
    Campaign {
        consumers: 240,
        days: 8,
        deeds_per_hour: 1,
        faults: Faults::default(),
        campaigns: 3,
        set: |config, setup| {
            config.limits.concurrent_calls_per_sender_max = Some(1);
            setup.limits.concurrent_calls_per_sender = 1;
        },
        ..Campaign::default()
    }
}

#[tokio::test]
async fn a_campaign_that_is_starved_by_another_one_is_noticed() {
    let run = |mutation: Arc<dyn Mutation>| async move {
        three_campaigns().run(mutation, Arc::new(Trace::default())).await.unwrap().problems
    };
    assert_eq!(run(Arc::new(NoMutation)).await, Vec::<String>::new());
    assert_named(&run(Arc::new(OneAfterTheOther)).await.join("\n"), &["is called again and again"]);
}

/// Takes every entry of a suppression list for one that is over.
struct ForgetsSuppressions;

#[async_trait]
impl Mutation for ForgetsSuppressions {
    async fn suppress(&self, store: &dyn Store, new: NewSuppressions) -> Result<Suppressed> {
        // In the first second of all time; its beginning is stored as no end.
        let expires_at = Timestamp::from_second(1).ok();
        store.suppress(NewSuppressions { expires_at, ..new }).await
    }
}

#[tokio::test]
async fn a_suppression_that_is_forgotten_is_noticed() {
    let problems = caught_among(1000..1060, PEACE, || ForgetsSuppressions).await;
    assert_named(&problems, &["PauseIsKept", "is not to be followed"]);
}

#[tokio::test]
async fn a_closed_day_that_is_open_is_noticed() {
    let problems = caught(PEACE, || {
        Loose(|config| config.calendars.values_mut().for_each(|calendar| calendar.closed.clear()))
    })
    .await;
    assert_named(&problems, &["CallInsideWindow", "MessageInsideHours"]);
}

/// Takes figures of pools for ones without headroom that hold for an hour.
struct BelievesOldFigures;

#[async_trait]
impl Mutation for BelievesOldFigures {
    async fn append_command(&self, store: &dyn Store, mut command: NewCommand) -> Result<bool> {
        if let Event::Pool(PoolCommand { act: PoolAct::Feed { valid_until, headroom, .. }, .. }) =
            &mut command.report.event
        {
            *valid_until += SignedDuration::from_hours(1);
            *headroom = 0;
        }
        store.append_command(command).await
    }
}

#[tokio::test]
async fn a_call_without_a_seat_is_noticed() {
    assert_named(&caught(PEACE, || BelievesOldFigures).await, &["has no seat of default/desk"]);
}

/// Does not store which seats calls hold, so that they are forgotten at a restart.
struct ForgetsSeats;

#[async_trait]
impl Mutation for ForgetsSeats {
    async fn record(&self, store: &dyn Store, mut batch: Batch) -> Result<()> {
        for attempt in &mut batch.attempts {
            let rest = attempt.holds.iter().filter(|held| !matches!(held, Resource::Pool(_)));
            attempt.holds = Holds::new(rest.cloned());
        }
        store.record(batch).await
    }
}

#[tokio::test]
async fn a_seat_that_is_not_stored_is_found() {
    assert_named(&caught(ALL, || ForgetsSeats).await, &["calls in progress hold"]);
}
