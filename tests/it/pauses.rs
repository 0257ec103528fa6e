//! Operators pause: what is held and for how long, what goes on, and who is woken when a pause ends.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::{Callback, Gate, PauseId, State};
use ringmaster::simulation::{Fixture, SENDERS};
use serde_json::{Value, json};

use crate::harness::{RecordingTransport, SENDER, START, TestDaemon, message};

const CONSUMER: &str = "+5511987650001";
const OTHER: &str = "+5511987650002";
const HOUR: SignedDuration = SignedDuration::from_hours(1);
const TICK: SignedDuration = SignedDuration::from_micros(1);

fn start() -> Timestamp {
    START.parse().unwrap()
}

/// A daemon whose consumers have allowed calls.
async fn daemon() -> (TestDaemon, Arc<RecordingTransport>) {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(notes.clone()).await;
    for consumer in [CONSUMER, OTHER] {
        daemon.grant(consumer).await;
    }
    (daemon, notes)
}

/// Pauses; returns the id.
async fn pause(daemon: &mut TestDaemon, more: Value) -> String {
    let mut order = json!({"scope": "all", "why": "a drill"});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let taken = daemon.post("/v1/pauses", order).await;
    taken["pause"]["id"].as_str().unwrap().to_owned()
}

async fn lift(daemon: &mut TestDaemon, id: &str) -> u16 {
    daemon.try_delete(&format!("/v1/pauses/{id}")).await.0
}

/// Whom the calls were placed to.
fn called(notes: &RecordingTransport) -> Vec<String> {
    notes.calls().iter().map(|call| call.form["To"].replace("whatsapp:", "")).collect()
}

