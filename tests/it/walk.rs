//! Single callbacks in a whole daemon with a simulated world.

use jiff::SignedDuration;
use ringmaster::simulation::Fixture;
use serde_json::{Value, json};

use crate::harness::SimulatedDaemon;

async fn begin(with: Fixture) -> SimulatedDaemon {
    SimulatedDaemon::begin(&with, "2026-11-23T12:00:00Z").await
}

async fn order(whole: &mut SimulatedDaemon, consumer: &str) -> String {
    whole.order(consumer, "2026-12-03T12:00:00Z", &json!({})).await
}

async fn show(whole: &mut SimulatedDaemon, id: &str) -> Value {
    whole.get(&format!("/v1/callbacks/{id}")).await
}

const fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

#[tokio::test]
async fn a_consumer_who_accepts_is_called_and_reached() {
    let mut whole = begin(Fixture::default()).await;
    let id = order(&mut whole, "+5511987650001").await;
    whole.pass(days(1)).await;
    let shown = show(&mut whole, &id).await;
    assert_eq!(shown["outcome"], "reached", "{shown:#}");
    assert_eq!(shown["attempts"].as_array().unwrap().len(), 1, "{shown:#}");
    let counts = whole.world().report().counts;
    assert_eq!((counts.permission_requests, counts.creates_accepted, counts.calls_connected), (1, 1, 1));
}

#[tokio::test]
async fn a_consumer_who_refuses_is_not_called() {
    let mut whole = begin(Fixture::default()).await;
    let id = order(&mut whole, "+5511987650002").await;
    whole.pass(days(2)).await;
    let shown = show(&mut whole, &id).await;
    assert_eq!(shown["outcome"], "declined", "{shown:#}");
    assert_eq!(whole.world().report().counts.creates_accepted, 0);
}

#[tokio::test]
async fn a_consumer_who_missed_two_calls_is_not_called_again() {
    let mut whole = begin(Fixture::default()).await;
    let id = order(&mut whole, "+5511987650005").await;
    whole.pass(days(3)).await;
    let shown = show(&mut whole, &id).await;
    assert_eq!(shown["outcome"], "exhausted", "{shown:#}");
    assert_eq!(whole.world().report().counts.calls_missed, 2);
}

#[tokio::test]
async fn every_habit_ends_every_callback_without_a_violation() {
    let mut whole = begin(Fixture { invites: true, ..Fixture::default() }).await;
    let mut ids = Vec::new();
    for habit in 1..=11 {
        for series in [5, 6, 7] {
            ids.push(order(&mut whole, &format!("+55119876{series}00{habit:02}")).await);
        }
    }
    whole.pass(days(11)).await;
    for id in ids {
        let shown = show(&mut whole, &id).await;
        assert_eq!(shown["status"], "closed", "{shown:#}");
    }
    let report = whole.world().report();
    assert_eq!(report.calls_live, 0);
}
