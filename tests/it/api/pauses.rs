//! Setting, listing and lifting pauses: what is refused, who may, and what a repetition does.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use ringmaster::domain::{Event, PauseScope};
use ringmaster::http::auth;
use ringmaster::store::Token;
use serde_json::{Value, json};

use super::harness::{Answer, ApiHarness, CONSUMER, NOW, SENDER, answer, api, at, phone};

fn drill(more: Value) -> String {
    let mut order = json!({"scope": "all", "why": "a drill"});
    order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    order.to_string()
}

/// Sets a pause and lets it be folded.
async fn set(api: &ApiHarness, more: Value) -> Value {
    let taken = api.change("/v1/pauses", drill(more)).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text);
    taken.json()["pause"].clone()
}

async fn delete(api: &ApiHarness, path: &str) -> Answer {
    api.ask(Request::delete(path), Body::empty()).await
}

#[tokio::test]
async fn a_pause_is_a_command_with_the_name_of_the_token() {
    let api = api().await;
    let until = "2026-11-23T14:00:00Z";
    let taken =
        api.post("/v1/pauses", drill(json!({"scope": "sender", "sender": SENDER, "until": until}))).await;
    assert_eq!(taken.status, StatusCode::ACCEPTED, "{}", taken.text);
    let pause = taken.json()["pause"].clone();
    let shown = json!({"id": pause["id"], "scope": "sender", "sender": SENDER, "by": "crm", "why": "a drill",
        "since": NOW, "until": until});
    assert_eq!(pause, shown);
    let [filed] = &api.store.unfolded_reports(9).await.unwrap()[..] else { panic!("one command") };
    let Event::PauseSet(event) = &filed.event else { panic!("{:?}", filed.event) };
    assert_eq!((&event.scope, &*event.who), (&PauseScope::Sender(phone(SENDER)), "crm"));
    assert_eq!((event.from, event.until), (at(NOW), Some(at(until))));
    assert_eq!(api.get("/v1/pauses").await.json(), json!({"pauses": []}), "it is not folded yet");
    api.fold().await;
    assert_eq!(api.get("/v1/pauses").await.json(), json!({"pauses": [shown]}));
}