async fn ordered(daemon: &mut TestDaemon, consumer: &str) -> Callback {
    let answer = daemon.order(consumer, message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    stored(daemon, &answer).await
}

async fn stored(daemon: &mut TestDaemon, answer: &Value) -> Callback {
    let id = answer["id"].as_str().unwrap().parse().unwrap();
    daemon.watch().callback(id).await.unwrap().unwrap().callback
}

fn gate(callback: &Callback) -> Option<Gate> {
    let State::Waiting(waiting) = &callback.state else { panic!("it waits: {:?}", callback.state) };
    waiting.place.as_ref().map(|place| place.gate.clone())
}

fn gate_of(id: &str) -> Option<Gate> {
    Some(Gate::Pause(id.parse::<PauseId>().unwrap()))
}

#[tokio::test]
async fn nothing_leaves_until_a_pause_ends_and_then_at_once_and_by_itself() {
    let (mut daemon, notes) = daemon().await;
    let id = pause(&mut daemon, json!({"until": (start() + HOUR).to_string()})).await;
    let callback = ordered(&mut daemon, CONSUMER).await;
    let asked = ordered(&mut daemon, "+5511987650003").await;
    assert_eq!((gate(&callback), gate(&asked)), (gate_of(&id), gate_of(&id)));
    assert_eq!(daemon.wakes_at(), Some(start() + HOUR), "no tick");
    daemon.advance_to(start() + HOUR - TICK).await;
    assert_eq!((called(&notes), notes.messages().len()), (vec![], 0));
    daemon.advance(TICK).await;
    assert_eq!((called(&notes), notes.messages().len()), (vec![CONSUMER.to_owned()], 1));
    assert_eq!(daemon.get("/v1/pauses").await, json!({"pauses": []}));
    assert_eq!(lift(&mut daemon, &id).await, 404, "it has ended");
}

#[tokio::test]
async fn a_pause_without_an_end_lasts_until_it_is_lifted_once() {
    let (mut daemon, notes) = daemon().await;
    let id = pause(&mut daemon, json!({})).await;
    ordered(&mut daemon, CONSUMER).await;
    daemon.advance(HOUR * 30).await;
    assert_eq!(called(&notes), Vec::<String>::new());
    assert_eq!(lift(&mut daemon, &id).await, 200);
    assert_eq!(called(&notes), [CONSUMER]);
    assert_eq!(lift(&mut daemon, &id).await, 404);
    assert_eq!(lift(&mut daemon, "ps_00000000000000000000000000000007").await, 404);
    assert_eq!(lift(&mut daemon, "cb_00000000000000000000000000000007").await, 400);
}

#[tokio::test]
async fn a_lifted_pause_wakes_those_who_waited_for_it_and_nobody_else() {
    let (mut daemon, notes) = daemon().await;
    let person = pause(&mut daemon, json!({"scope": "person", "consumer": CONSUMER})).await;
    let held = ordered(&mut daemon, CONSUMER).await;
    let sender = pause(&mut daemon, json!({"scope": "sender", "sender": SENDER})).await;
    let other = ordered(&mut daemon, OTHER).await;
    assert_eq!((gate(&held), gate(&other)), (gate_of(&person), gate_of(&sender)));
    assert_eq!(lift(&mut daemon, &person).await, 200);
    assert_eq!(called(&notes), Vec::<String>::new(), "its sender is paused still");
    let now = |daemon: &mut TestDaemon, callback: &Callback| {
        let (id, store) = (callback.id, daemon.watch());
        async move { store.callback(id).await.unwrap().unwrap().callback }
    };
    let moved = now(&mut daemon, &held).await;
    assert_eq!(gate(&moved), gate_of(&sender));
    assert_eq!(now(&mut daemon, &other).await.version, other.version, "nobody looked at it");
    assert_eq!(lift(&mut daemon, &sender).await, 200);
    daemon.advance(HOUR).await;
    let mut all = called(&notes);
    all.sort();
    assert_eq!(all, [CONSUMER, OTHER]);
}

#[tokio::test]
async fn callbacks_at_a_gate_are_not_read_while_everything_behind_it_is_paused() {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::configured(notes.clone(), |config| {
        config.limits.concurrent_calls_per_sender_max = Some(1);
    })
    .await;
    let mut waiting = Vec::new();
    for person in 10..20 {
        let consumer = format!("+55119876500{person}");
        daemon.grant(&consumer).await;
        waiting.push(ordered(&mut daemon, &consumer).await);
        daemon.advance(SignedDuration::from_secs(2)).await;
    }
    assert_eq!(notes.calls().len(), 1, "the others wait for its slot");
    let id = pause(&mut daemon, json!({"scope": "account", "account": "main"})).await;
    daemon.advance(HOUR).await;
    let store = daemon.watch();
    for callback in &waiting[1..] {
        let now = store.callback(callback.id).await.unwrap().unwrap().callback;
        assert_eq!(now, *callback, "nobody wrote it");
        let told = daemon.get(&format!("/v1/callbacks/{}/explain", callback.id)).await;
        assert_eq!(told["reasons"][0]["code"], "pause.account", "and it is explained: {told}");
    }
    assert_eq!(lift(&mut daemon, &id).await, 200);
    let told = daemon.get(&format!("/v1/callbacks/{}/explain", waiting[1].id)).await;
    assert_eq!(told["reasons"][0]["code"], "sender.concurrency", "{told}");
}

#[tokio::test]
async fn two_pauses_hold_until_both_are_over() {
    let (mut daemon, notes) = daemon().await;
    let all = pause(&mut daemon, json!({"until": (start() + HOUR).to_string()})).await;
    let account = json!({"scope": "account", "account": "main", "until": (start() + HOUR * 2).to_string()});
    let account = pause(&mut daemon, account).await;
    let callback = ordered(&mut daemon, CONSUMER).await;
    assert_eq!(gate(&callback), gate_of(&account), "it ends last");
    let told = daemon.get(&format!("/v1/callbacks/{}/explain", callback.id)).await;
    let codes: Vec<_> = told["reasons"].as_array().unwrap().iter().map(|it| it["code"].clone()).collect();
    assert_eq!(codes, ["pause.account", "pause.all"]);
    assert_eq!(
        told["reasons"][1]["sentence"],
        "Everything is paused by the token \"test\" until 2026-11-23T13:00:00Z: a drill."
    );
    daemon.advance_to(start() + HOUR).await;
    assert_eq!(called(&notes), Vec::<String>::new());
    assert_eq!(lift(&mut daemon, &all).await, 404, "it has ended");
    assert_eq!(lift(&mut daemon, &account).await, 200);
    assert_eq!(called(&notes), [CONSUMER]);
}

#[tokio::test]
async fn a_callback_uses_a_sender_that_is_not_paused() {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::fitted(&Fixture::default(), notes.clone(), |_| {}).await;
    daemon.grant(CONSUMER).await;
    pause(&mut daemon, json!({"scope": "sender", "sender": SENDERS[0]})).await;
    let mut order = json!({"consumer": CONSUMER, "senders": &SENDERS[..2], "latest": "2026-12-03T12:00:00Z"});
    order.as_object_mut().unwrap().extend(message().as_object().unwrap().clone());
    daemon.post("/v1/callbacks", order).await;
    daemon.advance(SignedDuration::ZERO).await;
    let asked: Vec<_> = notes.messages().iter().map(|sent| sent.form["From"].clone()).collect();
    assert_eq!(asked, [format!("whatsapp:{}", SENDERS[1])]);
    assert_eq!(notes.calls().len(), 0);
}

#[tokio::test]
async fn a_person_is_held_under_every_spelling_of_the_number() {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(notes.clone()).await;
    // With and without the ninth digit.
    let (short, long) = ("+553187650144", "+5531987650144");
    daemon.grant(long).await;
    let id = pause(&mut daemon, json!({"scope": "person", "consumer": short})).await;
    let held = ordered(&mut daemon, long).await;
    assert_eq!(gate(&held), gate_of(&id));
    assert_eq!(lift(&mut daemon, &id).await, 200);
    assert_eq!(called(&notes), [long]);
}

#[tokio::test]
async fn a_pause_holds_after_a_restart() {
    let (mut daemon, notes) = daemon().await;
    let id = pause(&mut daemon, json!({})).await;
    ordered(&mut daemon, CONSUMER).await;
    let mut daemon = daemon.restart(notes.clone()).await;
    daemon.advance(HOUR).await;
    ordered(&mut daemon, OTHER).await;
    assert_eq!(called(&notes), Vec::<String>::new());
    let listed = daemon.get("/v1/pauses").await;
    assert_eq!(listed["pauses"][0]["id"], id);
    assert_eq!(lift(&mut daemon, &id).await, 200);
    daemon.advance(HOUR).await;
    assert_eq!(called(&notes).len(), 2);
}

#[tokio::test]
async fn deadlines_pass_during_a_pause() {
    let (mut daemon, notes) = daemon().await;
    pause(&mut daemon, json!({})).await;
    let mut order = message();
    order["latest"] = (start() + HOUR).to_string().into();
    let answer = daemon.order(CONSUMER, order).await;
    daemon.advance_to(start() + HOUR).await;
    let closed = stored(&mut daemon, &answer).await;
    assert_eq!(closed.closed().unwrap().outcome.as_str(), "expired");
    assert_eq!(called(&notes), Vec::<String>::new());
}

#[tokio::test]
async fn senders_and_status_show_who_paused_them_why_and_until() {
    let (mut daemon, _) = daemon().await;
    let until = (start() + HOUR).to_string();
    let id = pause(&mut daemon, json!({"scope": "account", "account": "main", "until": until})).await;
    let shown = json!({"id": id, "scope": "account", "account": "main", "by": "test", "why": "a drill",
        "since": START, "until": until});
    assert_eq!(daemon.get("/v1/senders").await["senders"][0]["pause"], shown);
    assert_eq!(daemon.get("/v1/status").await["pauses"], json!([shown]));
    daemon.advance(HOUR).await;
    assert_eq!(daemon.get("/v1/senders").await["senders"][0]["pause"], Value::Null);
    assert_eq!(daemon.get("/v1/status").await["pauses"], json!([]));
}

#[tokio::test]
async fn a_pause_tells_how_much_it_holds_and_what_ends_meanwhile() {
    let (mut daemon, _) = daemon().await;
    for (consumer, hours) in [(CONSUMER, 2), (OTHER, 3)] {
        let mut order = message();
        order["earliest"] = (start() + HOUR).to_string().into();
        order["latest"] = (start() + HOUR * hours).to_string().into();
        daemon.order(consumer, order).await;
    }
    let grant =
        json!({"consumer": "+5511987650009", "sender": SENDER, "kind": "temporary", "reason": "seen"});
    daemon.post("/v1/permissions/grant", grant).await;
    let order =
        |hours: i32| json!({"scope": "all", "why": "a drill", "until": (start() + HOUR * hours).to_string()});
    let count = |count: u64| json!({"count": count, "at_least": false});
    let taken = daemon.post("/v1/pauses", order(2)).await;
    let holds =
        json!({"callbacks": count(2), "deadlines": count(1), "permissions": count(0), "promises": count(0)});
    assert_eq!(taken["holds"], holds);
    let taken = daemon.post("/v1/pauses", order(24 * 8)).await;
    let holds =
        json!({"callbacks": count(2), "deadlines": count(2), "permissions": count(1), "promises": count(0)});
    assert_eq!(taken["holds"], holds);
    let person = json!({"scope": "person", "consumer": CONSUMER, "why": "a drill"});
    let taken = daemon.post("/v1/pauses", person).await;
    let holds =
        json!({"callbacks": count(1), "deadlines": count(1), "permissions": count(0), "promises": count(0)});
    assert_eq!(taken["holds"], holds);
}

#[tokio::test]
async fn pauses_in_force_are_a_metric_that_ends_with_them() {
    let (mut daemon, _) = daemon().await;
    let counted = async |daemon: &mut TestDaemon, line: &str| {
        let page = daemon.look("/metrics").await.1;
        assert!(page.lines().any(|written| written == line), "{line}\n{page}");
    };
    pause(&mut daemon, json!({"until": (start() + HOUR).to_string()})).await;
    pause(&mut daemon, json!({"scope": "person", "consumer": CONSUMER})).await;
    counted(&mut daemon, "ringmaster_pauses{scope=\"all\"} 1").await;
    counted(&mut daemon, "ringmaster_pauses{scope=\"person\"} 1").await;
    counted(&mut daemon, "ringmaster_pauses{scope=\"sender\"} 0").await;
    daemon.advance_to(start() + HOUR).await;
    counted(&mut daemon, "ringmaster_pauses{scope=\"all\"} 0").await;
}
