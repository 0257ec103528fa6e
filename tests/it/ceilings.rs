//! Ceilings of a token for calls and permission requests in 24 hours.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::TokenLimits;
use ringmaster::twilio::Response;
use serde_json::Value;

use crate::harness::{RecordingTransport, START, TestDaemon, message};

const CONSUMERS: [&str; 3] = ["+5511987650012", "+5511987650013", "+5511987650014"];
const SECOND: SignedDuration = SignedDuration::from_secs(1);

const TWO_CALLS: TokenLimits = limits(Some(2), None);
const TWO_REQUESTS: TokenLimits = limits(None, Some(2));

const fn limits(calls_per_day: Option<u32>, requests_per_day: Option<u32>) -> TokenLimits {
    TokenLimits { requests_per_second: None, orders_per_day: None, calls_per_day, requests_per_day }
}

/// Three callbacks of one token, in the first second.
async fn ordered(
    platform: Arc<RecordingTransport>,
    limits: TokenLimits,
    has_permission: bool,
) -> (TestDaemon, Vec<String>) {
    let mut daemon = TestDaemon::open(platform).await;
    daemon.limit_token(limits).await;
    let mut ids = Vec::new();
    for consumer in CONSUMERS {
        if has_permission {
            daemon.grant(consumer).await;
        }
        ids.push(daemon.order(consumer, message()).await["id"].as_str().unwrap().to_owned());
    }
    // The account places one call a second.
    daemon.advance_to(daemon.now() + SECOND * 5).await;
    (daemon, ids)
}

async fn explained(daemon: &mut TestDaemon, id: &str) -> Value {
    daemon.get(&format!("/v1/callbacks/{id}/explain")).await["reasons"][0].clone()
}

fn lifts_at(reason: &Value) -> Timestamp {
    reason["lifts_at"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_call_above_the_ceiling_waits_until_it_is_allowed() {
    let platform = Arc::new(RecordingTransport::default());
    let (mut daemon, ids) = ordered(platform.clone(), TWO_CALLS, true).await;
    assert_eq!(platform.calls().len(), 2);
    let reason = explained(&mut daemon, &ids[2]).await;
    assert_eq!(reason["code"], "token.calls_per_day", "{reason}");
    let lifts_at = lifts_at(&reason);
    // The minute of the first two counts until all of it is 24 hours old.
    assert_eq!(lifts_at, START.parse::<Timestamp>().unwrap() + SignedDuration::from_mins(24 * 60 + 1));
    let listed = daemon.get(&format!("/v1/callbacks/{}", ids[2])).await;
    assert_eq!(listed["reason"]["code"], "token.calls_per_day", "{listed}");
    // The calls end: what was counted over a window was never held.
    for call in platform.calls() {
        let account = daemon.account_sid().to_owned();
        let form = [("CallSid", &*call.sid), ("AccountSid", &account), ("CallStatus", "completed")];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!((200..300).contains(&daemon.hook(&call.form["StatusCallback"], &form).await));
    }
    daemon.advance(SECOND).await;
    assert_eq!(daemon.get("/v1/senders").await["senders"][0]["live_calls"], 0);
    assert_eq!(explained(&mut daemon, &ids[2]).await, reason);
    daemon.advance_to(lifts_at - SECOND).await;
    assert_eq!(platform.calls().len(), 2);
    daemon.advance_to(lifts_at).await;
    assert_eq!(platform.calls().len(), 3);
}

#[tokio::test]
async fn a_request_above_the_ceiling_waits_even_after_a_restart() {
    let platform = Arc::new(RecordingTransport::default());
    let (daemon, ids) = ordered(platform.clone(), TWO_REQUESTS, false).await;
    assert_eq!(platform.messages().len(), 2);
    let mut daemon = daemon.restart(platform.clone()).await;
    daemon.advance(SECOND).await;
    let reason = explained(&mut daemon, &ids[2]).await;
    assert_eq!((platform.messages().len(), &reason["code"]), (2, &"token.requests_per_day".into()));
    let lifts_at = lifts_at(&reason);
    daemon.advance_to(lifts_at - SECOND).await;
    assert_eq!(platform.messages().len(), 2);
    // Two more of the three waiting consumers: the first two are asked again after a day without an answer.
    daemon.advance_to(lifts_at).await;
    assert_eq!(platform.messages().len(), 4);
}

#[tokio::test]
async fn calls_that_the_platform_refused_do_not_count() {
    let refusal = r#"{"code": 21211, "message": "no", "status": 400}"#;
    let platform = RecordingTransport::refusing(Response::new(400, refusal));
    let (_desk, _) = ordered(platform.clone(), TWO_CALLS, true).await;
    assert_eq!(platform.calls().len(), 3);
}

#[tokio::test]
async fn a_raised_ceiling_applies_within_a_minute_and_stays_when_the_token_is_revoked() {
    let platform = Arc::new(RecordingTransport::default());
    let (mut daemon, ids) = ordered(platform.clone(), TWO_CALLS, true).await;
    daemon.revoke_token_of_limits().await;
    daemon.advance_to(daemon.now() + SignedDuration::from_mins(2)).await;
    assert_eq!(explained(&mut daemon, &ids[2]).await["code"], "token.calls_per_day");
    daemon.limit_token(limits(Some(3), None)).await;
    // Any request starts a turn.
    daemon.advance(SignedDuration::from_mins(1)).await;
    daemon.order("+5511987650015", message()).await;
    daemon.advance_to(daemon.now() + SECOND).await;
    assert_eq!(platform.calls().len(), 3);
}
