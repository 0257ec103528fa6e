//! What the metrics say of one call.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use crate::harness::{CONSUMER, RecordingTransport, TestDaemon, message};

/// The value of a series.
fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in\n{text}")).parse().unwrap()
}

#[tokio::test]
async fn a_call_is_measured_from_its_decision_to_its_reports() {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(notes.clone()).await;
    daemon.grant(CONSUMER).await;
    let mut order = message();
    order["promised_at"] = json!("2026-11-23T12:00:01Z");
    order["earliest"] = json!("2026-11-23T12:00:01Z");
    daemon.order(CONSUMER, order).await;
    daemon.order("+5511987650099", message()).await;
    daemon.advance(SignedDuration::from_secs(5)).await;
    let call = notes.calls().remove(0);
    for state in ["ringing", "in-progress"] {
        let form = [("CallSid", &*call.sid), ("AccountSid", daemon.account_sid()), ("CallStatus", state)];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!((200..300).contains(&daemon.hook(&call.form["StatusCallback"], &form).await));
    }
    daemon.advance(SignedDuration::from_secs(1)).await;
    let (status, text) = daemon.look("/metrics").await;
    assert_eq!(status, 200);
    let placed = "{platform=\"twilio\",request=\"place\",result=\"accepted\"}";
    for (series, expected) in [
        (&*format!("ringmaster_platform_request_seconds_count{placed}"), 1.0),
        ("ringmaster_call_leaving_seconds_count", 1.0),
        ("ringmaster_call_lateness_seconds_count", 1.0),
        // The phone rings 4 seconds after the promised second.
        ("ringmaster_call_lateness_seconds_sum", 4.0),
        ("ringmaster_hook_age_seconds_count", 2.0),
        ("ringmaster_scheduler_turns_failed_total", 0.0),
        ("ringmaster_resource_in_use{kind=\"sender\",name=\"main/1\"}", 1.0),
        ("ringmaster_resource_in_use{kind=\"account\",name=\"main\"}", 1.0),
        ("ringmaster_callbacks_open{state=\"calling\"}", 1.0),
        ("ringmaster_callbacks_open{state=\"waiting\"}", 1.0),
        ("ringmaster_callbacks_waiting{reason=\"permission.awaiting_reply\"}", 1.0),
        ("ringmaster_account_paused{account=\"main\"}", 0.0),
        ("ringmaster_callbacks_waiting_incomplete", 0.0),
        ("ringmaster_inbox_unfolded", 0.0),
    ] {
        assert!((value(&text, series) - expected).abs() < 1e-9, "{series}: {}\n{text}", value(&text, series));
    }
    assert!(value(&text, "ringmaster_scheduler_turn_seconds_count") > 0.0);
    assert!(value(&text, "ringmaster_leader_term") > 0.0);
}
