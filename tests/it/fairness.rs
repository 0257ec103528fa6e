//! Campaigns take turns by their weights, a share of the calls is reserved for urgent callbacks, and who waits grows older.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::config::Config;
use serde_json::{Value, json};

use crate::harness::{RecordingTransport, SENDER, TestDaemon, message};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

fn consumer(n: usize) -> String {
    format!("+551198765{n:04}")
}

/// A sender with so many calls at once.
fn with_calls(max: u32) -> impl FnOnce(&mut Config) {
    move |config| {
        config.limits.concurrent_calls_per_sender_max = Some(max);
        config.calling.queueing.urgent_share = 0;
        calls_are_silent(config);
    }
}

/// Nobody asks about calls without a report.
fn calls_are_silent(config: &mut Config) {
    let day = SignedDuration::from_hours(24);
    let silence = &mut config.calling.silence;
    (silence.unknown, silence.ringing, silence.in_progress) = (day, day, day);
}

struct Floor {
    daemon: TestDaemon,
    notes: Arc<RecordingTransport>,
    /// The campaign, or what else names the order, by consumer.
    of: Vec<String>,
    ended: usize,
}

impl Floor {
    async fn open(consumers: usize, change: impl FnOnce(&mut Config)) -> Self {
        let notes = Arc::new(RecordingTransport::default());
        let mut daemon = TestDaemon::configured(notes.clone(), change).await;
        for n in 0..consumers {
            daemon.grant(&consumer(n)).await;
        }
        Self { daemon, notes, of: Vec::new(), ended: 0 }
    }

    /// A running campaign with so many callbacks of this priority.
    async fn campaign(&mut self, body: Value, callbacks: usize, priority: u8) -> String {
        let id = self.daemon.post("/v1/campaigns", body).await["id"].as_str().unwrap().to_owned();
        for _ in 0..callbacks {
            self.order(json!({"campaign": id, "priority": priority}), &id).await;
        }
        self.daemon.post(&format!("/v1/campaigns/{id}/launch"), json!({})).await;
        id
    }

    async fn order(&mut self, more: Value, name: &str) -> String {
        let mut order = message();
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let n = self.of.len();
        self.of.push(name.to_owned());
        let answer = self.daemon.order(&consumer(n), order).await;
        answer["id"].as_str().unwrap().to_owned()
    }

    async fn wait(&mut self, seconds: i32) {
        self.daemon.advance_to(self.daemon.now() + SECOND * seconds).await;
    }

    /// Whose callbacks were called, in order.
    fn called(&self) -> Vec<&str> {
        let to = |form: &std::collections::BTreeMap<String, String>| {
            let number = form["To"].trim_start_matches("whatsapp:").to_owned();
            number[number.len() - 4..].parse::<usize>().unwrap()
        };
        self.notes.calls().iter().map(|call| to(&call.form)).map(|n| &*self.of[n]).collect::<Vec<_>>()
    }

    /// Nobody answers the call that began first.
    async fn end_one(&mut self) {
        let call = &self.notes.calls()[self.ended];
        self.ended += 1;
        let account = self.daemon.account_sid().to_owned();
        let form = [("CallSid", &*call.sid), ("AccountSid", &account), ("CallStatus", "no-answer")];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!((200..300).contains(&self.daemon.hook(&call.form["StatusCallback"], &form).await));
        self.wait(2).await;
    }

    /// How many of the next calls belong to each of these.
    async fn next(&mut self, calls: usize, of: &[&str]) -> Vec<usize> {
        let before = self.called().len();
        for _ in 0..calls {
            self.end_one().await;
        }
        let called = self.called();
        assert_eq!(called.len(), before + calls, "one call for each that ended");
        of.iter().map(|of| called[before..].iter().filter(|it| *it == of).count()).collect()
    }

    async fn reason(&mut self, id: &str) -> String {
        let told = self.daemon.get(&format!("/v1/callbacks/{id}/explain")).await;
        told["reasons"][0]["code"].as_str().unwrap_or_default().to_owned()
    }
}

#[tokio::test]
async fn campaigns_of_equal_priority_share_a_sender_by_their_weights() {
    let mut floor = Floor::open(60, with_calls(1)).await;
    let heavy = floor.campaign(json!({"name": "heavy", "weight": 30}), 24, 5).await;
    let light = floor.campaign(json!({"name": "light"}), 24, 5).await;
    floor.wait(2).await;
    assert_eq!(floor.next(16, &[&heavy, &light]).await, [12, 4]);
    floor.daemon.post(&format!("/v1/campaigns/{light}/change"), json!({"weight": 90})).await;
    let shared = floor.next(8, &[&heavy, &light]).await;
    assert!(shared == [2, 6] || shared == [3, 5], "{shared:?}");
    let shown = floor.daemon.get(&format!("/v1/campaigns/{light}")).await;
    assert_eq!(shown["weight"], 90);
}

#[tokio::test]
async fn a_campaign_that_is_launched_later_has_its_turns_at_once_and_saves_none() {
    let mut floor = Floor::open(60, with_calls(1)).await;
    let first = floor.campaign(json!({"name": "first"}), 30, 5).await;
    floor.wait(2).await;
    assert_eq!(floor.next(6, &[&first]).await, [6]);
    let second = floor.campaign(json!({"name": "second"}), 10, 5).await;
    let shared = floor.next(8, &[&first, &second]).await;
    assert!(shared == [4, 4], "{shared:?}");
}

#[tokio::test]
async fn callbacks_without_a_campaign_take_turns_together() {
    let mut floor = Floor::open(40, with_calls(1)).await;
    let campaign = floor.campaign(json!({"name": "list", "weight": 20}), 20, 5).await;
    for _ in 0..10 {
        floor.order(json!({}), "single").await;
    }
    floor.wait(2).await;
    let shared = floor.next(9, &[&campaign, "single"]).await;
    assert!(shared == [6, 3], "{shared:?}");
}

