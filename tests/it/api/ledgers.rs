//! The list of permissions, and the export of who may be called.

use axum::http::StatusCode;
use jiff::SignedDuration;
use ringmaster::clock::Clock as _;
use ringmaster::domain::{CallPermission, Pair, PairKey, PersonId, Scope, Scopes};
use ringmaster::http::auth;
use ringmaster::store::Token;
use serde_json::{Value, json};

use super::harness::{ApiHarness, NOW, SECOND_SENDER, SENDER, api, at, desk_with, phone};

/// A consumer by the last digits.
fn consumer(number: u64) -> String {
    PersonId::of(phone(&format!("+55219765432{number:02}"))).number().e164()
}

async fn store(api: &ApiHarness, sender: &str, number: u64, permission: CallPermission) {
    let key = PairKey { sender: phone(sender), person: PersonId::of(phone(&consumer(number))) };
    api.store.put_pair(Pair { permission, ..Pair::unknown(key) }).await;
}

fn later(hours: i64) -> jiff::Timestamp {
    at(NOW) + SignedDuration::from_hours(hours)
}

/// The numbers of the consumers on a page.
fn consumers(page: &Value) -> Vec<String> {
    let rows = page["permissions"].as_array().unwrap_or_else(|| panic!("{page}"));
    rows.iter().map(|row| row["consumer"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn permissions_are_listed_by_state_and_sender_page_by_page() {
    let api = desk_with(&[SENDER, SECOND_SENDER], ringmaster::http::RequestLimits::default()).await;
    store(&api, SENDER, 1, CallPermission::Temporary { expires_at: later(1) }).await;
    store(&api, SENDER, 2, CallPermission::Permanent).await;
    store(&api, SENDER, 3, CallPermission::Declined { until: later(1) }).await;
    store(&api, SENDER, 4, CallPermission::Temporary { expires_at: at(NOW) }).await;
    store(&api, SECOND_SENDER, 1, CallPermission::Permanent).await;
    let list = async |query: &str| api.get(&format!("/v1/permissions{query}")).await.json();
    assert_eq!(list("").await["permissions"].as_array().unwrap().len(), 5);
    let mut granted = consumers(&list("?state=granted").await);
    granted.sort();
    assert_eq!(granted, [consumer(1), consumer(1), consumer(2)]);
    let of_sender = list("?state=permanent&sender=991234").await;
    assert_eq!(consumers(&of_sender), [consumer(2)]);
    assert_eq!(consumers(&list("?state=expired").await), [consumer(4)], "it ends exactly at its end");
    let first = list("?limit=2").await;
    assert_eq!((consumers(&first).len(), &first["next"]), (2, &json!(2)));
    let second = list("?limit=2&after=2").await;
    let third = list("?limit=2&after=4").await;
    assert_eq!((consumers(&second).len(), consumers(&third).len(), &third["next"]), (2, 1, &Value::Null));
    assert_eq!(list("?limit=5").await["next"], Value::Null, "all are on the page");
}

#[tokio::test]
async fn a_permission_tells_the_requests_that_are_left() {
    let api = api().await;
    let key = PairKey { sender: phone(SENDER), person: PersonId::of(phone(&consumer(1))) };
    api.store.put_pair(Pair { requests: vec![later(-2)], ..Pair::unknown(key) }).await;
    let row = api.get("/v1/permissions").await.json()["permissions"][0].clone();
    assert_eq!((&row["permission"], &row["requests_left"]), (&json!("none"), &json!(0)), "{row}");
    assert_eq!(row["requests_lift_at"], "2026-11-24T10:01:00Z", "24 hours and the margin after it");
    api.store.put_pair(Pair { requests: vec![later(-25)], ..Pair::unknown(key) }).await;
    let row = api.get("/v1/permissions").await.json()["permissions"][0].clone();
    assert_eq!((&row["requests_left"], &row["requests_lift_at"]), (&json!(1), &Value::Null), "{row}");
}

#[tokio::test]
async fn a_wrong_filter_is_refused_by_its_name() {
    let api = api().await;
    for (query, word) in [
        ("state=all", "state"),
        ("sender=nobody", "sender"),
        ("sender=5521976543210", "sender"),
        ("after=-1", "after"),
        ("after=1000001", "after"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("colour=red", "colour"),
    ] {
        let answer = api.get(&format!("/v1/permissions?{query}")).await;
        assert_eq!(answer.code(), "query.invalid", "{query}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(word), "{query}: {}", answer.text);
    }
    assert_eq!(api.get("/v1/permissions?after=1000000").await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_those_who_may_be_called_are_exported() {
    let api = api().await;
    store(&api, SENDER, 1, CallPermission::Permanent).await;
    store(&api, SENDER, 2, CallPermission::Temporary { expires_at: at(NOW) }).await;
    store(&api, SENDER, 3, CallPermission::Permanent).await;
    store(&api, SENDER, 4, CallPermission::None).await;
    store(&api, SENDER, 5, CallPermission::Temporary { expires_at: later(1) }).await;
    let suppressed = json!({"consumers": [consumer(3)], "why": "asked"}).to_string();
    assert_eq!(api.change("/v1/suppression", suppressed).await.status, StatusCode::OK);
    let revoked = json!({"sender": SENDER, "consumer": consumer(5), "reason": "asked"}).to_string();
    assert_eq!(api.change("/v1/permissions/revoke", revoked).await.status, StatusCode::OK);
    let csv = api.get("/v1/permissions/callable").await;
    assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8");
    let rows: Vec<&str> = csv.text.lines().skip(1).collect();
    assert_eq!(rows, [format!("'{SENDER},'{},permanent,,0,4", consumer(1))]);
}

#[tokio::test]
async fn a_token_of_a_tenant_or_without_the_scope_lists_nothing() {
    let api = api().await;
    for (tenant, scopes, code) in [
        ("shop", Scopes::usual(), "auth.tenant"),
        ("default", Scopes::from_iter([Scope::Order]), "auth.scope"),
    ] {
        let (token, hash) = auth::new_token([9; 32]);
        let known =
            Token { tenant: tenant.parse().unwrap(), scopes, ..Token::new("other", hash, api.clock.now()) };
        api.store.create_token(known).await.unwrap();
        for path in ["/v1/permissions", "/v1/permissions/callable"] {
            let request = axum::http::Request::get(path).header("authorization", format!("Bearer {token}"));
            let answer =
                super::harness::answer(&api.router, request.body(axum::body::Body::empty()).unwrap()).await;
            assert_eq!(answer.code(), code, "{path}");
        }
        assert!(api.store.revoke_token(hash).await.unwrap());
    }
    assert_eq!(api.get("/v1/tokens").await.code(), "auth.scope", "tokens are for administrators");
}

#[tokio::test]
async fn imports_are_listed_newest_first_and_by_campaign() {
    let api = api().await;
    let campaign = api.change("/v1/campaigns", json!({"name": "a"}).to_string()).await.json()["id"].clone();
    for (name, campaign) in [("one", Value::Null), ("two", campaign.clone())] {
        let mut draft = json!({"name": name});
        if campaign.is_string() {
            draft["campaign"] = campaign;
        }
        assert_eq!(api.post("/v1/imports", draft.to_string()).await.status, StatusCode::CREATED);
    }
    let names = async |query: &str| {
        let page = api.get(&format!("/v1/imports{query}")).await.json();
        let names: Vec<String> = page["imports"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect();
        (names, page["next"].is_string())
    };
    assert_eq!(names("").await, (vec!["two".to_owned(), "one".to_owned()], false));
    assert_eq!(names("?limit=1").await, (vec!["two".to_owned()], true));
    assert_eq!(
        names(&format!("?campaign={}", campaign.as_str().unwrap())).await,
        (vec!["two".to_owned()], false)
    );
    assert_eq!(api.get("/v1/imports?campaign=x").await.code(), "query.invalid");
    assert_eq!(api.get("/v1/imports?limit=501").await.code(), "query.invalid");
}
