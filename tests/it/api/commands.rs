//! Commands: answers before and after the fold, and repetitions.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use ringmaster::domain::{AttemptId, CallbackId, State};
use ringmaster::http::{App, router};
use serde_json::{Value, json};
use uuid::Uuid;

use super::harness::{Answer, ApiHarness, answer, api};

async fn command(api: &ApiHarness, taken: &Answer) -> Value {
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    api.get(taken.header("location")).await.json()
}

fn cancel(api: &ApiHarness, id: CallbackId, key: Option<&str>) -> Request<Body> {
    let request = Request::post(format!("/v1/callbacks/{id}/cancel"))
        .header("authorization", format!("Bearer {}", api.token))
        .header("x-request-id", "req-1");
    let request = match key {
        Some(key) => request.header("idempotency-key", key),
        None => request,
    };
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn a_command_is_pending_until_it_is_folded_and_then_has_its_result() {
    let api = api().await;
    let id = api.callback().await;
    let taken = answer(&api.router, cancel(&api, id, None)).await;
    let before = command(&api, &taken).await;
    assert_eq!((&before["status"], &before["callback"]), (&json!("pending"), &json!(id.to_string())));
    assert_eq!(
        api.get(&format!("/v1/callbacks/{id}")).await.json()["status"],
        "waiting",
        "nobody else writes"
    );
    api.fold().await;
    assert_eq!(command(&api, &taken).await["status"], "applied");
    assert_eq!(api.get(&format!("/v1/callbacks/{id}")).await.json()["outcome"], "canceled");
}

#[tokio::test]
async fn an_answer_waits_for_the_fold_and_is_woken_by_it() {
    let api = api().await;
    let id = api.callback().await;
    // The clock does not move, so only the fold can end the wait.
    let app = App { command_wait: jiff::SignedDuration::from_secs(1), ..copy(&api.app) };
    let router = router(Arc::new(app));
    let request = cancel(&api, id, None);
    let (taken, ()) = tokio::join!(answer(&router, request), async {
        api.waker.given().await;
        api.fold().await;
    });
    assert_eq!((taken.status, &taken.json()["outcome"]), (StatusCode::OK, &json!("canceled")));
}

#[tokio::test]
async fn after_a_second_the_answer_has_the_location_of_the_command() {
    let api = api().await;
    let id = api.callback().await;
    let app = App { command_wait: jiff::SignedDuration::from_secs(1), ..copy(&api.app) };
    let router = router(Arc::new(app));
    let request = cancel(&api, id, None);
    let (taken, ()) = tokio::join!(answer(&router, request), async {
        api.waker.given().await;
        api.clock.advance(jiff::SignedDuration::from_secs(1));
    });
    assert_eq!(command(&api, &taken).await["status"], "pending");
}

#[tokio::test]
async fn a_repetition_is_the_same_command_and_another_command_under_its_key_is_refused() {
    let api = api().await;
    let id = api.callback().await;
    let other = api.callback().await;
    let first = answer(&api.router, cancel(&api, id, Some("once"))).await;
    let again = answer(&api.router, cancel(&api, id, Some("once"))).await;
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(api.store.unfolded_reports(10).await.unwrap().len(), 1);
    let reused = answer(&api.router, cancel(&api, other, Some("once"))).await;
    assert_eq!(reused.code(), "idempotency.key_reused");
    api.fold().await;
    let known = answer(&api.router, cancel(&api, id, Some("once"))).await;
    assert_eq!((known.status, &known.json()["outcome"]), (StatusCode::OK, &json!("canceled")));
    let anew = answer(&api.router, cancel(&api, id, None)).await;
    assert_eq!((anew.status, anew.code()), (StatusCode::CONFLICT, "callback.closed".into()));
}

#[tokio::test]
async fn a_command_that_is_too_late_is_refused_with_the_code_of_its_problem() {
    let api = api().await;
    let id = api.callback().await;
    let path = format!("/v1/callbacks/{id}/reschedule");
    let taken = api.post(&path, json!({"priority": 9}).to_string()).await;
    api.store
        .change(id, |record| {
            record.callback.state = State::Calling { attempt: AttemptId::new(Uuid::from_u128(1)) };
        })
        .await;
    api.fold().await;
    let told = command(&api, &taken).await;
    assert_eq!((&told["status"], &told["code"]), (&json!("refused"), &json!("callback.calling")));
    assert_ne!(api.get(&format!("/v1/callbacks/{id}")).await.json()["priority"], 9);
}

#[tokio::test]
async fn commands_are_folded_before_reports_in_order_of_arrival() {
    let api = api().await;
    let id = api.callback().await;
    for priority in [9, 1] {
        let path = format!("/v1/callbacks/{id}/reschedule");
        api.post(&path, json!({"priority": priority}).to_string()).await;
    }
    api.fold().await;
    assert_eq!(api.get(&format!("/v1/callbacks/{id}")).await.json()["priority"], 1);
}

/// A router with the same parts and another wait.
pub(super) fn copy(app: &App) -> App {
    App {
        store: app.store.clone(),
        clock: app.clock.clone(),
        directory: app.directory.clone(),
        documents: app.documents.clone(),
        presence: app.presence.clone(),
        rules: app.rules.clone(),
        calendars: app.calendars.clone(),
        chosen: app.chosen.clone(),
        contents: app.contents.clone(),
        issuers: app.issuers.clone(),
        deposed_since: std::sync::OnceLock::new(),
        stopping_since: std::sync::OnceLock::new(),
        waker: app.waker.clone(),
        webhook_endpoint: None,
        hook_urls: app.hook_urls.clone(),
        zone_data: app.zone_data.clone(),
        reports: app.reports.clone(),
        metrics: app.metrics.clone(),
        traces: app.traces.clone(),
        unresolved_after: app.unresolved_after,
        unknown_for: app.unknown_for,
        defaults: app.defaults.clone(),
        limits: app.limits,
        bulk_memory: app.bulk_memory.clone(),
        ids: app.ids.clone(),
        event_places: app.event_places.clone(),
        token_rates: Default::default(),
        sign_in: app.sign_in.clone(),
        pools_with_source: app.pools_with_source.clone(),
        command_wait: app.command_wait,
    }
}

#[tokio::test]
async fn a_figure_of_a_pool_that_is_not_yet_applied_tells_no_seats_in_use() {
    let api = api().await;
    let request = || Request::put("/v1/pools/support").header("content-type", "application/json");
    let body = json!({"seats": 3, "valid_for": 60}).to_string();
    let taken = api.ask(request(), body.clone()).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    let pool = taken.json();
    assert_eq!((&pool["name"], &pool["seats"]), (&json!("support"), &json!(3)));
    for field in ["in_calls", "in_wrap_up", "room"] {
        assert_eq!(pool.get(field), None, "{field}");
    }
}
