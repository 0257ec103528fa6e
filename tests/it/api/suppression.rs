//! Suppression lists over the API: adding, checking, removing, versions, and who may.

use axum::http::StatusCode;
use ringmaster::domain::Tenant;
use ringmaster::http::auth;
use ringmaster::store::Token;
use serde_json::{Value, json};

use super::harness::{Answer, ApiHarness, CONSUMER, NOW, SENDER, api, at};

const OTHER: &str = "+5511987650002";

fn drill(more: Value) -> String {
    let mut order = json!({"why": "a drill"});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order.to_string()
}

async fn add(api: &ApiHarness, more: Value) -> Value {
    let taken = api.change("/v1/suppression", drill(more)).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    taken.json()
}

async fn check(api: &ApiHarness, person: Value) -> Value {
    api.post("/v1/suppression/check", person.to_string()).await.json()
}

#[tokio::test]
async fn an_added_person_is_suppressed_from_the_answer_on() {
    let api = api().await;
    api.callback().await;
    let taken = api.post("/v1/suppression", drill(json!({"consumers": [CONSUMER, OTHER, CONSUMER]}))).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "what waits is not closed yet: {}", taken.text);
    assert_eq!(taken.json(), json!({"list": "house", "scope": "all", "added": 2, "known": 1}));
    let refused = api.order(Value::Null).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "consumer.suppressed".into()));
    assert!(!refused.text.contains("5511"), "{}", refused.text);
    let entry = json!({"list": "house", "scope": "all", "purposes": [], "added_at": NOW, "why": "a drill",
        "in_force": true});
    assert_eq!(
        check(&api, json!({"consumer": CONSUMER})).await,
        json!({"suppressed": true, "entries": [entry]})
    );
    let nobody = json!({"suppressed": false, "entries": []});
    assert_eq!(check(&api, json!({"consumer": "+5511987650003"})).await, nobody);
}

#[tokio::test]
async fn what_is_withdrawn_is_told_also_to_a_repetition() {
    let api = api().await;
    let ids = [api.callback().await, api.callback().await];
    let taken = add(&api, json!({"consumers": [CONSUMER]})).await;
    assert_eq!(taken["withdrawn"], json!({"count": 2, "at_least": false}));
    for id in ids {
        let shown = api.get(&format!("/v1/callbacks/{id}")).await.json();
        assert_eq!((&shown["status"], &shown["outcome"]), (&json!("closed"), &json!("declined")), "{shown}");
    }
    let again = add(&api, json!({"consumers": [CONSUMER]})).await;
    assert_eq!((&again["added"], &again["known"]), (&json!(0), &json!(1)));
    assert_eq!(again["withdrawn"], json!({"count": 0, "at_least": false}));
    let requests = add(&api, json!({"consumers": [OTHER], "scope": "requests"})).await;
    assert_eq!(requests["withdrawn"], json!({"count": 0, "at_least": false}));
}

#[tokio::test]
async fn rows_of_a_bulk_order_are_refused_one_by_one() {
    let api = api().await;
    add(&api, json!({"consumers": [CONSUMER]})).await;
    let row = |consumer: &str| super::harness::order(json!({"consumer": consumer})).to_string();
    let answer = api.ndjson(format!("{}\n{}\n", row(CONSUMER), row(OTHER))).await;
    let rows: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows[0]["error"]["code"], "consumer.suppressed", "{}", answer.text);
    assert!(rows[1]["id"].is_string(), "{}", answer.text);
}

