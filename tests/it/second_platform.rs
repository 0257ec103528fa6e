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
