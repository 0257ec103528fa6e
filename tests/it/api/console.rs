//! The console over HTTP: what its pages show, what they refuse, and their headers.

use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use ringmaster::console;
use ringmaster::http::peers::Peer;
use serde_json::{Value, json};

use super::harness::{Answer, ApiHarness, CONSUMER, answer, api};

/// Every page that needs no id.
const PAGES: [&str; 4] = ["/console/", "/console/callbacks", "/console/calls", "/console/unknown"];

struct Desk {
    api: ApiHarness,
    console: Router,
}

/// A connection from this machine.
fn here() -> Peer {
    Peer(Ipv4Addr::LOCALHOST.into())
}

async fn desk() -> Desk {
    let api = api().await;
    let console = console::router(&api.app);
    Desk { api, console }
}

impl Desk {
    async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("host", "localhost:8080").extension(here());
        answer(&self.console, request.body(Body::empty()).unwrap()).await
    }

    /// The token of the forms, as a page has it.
    async fn csrf(&self) -> String {
        let page = self.get("/console/").await.text;
        let (_, rest) = page.split_once("name=\"csrf\" content=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    async fn post(&self, path: &str, form: &str) -> Answer {
        let body = format!("csrf={}&{form}", self.csrf().await);
        self.post_raw(path, &body, &[("sec-fetch-site", "same-origin")]).await
    }

    async fn post_raw(&self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::post(path)
            .extension(here())
            .header("host", "localhost:8080")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("content-length", body.len());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(&self.console, request.body(Body::from(body.to_owned())).unwrap()).await
    }
}

/// What no page may have: anything inline, or from another address than its own folder.
fn assert_strict(page: &Answer, path: &str) {
    for word in [
        " style=",
        "<style",
        " onclick",
        " onload",
        "javascript:",
        "href=\"/",
        "src=\"/",
        "action=\"/",
        "http://",
        "https://",
    ] {
        assert!(!page.text.contains(word), "{path} has {word}: {}", page.text);
    }
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(page.header("cache-control"), "no-store", "{path}");
    assert_eq!(page.header("x-frame-options"), "DENY", "{path}");
}

#[tokio::test]
async fn every_page_renders_empty_and_with_data_and_has_nothing_inline() {
    let desk = desk().await;
    for round in 0..2 {
        for path in PAGES {
            let page = desk.get(path).await;
            assert_eq!(page.status, StatusCode::OK, "{round} {path}: {}", page.text);
            assert_strict(&page, path);
            assert!(page.text.contains("<h1>") && page.text.contains("Skip to the page"), "{path}");
        }
        let id = desk.api.callback().await;
        let page = desk.get(&format!("/console/callbacks/{id}")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert_strict(&page, "a callback");
    }
    let list = desk.get("/console/callbacks?status=waiting").await.text;
    assert!(list.contains("<td data-label=\"state\">"), "{list}");
    let none = desk.get("/console/callbacks?campaign=other").await.text;
    assert!(none.contains("No callback matches."), "{none}");
}

#[tokio::test]
async fn a_wrong_filter_and_an_unknown_page_say_so() {
    let desk = desk().await;
    let wrong = desk.get("/console/callbacks?status=wating").await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(
        wrong.text.contains("role=\"alert\"") && !wrong.text.contains("No callback matches"),
        "{}",
        wrong.text
    );
    for path in ["/console/callbacks/cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f", "/console/nothing", "/console/a/b"]
    {
        let page = desk.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert_strict(&page, path);
    }
}

#[tokio::test]
async fn numbers_are_masked_until_they_are_revealed() {
    let desk = desk().await;
    let id = desk.api.callback().await;
    let path = format!("/console/callbacks/{id}");
    for page in [desk.get(&path).await, desk.get("/console/callbacks").await] {
        assert!(page.text.contains("+•••") && !page.text.contains(CONSUMER), "{}", page.text);
    }
    let shown = desk.post(&format!("{path}/revealed"), "").await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(shown.text.contains(CONSUMER), "{}", shown.text);
    assert!(desk.get(&path).await.text.contains("+•••"), "only that answer has it");
}

#[tokio::test]
async fn a_number_is_searched_for_in_a_form_and_a_fault_is_at_its_field() {
    let desk = desk().await;
    let id = desk.api.callback().await;
    let found = desk.post("/console/callbacks/search", "consumer=%2B5521976543210").await;
    assert!(found.text.contains(&id.to_string()), "{}", found.text);
    let wrong = desk.post("/console/callbacks/search", "consumer=12").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("aria-invalid=\"true\""), "{}", wrong.text);
}