#[tokio::test]
async fn an_earlier_order_is_answered_as_before() {
    let api = api().await;
    let keyed = || {
        let request = axum::http::Request::post("/v1/callbacks").header("content-type", "application/json");
        api.ask(request.header("idempotency-key", "k-1"), super::harness::order(Value::Null).to_string())
    };
    let first = keyed().await;
    add(&api, json!({"consumers": [CONSUMER]})).await;
    let again = keyed().await;
    assert_eq!((again.status, again.id()), (StatusCode::ACCEPTED, first.id()));
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let api = api().await;
    let many = vec![CONSUMER; 1_001];
    for (order, faults) in [
        (json!({"consumers": [CONSUMER]}), &["why: field.missing"][..]),
        (json!({"why": "x"}), &["consumers: field.count"]),
        (json!({"why": "x", "consumers": many}), &["consumers: field.count"]),
        (json!({"why": "x", "consumers": [CONSUMER, "+1"]}), &["consumers[1]: phone.invalid"]),
        (json!({"why": "x", "user_ids": ["x"]}), &["user_ids[0]: user_id.invalid"]),
        (json!({"why": "x", "sha256": ["x"]}), &["sha256[0]: sha256.invalid"]),
        (json!({"why": "x", "consumers": [CONSUMER], "list": "other"}), &["list: field.value"]),
        (json!({"why": "x", "consumers": [CONSUMER], "list": "erased"}), &["list: field.value"]),
        (json!({"why": "x", "consumers": [CONSUMER], "list": "account:x"}), &["list: account.unknown"]),
        (json!({"consumers": [CONSUMER], "list": "imported:x"}), &["version: field.missing"]),
        (json!({"why": "x", "consumers": [CONSUMER], "version": "1"}), &["version: field.unknown"]),
        (json!({"why": "x", "consumers": [CONSUMER], "scope": "sms"}), &["scope: field.value"]),
        (json!({"why": "x", "consumers": [CONSUMER], "expires_at": NOW}), &["expires_at: field.value"]),
        (json!({"why": "x", "consumers": [CONSUMER], "expires_at": "soon"}), &["expires_at: time.invalid"]),
        (json!({"why": "x", "consumers": [CONSUMER], "portfolio": "x"}), &["portfolio: field.unknown"]),
        (json!({"why": "x", "user_ids": ["GB.1"], "portfolio": "x"}), &["portfolio: field.value"]),
    ] {
        let answer = api.post("/v1/suppression", order.to_string()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::UNPROCESSABLE_ENTITY, "suppression.invalid".into())
        );
        assert_eq!(answer.faults(), faults, "{order}");
    }
    assert_eq!(api.get("/v1/suppression/lists").await.json(), json!({"lists": []}), "nothing is half done");
    for person in [json!({}), json!({"consumer": CONSUMER, "user_id": "GB.1"}), json!({"consumer": "x"})] {
        let answer = api.post("/v1/suppression/check", person.to_string()).await;
        assert_eq!(answer.code(), "suppression.invalid", "{person}");
    }
}

#[tokio::test]
async fn an_entry_ends_at_its_time() {
    let api = api().await;
    add(&api, json!({"consumers": [CONSUMER], "expires_at": "2026-11-23T12:00:01Z"})).await;
    assert_eq!(check(&api, json!({"consumer": CONSUMER})).await["suppressed"], true);
    assert_eq!(api.order(Value::Null).await.status, StatusCode::CONFLICT);
    api.clock.advance(jiff::SignedDuration::from_secs(1));
    let found = check(&api, json!({"consumer": CONSUMER})).await;
    assert_eq!((&found["suppressed"], &found["entries"][0]["in_force"]), (&json!(false), &json!(false)));
    assert_eq!(api.order(Value::Null).await.status, StatusCode::ACCEPTED);
    assert_eq!(at(NOW) + jiff::SignedDuration::from_secs(1), at("2026-11-23T12:00:01Z"));
}

#[tokio::test]
async fn a_removed_person_may_be_ordered_again_and_nobody_is_removed_from_the_erased() {
    let api = api().await;
    let remove = |more: Value| api.change("/v1/suppression/remove", drill(more));
    let missing = remove(json!({"consumer": CONSUMER})).await;
    assert_eq!((missing.status, missing.code()), (StatusCode::NOT_FOUND, "suppression.not_found".into()));
    add(&api, json!({"consumers": [CONSUMER]})).await;
    add(&api, json!({"consumers": [CONSUMER], "list": "account:main", "scope": "calls"})).await;
    let removed = api.post("/v1/suppression/remove", drill(json!({"consumer": CONSUMER}))).await;
    assert_eq!(
        (removed.status, removed.json()),
        (StatusCode::ACCEPTED, json!({"list": "house", "removed": 1}))
    );
    api.fold().await;
    let left = check(&api, json!({"consumer": CONSUMER})).await;
    assert_eq!(left["entries"].as_array().unwrap().len(), 1, "another list holds: {left}");
    assert_eq!(api.order(Value::Null).await.status, StatusCode::CONFLICT);
    remove(json!({"consumer": CONSUMER, "list": "account:main"})).await;
    assert_eq!(api.order(Value::Null).await.status, StatusCode::ACCEPTED);
    let erased = remove(json!({"consumer": CONSUMER, "list": "erased"})).await;
    assert_eq!((erased.status, erased.code()), (StatusCode::CONFLICT, "suppression.erased".into()));
    let without = api.post("/v1/suppression/remove", json!({"consumer": CONSUMER}).to_string()).await;
    assert_eq!(without.faults(), ["why: field.missing"]);
}

