//! The machine's clock jumps: nothing is sent and nothing expires until the right time is known.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::domain::{CallbackId, ClockDoubt, State};
use ringmaster::simulation::Fixture;
use serde_json::{Value, json};

use crate::harness::{RecordingTransport, START, SimulatedDaemon, TestDaemon, message};

/// A consumer who accepts the request and answers the call.
const WILLING: &str = "+5511987650001";
const WILLING_TOO: &str = "+5511987660001";
const DEADLINE: &str = "2026-11-24T12:00:00Z";
const DAY: SignedDuration = SignedDuration::from_hours(24);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const SECOND: SignedDuration = SignedDuration::from_secs(1);

async fn begin() -> SimulatedDaemon {
    SimulatedDaemon::begin(&Fixture { calls_per_second: 10, ..Fixture::default() }, START).await
}

async fn outcome(whole: &mut SimulatedDaemon, id: &str) -> Value {
    whole.get(&format!("/v1/callbacks/{id}")).await["outcome"].clone()
}

async fn explained(whole: &mut SimulatedDaemon, id: &str) -> Value {
    whole.get(&format!("/v1/callbacks/{id}/explain")).await["reasons"][0]["code"].clone()
}

fn created(whole: &SimulatedDaemon) -> u64 {
    let counts = whole.world().report().counts;
    counts.creates_accepted + counts.permission_requests + counts.messages
}

#[tokio::test]
async fn after_a_jump_nothing_is_sent_and_nothing_expires_until_the_clock_is_corrected() {
    for by in [DAY * 3, -DAY * 3, MINUTE * 5 + SECOND, -MINUTE * 5 - SECOND] {
        let mut whole = begin().await;
        let before = whole.order(WILLING, DEADLINE, &json!({})).await;
        whole.pass(SECOND).await;
        let left = created(&whole);
        whole.step_clock(by).await.unwrap();
        let meanwhile = whole.order(WILLING_TOO, DEADLINE, &json!({})).await;
        whole.pass(MINUTE * 30).await;
        assert_eq!(created(&whole), left, "{by:?}");
        for id in [&before, &meanwhile] {
            assert_eq!(outcome(&mut whole, id).await, Value::Null, "{by:?}");
            assert_eq!(explained(&mut whole, id).await, "clock.in_doubt", "{by:?}");
        }
        let status = whole.get("/v1/status").await;
        assert_eq!(status["clock_in_doubt"]["jumped_by_s"], by.as_secs());
        whole.step_clock(-by).await.unwrap();
        whole.pass(MINUTE * 10).await;
        for id in [&before, &meanwhile] {
            assert_eq!(outcome(&mut whole, id).await, "reached", "{by:?}");
        }
        assert_eq!(whole.get("/v1/status").await.get("clock_in_doubt"), None);
    }
}

#[tokio::test]
async fn a_step_of_five_minutes_is_not_a_jump() {
    for by in [MINUTE * 5, -MINUTE * 5] {
        let mut whole = begin().await;
        whole.step_clock(by).await.unwrap();
        assert_eq!(whole.get("/v1/status").await.get("clock_in_doubt"), None);
        let id = whole.order(WILLING, DEADLINE, &json!({})).await;
        whole.pass(MINUTE * 10).await;
        assert_eq!(outcome(&mut whole, &id).await, "reached");
    }
}

#[tokio::test]
async fn reports_during_the_doubt_count_and_are_not_lost() {
    let mut whole = begin().await;
    let id = whole.order(WILLING, DEADLINE, &json!({})).await;
    whole.pass(SECOND).await;
    whole.step_clock(DAY * 300).await.unwrap();
    whole.pass(MINUTE * 10).await;
    let timeline = whole.get(&format!("/v1/callbacks/{id}/timeline")).await;
    assert!(timeline.to_string().contains("permission.granted"), "{timeline}");
    assert_eq!(whole.get("/v1/status").await["unfolded_reports"], 0);
    whole.step_clock(-DAY * 300).await.unwrap();
    whole.pass(MINUTE).await;
    assert_eq!(outcome(&mut whole, &id).await, "reached");
}

#[tokio::test]
async fn a_corrected_clock_is_confirmed_by_the_platforms_dates() {
    let mut whole = begin().await;
    whole.step_clock(-DAY).await.unwrap();
    whole.pass(SECOND).await;
    let confirmed = whole.post("/v1/clock/confirm", &json!({})).await;
    assert_eq!(confirmed["confirmed"], "2026-11-22T12:00:01Z");
    whole.pass(MINUTE).await;
    assert_eq!(whole.get("/v1/status").await["now"], "2026-11-22T12:01:01Z");
    whole.step_clock(DAY).await.unwrap();
    assert_eq!(whole.get("/v1/status").await["clock_in_doubt"]["jumped_by_s"], DAY.as_secs());
    whole.pass(SECOND).await;
    let status = whole.get("/v1/status").await;
    assert_eq!((&status["now"], status.get("clock_in_doubt")), (&json!("2026-11-23T12:01:02Z"), None));
}

#[tokio::test]
async fn deadlines_use_the_confirmed_clock() {
    let mut whole = begin().await;
    let id = whole.order(WILLING, DEADLINE, &json!({})).await;
    whole.pass(SECOND).await;
    whole.step_clock(DAY * 2).await.unwrap();
    whole.pass(MINUTE).await;
    assert_eq!(outcome(&mut whole, &id).await, Value::Null);
    whole.post("/v1/clock/confirm", &json!({})).await;
    whole.pass(SECOND).await;
    assert_eq!(outcome(&mut whole, &id).await, "expired");
    let (status, again) = whole.try_post("/v1/clock/confirm", &json!({})).await;
    assert_eq!((status, &again["code"]), (409, &json!("clock.not_in_doubt")));
}

#[tokio::test]
async fn a_restart_forgets_no_doubt() {
    let mut whole = begin().await;
    let id = whole.order(WILLING, DEADLINE, &json!({})).await;
    whole.pass(SECOND).await;
    whole.step_clock(DAY * 2).await.unwrap();
    whole.restart().await.unwrap();
    whole.pass(MINUTE).await;
    assert_eq!(explained(&mut whole, &id).await, "clock.in_doubt");
    assert_eq!(whole.get("/v1/status").await["clock_in_doubt"]["jumped_by_s"], DAY.as_secs() * 2);
    whole.post("/v1/clock/confirm", &json!({})).await;
    whole.restart().await.unwrap();
    assert_eq!(
        whole.get("/v1/status").await.get("clock_in_doubt"),
        None,
        "the confirmation survives a restart"
    );
}

#[tokio::test]
async fn a_jump_while_the_daemon_is_down_is_found_at_its_start() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(platform.clone()).await;
    let id = daemon.order(WILLING, message()).await["id"].as_str().unwrap().to_owned();
    daemon.advance(SECOND).await;
    daemon.jump_clock(DAY * 30);
    let mut daemon = daemon.restart(platform.clone()).await;
    daemon.advance(DAY).await;
    assert_eq!(daemon.get("/v1/status").await["clock_in_doubt"]["jumped_by_s"], DAY.as_secs() * 30);
    let id: CallbackId = id.parse().unwrap();
    let stored = daemon.store().callbacks(&[id]).await.unwrap().remove(0);
    assert!(matches!(stored.state, State::Waiting(_)), "{:?}", stored.state);
    let mark = daemon.store().clock_mark().await.unwrap().unwrap();
    let since = START.parse::<jiff::Timestamp>().unwrap() + SECOND;
    assert_eq!(mark.doubt, Some(ClockDoubt { since, by: DAY * 30 }));
}
