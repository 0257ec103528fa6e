//! Forecasts beside the campaigns themselves: a whole daemon plays each to its end, and the forecast that was made before the
//! launch is within 15 percent of what came.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::Phone;
use ringmaster::sim::world::{Habit, Mix};
use ringmaster::simulation::{Fixture, NoMutation, fixture};
use serde_json::{Value, json};

use crate::harness::{SENDER, SimulatedDaemon};

/// A Monday, nine in the morning in Sao Paulo.
const START: &str = "2026-11-23T12:00:00Z";
/// How finely the end of the last call is looked for.
const STEP: SignedDuration = SignedDuration::from_secs(30);

/// What is played.
struct Plan {
    rows: u64,
    campaign: Value,
    hours: Option<&'static str>,
    mix: Vec<(Habit, u32)>,
}

/// What came of a campaign.
struct Came {
    minutes: f64,
    calls: f64,
    requests: f64,
}

/// A consumer whose habit is drawn from the mix.
fn number(row: u64) -> Phone {
    Phone::from_stored(5_511_980_000_000 + row * 100)
}

/// A draft with its rows.
async fn draft(daemon: &mut SimulatedDaemon, plan: &Plan, first: u64) -> String {
    let made = daemon.post("/v1/campaigns", &plan.campaign).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let now = daemon.now();
    let latest = now + SignedDuration::from_hours(60);
    let sender = Phone::parse(SENDER).unwrap();
    for consumer in (first..first + plan.rows).map(number) {
        daemon.world().oracle_mut().allow(sender, consumer, now, latest);
        daemon.world().oracle_mut().allow_messages(sender, consumer, now, latest);
        let mut order = json!({"campaign": id, "attempts_max": 2});
        if let Some(hours) = plan.hours {
            order["hours"] = hours.into();
        }
        daemon.order(&consumer.e164(), &latest.to_string(), &order).await;
    }
    id
}

/// Launches a campaign and plays it to its end.
async fn play(daemon: &mut SimulatedDaemon, id: &str) -> Came {
    let (from, before) = (daemon.now(), daemon.world().report().counts);
    daemon.post(&format!("/v1/campaigns/{id}/launch"), &json!({})).await;
    let (mut rang, mut last_call) = (before.calls_rang, from);
    loop {
        daemon.pass(STEP).await;
        let counts = daemon.world().report().counts;
        if counts.calls_rang > rang {
            (rang, last_call) = (counts.calls_rang, daemon.now());
        }
        let passed = daemon.now().duration_since(from);
        if daemon.get(&format!("/v1/campaigns/{id}")).await["open"] == 0 || passed.as_hours() > 61 {
            break;
        }
    }
    let after = daemon.world().report().counts;
    Came {
        minutes: last_call.duration_since(from).as_secs_f64() / 60.0,
        calls: (after.calls_rang - before.calls_rang) as f64,
        requests: (after.permission_requests - before.permission_requests) as f64,
    }
}

async fn compare(plan: &Plan) {
    let with = Fixture { senders: 1, calls_per_second: 5, ..Fixture::default() };
    let (config, mut setup) = fixture(&with);
    setup.mix = Mix(plan.mix.clone());
    let mut daemon = SimulatedDaemon::begin_with(&config, setup, START, Arc::new(NoMutation)).await;
    // The first campaign gives the rates of the second.
    let first = draft(&mut daemon, plan, 0).await;
    play(&mut daemon, &first).await;
    let second = draft(&mut daemon, plan, plan.rows).await;
    let told = daemon.post(&format!("/v1/campaigns/{second}/forecast"), &json!({"plays": 40})).await;
    assert_eq!(told["rates"]["answered_percent"]["from"], "measured", "{told}");
    let from = daemon.now();
    let came = play(&mut daemon, &second).await;
    let last_call: Timestamp = told["last_call_at"]["p50"].as_str().unwrap().parse().unwrap();
    let forecast = [
        ("minutes", last_call.duration_since(from).as_secs_f64() / 60.0, came.minutes),
        ("calls", told["calls"]["p50"].as_f64().unwrap(), came.calls),
        ("requests", told["requests"]["p50"].as_f64().unwrap(), came.requests),
    ];
    for (what, told_value, came) in forecast {
        let off = (told_value - came).abs() / came.max(1.0);
        assert!(off <= 0.15, "{what}: {told_value} in the forecast, {came} in the play; {told}");
    }
}

fn campaign(more: &Value) -> Value {
    let mut campaign = json!({"name": "Spring", "breaker": {"failed_percent_max": null}});
    campaign.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    campaign
}

#[tokio::test]
async fn a_campaign_with_few_places_ends_as_forecast() {
    let campaign = campaign(&json!({"concurrent_calls_max": 1}));
    compare(&Plan { rows: 150, campaign, hours: None, mix: vec![(Habit::Talks, 1)] }).await;
}

#[tokio::test]
async fn a_campaign_with_a_slow_pace_and_missed_calls_ends_as_forecast() {
    let campaign = campaign(&json!({"calls_per_minute": 1}));
    let mix = vec![(Habit::Talks, 60), (Habit::Misses, 25), (Habit::Ignores, 15)];
    compare(&Plan { rows: 200, campaign, hours: None, mix }).await;
}

#[tokio::test]
async fn a_campaign_with_short_hours_ends_as_forecast() {
    let campaign = campaign(&json!({"calls_per_minute": 2}));
    let hours = Some("daily 09:00-10:00 @America/Sao_Paulo");
    compare(&Plan { rows: 150, campaign, hours, mix: vec![(Habit::Talks, 1)] }).await;
}
