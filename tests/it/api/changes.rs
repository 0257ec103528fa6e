//! Canceling and rescheduling: what a callback allows where it stands.

use axum::body::Body;
use axum::http::StatusCode;
use futures_util::FutureExt as _;
use ringmaster::domain::callback::Closed;
use ringmaster::domain::{AttemptId, CallbackId, Outcome, Reason, State};
use serde_json::{Value, json};
use uuid::Uuid;

use super::harness::{Answer, ApiHarness, NOW, api, at};

async fn cancel(api: &ApiHarness, id: CallbackId) -> Answer {
    api.post(&format!("/v1/callbacks/{id}/cancel"), Body::empty()).await
}

async fn reschedule(api: &ApiHarness, id: CallbackId, body: Value) -> Answer {
    api.post(&format!("/v1/callbacks/{id}/reschedule"), body.to_string()).await
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
async fn canceling_during_an_attempt_notes_the_wish_once_and_wakes_the_scheduler() {
    let api = api().await;
    let id = api.callback().await;
    start_calling(&api, id).await;
    let _ = api.app.waker.given().now_or_never();
    let answer = cancel(&api, id).await;
    assert_eq!((answer.status, &answer.json()["cancel_requested_at"]), (StatusCode::ACCEPTED, &json!(NOW)));
    assert!(api.app.waker.given().now_or_never().is_some());
    api.clock.advance(jiff::SignedDuration::from_secs(5));
    let again = cancel(&api, id).await;
    assert_eq!((again.status, again.text), (StatusCode::ACCEPTED, answer.text));
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
async fn a_change_is_tried_again_when_somebody_else_was_faster_but_not_forever() {
    let api = api().await;
    let id = api.callback().await;
    api.store.contended.store(3, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(reschedule(&api, id, json!({"priority": 8})).await.json()["priority"], 8);
    api.store.contended.store(1000, std::sync::atomic::Ordering::Relaxed);
    let answer = cancel(&api, id).await;
    assert_eq!(
        (answer.status, answer.code()),
        (StatusCode::SERVICE_UNAVAILABLE, "callback.contended".into())
    );
}

#[tokio::test]
async fn rescheduling_changes_what_is_given_and_has_the_scheduler_look_at_once() {
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
    assert_eq!(view["next_look_at"], "2026-11-23T12:01:00Z");
    assert_eq!(view["reason"]["code"], "window.before_earliest");
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
