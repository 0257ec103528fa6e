//! The consent of an order: what it says, and who needs one.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::harness::{NOW, api, inviting_api};

fn consent(more: Value) -> Value {
    let mut consent = json!({"source": "the form", "at": "2026-11-01T09:00:00-03:00"});
    consent.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    consent
}

#[tokio::test]
async fn a_consent_is_shown_as_it_was_ordered() {
    let api = inviting_api().await;
    let given = consent(json!({"text_version": "v7", "expires_at": "2027-11-01T12:00:00Z"}));
    let order = json!({"purpose": "marketing", "consent": given});
    let shown = json!({"source": "the form", "at": "2026-11-01T12:00:00Z", "text_version": "v7",
        "expires_at": "2027-11-01T12:00:00Z"});
    let callback = api.order(order.clone()).await;
    assert_eq!(
        (callback.status, &callback.json()["consent"]),
        (StatusCode::ACCEPTED, &shown),
        "{}",
        callback.text
    );
    let id = callback.id();
    assert_eq!(api.get(&format!("/v1/callbacks/{id}")).await.json()["consent"], shown);
    let invite = api.invite(order).await;
    assert_eq!((invite.status, &invite.json()["consent"]), (StatusCode::ACCEPTED, &shown), "{}", invite.text);
    assert_eq!(api.order(json!({})).await.json()["consent"], Value::Null);
}

#[tokio::test]
async fn marketing_needs_a_consent_that_holds_and_nothing_else_does() {
    let api = api().await;
    let faults = |order: Value| async { api.order(order).await.faults() };
    assert_eq!(faults(json!({"purpose": "marketing"})).await, ["consent: consent.missing"]);
    for purpose in ["requested", "service", "collections"] {
        assert_eq!(api.order(json!({"purpose": purpose})).await.status, StatusCode::ACCEPTED, "{purpose}");
    }
    let marketing = |consent: Value| faults(json!({"purpose": "marketing", "consent": consent}));
    let (after, ahead) = ("2026-11-23T12:00:00.000001Z", "2026-11-23T12:05:00Z");
    let too_far = "2026-11-23T12:05:00.000001Z";
    assert_eq!(marketing(consent(json!({"expires_at": NOW}))).await, ["consent.expires_at: consent.ended"]);
    assert_eq!(marketing(consent(json!({"at": too_far}))).await, ["consent.at: consent.in_future"]);
    assert_eq!(marketing(consent(json!({"at": "soon"}))).await, ["consent.at: time.invalid"]);
    assert_eq!(marketing(json!({})).await, ["consent.source: field.missing", "consent.at: field.missing"]);
    assert_eq!(marketing(consent(json!({"by": "me"}))).await, ["consent.by: field.unknown"]);
    assert_eq!(
        marketing(consent(json!({"source": "x".repeat(201)}))).await,
        ["consent.source: field.too_long"]
    );
    assert_eq!(marketing(consent(json!({"source": " "}))).await, ["consent.source: field.empty"]);
    assert_eq!(marketing(json!("yes")).await, ["consent: field.type"]);
    for held in [json!({"expires_at": after}), json!({"at": ahead})] {
        let order = json!({"purpose": "marketing", "consent": consent(held.clone())});
        assert_eq!(api.order(order).await.status, StatusCode::ACCEPTED, "{held}");
    }
}
