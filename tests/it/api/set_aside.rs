//! Set-aside items: who sees them, and how an operator retries or drops them.

use axum::http::StatusCode;
use ringmaster::domain::event::SetAsideWord;
use ringmaster::domain::{
    CallbackId, Event, Held, Loads, SetAside, SetAsideEnd, SetAsideId, SetAsideItem, SetAsideVerdict, Tenant,
};
use ringmaster::store::{Batch, Report, SetAsideEnded, Token};
use serde_json::json;
use uuid::Uuid;

use super::harness::{ApiHarness, CONSUMER, NOW, SENDER, answer, api, at, order, phone};

fn id(n: u128) -> SetAsideId {
    SetAsideId::new(Uuid::from_u128(n))
}

/// Sets a callback aside, and a report about a consumer.
async fn aside(api: &ApiHarness, callback: CallbackId) -> (String, String) {
    let who = ringmaster::domain::person::Named::number(phone(CONSUMER));
    let event = Event::InboundMessage { sender: phone(SENDER), who, word: None, wrote_at: None };
    api.store.append_reports(vec![Report { key: [9; 16], received_at: at(NOW), event }]).await.unwrap();
    let seq = api.store.unfolded_reports(1).await.unwrap()[0].seq;
    let item = |n, item| SetAside {
        id: id(n),
        item,
        consumer: None,
        callback: None,
        at: at(NOW),
        kind: "callback".into(),
        place: None,
        end: None,
    };
    let of_callback = SetAside { callback: Some(callback), ..item(1, SetAsideItem::Callback(callback)) };
    let of_report = SetAside {
        consumer: Some(phone(CONSUMER)),
        kind: "inbound_message".into(),
        place: Some("src/scheduler/fold.rs:30".into()),
        ..item(2, SetAsideItem::Report(seq))
    };
    let set_aside = vec![of_callback, of_report];
    api.store.record(Batch { set_aside, ..Batch::default() }).await.unwrap();
    (id(1).to_string(), id(2).to_string())
}

#[tokio::test]
async fn set_aside_items_are_listed_oldest_first() {
    let api = api().await;
    assert_eq!(api.get("/v1/set-aside").await.json(), json!({"set_aside": [], "total": 0}));
    let callback = api.callback().await;
    let (first, second) = aside(&api, callback).await;
    let listed = api.get("/v1/set-aside").await.json();
    assert_eq!(
        listed,
        json!({"total": 2, "set_aside": [
            {"id": first, "item": "callback", "kind": "callback", "since": NOW, "callback": callback.to_string()},
            {"id": second, "item": "report", "kind": "inbound_message", "since": NOW, "consumer": CONSUMER,
             "place": "src/scheduler/fold.rs:30"},
        ]})
    );
    let one = api.get("/v1/set-aside?limit=1").await.json();
    assert_eq!((one["set_aside"].as_array().unwrap().len(), &one["total"]), (1, &json!(2)));
    assert_eq!(api.get("/v1/set-aside?limit=0").await.code(), "query.invalid");
    assert_eq!(api.get("/v1/set-aside?all=1").await.code(), "query.invalid");
}

#[tokio::test]
async fn a_retry_or_drop_is_a_command_with_the_name_of_the_token() {
    let api = api().await;
    let callback = api.callback().await;
    let (first, second) = aside(&api, callback).await;
    for (item, word) in [(first, "retry"), (second, "drop")] {
        let path = format!("/v1/set-aside/{item}/{word}");
        let taken = api.post(&path, "").await;
        assert_eq!((taken.status, taken.json()), (StatusCode::ACCEPTED, json!({"id": item, "word": word})));
        assert_eq!(api.post(&path, "").await.status, StatusCode::ACCEPTED, "it is the same command");
    }
    let filed = api.store.unfolded_reports(9).await.unwrap();
    let words: Vec<_> = filed.into_iter().map(|filed| filed.event).collect();
    let word = |n, verdict| Event::SetAside(SetAsideWord { id: id(n), verdict, by: "crm".into() });
    assert_eq!(words, [word(1, SetAsideVerdict::Retry), word(2, SetAsideVerdict::Drop)]);
}

