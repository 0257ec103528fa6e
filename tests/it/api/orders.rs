//! Ordering one callback: what is accepted, every fault at once, and orders that are sent again.

use axum::http::{Request, StatusCode};
use futures_util::FutureExt as _;
use serde_json::{Value, json};

use super::harness::{ApiHarness, CONSUMER, NOW, SECOND_SENDER, SENDER, api, at, desk_with, order};

fn full_order() -> Value {
    json!({
        "consumer": CONSUMER,
        "senders": [SENDER],
        "earliest": "2026-11-26T09:00:00-03:00",
        "latest": "2026-11-27T18:00:00-03:00",
        "hours": {"zone": "America/Sao_Paulo", "spans": [{"days": "mon-fri", "from": "09:00", "to": "18:00"}]},
        "priority": 7,
        "document": "dial-client",
        "agent": "client:alice",
        "attempts_max": 4,
        "campaign": "parcels",
        "reference": "ticket-17",
        "metadata": {"crm": [1, 2.50, null]},
    })
}

#[tokio::test]
async fn an_order_is_accepted_with_all_its_fields() {
    let api = api().await;
    let answer = api.post("/v1/callbacks", full_order().to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert_eq!(answer.header("location"), format!("callbacks/{}", answer.id()));
    insta::assert_json_snapshot!("callback", answer.json());
}

#[tokio::test]
async fn a_short_order_gets_the_defaults() {
    let api = api().await;
    let answer = api.order(json!({"latest": null})).await.json();
    assert_eq!(answer["senders"], json!([SENDER]));
    assert_eq!(answer["earliest"], NOW);
    assert_eq!(answer["latest"], "2026-11-26T12:00:00Z");
    assert_eq!((&answer["priority"], &answer["attempts_max"]), (&json!(5), &json!(3)));
    assert_eq!(answer["next_look_at"], NOW);
    assert_eq!(answer["reason"]["code"], "ready");
}

#[tokio::test]
async fn a_callback_is_decided_early_enough_to_ask_and_never_in_the_past() {
    let api = api().await;
    for (earliest, looked_at) in [
        ("2026-11-24T11:59:59Z", NOW),
        ("2026-11-24T12:00:00Z", NOW),
        ("2026-11-24T12:00:01Z", "2026-11-23T12:00:01Z"),
    ] {
        let answer = api.order(json!({"earliest": earliest, "latest": "2026-12-01T00:00:00Z"})).await.json();
        assert_eq!(answer["next_look_at"], looked_at, "{earliest}");
        assert_eq!(answer["reason"]["code"], "window.before_earliest");
    }
}

#[tokio::test]
async fn an_order_wakes_a_scheduler_that_would_sleep_past_it() {
    let api = api().await;
    api.waker.sleeping_until(Some(at(NOW)));
    api.callback().await;
    assert!(api.waker.given().now_or_never().is_none());
    api.waker.sleeping_until(None);
    api.callback().await;
    assert!(api.waker.given().now_or_never().is_some());
}

async fn check_with(api: &ApiHarness, changes: Value, expected: &[&str]) {
    let answer = api.order(changes.clone()).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{changes}: {}", answer.text);
    assert_eq!(answer.code(), "callback.invalid");
    assert_eq!(answer.faults(), expected, "{changes}: {}", answer.text);
    assert!(!answer.text.contains("97654"), "a number is repeated: {}", answer.text);
    assert_eq!(api.store.count().await, 0);
}

#[tokio::test]
async fn every_wrong_value_is_named_with_its_rule() {
    let api = api().await;
    for (changes, expected) in [
        (json!({"consumer": null}), "consumer: field.missing"),
        (json!({"consumer": "21 97654-3210"}), "consumer: phone.invalid"),
        (json!({"consumer": "+55219765"}), "consumer: phone.invalid"),
        (json!({"consumer": "+9999765443211"}), "consumer: phone.invalid"),
        (json!({"consumer": SENDER}), "consumer: consumer.is_sender"),
        (json!({"sender": "+551151994321"}), "sender: sender.unknown"),
        (json!({"senders": [SENDER, "+551151994321"]}), "senders[1]: sender.unknown"),
        (json!({"senders": [SENDER, SENDER]}), "senders[1]: sender.twice"),
        (json!({"senders": []}), "senders: sender.count"),
        (json!({"sender": SENDER, "senders": [SENDER]}), "senders: sender.twice"),
        (json!({"earliest": "tomorrow"}), "earliest: time.invalid"),
        (json!({"latest": "2026-11-24T12:00:00"}), "latest: time.invalid"),
        (json!({"latest": "2026-11-24T12:00:60Z"}), "latest: time.invalid"),
        (json!({"earliest": "0000-01-01T00:00:00Z"}), "earliest: time.invalid"),
        (json!({"earliest": "2026-11-24T12:00:00Z"}), "latest: deadline.not_after_earliest"),
        (json!({"latest": "2026-11-23T11:59:59Z"}), "latest: deadline.passed"),
        (json!({"earliest": "2026-11-22T12:00:00Z", "latest": NOW}), "latest: deadline.passed"),
        (json!({"latest": "2027-11-24T12:00:01Z"}), "latest: deadline.too_far"),
        (json!({"hours": "mon-fri"}), "hours: hours.invalid"),
        (json!({"hours": "daily 09:00-18:00 @Factory"}), "hours: hours.invalid"),
        (json!({"hours": "daily 09:00-18:00 @Etc/Unknown"}), "hours: hours.invalid"),
        (
            json!({"hours": {"zone": "UTC", "spans": [{"days": "moon", "from": "09:00", "to": "10:00"}]}}),
            "hours.spans[0].days: hours.invalid",
        ),
        (json!({"hours": "sun 09:00-10:00 @UTC"}), "hours: hours.never_open"),
        (json!({"priority": 10}), "priority: priority.out_of_range"),
        (json!({"priority": -1}), "priority: priority.out_of_range"),
        (json!({"document": null, "variables": null}), "document: field.missing"),
        (json!({"document": "mesage", "variables": null}), "document: document.unknown"),
        (json!({"variables": {}}), "variables.message: variable.missing"),
        (json!({"variables": {"message": "x".repeat(2001)}}), "variables.message: field.too_long"),
        (json!({"variables": {"message": "bell \u{7} rings"}}), "variables.message: variable.unfit"),
        (json!({"variables": {"message": "x", "mesage": "x"}}), "variables.mesage: variable.unknown"),
        (json!({"document": "dial-client", "variables": null}), "agent: agent.missing"),
        (json!({"agent": "+5521976543210"}), "agent: agent.invalid"),
        (json!({"agent": "sip:a@localhost"}), "agent: agent.invalid"),
        (
            json!({"document": "dial-client", "variables": null, "agent": "sip:a@pbx.example"}),
            "agent: agent.invalid",
        ),
        (json!({"document": "dial-sip", "variables": null, "agent": "client:alice"}), "agent: agent.invalid"),
        (
            json!({"document": "conversation-relay",
                "variables": {"greeting": "Hi", "relay_url": "wss://localhost/talk"}}),
            "variables.relay_url: variable.unfit",
        ),
        (json!({"attempts_max": 0}), "attempts_max: attempts.out_of_range"),
        (json!({"attempts_max": 21}), "attempts_max: attempts.out_of_range"),
        (json!({"campaign": ""}), "campaign: field.empty"),
        (json!({"campaign": "x".repeat(101)}), "campaign: field.too_long"),
        (json!({"campaign": "two\nlines"}), "campaign: field.characters"),
        (json!({"reference": "x".repeat(201)}), "reference: field.too_long"),
        (json!({"metadata": "x".repeat(4095)}), "metadata: metadata.too_long"),
        (json!({"consummer": "x"}), "consummer: field.unknown"),
        (json!({"+5521976543210": "x"}), "+*************: field.unknown"),
        (json!({"consumer": 5_521_976_543_210_u64}), "consumer: field.type"),
        (json!({"senders": [SENDER, 7]}), "senders[1]: field.type"),
        (json!({"hours": 9}), "hours: field.type"),
        (json!({"hours": {"zone": "UTC"}}), "hours.spans: field.missing"),
        (
            json!({"hours": {"zone": "UTC", "spans": [{"days": "mon", "from": 9, "to": "10:00"}]}}),
            "hours.spans[0].from: field.type",
        ),
        (
            json!({"hours": {"zone": "UTC", "spans": [["mon", "09:00", "10:00"]]}}),
            "hours.spans[0]: field.type",
        ),
        (json!({"priority": 1.5}), "priority: field.type"),
        (json!({"priority": "high"}), "priority: field.type"),
        (json!({"variables": {"message": 7}}), "variables.message: field.type"),
        (json!({"variables": ["x"]}), "variables: field.type"),
    ] {
        check_with(&api, changes, &[expected]).await;
    }
}

#[tokio::test]
async fn values_at_their_limits_are_accepted() {
    let api = api().await;
    for changes in [
        json!({"latest": "2026-11-23T12:00:00.000001Z"}),
        json!({"latest": "2027-11-24T12:00:00Z"}),
        json!({"priority": 0}),
        json!({"priority": 9}),
        json!({"attempts_max": 20}),
        json!({"campaign": "x".repeat(100), "reference": "x".repeat(200)}),
        json!({"variables": {"message": "x".repeat(2000)}}),
        json!({"metadata": "x".repeat(4094)}),
        json!({"hours": "mon 12:00-13:00 @UTC"}),
        json!({"agent": "sip:api@example.com"}),
    ] {
        let answer = api.order(changes.clone()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{changes}: {}", answer.text);
    }
}

#[tokio::test]
async fn all_faults_of_an_order_are_reported_at_once() {
    let api = api().await;
    let answer = api
        .order(json!({
            "consumer": 7,
            "sender": "+551151994321",
            "latest": "2026-11-22T12:00:00Z",
            "variables": {"text": "x"},
            "priority": 11,
            "prioritty": 1,
            "hours": {"zone": "UTC", "spans": [{"days": "mon", "from": "09:00"}]},
        }))
        .await;
    insta::assert_json_snapshot!("all_faults", answer.json());
}

#[tokio::test]
async fn a_field_that_is_given_twice_is_refused() {
    let api = api().await;
    let body = r#"{"consumer":"+5521976543210","document":"message","priority":1,"priority":2,
        "variables":{"message":"a","message":"b"}}"#;
    let answer = api.post("/v1/callbacks", body).await;
    assert_eq!(answer.faults(), ["priority: field.duplicate", "variables.message: field.duplicate"]);
}

#[tokio::test]
async fn with_several_senders_one_must_be_named() {
    let api = desk_with(&[SENDER, SECOND_SENDER], ringmaster::http::RequestLimits::default()).await;
    check_with(&api, Value::Null, &["sender: field.missing"]).await;
    let both = api.order(json!({"senders": [SECOND_SENDER, SENDER]})).await;
    assert_eq!(both.json()["senders"], json!([SECOND_SENDER, SENDER]));
}

#[tokio::test]
async fn fields_with_a_default_of_the_sender_may_be_left_out() {
    let api = api().await;
    let usual = api.order(json!({"document": "enqueue", "variables": null})).await.json();
    assert_eq!(usual["variables"]["workflow"], "WW0123456789abcdef0123456789abcdef");
    let own = json!({"workflow": "WWffffffffffffffffffffffffffffffff"});
    let own_answer = api.order(json!({"document": "enqueue", "variables": own})).await.json();
    assert_eq!(own_answer["variables"], own);
}

#[tokio::test]
async fn escaped_text_is_read_like_plain_text() {
    let api = api().await;
    let body = order(json!({"reference": "a\"b\\c\u{e9}"})).to_string().replace("+55", "\\u002b55");
    let answer = api.post("/v1/callbacks", body).await.json();
    assert_eq!(answer["consumer"], CONSUMER);
    assert_eq!(answer["reference"], "a\"b\\c\u{e9}");
}

async fn with_key(api: &ApiHarness, key: &str, body: &Value) -> super::harness::Answer {
    let request = Request::post("/v1/callbacks")
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    api.ask(request, body.to_string()).await
}

#[tokio::test]
async fn a_repeated_order_gets_the_first_answer_and_creates_nothing() {
    let api = api().await;
    let first = with_key(&api, "k-1", &order(Value::Null)).await;
    assert_eq!(first.header("idempotent-replayed"), "");
    api.clock.advance(jiff::SignedDuration::from_mins(10));
    api.change(&format!("/v1/callbacks/{}/cancel", first.id()), "").await;
    let again = with_key(&api, "k-1", &order(Value::Null)).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::ACCEPTED, "true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.text, first.text);
    assert_eq!(api.store.count().await, 1);
}

#[tokio::test]
async fn an_order_is_repeated_even_after_its_deadline() {
    let api = api().await;
    let first = with_key(&api, "k-1", &order(Value::Null)).await;
    api.clock.advance(jiff::SignedDuration::from_hours(24 * 30));
    let again = with_key(&api, "k-1", &order(Value::Null)).await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::ACCEPTED, first.text.as_str()));
    let other = with_key(&api, "k-1", &order(json!({"priority": 1}))).await;
    assert_eq!(other.code(), "idempotency.key_reused");
    let unknown = with_key(&api, "k-2", &order(Value::Null)).await;
    assert_eq!(unknown.code(), "callback.invalid");
}

