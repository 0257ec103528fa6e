//! Pools of agents: a call needs a seat that holds at its batch, and holds it until its agent is free again.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::{Callback, Gate, Resource, State};
use serde_json::{Value, json};

use crate::harness::{RecordingTransport, START, TestDaemon, message, to_alice};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const TICK: SignedDuration = SignedDuration::from_micros(1);

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn consumer(n: usize) -> String {
    format!("+551198765{n:04}")
}

/// A daemon whose first consumers have allowed calls. Its account places 20 calls a second.
async fn daemon(consumers: usize) -> (TestDaemon, Arc<RecordingTransport>) {
    let notes = Arc::new(RecordingTransport::default());
    let quick = |config: &mut ringmaster::config::Config| {
        config.accounts.values_mut().for_each(|account| account.calls_per_second = 20.0);
    };
    let mut daemon = TestDaemon::configured(notes.clone(), quick).await;
    for n in 0..consumers {
        daemon.grant(&consumer(n)).await;
    }
    (daemon, notes)
}

/// Feeds the pool `support`; returns the status and the answer.
async fn fed(daemon: &mut TestDaemon, figure: Value) -> (u16, Value) {
    let mut body = json!({"valid_for": 120, "headroom": 0});
    body.as_object_mut().unwrap().extend(figure.as_object().unwrap().clone());
    daemon.try_put("/v1/pools/support", body).await
}

