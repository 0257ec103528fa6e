//! A panic in a turn affects only the item that the turn was processing (cases 16 and 22).
#![cfg(feature = "failpoints")]

use jiff::SignedDuration;
use ringmaster::domain::event::{CallbackChange, CallbackCommand, SetAsideWord};
use ringmaster::domain::{CallbackId, CommandOutcome, Event, Phone, SetAside, SetAsideVerdict, Tenant};
use ringmaster::failpoint::panics;
use ringmaster::simulation::Fixture;
use ringmaster::store::{NewCommand, Report};
use serde_json::{Value, json};

use crate::harness::SimulatedDaemon;

/// A consumer who accepts the request and answers the call.
const WILLING: &str = "+5511987650001";
const WILLING_TOO: &str = "+5511987660001";
const OTHERS: [&str; 3] = ["+5511987670001", "+5511987680001", "+5511987690001"];
/// A consumer who refuses the request.
const UNWILLING: &str = "+5511987650002";

struct Harness {
    whole: SimulatedDaemon,
    words: u8,
}

impl Harness {
    async fn begin() -> Self {
        let with = Fixture { calls_per_second: 10, ..Fixture::default() };
        Self { whole: SimulatedDaemon::begin(&with, "2026-11-23T12:00:00Z").await, words: 0 }
    }

    async fn order(&mut self, consumer: &str) -> String {
        // Failpoints, like the log, have masked numbers.
        let reference = json!({"reference": consumer});
        self.whole.order(consumer, "2026-12-03T12:00:00Z", &reference).await
    }

    /// The state of a callback, and the code of its reason.
    async fn stands(&mut self, id: &str) -> (String, String) {
        let shown = self.whole.get(&format!("/v1/callbacks/{id}")).await;
        let state = shown["outcome"].as_str().or_else(|| shown["status"].as_str()).unwrap();
        (state.to_owned(), shown["reason"]["code"].as_str().unwrap().to_owned())
    }

    async fn explained(&mut self, id: &str) -> String {
        let explained = self.whole.get(&format!("/v1/callbacks/{id}/explain")).await;
        explained["reasons"][0]["code"].as_str().unwrap_or_default().to_owned()
    }

    async fn hours(&mut self, hours: i64) {
        self.whole.advance(SignedDuration::from_hours(hours)).await.unwrap();
    }

    async fn seconds(&mut self, seconds: i64) {
        self.whole.advance(SignedDuration::from_secs(seconds)).await.unwrap();
    }

    async fn set_aside(&self) -> Vec<SetAside> {
        self.whole.store.set_aside().await.unwrap()
    }

    /// Retries or drops everything that is set aside.
    async fn say(&mut self, verdict: SetAsideVerdict) {
        for item in self.set_aside().await {
            let word = SetAsideWord { id: item.id, verdict, by: "ops".into() };
            self.append(Event::SetAside(word), item.callback).await;
        }
    }

    async fn append(&mut self, event: Event, callback: Option<CallbackId>) {
        self.words += 1;
        let report = Report { key: [self.words; 16], received_at: self.whole.now(), event };
        let command = NewCommand { report, tenant: Tenant::default(), callback, content: [0; 32] };
        self.whole.store.append_command(command).await.unwrap();
        // Any request starts a turn.
        self.whole.get("/v1/status").await;
    }

    fn counts(&self) -> ringmaster::sim::world::Counts {
        self.whole.world().report().counts
    }
}

/// From now on every item with all of these texts fails at the failpoint.
fn fails<const N: usize>(at: &'static str, shows: [String; N]) {
    panics::arm(move |place, what| place == at && shows.iter().all(|part| what.contains(part)));
}

/// The consumer's number, masked as in the log.
fn shown(consumer: &str) -> String {
    Phone::parse(consumer).unwrap().to_string()
}

#[tokio::test]
async fn a_report_at_which_a_turn_fails_blocks_only_its_person() {
    let mut daemon = Harness::begin().await;
    fails("fold", ["PermissionReply".into(), shown(UNWILLING)]);
    let (no, yes) = (daemon.order(UNWILLING).await, daemon.order(WILLING).await);
    daemon.hours(2).await;
    assert_eq!(daemon.stands(&yes).await.0, "reached");
    assert_eq!(daemon.stands(&no).await, ("waiting".into(), "report.set_aside".into()));
    assert_eq!(daemon.explained(&no).await, "report.set_aside");
    let [item] = &daemon.set_aside().await[..] else { panic!("one") };
    assert_eq!((&*item.kind, item.consumer), ("permission_reply", Some(Phone::parse(UNWILLING).unwrap())));
    assert_eq!(daemon.whole.get("/v1/status").await["unfolded_reports"], 0);
    assert_eq!(daemon.counts().creates_accepted, 1);
}

