//! Each limit weakened by one. With the right limit a small campaign has no violation. With the weaker one, the oracle,
//! which shares no code with the rules, reports the broken law.
//!
//! The lifetime of an unanswered request is not tested here: a longer one breaks no rule, and the limits of requests
//! cover a shorter one.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::config::Config;
use ringmaster::sim::world::{Faults, Setup};
use ringmaster::simulation::{Campaign, Mutation, NoMutation, Trace};

/// A daemon whose rules differ from the platform's.
struct Weak(fn(&mut Config));

impl Mutation for Weak {
    fn configure(&self, config: &mut Config) {
        (self.0)(config);
    }
}

fn campaign(set: fn(&mut Config, &mut Setup)) -> Campaign {
    Campaign {
        consumers: 300,
        days: 16,
        deeds_per_hour: 3,
        faults: Faults::default(),
        set,
        ..Campaign::default()
    }
}

async fn problems(campaign: &Campaign, flaw: Arc<dyn Mutation>) -> String {
    campaign.run(flaw, Arc::new(Trace::default())).await.unwrap().problems.join("\n")
}

async fn is_noticed(campaign: Campaign, weak: fn(&mut Config), law: &str) {
    assert_eq!(problems(&campaign, Arc::new(NoMutation)).await, "");
    let told = problems(&campaign, Arc::new(Weak(weak))).await;
    assert!(told.contains(law), "{law} was not named: {told}");
}

const fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// Permissions of six hours: consumers are asked as often as is allowed.
fn short_permissions(config: &mut Config, setup: &mut Setup) {
    config.limits.permission_lifetime = Some(hours(6));
    setup.limits.permission_hours = 6;
    // A consumer who did not answer is due again just after the permission has ended.
    config.calling.retry.no_answer = hours(6);
}

/// Permissions of an hour and one call at a time, so that many permissions end unused.
fn scarcity(config: &mut Config, setup: &mut Setup) {
    config.limits.permission_lifetime = Some(hours(1));
    setup.limits.permission_hours = 1;
    config.limits.concurrent_calls_per_sender_max = Some(1);
    setup.limits.concurrent_calls_per_sender = 1;
}

fn few_slots(config: &mut Config, setup: &mut Setup) {
    config.limits.concurrent_calls_per_sender_max = Some(3);
    setup.limits.concurrent_calls_per_sender = 3;
}

fn as_published(_: &mut Config, _: &mut Setup) {}

#[tokio::test]
async fn two_requests_in_24_hours() {
    let weak = |config: &mut Config| config.limits.permission_requests_short_max = Some(2);
    is_noticed(campaign(short_permissions), weak, "PermissionRequestLimit").await;
}

#[tokio::test]
async fn a_second_request_after_23_hours() {
    let weak = |config: &mut Config| config.limits.permission_requests_short_window = Some(hours(23));
    is_noticed(campaign(short_permissions), weak, "PermissionRequestLimit").await;
}

#[tokio::test]
async fn three_requests_in_7_days() {
    let weak = |config: &mut Config| config.limits.permission_requests_long_max = Some(3);
    is_noticed(campaign(short_permissions), weak, "PermissionRequestLimit").await;
}

#[tokio::test]
async fn a_third_request_after_6_days() {
    let weak = |config: &mut Config| config.limits.permission_requests_long_window = Some(hours(144));
    is_noticed(Campaign { consumers: 900, ..campaign(scarcity) }, weak, "PermissionRequestLimit").await;
}

#[tokio::test]
async fn a_sixth_connected_call_in_24_hours() {
    let weak = |config: &mut Config| config.limits.connected_calls_max = Some(6);
    is_noticed(campaign(as_published), weak, "ConnectedCallsPerDay").await;
}

#[tokio::test]
async fn a_sixth_connected_call_after_23_hours() {
    let weak = |config: &mut Config| config.limits.connected_calls_window = Some(hours(23));
    is_noticed(campaign(as_published), weak, "ConnectedCallsPerDay").await;
}

#[tokio::test]
async fn one_call_at_a_time_too_many() {
    let weak = |config: &mut Config| config.limits.concurrent_calls_per_sender_max = Some(4);
    is_noticed(campaign(few_slots), weak, "SenderConcurrency").await;
}

#[tokio::test]
async fn one_call_too_many_for_an_agent() {
    let weak = |config: &mut Config| config.calling.agent_calls_max = 2;
    // All are ordered on one day, so that the agent is wanted by several at once.
    let campaign = Campaign { days: 8, ..campaign(as_published) };
    is_noticed(campaign, weak, "OneCallPerAgent").await;
}

#[tokio::test]
async fn the_third_miss_without_an_invite() {
    let weak = |config: &mut Config| config.limits.misses_before_nudge = Some(3);
    is_noticed(campaign(as_published), weak, "InviteBeforeNudge").await;
}

#[tokio::test]
async fn the_fourth_miss() {
    let weak = |config: &mut Config| config.limits.misses_before_revocation = Some(5);
    is_noticed(campaign(as_published), weak, "MissStreak").await;
}

#[tokio::test]
async fn a_permission_that_is_used_an_hour_too_long() {
    let weak = |config: &mut Config| config.limits.permission_lifetime = Some(hours(7));
    is_noticed(campaign(short_permissions), weak, "CallNeedsPermission").await;
}

#[tokio::test]
async fn a_service_window_that_is_used_an_hour_too_long() {
    let campaign = Campaign { deeds_per_hour: 60, ..campaign(as_published) };
    let weak = |config: &mut Config| config.limits.service_window = Some(hours(25));
    is_noticed(campaign, weak, "ServiceWindow").await;
}

#[tokio::test]
async fn one_call_per_second_too_many() {
    let campaign = Campaign { calls_per_second: 1, ..campaign(as_published) };
    let weak = |config: &mut Config| {
        config.accounts.values_mut().for_each(|account| account.calls_per_second += 1.0);
    };
    is_noticed(campaign, weak, "CallsPerSecond").await;
}
