//! Whether a consumer who answered was served: reports that are in time, late or missing.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{CONSUMER, RecordingTransport, TestDaemon, message};

const FIRST: &str = "CA00000000000000000000000000000a01";
const SECOND: &str = "CA00000000000000000000000000000a02";

/// A daemon whose first call was answered in second 10.
struct AnsweredCall {
    daemon: TestDaemon,
    platform: Arc<RecordingTransport>,
    path: String,
    /// The URL of the attempt's document, without its last segment.
    urls: String,
    sid: String,
}

impl AnsweredCall {
    async fn answered(order: Value) -> Self {
        let platform = Arc::new(RecordingTransport::default());
        let mut daemon = TestDaemon::open(platform.clone()).await;
        daemon.grant(CONSUMER).await;
        let id = daemon.order(CONSUMER, order).await["id"].as_str().unwrap().to_owned();
        daemon.advance(SignedDuration::ZERO).await;
        daemon.advance(SignedDuration::from_secs(100)).await;
        let path = format!("/v1/callbacks/{id}");
        let mut call = Self { daemon, platform, path, urls: String::new(), sid: String::new() };
        call.turn_to(0);
        call.told("document", "in-progress", &[]).await;
        call
    }

    /// What is told from now on is about this call.
    fn turn_to(&mut self, call: usize) {
        let call = self.platform.calls().remove(call);
        self.urls = call.form["Url"].split('#').next().unwrap().strip_suffix("document").unwrap().to_owned();
        self.sid = call.sid;
    }

    /// A request of the platform about the call, to a URL of the attempt.
    async fn told(&mut self, to: &str, status: &str, more: &[(&str, &str)]) {
        let account = self.daemon.account_sid().to_owned();
        let usual = [("CallSid", &*self.sid), ("AccountSid", &*account), ("CallStatus", status)];
        let mut form: Vec<(String, String)> =
            usual.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (name, value) in more {
            form.retain(|(known, _)| known != name);
            form.push(((*name).to_owned(), (*value).to_owned()));
        }
        let url = format!("{}{to}", self.urls);
        assert!((200..300).contains(&self.daemon.hook(&url, &form).await), "{to} {more:?}");
        self.daemon.advance(SignedDuration::ZERO).await;
    }

    /// The call is over in second 60.
    async fn over(&mut self) {
        let end = [("Timestamp", "Mon, 23 Nov 2026 12:01:00 +0000"), ("CallDuration", "50")];
        self.told("status", "completed", &end).await;
    }

    /// A report about a leg to an agent.
    async fn leg(&mut self, sid: &str, status: &str, second: u32) {
        let at = format!("Mon, 23 Nov 2026 12:{:02}:{:02} +0000", second / 60, second % 60);
        let parent = self.sid.clone();
        self.told("leg", status, &[("CallSid", sid), ("ParentCallSid", &parent), ("Timestamp", &at)]).await;
    }

    async fn shown(&mut self) -> Value {
        self.daemon.get(&self.path.clone()).await
    }

    async fn is_abandoned(&mut self) {
        let shown = self.shown().await;
        assert_eq!((&shown["status"], &shown["priority"]), (&json!("waiting"), &json!(9)), "{shown}");
        assert_eq!(shown["reason"]["code"], "retry.abandoned", "{shown}");
        assert_eq!(shown["abandoned_at"], "2026-11-23T12:01:00Z", "{shown}");
        assert_eq!(shown["attempts"][0]["disposition"], "abandoned", "{shown}");
    }

    async fn is_reached(&mut self) {
        let shown = self.shown().await;
        assert_eq!(shown["outcome"], "reached", "{shown}");
        assert_eq!(shown["attempts"][0]["disposition"], "completed", "{shown}");
        assert!(shown.get("abandoned_at").is_none(), "{shown}");
    }
}

fn to_alice() -> Value {
    json!({"document": "dial-client", "agent": "client:alice"})
}