async fn feed(daemon: &mut TestDaemon, figure: Value) -> Value {
    let (status, answer) = fed(daemon, figure).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn ordered(daemon: &mut TestDaemon, n: usize) -> Value {
    let mut order = message();
    order["pool"] = "support".into();
    let answer = daemon.order(&consumer(n), order).await;
    daemon.advance(SignedDuration::ZERO).await;
    answer
}

async fn stored(daemon: &mut TestDaemon, answer: &Value) -> Callback {
    let id = answer["id"].as_str().unwrap().parse().unwrap();
    daemon.watch().callback(id).await.unwrap().unwrap().callback
}

async fn shown(daemon: &mut TestDaemon) -> Value {
    daemon.get("/v1/pools/support").await
}

/// The code of the first reason that `explain` names.
async fn reason(daemon: &mut TestDaemon, answer: &Value) -> (String, String) {
    let id = answer["id"].as_str().unwrap();
    let first = daemon.get(&format!("/v1/callbacks/{id}/explain")).await["reasons"][0].clone();
    let text = |field: &str| first[field].as_str().unwrap_or_default().to_owned();
    (text("code"), text("sentence"))
}

/// The platform reports about a call that was placed.
async fn report(daemon: &mut TestDaemon, notes: &RecordingTransport, call: usize, status: &str) {
    let (call, account) = (notes.calls().remove(call), daemon.account_sid().to_owned());
    let form = [("CallSid", &*call.sid), ("AccountSid", &*account), ("CallStatus", status)];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert!((200..300).contains(&daemon.hook(&call.form["StatusCallback"], &form).await));
    settle(daemon).await;
}

/// The consumer answers, talks, and hangs up.
async fn talk(daemon: &mut TestDaemon, notes: &RecordingTransport, call: usize) {
    report(daemon, notes, call, "in-progress").await;
    report(daemon, notes, call, "completed").await;
}

/// Lets everything leave that the account's pace delays.
async fn settle(daemon: &mut TestDaemon) {
    daemon.advance(SignedDuration::ZERO).await;
    daemon.advance_to(daemon.now() + SECOND).await;
}

fn called(notes: &RecordingTransport) -> usize {
    notes.calls().len()
}

#[tokio::test]
async fn one_call_is_placed_for_one_seat_and_the_rest_waits_at_the_gate_of_the_pool() {
    let (mut daemon, notes) = daemon(4).await;
    feed(&mut daemon, json!({"seats": 3, "headroom": 1})).await;
    let mut orders = Vec::new();
    for n in 0..4 {
        orders.push(ordered(&mut daemon, n).await);
    }
    settle(&mut daemon).await;
    assert_eq!(called(&notes), 2, "of three seats one is kept back");
    let waiting = stored(&mut daemon, &orders[3]).await;
    let State::Waiting(waits) = &waiting.state else { panic!("{:?}", waiting.state) };
    let pool = Resource::Pool("default/support".parse().unwrap());
    assert_eq!(waits.place.as_ref().map(|place| &place.gate), Some(&Gate::Room(pool)));
    assert_eq!((&*waits.note.code, waits.wake_at), ("pool.no_seat", waiting.order.latest));
    let (code, sentence) = reason(&mut daemon, &orders[3]).await;
    assert_eq!((&*code, &*sentence), ("pool.no_seat", "The pool support has no free seat: 2 of 2 are used."));
    let pool = shown(&mut daemon).await;
    assert_eq!((&pool["in_calls"], &pool["room"]), (&json!(2), &json!(0)));
    talk(&mut daemon, &notes, 0).await;
    assert_eq!(called(&notes), 3, "the next one gets the seat");
}

#[tokio::test]
async fn a_figure_holds_for_its_seconds_and_not_at_their_end() {
    let (mut daemon, notes) = daemon(3).await;
    feed(&mut daemon, json!({"seats": 5, "valid_for": 30})).await;
    daemon.advance(SECOND * 30 - TICK).await;
    ordered(&mut daemon, 0).await;
    assert_eq!(called(&notes), 1);
    daemon.advance(TICK).await;
    let late = ordered(&mut daemon, 1).await;
    settle(&mut daemon).await;
    assert_eq!((called(&notes), shown(&mut daemon).await["state"].as_str()), (1, Some("expired")));
    let (code, sentence) = reason(&mut daemon, &late).await;
    assert_eq!(code, "pool.expired");
    assert!(sentence.contains("ended at 2026-11-23T12:00:30Z"), "{sentence}");
    let waits = stored(&mut daemon, &late).await;
    assert_eq!(reason(&mut daemon, &late).await.0, &*waiting_for(&waits));
    // Nothing looks at the callbacks while nobody feeds the pool.
    daemon.advance(SignedDuration::from_hours(3)).await;
    assert_eq!((stored(&mut daemon, &late).await.version, called(&notes)), (waits.version, 1));
    feed(&mut daemon, json!({"seats": 5})).await;
    settle(&mut daemon).await;
    assert_eq!(called(&notes), 2);
}

fn waiting_for(callback: &Callback) -> String {
    let State::Waiting(waits) = &callback.state else { panic!("{:?}", callback.state) };
    waits.note.code.to_string()
}

#[tokio::test]
async fn what_waits_for_a_seat_sees_that_nobody_feeds_the_pool() {
    let (mut daemon, notes) = daemon(2).await;
    let never = ordered(&mut daemon, 0).await;
    settle(&mut daemon).await;
    let stored = stored(&mut daemon, &never).await;
    assert_eq!((reason(&mut daemon, &never).await.0, waiting_for(&stored)), twice("pool.unknown"));
    feed(&mut daemon, json!({"seats": 1})).await;
    settle(&mut daemon).await;
    assert_eq!(called(&notes), 1);
    assert_eq!(daemon.try_delete("/v1/pools/support").await.0, 200);
    let removed = ordered(&mut daemon, 1).await;
    settle(&mut daemon).await;
    assert_eq!(reason(&mut daemon, &removed).await.0, "pool.unknown");
    assert_eq!(daemon.try_delete("/v1/pools/support").await.1["code"], "pool.not_found");
    assert_eq!(daemon.ask_for("/v1/pools/support").await.1["code"], "pool.not_found");
}

fn twice(code: &str) -> (String, String) {
    (code.to_owned(), code.to_owned())
}

#[tokio::test]
async fn headroom_that_is_not_less_than_the_seats_leaves_none() {
    let (mut daemon, notes) = daemon(1).await;
    ordered(&mut daemon, 0).await;
    for headroom in [3, 2] {
        let answer = feed(&mut daemon, json!({"seats": 2, "headroom": headroom})).await;
        settle(&mut daemon).await;
        assert_eq!((called(&notes), &answer["room"]), (0, &json!(0)));
    }
    feed(&mut daemon, json!({"seats": 2, "headroom": 1})).await;
    settle(&mut daemon).await;
    assert_eq!(called(&notes), 1);
}

#[tokio::test]
async fn an_older_figure_changes_nothing_and_the_same_moment_replaces() {
    let (mut daemon, _) = daemon(0).await;
    daemon.pass(SECOND * 60);
    let as_of = |second: i64| (start() + SECOND * i32::try_from(second).unwrap()).to_string();
    feed(&mut daemon, json!({"free": 3, "as_of": as_of(50)})).await;
    let (status, older) = fed(&mut daemon, json!({"free": 9, "as_of": as_of(49)})).await;
    assert_eq!((status, &older["code"]), (409, &json!("pool.older_figure")));
    assert_eq!(shown(&mut daemon).await["free"], 3);
    feed(&mut daemon, json!({"free": 4, "as_of": as_of(50)})).await;
    assert_eq!(shown(&mut daemon).await["free"], 4);
    feed(&mut daemon, json!({"seats": 7})).await;
    let pool = shown(&mut daemon).await;
    assert_eq!((&pool["seats"], pool.get("free")), (&json!(7), None));
}

#[tokio::test]
async fn seats_may_be_lowered_below_what_is_in_use() {
    let (mut daemon, notes) = daemon(4).await;
    feed(&mut daemon, json!({"seats": 3})).await;
    let mut orders = Vec::new();
    for n in 0..4 {
        orders.push(ordered(&mut daemon, n).await);
    }
    settle(&mut daemon).await;
    feed(&mut daemon, json!({"seats": 1})).await;
    assert_eq!(
        reason(&mut daemon, &orders[3]).await.1,
        "The pool support has no free seat: 3 of 1 are used."
    );
    talk(&mut daemon, &notes, 0).await;
    talk(&mut daemon, &notes, 1).await;
    assert_eq!(called(&notes), 3, "one seat of one is in use");
    talk(&mut daemon, &notes, 2).await;
    assert_eq!(called(&notes), 4);
}

#[tokio::test]
async fn of_free_agents_only_those_are_subtracted_whom_the_figure_did_not_see_busy() {
    let (mut daemon, notes) = daemon(4).await;
    feed(&mut daemon, json!({"free": 1, "as_of": START})).await;
    for n in 0..4 {
        ordered(&mut daemon, n).await;
    }
    settle(&mut daemon).await;
    assert_eq!(called(&notes), 1);
    // The call rings: its agent still looks free.
    let now = daemon.now();
    feed(&mut daemon, json!({"free": 1, "as_of": now.to_string()})).await;
    settle(&mut daemon).await;
    assert_eq!(called(&notes), 1);
    report(&mut daemon, &notes, 0, "in-progress").await;
    // A figure from before the answer is of no more use; one from after it does not count the agent.
    settle(&mut daemon).await;
    let now = daemon.now();
    feed(&mut daemon, json!({"free": 1, "as_of": now.to_string()})).await;
    settle(&mut daemon).await;
    assert_eq!(called(&notes), 2);
}

#[tokio::test]
async fn a_seat_is_held_while_its_agent_wraps_up_and_also_after_a_restart() {
    let (mut daemon, notes) = daemon(4).await;
    let figure = json!({"seats": 1, "wrap_up_s": 60});
    feed(&mut daemon, figure.clone()).await;
    for n in 0..4 {
        ordered(&mut daemon, n).await;
    }
    settle(&mut daemon).await;
    report(&mut daemon, &notes, 0, "in-progress").await;
    // In the middle of the call.
    let mut daemon = daemon.restart(notes.clone()).await;
    feed(&mut daemon, figure.clone()).await;
    settle(&mut daemon).await;
    assert_eq!((called(&notes), &shown(&mut daemon).await["in_calls"]), (1, &json!(1)));
    let ended = daemon.now();
    report(&mut daemon, &notes, 0, "completed").await;
    assert_eq!((called(&notes), &shown(&mut daemon).await["in_wrap_up"]), (1, &json!(1)));
    // In the middle of the wrap-up.
    let mut daemon = daemon.restart(notes.clone()).await;
    feed(&mut daemon, figure).await;
    settle(&mut daemon).await;
    assert_eq!((called(&notes), &shown(&mut daemon).await["in_wrap_up"]), (1, &json!(1)));
    daemon.advance_to(ended + SECOND * 60 - TICK).await;
    assert_eq!(called(&notes), 1);
    daemon.advance_to(ended + SECOND * 60).await;
    assert_eq!(called(&notes), 2, "the scheduler wakes at the end of the wrap-up");
}

#[tokio::test]
async fn the_word_of_an_agent_ends_the_wrap_up_of_its_callback_only() {
    let (mut daemon, notes) = daemon(3).await;
    feed(&mut daemon, json!({"seats": 2, "wrap_up_s": 60, "headroom": 0})).await;
    let mut orders = Vec::new();
    for n in 0..3 {
        orders.push(ordered(&mut daemon, n).await);
    }
    settle(&mut daemon).await;
    for call in 0..2 {
        report(&mut daemon, &notes, call, "in-progress").await;
        report(&mut daemon, &notes, call, "completed").await;
    }
    assert_eq!((called(&notes), &shown(&mut daemon).await["in_wrap_up"]), (2, &json!(2)));
    let to = format!("/v1/callbacks/{}/wrap-up", orders[0]["id"].as_str().unwrap());
    let (status, answer) = daemon.try_post(&to, json!({"disposition": "done"})).await;
    assert_eq!(status, 200, "{answer}");
    settle(&mut daemon).await;
    assert_eq!((called(&notes), &shown(&mut daemon).await["in_wrap_up"]), (3, &json!(1)));
    // The other one is held, also after a restart.
    let mut daemon = daemon.restart(notes.clone()).await;
    assert_eq!(shown(&mut daemon).await["in_wrap_up"], 1);
}

#[tokio::test]
async fn after_a_word_during_the_call_no_seat_is_held() {
    let (mut daemon, notes) = daemon(2).await;
    feed(&mut daemon, json!({"seats": 1, "wrap_up_s": 60, "headroom": 0})).await;
    let first = ordered(&mut daemon, 0).await;
    ordered(&mut daemon, 1).await;
    settle(&mut daemon).await;
    report(&mut daemon, &notes, 0, "in-progress").await;
    let to = format!("/v1/callbacks/{}/wrap-up", first["id"].as_str().unwrap());
    assert_eq!(daemon.try_post(&to, json!({"disposition": "done"})).await.0, 200);
    // It is remembered, also over a restart.
    let mut daemon = daemon.restart(notes.clone()).await;
    feed(&mut daemon, json!({"seats": 1, "wrap_up_s": 60, "headroom": 0})).await;
    assert_eq!(called(&notes), 1);
    report(&mut daemon, &notes, 0, "completed").await;
    assert_eq!((called(&notes), &shown(&mut daemon).await["in_wrap_up"]), (2, &json!(0)));
}

#[tokio::test]
async fn nobody_wraps_up_after_a_call_that_nobody_answered() {
    let (mut daemon, notes) = daemon(2).await;
    feed(&mut daemon, json!({"seats": 1, "wrap_up_s": 60})).await;
    for n in 0..2 {
        ordered(&mut daemon, n).await;
    }
    settle(&mut daemon).await;
    report(&mut daemon, &notes, 0, "no-answer").await;
    assert_eq!(called(&notes), 2);
}

#[tokio::test]
async fn the_figure_holds_over_a_restart_until_its_end() {
    let (mut daemon, notes) = daemon(2).await;
    feed(&mut daemon, json!({"seats": 5, "valid_for": 120})).await;
    let mut daemon = daemon.restart(notes.clone()).await;
    daemon.advance(SECOND * 119).await;
    ordered(&mut daemon, 0).await;
    assert_eq!(called(&notes), 1);
    daemon.advance(SECOND).await;
    ordered(&mut daemon, 1).await;
    settle(&mut daemon).await;
    assert_eq!(called(&notes), 1);
}

#[tokio::test]
async fn a_sender_and_a_campaign_may_name_the_pool() {
    let notes = Arc::new(RecordingTransport::default());
    let pooled = |config: &mut ringmaster::config::Config| {
        for account in config.accounts.values_mut() {
            account.senders.values_mut().for_each(|sender| sender.pool = Some("usual".parse().unwrap()));
        }
    };
    let mut daemon = TestDaemon::configured(notes.clone(), pooled).await;
    daemon.grant(&consumer(0)).await;
    daemon.grant(&consumer(1)).await;
    let of_sender = daemon.order(&consumer(0), message()).await;
    settle(&mut daemon).await;
    assert!(reason(&mut daemon, &of_sender).await.1.contains("pool usual"));
    let campaign = daemon.post("/v1/campaigns", json!({"name": "S", "defaults": {"pool": "own"}})).await;
    let mut order = message();
    order["campaign"] = campaign["id"].clone();
    let of_campaign = daemon.order(&consumer(1), order).await;
    assert_eq!(of_campaign["pool"], "own");
    let launch = format!("/v1/campaigns/{}/launch", campaign["id"].as_str().unwrap());
    daemon.post(&launch, json!({})).await;
    settle(&mut daemon).await;
    assert!(reason(&mut daemon, &of_campaign).await.1.contains("pool own"));
    assert_eq!(called(&notes), 0);
}

#[tokio::test]
async fn every_wrong_field_of_a_figure_is_named() {
    let (mut daemon, _) = daemon(0).await;
    let as_of = |span: SignedDuration| (start() + span).to_string();
    for (body, fields) in [
        (json!({}), vec!["seats", "valid_for"]),
        (json!({"seats": 1, "free": 1, "as_of": START, "valid_for": 1}), vec!["free"]),
        (json!({"free": 1, "valid_for": 1}), vec!["as_of"]),
        (
            json!({"seats": -1, "valid_for": 121, "headroom": 10_001, "wrap_up_s": 3_601}),
            vec!["seats", "valid_for", "headroom", "wrap_up_s"],
        ),
        (json!({"seats": 10_000, "valid_for": 120, "headroom": 10_000, "wrap_up_s": 3_600}), vec![]),
        (json!({"seats": 10_001, "valid_for": 0}), vec!["seats", "valid_for"]),
        (json!({"free": 0, "as_of": as_of(SECOND + TICK), "valid_for": 120}), vec!["as_of"]),
        (json!({"free": 0, "as_of": as_of(-SECOND * 120), "valid_for": 120}), vec!["as_of"]),
        (json!({"free": 0, "as_of": "noon", "valid_for": 120}), vec!["as_of"]),
    ] {
        let (status, answer) = daemon.try_put("/v1/pools/other", body.clone()).await;
        let errors = answer["errors"].as_array().cloned().unwrap_or_default();
        let named: Vec<&str> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
        assert_eq!(named, fields, "{body}");
        assert_eq!(status, if fields.is_empty() { 200 } else { 422 }, "{body}: {answer}");
    }
    let old = json!({"free": 0, "as_of": as_of(-SECOND * 120 + TICK), "valid_for": 120});
    assert_eq!(daemon.try_put("/v1/pools/late", old).await.0, 200);
    // Clocks differ by a second.
    let ahead = json!({"free": 0, "as_of": as_of(SECOND), "valid_for": 120});
    let (status, taken) = daemon.try_put("/v1/pools/ahead", ahead).await;
    assert_eq!((status, &taken["as_of"]), (200, &json!(START)));
    let (status, answer) = daemon.try_put("/v1/pools/two%20words", json!({"seats": 1, "valid_for": 1})).await;
    assert_eq!((status, &answer["errors"][0]["field"]), (422, &json!("name")));
    let unknown = daemon.try_put("/v1/pools/late", json!({"seats": 1, "valid_for": 1, "agents": 2})).await;
    assert_eq!((unknown.0, &unknown.1["code"]), (400, &json!("body.shape")));
    let mut order = message();
    order["pool"] = "two words".into();
    let body = json!({"consumer": consumer(0), "sender": crate::harness::SENDER, "pool": "two words"});
    order.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    let (_, refused) = daemon.try_post("/v1/callbacks", order).await;
    assert_eq!(refused["errors"][0]["code"], "pool.malformed", "{refused}");
}

#[tokio::test]
async fn a_tenant_has_a_bounded_number_of_pools_and_old_commands_are_forgotten() {
    let (mut daemon, _) = daemon(0).await;
    let figure = json!({"seats": 1, "valid_for": 120});
    for n in 0..200 {
        let (status, answer) = daemon.try_put(&format!("/v1/pools/p{n}"), figure.clone()).await;
        assert_eq!(status, 200, "{answer}");
    }
    let (status, answer) = daemon.try_put("/v1/pools/p200", figure.clone()).await;
    assert_eq!((status, &answer["code"]), (409, &json!("pool.too_many")), "{answer}");
    assert_eq!(daemon.get("/v1/pools").await["pools"].as_array().unwrap().len(), 200);
    assert_eq!(daemon.try_delete("/v1/pools/p7").await.0, 200);
    assert_eq!(daemon.try_put("/v1/pools/p200", figure.clone()).await.0, 200);
    // An hour later the folded commands go, a hundred with each new one.
    daemon.advance(SignedDuration::from_hours(1)).await;
    for _ in 0..4 {
        assert_eq!(daemon.try_put("/v1/pools/p0", figure.clone()).await.0, 200);
    }
    assert_eq!(daemon.get("/v1/pools/p0").await["state"], "fed");
}

#[tokio::test]
async fn the_call_of_an_assigned_agent_takes_a_seat_before_and_after_it_is_exclusive() {
    let until = "2026-11-23T12:01:00Z";
    for (earliest, agent) in [("2026-11-23T12:00:59Z", "client:dora"), (until, "client:alice")] {
        let (mut daemon, notes) = daemon(2).await;
        let mut order = to_alice();
        order["pool"] = "support".into();
        order["assigned_agent"] = "client:dora".into();
        order["exclusive_until"] = until.into();
        order["earliest"] = earliest.into();
        daemon.order(&consumer(0), order).await;
        feed(&mut daemon, json!({"seats": 1})).await;
        daemon.advance_to(earliest.parse().unwrap()).await;
        assert_eq!(called(&notes), 1, "{earliest}");
        assert_eq!(notes.calls()[0].form["To"], agent, "{earliest}");
        let pool = shown(&mut daemon).await;
        assert_eq!((&pool["in_calls"], &pool["room"]), (&json!(1), &json!(0)), "{earliest}");
        let next = ordered(&mut daemon, 1).await;
        assert_eq!(reason(&mut daemon, &next).await.0, "pool.no_seat", "{earliest}");
        assert_eq!(called(&notes), 1, "{earliest}");
    }
}
