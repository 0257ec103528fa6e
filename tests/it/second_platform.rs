//! A platform that is not Twilio: its accounts are dialled, looked up and resolved like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::config::Config;
use ringmaster::domain::{AccountAlias, Phone};
use ringmaster::platform::Platform;
use ringmaster::sim::local::{LocalPlatform, Loss, Manner};
use ringmaster::simulation::SENDERS;
use serde_json::{Value, json};

use crate::harness::{RecordingTransport, TestDaemon, message};

const CONSUMER: &str = "+5511987650012";

/// A daemon with the account `main` at Twilio and the account `local` at the other platform, a sender each.
struct TwoPlatforms {
    daemon: TestDaemon,
    local: Arc<LocalPlatform>,
    twilio: Arc<RecordingTransport>,
}

/// Moves the second sender to an account of its own.
fn divide(config: &mut Config) {
    let alias: AccountAlias = "local".into();
    let mut local = config.accounts["main"].clone();
    let number = Phone::parse(SENDERS[1]).unwrap();
    local.senders.retain(|known, _| *known == number);
    local.senders.values_mut().for_each(|sender| sender.account = alias.clone());
    config.accounts.get_mut("main").unwrap().senders.remove(&number);
    config.accounts.insert(alias, local);
}

impl TwoPlatforms {
    async fn begin() -> Self {
        let twilio = Arc::new(RecordingTransport::default());
        let mut local = None;
        let daemon = TestDaemon::beyond_twilio(twilio.clone(), divide, |clock| {
            let platform = Arc::new(LocalPlatform::new(clock));
            local = Some(platform.clone());
            BTreeMap::from([("local".into(), platform as Arc<dyn Platform>)])
        })
        .await;
        Self { daemon, local: local.unwrap(), twilio }
    }

    async fn order(&mut self) -> String {
        let mut order = json!({"sender": SENDERS[1]});
        order.as_object_mut().unwrap().extend(message().as_object().unwrap().clone());
        let id = self.daemon.order(CONSUMER, order).await["id"].as_str().unwrap().to_owned();
        self.daemon.advance(SignedDuration::ZERO).await;
        format!("/v1/callbacks/{id}")
    }

    /// Lets the time pass, with all reports and all timers in it.
    async fn pass(&mut self, by: SignedDuration) {
        let until = self.daemon.now() + by;
        loop {
            let next = [self.local.next_at(), self.daemon.wakes_at()].into_iter().flatten().min();
            let at = next.unwrap_or(until).max(self.daemon.now());
            self.daemon.advance_to(at.min(until)).await;
            if at >= until {
                return;
            }
            let due = self.local.due(at);
            self.daemon.file(due).await;
        }
    }

    async fn shown(&mut self, path: &str) -> Value {
        self.daemon.get(path).await
    }
}

#[tokio::test]
async fn a_callback_of_its_account_is_asked_for_called_and_reached() {
    let mut platforms = TwoPlatforms::begin().await;
    let path = platforms.order().await;
    platforms.pass(SignedDuration::from_mins(2)).await;
    let shown = platforms.shown(&path).await;
    assert_eq!(shown["outcome"], "reached", "{shown}");
    assert_eq!(shown["messages"][0]["sid"], "message-0001");
    assert_eq!(shown["attempts"][0]["sid"], "call-0001");
    assert_eq!((platforms.local.messages().len(), platforms.local.calls().len()), (1, 1));
    assert_eq!((platforms.twilio.messages().len(), platforms.twilio.calls().len()), (0, 0));
}

#[tokio::test]
async fn each_account_is_served_by_its_own_platform() {
    let mut platforms = TwoPlatforms::begin().await;
    platforms.order().await;
    platforms.daemon.order("+5511987650013", message()).await;
    platforms.pass(SignedDuration::from_secs(5)).await;
    assert_eq!((platforms.local.messages().len(), platforms.twilio.messages().len()), (1, 1));
}

#[tokio::test]
async fn a_code_of_its_issuer_is_understood() {
    let mut platforms = TwoPlatforms::begin().await;
    platforms.local.set_manner(Phone::parse(CONSUMER).unwrap(), Manner::Nowhere);
    let path = platforms.order().await;
    platforms.pass(SignedDuration::from_mins(2)).await;
    let shown = platforms.shown(&path).await;
    let error = &shown["messages"][0]["error"];
    assert_eq!((&error["issuer"], &error["code"]), (&json!("meta"), &json!(131_026)), "{shown}");
    assert_eq!(
        (&shown["status"], &shown["reason"]["code"]),
        (&json!("closed"), &json!("permission.uncallable"))
    );
    assert_eq!(platforms.local.calls().len(), 0);
}