#[tokio::test]
async fn the_person_stays_blocked_after_a_restart_and_a_retry_folds_the_answer() {
    let mut daemon = Harness::begin().await;
    fails("fold", ["PermissionReply".into(), shown(UNWILLING)]);
    let no = daemon.order(UNWILLING).await;
    daemon.hours(1).await;
    daemon.whole.restart().await.unwrap();
    daemon.hours(30).await;
    let again = daemon.order(UNWILLING).await;
    daemon.hours(1).await;
    for id in [&no, &again] {
        assert_eq!(daemon.stands(id).await, ("waiting".into(), "report.set_aside".into()));
    }
    assert_eq!(daemon.counts().permission_requests, 1);
    panics::disarm();
    daemon.say(SetAsideVerdict::Retry).await;
    for id in [&no, &again] {
        assert_eq!(daemon.stands(id).await, ("declined".into(), "permission.declined".into()));
    }
    assert!(daemon.set_aside().await.is_empty());
    assert_eq!(daemon.counts().creates_accepted, 0);
}

#[tokio::test]
async fn a_report_that_fails_again_is_set_aside_again() {
    let mut daemon = Harness::begin().await;
    fails("fold", ["PermissionReply".into()]);
    let id = daemon.order(WILLING).await;
    daemon.hours(1).await;
    let first = daemon.set_aside().await;
    daemon.say(SetAsideVerdict::Retry).await;
    let second = daemon.set_aside().await;
    assert_eq!((first.len(), second.len()), (1, 1));
    assert_ne!(first[0].id, second[0].id);
    assert_eq!(daemon.stands(&id).await, ("waiting".into(), "report.set_aside".into()));
    panics::disarm();
    daemon.say(SetAsideVerdict::Retry).await;
    daemon.hours(1).await;
    assert_eq!(daemon.stands(&id).await.0, "reached");
}

#[tokio::test]
async fn a_dropped_report_has_no_effect_and_its_person_is_free() {
    let mut daemon = Harness::begin().await;
    fails("fold", ["PermissionReply".into()]);
    let id = daemon.order(WILLING).await;
    daemon.hours(1).await;
    panics::disarm();
    daemon.say(SetAsideVerdict::Drop).await;
    // The yes was never folded, so the request is still open.
    assert_eq!(daemon.stands(&id).await, ("waiting".into(), "permission.awaiting_reply".into()));
    let timeline = daemon.whole.store.timeline(id.parse().unwrap()).await.unwrap();
    let word = timeline.iter().find(|entry| entry.what == "set_aside.dropped").unwrap();
    assert_eq!(word.by.as_deref(), Some("ops"));
    assert!(daemon.set_aside().await.is_empty());
}

#[tokio::test]
async fn only_the_callback_at_which_a_turn_fails_waits_until_it_is_retried() {
    let mut daemon = Harness::begin().await;
    fails("decide", [WILLING.into()]);
    let (bad, good) = (daemon.order(WILLING).await, daemon.order(WILLING_TOO).await);
    daemon.hours(24 * 11).await;
    assert_eq!(daemon.stands(&good).await.0, "reached");
    assert_eq!(daemon.stands(&bad).await, ("waiting".into(), "callback.set_aside".into()));
    assert_eq!(daemon.explained(&bad).await, "callback.set_aside");
    assert_eq!(daemon.whole.get(&format!("/v1/callbacks/{bad}")).await["next_look_at"], Value::Null);
    daemon.whole.restart().await.unwrap();
    daemon.hours(1).await;
    assert_eq!(daemon.stands(&bad).await, ("waiting".into(), "callback.set_aside".into()));
    panics::disarm();
    daemon.say(SetAsideVerdict::Retry).await;
    assert_eq!(daemon.stands(&bad).await, ("expired".into(), "deadline.passed".into()));
}

#[tokio::test]
async fn a_dropped_callback_closes_with_the_name_of_the_operators_token() {
    let mut daemon = Harness::begin().await;
    fails("decide", [WILLING.into()]);
    let id = daemon.order(WILLING).await;
    daemon.hours(1).await;
    daemon.say(SetAsideVerdict::Drop).await;
    assert_eq!(daemon.stands(&id).await, ("failed".into(), "callback.dropped".into()));
    let parsed: CallbackId = id.parse().unwrap();
    let timeline = daemon.whole.store.timeline(parsed).await.unwrap();
    let lines: Vec<_> = timeline.iter().map(|entry| (&*entry.what, entry.by.as_deref())).collect();
    assert_eq!(
        lines[lines.len() - 3..],
        [("set_aside.begun", None), ("set_aside.dropped", Some("ops")), ("callback.closed", Some("ops"))]
    );
}

