//! A campaign of those whom another campaign did not reach.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::{Event, Named, Phone};
use serde_json::{Value, json};

use crate::harness::{RecordingTransport, SENDER, TestDaemon, message};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// After the deadlines of the first campaign.
const LATER: &str = "2026-11-24T13:00:00Z";
const LATEST: &str = "2026-11-26T12:00:00Z";

fn consumer(n: usize) -> String {
    format!("+551198765{n:04}")
}

/// A campaign with so many callbacks, launched, whose deadline has passed without an answer of anybody.
async fn past(callbacks: usize, more: Value) -> (TestDaemon, Arc<RecordingTransport>, String) {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(notes.clone()).await;
    let mut body = json!({"name": "Spring", "weight": 20, "concurrent_calls_max": 3});
    body["defaults"] = json!({"priority": 3});
    let id = daemon.post("/v1/campaigns", body).await["id"].as_str().unwrap().to_owned();
    for n in 0..callbacks {
        let mut order = message();
        (order["campaign"], order["latest"]) = (id.as_str().into(), "2026-11-24T12:00:00Z".into());
        order["reference"] = format!("ticket-{n}").into();
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        daemon.order(&consumer(n), order).await;
    }
    daemon.post(&format!("/v1/campaigns/{id}/launch"), json!({})).await;
    (daemon, notes, id)
}

async fn follow(daemon: &mut TestDaemon, id: &str, more: Value) -> (u16, Value) {
    let mut body = json!({"latest": LATEST});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = daemon.try_post(&format!("/v1/campaigns/{id}/follow-up"), body).await;
    daemon.advance(SignedDuration::ZERO).await;
    answer
}

async fn shown(daemon: &mut TestDaemon, id: &str) -> Value {
    daemon.get(&format!("/v1/campaigns/{id}")).await
}

async fn rows(daemon: &mut TestDaemon, id: &str) -> Vec<Value> {
    let listed = daemon.get(&format!("/v1/callbacks?campaign={id}")).await;
    listed["callbacks"].as_array().unwrap().clone()
}

async fn until(daemon: &mut TestDaemon, at: &str) {
    daemon.advance_to(at.parse::<Timestamp>().unwrap()).await;
}

