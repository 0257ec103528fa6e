//! Case 13: hours on nights of a clock change, names of zones, and a retry near the close.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::rows;
use crate::harness::{CONSUMER, RecordingTransport, SENDER, TestDaemon, message};

const WINDOWS: &str = include_str!("../../cases/13-hours-and-zones/windows.txt");
const ZONES: &str = include_str!("../../cases/13-hours-and-zones/zones.txt");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An order with the document `message` and these hours, from one moment to ten days later.
fn order(hours: &str, earliest: Timestamp) -> Value {
    let latest = earliest + SignedDuration::from_hours(240);
    let mut order = message();
    order["hours"] = hours.into();
    order["earliest"] = earliest.to_string().into();
    order["latest"] = latest.to_string().into();
    order
}

#[tokio::test]
async fn calls_are_placed_when_the_hours_open_even_on_nights_of_a_clock_change() {
    assert_eq!(rows(WINDOWS).count(), 9);
    for row in rows(WINDOWS) {
        let [hours, ordered_for, leaves] = row[..] else { panic!("{row:?}") };
        let platform = Arc::<RecordingTransport>::default();
        let mut daemon = TestDaemon::open(platform.clone()).await;
        daemon.grant(CONSUMER).await;
        daemon.advance_to(at(ordered_for) - SignedDuration::from_hours(1)).await;
        daemon.order(CONSUMER, order(hours, at(ordered_for))).await;
        daemon.advance_to(at(leaves) - SignedDuration::from_nanos(1_000)).await;
        assert_eq!(platform.calls().len(), 0, "{hours}: too early");
        daemon.advance_to(at(leaves)).await;
        assert_eq!(platform.calls().len(), 1, "{hours}: not when it opens");
    }
}

#[tokio::test]
async fn a_zone_is_stored_by_its_name_or_refused() {
    assert_eq!(rows(ZONES).count(), 14);
    let mut daemon = TestDaemon::open(Arc::<RecordingTransport>::default()).await;
    for row in rows(ZONES) {
        let [written, kept] = row[..] else { panic!("{row:?}") };
        let hours = format!("mon-fri 09:00-18:00 @{written}");
        let mut order = order(&hours, daemon.now());
        order["consumer"] = CONSUMER.into();
        order["sender"] = SENDER.into();
        let (status, answer) = daemon.try_post("/v1/callbacks", order).await;
        if kept.is_empty() {
            assert_eq!(
                (status, &answer["errors"][0]["field"]),
                (422, &json!("hours")),
                "{written}: {answer}"
            );
        } else {
            assert_eq!((status, &answer["hours"]["zone"]), (202, &json!(kept)), "{written}: {answer}");
        }
    }
}

#[tokio::test]
async fn a_retry_before_the_close_is_placed_and_one_after_it_waits_for_the_morning() {
    let evening = |minute| at("2026-11-23T17:00:00Z") + SignedDuration::from_mins(minute);
    for (first_ends, second_leaves) in
        [(42, evening(57)), (45, at("2026-11-24T09:00:00Z")), (60, at("2026-11-24T09:00:00Z"))]
    {
        let platform = Arc::<RecordingTransport>::default();
        let mut daemon = TestDaemon::open(platform.clone()).await;
        daemon.grant(CONSUMER).await;
        let first = evening(first_ends) - SignedDuration::from_secs(20);
        daemon.order(CONSUMER, order("daily 09:00-18:00 @UTC", first)).await;
        daemon.advance_to(first).await;
        let [call] = &platform.calls()[..] else { panic!("one call") };
        daemon.advance_to(evening(first_ends)).await;
        let busy = [
            ("AccountSid", daemon.account_sid()),
            ("CallSid", &call.sid),
            ("From", &call.form["From"]),
            ("To", &call.form["To"]),
            ("CallStatus", "busy"),
            ("SequenceNumber", "3"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!((200..300).contains(&daemon.hook(&call.form["StatusCallback"], &busy).await));
        daemon.advance_to(second_leaves - SignedDuration::from_nanos(1_000)).await;
        assert_eq!(platform.calls().len(), 1, "{first_ends}: too early");
        daemon.advance_to(second_leaves).await;
        assert_eq!(platform.calls().len(), 2, "{first_ends}: not at {second_leaves}");
    }
}
