//! Days of calendars that operators close and open: what is held, what goes on at once, and who is looked at again.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::calendar::OwnCalendar;
use ringmaster::domain::{Callback, Gate, State};
use ringmaster::policy::presets;
use serde_json::{Value, json};

use crate::harness::{RecordingTransport, SENDER, TestDaemon, message};

const CONSUMER: &str = "+5511987650001";
const HOURS: &str = "daily 09:00-18:00 @America/Sao_Paulo except BR";
const TICK: SignedDuration = SignedDuration::from_micros(1);
const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A daemon whose consumer has allowed calls. It is Monday, 23 November 2026, nine in the morning in Sao Paulo.
async fn daemon() -> (TestDaemon, Arc<RecordingTransport>) {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(notes.clone()).await;
    daemon.grant(CONSUMER).await;
    (daemon, notes)
}

async fn mark(daemon: &mut TestDaemon, state: &str, first: &str, last: &str) {
    let order = json!({"state": state, "first": first, "last": last, "why": "a drill"});
    let taken = daemon.post("/v1/calendars/BR/days", order).await;
    assert_eq!((&taken["calendar"], &taken["state"]), (&json!("BR"), &json!(state)));
}

/// Orders a callback with hours of the calendar, and lets it be decided.
async fn ordered(daemon: &mut TestDaemon) -> Callback {
    let mut order = message();
    order["hours"] = HOURS.into();
    order["latest"] = "2026-12-20T12:00:00Z".into();
    let answer = daemon.order(CONSUMER, order).await;
    daemon.advance(SignedDuration::ZERO).await;
    stored(daemon, &answer["id"]).await
}

async fn stored(daemon: &TestDaemon, id: &Value) -> Callback {
    let id = id.as_str().unwrap().parse().unwrap();
    daemon.watch().callback(id).await.unwrap().unwrap().callback
}

async fn again(daemon: &TestDaemon, callback: &Callback) -> Callback {
    daemon.watch().callback(callback.id).await.unwrap().unwrap().callback
}

/// When it is looked at again, and whether it waits at the gate of its calendar.
fn waits(callback: &Callback) -> (Timestamp, bool) {
    let State::Waiting(waiting) = &callback.state else { panic!("it waits: {:?}", callback.state) };
    let gate = waiting.place.as_ref().map(|place| &place.gate);
    (waiting.wake_at, matches!(gate, Some(Gate::Calendar(..))))
}

#[tokio::test]
async fn nothing_leaves_on_a_closed_day_and_the_next_opening_is_not_missed() {
    let (mut daemon, notes) = daemon().await;
    mark(&mut daemon, "closed", "2026-11-23", "2026-12-06").await;
    let callback = ordered(&mut daemon).await;
    let opens = at("2026-12-07T12:00:00Z");
    assert_eq!(waits(&callback), (opens, true));
    let told = daemon.get(&format!("/v1/callbacks/{}/explain", callback.id)).await;
    let codes: Vec<&str> =
        told["reasons"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"calendar.closed"), "{told}");
    assert_eq!(
        (&told["local"]["open"], &told["local"]["opens_at"]),
        (&json!(false), &json!(opens.to_string()))
    );
    daemon.advance_to(opens - TICK).await;
    assert!(notes.calls().is_empty() && notes.messages().is_empty());
    daemon.advance(TICK).await;
    assert_eq!(notes.calls().len(), 1);
}

#[tokio::test]
async fn a_day_that_is_given_back_calls_up_at_once_what_waits_for_it() {
    let (mut daemon, notes) = daemon().await;
    mark(&mut daemon, "closed", "2026-11-23", "2026-11-25").await;
    let callback = ordered(&mut daemon).await;
    assert_eq!(waits(&callback), (at("2026-11-26T12:00:00Z"), true));
    daemon.advance(HOUR).await;
    assert!(notes.calls().is_empty());
    mark(&mut daemon, "default", "2026-11-23", "2026-11-23").await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(notes.calls().len(), 1);
}

#[tokio::test]
async fn what_still_has_to_wait_is_looked_at_once() {
    let (mut daemon, notes) = daemon().await;
    mark(&mut daemon, "closed", "2026-11-23", "2026-11-25").await;
    let callback = ordered(&mut daemon).await;
    mark(&mut daemon, "default", "2026-11-24", "2026-11-24").await;
    daemon.advance(SignedDuration::ZERO).await;
    let moved = again(&daemon, &callback).await;
    assert_eq!(waits(&moved), (at("2026-11-24T12:00:00Z"), true));
    daemon.advance(HOUR).await;
    assert_eq!(again(&daemon, &callback).await, moved, "nobody looked at it");
    mark(&mut daemon, "closed", "2026-12-01", "2026-12-01").await;
    daemon.advance(HOUR).await;
    assert_eq!(again(&daemon, &callback).await, moved, "a day that is closed calls nobody up");
    assert_eq!(daemon.wakes_at(), Some(at("2026-11-24T12:00:00Z")), "no tick");
    daemon.advance_to(at("2026-11-24T12:00:00Z")).await;
    assert_eq!(notes.calls().len(), 1);
}

