//! Whether a consumer who answered was served: reports that come in time, late, and not at all.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{Desk, Notes, message};

const CONSUMER: &str = "+5511987650012";
const FIRST: &str = "CA00000000000000000000000000000a01";
const SECOND: &str = "CA00000000000000000000000000000a02";

/// A daemon whose first call was answered in second 10.
struct Scene {
    desk: Desk,
    path: String,
    /// The URL of the attempt's document, without its last segment.
    urls: String,
    sid: String,
}

impl Scene {
    async fn answered(order: Value) -> Self {
        let platform = Arc::new(Notes::default());
        let mut desk = Desk::open(platform.clone()).await;
        desk.grant(CONSUMER).await;
        let id = desk.order(CONSUMER, order).await["id"].as_str().unwrap().to_owned();
        desk.advance(SignedDuration::ZERO).await;
        desk.advance(SignedDuration::from_secs(100)).await;
        let call = platform.calls().remove(0);
        let urls = call.form["Url"].split('#').next().unwrap().strip_suffix("document").unwrap().to_owned();
        let mut scene = Self { desk, path: format!("/v1/callbacks/{id}"), urls, sid: call.sid };
        scene.told("document", "in-progress", &[]).await;
        scene
    }

    /// A request of the platform about the call, to a URL of the attempt.
    async fn told(&mut self, to: &str, status: &str, more: &[(&str, &str)]) {
        let account = self.desk.account_sid().to_owned();
        let usual = [("CallSid", &*self.sid), ("AccountSid", &*account), ("CallStatus", status)];
        let mut form: Vec<(String, String)> =
            usual.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        for (name, value) in more {
            form.retain(|(known, _)| known != name);
            form.push(((*name).to_owned(), (*value).to_owned()));
        }
        let url = format!("{}{to}", self.urls);
        assert!((200..300).contains(&self.desk.hook(&url, &form).await), "{to} {more:?}");
        self.desk.advance(SignedDuration::ZERO).await;
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
        self.desk.get(&self.path.clone()).await
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
async fn unanswered() -> Scene {
    let mut scene = Scene::answered(to_alice()).await;
    scene.told("action", "in-progress", &[("DialCallStatus", "no-answer"), ("DialCallSid", FIRST)]).await;
    scene.over().await;
    scene.is_abandoned().await;
    scene
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

    // Neither the verb's report nor that of the leg had come.
    let mut by_the_leg = Scene::answered(to_alice()).await;
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
async fn a_message_is_reached_by_its_end_whenever_that_is_reported() {
    let mut heard = Scene::answered(message()).await;
    heard.told("action", "in-progress", &[]).await;
    heard.over().await;
    heard.is_reached().await;

    let mut overtaken = Scene::answered(message()).await;
    overtaken.over().await;
    overtaken.is_abandoned().await;
    overtaken.told("action", "in-progress", &[]).await;
    overtaken.is_reached().await;
}

#[tokio::test]
async fn an_operator_says_that_the_consumer_was_not_served() {
    let mut scene = Scene::answered(to_alice()).await;
    let id = scene.shown().await["attempts"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/attempts/{id}/resolve");
    let (status, refused) = scene.desk.try_post(&path, json!({"outcome": "abandoned"})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("attempt.not_in_doubt")), "{refused}");
    // Longer than any call lasts, and nobody tells its end.
    scene.desk.advance(SignedDuration::from_hours(9)).await;
    scene.desk.post(&path, json!({"outcome": "abandoned"})).await;
    let shown = scene.shown().await;
    assert_eq!((&shown["status"], &shown["reason"]["code"]), (&json!("waiting"), &json!("retry.abandoned")));
    assert_eq!(shown["attempts"][0]["disposition"], "abandoned", "{shown}");
    let (status, refused) = scene.desk.try_post(&path, json!({"outcome": "completed"})).await;
    assert_eq!(status, 409, "{refused}");
    assert!(refused["detail"].as_str().unwrap().contains("abandoned"), "{refused}");
}
