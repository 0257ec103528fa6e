//! What is stored of a person, as a request of access gets it.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::harness::{Answer, ApiHarness, CONSUMER, inviting_api};

async fn export(api: &ApiHarness, ask: Value) -> Answer {
    api.post("/v1/consumers/export", ask.to_string()).await
}

fn ids(found: &Value) -> Vec<&str> {
    let orders = found["orders"].as_array().unwrap().iter();
    orders
        .map(|order| {
            [&order["callback"], &order["invite"]].into_iter().find_map(|of| of["id"].as_str()).unwrap()
        })
        .collect()
}

#[tokio::test]
async fn an_export_has_the_orders_of_the_person_in_every_spelling_and_of_nobody_else() {
    let api = inviting_api().await;
    let told = "+5531987650144";
    let callback = api
        .order(json!({"consumer": told, "variables": {"message": "for Ana"}, "metadata": {"ticket": 17},
            "consent": {"source": "the form", "at": "2026-11-01T12:00:00Z"}}))
        .await;
    assert_eq!(callback.status, StatusCode::ACCEPTED, "{}", callback.text);
    let invite = api.invite(json!({"consumer": "+553187650144"})).await;
    assert_eq!(invite.status, StatusCode::ACCEPTED, "{}", invite.text);
    api.order(json!({"consumer": "+5531987650145"})).await;
    for number in [told, "+553187650144"] {
        let found = export(&api, json!({"consumer": number})).await;
        assert_eq!(found.status, StatusCode::OK, "{}", found.text);
        let found = found.json();
        let (newest, oldest) = (invite.json()["id"].clone(), callback.json()["id"].clone());
        assert_eq!(ids(&found), [newest.as_str().unwrap(), oldest.as_str().unwrap()], "{number}");
        let order = &found["orders"][1]["callback"];
        assert_eq!(order["variables"]["message"], "for Ana");
        assert_eq!(order["metadata"]["ticket"], 17);
        assert_eq!(order["consent"]["source"], "the form");
        assert_eq!(found["orders"][1]["tenant"], "default");
        assert_eq!(found["known"], true);
        assert!(!found.to_string().contains("987650145"), "{found}");
    }
}

#[tokio::test]
async fn an_export_comes_in_pages() {
    let api = inviting_api().await;
    let mut ordered = Vec::new();
    for _ in 0..3 {
        ordered.insert(0, api.order(json!({})).await.json()["id"].as_str().unwrap().to_owned());
    }
    let first = export(&api, json!({"consumer": CONSUMER, "limit": 2})).await.json();
    assert_eq!(ids(&first), ordered[..2]);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = export(&api, json!({"consumer": CONSUMER, "limit": 2, "cursor": cursor})).await.json();
    assert_eq!(ids(&second), ordered[2..]);
    assert_eq!((&second["next_cursor"], &second["is_cut"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn a_person_without_orders_has_the_entries_of_lists_and_a_stranger_nothing() {
    let api = inviting_api().await;
    let order = json!({"consumers": [CONSUMER], "why": "a drill"}).to_string();
    assert!(api.change("/v1/suppression", order).await.status.is_success());
    let found = export(&api, json!({"consumer": CONSUMER})).await.json();
    assert_eq!((&found["known"], &found["suppression"][0]["list"]), (&json!(true), &json!("house")));
    let stranger = export(&api, json!({"consumer": "+447700900123"})).await.json();
    assert_eq!(
        (&stranger["known"], &stranger["orders"], &stranger["suppression"]),
        (&json!(false), &json!([]), &json!([]))
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_question_is_named() {
    let api = inviting_api().await;
    for (ask, fault) in [
        (json!({}), "consumer: field.missing"),
        (json!({"consumer": "5"}), "consumer: phone.invalid"),
        (json!({"consumer": CONSUMER, "limit": 0}), "limit: field.value"),
        (json!({"consumer": CONSUMER, "limit": 501}), "limit: field.value"),
        (json!({"consumer": CONSUMER, "cursor": "next"}), "cursor: field.value"),
        (json!({"consumer": CONSUMER, "user_id": "BR.1234567890"}), "user_id: field.unknown"),
    ] {
        let answer = export(&api, ask.clone()).await;
        assert_eq!(
            (answer.status, answer.faults()),
            (StatusCode::UNPROCESSABLE_ENTITY, vec![fault.to_owned()]),
            "{ask}"
        );
    }
}