#[tokio::test]
async fn a_lost_call_is_found_by_a_lookup_and_not_placed_again() {
    for loss in [Loss::AnswerOnly, Loss::WithRequest] {
        let mut platforms = TwoPlatforms::begin().await;
        let grant =
            json!({"consumer": CONSUMER, "sender": SENDERS[1], "kind": "permanent", "reason": "on paper"});
        platforms.daemon.post("/v1/permissions/grant", grant).await;
        platforms.local.lose_next(loss);
        let path = platforms.order().await;
        // No report comes: only the lookup can find it.
        platforms.daemon.advance(SignedDuration::from_mins(2)).await;
        let shown = platforms.shown(&path).await;
        let (stage, calls) = match loss {
            Loss::AnswerOnly => ("accepted", 1),
            Loss::WithRequest => ("unknown", 0),
        };
        assert_eq!((&shown["attempts"][0]["stage"], platforms.local.calls().len()), (&json!(stage), calls));
        platforms.pass(SignedDuration::from_hours(12)).await;
        let shown = platforms.shown(&path).await;
        assert_eq!((&shown["outcome"], platforms.local.calls().len()), (&json!("reached"), 1), "{shown}");
    }
}

impl TwoPlatforms {
    /// A callback whose call is unknown, because its request was lost; with its path and that of the attempt.
    async fn with_lost_call() -> (Self, String, String) {
        let mut platforms = Self::begin().await;
        let grant =
            json!({"consumer": CONSUMER, "sender": SENDERS[1], "kind": "permanent", "reason": "on paper"});
        platforms.daemon.post("/v1/permissions/grant", grant).await;
        platforms.local.lose_next(Loss::WithRequest);
        let path = platforms.order().await;
        platforms.pass(SignedDuration::from_mins(2)).await;
        let shown = platforms.shown(&path).await;
        assert_eq!(shown["attempts"][0]["stage"], "unknown", "{shown}");
        let attempt = format!("/v1/attempts/{}", shown["attempts"][0]["id"].as_str().unwrap());
        (platforms, path, attempt)
    }

    /// The stage of the first attempt, and how many calls there are.
    async fn stage(&mut self, path: &str) -> (Value, usize) {
        let stage = self.shown(path).await["attempts"][0]["stage"].clone();
        (stage, self.local.calls().len())
    }
}

#[tokio::test]
async fn a_held_call_is_not_settled_by_its_time_out_for_a_day() {
    let (mut platforms, path, attempt) = TwoPlatforms::with_lost_call().await;
    platforms.daemon.post(&format!("{attempt}/hold"), json!({})).await;
    let until = platforms.daemon.now() + SignedDuration::from_hours(24);
    let listed = platforms.daemon.get("/v1/attempts?is_unresolved=true").await;
    let held = &listed["attempts"][0];
    assert_eq!(
        (&held["held_until"], &held["not_placed_at"]),
        (&json!(until.to_string()), &json!(until.to_string()))
    );
    platforms.pass(SignedDuration::from_hours(24) - SignedDuration::from_secs(1)).await;
    assert_eq!(platforms.stage(&path).await, (json!("unknown"), 0));
    let listed = platforms.daemon.get("/v1/attempts?is_unresolved=true").await;
    assert_eq!(listed["attempts"][0]["last_look"]["candidates"], json!([]), "{listed}");
    // The next lookup after that settles it.
    platforms.pass(SignedDuration::from_mins(11)).await;
    assert_eq!(platforms.stage(&path).await.0, json!("not_placed"));
    platforms.pass(SignedDuration::from_hours(12)).await;
    assert_eq!(platforms.shown(&path).await["outcome"], "reached");
    let timeline = platforms.daemon.get(&format!("{path}/timeline")).await.to_string();
    assert!(timeline.contains("attempt.held"), "{timeline}");
}

#[tokio::test]
async fn a_released_call_is_settled_at_once() {
    let (mut platforms, path, attempt) = TwoPlatforms::with_lost_call().await;
    platforms.daemon.post(&format!("{attempt}/hold"), json!({})).await;
    platforms.pass(SignedDuration::from_hours(2)).await;
    assert_eq!(platforms.stage(&path).await, (json!("unknown"), 0));
    platforms.daemon.post(&format!("{attempt}/release"), json!({})).await;
    platforms.pass(SignedDuration::from_secs(5)).await;
    assert_eq!(platforms.stage(&path).await.0, json!("not_placed"));
    let over = platforms.daemon.try_post(&format!("{attempt}/hold"), json!({})).await;
    assert_eq!((over.0, &over.1["code"]), (409, &json!("attempt.over")));
}

