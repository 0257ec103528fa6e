//! Canceling and rescheduling: what a callback allows where it stands.

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
async fn canceling_during_an_attempt_notes_the_wish_once() {
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
async fn a_closed_callback_stays_as_it_ended() {
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
async fn rescheduling_changes_what_is_given_and_nothing_else() {
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
async fn rescheduling_is_held_to_the_same_rules_as_ordering() {
    let api = api().await;
    let id = api.callback().await;
    for (body, expected) in [
        (json!({"latest": "2026-11-22T12:00:00Z"}), "latest: deadline.not_after_earliest"),
        (json!({"earliest": "2026-11-24T12:00:00Z"}), "latest: deadline.not_after_earliest"),
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