#[tokio::test]
async fn a_day_that_is_closed_later_is_found_when_it_comes() {
    let (mut daemon, notes) = daemon().await;
    daemon.advance_to(at("2026-11-24T00:00:00Z")).await;
    let callback = ordered(&mut daemon).await;
    assert_eq!(waits(&callback), (at("2026-11-24T12:00:00Z"), false), "it is evening");
    mark(&mut daemon, "closed", "2026-11-24", "2026-11-24").await;
    daemon.advance_to(at("2026-11-24T12:00:00Z")).await;
    assert!(notes.calls().is_empty());
    assert_eq!(waits(&again(&daemon, &callback).await), (at("2026-11-25T12:00:00Z"), true));
    daemon.advance_to(at("2026-11-25T12:00:00Z")).await;
    assert_eq!(notes.calls().len(), 1);
}

#[tokio::test]
async fn marks_hold_after_a_restart_and_what_waits_is_found_again() {
    let (mut daemon, notes) = daemon().await;
    mark(&mut daemon, "closed", "2026-11-23", "2026-11-25").await;
    let callback = ordered(&mut daemon).await;
    let mut daemon = daemon.restart(notes.clone()).await;
    daemon.advance(HOUR).await;
    assert!(notes.calls().is_empty());
    assert_eq!(again(&daemon, &callback).await, callback, "the same calendar is waited for");
    mark(&mut daemon, "open", "2026-11-23", "2026-11-23").await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(notes.calls().len(), 1);
    let shown = daemon.get("/v1/calendars/BR?from=2026-11-23&until=2026-11-24").await;
    let told = |day: &str, state: &str| json!({"day": day, "state": state, "by": "operator", "who": "test", "why": "a drill"});
    assert_eq!(shown["days"], json!([told("2026-11-23", "open"), told("2026-11-24", "closed")]));
}

#[tokio::test]
async fn a_calendar_of_the_configuration_holds_orders_without_hours_of_their_own() {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::configured(notes.clone(), |config| {
        let closed = ["2026-11-23".parse().unwrap()].into();
        let office = OwnCalendar { closed, ..OwnCalendar::default() };
        config.calendars.insert("office".parse().unwrap(), office);
        config.calling.hours = "daily 09:00-18:00 @America/Sao_Paulo except office".parse().ok();
    })
    .await;
    daemon.grant(CONSUMER).await;
    let answer = daemon.order(CONSUMER, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    let callback = stored(&daemon, &answer["id"]).await;
    assert_eq!(waits(&callback), (at("2026-11-24T12:00:00Z"), true));
    daemon.advance_to(at("2026-11-24T12:00:00Z")).await;
    assert_eq!(notes.calls().len(), 1);
}

#[tokio::test]
async fn a_preset_narrows_the_hours_of_the_orders_that_it_binds() {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::configured(notes, |config| {
        config.calling.hours_presets = vec![presets::find("us-solicitation").unwrap()];
    })
    .await;
    let mut ordered = async |consumer: &str, purpose: &str, hours: Value| {
        let mut order = message();
        order["consumer"] = consumer.into();
        order["sender"] = SENDER.into();
        order["purpose"] = purpose.into();
        if purpose == "marketing" {
            order["consent"] = json!({"source": "the web form", "at": "2026-11-01T09:00:00Z"});
        }
        order["hours"] = hours;
        let (status, answer) = daemon.try_post("/v1/callbacks", order).await;
        match status {
            202 => answer["hours"].clone(),
            _ => answer["errors"][0]["code"].clone(),
        }
    };
    let span = |from: &str, to: &str| json!({"zone": "America/New_York", "spans": [{"days": "daily", "from": from, "to": to}]});
    let consumer = "+12125550123";
    assert_eq!(ordered(consumer, "marketing", Value::Null).await, span("08:00", "21:00"));
    let late = json!("daily 20:00-23:00 @America/New_York");
    assert_eq!(ordered(consumer, "marketing", late.clone()).await, span("20:00", "21:00"));
    let night = json!("daily 21:00-23:00 @America/New_York");
    assert_eq!(ordered(consumer, "marketing", night.clone()).await, "hours.not_allowed");
    assert_eq!(ordered(consumer, "requested", late).await, span("20:00", "23:00"));
    assert_eq!(ordered(consumer, "requested", Value::Null).await, Value::Null);
    assert_eq!(ordered(CONSUMER, "marketing", night).await, span("21:00", "23:00"));
}

#[tokio::test]
async fn a_country_whose_numbers_tell_no_region_can_be_narrowed() {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::configured(notes, |config| {
        config.calling.number_zones.add("AU Australia/Sydney").unwrap();
    })
    .await;
    let mut order = message();
    order["sender"] = SENDER.into();
    order["hours"] = "daily 09:00-18:00".into();
    order["consumer"] = "+61412345678".into();
    let (status, answer) = daemon.try_post("/v1/callbacks", order).await;
    assert_eq!((status, &answer["hours"]["zone"]), (202, &json!("Australia/Sydney")));
    assert_eq!((answer["hours"].get("also"), answer.get("warnings")), (None, None));
}
