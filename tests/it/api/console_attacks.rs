//! The console as an attacker meets it: stored markup, headers in addresses, and what a proxy could claim.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use ringmaster::console;
use ringmaster::http::peers::Peer;
use serde_json::json;

use super::harness::{Answer, ApiHarness, answer, api};

const MARKUP: &str = "\"><img src=x onerror=alert(1)><script>alert(1)</script>'";

async fn opened() -> (ApiHarness, Router) {
    let api = api().await;
    let console = console::router(&api.app);
    (api, console)
}

async fn get(console: &Router, path: &str, headers: &[(&str, &str)]) -> Answer {
    let here = Peer(std::net::Ipv4Addr::LOCALHOST.into());
    let mut request = Request::get(path).header("host", "localhost:8080").extension(here);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    answer(console, request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn markup_in_what_customers_write_is_text_on_every_page() {
    let (api, console) = opened().await;
    let order = json!({
        "reference": MARKUP, "campaign": MARKUP, "metadata": {MARKUP: MARKUP},
        "consent": {"source": MARKUP, "at": "2026-11-01T00:00:00Z"},
    });
    let ordered = api.order(order).await;
    assert_eq!(ordered.status, StatusCode::ACCEPTED, "{}", ordered.text);
    let id = ordered.id();
    api.change("/v1/campaigns", json!({"name": MARKUP}).to_string()).await;
    let pause = json!({"scope": "all", "why": MARKUP}).to_string();
    api.post("/v1/pauses", pause).await;
    api.fold().await;
    let encoded: String = form_urlencoded::byte_serialize(MARKUP.as_bytes()).collect();
    for path in [
        "/console/".to_owned(),
        "/console/callbacks".to_owned(),
        format!("/console/callbacks/{id}"),
        format!("/console/callbacks?campaign={encoded}"),
        format!("/console/callbacks?status={encoded}"),
        format!("/console/callbacks?done={encoded}"),
        format!("/console/{encoded}"),
        "/console/campaigns".to_owned(),
        "/console/senders".to_owned(),
        "/console/system".to_owned(),
    ] {
        let page = get(&console, &path, &[]).await;
        assert!(
            !page.text.contains("<script>alert") && !page.text.contains("<img src=x"),
            "{path}: {}",
            page.text
        );
    }
    let page = get(&console, "/console/callbacks", &[]).await;
    assert!(page.text.contains("&lt;script&gt;"), "it is shown as text: {}", page.text);
}

#[tokio::test]
async fn an_address_puts_no_header_into_an_answer() {
    let (api, console) = opened().await;
    let id = api.callback().await;
    for path in [
        "/console/callbacks?done=x%0d%0aSet-Cookie:%20a=b".to_owned(),
        format!("/console/callbacks/{id}%0d%0aSet-Cookie:%20a=b"),
        "/console/%0d%0aSet-Cookie:%20a=b".to_owned(),
        "/console/assets/x%0d%0aSet-Cookie:%20a=b".to_owned(),
    ] {
        let page = get(&console, &path, &[]).await;
        assert!(page.headers.get("set-cookie").is_none(), "{path}: {:?}", page.headers);
    }
}

#[tokio::test]
async fn a_claimed_prefix_or_host_is_in_no_page() {
    let (_api, console) = opened().await;
    let claims = [
        ("x-forwarded-prefix", "//evil.example/"),
        ("x-original-url", "/console/evil.example"),
        ("x-rewrite-url", "/console/evil.example"),
        ("x-script-name", "//evil.example"),
    ];
    let page = get(&console, "/console/", &claims).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(!page.text.contains("evil"), "{}", page.text);
    assert!(
        page.headers.values().all(|value| !value.to_str().unwrap().contains("evil")),
        "{:?}",
        page.headers
    );
    // These say that a proxy is between, so nobody is here.
    for name in ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via"]
    {
        let refused = get(&console, "/console/", &[(name, "127.0.0.1")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{name}");
    }
    for path in ["/console/..%2f..%2fv1/people", "/console/%2e%2e/v1/people", "/console//v1/people"] {
        let page = get(&console, path, &[]).await;
        assert_ne!(page.status, StatusCode::OK, "{path}: {}", page.text);
    }
}
