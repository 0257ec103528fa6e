//! Wrap-up: what agents say of calls, and what follows from it; promises and how they are kept.

use std::sync::Arc;

use jiff::SignedDuration;
use ringmaster::domain::{EffectKind, ListName};
use serde_json::{Value, json};

use crate::harness::{CONSUMER, RecordingTransport, SENDER, TestDaemon, to_alice};

/// A daemon whose call to the consumer was answered and is over.
struct Talked {
    daemon: TestDaemon,
    platform: Arc<RecordingTransport>,
    id: String,
}

fn order() -> Value {
    let mut order = to_alice();
    order["reference"] = "ticket-17".into();
    order["consent"] = json!({"source": "form", "at": "2026-11-22T12:00:00Z"});
    order["latest"] = "2026-11-25T12:00:00Z".into();
    order
}

impl Talked {
    async fn new(order: Value) -> Self {
        let platform = Arc::new(RecordingTransport::default());
        let mut daemon = TestDaemon::configured(platform.clone(), |config| {
            config.calling.wrap_up_after = Some(SignedDuration::from_mins(15));
        })
        .await;
        daemon.grant(CONSUMER).await;
        let id = daemon.order(CONSUMER, order).await["id"].as_str().unwrap().to_owned();
        daemon.advance(SignedDuration::ZERO).await;
        let mut talked = Self { daemon, platform, id };
        talked.call_is_over(0).await;
        talked
    }

    /// The agent answered, the consumer answered in second 10, and the call is over in second 60.
    async fn call_is_over(&mut self, call: usize) {
        let call = self.platform.calls().remove(call);
        let urls = call.form["Url"].split('#').next().unwrap().strip_suffix("document").unwrap().to_owned();
        let leg = "CA0000000000000000000000000000beef";
        let from = self.daemon.now();
        let at = |second: i64| {
            let at = from + SignedDuration::from_secs(second);
            at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
        };
        let reports = [
            ("document", &*call.sid, "in-progress", 5, None),
            ("leg", leg, "ringing", 7, Some(&*call.sid)),
            ("leg", leg, "in-progress", 10, Some(&*call.sid)),
            ("leg", leg, "completed", 60, Some(&*call.sid)),
            ("status", &*call.sid, "completed", 60, None),
        ];
        for (to, sid, status, second, parent) in reports {
            let account = self.daemon.account_sid().to_owned();
            let time = at(second);
            let mut form = vec![
                ("CallSid", sid),
                ("AccountSid", &*account),
                ("CallStatus", status),
                ("Timestamp", &*time),
            ];
            form.extend(parent.map(|parent| ("ParentCallSid", parent)));
            form.extend((status == "completed").then_some(("CallDuration", "50")));
            let form: Vec<(String, String)> =
                form.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let url = format!("{urls}{to}");
            assert!((200..300).contains(&self.daemon.hook(&url, &form).await), "{to} {status}");
        }
        self.daemon.advance(SignedDuration::from_secs(60)).await;
    }

    async fn shown(&mut self) -> Value {
        self.daemon.get(&format!("/v1/callbacks/{}", self.id)).await
    }

    async fn says(&mut self, said: Value) -> (u16, Value) {
        self.daemon.try_post(&format!("/v1/callbacks/{}/wrap-up", self.id), said).await
    }

    async fn timeline(&mut self) -> Vec<String> {
        let timeline = self.daemon.get(&format!("/v1/callbacks/{}/timeline", self.id)).await;
        let entries = timeline["entries"].as_array().unwrap().clone();
        entries.iter().map(|entry| entry["what"].as_str().unwrap().to_owned()).collect()
    }

    async fn missing(&mut self) -> Vec<Value> {
        let page = self.daemon.get("/v1/callbacks?wrap_up=missing").await;
        page["callbacks"].as_array().unwrap().iter().map(|callback| callback["id"].clone()).collect()
    }

    async fn another(&mut self, reference: &str) -> (u16, Value) {
        let mut order = order();
        order["reference"] = reference.into();
        order["consumer"] = CONSUMER.into();
        order["sender"] = SENDER.into();
        order["earliest"] = "2026-11-24T12:00:00Z".into();
        self.daemon.try_post("/v1/callbacks", order).await
    }
}

#[tokio::test]
async fn after_an_erasure_nothing_more_is_stored_about_the_call() {
    let mut talked = Talked::new(order()).await;
    let erased = json!({"consumer": CONSUMER, "why": "a request by mail"});
    assert_eq!(talked.daemon.post_as_admin("/v1/consumers/erase", erased).await.0, 202);
    talked.daemon.advance(SignedDuration::from_mins(5)).await;
    let (status, refusal) = talked.says(json!({"disposition": "done", "note": "he paid"})).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("wrap_up.erased")), "{refusal}");
    assert!(talked.shown().await.get("wrap_up").is_none());
}

