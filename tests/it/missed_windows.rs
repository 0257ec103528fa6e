//! Callbacks whose first calling hours pass without a call, and caps of calls to a person.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::policy::Caps;
use serde_json::{Value, json};

use crate::harness::{RecordingTransport, TestDaemon, message};

const CONSUMER: &str = "+5511987650001";
const TICK: SignedDuration = SignedDuration::from_micros(1);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Orders a callback with hours that close at 18:00 in Sao Paulo (21:00 UTC), and lets it be decided.
async fn ordered(daemon: &mut TestDaemon, rule: &str) -> String {
    let mut order = message();
    order["hours"] = "daily 09:00-18:00 @America/Sao_Paulo".into();
    order["missed_window"] = rule.into();
    order["latest"] = "2026-12-20T12:00:00Z".into();
    let answer = daemon.order(CONSUMER, order).await;
    daemon.advance(SignedDuration::ZERO).await;
    format!("/v1/callbacks/{}", answer["id"].as_str().unwrap())
}

async fn reason(daemon: &mut TestDaemon, path: &str) -> (Value, Value) {
    let shown = daemon.get(path).await;
    let standing = if shown["outcome"].is_null() { "status" } else { "outcome" };
    (shown[standing].clone(), shown["reason"]["code"].clone())
}

#[tokio::test]
async fn an_order_that_is_to_be_closed_ends_when_its_hours_close() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(platform).await;
    let path = ordered(&mut daemon, "close").await;
    let closes = at("2026-11-23T21:00:00Z");
    daemon.advance_to(closes - TICK).await;
    assert_eq!(reason(&mut daemon, &path).await.0, "waiting");
    daemon.advance(TICK).await;
    assert_eq!(reason(&mut daemon, &path).await, (json!("expired"), json!("window.missed")));
}

#[tokio::test]
async fn an_order_that_asks_waits_for_a_new_time_and_is_called_then() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(platform.clone()).await;
    let path = ordered(&mut daemon, "ask").await;
    daemon.advance_to(at("2026-11-23T21:00:00Z")).await;
    assert_eq!(reason(&mut daemon, &path).await, (json!("waiting"), json!("window.asks")));
    // The permission comes too late for the first hours, and nothing leaves in the next ones.
    daemon.grant(CONSUMER).await;
    daemon.advance_to(at("2026-11-24T15:00:00Z")).await;
    assert!(platform.calls().is_empty());
    assert_eq!(reason(&mut daemon, &path).await, (json!("waiting"), json!("window.asks")));
    daemon.post(&format!("{path}/reschedule"), json!({"earliest": "2026-11-24T16:00:00Z"})).await;
    daemon.advance_to(at("2026-11-24T16:00:00Z")).await;
    assert_eq!(platform.calls().len(), 1);
}

#[tokio::test]
async fn a_person_is_called_as_often_as_the_operator_allows() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::configured(platform.clone(), |config| {
        config.calling.people.caps = Caps { per_day: 1, per_week: 2 };
    })
    .await;
    daemon.grant(CONSUMER).await;
    let mut order = message();
    order["latest"] = "2026-12-20T12:00:00Z".into();
    let mut paths = Vec::new();
    for _ in 0..3 {
        let answer = daemon.order(CONSUMER, order.clone()).await;
        paths.push(format!("/v1/callbacks/{}", answer["id"].as_str().unwrap()));
    }
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(platform.calls().len(), 1);
    for call in platform.calls() {
        let account = daemon.account_sid().to_owned();
        let form = [("CallSid", &*call.sid), ("AccountSid", &account), ("CallStatus", "no-answer")];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!((200..300).contains(&daemon.hook(&call.form["StatusCallback"], &form).await));
    }
    daemon.advance(SignedDuration::ZERO).await;
    let mut daemon = daemon.restart(platform.clone()).await;
    // Midnight in Sao Paulo.
    let midnight = at("2026-11-24T03:00:00Z");
    daemon.advance_to(midnight - TICK).await;
    assert_eq!(platform.calls().len(), 1);
    assert_eq!(reason(&mut daemon, &paths[1]).await.1, "consumer.calls_capped");
    daemon.advance(TICK).await;
    assert_eq!(platform.calls().len(), 2);
}
