//! Changes by an operator: the permission of a pair, and one more attempt in spite of the streak guard.

use axum::http::StatusCode;
use ringmaster::domain::event::{PermissionAnswer, PermissionOverride};
use ringmaster::domain::{AttemptId, CallPermission, Event, Pair, PairKey, State};
use serde_json::{Value, json};
use uuid::Uuid;

use super::harness::{ApiHarness, CONSUMER, SENDER, api, at, phone};

fn word(more: Value) -> String {
    let mut body = json!({"sender": SENDER, "consumer": CONSUMER});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body.to_string()
}

async fn heard(api: &ApiHarness) -> Vec<Event> {
    api.store.unfolded_reports(10).await.unwrap().into_iter().map(|report| report.event).collect()
}

#[tokio::test]
async fn a_grant_and_a_revocation_are_stored_with_the_name_of_the_token() {
    let api = api().await;
    let grants = [
        ("permanent", PermissionAnswer::Permanent),
        ("temporary", PermissionAnswer::Temporary { expires_at: None }),
    ];
    let mut expected = Vec::new();
    let said = |answer, reason: &str| {
        let (sender, consumer) = (phone(SENDER), phone(CONSUMER));
        Event::PermissionOverride(PermissionOverride {
            sender,
            consumer,
            answer,
            by: "crm".into(),
            reason: reason.into(),
            ends_refusals: false,
        })
    };
    for (kind, answer) in grants {
        let body = word(json!({"kind": kind, "reason": "seen in the profile."}));
        let answered = api.post("/v1/permissions/grant", body).await;
        assert_eq!((answered.status, &answered.json()["word"]), (StatusCode::ACCEPTED, &json!("granted")));
        expected.push(said(answer, "seen in the profile"));
    }
    // A possible phone number in a reason is not stored.
    let revoked =
        api.post("/v1/permissions/revoke", word(json!({"reason": "mail from 5511987654321"}))).await;
    assert_eq!((revoked.status, &revoked.json()["word"]), (StatusCode::ACCEPTED, &json!("revoked")));
    expected.push(said(PermissionAnswer::Rejected, "mail from *************"));
    assert_eq!(heard(&api).await, expected);
}

#[tokio::test]
async fn a_grant_with_faults_lists_all_of_them_and_is_not_stored() {
    let api = api().await;
    let bad = |path: &'static str, body: String| {
        let api = &api;
        async move {
            let answer = api.post(path, body).await;
            assert_eq!(answer.code(), "permission.invalid");
            answer.faults()
        }
    };
    let empty = bad("/v1/permissions/grant", "{}".into()).await;
    assert_eq!(
        empty,
        ["kind: field.missing", "reason: field.missing", "sender: field.missing", "consumer: field.missing"]
    );
    let strange = word(json!({"sender": "+551151990000", "kind": "forever", "reason": "x".repeat(201)}));
    let strange = bad("/v1/permissions/grant", strange).await;
    assert_eq!(strange, ["kind: field.value", "reason: field.too_long", "sender: sender.unknown"]);
    let kind = bad("/v1/permissions/revoke", word(json!({"kind": "permanent", "reason": "x"}))).await;
    assert_eq!(kind, ["kind: field.unknown"]);
    for path in ["/v1/permissions/grant", "/v1/permissions/revoke"] {
        let mut itself = json!({"sender": SENDER, "consumer": SENDER, "reason": "x"});
        if path.ends_with("grant") {
            itself["kind"] = "permanent".into();
        }
        assert_eq!(bad(path, itself.to_string()).await, ["consumer: consumer.is_sender"]);
        for (field, told) in [("until", "until"), ("a`b", "a`b"), ("+5511987654321", "+*************")] {
            let answer = api.post(path, word(json!({"reason": "x", field: "2026"}))).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "body.shape".to_owned()));
            assert_eq!(answer.faults(), [format!("{told}: field.unknown")], "{}", answer.text);
        }
    }
    for (body, code) in [("{", "body.syntax"), ("[]", "body.shape"), ("{\"sender\": 5}", "body.shape")] {
        let answer = api.post("/v1/permissions/grant", body).await;
        assert_eq!(answer.code(), code);
        assert!(!answer.text.contains('5') || code != "body.shape" || !answer.text.contains("integer"));
    }
    assert_eq!(heard(&api).await, []);
}

#[tokio::test]
async fn a_pair_is_shown_with_its_counters() {
    let api = api().await;
    let key = PairKey::of(phone(SENDER), phone(CONSUMER));
    let pair = Pair {
        permission: CallPermission::Temporary { expires_at: at("2026-11-23T12:00:01Z") },
        requests: vec![at("2026-11-20T12:00:00Z"), at("2026-11-23T11:00:00Z")],
        connected: vec![at("2026-11-23T11:30:00Z")],
        misses: 1,
        inbound_at: Some(at("2026-11-23T11:00:00Z")),
        ..Pair::unknown(key)
    };
    api.store.put_pair(pair).await;
    let shown = api.post("/v1/permissions/show", word(json!({}))).await.json();
    assert_eq!(
        (&shown["permission"], &shown["until"]),
        (&json!("temporary"), &json!("2026-11-23T12:00:01Z"))
    );
    assert_eq!(shown["requests_short"]["used"], 1);
    // One window and the margin of a minute after the request.
    assert_eq!(shown["requests_short"]["lifts_at"], "2026-11-24T11:01:00Z");
    assert_eq!((&shown["requests_long"]["used"], &shown["requests_long"]["max"]), (&json!(2), &json!(2)));
    assert_eq!((&shown["connected_calls"]["used"], &shown["misses"]), (&json!(1), &json!(1)));
    assert_eq!(shown["connected_calls"].get("lifts_at"), None);
    assert_eq!(shown["service_window_until"], "2026-11-24T11:00:00Z");
}

#[tokio::test]
async fn one_more_attempt_can_be_allowed_while_a_callback_waits() {
    let api = api().await;
    let id = api.callback().await;
    let path = format!("/v1/callbacks/{id}/allow-attempt");
    assert_eq!(api.post(&path, "{}").await.faults(), ["reason: field.missing"]);
    let allowed = api.change(&path, json!({"reason": "asked by mail"}).to_string()).await;
    assert_eq!(
        (allowed.status, &allowed.json()["attempt_allowed_at"]),
        (StatusCode::OK, &json!("2026-11-23T12:00:00Z"))
    );
    let timeline = api.get(&format!("/v1/callbacks/{id}/timeline")).await.json();
    let lines = timeline["entries"].as_array().unwrap();
    let line = lines.iter().find(|line| line["what"] == "callback.attempt_allowed").unwrap();
    let why = line["why"].as_str().unwrap();
    assert!(why.contains("\"crm\"") && why.contains("asked by mail"), "{why}");
    api.store
        .change(id, |record| {
            record.callback.state = State::Calling { attempt: AttemptId::new(Uuid::from_u128(1)) };
        })
        .await;
    assert_eq!(api.post(&path, json!({"reason": "again"}).to_string()).await.code(), "callback.calling");
}

#[tokio::test]
async fn a_barred_consumer_is_refused_with_the_rule_and_its_date() {
    let api = api().await;
    let refused = api.order(json!({"consumer": "+5351234567"})).await;
    assert_eq!(refused.faults(), ["consumer: consumer.destination_barred"]);
    let detail = refused.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("+53") && detail.contains("Cuba") && detail.contains("2026"), "{detail}");
    assert_eq!(api.order(json!({"consumer": "+525512345678"})).await.status, StatusCode::ACCEPTED);
}