#[tokio::test]
async fn an_ended_item_is_a_conflict_and_an_unknown_one_is_not_found() {
    let api = api().await;
    let callback = api.callback().await;
    let (first, _) = aside(&api, callback).await;
    let end = SetAsideEnd { verdict: SetAsideVerdict::Retry, at: at(NOW), by: "ops".into() };
    let set_aside_ended = vec![SetAsideEnded { id: id(1), end }];
    api.store.record(Batch { set_aside_ended, ..Batch::default() }).await.unwrap();
    assert_eq!(api.post(&format!("/v1/set-aside/{first}/retry"), "").await.status, StatusCode::OK);
    let other = api.post(&format!("/v1/set-aside/{first}/drop"), "").await;
    assert_eq!((other.status, other.code().as_str()), (StatusCode::CONFLICT, "set_aside.ended"));
    let nothing = api.post(&format!("/v1/set-aside/{}/drop", id(7)), "").await;
    assert_eq!((nothing.status, nothing.code().as_str()), (StatusCode::NOT_FOUND, "set_aside.not_found"));
    assert_eq!(api.post(&format!("/v1/set-aside/{callback}/drop"), "").await.code(), "id.malformed");
}

#[tokio::test]
async fn a_tenant_sees_only_items_about_its_own_callbacks_and_people() {
    let api = api().await;
    let callback = api.callback().await;
    let (first, second) = aside(&api, callback).await;
    let (token, hash) = ringmaster::http::auth::new_token([8; 32]);
    let stranger = Token { tenant: "other".parse::<Tenant>().unwrap(), ..Token::new("other", hash, at(NOW)) };
    api.store.create_token(stranger).await.unwrap();
    let ask = |method: &str, path: &str| {
        let request = axum::http::Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        request.body(axum::body::Body::empty()).unwrap()
    };
    let listed = answer(&api.router, ask("GET", "/v1/set-aside")).await.json();
    assert_eq!(listed["total"], 0);
    for item in [first, second] {
        let path = format!("/v1/set-aside/{item}/drop");
        assert_eq!(answer(&api.router, ask("POST", &path)).await.code(), "set_aside.not_found");
    }
}

#[tokio::test]
async fn only_the_default_tenant_ends_what_may_be_about_all() {
    let api = api().await;
    let callback = api.callback().await;
    let (_, report) = aside(&api, callback).await;
    let (token, hash) = ringmaster::http::auth::new_token([8; 32]);
    let tenant = Token { tenant: "other".parse::<Tenant>().unwrap(), ..Token::new("other", hash, at(NOW)) };
    api.store.create_token(tenant).await.unwrap();
    let ask = async |method: &str, path: &str, body: String| {
        let request = axum::http::Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json").body(body.into()).unwrap();
        answer(&api.router, request).await
    };
    // It calls the person too, so it sees the report.
    let ordered = ask("POST", "/v1/callbacks", order(json!({})).to_string()).await;
    assert_eq!(ordered.status, StatusCode::ACCEPTED, "{}", ordered.text);
    let listed = ask("GET", "/v1/set-aside", String::new()).await.json();
    assert_eq!((&listed["total"], &listed["set_aside"][0]["id"]), (&json!(1), &json!(report)));
    for verb in ["retry", "drop"] {
        let refused = ask("POST", &format!("/v1/set-aside/{report}/{verb}"), String::new()).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "auth.tenant".to_owned()));
    }
    let own = api.post(&format!("/v1/set-aside/{report}/retry"), "").await;
    assert_eq!(own.status, StatusCode::ACCEPTED, "{}", own.text);
}

#[tokio::test]
async fn the_status_shows_that_dialling_is_stopped_and_the_daemon_stays_healthy() {
    let api = api().await;
    assert_eq!(api.get("/healthz").await.text, "ok\n");
    let held = Held { stopped_since: Some(at(NOW)), ..Held::default() };
    api.publish(Loads { held, ..Loads::default() }).await;
    let status = api.get("/v1/status").await.json();
    assert_eq!((&status["set_aside"], &status["dialling_stopped_since"]), (&json!(0), &json!(NOW)));
    let health = api.get("/healthz").await;
    assert!(
        health.status == StatusCode::OK && health.text.contains("dialling is stopped"),
        "{}",
        health.text
    );
}