#[tokio::test]
async fn the_third_failure_within_a_minute_stops_dialling() {
    let mut daemon = Harness::begin().await;
    let good = daemon.order(WILLING).await;
    daemon.hours(1).await;
    assert_eq!(daemon.stands(&good).await.0, "reached");
    fails("decide", []);
    daemon.order(OTHERS[0]).await;
    daemon.order(OTHERS[1]).await;
    panics::disarm();
    let third = daemon.order(WILLING_TOO).await;
    daemon.seconds(60).await;
    assert_ne!(daemon.explained(&third).await, "dialling.stopped");
    daemon.hours(1).await;
    assert_eq!(daemon.stands(&third).await.0, "reached");
    fails("decide", []);
    daemon.order(OTHERS[2]).await;
    daemon.order("+5511987640001").await;
    daemon.seconds(30).await;
    daemon.order("+5511987630001").await;
    panics::disarm();
    let placed = daemon.counts();
    let last = daemon.order("+5511987620001").await;
    daemon.hours(3).await;
    assert_eq!(daemon.explained(&last).await, "dialling.stopped");
    assert_eq!(daemon.counts().permission_requests, placed.permission_requests);
    assert_eq!(daemon.counts().creates_accepted, placed.creates_accepted);
    daemon.whole.restart().await.unwrap();
    daemon.hours(1).await;
    assert_eq!(daemon.stands(&last).await.0, "reached");
    assert_eq!(daemon.set_aside().await.len(), 5);
}

#[tokio::test]
async fn reports_are_folded_while_dialling_is_stopped_and_count_after_the_restart() {
    let mut daemon = Harness::begin().await;
    let (no, yes) = (daemon.order(UNWILLING).await, daemon.order(WILLING).await);
    fails("decide", [OTHERS[0].into()]);
    for _ in 0..3 {
        daemon.order(OTHERS[0]).await;
    }
    panics::disarm();
    daemon.hours(5).await;
    assert_eq!(daemon.whole.get("/v1/status").await["unfolded_reports"], 0);
    assert_eq!(daemon.explained(&yes).await, "dialling.stopped");
    assert_eq!((daemon.counts().permission_requests, daemon.counts().creates_accepted), (2, 0));
    daemon.whole.restart().await.unwrap();
    daemon.hours(1).await;
    assert_eq!(daemon.stands(&yes).await.0, "reached");
    assert_eq!(daemon.stands(&no).await.0, "declined");
}

#[tokio::test]
async fn a_failing_recovery_sets_its_callback_aside_and_the_daemon_starts() {
    let mut daemon = Harness::begin().await;
    let (held, free) = (daemon.order(WILLING).await, daemon.order(WILLING_TOO).await);
    let mut seconds = 0;
    while daemon.stands(&held).await.0 != "calling" {
        daemon.seconds(1).await;
        seconds += 1;
        assert!(seconds < 7_200, "it is called within two hours");
    }
    fails("recover", [held.clone()]);
    daemon.whole.restart().await.unwrap();
    panics::disarm();
    let [item] = &daemon.set_aside().await[..] else { panic!("one") };
    assert_eq!(item.callback.map(|id| id.to_string()), Some(held.clone()));
    daemon.hours(2).await;
    assert_eq!(daemon.stands(&free).await.0, "reached");
    daemon.say(SetAsideVerdict::Retry).await;
    daemon.hours(2).await;
    assert_eq!(daemon.stands(&held).await.0, "reached");
    assert_eq!(daemon.counts().creates_accepted, 2);
}

#[tokio::test]
async fn a_failing_request_counts_as_unknown_and_is_not_repeated() {
    let mut daemon = Harness::begin().await;
    fails("request", ["PlaceCall".into()]);
    let id = daemon.order(WILLING).await;
    daemon.hours(3).await;
    assert_eq!(daemon.counts().creates_accepted, 0);
    let attempts =
        daemon.whole.get(&format!("/v1/callbacks/{id}")).await["attempts"].as_array().unwrap().len();
    assert!(attempts >= 1);
    panics::disarm();
    daemon.whole.restart().await.unwrap();
    daemon.hours(24).await;
    assert_eq!(daemon.stands(&id).await.0, "reached");
}

