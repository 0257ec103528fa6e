//! Case 15: a consumer who is recorded as not on WhatsApp, and then writes or calls.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use super::form;
use crate::harness::{RecordingTransport, TestDaemon, message};

const CONSUMER: &str = "+447700900155";
const STATUS: &str = include_str!("../../cases/15-uncallable-forever/status.form");
const TEXT: &str = include_str!("../../cases/15-uncallable-forever/text.form");

/// A daemon whose request to the consumer came back as undeliverable.
async fn undelivered() -> (TestDaemon, Arc<RecordingTransport>) {
    let platform = Arc::<RecordingTransport>::default();
    let mut daemon = TestDaemon::open(platform.clone()).await;
    let first = daemon.order(CONSUMER, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    let [request] = &platform.messages()[..] else { panic!("one request") };
    let status = form(&daemon, STATUS, &[("MessageSid", &request.sid)]);
    assert!((200..300).contains(&daemon.hook(&request.form["StatusCallback"], &status).await));
    let path = format!("/v1/callbacks/{}", first["id"].as_str().unwrap());
    let closed = daemon.get(&path).await;
    assert_eq!((&closed["status"], &closed["outcome"]), (&json!("closed"), &json!("failed")), "{closed}");
    daemon.order(CONSUMER, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(platform.messages().len(), 1, "a consumer who cannot be reached is not asked");
    // A consumer who was asked a day ago may be asked again.
    daemon.advance_to(daemon.now() + SignedDuration::from_hours(25)).await;
    (daemon, platform)
}

#[tokio::test]
async fn a_consumer_who_writes_is_on_whatsapp_and_is_asked() {
    let (mut daemon, platform) = undelivered().await;
    let (text, url) = (form(&daemon, TEXT, &[]), daemon.public("/hooks/messages"));
    assert_eq!(daemon.hook(&url, &text).await, 200);
    daemon.order(CONSUMER, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(platform.messages().len(), 2);
}

#[tokio::test]
async fn a_consumer_who_calls_is_on_whatsapp_and_is_asked() {
    let (mut daemon, platform) = undelivered().await;
    let url = daemon.public("/hooks/inbound");
    let calls = "CallSid=CA11111111111111111111111111111111&CallStatus=ringing&Direction=inbound&AccountSid=x\
                 &From=whatsapp%3A%2B447700900155&To=whatsapp%3A%2B442079460000";
    let call = form(&daemon, calls, &[]);
    assert_eq!(daemon.hook(&url, &call).await, 200);
    let ended = form(&daemon, calls, &[("CallStatus", "no-answer")]);
    let url = daemon.public("/hooks/inbound/status");
    assert!((200..300).contains(&daemon.hook(&url, &ended).await));
    daemon.order(CONSUMER, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(platform.messages().len(), 2);
}