#[tokio::test]
async fn a_key_with_another_body_is_refused() {
    let api = api().await;
    with_key(&api, "k-1", &order(Value::Null)).await;
    let other = with_key(&api, "k-1", &order(json!({"priority": 1}))).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.code(), "idempotency.key_reused");
    assert_eq!(api.store.count().await, 1);
}

#[tokio::test]
async fn a_key_has_1_to_255_visible_characters() {
    let api = api().await;
    for (key, fits) in
        [(String::new(), false), ("a b".into(), false), ("x".repeat(255), true), ("x".repeat(256), false)]
    {
        let answer = with_key(&api, &key, &order(Value::Null)).await;
        assert_eq!(answer.status == StatusCode::ACCEPTED, fits, "{key:?}: {}", answer.text);
        if !fits {
            assert_eq!(answer.code(), "idempotency.key_malformed");
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_an_order_is_refused_with_its_position() {
    let api = api().await;
    for (body, code) in [
        ("", "body.syntax"),
        ("{\"consumer\": \"+5521976543210\",\n \"document\" \"x\"}", "body.syntax"),
        ("{} {}", "body.syntax"),
        ("[]", "body.shape"),
        (r#"["+5521976543210", null, null, null, null, null, 5, "message"]"#, "body.shape"),
        ("null", "body.shape"),
        ("\"x\"", "body.shape"),
    ] {
        let answer = api.post("/v1/callbacks", body).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, code.to_owned()), "{body}");
    }
    let broken = api.post("/v1/callbacks", "{\"consumer\":\n \"x\" 1}").await;
    assert!(broken.json()["detail"].as_str().unwrap().starts_with("line 2, column 6"), "{}", broken.text);
}

#[tokio::test]
async fn an_order_that_cannot_be_stored_is_not_acknowledged() {
    let api = api().await;
    api.store.faults().fails_after.store(1, std::sync::atomic::Ordering::Relaxed);
    api.callback().await;
    let answer = api.order(Value::Null).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::SERVICE_UNAVAILABLE, "store.unavailable".into()));
    assert_eq!(answer.header("retry-after"), "2");
    assert!(!answer.text.contains("disk"), "the cause is for the log: {}", answer.text);
}