#[tokio::test]
async fn those_who_were_not_reached_are_taken_over_with_what_was_ordered() {
    let (mut daemon, notes, first) = past(3, json!({"purpose": "service"})).await;
    until(&mut daemon, LATER).await;
    let asked = notes.messages().len();
    let (status, draft) = follow(&mut daemon, &first, json!({"note": "once more"})).await;
    assert_eq!((status, &draft["state"], &draft["name"]), (200, &json!("draft"), &json!("Spring")));
    assert_eq!((&draft["weight"], &draft["concurrent_calls_max"]), (&json!(20), &json!(3)));
    let id = draft["id"].as_str().unwrap();
    let whole = shown(&mut daemon, id).await;
    let follow_up = &whole["follow_up"];
    assert_eq!((&follow_up["of"], &follow_up["whole"]), (&json!(first), &json!(true)), "{whole}");
    assert_eq!(
        (&follow_up["made"], &follow_up["left_out"], &whole["open"]),
        (&json!(3), &json!(0), &json!(3))
    );
    assert_eq!(whole["history"][0]["note"], "once more");
    let mut made = rows(&mut daemon, id).await;
    made.sort_by_key(|row| row["reference"].to_string());
    for (n, row) in made.iter().enumerate() {
        assert_eq!(row["consumer"], consumer(n));
        assert_eq!((&row["reference"], &row["purpose"]), (&json!(format!("ticket-{n}")), &json!("service")));
        assert_eq!((&row["priority"], &row["latest"]), (&json!(3), &json!(LATEST)));
        assert_eq!(row["reason"]["code"], "campaign.not_launched");
    }
    daemon.advance(HOUR).await;
    assert_eq!(notes.messages().len(), asked, "nothing leaves before the launch");
    daemon.grant(&consumer(0)).await;
    daemon.post(&format!("/v1/campaigns/{id}/launch"), json!({})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(notes.calls().len(), 1);
    assert_eq!(rows(&mut daemon, &first).await.len(), 3, "the first campaign stays as it was");
}

#[tokio::test]
async fn who_refused_or_is_suppressed_since_is_left_out() {
    let (mut daemon, _, first) = past(4, json!({})).await;
    until(&mut daemon, LATER).await;
    let stops = Event::InboundMessage {
        sender: Phone::parse(SENDER).unwrap(),
        who: Named::number(Phone::parse(&consumer(1)).unwrap()),
        word: Some(ringmaster::domain::event::Word::Stop),
        wrote_at: None,
    };
    daemon.file(vec![stops]).await;
    daemon.post("/v1/suppression", json!({"consumers": [consumer(2)], "why": "she asked"})).await;
    daemon.advance(SignedDuration::ZERO).await;
    let (_, draft) = follow(&mut daemon, &first, json!({})).await;
    let shown = shown(&mut daemon, draft["id"].as_str().unwrap()).await;
    assert_eq!(
        (&shown["follow_up"]["made"], &shown["follow_up"]["left_out"]),
        (&json!(2), &json!(2)),
        "{shown}"
    );
    let made = rows(&mut daemon, draft["id"].as_str().unwrap()).await;
    let mut consumers: Vec<&str> = made.iter().map(|row| row["consumer"].as_str().unwrap()).collect();
    consumers.sort_unstable();
    assert_eq!(consumers, [consumer(0), consumer(3)]);
}

#[tokio::test]
async fn an_erased_person_is_left_out_and_taken_out() {
    let (mut daemon, notes, first) = past(2, json!({})).await;
    until(&mut daemon, LATER).await;
    let erase = async |daemon: &mut TestDaemon, n| {
        let order = json!({"consumer": consumer(n), "why": "asked by letter"});
        assert_eq!(daemon.post_as_admin("/v1/consumers/erase", order).await.0, 202);
        daemon.advance(SignedDuration::from_mins(1)).await;
    };
    erase(&mut daemon, 0).await;
    let (_, draft) = follow(&mut daemon, &first, json!({})).await;
    let id = draft["id"].as_str().unwrap();
    let told = shown(&mut daemon, id).await;
    let counts = (&told["follow_up"]["made"], &told["follow_up"]["left_out"]);
    assert_eq!(counts, (&json!(1), &json!(1)), "{told}");
    erase(&mut daemon, 1).await;
    let calls = notes.calls().len();
    daemon.post(&format!("/v1/campaigns/{id}/launch"), json!({})).await;
    daemon.advance(SignedDuration::from_hours(1)).await;
    assert_eq!(notes.calls().len(), calls, "nobody is called");
    assert_eq!(shown(&mut daemon, id).await["open"], 0);
}

#[tokio::test]
async fn only_the_outcomes_that_were_named_are_taken_over() {
    let (mut daemon, _, first) = past(3, json!({})).await;
    let listed = rows(&mut daemon, &first).await;
    let canceled = listed[0]["id"].as_str().unwrap();
    daemon.post(&format!("/v1/callbacks/{canceled}/cancel"), json!({})).await;
    let (_, open) = follow(&mut daemon, &first, json!({"name": "too early"})).await;
    assert_eq!(
        shown(&mut daemon, open["id"].as_str().unwrap()).await["callbacks"],
        0,
        "nobody is closed as that"
    );
    until(&mut daemon, LATER).await;
    for (outcomes, made) in
        [(json!(["canceled"]), 1), (json!(["expired", "canceled"]), 3), (json!(["failed"]), 0)]
    {
        let (_, draft) = follow(&mut daemon, &first, json!({"outcomes": outcomes})).await;
        let shown = shown(&mut daemon, draft["id"].as_str().unwrap()).await;
        assert_eq!(shown["follow_up"]["made"], made, "{shown}");
    }
}

#[tokio::test]
async fn the_same_order_again_is_the_same_campaign() {
    let (mut daemon, _, first) = past(2, json!({})).await;
    until(&mut daemon, LATER).await;
    let (_, one) = follow(&mut daemon, &first, json!({})).await;
    let (_, again) = follow(&mut daemon, &first, json!({})).await;
    assert_eq!(one["id"], again["id"]);
    assert_eq!(shown(&mut daemon, one["id"].as_str().unwrap()).await["callbacks"], 2);
    let (_, other) = follow(&mut daemon, &first, json!({"name": "another"})).await;
    assert_ne!(one["id"], other["id"]);
}

#[tokio::test]
async fn a_long_list_is_taken_over_in_batches_also_across_a_restart() {
    let (mut daemon, notes, first) = past(700, json!({})).await;
    until(&mut daemon, LATER).await;
    let body = json!({"latest": LATEST});
    let (_, draft) = daemon.try_post(&format!("/v1/campaigns/{first}/follow-up"), body).await;
    let id = draft["id"].as_str().unwrap().to_owned();
    let mut daemon = daemon.restart(notes).await;
    daemon.advance(SignedDuration::ZERO).await;
    let whole = shown(&mut daemon, &id).await;
    assert_eq!((&whole["callbacks"], &whole["follow_up"]["whole"]), (&json!(700), &json!(true)));
    assert_eq!(daemon.watch().wrong_counts().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn wrong_requests_are_refused_and_make_nothing() {
    let (mut daemon, _, first) = past(1, json!({})).await;
    for (body, field) in [
        (json!({"latest": null}), "latest"),
        (json!({"latest": "2026-11-23T12:00:00Z"}), "latest"),
        (json!({"latest": "2027-12-24T12:00:00Z"}), "latest"),
        (json!({"latest": "soon"}), "latest"),
        (json!({"earliest": LATEST}), "latest"),
        (json!({"earliest": "2026-11-01T12:00:00Z"}), "earliest"),
        (json!({"outcomes": []}), "outcomes"),
        (json!({"outcomes": ["declined"]}), "outcomes"),
        (json!({"outcomes": ["reached"]}), "outcomes"),
        (json!({"name": ""}), "name"),
    ] {
        let (status, refused) = follow(&mut daemon, &first, body.clone()).await;
        assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!(field)), "{body}: {refused}");
    }
    let draft = daemon.post("/v1/campaigns", json!({"name": "Draft"})).await;
    let (status, refused) = follow(&mut daemon, draft["id"].as_str().unwrap(), json!({})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("campaign.state")), "{refused}");
    let (status, _) = follow(&mut daemon, "cmp_00000000000000000000000000000009", json!({})).await;
    assert_eq!(status, 404);
    assert_eq!(daemon.get("/v1/campaigns").await["campaigns"].as_array().unwrap().len(), 2);
}
