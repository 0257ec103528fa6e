//! Campaigns: nothing leaves before the launch, during a pause or after the cancellation; each change is one command.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringmaster::domain::{Callback, Campaign, CampaignId, Event, Gate, Phone, Restricted, State};
use serde_json::{Value, json};

use crate::harness::{RecordingTransport, SENDER, START, TestDaemon, message};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const TICK: SignedDuration = SignedDuration::from_micros(1);

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn consumer(n: usize) -> String {
    format!("+551198765{n:04}")
}

/// A daemon whose first consumers have allowed calls.
async fn daemon(consumers: usize) -> (TestDaemon, Arc<RecordingTransport>) {
    let notes = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(notes.clone()).await;
    for n in 0..consumers {
        daemon.grant(&consumer(n)).await;
    }
    (daemon, notes)
}

/// Creates a campaign; returns its id.
async fn campaign(daemon: &mut TestDaemon, more: Value) -> String {
    let mut body = json!({"name": "Spring"});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    daemon.post("/v1/campaigns", body).await["id"].as_str().unwrap().to_owned()
}

async fn act(daemon: &mut TestDaemon, id: &str, act: &str, body: Value) -> Value {
    daemon.post(&format!("/v1/campaigns/{id}/{act}"), body).await
}

/// The status and the code of a change that is refused.
async fn refused(daemon: &mut TestDaemon, id: &str, act: &str) -> (u16, String) {
    let body = if act == "pause" { json!({"why": "a drill"}) } else { json!({}) };
    let (status, answer) = daemon.try_post(&format!("/v1/campaigns/{id}/{act}"), body).await;
    (status, answer["code"].as_str().unwrap_or_default().to_owned())
}

async fn shown(daemon: &mut TestDaemon, id: &str) -> Value {
    daemon.get(&format!("/v1/campaigns/{id}")).await
}

async fn state(daemon: &mut TestDaemon, id: &str) -> String {
    shown(daemon, id).await["state"].as_str().unwrap().to_owned()
}

/// Orders for a consumer of the campaign.
async fn ordered(daemon: &mut TestDaemon, id: &str, n: usize) -> Value {
    let mut order = message();
    order["campaign"] = id.into();
    daemon.order(&consumer(n), order).await
}

async fn stored(daemon: &mut TestDaemon, answer: &Value) -> Callback {
    let id = answer["id"].as_str().unwrap().parse().unwrap();
    daemon.watch().callback(id).await.unwrap().unwrap().callback
}

fn gate(callback: &Callback) -> Option<Gate> {
    let State::Waiting(waiting) = &callback.state else { panic!("it waits: {:?}", callback.state) };
    waiting.place.as_ref().map(|place| place.gate.clone())
}

fn called(notes: &RecordingTransport) -> usize {
    notes.calls().len()
}

#[tokio::test]
async fn nothing_leaves_for_a_draft_and_its_callbacks_are_not_read() {
    let (mut daemon, notes) = daemon(1).await;
    let id = campaign(&mut daemon, json!({})).await;
    let granted = ordered(&mut daemon, &id, 0).await;
    let asking = ordered(&mut daemon, &id, 1).await;
    assert_eq!(granted["reason"]["code"], "campaign.not_launched", "{granted}");
    daemon.advance(HOUR).await;
    assert_eq!((called(&notes), notes.messages().len()), (0, 0));
    for answer in [&granted, &asking] {
        let callback = stored(&mut daemon, answer).await;
        let draft = Campaign::draft_pause_id(id.parse::<CampaignId>().unwrap());
        assert_eq!((callback.version, gate(&callback)), (1, Some(Gate::Pause(draft))));
    }
    assert_eq!(daemon.wakes_at(), Some("2026-12-03T12:00:00Z".parse().unwrap()), "their deadline");
    let launched = act(&mut daemon, &id, "launch", json!({"note": "approved by Rosa"})).await;
    assert_eq!(
        (&launched["state"], &launched["callbacks"], &launched["open"]),
        (&json!("running"), &json!(2), &json!(2))
    );
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!((called(&notes), notes.messages().len()), (1, 1));
    let history = &shown(&mut daemon, &id).await["history"];
    assert_eq!((&history[0]["act"], &history[0]["note"]), (&json!("launch"), &json!("approved by Rosa")));
    assert_eq!(history[1]["act"], "create");
}