#[tokio::test]
async fn without_a_deadline_the_end_of_the_third_open_day_is_the_deadline() {
    let api = api().await;
    let latest = async |mut order: Value| {
        order["latest"] = Value::Null;
        api.order(order).await.json()["latest"].as_str().unwrap().to_owned()
    };
    // It is Monday, nine in the morning in Sao Paulo.
    assert_eq!(latest(json!({})).await, "2026-11-26T12:00:00Z");
    assert_eq!(latest(json!({"earliest": "2026-11-24T00:00:00Z"})).await, "2026-11-27T00:00:00Z");
    assert_eq!(latest(json!({"earliest": "2026-11-01T00:00:00Z"})).await, "2026-11-26T12:00:00Z");
    let office = "mon-fri 09:00-18:00 @America/Sao_Paulo";
    assert_eq!(latest(json!({"hours": office})).await, "2026-11-25T21:00:00Z");
    let late = json!({"hours": office, "earliest": "2026-11-23T21:00:00Z"});
    assert_eq!(latest(late).await, "2026-11-26T21:00:00Z");
    assert_eq!(latest(json!({"hours": "wed 09:00-18:00 @UTC"})).await, "2026-12-09T18:00:00Z");
}

#[tokio::test]
async fn an_order_with_little_open_time_is_accepted_with_a_warning() {
    let api = api().await;
    let hours = "daily 09:00-09:30 @America/Sao_Paulo";
    for (order, expected) in [
        (json!({"latest": "2026-11-23T13:00:00Z"}), None),
        (json!({"latest": "2026-11-23T12:59:59Z"}), Some("59 minutes")),
        (json!({"latest": "2026-11-24T12:30:00Z", "hours": hours}), None),
        (json!({"latest": "2026-11-24T12:29:59Z", "hours": hours}), Some("59 minutes")),
        (json!({"latest": "2026-11-23T20:00:00Z", "hours": hours}), Some("30 minutes")),
        (json!({"latest": "2026-11-23T12:01:59Z"}), Some("1 minute ")),
        (json!({"latest": "2026-11-23T12:00:01Z"}), Some("less than a minute")),
    ] {
        let answer = api.order(order.clone()).await;
        let warnings = answer.json()["warnings"].clone();
        let Some(expected) = expected else {
            assert_eq!(warnings, Value::Null, "{order}");
            continue;
        };
        assert_eq!(warnings[0]["code"], "deadline.little_time", "{order}");
        assert_eq!(warnings[0]["field"], "latest");
        assert!(warnings[0]["detail"].as_str().unwrap().contains(expected), "{order}: {warnings}");
        // The warning is part of the answer only, not of the callback.
        let shown = api.get(&format!("/v1/callbacks/{}", answer.id())).await.json();
        assert_eq!(shown["warnings"], Value::Null);
    }
}