/// The agent did not answer: the verb's report, and the end of the call.
async fn unanswered() -> AnsweredCall {
    let mut call = AnsweredCall::answered(to_alice()).await;
    call.told("action", "in-progress", &[("DialCallStatus", "no-answer"), ("DialCallSid", FIRST)]).await;
    call.over().await;
    call.is_abandoned().await;
    call
}

#[tokio::test]
async fn a_bridge_that_is_reported_late_closes_the_callback_as_reached() {
    let mut by_another_leg = unanswered().await;
    by_another_leg.leg(SECOND, "in-progress", 59).await;
    by_another_leg.is_reached().await;

    let mut by_another_verb = unanswered().await;
    let bridged = [("DialCallStatus", "completed"), ("DialCallSid", SECOND), ("DialBridged", "true")];
    by_another_verb.told("action", "completed", &bridged).await;
    by_another_verb.is_reached().await;

    // The reports of the verb and of the leg have not arrived.
    let mut by_the_leg = AnsweredCall::answered(to_alice()).await;
    by_the_leg.over().await;
    by_the_leg.is_abandoned().await;
    by_the_leg.leg(FIRST, "in-progress", 20).await;
    by_the_leg.is_reached().await;
}

#[tokio::test]
async fn a_late_report_that_proves_nothing_changes_nothing() {
    let mut refuted = unanswered().await;
    refuted.leg(FIRST, "in-progress", 20).await;
    refuted.is_abandoned().await;
    let bridged = [("DialCallStatus", "completed"), ("DialCallSid", FIRST), ("DialBridged", "true")];
    refuted.told("action", "completed", &bridged).await;
    refuted.is_abandoned().await;

    let mut too_late = unanswered().await;
    too_late.leg(SECOND, "in-progress", 60).await;
    too_late.is_abandoned().await;
}

#[tokio::test]
async fn a_message_serves_the_consumer_by_its_end_even_if_reported_late() {
    let mut heard = AnsweredCall::answered(message()).await;
    heard.told("action", "in-progress", &[]).await;
    heard.over().await;
    heard.is_reached().await;

    let mut overtaken = AnsweredCall::answered(message()).await;
    overtaken.over().await;
    overtaken.is_abandoned().await;
    overtaken.told("action", "in-progress", &[]).await;
    overtaken.is_reached().await;
}

