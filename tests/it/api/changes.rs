//! Canceling and rescheduling in each state of a callback.

use axum::http::StatusCode;
use ringmaster::domain::callback::Closed;
use ringmaster::domain::{AttemptId, CallbackId, Outcome, Reason, State};
use serde_json::{Value, json};
use uuid::Uuid;

use super::harness::{Answer, ApiHarness, NOW, api, at};

async fn cancel(api: &ApiHarness, id: CallbackId) -> Answer {
    api.change(&format!("/v1/callbacks/{id}/cancel"), "").await
}

async fn reschedule(api: &ApiHarness, id: CallbackId, body: Value) -> Answer {
    api.change(&format!("/v1/callbacks/{id}/reschedule"), body.to_string()).await
}

async fn start_calling(api: &ApiHarness, id: CallbackId) {
    api.store
        .change(id, |record| {
            record.callback.state = State::Calling { attempt: AttemptId::new(Uuid::from_u128(1)) };
        })
        .await;
}

#[tokio::test]
async fn a_waiting_callback_is_canceled_at_once() {
    let api = api().await;
    let id = api.callback().await;
    let answer = cancel(&api, id).await;
    assert_eq!(answer.status, StatusCode::OK);
    let shown = api.get(&format!("/v1/callbacks/{id}")).await.json();
    assert_eq!((&shown["status"], &shown["outcome"]), (&json!("closed"), &json!("canceled")));
    assert_eq!((&shown["closed_at"], &shown["reason"]["code"]), (&json!(NOW), &json!("customer.canceled")));
    insta::assert_json_snapshot!("timeline", api.get(&format!("/v1/callbacks/{id}/timeline")).await.json());
}

#[tokio::test]
async fn canceling_during_an_attempt_records_the_request_once() {
    let api = api().await;
    let id = api.callback().await;
    start_calling(&api, id).await;
    let answer = cancel(&api, id).await;
    assert_eq!((answer.status, &answer.json()["cancel_requested_at"]), (StatusCode::OK, &json!(NOW)));
    api.clock.advance(jiff::SignedDuration::from_secs(5));
    let again = cancel(&api, id).await;
    assert_eq!((again.status, again.text), (StatusCode::OK, answer.text));
}

#[tokio::test]
async fn a_closed_callback_does_not_change() {
    let api = api().await;
    let id = api.callback().await;
    api.store
        .change(id, |record| {
            let note = Reason::Answered.note();
            record.callback.state = State::Closed(Closed { outcome: Outcome::Reached, at: at(NOW), note });
        })
        .await;
    for answer in [cancel(&api, id).await, reschedule(&api, id, json!({"priority": 1})).await] {
        assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "callback.closed".into()));
        assert_eq!(answer.json()["outcome"], "reached");
    }
}

#[tokio::test]
async fn rescheduling_changes_only_the_given_fields() {
    let api = api().await;
    let id =
        api.order(json!({"earliest": "2026-11-24T06:00:00Z", "hours": "daily 09:00-18:00 @UTC"})).await.id();
    api.clock.advance(jiff::SignedDuration::from_mins(1));
    let answer =
        reschedule(&api, id, json!({"latest": "2026-11-25T12:00:00Z", "priority": 9, "hours": null})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let view = answer.json();
    assert_eq!((&view["latest"], &view["priority"]), (&json!("2026-11-25T12:00:00Z"), &json!(9)));
    assert_eq!((&view["earliest"], view.get("hours")), (&json!("2026-11-24T06:00:00Z"), None));
}

#[tokio::test]
async fn rescheduling_has_the_same_rules_as_ordering() {
    let api = api().await;
    let id = api.callback().await;
    for (body, expected) in [
        (json!({"latest": "2026-11-22T12:00:00Z"}), "latest: deadline.passed"),
        (json!({"earliest": "2026-11-20T12:00:00Z"}), "latest: deadline.passed"),
        (json!({"earliest": "2027-12-24T12:00:00Z"}), "latest: deadline.too_far"),
        (json!({"earliest": "9999-12-30T22:00:00Z"}), "earliest: deadline.too_far"),
        (json!({"reason": "x".repeat(201)}), "reason: field.too_long"),
        (json!({"earliest": "2026-11-20T12:00:00Z", "latest": NOW}), "latest: deadline.passed"),
        (json!({"hours": "sun 09:00-18:00 @UTC"}), "hours: hours.never_open"),
        (json!({"priority": 10}), "priority: priority.out_of_range"),
        (json!({"consumer": "+5521976543210"}), "consumer: field.unknown"),
    ] {
        let answer = reschedule(&api, id, body.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(answer.faults(), [expected], "{body}");
    }
}

#[tokio::test]
async fn a_callback_with_an_attempt_in_progress_cannot_be_rescheduled() {
    let api = api().await;
    let id = api.callback().await;
    start_calling(&api, id).await;
    let answer = reschedule(&api, id, json!({"priority": 1})).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "callback.calling".into()));
}

