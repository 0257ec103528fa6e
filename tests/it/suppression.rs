//! People on suppression lists: what waits is closed, what was decided does not leave, and no START changes it.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::config::Config;
use ringmaster::domain::event::Word;
use ringmaster::domain::{Callback, Event, Named, Phone, State};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{RecordingTransport, SENDER, TestDaemon, message};

const CONSUMER: &str = "+5511987650001";
const OTHER: &str = "+5511987650002";

async fn daemon() -> (TestDaemon, Arc<RecordingTransport>) {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(notes.clone()).await;
    for consumer in [CONSUMER, OTHER] {
        daemon.grant(consumer).await;
    }
    (daemon, notes)
}

/// Adds people to the list of the house.
async fn suppress(daemon: &mut TestDaemon, more: Value) -> Value {
    let mut order = json!({"why": "a drill"});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    daemon.post("/v1/suppression", order).await
}

async fn stored(daemon: &mut TestDaemon, answer: &Value) -> Callback {
    let id = answer["id"].as_str().unwrap().parse().unwrap();
    daemon.watch().callback(id).await.unwrap().unwrap().callback
}

/// A callback that waits until tomorrow.
async fn tomorrow(daemon: &mut TestDaemon, consumer: &str) -> Value {
    let earliest = (daemon.now() + SignedDuration::from_hours(24)).to_string();
    let latest = (daemon.now() + SignedDuration::from_hours(48)).to_string();
    let mut order = message();
    order["earliest"] = earliest.into();
    order["latest"] = latest.into();
    let answer = daemon.order(consumer, order).await;
    daemon.advance(SignedDuration::ZERO).await;
    answer
}

async fn refused_order(daemon: &mut TestDaemon) -> (u16, Value) {
    let mut order = message();
    let latest = (daemon.now() + SignedDuration::from_hours(48)).to_string();
    for (field, value) in [("consumer", CONSUMER), ("sender", SENDER), ("latest", latest.as_str())] {
        order[field] = value.into();
    }
    daemon.try_post("/v1/callbacks", order).await
}

fn closed(callback: &Callback) -> Option<(&'static str, String)> {
    match &callback.state {
        State::Closed(closed) => Some((closed.outcome.as_str(), closed.note.code.to_string())),
        _ => None,
    }
}

const DECLINED: (&str, &str) = ("declined", "consumer.suppressed");

fn is_declined(callback: &Callback) -> bool {
    closed(callback).is_some_and(|(outcome, code)| (outcome, code.as_str()) == DECLINED)
}

#[tokio::test]
async fn what_waits_for_the_person_is_closed_at_once_and_counted() {
    let (mut daemon, notes) = daemon().await;
    let waiting = [tomorrow(&mut daemon, CONSUMER).await, tomorrow(&mut daemon, CONSUMER).await];
    let others = tomorrow(&mut daemon, OTHER).await;
    suppress(&mut daemon, json!({"consumers": [CONSUMER]})).await;
    daemon.advance(SignedDuration::ZERO).await;
    for answer in &waiting {
        assert!(is_declined(&stored(&mut daemon, answer).await));
    }
    assert_eq!(closed(&stored(&mut daemon, &others).await), None);
    let timeline =
        daemon.get(&format!("/v1/callbacks/{}/timeline", waiting[0]["id"].as_str().unwrap())).await;
    assert!(timeline.to_string().contains("suppression list"), "{timeline}");
    let (status, refusal) = refused_order(&mut daemon).await;
    assert_eq!((status, refusal["code"].as_str()), (409, Some("consumer.suppressed")));
    daemon.advance(SignedDuration::from_hours(25)).await;
    let called: Vec<String> =
        notes.calls().iter().map(|call| call.form["To"].replace("whatsapp:", "")).collect();
    assert!(!called.contains(&CONSUMER.to_owned()) && called.contains(&OTHER.to_owned()), "{called:?}");
}

#[tokio::test]
async fn no_start_and_no_call_of_the_person_ends_an_entry() {
    let (mut daemon, _) = daemon().await;
    suppress(&mut daemon, json!({"consumers": [CONSUMER]})).await;
    let sender = Phone::parse(SENDER).unwrap();
    let who = Named::number(Phone::parse(CONSUMER).unwrap());
    let word = Some(Word::Start);
    daemon.file(vec![Event::InboundMessage { sender, who, word, wrote_at: None }]).await;
    daemon.grant(CONSUMER).await;
    let found = daemon.post("/v1/suppression/check", json!({"consumer": CONSUMER})).await;
    assert_eq!(found["suppressed"], true);
    assert_eq!(refused_order(&mut daemon).await.0, 409);
}

