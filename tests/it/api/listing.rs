//! Lists, searches and single callbacks.

use axum::http::StatusCode;
use ringmaster::domain::{
    Attempt, AttemptId, CallProgress, Disposition, ErrorCode, LegOrder, MessageId, MessagePurpose, Numbers,
    Stage, Submission,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::harness::{Answer, CONSUMER, NOW, SENDER, api, at, phone};

fn ids(answer: &Answer) -> Vec<String> {
    let rows = answer.json()["callbacks"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_have_every_callback_once_newest_first() {
    let api = api().await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.insert(0, api.callback().await.to_string());
    }
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    for size in [3, 3, 1] {
        let page = api.get(&format!("/v1/callbacks?limit=3{cursor}")).await;
        assert_eq!(ids(&page).len(), size);
        listed.extend(ids(&page));
        cursor =
            page.json()["next_cursor"].as_str().map(|next| format!("&cursor={next}")).unwrap_or_default();
    }
    assert_eq!((listed, cursor), (expected, String::new()));
}

#[tokio::test]
async fn a_full_last_page_has_no_cursor() {
    let api = api().await;
    for _ in 0..3 {
        api.callback().await;
    }
    assert_eq!(api.get("/v1/callbacks?limit=3").await.json().get("next_cursor"), None);
    assert!(api.get("/v1/callbacks?limit=2").await.json()["next_cursor"].is_string());
}

#[tokio::test]
async fn lists_are_filtered() {
    let api = api().await;
    let parcels = api.order(json!({"campaign": "parcels"})).await.id().to_string();
    let other = api.order(json!({"campaign": "other", "consumer": "+5521976543211"})).await.id().to_string();
    api.change(&format!("/v1/callbacks/{other}/cancel"), "").await;
    for (query, expected) in [
        ("campaign=parcels", &parcels),
        ("status=waiting", &parcels),
        ("status=closed&outcome=canceled", &other),
    ] {
        assert_eq!(
            ids(&api.get(&format!("/v1/callbacks?{query}")).await),
            std::slice::from_ref(expected),
            "{query}"
        );
    }
    for (body, expected) in [
        (json!({"consumer": CONSUMER}), vec![parcels.clone()]),
        (json!({"sender": SENDER, "status": "closed"}), vec![other.clone()]),
        (json!({"sender": "+4930123456"}), vec![]),
        (json!({"limit": 1, "cursor": other}), vec![parcels.clone()]),
    ] {
        assert_eq!(ids(&api.post("/v1/callbacks/search", body.to_string()).await), expected, "{body}");
    }
}

#[tokio::test]
async fn callbacks_whose_last_call_served_nobody_are_listed_and_counted_apart() {
    let api = api().await;
    let (left_alone, served) = (api.callback().await, api.callback().await);
    api.store.change(left_alone, |record| record.callback.abandoned_at = Some(at(NOW))).await;
    let (left_alone, served) = (left_alone.to_string(), served.to_string());
    for (query, expected) in [
        ("abandoned=true", vec![&left_alone]),
        ("abandoned=true&status=waiting", vec![&left_alone]),
        ("abandoned=true&status=closed", vec![]),
        ("abandoned=false", vec![&served]),
    ] {
        let found = ids(&api.get(&format!("/v1/callbacks?{query}")).await);
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
    let searched = api.post("/v1/callbacks/search", json!({"abandoned": true}).to_string()).await;
    assert_eq!(ids(&searched), std::slice::from_ref(&left_alone));
    let refused = api.post("/v1/callbacks/search", json!({"abandoned": "yes"}).to_string()).await;
    assert_eq!(refused.faults(), ["abandoned: field.type"]);
    assert_eq!(api.get("/v1/status").await.json()["callbacks"]["abandoned"], 1);
    api.change(&format!("/v1/callbacks/{left_alone}/cancel"), "").await;
    assert_eq!(api.get("/v1/status").await.json()["callbacks"]["abandoned"], 0);
    let closed = api.get("/v1/callbacks?abandoned=true&outcome=canceled").await;
    assert_eq!(ids(&closed), [left_alone]);
}

#[tokio::test]
async fn a_wrong_query_is_refused() {
    let api = api().await;
    for query in [
        "status=wating",
        "outcome=done",
        "abandoned=yes",
        "limit=0",
        "limit=501",
        "limit=many",
        "cursor=7",
        "page=2",
        "status=waiting&status=closed",
        "consumer=%2B5521976543210",
        "sender=%2B551151991234",
    ] {
        let answer = api.get(&format!("/v1/callbacks?{query}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, "query.invalid".into()),
            "{query}"
        );
        assert!(!answer.text.contains("97654"), "{}", answer.text);
    }
    let answer = api
        .post(
            "/v1/callbacks/search",
            json!({"consumer": "x", "status": "wating", "limit": 0, "page": 2}).to_string(),
        )
        .await;
    assert_eq!(answer.code(), "search.invalid");
    assert_eq!(
        answer.faults(),
        ["page: field.unknown", "consumer: phone.invalid", "status: field.value", "limit: field.value"]
    );
}

#[tokio::test]
async fn a_callback_is_shown_with_its_attempts_and_messages() {
    let api = api().await;
    let id = api.callback().await;
    api.store
        .change(id, |record| {
            let mut submission = Submission::intent(at(NOW));
            submission.stage = Stage::Accepted;
            submission.sid = Some("CA1".into());
            submission.error_code = Some(ErrorCode::of_twilio(37003));
            record.attempts.push(Attempt {
                submission: submission.clone(),
                first_leg: CallProgress::Ended(Disposition::NoAnswer),
                rang_at: Some(at("2026-11-23T12:00:02Z")),
                ended_at: Some(at("2026-11-23T12:00:32Z")),
                duration_s: Some(0),
                ..Attempt::new(
                    AttemptId::new(Uuid::from_u128(1)),
                    id,
                    Numbers::of(phone(SENDER), phone(CONSUMER)),
                    "main",
                    LegOrder::ConsumerFirst,
                    at(NOW),
                )
            });
            submission.error_code = None;
            record.messages.push(ringmaster::domain::Message {
                submission,
                progress: ringmaster::domain::event::MessageProgress::Delivered,
                delivered_at: Some(at(NOW)),
                ..ringmaster::domain::Message::new(
                    MessageId::new(Uuid::from_u128(2)),
                    MessagePurpose::PermissionRequest,
                    "HX1".parse().unwrap(),
                    Numbers::of(phone(SENDER), phone(CONSUMER)),
                    "main",
                    at(NOW),
                )
                .for_callback(id)
            });
        })
        .await;
    let shown = api.get(&format!("/v1/callbacks/{id}")).await.json();
    insta::assert_json_snapshot!(
        "record",
        json!({"attempts": shown["attempts"], "messages": shown["messages"]})
    );
    assert_eq!(shown["id"], id.to_string());
}

#[tokio::test]
async fn a_malformed_id_and_an_unknown_one_have_different_codes() {
    let api = api().await;
    let unknown = format!("cb_{}", "0".repeat(32));
    for verb in ["", "/explain", "/timeline"] {
        let answer = api.get(&format!("/v1/callbacks/{unknown}{verb}")).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, "callback.not_found".into()));
        let answer = api.get(&format!("/v1/callbacks/cb_7{verb}")).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::BAD_REQUEST, "id.malformed".into()));
        // A text that is not an id could be a reference.
        for name in ["7", "at_00000000000000000000000000000001", "%2B5521976543210", &"7".repeat(1000)] {
            let answer = api.get(&format!("/v1/callbacks/{name}{verb}")).await;
            assert_eq!(
                (answer.status, answer.code()),
                (StatusCode::NOT_FOUND, "callback.not_found".into()),
                "{name}"
            );
            assert!(!answer.text.contains("97654"));
        }
    }
}

#[tokio::test]
async fn metadata_is_returned_as_it_was_written() {
    let api = api().await;
    let body = super::harness::order(Value::Null).to_string().replacen(
        '{',
        r#"{"metadata": {"a": 1.50,  "b":[]},"#,
        1,
    );
    let id = api.post("/v1/callbacks", body).await.id();
    let shown = api.get(&format!("/v1/callbacks/{id}")).await;
    assert!(shown.text.contains(r#""metadata":{"a": 1.50,  "b":[]}"#), "{}", shown.text);
}