#[tokio::test]
async fn a_form_of_another_site_or_without_its_token_changes_nothing() {
    let desk = desk().await;
    let path = format!("/console/callbacks/{}/cancel", desk.api.callback().await);
    let csrf = format!("csrf={}", desk.csrf().await);
    for (body, headers) in [
        ("", &[][..]),
        ("csrf=", &[]),
        ("csrf=00000000000000000000000000000000", &[]),
        (&csrf, &[("sec-fetch-site", "cross-site")]),
        (&csrf, &[("sec-fetch-site", "same-site")]),
    ] {
        let refused = desk.post_raw(&path, body, headers).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{body} {headers:?}");
    }
    // Behind a proxy nobody is signed in.
    let proxied = desk.post_raw(&path, &csrf, &[("x-forwarded-for", "192.0.2.1")]).await;
    assert_eq!(proxied.status, StatusCode::UNAUTHORIZED, "{}", proxied.text);
    desk.api.fold().await;
    assert!(desk.get("/console/callbacks?status=waiting").await.text.contains("cb_"), "it still waits");
}

#[tokio::test]
async fn a_callback_is_cancelled_and_rescheduled_by_the_forms_of_its_page() {
    let desk = desk().await;
    let id = desk.api.callback().await;
    let path = format!("/console/callbacks/{id}");
    let wrong = desk.post(&format!("{path}/reschedule"), "latest=soon&priority=8&reason=vip").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in ["field-reschedule-latest-told", "value=\"soon\"", "value=\"8\" selected", "value=\"vip\""] {
        assert!(wrong.text.contains(kept), "{kept}: {}", wrong.text);
    }
    assert_eq!(wrong.text.matches("aria-invalid").count(), 1, "no other form is wrong: {}", wrong.text);
    let moved = desk.post(&format!("{path}/reschedule"), "priority=8&reason=vip").await;
    assert_eq!(moved.status, StatusCode::SEE_OTHER, "{}", moved.text);
    assert_eq!(moved.header("location"), format!("../../callbacks/{id}?done=rescheduled"));
    desk.api.fold().await;
    assert!(desk.get(&path).await.text.contains("urgent (8)"));
    let canceled = desk.post(&format!("{path}/cancel"), "").await;
    assert_eq!(canceled.status, StatusCode::SEE_OTHER);
    desk.api.fold().await;
    let page = desk.get(&format!("{path}?done=canceled")).await.text;
    assert!(
        page.contains("by local")
            && page.contains("The customer canceled the order.")
            && page.contains("role=\"status\""),
        "{page}"
    );
}

#[tokio::test]
async fn a_list_is_filtered_by_the_reason_and_the_first_page_counts_it() {
    let desk = desk().await;
    let id = desk.api.callback().await;
    desk.api.fold().await;
    let record = desk.api.get(&format!("/v1/callbacks/{id}")).await.json();
    let code = record["reason"]["code"].as_str().unwrap().to_owned();
    let rows = async |query: &str| {
        let page = desk.api.get(&format!("/v1/callbacks?{query}")).await.json();
        page["callbacks"].as_array().unwrap().len()
    };
    assert_eq!(rows(&format!("reason={code}")).await, 1, "{code}");
    assert_eq!(rows("reason=window.missed").await, 0);
    assert_eq!(desk.api.get("/v1/callbacks?reason=No").await.status, StatusCode::BAD_REQUEST);
    let report = desk.api.get("/v1/reports/waiting").await.json();
    assert_eq!(report["rows"], json!([{"reason": code, "callbacks": 1, "percent": 100.0}]), "{report}");
    assert!(desk.get("/console/").await.text.contains(&format!("reason={code}")));
}

#[tokio::test]
async fn a_read_that_fails_is_not_shown_as_nothing() {
    let desk = desk().await;
    let faults = desk.api.store.faults();
    faults.broken.store(true, std::sync::atomic::Ordering::Relaxed);
    faults.fails_after.store(1, std::sync::atomic::Ordering::Relaxed);
    let page = desk.get("/console/callbacks").await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!page.text.contains("No callback matches"), "{}", page.text);
}

#[tokio::test]
async fn assets_are_kept_for_a_year_under_the_name_of_their_content() {
    let desk = desk().await;
    let page = desk.get("/console/").await.text;
    for end in ["css", "js", "svg"] {
        let file = page.split('"').find(|part| part.starts_with("./assets/") && part.ends_with(end)).unwrap();
        let found = desk.get(&file.replacen("./", "/console/", 1)).await;
        assert_eq!(found.status, StatusCode::OK, "{file}");
        assert!(found.header("cache-control").contains("immutable"), "{file}");
    }
    assert_eq!(desk.get("/console/assets/console.0.css").await.status, StatusCode::NOT_FOUND);
    assert!(page.len() < 40_000, "{}", page.len());
}

#[tokio::test]
async fn without_a_sign_in_only_this_machine_is_answered() {
    let desk = desk().await;
    let rebound = Request::get("/console/").header("host", "evil.example").body(Body::empty()).unwrap();
    assert_eq!(answer(&desk.console, rebound).await.status, StatusCode::FORBIDDEN);
    let stream = desk.get("/console/live?page=callbacks").await;
    assert_eq!(stream.header("content-type"), "text/event-stream");
}

#[tokio::test]
async fn a_live_part_is_the_page_without_its_frame_and_without_a_token() {
    let desk = desk().await;
    desk.api.callback().await;
    let request = Request::get("/console/callbacks")
        .header("host", "localhost")
        .header("console-part", "live")
        .extension(here());
    let part = answer(&desk.console, request.body(Body::empty()).unwrap()).await;
    assert!(part.text.contains("<table>") && !part.text.contains("<html"), "{}", part.text);
    assert!(!part.text.contains(&desk.csrf().await), "{}", part.text);
}