#[tokio::test]
async fn a_hash_closes_what_waits_when_it_is_next_due() {
    let (mut daemon, notes) = daemon().await;
    let waiting = tomorrow(&mut daemon, CONSUMER).await;
    let digest: String = Sha256::digest(CONSUMER).iter().map(|byte| format!("{byte:02x}")).collect();
    suppress(&mut daemon, json!({"sha256": [digest]})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(closed(&stored(&mut daemon, &waiting).await), None, "the number is not known from the hash");
    daemon.advance(SignedDuration::from_hours(25)).await;
    assert!(is_declined(&stored(&mut daemon, &waiting).await));
    assert!(notes.calls().is_empty());
}

#[tokio::test]
async fn who_is_suppressed_for_requests_is_called_with_a_permission_only() {
    let (mut daemon, notes) = daemon().await;
    let unasked = "+5511987650003";
    suppress(&mut daemon, json!({"scope": "requests", "consumers": [CONSUMER, unasked]})).await;
    let asked = daemon.order(unasked, message()).await;
    daemon.order(CONSUMER, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!((notes.calls().len(), notes.messages().len()), (1, 0));
    assert!(is_declined(&stored(&mut daemon, &asked).await));
}

#[tokio::test]
async fn a_restart_keeps_the_entries_until_one_is_removed() {
    let (mut daemon, _) = daemon().await;
    suppress(&mut daemon, json!({"consumers": [CONSUMER]})).await;
    let mut daemon = daemon.restart(Arc::new(RecordingTransport::default())).await;
    let found = daemon.post("/v1/suppression/check", json!({"consumer": CONSUMER})).await;
    assert_eq!(found["entries"][0]["list"], "house");
    daemon.post("/v1/suppression/remove", json!({"consumer": CONSUMER, "why": "a mistake"})).await;
    let found = daemon.post("/v1/suppression/check", json!({"consumer": CONSUMER})).await;
    assert_eq!(
        (found["suppressed"].as_bool(), found["entries"].as_array().map(Vec::len)),
        (Some(false), Some(0))
    );
    assert!(daemon.order(CONSUMER, message()).await["id"].is_string());
}

#[tokio::test]
async fn who_is_bound_by_a_list_past_its_term_waits_for_a_newer_version() {
    let notes = Arc::new(RecordingTransport::default());
    let stops = |config: &mut Config| config.suppression.stop_when_expired = true;
    let mut daemon = TestDaemon::configured(notes.clone(), stops).await;
    daemon.grant(CONSUMER).await;
    let version = async |daemon: &mut TestDaemon, version: &str, ends_in_hours: i64| {
        let until = (daemon.now() + SignedDuration::from_hours(ends_in_hours)).to_string();
        let list = json!({"list": "imported:dnc", "version": version, "valid_until": until, "purposes": ["service"]});
        daemon.post("/v1/suppression/lists", list).await;
        let whole = json!({"list": "imported:dnc", "version": version});
        daemon.post("/v1/suppression/lists/complete", whole).await;
        daemon.advance(SignedDuration::ZERO).await;
    };
    version(&mut daemon, "1", 12).await;
    let waiting = tomorrow(&mut daemon, CONSUMER).await;
    daemon.advance(SignedDuration::from_hours(25)).await;
    assert!(notes.calls().is_empty(), "the list is past its term");
    let id = waiting["id"].as_str().unwrap();
    let told = daemon.get(&format!("/v1/callbacks/{id}/explain")).await;
    assert!(told.to_string().contains("suppression.list_expired"), "{told}");
    let mut daemon = daemon.restart(notes.clone()).await;
    daemon.advance(SignedDuration::from_hours(1)).await;
    assert!(notes.calls().is_empty(), "a restart changes nothing of that");
    version(&mut daemon, "2", 100).await;
    daemon.advance(SignedDuration::from_mins(1)).await;
    assert_eq!(notes.calls().len(), 1, "it is decided again when the newer version is whole");
}
