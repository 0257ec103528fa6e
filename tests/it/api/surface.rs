//! Properties of all routes: tokens, problems, request ids, the description and its pages.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use axum::routing::get;
use ringmaster::clock::Clock as _;
use ringmaster::http::{RequestLimits, api, auth, router_with};
use ringmaster::store::Token;
use serde_json::Value;

use super::harness::{SENDER, answer, api, desk_with};

#[tokio::test]
async fn without_a_known_token_every_request_is_refused() {
    let api = api().await;
    let (stranger, _) = auth::new_token([8; 32]);
    for (header, code, challenge) in [
        (None, "auth.missing", "Bearer realm=\"ringmaster\""),
        (Some("Basic cm06".to_owned()), "auth.missing", "Bearer realm=\"ringmaster\""),
        (
            Some("Bearer hunter2".to_owned()),
            "auth.unknown",
            "Bearer realm=\"ringmaster\", error=\"invalid_token\"",
        ),
        (
            Some(format!("Bearer {stranger}")),
            "auth.unknown",
            "Bearer realm=\"ringmaster\", error=\"invalid_token\"",
        ),
    ] {
        for path in ["/v1/callbacks", "/v1/limits", "/v1/status"] {
            let mut request = Request::get(path);
            if let Some(header) = &header {
                request = request.header("authorization", header);
            }
            let answer = answer(&api.router, request.body(Body::empty()).unwrap()).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, code.to_owned()));
            assert_eq!(answer.header("www-authenticate"), challenge);
        }
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once() {
    let api = api().await;
    let (other, hash) = auth::new_token([9; 32]);
    let kept = Token::new("crm", hash, api.clock.now());
    api.store.create_token(kept).await.unwrap();
    assert_eq!(api.get("/v1/limits").await.status, StatusCode::OK);
    let taken = api.store.tokens().await.unwrap().into_iter().find(|token| token.hash != hash).unwrap();
    assert!(api.store.revoke_token(taken.hash).await.unwrap());
    assert_eq!(api.get("/v1/limits").await.code(), "auth.unknown");
    let request = Request::get("/v1/limits").header("authorization", format!("Bearer {other}"));
    assert_eq!(answer(&api.router, request.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn refusals_of_the_framework_are_problems_too() {
    let api = api().await;
    assert_eq!(api.get("/v2").await.code(), "request.not_found");
    assert_eq!(api.get("/v1/nothing").await.code(), "request.not_found");
    let method = api.ask(Request::delete("/v1/callbacks"), Body::empty()).await;
    assert_eq!(method.code(), "request.method");
    assert_eq!(method.header("allow"), "POST,GET,HEAD");
    let media = api.ask(Request::post("/v1/callbacks").header("content-type", "text/plain"), "{}").await;
    assert_eq!((media.status, media.code()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "body.media_type".into()));
    assert_eq!(api.ask(Request::post("/v1/callbacks/bulk"), "{}").await.code(), "body.media_type");
}

#[tokio::test]
async fn bodies_and_bulk_bodies_have_separate_limits() {
    let limits =
        RequestLimits { body_max_bytes: 1000, bulk_body_max_bytes: 2000, ..RequestLimits::default() };
    let api = desk_with(&[SENDER], limits).await;
    for (path, fits) in
        [("/v1/callbacks", 1000), ("/v1/callbacks/search", 1000), ("/v1/callbacks/bulk", 2000)]
    {
        assert_ne!(api.post(path, " ".repeat(fits)).await.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        let answer = api.post(path, " ".repeat(fits + 1)).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::PAYLOAD_TOO_LARGE, "body.too_large".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_arrive_times_out() {
    let limits = RequestLimits { timeout: Duration::from_secs(5), ..RequestLimits::default() };
    let api = desk_with(&[SENDER], limits).await;
    let never = futures_util::stream::pending::<Result<Bytes, std::io::Error>>();
    let answer = api.post("/v1/callbacks", Body::from_stream(never)).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::REQUEST_TIMEOUT, "request.timeout".into()));
}

#[tokio::test]
async fn a_panic_is_an_internal_problem_without_details() {
    let api = api().await;
    api.store.faults().broken.store(true, Ordering::Relaxed);
    let answer = api.get("/v1/status").await;
    assert_eq!((answer.status, answer.code()), (StatusCode::INTERNAL_SERVER_ERROR, "internal".into()));
    assert!(!answer.text.contains("lost count"), "{}", answer.text);
    assert_eq!(api.get("/v1/limits").await.status, StatusCode::OK);
}

#[tokio::test]
async fn routes_of_other_modules_use_the_same_middleware() {
    let api = api().await;
    let others = Router::new().route("/hooks/broken", get(async || -> &'static str { panic!("lost count") }));
    let router = router_with(api.app.clone(), others);
    let ask = async |request: axum::http::request::Builder| {
        answer(&router, request.uri("/hooks/broken").body(Body::empty()).unwrap()).await
    };
    assert_eq!(ask(Request::builder()).await.code(), "internal");
    assert_eq!(ask(Request::builder().method("PUT")).await.code(), "request.method");
}

#[tokio::test]
async fn a_request_keeps_its_id_and_gets_one_if_it_has_no_valid_one() {
    let api = api().await;
    assert_eq!(api.get("/healthz").await.header("x-request-id"), "req-1");
    for id in ["", "two words", &"x".repeat(101)] {
        let request = Request::get("/healthz").header("x-request-id", id).body(Body::empty()).unwrap();
        let given = answer(&api.router, request).await;
        assert_eq!(given.header("x-request-id").len(), 32, "{id}");
    }
}

#[tokio::test]
async fn the_daemon_is_healthy_if_the_store_can_be_read() {
    let api = api().await;
    let ask = async || answer(&api.router, Request::get("/healthz").body(Body::empty()).unwrap()).await;
    assert_eq!(ask().await.text, "ok\n");
    api.store.faults().fails_after.store(1, Ordering::Relaxed);
    assert_eq!(ask().await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn without_a_webhook_nothing_can_be_enabled_or_replayed() {
    let api = api().await;
    let id = api.callback().await;
    let state = api.get("/v1/webhooks").await.json();
    assert_eq!(state, serde_json::json!({"state": "off", "backlog": 0, "given_up": 0}));
    for path in ["/v1/webhooks/enable".to_owned(), format!("/v1/callbacks/{id}/replay")] {
        let answer = api.post(&path, Body::empty()).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "webhooks.off".to_owned()));
    }
}

#[tokio::test]
async fn the_description_needs_no_token_and_has_every_route() {
    let api = api().await;
    let given = answer(&api.router, Request::get("/openapi.json").body(Body::empty()).unwrap()).await;
    let description = given.json();
    let paths: BTreeSet<_> = description["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "/v1/attempts",
        "/v1/attempts/{id}/ask-again",
        "/v1/attempts/{id}/end",
        "/v1/attempts/{id}/hold",
        "/v1/attempts/{id}/release",
        "/v1/attempts/{id}/resolve",
        "/v1/bulk",
        "/v1/bulk/{id}",
        "/v1/bulk/{id}/confirm",
        "/v1/bulk/{id}/stop",
        "/v1/audit",
        "/v1/audit/export",
        "/v1/people",
        "/v1/people/{name}",
        "/v1/people/{name}/change",
        "/v1/callbacks",
        "/v1/callbacks/bulk",
        "/v1/callbacks/search",
        "/v1/callbacks/{id}",
        "/v1/calendars",
        "/v1/calendars/simulate",
        "/v1/calendars/{name}",
        "/v1/calendars/{name}/days",
        "/v1/callbacks/{id}/allow-attempt",
        "/v1/callbacks/{id}/cancel",
        "/v1/callbacks/{id}/deliveries",
        "/v1/callbacks/{id}/explain",
        "/v1/callbacks/{id}/link",
        "/v1/callbacks/{id}/not-today",
        "/v1/callbacks/{id}/replay",
        "/v1/callbacks/{id}/reschedule",
        "/v1/callbacks/{id}/timeline",
        "/v1/callbacks/{id}/wrap-up",
        "/v1/campaigns",
        "/v1/campaigns/{id}",
        "/v1/campaigns/{id}/forecast",
        "/v1/campaigns/{id}/cancel",
        "/v1/campaigns/{id}/change",
        "/v1/campaigns/{id}/drain",
        "/v1/campaigns/{id}/follow-up",
        "/v1/campaigns/{id}/launch",
        "/v1/campaigns/{id}/pause",
        "/v1/campaigns/{id}/ready",
        "/v1/campaigns/{id}/resume",
        "/v1/clock/confirm",
        "/v1/commands/{id}",
        "/v1/consumers/erase",
        "/v1/consumers/export",
        "/v1/consumers/zone",
        "/v1/events",
        "/v1/erasures/{id}",
        "/v1/imports",
        "/v1/imports/check",
        "/v1/imports/{name}",
        "/v1/imports/{name}/complete",
        "/v1/imports/{name}/parts",
        "/v1/imports/{name}/refused",
        "/v1/imports/{name}/rows",
        "/v1/inbox/unmatched",
        "/v1/invites",
        "/v1/invites/bulk",
        "/v1/invites/search",
        "/v1/invites/{id}",
        "/v1/invites/{id}/cancel",
        "/v1/invites/{id}/explain",
        "/v1/invites/{id}/link",
        "/v1/invites/{id}/replay",
        "/v1/invites/{id}/reschedule",
        "/v1/invites/{id}/timeline",
        "/v1/limits",
        "/v1/lineage",
        "/v1/lineage/release",
        "/v1/messages",
        "/v1/messages/{id}/resolve",
        "/v1/dispositions",
        "/v1/offers",
        "/v1/offers/{id}/accept",
        "/v1/offers/{id}/close",
        "/v1/offers/{id}/skip",
        "/v1/pauses",
        "/v1/pauses/{id}",
        "/v1/nodes",
        "/v1/nodes/{name}/resign",
        "/v1/pools",
        "/v1/pools/{name}",
        "/v1/permissions",
        "/v1/permissions/callable",
        "/v1/permissions/grant",
        "/v1/permissions/revoke",
        "/v1/permissions/show",
        "/v1/reports",
        "/v1/reports/{name}",
        "/v1/senders",
        "/v1/set-aside",
        "/v1/set-aside/{id}/drop",
        "/v1/set-aside/{id}/retry",
        "/v1/status",
        "/v1/suppression",
        "/v1/suppression/check",
        "/v1/suppression/lists",
        "/v1/suppression/lists/complete",
        "/v1/suppression/registers",
        "/v1/suppression/registers/{name}/numbers",
        "/v1/suppression/remove",
        "/v1/tokens",
        "/v1/webhooks",
        "/v1/webhooks/enable",
    ];
    assert_eq!(paths, BTreeSet::from(expected));
    let references = given.text.matches("#/components/schemas/").count();
    assert!(references > 20);
    let schemas = &description["components"]["schemas"];
    for reference in given.text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.get(name).is_some(), "{name} is not described");
    }
    insta::assert_json_snapshot!("openapi", description);
    assert_eq!(serde_json::to_value(api::openapi()).unwrap(), description);
}

#[tokio::test]
async fn every_described_route_exists() {
    let api = api().await;
    let Value::Object(paths) = serde_json::to_value(api::openapi()).unwrap()["paths"].clone() else {
        panic!()
    };
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let path = path.replace("{id}", "cb_00000000000000000000000000000000");
            let request = Request::builder().method(method.to_uppercase().as_str()).uri(&path);
            let answer = api.ask(request, Body::empty()).await;
            let missing =
                ["request.not_found", "request.method"].iter().any(|code| answer.text.contains(code));
            assert!(!missing, "{method} {path}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn the_pages_are_in_the_binary_and_have_only_relative_urls() {
    let api = api().await;
    let moved = api.get("/docs").await;
    assert_eq!((moved.status, moved.header("location")), (StatusCode::PERMANENT_REDIRECT, "docs/"));
    let page = api.get("/docs/").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html"));
    let settings = api.get("/docs/swagger-initializer.js").await;
    assert!(settings.text.contains("../openapi.json"), "{}", settings.text);
    for text in [&page.text, &settings.text] {
        assert!(!text.contains("http://") && !text.contains("https://") && !text.contains("\"/"), "{text}");
    }
    assert_eq!(api.get("/docs/nothing.js").await.code(), "request.not_found");
}