#[tokio::test]
async fn the_deadline_moves_with_the_start_unless_it_is_given() {
    let api = api().await;
    let times = json!({"earliest": "2026-11-24T06:00:00Z", "latest": "2026-11-24T18:00:00Z"});
    let id = api.order(times).await.id();
    for (body, earliest, latest) in [
        (json!({"earliest": "2026-11-25T07:30:00Z"}), "2026-11-25T07:30:00Z", "2026-11-25T19:30:00Z"),
        (json!({"earliest": "2026-11-24T07:30:00Z"}), "2026-11-24T07:30:00Z", "2026-11-24T19:30:00Z"),
        (
            json!({"earliest": "2026-11-24T08:00:00Z", "latest": "2026-11-24T08:01:00Z"}),
            "2026-11-24T08:00:00Z",
            "2026-11-24T08:01:00Z",
        ),
        (json!({"latest": "2026-11-25T00:00:00Z"}), "2026-11-24T08:00:00Z", "2026-11-25T00:00:00Z"),
    ] {
        let answer = reschedule(&api, id, body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{body}: {}", answer.text);
        let view = answer.json();
        assert_eq!((&view["earliest"], &view["latest"]), (&json!(earliest), &json!(latest)), "{body}");
    }
}

#[tokio::test]
async fn the_timeline_names_the_token_and_the_reason_of_a_reschedule() {
    let api = api().await;
    let id = api.callback().await;
    reschedule(&api, id, json!({"priority": 9, "reason": "she asked on +55 21 97654-3210."})).await;
    let timeline = api.get(&format!("/v1/callbacks/{id}/timeline")).await.json();
    let entries = timeline["entries"].as_array().unwrap();
    let line = entries.iter().find(|line| line["what"] == "callback.rescheduled").unwrap();
    assert_eq!(line["by"], "crm");
    let why = line["why"].as_str().unwrap();
    assert!(why.contains("by the token \"crm\""), "{why}");
    assert!(why.ends_with("priority 9. The reason given: she asked on +** ** *****-****."), "{why}");
}

#[tokio::test]
async fn a_reference_is_accepted_wherever_an_id_is() {
    let api = api().await;
    let id = api.order(json!({"reference": "order 7/1"})).await.id();
    let at = "/v1/callbacks/order%207%2F1";
    assert_eq!(api.get(at).await.json()["id"], id.to_string());
    assert_eq!(api.get(&format!("{at}/explain")).await.json()["id"], id.to_string());
    assert_eq!(api.get(&format!("{at}/timeline")).await.status, StatusCode::OK);
    assert_eq!(api.change(&format!("{at}/reschedule"), r#"{"priority": 9}"#).await.json()["priority"], 9);
    let allowed = api.change(&format!("{at}/allow-attempt"), r#"{"reason": "she asked"}"#).await;
    assert_eq!((allowed.status, allowed.json()["id"].clone()), (StatusCode::OK, json!(id.to_string())));
    assert_eq!(api.change(&format!("{at}/cancel"), "").await.json()["outcome"], "canceled");
    // A closed callback is still found by its reference, also in lists.
    let again = api.change(&format!("{at}/cancel"), "").await;
    assert_eq!((again.status, again.code()), (StatusCode::CONFLICT, "callback.closed".into()));
    for list in [
        api.get("/v1/callbacks?reference=order%207%2F1").await,
        api.post("/v1/callbacks/search", json!({"reference": "order 7/1", "status": "closed"}).to_string())
            .await,
    ] {
        let list = list.json();
        assert_eq!(list["callbacks"].as_array().map(Vec::len), Some(1));
        assert_eq!(list["callbacks"][0]["id"], id.to_string());
    }
}

#[tokio::test]
async fn a_reference_of_several_open_callbacks_is_refused_and_names_them() {
    let api = api().await;
    let first = api.order(json!({"reference": "twice"})).await.id();
    let second = api.order(json!({"reference": "twice"})).await.id();
    let refused = api.change("/v1/callbacks/twice/cancel", "").await;
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "reference.ambiguous".into()));
    assert!([first, second].iter().all(|id| refused.text.contains(&id.to_string())), "{}", refused.text);
    // An open callback takes precedence over a closed one, whichever is newer.
    cancel(&api, second).await;
    assert_eq!(api.get("/v1/callbacks/twice").await.json()["id"], first.to_string());
    // Among closed callbacks, the newest is found.
    cancel(&api, first).await;
    assert_eq!(api.get("/v1/callbacks/twice").await.json()["id"], second.to_string());
    // The problem names ten at most.
    for _ in 0..12 {
        api.order(json!({"reference": "often"})).await;
    }
    let refused = api.get("/v1/callbacks/often").await.json();
    let detail = refused["detail"].as_str().unwrap();
    assert_eq!(detail.matches("cb_").count(), 10, "{detail}");
    assert!(detail.ends_with("and more"), "{detail}");
}