#[tokio::test]
async fn a_higher_priority_goes_first_whatever_the_weights_are() {
    let mut floor = Floor::open(20, with_calls(1)).await;
    let heavy = floor.campaign(json!({"name": "heavy", "weight": 100}), 8, 4).await;
    let urgent = floor.campaign(json!({"name": "urgent", "weight": 1}), 4, 6).await;
    floor.wait(2).await;
    // The first call may have begun before the second campaign was launched.
    assert_eq!(floor.next(4, &[&urgent]).await, [4]);
    assert_eq!(floor.next(2, &[&heavy]).await, [2]);
}

#[tokio::test]
async fn turns_go_on_after_a_restart() {
    let mut floor = Floor::open(40, with_calls(1)).await;
    let heavy = floor.campaign(json!({"name": "heavy", "weight": 30}), 16, 5).await;
    let light = floor.campaign(json!({"name": "light"}), 16, 5).await;
    floor.wait(2).await;
    assert_eq!(floor.next(4, &[&heavy, &light]).await, [3, 1]);
    let Floor { daemon, notes, of, ended } = floor;
    let daemon = daemon.restart(notes.clone()).await;
    let mut floor = Floor { daemon, notes, of, ended };
    floor.wait(2).await;
    assert_eq!(floor.next(8, &[&heavy, &light]).await, [6, 2]);
}

#[tokio::test]
async fn the_last_calls_of_a_sender_are_reserved_for_urgent_callbacks() {
    let mut floor = Floor::open(40, |config| {
        config.limits.concurrent_calls_per_sender_max = Some(10);
        config.calling.queueing.urgent_share = 20;
    })
    .await;
    let bulk = floor.campaign(json!({"name": "bulk"}), 12, 7).await;
    floor.wait(20).await;
    assert_eq!(floor.called().len(), 8, "two are reserved");
    let waits = floor.order(json!({"campaign": bulk, "priority": 7}), &bulk).await;
    floor.wait(2).await;
    assert_eq!(floor.reason(&waits).await, "urgent.reserved");
    floor.order(json!({"campaign": bulk, "priority": 8}), "urgent").await;
    floor.wait(2).await;
    floor.order(json!({"priority": 1}), "single").await;
    floor.wait(2).await;
    assert_eq!(floor.called()[8..], ["urgent", "single"]);
    // All ten are taken, so the next end makes no room for bulk; the third does.
    for (ended, called) in [(1, 10), (2, 10), (3, 11)] {
        floor.end_one().await;
        assert_eq!(floor.called().len(), called, "after {ended}");
    }
}

#[tokio::test]
async fn nothing_is_reserved_of_a_small_ceiling() {
    let mut floor = Floor::open(12, |config| {
        config.limits.concurrent_calls_per_sender_max = Some(9);
        config.calling.queueing.urgent_share = 10;
    })
    .await;
    floor.campaign(json!({"name": "bulk"}), 12, 7).await;
    floor.wait(20).await;
    assert_eq!(floor.called().len(), 9, "a tenth of nine is none");
}

/// With a step of an hour, a callback of priority 3 that waited for three hours goes before a new one of priority 5.
async fn who_is_next(waited: i64, step: SignedDuration) -> String {
    let mut floor = Floor::open(8, |config| {
        with_calls(1)(config);
        config.calling.queueing.ageing_step = step;
    })
    .await;
    floor.order(json!({"priority": 9}), "first").await;
    floor.wait(2).await;
    floor.order(json!({"priority": 3}), "old").await;
    floor.daemon.advance_to(floor.daemon.now() + SignedDuration::from_mins(waited)).await;
    floor.order(json!({"priority": 5}), "new").await;
    floor.wait(2).await;
    floor.end_one().await;
    (*floor.called().last().unwrap()).to_owned()
}

#[tokio::test]
async fn who_has_waited_goes_before_newer_ones_with_a_higher_priority() {
    let hour = SignedDuration::from_hours(1);
    assert_eq!(who_is_next(59, hour).await, "new");
    assert_eq!(who_is_next(3 * 60, hour).await, "old");
    assert_eq!(who_is_next(3 * 60, SignedDuration::ZERO).await, "new", "priorities are strict");
}

#[tokio::test]
async fn an_urgent_callback_goes_before_those_that_have_waited() {
    let mut floor = Floor::open(8, |config| {
        with_calls(1)(config);
        config.calling.queueing.ageing_step = SignedDuration::from_mins(1);
    })
    .await;
    floor.order(json!({"priority": 9}), "first").await;
    floor.wait(2).await;
    floor.order(json!({"priority": 7}), "old").await;
    floor.wait(1_200).await;
    floor.order(json!({"priority": 8}), "urgent").await;
    floor.wait(2).await;
    floor.end_one().await;
    assert_eq!(floor.called(), ["first", "urgent"]);
}

#[tokio::test]
async fn a_weight_is_1_to_100() {
    let mut floor = Floor::open(0, |_| {}).await;
    for weight in [json!(0), json!(101), json!(-1)] {
        let body = json!({"name": "x", "weight": weight});
        let (status, refused) = floor.daemon.try_post("/v1/campaigns", body).await;
        assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!("weight")), "{refused}");
    }
    for weight in [1, 100] {
        let made = floor.daemon.post("/v1/campaigns", json!({"name": "x", "weight": weight})).await;
        assert_eq!(made["weight"], weight);
    }
    assert_eq!(floor.daemon.post("/v1/campaigns", json!({"name": "x"})).await["weight"], 10);
    assert_eq!(floor.daemon.get("/v1/senders").await["senders"][0]["number"], SENDER);
}
