//! Deliberate faults in what the daemon makes of the words of team leaders and agents: follow-ups and wrap-ups.

use std::sync::Arc;

use async_trait::async_trait;
use ringmaster::domain::campaign::CampaignAct;
use ringmaster::domain::{Event, Outcome};
use ringmaster::simulation::Mutation;
use ringmaster::store::{Batch, NewCommand, Result, Store};

use crate::mutations::{PEACE, assert_named, caught_among};

/// Lets a campaign that follows another one take over those who were reached too.
struct FollowsTheReached;

#[async_trait]
impl Mutation for FollowsTheReached {
    async fn append_command(&self, store: &dyn Store, mut command: NewCommand) -> Result<bool> {
        if let Event::Campaign(word) = &mut command.report.event
            && let CampaignAct::Create { follow_up: Some(follow_up), .. } = &mut word.act
        {
            Arc::make_mut(follow_up).outcomes.push(Outcome::Reached);
        }
        store.append_command(command).await
    }
}

#[tokio::test]
async fn a_follow_up_of_those_who_were_reached_is_noticed() {
    let problems = caught_among(1000..1100, PEACE, || FollowsTheReached).await;
    assert_named(&problems, &["follows nobody who was not reached", "of 0 rows, and has 0"]);
}

/// Acknowledges what agents say, and does not store it.
struct LosesWrapUps;

#[async_trait]
impl Mutation for LosesWrapUps {
    async fn record(&self, store: &dyn Store, mut batch: Batch) -> Result<()> {
        batch.agents.wrap_ups.clear();
        store.record(batch).await
    }
}

#[tokio::test]
async fn a_wrap_up_that_is_not_stored_is_noticed() {
    let problems = caught_among(1000..1060, PEACE, || LosesWrapUps).await;
    assert_named(&problems, &["was acknowledged, and None is on record"]);
}