async fn make(api: &ApiHarness, version: &str, more: Value) -> Answer {
    let mut list = json!({"list": "imported:register", "version": version});
    list.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    api.post("/v1/suppression/lists", list.to_string()).await
}

#[tokio::test]
async fn a_register_binds_its_purposes_and_a_new_version_replaces_the_old_one() {
    let api = api().await;
    let term =
        json!({"purposes": ["marketing"], "valid_until": "2026-11-23T12:00:01Z", "source": "the register"});
    let made = make(&api, "1", term.clone()).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert_eq!(make(&api, "1", term.clone()).await.json(), made.json(), "it is made once");
    assert_eq!(make(&api, "1", json!({})).await.code(), "suppression.other_list");
    add(&api, json!({"list": "imported:register", "version": "1", "consumers": [CONSUMER]})).await;
    let consent = json!({"source": "form", "at": "2026-11-01T12:00:00Z"});
    let order = |purpose: &'static str| api.order(json!({"purpose": purpose, "consent": consent}));
    assert_eq!(order("marketing").await.status, StatusCode::CONFLICT);
    assert_eq!(order("requested").await.status, StatusCode::ACCEPTED);
    assert_eq!(api.get("/v1/status").await.json()["suppression_lists_past_term"], Value::Null);
    api.clock.advance(jiff::SignedDuration::from_secs(1));
    let lists = api.get("/v1/suppression/lists").await.json();
    assert_eq!(
        (&lists["lists"][0]["past_its_term"], &lists["lists"][0]["entries"]),
        (&json!(true), &json!(1))
    );
    assert_eq!(order("marketing").await.status, StatusCode::CONFLICT, "its entries hold after its term");
    let status = api.get("/v1/status").await.json();
    assert_eq!(status["suppression_lists_past_term"], json!(["imported:register"]));
    make(&api, "2", json!({"purposes": ["marketing"]})).await;
    let body = json!({"list": "imported:register", "version": "2"}).to_string();
    assert_eq!(api.change("/v1/suppression/lists/complete", body).await.status, StatusCode::OK);
    assert_eq!(order("marketing").await.status, StatusCode::ACCEPTED);
    let gone = api
        .post(
            "/v1/suppression",
            drill(json!({"list": "imported:register", "version": "1",
        "consumers": [CONSUMER]})),
        )
        .await;
    assert_eq!((gone.status, gone.code()), (StatusCode::NOT_FOUND, "suppression.no_list".into()));
    let wrong =
        make(&api, "3", json!({"purposes": ["sms", "marketing", "marketing"], "valid_until": "soon"})).await;
    let faults = ["purposes[0]: field.value", "purposes[2]: field.value", "valid_until: time.invalid"];
    assert_eq!(wrong.faults(), faults);
    let house = api.post("/v1/suppression/lists", json!({"list": "house"}).to_string()).await;
    assert_eq!(house.faults(), ["list: field.value"]);
}

/// A token of another tenant.
async fn of_tenant(api: &mut ApiHarness) {
    let (token, hash) = auth::new_token([9; 32]);
    let tenant: Tenant = "acme".parse().unwrap();
    let stored = Token { tenant, ..Token::new("acme", hash, at(NOW)) };
    api.store.shared().create_token(stored).await.unwrap();
    api.token = token;
}

#[tokio::test]
async fn a_tenant_adds_people_and_sees_and_removes_nothing() {
    let mut api = api().await;
    of_tenant(&mut api).await;
    let taken = api.post("/v1/suppression", drill(json!({"consumers": [CONSUMER]}))).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    assert_eq!(taken.json(), json!({"list": "house", "scope": "all"}), "whether it was there is not told");
    for path in ["check", "remove", "lists", "lists/complete"] {
        let refused =
            api.post(&format!("/v1/suppression/{path}"), json!({"consumer": CONSUMER}).to_string()).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "auth.tenant".into()), "{path}");
    }
    let imported = json!({"list": "imported:x", "version": "1", "consumers": [CONSUMER]});
    let refused = api.post("/v1/suppression", drill(imported)).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "suppression.not_allowed".into()));
    assert!(!refused.text.contains(SENDER));
}