#[tokio::test]
async fn an_operator_resolves_a_call_whose_consumer_was_not_served() {
    let mut call = AnsweredCall::answered(to_alice()).await;
    let id = call.shown().await["attempts"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/attempts/{id}/resolve");
    let (status, refused) = call.daemon.try_post(&path, json!({"outcome": "abandoned"})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("attempt.not_in_doubt")), "{refused}");
    // Longer than any call lasts, without a report of its end.
    call.daemon.advance(SignedDuration::from_hours(9)).await;
    call.daemon.post(&path, json!({"outcome": "abandoned"})).await;
    let shown = call.shown().await;
    assert_eq!((&shown["status"], &shown["reason"]["code"]), (&json!("waiting"), &json!("retry.abandoned")));
    assert_eq!(shown["attempts"][0]["disposition"], "abandoned", "{shown}");
    let (status, refused) = call.daemon.try_post(&path, json!({"outcome": "completed"})).await;
    assert_eq!(status, 409, "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("abandoned"), "{refused}");
}

/// The consumer was served by the first attempt after all.
async fn proved(call: &mut AnsweredCall) {
    call.turn_to(0);
    call.leg(SECOND, "in-progress", 59).await;
}

/// The agent did not answer, by every report so far, and the next call is with the platform.
async fn called_again() -> AnsweredCall {
    let mut call = unanswered().await;
    call.daemon.advance(SignedDuration::from_mins(15)).await;
    assert_eq!(call.platform.calls().len(), 2);
    call.turn_to(1);
    call
}

async fn is_reached_by_the_first(call: &mut AnsweredCall) {
    let shown = call.shown().await;
    assert_eq!(
        (&shown["outcome"], &shown["reason"]["code"]),
        (&json!("reached"), &json!("attempt.answered"))
    );
    assert!(shown["reached_late_at"].is_string() && shown.get("abandoned_at").is_none(), "{shown}");
    assert_eq!(shown["attempts"][0]["disposition"], "completed", "{shown}");
    call.daemon.advance(SignedDuration::from_hours(2)).await;
    assert!(call.platform.calls().len() <= 2, "nobody is called once more");
}

#[tokio::test]
async fn a_late_proof_withdraws_an_attempt_that_has_not_left() {
    let mut call = unanswered().await;
    call.daemon.pass(SignedDuration::from_mins(15));
    call.daemon.scheduler.turn().await.unwrap();
    assert_eq!(call.platform.calls().len(), 1, "it is intended and not sent");
    proved(&mut call).await;
    let shown = call.shown().await;
    assert_eq!(shown["attempts"][1]["stage"], "withdrawn", "{shown}");
    is_reached_by_the_first(&mut call).await;
    assert_eq!(call.platform.calls().len(), 1);
}

#[tokio::test]
async fn a_late_proof_hangs_up_a_call_that_rings() {
    let mut call = called_again().await;
    call.told("status", "ringing", &[]).await;
    assert_eq!(call.platform.hang_ups(), 0);
    proved(&mut call).await;
    assert_eq!((&call.shown().await["status"], call.platform.hang_ups()), (&json!("calling"), 1));
    call.turn_to(1);
    call.told("status", "canceled", &[]).await;
    is_reached_by_the_first(&mut call).await;
}

#[tokio::test]
async fn a_late_proof_lets_a_talk_go_on() {
    let mut call = called_again().await;
    call.told("document", "in-progress", &[]).await;
    call.daemon.advance(SignedDuration::from_secs(5)).await;
    proved(&mut call).await;
    // The other report of the same says nothing new.
    call.told("action", "completed", &[("DialCallStatus", "completed"), ("DialBridged", "true")]).await;
    assert_eq!((&call.shown().await["status"], call.platform.hang_ups()), (&json!("calling"), 0));
    call.turn_to(1);
    call.told("status", "completed", &[("CallDuration", "3")]).await;
    is_reached_by_the_first(&mut call).await;
}

#[tokio::test]
async fn a_late_proof_stands_above_a_cancellation_that_came_while_the_second_call_rang() {
    let mut call = called_again().await;
    let cancel = format!("{}/cancel", call.path);
    call.daemon.post(&cancel, json!({})).await;
    proved(&mut call).await;
    call.turn_to(1);
    call.told("status", "no-answer", &[]).await;
    is_reached_by_the_first(&mut call).await;
}

/// The daemon was away when the platform asked for the last URL of the message.
#[tokio::test]
async fn an_operator_says_that_an_abandoned_message_was_heard() {
    let completed = || json!({"outcome": "completed", "note": "the last URL is in the call's log"});
    for is_called_again in [false, true] {
        let mut call = AnsweredCall::answered(message()).await;
        call.over().await;
        call.is_abandoned().await;
        let path =
            format!("/v1/attempts/{}/resolve", call.shown().await["attempts"][0]["id"].as_str().unwrap());
        if is_called_again {
            call.daemon.advance(SignedDuration::from_mins(15)).await;
        }
        call.daemon.post(&path, completed()).await;
        if is_called_again {
            assert_eq!((&call.shown().await["status"], call.platform.hang_ups()), (&json!("calling"), 1));
            call.turn_to(1);
            call.told("status", "canceled", &[]).await;
            is_reached_by_the_first(&mut call).await;
        } else {
            call.is_reached().await;
        }
    }
    let mut denied = unanswered().await;
    let path =
        format!("/v1/attempts/{}/resolve", denied.shown().await["attempts"][0]["id"].as_str().unwrap());
    let (status, refused) = denied.daemon.try_post(&path, completed()).await;
    assert_eq!((status, &refused["code"]), (409, &json!("attempt.not_in_doubt")), "{refused}");
}