#[tokio::test]
async fn a_held_call_is_settled_by_an_operator() {
    let (mut platforms, path, attempt) = TwoPlatforms::with_lost_call().await;
    platforms.daemon.post(&format!("{attempt}/hold"), json!({})).await;
    platforms.daemon.post(&format!("{attempt}/resolve"), json!({"outcome": "not_placed"})).await;
    assert_eq!(platforms.stage(&path).await.0, json!("not_placed"));
}

#[tokio::test]
async fn a_callback_marked_not_again_today_rests_until_the_consumers_midnight() {
    let (mut platforms, path, attempt) = TwoPlatforms::with_lost_call().await;
    // The mark is possible while the call is unknown, which is when it is needed.
    platforms.daemon.post(&format!("{path}/not-today"), json!({"reason": "may have been reached"})).await;
    let until: jiff::Timestamp =
        platforms.shown(&path).await["not_today_until"].as_str().unwrap().parse().unwrap();
    let midnight = until.to_zoned(jiff::tz::TimeZone::get("America/Sao_Paulo").unwrap());
    assert_eq!((midnight.hour(), midnight.minute()), (0, 0), "{midnight}");
    platforms.daemon.post(&format!("{attempt}/resolve"), json!({"outcome": "not_placed"})).await;
    platforms.pass(until.duration_since(platforms.daemon.now()) - SignedDuration::from_secs(1)).await;
    assert_eq!(platforms.local.calls().len(), 0);
    let explained = platforms.daemon.get(&format!("{path}/explain")).await;
    assert_eq!(explained["reasons"][0]["code"], "window.not_today", "{explained}");
    platforms.pass(SignedDuration::from_secs(2)).await;
    assert_eq!(platforms.local.calls().len(), 1);
}

#[tokio::test]
async fn a_new_earliest_time_ends_the_mark() {
    let mut platforms = TwoPlatforms::begin().await;
    let path = platforms.order().await;
    platforms.daemon.post(&format!("{path}/not-today"), json!({})).await;
    assert!(platforms.shown(&path).await["not_today_until"].is_string());
    let soon = platforms.daemon.now() + SignedDuration::from_mins(10);
    platforms.daemon.post(&format!("{path}/reschedule"), json!({"priority": 9})).await;
    assert!(platforms.shown(&path).await["not_today_until"].is_string(), "another priority keeps it");
    platforms.daemon.post(&format!("{path}/reschedule"), json!({"earliest": soon.to_string()})).await;
    assert!(platforms.shown(&path).await.get("not_today_until").is_none());
    let closed = platforms.daemon.post(&format!("{path}/cancel"), json!({})).await;
    assert_eq!(closed["outcome"], "canceled");
    let refused = platforms.daemon.try_post(&format!("{path}/not-today"), json!({})).await;
    assert_eq!((refused.0, &refused.1["code"]), (409, &json!("callback.closed")));
}

#[tokio::test]
async fn a_lost_message_that_cannot_be_looked_up_is_resolved_by_an_operator() {
    let mut platforms = TwoPlatforms::begin().await;
    platforms.local.lose_next(Loss::WithRequest);
    let path = platforms.order().await;
    // Far beyond the time after which a lookup would have to find it.
    platforms.pass(SignedDuration::from_hours(24)).await;
    let open = platforms.daemon.get("/v1/messages?stage=unknown").await;
    assert_eq!((&open["total"], &open["messages"][0]["is_unresolved"]), (&json!(1), &json!(true)));
    assert_eq!(platforms.local.messages().len(), 0, "it is not sent again");
    let resolve = format!("/v1/messages/{}/resolve", open["messages"][0]["id"].as_str().unwrap());
    platforms.daemon.post(&resolve, json!({"outcome": "not_sent"})).await;
    platforms.pass(SignedDuration::from_hours(1)).await;
    let shown = platforms.shown(&path).await;
    assert_eq!(shown["outcome"], "reached", "{shown}");
    assert_eq!((platforms.local.messages().len(), platforms.local.calls().len()), (1, 1));
}

#[tokio::test]
async fn a_ringing_call_is_hung_up_when_its_customer_cancels() {
    let mut platforms = TwoPlatforms::begin().await;
    platforms.local.set_manner(Phone::parse(CONSUMER).unwrap(), Manner::Absent);
    let grant =
        json!({"consumer": CONSUMER, "sender": SENDERS[1], "kind": "permanent", "reason": "on paper"});
    platforms.daemon.post("/v1/permissions/grant", grant).await;
    let path = platforms.order().await;
    platforms.pass(SignedDuration::from_secs(5)).await;
    platforms.daemon.post(&format!("{path}/cancel"), json!({})).await;
    platforms.pass(SignedDuration::from_secs(5)).await;
    let shown = platforms.shown(&path).await;
    assert_eq!(
        (&shown["outcome"], &shown["attempts"][0]["disposition"]),
        (&json!("canceled"), &json!("canceled"))
    );
}