#[tokio::test]
async fn a_failing_answer_sets_its_callback_aside_and_is_not_applied_again() {
    let mut daemon = Harness::begin().await;
    fails("answer", ["Call".into(), "Accepted".into()]);
    let (held, asked) = (daemon.order(WILLING).await, daemon.order(UNWILLING).await);
    daemon.hours(3).await;
    assert_eq!(daemon.stands(&asked).await.0, "declined");
    assert_eq!(daemon.set_aside().await.len(), 1);
    panics::disarm();
    daemon.say(SetAsideVerdict::Retry).await;
    daemon.hours(3).await;
    assert_eq!(daemon.stands(&held).await.0, "reached");
    assert_eq!(daemon.counts().creates_accepted, 1);
}

#[tokio::test]
async fn a_failing_cancellation_blocks_its_callback_until_it_is_retried() {
    for verdict in [SetAsideVerdict::Retry, SetAsideVerdict::Drop] {
        let mut daemon = Harness::begin().await;
        let id = daemon.order(WILLING).await;
        fails("fold", ["Cancel".into()]);
        let callback: CallbackId = id.parse().unwrap();
        let command = CallbackCommand { callback, by: "crm".into(), change: CallbackChange::Cancel };
        daemon.append(Event::Command(command), Some(callback)).await;
        daemon.hours(2).await;
        assert_eq!(daemon.stands(&id).await, ("waiting".into(), "callback.set_aside".into()));
        assert_eq!(daemon.counts().creates_accepted, 0);
        panics::disarm();
        daemon.say(verdict).await;
        daemon.hours(2).await;
        let expected = if verdict == SetAsideVerdict::Retry { "canceled" } else { "reached" };
        assert_eq!(daemon.stands(&id).await.0, expected);
    }
}

#[tokio::test]
async fn an_operator_finds_and_retries_an_item_through_the_api() {
    let mut daemon = Harness::begin().await;
    fails("fold", ["PermissionReply".into()]);
    let id = daemon.order(WILLING).await;
    daemon.hours(1).await;
    let status = daemon.whole.get("/v1/status").await;
    assert_eq!((&status["set_aside"], &status["unfolded_reports"]), (&json!(1), &json!(0)));
    let listed = daemon.whole.get("/v1/set-aside").await;
    assert_eq!(listed["set_aside"][0]["consumer"], WILLING);
    let item = listed["set_aside"][0]["id"].as_str().unwrap().to_owned();
    panics::disarm();
    let taken = daemon.whole.post(&format!("/v1/set-aside/{item}/retry"), &json!({})).await;
    assert_eq!(taken, json!({"id": item, "word": "retry"}));
    assert_eq!(daemon.whole.get("/v1/set-aside").await["total"], 0);
    daemon.hours(1).await;
    assert_eq!(daemon.stands(&id).await.0, "reached");
    let again = daemon.whole.try_post(&format!("/v1/set-aside/{item}/drop"), &json!({})).await;
    assert_eq!((again.0, &again.1["code"]), (409, &json!("set_aside.ended")));
}

#[tokio::test]
async fn two_operators_who_say_the_same_at_once_are_one() {
    let mut daemon = Harness::begin().await;
    fails("fold", ["PermissionReply".into()]);
    daemon.order(WILLING).await;
    daemon.hours(1).await;
    panics::disarm();
    let [item] = &daemon.set_aside().await[..] else { panic!("one") };
    let (id, received_at) = (item.id, daemon.whole.now());
    let words = [SetAsideVerdict::Drop, SetAsideVerdict::Drop, SetAsideVerdict::Retry];
    for (key, verdict) in (1..).zip(words) {
        let event = Event::SetAside(SetAsideWord { id, verdict, by: format!("ops-{key}") });
        let report = Report { key: [key; 16], received_at, event };
        let command = NewCommand { report, tenant: Tenant::default(), callback: None, content: [0; 32] };
        daemon.whole.store.append_command(command).await.unwrap();
    }
    daemon.whole.get("/v1/status").await;
    daemon.hours(1).await;
    let mut outcomes = Vec::new();
    for key in 1..=3 {
        outcomes.push(daemon.whole.store.command([key; 16]).await.unwrap().unwrap().outcome);
    }
    let refused = CommandOutcome::Refused("set_aside.ended".into());
    assert_eq!(outcomes, [Some(CommandOutcome::Applied), Some(CommandOutcome::Applied), Some(refused)]);
    let dropped = daemon.whole.post(&format!("/v1/set-aside/{id}/drop"), &json!({})).await;
    assert_eq!(dropped, json!({"id": id.to_string(), "word": "drop"}), "the same word again");
    let retried = daemon.whole.try_post(&format!("/v1/set-aside/{id}/retry"), &json!({})).await;
    assert_eq!((retried.0, &retried.1["code"]), (409, &json!("set_aside.ended")));
    assert!(retried.1["detail"].as_str().unwrap().contains("was dropped before"), "{}", retried.1);
}