#[tokio::test]
async fn a_tenant_alone_may_have_half_of_the_campaigns() {
    let (mut daemon, _) = daemon(0).await;
    let mut last = String::new();
    for _ in 0..500 {
        last = campaign(&mut daemon, json!({})).await;
    }
    let (status, refused) = daemon.try_post("/v1/campaigns", json!({"name": "One too many"})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("campaign.share_used")), "{refused}");
    act(&mut daemon, &last, "cancel", json!({})).await;
    daemon.advance(SignedDuration::ZERO).await;
    campaign(&mut daemon, json!({})).await;
}

#[tokio::test]
async fn a_pace_is_given_changed_and_removed() {
    let (mut daemon, notes) = daemon(3).await;
    let id = campaign(&mut daemon, json!({"calls_per_minute": 1})).await;
    assert_eq!(shown(&mut daemon, &id).await["calls_per_minute"], 1);
    for n in 0..3 {
        ordered(&mut daemon, &id, n).await;
    }
    act(&mut daemon, &id, "launch", json!({})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(called(&notes), 1);
    daemon.advance(SignedDuration::from_secs(59) - TICK).await;
    assert_eq!(called(&notes), 1);
    daemon.advance(TICK).await;
    assert_eq!(called(&notes), 2);
    let changed = act(&mut daemon, &id, "change", json!({"calls_per_minute": null})).await;
    assert_eq!(changed.get("calls_per_minute"), None);
    // The account begins one call a second.
    daemon.advance(SignedDuration::from_secs(1)).await;
    assert_eq!(called(&notes), 3);
    for value in [0, 6_001] {
        let path = format!("/v1/campaigns/{id}/change");
        let (status, refused) = daemon.try_post(&path, json!({"calls_per_minute": value})).await;
        assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!("calls_per_minute")), "{refused}");
    }
}

#[tokio::test]
async fn a_breaker_is_given_changed_and_its_faults_are_told() {
    let (mut daemon, _) = daemon(0).await;
    let id =
        campaign(&mut daemon, json!({"breaker": {"failed_percent_max": null, "abandoned_of_min": 10}})).await;
    let mut expected = json!({"abandoned_percent_max": 3, "abandoned_of_min": 10, "failed_of_min": 20,
        "failed_window_minutes": 15, "on_quality_warning": true});
    assert_eq!(shown(&mut daemon, &id).await["breaker"], expected);
    act(&mut daemon, &id, "launch", json!({})).await;
    let change = json!({"breaker": {"abandoned_percent_max": 0, "failed_window_minutes": 1440, "failed_percent_max": 100}});
    let changed = act(&mut daemon, &id, "change", change).await;
    expected["abandoned_percent_max"] = 0.into();
    expected["failed_percent_max"] = 100.into();
    expected["failed_window_minutes"] = 1440.into();
    assert_eq!(changed["breaker"], expected);
    for (field, value) in [
        ("abandoned_percent_max", 101),
        ("abandoned_percent_max", -1),
        ("failed_percent_max", 101),
        ("abandoned_of_min", 0),
        ("failed_of_min", 1_000_001),
        ("failed_window_minutes", 4),
        ("failed_window_minutes", 1_441),
    ] {
        let path = format!("/v1/campaigns/{id}/change");
        let (status, refused) = daemon.try_post(&path, json!({"breaker": {field: value}})).await;
        assert_eq!((status, &refused["code"]), (422, &json!("campaign.invalid")), "{refused}");
        assert_eq!(refused["errors"][0]["field"], format!("breaker.{field}"), "{refused}");
    }
    let (status, _) = daemon.try_post("/v1/campaigns", json!({"name": "x", "breaker": {"speed": 1}})).await;
    assert!((400..500).contains(&status), "{status}");
    assert_eq!(shown(&mut daemon, &id).await["breaker"], expected, "nothing half done");
}