#[tokio::test]
async fn a_pause_repeated_with_its_key_is_one_and_without_a_key_another() {
    let api = api().await;
    let keyed = |body: String| {
        let request = Request::post("/v1/pauses").header("content-type", "application/json");
        api.ask(request.header("idempotency-key", "k-1"), body)
    };
    let first = keyed(drill(json!({}))).await.json();
    api.fold().await;
    let again = keyed(drill(json!({}))).await;
    assert_eq!((again.status, &again.json()["pause"]["id"]), (StatusCode::OK, &first["pause"]["id"]));
    let other = keyed(drill(json!({"why": "another"}))).await;
    assert_eq!(other.code(), "idempotency.key_reused");
    assert_eq!(api.get("/v1/pauses").await.json()["pauses"].as_array().unwrap().len(), 1);
    set(&api, json!({})).await;
    assert_eq!(api.get("/v1/pauses").await.json()["pauses"].as_array().unwrap().len(), 2);
    // The key of a pause that is lifted still names it.
    let path = format!("/v1/pauses/{}", first["pause"]["id"].as_str().unwrap());
    assert_eq!(delete(&api, &path).await.status, StatusCode::ACCEPTED);
    api.fold().await;
    assert_eq!(keyed(drill(json!({}))).await.status, StatusCode::OK);
    assert_eq!(api.get("/v1/pauses").await.json()["pauses"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_names_its_pause_also_when_that_has_ended() {
    let api = api().await;
    let body = drill(json!({"until": "2026-11-23T13:00:00Z"}));
    let keyed = || {
        let request = Request::post("/v1/pauses").header("content-type", "application/json");
        api.ask(request.header("idempotency-key", "k-1"), body.clone())
    };
    assert_eq!(keyed().await.status, StatusCode::ACCEPTED);
    api.fold().await;
    api.clock.advance(jiff::SignedDuration::from_hours(2));
    assert_eq!(keyed().await.status, StatusCode::OK);
}

#[tokio::test]
async fn every_wrong_field_is_named() {
    let api = api().await;
    for (order, faults) in [
        (json!({}), &["scope: field.missing", "why: field.missing"][..]),
        (json!({"scope": "everything", "why": " "}), &["scope: field.value", "why: field.missing"]),
        (json!({"scope": "all", "why": "x".repeat(201)}), &["why: field.too_long"]),
        (json!({"scope": "all", "why": "a\u{202E}b"}), &["why: field.characters"]),
        (json!({"scope": "all", "why": "a\u{200E}b"}), &["why: field.characters"]),
        (json!({"scope": "all", "why": "a\u{200D} b"}), &["why: field.characters"]),
        (json!({"scope": "person", "consumer": SENDER, "why": "x"}), &["consumer: consumer.is_sender"]),
        (json!({"scope": "all", "why": "x", "until": "2026-11-24T12:00:60Z"}), &["until: time.invalid"]),
        (json!({"scope": "all", "why": "x", "until": "2026-11-24T12:00Z"}), &["until: time.invalid"]),
        (json!({"scope": "all", "why": "x", "account": "main"}), &["account: field.unknown"]),
        (json!({"scope": "account", "why": "x"}), &["account: field.missing"]),
        (json!({"scope": "account", "account": "x", "why": "x"}), &["account: account.unknown"]),
        (json!({"scope": "sender", "sender": CONSUMER, "why": "x"}), &["sender: sender.unknown"]),
        (json!({"scope": "sender", "sender": "+1", "why": "x"}), &["sender: phone.invalid"]),
        (
            json!({"scope": "person", "sender": SENDER, "why": "x"}),
            &["sender: field.unknown", "consumer: field.missing"],
        ),
        (json!({"scope": "all", "why": "x", "until": "soon"}), &["until: time.invalid"]),
        (json!({"scope": "all", "why": "x", "until": NOW}), &["until: field.value"]),
        (
            json!({"scope": "all", "why": "x", "until": "2027-11-24T12:00:00.000001Z"}),
            &["until: field.value"],
        ),
    ] {
        let answer = api.post("/v1/pauses", order.to_string()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::UNPROCESSABLE_ENTITY, "pause.invalid".into())
        );
        assert_eq!(answer.faults(), faults, "{order}");
    }
    for until in ["2026-11-23T12:00:00.000001Z", "2027-11-24T12:00:00Z"] {
        let answer = api.post("/v1/pauses", drill(json!({"until": until}))).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{until}: {}", answer.text);
    }
    assert_eq!(api.post("/v1/pauses", drill(json!({"for": "1h"}))).await.code(), "body.shape");
    assert_eq!(api.get("/v1/pauses?scope=all").await.code(), "query.invalid");
}

#[tokio::test]
async fn a_number_in_the_reason_is_masked() {
    let api = api().await;
    let pause = set(&api, json!({"why": "complaint of 5521976543210."})).await;
    assert_eq!(pause["why"], "complaint of *************");
}

#[tokio::test]
async fn what_is_not_in_force_cannot_be_lifted() {
    let api = api().await;
    let pause = set(&api, json!({"until": "2026-11-23T13:00:00Z"})).await;
    let path = format!("/v1/pauses/{}", pause["id"].as_str().unwrap());
    api.clock.advance(jiff::SignedDuration::from_hours(1));
    let ended = delete(&api, &path).await;
    assert_eq!((ended.status, ended.code().as_str()), (StatusCode::NOT_FOUND, "pause.not_found"));
    let unknown = delete(&api, "/v1/pauses/ps_00000000000000000000000000000007").await;
    assert_eq!(unknown.code(), "pause.not_found");
    assert_eq!(delete(&api, "/v1/pauses/cb_00000000000000000000000000000007").await.code(), "id.malformed");
}

#[tokio::test]
async fn of_two_who_lift_a_pause_the_second_is_told() {
    let api = api().await;
    let pause = set(&api, json!({})).await;
    let path = format!("/v1/pauses/{}", pause["id"].as_str().unwrap());
    let keyed =
        |key: &'static str| api.ask(Request::delete(&path).header("idempotency-key", key), Body::empty());
    assert_eq!(keyed("one").await.status, StatusCode::ACCEPTED);
    assert_eq!(keyed("two").await.status, StatusCode::ACCEPTED, "none is folded");
    api.fold().await;
    assert_eq!(keyed("one").await.status, StatusCode::OK);
    assert_eq!(keyed("two").await.code(), "pause.not_found");
}

#[tokio::test]
async fn no_more_than_a_thousand_pauses_of_a_kind_are_in_force() {
    let api = api().await;
    let pause = |n: u128, scope: PauseScope| ringmaster::domain::Pause {
        id: ringmaster::domain::PauseId::new(uuid::Uuid::from_u128(n)),
        scope,
        tenant: ringmaster::domain::Tenant::default(),
        who: "ops".into(),
        why: "a drill".into(),
        from: at(NOW),
        until: None,
    };
    let person = || PauseScope::Person(phone(CONSUMER));
    let pauses = (0..1000).map(|n| pause(n, person())).chain((1000..1999).map(|n| pause(n, PauseScope::All)));
    let pauses = pauses.collect();
    api.store.record(ringmaster::store::Batch { pauses, ..Default::default() }).await.unwrap();
    assert_eq!(api.post("/v1/pauses", drill(json!({}))).await.status, StatusCode::ACCEPTED);
    let pauses = vec![pause(1999, PauseScope::All)];
    api.store.record(ringmaster::store::Batch { pauses, ..Default::default() }).await.unwrap();
    assert_eq!(api.post("/v1/pauses", drill(json!({}))).await.code(), "pause.too_many");
}

/// The answer to another token.
async fn as_token(
    api: &ApiHarness,
    token: &str,
    request: axum::http::request::Builder,
    body: String,
) -> Answer {
    let request = request.header("authorization", format!("Bearer {token}"));
    let request = request.header("content-type", "application/json").body(Body::from(body)).unwrap();
    answer(&api.router, request).await
}

#[tokio::test]
async fn a_token_of_a_tenant_or_of_some_senders_pauses_people_only() {
    let api = api().await;
    let wide = set(&api, json!({})).await;
    let person = set(&api, json!({"scope": "person", "consumer": CONSUMER})).await;
    let (of_tenant, hash) = auth::new_token([8; 32]);
    let token = Token { tenant: "other".parse().unwrap(), ..Token::new("other", hash, at(NOW)) };
    api.store.create_token(token).await.unwrap();
    let (of_senders, hash) = auth::new_token([9; 32]);
    let token = Token { senders: vec![phone(SENDER)], ..Token::new("desk", hash, at(NOW)) };
    api.store.create_token(token).await.unwrap();
    let path = |pause: &Value| format!("/v1/pauses/{}", pause["id"].as_str().unwrap());
    for token in [&of_tenant, &of_senders] {
        for scope in [
            json!({}),
            json!({"scope": "account", "account": "main"}),
            json!({"scope": "sender", "sender": SENDER}),
        ] {
            let refused = as_token(&api, token, Request::post("/v1/pauses"), drill(scope)).await;
            assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "pause.not_allowed".into()));
        }
        let body = drill(json!({"scope": "person", "consumer": CONSUMER}));
        assert_eq!(
            as_token(&api, token, Request::post("/v1/pauses"), body).await.status,
            StatusCode::ACCEPTED
        );
        let lifted = as_token(&api, token, Request::delete(path(&wide)), String::new()).await;
        assert_eq!(lifted.code(), "pause.not_allowed");
    }
    // Another tenant's pause of a person is as if it were not there.
    let lifted = as_token(&api, &of_tenant, Request::delete(path(&person)), String::new()).await;
    assert_eq!(lifted.code(), "pause.not_found");
    api.fold().await;
    let count = async |token: &str| {
        let listed = as_token(&api, token, Request::get("/v1/pauses"), String::new()).await.json();
        listed["pauses"].as_array().unwrap().len()
    };
    assert_eq!((count(&of_tenant).await, count(&of_senders).await, count(&api.token).await), (2, 3, 4));
}
