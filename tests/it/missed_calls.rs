//! The rule of missed calls, in a whole daemon.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::domain::{CallProgress, Disposition, Event, Named, Phone};
use serde_json::{Value, json};

use crate::harness::{CONSUMER, RecordingTransport, SENDER, TestDaemon};

const NOTHING: SignedDuration = SignedDuration::ZERO;

async fn daemon(is_on: bool) -> (TestDaemon, Arc<RecordingTransport>) {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::configured(platform.clone(), |config| {
        config.missed_calls.document = is_on.then(|| "agent-first".to_owned());
        config.missed_calls.agent = "client:desk".parse().ok();
    })
    .await;
    daemon.grant(CONSUMER).await;
    (daemon, platform)
}

fn call(sid: &str, progress: CallProgress) -> Event {
    Event::InboundCall {
        sender: Phone::parse(SENDER).unwrap(),
        who: Named::number(Phone::parse(CONSUMER).unwrap()),
        sid: sid.into(),
        progress,
        came_to_at: None,
        duration_s: None,
        invite: None,
    }
}

/// The consumer calls, and the call ends like this.
async fn calls(daemon: &mut TestDaemon, sid: &str, end: Disposition) {
    daemon.file(vec![call(sid, CallProgress::Ringing)]).await;
    daemon.file(vec![call(sid, CallProgress::Ended(end))]).await;
    daemon.advance(NOTHING).await;
}

async fn orders(daemon: &mut TestDaemon) -> Vec<Value> {
    let page = daemon.get("/v1/callbacks").await;
    page["callbacks"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_call_that_nobody_answered_is_called_back_once() {
    let (mut daemon, platform) = daemon(true).await;
    calls(&mut daemon, "CA1", Disposition::NoAnswer).await;
    let made = orders(&mut daemon).await;
    assert_eq!(made.len(), 1);
    assert_eq!((&made[0]["by_missed_call"], &made[0]["purpose"]), (&json!(true), &json!("requested")));
    assert_eq!(platform.calls().len(), 1);
    assert_eq!(platform.calls()[0].form["To"], "client:desk");
    // The same report again, and another call while the first callback is open.
    daemon.file(vec![call("CA1", CallProgress::Ended(Disposition::NoAnswer))]).await;
    calls(&mut daemon, "CA2", Disposition::NoAnswer).await;
    assert_eq!(orders(&mut daemon).await.len(), 1);
}

#[tokio::test]
async fn an_answered_call_and_a_call_without_the_rule_make_nothing() {
    let (mut on, _) = daemon(true).await;
    calls(&mut on, "CA1", Disposition::Completed).await;
    assert_eq!(orders(&mut on).await.len(), 0);
    let (mut off, _) = daemon(false).await;
    calls(&mut off, "CA1", Disposition::NoAnswer).await;
    assert_eq!(orders(&mut off).await.len(), 0);
}

#[tokio::test]
async fn a_call_that_comes_back_after_ours_makes_no_loop() {
    let (mut daemon, platform) = daemon(true).await;
    calls(&mut daemon, "CA1", Disposition::NoAnswer).await;
    let made = orders(&mut daemon).await;
    let ours = platform.calls().remove(0);
    let account = daemon.account_sid().to_owned();
    let form = [("CallSid", &*ours.sid), ("AccountSid", &account), ("CallStatus", "no-answer")];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    daemon.hook(&ours.form["StatusCallback"], &form).await;
    daemon.post(&format!("/v1/callbacks/{}/cancel", made[0]["id"].as_str().unwrap()), json!({})).await;
    daemon.advance(SignedDuration::from_mins(29)).await;
    calls(&mut daemon, "CA2", Disposition::NoAnswer).await;
    assert_eq!(orders(&mut daemon).await.len(), 1, "it came too soon after our call");
    daemon.advance(SignedDuration::from_mins(2)).await;
    calls(&mut daemon, "CA3", Disposition::NoAnswer).await;
    assert_eq!(orders(&mut daemon).await.len(), 2);
}

#[tokio::test]
async fn a_suppressed_person_is_not_called_back() {
    let (mut daemon, platform) = daemon(true).await;
    daemon.post("/v1/suppression", json!({"consumers": [CONSUMER], "why": "a drill"})).await;
    calls(&mut daemon, "CA1", Disposition::NoAnswer).await;
    assert_eq!((orders(&mut daemon).await.len(), platform.calls().len()), (0, 0));
}

#[tokio::test]
async fn its_hours_are_in_the_zones_of_the_person() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::configured(platform, |config| {
        config.missed_calls.document = Some("agent-first".to_owned());
        config.missed_calls.agent = "client:desk".parse().ok();
        config.missed_calls.hours = "daily 09:00-18:00".parse().ok();
    })
    .await;
    let zones = json!({"consumer": CONSUMER, "zones": ["Asia/Tokyo"]});
    let set = daemon.try_put("/v1/consumers/zone", zones).await;
    assert!((200..300).contains(&set.0), "{set:?}");
    calls(&mut daemon, "CA1", Disposition::NoAnswer).await;
    let made = orders(&mut daemon).await;
    assert_eq!(made[0]["hours"]["zone"], "Asia/Tokyo", "{made:?}");
}