#[tokio::test]
async fn a_restricted_sender_pauses_the_campaigns_that_called_by_it() {
    let (mut daemon, notes) = daemon(1).await;
    let used = campaign(&mut daemon, json!({})).await;
    let idle = campaign(&mut daemon, json!({})).await;
    for id in [&used, &idle] {
        act(&mut daemon, id, "launch", json!({})).await;
    }
    ordered(&mut daemon, &used, 0).await;
    daemon.advance(SignedDuration::ZERO).await;
    for call in notes.calls() {
        let account = daemon.account_sid().to_owned();
        let form = [("CallSid", &*call.sid), ("AccountSid", &account), ("CallStatus", "no-answer")];
        let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert!((200..300).contains(&daemon.hook(&call.form["StatusCallback"], &form).await));
    }
    daemon.advance(SignedDuration::ZERO).await;
    let restricted = |sender: &str| Event::Restriction {
        account: "main".into(),
        sender: Some(Phone::parse(sender).unwrap()),
        what: Restricted::Everything,
        why: Some("LOW_QUALITY".to_owned()),
        until: None,
        told_at: None,
    };
    daemon.file(vec![restricted("+551140000009")]).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(state(&mut daemon, &used).await, "running", "it called by another sender");
    daemon.file(vec![restricted(SENDER)]).await;
    daemon.advance(SignedDuration::ZERO).await;
    let paused = shown(&mut daemon, &used).await;
    assert_eq!(paused["pause"]["why"], "the platform restricts a sender: LOW_QUALITY", "{paused}");
    assert_eq!(
        (&paused["history"][0]["by"], &paused["pause"]["by"]),
        (&json!("ringmaster"), &json!("ringmaster"))
    );
    assert_eq!(state(&mut daemon, &idle).await, "running", "it has not called");
}

#[tokio::test]
async fn a_campaign_may_make_its_orders_separate() {
    let (mut daemon, _) = daemon(0).await;
    let id = campaign(&mut daemon, json!({"defaults": {"separate": true}})).await;
    assert_eq!(ordered(&mut daemon, &id, 0).await["separate"], true);
    let mut order = message();
    (order["campaign"], order["separate"]) = (id.into(), false.into());
    assert_eq!(daemon.order(&consumer(1), order).await["separate"], false);
    assert_eq!(daemon.order(&consumer(2), message()).await["separate"], false);
}