#[tokio::test]
async fn what_is_no_call_is_neither_ended_nor_asked_about() {
    let desk = desk().await;
    let unknown = "at_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f";
    for verb in ["end", "ask-again"] {
        let refused = desk.api.post(&format!("/v1/attempts/{unknown}/{verb}"), Value::Null.to_string()).await;
        assert_eq!(refused.code(), "attempt.not_found");
        assert_eq!(desk.api.post(&format!("/v1/attempts/x/{verb}"), "{}").await.code(), "id.malformed");
    }
}

#[tokio::test]
async fn many_callbacks_are_changed_by_one_confirmation_and_what_changed_since_is_passed_over() {
    let desk = desk().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let order = json!({"campaign": "spring", "consumer": format!("+552197654321{n}")});
        ids.push(desk.api.order(order).await.id());
    }
    let other = desk.api.order(json!({"consumer": "+5521976543219"})).await.id();
    let wrong = desk.post("/console/bulk", "act=priority&priority=8&campaign=spring&why=").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for kept in ["field-bulk-why-told", "value=\"priority\" selected", "with the campaign spring"] {
        assert!(wrong.text.contains(kept), "{kept}: {}", wrong.text);
    }
    // A change cannot be narrowed as this list is, and would change more than it shows.
    let reached = desk.get("/console/callbacks?outcome=reached&campaign=spring").await.text;
    assert!(!reached.contains("Show what would change"), "{reached}");
    assert!(reached.contains("?status=waiting&amp;campaign=spring"), "{reached}");
    let made = desk.post("/console/bulk", "act=priority&priority=8&campaign=spring&why=storm").await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.text);
    let address = made.header("location").trim_start_matches("./").split('?').next().unwrap().to_owned();
    let page = format!("/console/{address}");
    assert!(
        desk.get(&page).await.text.contains("make urgent: 3 callbacks"),
        "{}",
        desk.get(&page).await.text
    );
    let wrong = desk.post(&format!("{page}/confirm"), "count=4").await;
    assert_eq!(wrong.status, StatusCode::CONFLICT, "{}", wrong.text);
    assert!(wrong.text.contains("name=\"count\"") && wrong.text.contains("value=\"4\""), "{}", wrong.text);
    // One of them changes, and a later order does not come into the set.
    let moved = desk.api.change(&format!("/v1/callbacks/{}/reschedule", ids[0]), r#"{"priority": 1}"#).await;
    assert_eq!(moved.status, StatusCode::OK, "{}", moved.text);
    let late = desk.api.order(json!({"campaign": "spring", "consumer": "+5521976543218"})).await.id();
    let path = format!("/v1/{address}");
    assert_eq!(desk.api.post(&format!("{path}/confirm"), r#"{"count": 4}"#).await.code(), "bulk.count");
    assert_eq!(desk.post(&format!("{page}/confirm"), "count=3").await.status, StatusCode::SEE_OTHER);
    for _ in 0..4 {
        desk.api.fold().await;
    }
    let bulk = desk.api.get(&path).await.json();
    let told =
        ["state", "total", "open", "pending", "applied", "changed", "refused"].map(|name| bulk[name].clone());
    assert_eq!(told, [json!("done"), json!(3), json!(0), json!(0), json!(2), json!(1), json!(0)], "{bulk}");
    let priority =
        async |id| desk.api.get(&format!("/v1/callbacks/{id}")).await.json()["priority"].as_u64().unwrap();
    assert_eq!(priority(ids[0]).await, 1);
    assert_eq!([priority(ids[1]).await, priority(ids[2]).await], [8, 8]);
    assert_eq!([priority(other).await, priority(late).await], [5, 5]);
    assert!(desk.get("/console/bulk").await.text.contains("2 of 3"));
}

#[tokio::test]
async fn a_change_of_many_that_is_stopped_or_matches_nothing_changes_nothing() {
    let desk = desk().await;
    let draft = |campaign: &str| {
        json!({"act": "cancel", "filter": {"campaign": campaign}, "why": "closed"}).to_string()
    };
    assert_eq!(desk.api.post("/v1/bulk", draft("none")).await.code(), "bulk.empty");
    let id = desk.api.order(json!({"campaign": "spring"})).await.id();
    let made = desk.api.post("/v1/bulk", draft("spring")).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let path = format!("/v1/bulk/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(desk.api.post(&format!("{path}/stop"), "{}").await.json()["state"], "stopped");
    assert_eq!(desk.api.post(&format!("{path}/confirm"), r#"{"count": 1}"#).await.code(), "bulk.over");
    desk.api.fold().await;
    assert_eq!(desk.api.get(&format!("/v1/callbacks/{id}")).await.json()["status"], "waiting");
    assert_eq!(desk.api.get("/v1/bulk/bk_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f").await.code(), "bulk.not_found");
}
