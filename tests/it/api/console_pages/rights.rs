//! Nobody sees or does more than their part: buttons, forms sent by hand, tenants, and forms of other sites.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use ringmaster::console::pages::table::PAGES;
use ringmaster::console::pages_for;
use ringmaster::domain::{Scope, Scopes};

use super::super::harness::answer;
use super::{CSRF, Visitor, assert_page, get, person, post};

#[tokio::test]
async fn a_viewer_sees_no_form_and_is_refused_every_act() {
    let visitor = Visitor::with_everything().await;
    let viewer = visitor.seen_by(Scopes::from_iter([Scope::Read]));
    // What a viewer may look up with a form changes nothing.
    let of_viewers = ["show-permission"];
    for page in PAGES {
        let path = page.path.replace("{id}", "cmp_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f");
        let shown = get(&viewer, &path).await;
        for act in page.acts {
            let is_there = shown.text.contains(&format!("value=\"{}\"", act.name));
            assert_eq!(is_there, of_viewers.contains(&act.name), "{path}: {}", act.name);
            if of_viewers.contains(&act.name) {
                continue;
            }
            let fields: Vec<(&str, &str)> = act.fields.iter().map(|field| (field.name, "x")).collect();
            let sent: Vec<_> = fields.into_iter().chain([("act", act.name)]).collect();
            let refused = post(&viewer, &path, &sent).await;
            assert_page(&refused, StatusCode::FORBIDDEN);
            assert!(refused.text.contains("Your role does not include this."), "{}", refused.text);
        }
    }
}

#[tokio::test]
async fn a_part_that_a_role_does_not_include_is_said_and_not_shown_as_empty() {
    let visitor = Visitor::with_everything().await;
    let operator = visitor.seen_by(Scopes::from_iter([Scope::Operate]));
    let system = get(&operator, "system").await;
    assert_page(&system, StatusCode::OK);
    assert!(system.text.contains("Your role does not include this part."), "{}", system.text);
    assert!(!system.text.contains("There is no token."), "{}", system.text);
}

#[tokio::test]
async fn a_person_of_a_tenant_sees_no_permissions_lists_or_tokens_of_all() {
    let visitor = Visitor::with_everything().await;
    let mut bound = person(super::everything());
    bound.tenant = "shop".parse().unwrap();
    let pages = pages_for(&visitor.api.app, bound);
    for path in ["permissions", "suppression", "system"] {
        let page = get(&pages, path).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(page.text.contains("Your role does not include this part."), "{path}: {}", page.text);
        assert!(!page.text.contains("callable.csv"), "{path}");
    }
    assert_eq!(get(&pages, "permissions/callable.csv").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_form_of_another_site_is_refused() {
    let visitor = Visitor::with_everything().await;
    let body = |csrf: &str| format!("csrf={csrf}&act=set-pause&scope=all&why=x");
    let form = |csrf: &str, site: &str| {
        Request::post("/console/senders")
            .header("host", "localhost")
            .header("sec-fetch-site", site)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body(csrf)))
            .unwrap()
    };
    for request in [form("", "same-origin"), form("another", "same-origin"), form(CSRF, "cross-site")] {
        assert_page(&answer(&visitor.pages, request).await, StatusCode::FORBIDDEN);
    }
    visitor.api.fold().await;
    assert_eq!(visitor.api.get("/v1/pauses").await.json()["pauses"].as_array().unwrap().len(), 0);
    let own = answer(&visitor.pages, form(CSRF, "same-origin")).await;
    assert_eq!(own.status, StatusCode::SEE_OTHER, "{}", own.text);
}