#[tokio::test]
async fn reports_count_what_agents_said_and_a_correction_replaces_it() {
    let mut talked = Talked::new(order()).await;
    let today = talked.daemon.now().strftime("%Y-%m-%d").to_string();
    let report = format!("/v1/reports/outcomes?from={today}&to={today}&by=disposition");
    assert_eq!(talked.says(json!({"disposition": "done"})).await.0, 200);
    let said = talked.daemon.get(&report).await;
    assert_eq!(
        said["rows"],
        json!([{"disposition": "done", "conversations": 1, "percent": 100.0, "right_party": 1}])
    );
    assert_eq!(talked.says(json!({"disposition": "wrong_person"})).await.0, 200);
    let said = talked.daemon.get(&report).await;
    assert_eq!(
        said["rows"],
        json!([{"disposition": "wrong_person", "conversations": 1, "percent": 100.0, "right_party": 0}])
    );
}

#[tokio::test]
async fn what_an_agent_said_is_shown_and_the_same_again_changes_nothing() {
    let mut talked = Talked::new(order()).await;
    assert_eq!(talked.shown().await["outcome"], "reached");
    let said = json!({"disposition": "done", "note": "pays on Friday", "agent": "alice"});
    let (status, answer) = talked.says(said.clone()).await;
    assert_eq!(status, 200, "{answer}");
    let wrap_up = talked.shown().await["wrap_up"].clone();
    assert_eq!(wrap_up["disposition"], "done");
    assert_eq!((&wrap_up["note"], &wrap_up["agent"]), (&json!("pays on Friday"), &json!("alice")));
    assert_eq!((&wrap_up["by"], &wrap_up["revision"]), (&json!("test"), &json!(1)));
    let lines = talked.timeline().await.len();
    assert_eq!(talked.says(said).await.0, 200);
    assert_eq!(
        (talked.shown().await["wrap_up"]["revision"].clone(), talked.timeline().await.len()),
        (json!(1), lines)
    );
}

#[tokio::test]
async fn another_word_is_a_correction_that_the_timeline_keeps() {
    let mut talked = Talked::new(order()).await;
    let done = json!({"disposition": "done"});
    for said in [done.clone(), json!({"disposition": "done", "note": "again"}), done] {
        assert_eq!(talked.says(said).await.0, 200);
    }
    assert_eq!(talked.shown().await["wrap_up"]["revision"], 3);
    let lines = talked.timeline().await;
    let corrections = lines.iter().filter(|what| *what == "callback.wrap_up_corrected").count();
    assert_eq!(corrections, 2, "{lines:?}");
}

#[tokio::test]
async fn an_unknown_disposition_is_refused_with_the_nearest_name() {
    let mut talked = Talked::new(order()).await;
    let (status, refusal) = talked.says(json!({"disposition": "call_agian"})).await;
    assert_eq!((status, &refusal["errors"][0]["code"]), (422, &json!("disposition.unknown")));
    let detail = refusal["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("did you mean \"call_again\"?"), "{detail}");
    for (said, code) in [
        (json!({}), "field.missing"),
        (json!({"disposition": "call_again"}), "field.missing"),
        (json!({"disposition": "done", "callback_at": "2026-11-24T12:00:00Z"}), "field.unused"),
        (json!({"disposition": "call_again", "callback_at": "2026-11-23T12:00:00Z"}), "time.passed"),
        (json!({"disposition": "call_again", "callback_at": "tomorrow"}), "time.invalid"),
        (json!({"disposition": "call_again", "callback_at": "2028-01-01T12:00:00Z"}), "time.too_far"),
        (json!({"disposition": "done", "note": "x".repeat(2001)}), "field.too_long"),
    ] {
        let (status, refusal) = talked.says(said.clone()).await;
        assert_eq!((status, &refusal["errors"][0]["code"]), (422, &json!(code)), "{said}: {refusal}");
    }
    assert!(talked.shown().await.get("wrap_up").is_none(), "nothing is half done");
}

#[tokio::test]
async fn before_any_call_nothing_can_be_said() {
    let platform = Arc::new(RecordingTransport::default());
    let mut daemon = TestDaemon::open(platform).await;
    let id = daemon.order(CONSUMER, order()).await["id"].as_str().unwrap().to_owned();
    daemon.advance(SignedDuration::ZERO).await;
    let (status, refusal) =
        daemon.try_post(&format!("/v1/callbacks/{id}/wrap-up"), json!({"disposition": "done"})).await;
    assert_eq!((status, &refusal["code"]), (409, &json!("wrap_up.no_call")));
}