#[tokio::test]
async fn a_draft_survives_a_restart_and_is_launched_after_it() {
    let (mut daemon, notes) = daemon(1).await;
    let id = campaign(&mut daemon, json!({})).await;
    ordered(&mut daemon, &id, 0).await;
    let mut daemon = daemon.restart(notes.clone()).await;
    daemon.advance(HOUR).await;
    assert_eq!(called(&notes), 0);
    act(&mut daemon, &id, "ready", json!({})).await;
    act(&mut daemon, &id, "launch", json!({})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(called(&notes), 1);
}

#[tokio::test]
async fn the_deadline_of_a_callback_passes_in_a_draft() {
    let (mut daemon, notes) = daemon(1).await;
    let id = campaign(&mut daemon, json!({})).await;
    let answer = ordered(&mut daemon, &id, 0).await;
    daemon.advance_to("2026-12-03T12:00:00Z".parse().unwrap()).await;
    assert_eq!(stored(&mut daemon, &answer).await.closed().unwrap().outcome.as_str(), "expired");
    assert_eq!(called(&notes), 0);
    assert_eq!(shown(&mut daemon, &id).await["open"], 0);
}

#[tokio::test]
async fn a_pause_holds_the_campaign_alone_until_its_end() {
    let (mut daemon, notes) = daemon(2).await;
    let id = campaign(&mut daemon, json!({})).await;
    act(&mut daemon, &id, "launch", json!({})).await;
    let until = start() + HOUR;
    let paused = act(&mut daemon, &id, "pause", json!({"why": "lunch", "until": until.to_string()})).await;
    assert_eq!((&paused["state"], &paused["pause"]["why"]), (&json!("paused"), &json!("lunch")));
    let held = ordered(&mut daemon, &id, 0).await;
    daemon.order(&consumer(1), message()).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(called(&notes), 1, "the callback without the campaign");
    let path = format!("/v1/callbacks/{}/explain", held["id"].as_str().unwrap());
    let explained = daemon.get(&path).await.to_string();
    assert!(explained.contains("pause.campaign") && explained.contains("lunch"), "{explained}");
    daemon.advance_to(until - TICK).await;
    assert_eq!(called(&notes), 1);
    daemon.advance(TICK).await;
    assert_eq!(called(&notes), 2);
    assert_eq!(state(&mut daemon, &id).await, "running");
}

#[tokio::test]
async fn a_paused_campaign_is_resumed_or_its_pause_lifted() {
    let (mut daemon, notes) = daemon(2).await;
    let id = campaign(&mut daemon, json!({})).await;
    act(&mut daemon, &id, "launch", json!({})).await;
    for (n, lifts) in [(0, false), (1, true)] {
        let paused = act(&mut daemon, &id, "pause", json!({"why": "a drill"})).await;
        ordered(&mut daemon, &id, n).await;
        daemon.advance(HOUR).await;
        assert_eq!(called(&notes), n);
        let listed = daemon.get("/v1/pauses").await;
        assert_eq!(
            (&listed["pauses"][0]["scope"], &listed["pauses"][0]["campaign"]),
            (&json!("campaign"), &json!(id))
        );
        if lifts {
            let pause = paused["pause"]["id"].as_str().unwrap();
            assert_eq!(daemon.try_delete(&format!("/v1/pauses/{pause}")).await.0, 200);
        } else {
            act(&mut daemon, &id, "resume", json!({})).await;
        }
        daemon.advance(SignedDuration::ZERO).await;
        assert_eq!(called(&notes), n + 1);
    }
    let draft = campaign(&mut daemon, json!({})).await;
    assert_eq!(daemon.get("/v1/pauses").await["pauses"], json!([]), "a draft is no operator's pause");
    let hidden = draft.replace("cmp_", "ps_");
    assert_eq!(daemon.try_delete(&format!("/v1/pauses/{hidden}")).await.0, 404);
}

#[tokio::test]
async fn a_canceled_campaign_closes_its_callbacks_in_batches_and_takes_no_more() {
    let (mut daemon, notes) = daemon(0).await;
    let id = campaign(&mut daemon, json!({})).await;
    let mut orders = Vec::new();
    for n in 0..120 {
        orders.push(ordered(&mut daemon, &id, n).await);
    }
    let other = daemon
        .order(
            &consumer(200),
            json!({"earliest": "2026-12-01T12:00:00Z", "document": "message",
        "variables": {"message": "Hello."}, "campaign": "spring"}),
        )
        .await;
    let canceled = act(&mut daemon, &id, "cancel", json!({"note": "the wrong list"})).await;
    assert_eq!(canceled["state"], "canceled");
    daemon.advance(SignedDuration::ZERO).await;
    let done = shown(&mut daemon, &id).await;
    assert_eq!((&done["open"], &done["by_state"]), (&json!(0), &json!({"canceled": 120})));
    assert!(done["ended_at"].is_string(), "{done}");
    for answer in &orders {
        let callback = stored(&mut daemon, answer).await;
        assert_eq!(callback.closed().unwrap().note.code, "campaign.canceled");
    }
    assert!(!stored(&mut daemon, &other).await.is_closed(), "it only has a label");
    assert_eq!((called(&notes), notes.messages().len()), (0, 0));
    let mut order = message();
    for (field, value) in [("campaign", id.as_str()), ("consumer", &consumer(1)), ("sender", SENDER)] {
        order[field] = value.into();
    }
    let (status, answer) = daemon.try_post("/v1/callbacks", order).await;
    assert_eq!((status, &answer["errors"][0]["field"]), (422, &json!("campaign")), "{answer}");
    assert_eq!(daemon.watch().wrong_counts().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_call_in_progress_of_a_canceled_campaign_ends_first() {
    let (mut daemon, notes) = daemon(2).await;
    let id = campaign(&mut daemon, json!({"concurrent_calls_max": 1})).await;
    let answers = [ordered(&mut daemon, &id, 0).await, ordered(&mut daemon, &id, 1).await];
    act(&mut daemon, &id, "launch", json!({})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(called(&notes), 1);
    act(&mut daemon, &id, "cancel", json!({})).await;
    let now = shown(&mut daemon, &id).await;
    assert_eq!((&now["open"], &now["by_state"]["canceled"]), (&json!(1), &json!(1)), "{now}");
    let mut asked = 0;
    for answer in &answers {
        asked += usize::from(stored(&mut daemon, answer).await.cancel_requested_at.is_some());
    }
    assert_eq!(asked, 1);
    assert!(now["ended_at"].is_null());
}

#[tokio::test]
async fn the_ceiling_holds_and_a_higher_one_lets_more_go_at_once() {
    let (mut daemon, notes) = daemon(4).await;
    let id = campaign(&mut daemon, json!({"concurrent_calls_max": 1})).await;
    let mut orders = Vec::new();
    for n in 0..4 {
        orders.push(ordered(&mut daemon, &id, n).await);
    }
    act(&mut daemon, &id, "launch", json!({})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(called(&notes), 1);
    act(&mut daemon, &id, "change", json!({"concurrent_calls_max": 3, "name": "Late spring"})).await;
    daemon.advance_to(daemon.now() + SignedDuration::from_secs(5)).await;
    assert_eq!(called(&notes), 3);
    let changed = act(&mut daemon, &id, "change", json!({"concurrent_calls_max": null})).await;
    daemon.advance_to(daemon.now() + SignedDuration::from_secs(5)).await;
    assert_eq!((called(&notes), &changed["name"]), (4, &json!("Late spring")));
    assert!(changed["concurrent_calls_max"].is_null());
}

#[tokio::test]
async fn a_draining_campaign_is_finished_with_its_last_callback() {
    let (mut daemon, _notes) = daemon(0).await;
    let id = campaign(&mut daemon, json!({})).await;
    act(&mut daemon, &id, "launch", json!({})).await;
    let last = ordered(&mut daemon, &id, 0).await;
    assert_eq!(act(&mut daemon, &id, "drain", json!({})).await["state"], "draining");
    daemon.advance(HOUR).await;
    assert_eq!(state(&mut daemon, &id).await, "draining");
    daemon.post(&format!("/v1/callbacks/{}/cancel", last["id"].as_str().unwrap()), json!({})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(state(&mut daemon, &id).await, "finished");
    let empty = campaign(&mut daemon, json!({})).await;
    act(&mut daemon, &empty, "launch", json!({})).await;
    act(&mut daemon, &empty, "drain", json!({})).await;
    daemon.advance(SignedDuration::ZERO).await;
    assert_eq!(state(&mut daemon, &empty).await, "finished", "it had none");
}

#[tokio::test]
async fn what_is_not_possible_is_refused_and_names_the_state() {
    let (mut daemon, _notes) = daemon(0).await;
    let id = campaign(&mut daemon, json!({})).await;
    let conflict = (409, "campaign.state".to_owned());
    for word in ["pause", "resume", "drain"] {
        assert_eq!(refused(&mut daemon, &id, word).await, conflict, "{word} of a draft");
    }
    act(&mut daemon, &id, "launch", json!({})).await;
    for word in ["ready", "launch"] {
        assert_eq!(refused(&mut daemon, &id, word).await, conflict, "{word} of a running one");
    }
    act(&mut daemon, &id, "cancel", json!({})).await;
    for word in ["launch", "pause", "resume", "drain", "cancel", "change", "ready"] {
        assert_eq!(refused(&mut daemon, &id, word).await, conflict, "{word} of a canceled one");
    }
    let unknown = "cmp_00000000000000000000000000000007";
    assert_eq!(refused(&mut daemon, unknown, "launch").await, (404, "campaign.not_found".to_owned()));
    assert_eq!(refused(&mut daemon, "spring", "launch").await.0, 400);
}

#[tokio::test]
async fn a_draft_takes_orders_and_a_ready_campaign_does_not() {
    let (mut daemon, _notes) = daemon(0).await;
    let id = campaign(&mut daemon, json!({})).await;
    let unknown = "cmp_00000000000000000000000000000007";
    act(&mut daemon, &id, "ready", json!({})).await;
    let cut = &id[..20];
    let cases = [(id.as_str(), "campaign.closed"), (unknown, "campaign.unknown"), (cut, "campaign.unknown")];
    for (campaign, code) in cases {
        let mut order = message();
        order["campaign"] = campaign.into();
        order["consumer"] = consumer(0).into();
        order["sender"] = SENDER.into();
        let (status, answer) = daemon.try_post("/v1/callbacks", order).await;
        assert_eq!((status, &answer["errors"][0]["code"]), (422, &json!(code)), "{answer}");
    }
}

#[tokio::test]
async fn an_order_gets_what_it_leaves_out_and_keeps_what_it_has() {
    let (mut daemon, _notes) = daemon(0).await;
    let defaults = json!({"sender": SENDER, "document": "message", "variables": {"message": "Hello."}, "priority": 8,
        "attempts_max": 1, "purpose": "collections", "latest": "2026-12-01T12:00:00Z"});
    let id = campaign(&mut daemon, json!({"defaults": defaults})).await;
    let bare = daemon.post("/v1/callbacks", json!({"consumer": consumer(0), "campaign": id})).await;
    let full = daemon
        .post(
            "/v1/callbacks",
            json!({"consumer": consumer(1), "campaign": id, "priority": 2, "variables": {"message": "Hi."}}),
        )
        .await;
    let (bare, full) = (stored(&mut daemon, &bare).await.order, stored(&mut daemon, &full).await.order);
    assert_eq!((bare.priority.level(), bare.attempts_max, bare.purpose.as_str()), (8, 1, "collections"));
    assert_eq!((bare.document.as_str(), &*bare.variables["message"]), ("message", "Hello."));
    assert_eq!((full.priority.level(), &*full.variables["message"]), (2, "Hi."));
    assert_eq!(full.latest, "2026-12-01T12:00:00Z".parse().unwrap());
}

#[tokio::test]
async fn every_wrong_field_of_a_campaign_is_named() {
    let (mut daemon, _notes) = daemon(0).await;
    for (body, fields) in [
        (json!({}), vec!["name"]),
        (json!({"name": "x".repeat(101)}), vec!["name"]),
        (json!({"name": "x", "concurrent_calls_max": 0}), vec!["concurrent_calls_max"]),
        (json!({"name": "x", "concurrent_calls_max": 100_001}), vec!["concurrent_calls_max"]),
        (json!({"name": "x", "defaults": []}), vec!["defaults"]),
        (json!({"name": "x", "defaults": {"priority": 10}}), vec!["defaults.priority"]),
        (json!({"name": "x", "defaults": {"document": "nowhere"}}), vec!["defaults.document"]),
        (json!({"name": "x", "defaults": {"sender": "+551150000000"}}), vec!["defaults.sender"]),
    ] {
        let (status, answer) = daemon.try_post("/v1/campaigns", body.clone()).await;
        let named: Vec<_> = answer["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| fault["field"].as_str().unwrap())
            .collect();
        assert_eq!((status, named), (422, fields), "{body} {answer}");
    }
    let (status, _) =
        daemon.try_post("/v1/campaigns", json!({"name": "x", "defaults": {"consumer": "+1"}})).await;
    assert_eq!(status, 422);
    assert_eq!(daemon.get("/v1/campaigns").await["campaigns"], json!([]));
}

#[tokio::test]
async fn a_pause_tells_what_ends_meanwhile_and_the_history_what_changed() {
    let (mut daemon, _) = daemon(0).await;
    let id = campaign(&mut daemon, json!({})).await;
    ordered(&mut daemon, &id, 1).await;
    act(&mut daemon, &id, "launch", json!({})).await;
    act(&mut daemon, &id, "change", json!({"weight": 20, "note": "faster"})).await;
    let paused = act(&mut daemon, &id, "pause", json!({"why": "lunch"})).await;
    let counts =
        ["callbacks", "deadlines", "permissions", "promises"].map(|of| paused["holds"][of]["count"].clone());
    assert_eq!(counts, [1, 1, 0, 0].map(Value::from), "without an end every deadline passes: {paused}");
    let shown = shown(&mut daemon, &id).await;
    assert_eq!(shown.get("holds"), None, "only the answer to the pause has it");
    let acts: Vec<(&str, &Value)> = shown["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|act| (act["act"].as_str().unwrap(), &act["changes"]))
        .collect();
    let change = json!([{"field": "weight", "before": "10", "after": "20"}]);
    let launch = json!([{"field": "state", "before": "draft", "after": "running"}]);
    assert_eq!(acts[..3], [("pause", &Value::Null), ("change", &change), ("launch", &launch)]);
}
