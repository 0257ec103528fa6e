//! Case 15: a consumer who is recorded as not on WhatsApp, and then writes or calls.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::json;

use super::form;
use crate::harness::{Desk, Notes, message};

const CONSUMER: &str = "+447700900155";
const STATUS: &str = include_str!("../../cases/15-uncallable-forever/status.form");
const TEXT: &str = include_str!("../../cases/15-uncallable-forever/text.form");

/// A daemon whose request to the consumer came back as undeliverable.
async fn undelivered() -> (Desk, Arc<Notes>) {
    let platform = Arc::<Notes>::default();
    let mut desk = Desk::open(platform.clone()).await;
    let first = desk.order(CONSUMER, message()).await;
    desk.advance(SignedDuration::ZERO).await;
    let [request] = &platform.messages()[..] else { panic!("one request") };
    let status = form(&desk, STATUS, &[("MessageSid", &request.sid)]);
    assert!((200..300).contains(&desk.hook(&request.form["StatusCallback"], &status).await));
    let path = format!("/v1/callbacks/{}", first["id"].as_str().unwrap());
    let closed = desk.get(&path).await;
    assert_eq!((&closed["status"], &closed["outcome"]), (&json!("closed"), &json!("failed")), "{closed}");
    desk.order(CONSUMER, message()).await;
    desk.advance(SignedDuration::ZERO).await;
    assert_eq!(platform.messages().len(), 1, "a consumer who cannot be reached is not asked");
    // A consumer who was asked a day ago may be asked again.
    desk.advance_to(desk.now() + SignedDuration::from_hours(25)).await;
    (desk, platform)
}

#[tokio::test]
async fn a_consumer_who_writes_is_on_whatsapp_and_is_asked() {
    let (mut desk, platform) = undelivered().await;
    let (text, url) = (form(&desk, TEXT, &[]), desk.public("/hooks/messages"));
    assert_eq!(desk.hook(&url, &text).await, 200);
    desk.order(CONSUMER, message()).await;
    desk.advance(SignedDuration::ZERO).await;
    assert_eq!(platform.messages().len(), 2);
}

#[tokio::test]
async fn a_consumer_who_calls_is_on_whatsapp_and_is_asked() {
    let (mut desk, platform) = undelivered().await;
    let url = desk.public("/hooks/inbound");
    let calls = "CallSid=CA11111111111111111111111111111111&CallStatus=ringing&Direction=inbound&AccountSid=x\
                 &From=whatsapp%3A%2B447700900155&To=whatsapp%3A%2B442079460000";
    let call = form(&desk, calls, &[]);
    assert_eq!(desk.hook(&url, &call).await, 200);
    let ended = form(&desk, calls, &[("CallStatus", "no-answer")]);
    let url = desk.public("/hooks/inbound/status");
    assert!((200..300).contains(&desk.hook(&url, &ended).await));
    desk.order(CONSUMER, message()).await;
    desk.advance(SignedDuration::ZERO).await;
    assert_eq!(platform.messages().len(), 2);
}