#[tokio::test]
async fn a_call_again_makes_a_linked_callback_that_is_called_at_the_time() {
    let mut talked = Talked::new(order()).await;
    let at = "2026-11-24T15:00:00Z";
    let (status, answer) = talked.says(json!({"disposition": "call_again", "callback_at": at})).await;
    assert_eq!(status, 200, "{answer}");
    let next = answer["wrap_up"]["follow_up"].as_str().unwrap().to_owned();
    let path = format!("/v1/callbacks/{next}");
    let shown = talked.daemon.get(&path).await;
    assert_eq!((&shown["earliest"], &shown["promised_at"]), (&json!(at), &json!(at)));
    assert_eq!(shown["follows"], talked.id.as_str());
    assert_eq!((&shown["agent"], &shown["reference"]), (&json!("client:alice"), &json!("ticket-17")));
    assert_eq!(shown["consent"]["source"], "form");
    talked.daemon.advance_to(at.parse().unwrap()).await;
    assert_eq!(talked.platform.calls().len(), 2);
    talked.daemon.advance(SignedDuration::from_secs(30)).await;
    talked.call_is_over(1).await;
    let shown = talked.daemon.get(&path).await;
    assert_eq!((&shown["outcome"], &shown["late_s"]), (&json!("reached"), &json!(37)), "{shown}");
}

#[tokio::test]
async fn a_correction_cancels_the_callback_that_was_ordered() {
    let mut talked = Talked::new(order()).await;
    let again = |at: &str| json!({"disposition": "call_again", "callback_at": at});
    let first = talked.says(again("2026-11-24T15:00:00Z")).await.1["wrap_up"]["follow_up"].clone();
    let second = talked.says(again("2026-11-24T16:00:00Z")).await.1["wrap_up"]["follow_up"].clone();
    assert_ne!(first, second);
    let first = talked.daemon.get(&format!("/v1/callbacks/{}", first.as_str().unwrap())).await;
    assert_eq!(
        (&first["outcome"], &first["reason"]["code"]),
        (&json!("canceled"), &json!("callback.wrapped_up"))
    );
    let second = talked.daemon.get(&format!("/v1/callbacks/{}", second.as_str().unwrap())).await;
    assert_eq!(second["status"], "waiting");
}

#[tokio::test]
async fn the_time_of_the_next_call_has_to_be_within_the_hours() {
    let mut order = order();
    order["hours"] = "mon-fri 09:00-18:00 @America/Sao_Paulo".into();
    let mut talked = Talked::new(order).await;
    // 09:00 in Sao Paulo is 12:00 UTC.
    let again = |at: &str| json!({"disposition": "call_again", "callback_at": at});
    let (status, refusal) = talked.says(again("2026-11-24T11:59:59Z")).await;
    assert_eq!((status, &refusal["errors"][0]["code"]), (422, &json!("hours.closed")), "{refusal}");
    assert!(refusal.to_string().contains("2026-11-24T12:00:00Z"), "{refusal}");
    assert_eq!(talked.says(again("2026-11-24T12:00:00Z")).await.0, 200);
}

#[tokio::test]
async fn a_person_who_wants_no_calls_is_suppressed_in_the_same_moment() {
    let mut talked = Talked::new(order()).await;
    let (_, waiting) = talked.another("ticket-18").await;
    assert_eq!(talked.says(json!({"disposition": "do_not_call"})).await.0, 200);
    let path = format!("/v1/callbacks/{}", waiting["id"].as_str().unwrap());
    assert_eq!(talked.daemon.get(&path).await["reason"]["code"], "consumer.suppressed");
    let (status, refusal) = talked.another("ticket-19").await;
    assert_eq!((status, &refusal["code"]), (409, &json!("consumer.suppressed")));
    let found = talked.daemon.post("/v1/suppression/check", json!({"consumer": CONSUMER})).await;
    assert_eq!(found["suppressed"], true);
}

#[tokio::test]
async fn a_wrong_number_is_no_longer_used_for_the_reference() {
    let mut talked = Talked::new(order()).await;
    let (_, same) = talked.another("ticket-17").await;
    let (_, other) = talked.another("ticket-18").await;
    let (status, answer) = talked.says(json!({"disposition": "wrong_person"})).await;
    assert_eq!(status, 200, "{answer}");
    let of = |answer: &Value| format!("/v1/callbacks/{}", answer["id"].as_str().unwrap());
    let same = talked.daemon.get(&of(&same)).await;
    assert_eq!(
        (&same["outcome"], &same["reason"]["code"]),
        (&json!("canceled"), &json!("callback.wrapped_up"))
    );
    assert_eq!(talked.daemon.get(&of(&other)).await["status"], "waiting");
    let (status, refusal) = talked.another("ticket-17").await;
    assert_eq!((status, &refusal["code"]), (409, &json!("consumer.wrong_number")));
    assert_eq!(talked.another("ticket-20").await.0, 202);
    // A correction frees it again.
    assert_eq!(talked.says(json!({"disposition": "done"})).await.0, 200);
    assert_eq!(talked.another("ticket-17").await.0, 202);
}

#[tokio::test]
async fn a_missing_wrap_up_is_listed_and_counted_from_its_time_on() {
    let mut talked = Talked::new(order()).await;
    let due = "2026-11-23T12:16:00Z".parse().unwrap();
    talked.daemon.advance_to(due - SignedDuration::from_micros(1)).await;
    assert_eq!(talked.missing().await, Vec::<Value>::new());
    talked.daemon.advance_to(due).await;
    assert_eq!(talked.missing().await, [json!(talked.id)]);
    assert_eq!(talked.daemon.get("/v1/status").await["callbacks"]["wrap_up_missing"], 1);
    let (_, refusal) = talked.daemon.ask_for("/v1/callbacks?wrap_up=there").await;
    assert_eq!(refusal["code"], "query.invalid");
    assert_eq!(talked.says(json!({"disposition": "done"})).await.0, 200);
    assert_eq!(talked.missing().await, Vec::<Value>::new());
    assert_eq!(talked.daemon.get("/v1/status").await["callbacks"]["wrap_up_missing"], 0);
}

#[tokio::test]
async fn a_key_repeats_its_answer_and_takes_no_other_body() {
    let mut talked = Talked::new(order()).await;
    assert_eq!(talked.says(json!({"disposition": "done"})).await.0, 200);
    let mut talked = Talked { daemon: talked.daemon.restart(talked.platform.clone()).await, ..talked };
    assert_eq!(talked.shown().await["wrap_up"]["disposition"], "done");
}

#[test]
fn without_a_configuration_there_are_the_usual_dispositions() {
    let config = ringmaster::config::Config::default();
    let effects: Vec<_> = config.dispositions.iter().map(|(name, own)| (name.as_str(), own.effect)).collect();
    let expected = [
        ("call_again", EffectKind::CallbackAt),
        ("do_not_call", EffectKind::Suppress),
        ("done", EffectKind::None),
        ("wrong_person", EffectKind::WrongPerson),
    ];
    assert_eq!(effects, expected);
    assert_eq!(config.dispositions["do_not_call"].list, ListName::House);
}

#[tokio::test]
async fn a_follow_up_leaves_numbers_out_that_are_marked_as_wrong() {
    let mut talked = Talked::new(order()).await;
    let campaign = talked.daemon.post("/v1/campaigns", json!({"name": "Spring"})).await;
    let campaign = campaign["id"].as_str().unwrap().to_owned();
    for reference in ["ticket-17", "ticket-18"] {
        let mut order = order();
        (order["reference"], order["campaign"]) = (reference.into(), campaign.as_str().into());
        (order["earliest"], order["separate"]) = ("2026-11-24T12:00:00Z".into(), true.into());
        let id = talked.daemon.order(CONSUMER, order).await["id"].as_str().unwrap().to_owned();
        talked.daemon.post(&format!("/v1/callbacks/{id}/cancel"), json!({})).await;
    }
    talked.daemon.post(&format!("/v1/campaigns/{campaign}/launch"), json!({})).await;
    assert_eq!(talked.says(json!({"disposition": "wrong_person"})).await.0, 200);
    let body = json!({"latest": "2026-11-26T12:00:00Z", "outcomes": ["canceled"]});
    let next = talked.daemon.post(&format!("/v1/campaigns/{campaign}/follow-up"), body).await;
    talked.daemon.advance(SignedDuration::ZERO).await;
    let next = next["id"].as_str().unwrap();
    let shown = talked.daemon.get(&format!("/v1/campaigns/{next}")).await;
    let (made, left_out) = (&shown["follow_up"]["made"], &shown["follow_up"]["left_out"]);
    assert_eq!((made, left_out), (&json!(1), &json!(1)), "{shown}");
    let made = talked.daemon.get(&format!("/v1/callbacks?campaign={next}")).await;
    assert_eq!(made["callbacks"][0]["reference"], "ticket-18");
}

#[tokio::test]
async fn the_dispositions_are_listed_with_what_follows() {
    let mut talked = Talked::new(order()).await;
    let all = json!({"dispositions": [
        {"name": "call_again", "label": "Call again", "effect": "callback_at"},
        {"name": "do_not_call", "label": "Does not want to be called", "effect": "suppress", "list": "house",
            "scope": "all"},
        {"name": "done", "label": "Done", "effect": "none"},
        {"name": "wrong_person", "label": "Another person's number", "effect": "wrong_person"},
    ]});
    assert_eq!(talked.daemon.get("/v1/dispositions").await, all);
    let (_, refusal) = talked.daemon.ask_for("/v1/dispositions?name=done").await;
    assert_eq!(refusal["code"], "query.invalid");
}
