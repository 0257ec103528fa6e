//! Access control: every scope at every route, every route across tenants, expiry, limits, masks.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::Clock as _;
use ringmaster::domain::{
    Attempt, AttemptId, BulkId, CallbackId, Campaign, CampaignId, CampaignState, CommandId, InviteId,
    LegOrder, Message, MessageId, MessagePurpose, Numbers, Pause, PauseId, PauseScope, Scope, Scopes,
    SetAside, SetAsideId, SetAsideItem, Stage, State, Tenant, TokenLimits,
};
use ringmaster::http::api::{openapi, routes};
use ringmaster::http::auth;
use ringmaster::store::{Batch, BulkAct, CampaignChange, NewBulk, Token};
use serde_json::{Value, json};
use strum::IntoEnumIterator as _;
use uuid::Uuid;

use super::harness::{
    Answer, ApiHarness, CONSUMER, SECOND_SENDER, SENDER, api, at, desk_with, invite as invite_order,
    inviting_api, order, phone,
};

/// Creates a token and uses it instead of the harness's own.
pub(super) async fn with_token(api: &ApiHarness, change: impl FnOnce(&mut Token)) -> String {
    let random = Uuid::new_v4().into_bytes();
    let (text, hash) = auth::new_token([random, random].concat().try_into().unwrap());
    let mut token = Token::new("other", hash, api.clock.now());
    change(&mut token);
    api.store.create_token(token).await.unwrap();
    text
}

async fn ask(api: &ApiHarness, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("authorization", format!("Bearer {token}"))
        .header("x-request-id", "req-1")
        .header("content-type", "application/json");
    let body = if method == "GET" { Body::empty() } else { Body::from(body.to_string()) };
    super::harness::answer(&api.router, request.body(body).unwrap()).await
}

#[test]
fn every_route_of_the_api_has_a_scope_and_every_scope_has_a_route() {
    let api = serde_json::to_value(openapi()).unwrap();
    let mut described: Vec<(String, String)> = Vec::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase();
            let row = routes::ROUTES.iter().find(|row| row.0 == method && row.1 == path);
            let (.., scopes) = row.unwrap_or_else(|| panic!("{method} {path} has no scope"));
            let told: Vec<_> = scopes.iter().map(|scope| json!({"token": [scope.as_str()]})).collect();
            assert_eq!(operation["security"], json!(told), "{method} {path}");
            described.push((method, path.clone()));
        }
    }
    assert_eq!(described.len(), routes::ROUTES.len(), "the table has an address that does not exist");
    for scope in Scope::iter().filter(|scope| !matches!(scope, Scope::Admin | Scope::Reveal)) {
        assert!(routes::ROUTES.iter().any(|row| row.2.contains(&scope)), "{scope:?} opens nothing");
    }
}

#[tokio::test]
async fn each_scope_allows_its_routes_and_no_others() {
    let api = api().await;
    let id = api.callback().await;
    for scope in Scope::iter() {
        let token = with_token(&api, |token| token.scopes = Scopes::from_iter([scope])).await;
        for (method, path, needed) in routes::ROUTES {
            let path = path.replace("{id}", &id.to_string());
            let answer = ask(&api, &token, method, &path, &json!({})).await;
            let refused = answer.status == StatusCode::FORBIDDEN;
            assert_eq!(refused, !needed.contains(&scope), "{scope:?} at {method} {path}: {}", answer.text);
            if refused {
                assert_eq!(answer.code(), "auth.scope");
                let detail = answer.json()["detail"].as_str().unwrap().to_owned();
                assert!(detail.contains(needed[0].as_str()), "{detail}");
            }
        }
    }
}

/// A callback in a conversation, and an unknown message for it.
async fn busy(api: &ApiHarness) -> (CallbackId, AttemptId, MessageId) {
    let id = api.callback().await;
    let pair = Numbers::of(phone(SENDER), phone(CONSUMER));
    let now = api.clock.now();
    let (attempt_id, message_id) = (AttemptId::new(Uuid::new_v4()), MessageId::new(Uuid::new_v4()));
    api.store
        .change(id, |record| {
            let mut attempt = Attempt::new(attempt_id, id, pair, "main", LegOrder::ConsumerFirst, now);
            attempt.submission.stage = Stage::Unknown;
            let (asked, content) = (MessagePurpose::PermissionRequest, "HX1".parse().unwrap());
            let mut message = Message::new(message_id, asked, content, pair, "main", now).for_callback(id);
            message.submission.stage = Stage::Unknown;
            record.callback.state = State::Calling { attempt: attempt_id };
            record.attempts.push(attempt);
            record.messages.push(message);
        })
        .await;
    (id, attempt_id, message_id)
}

#[tokio::test]
async fn a_token_of_another_tenant_reads_and_changes_nothing_at_any_route() {
    let api = inviting_api().await;
    let (id, attempt, message) = busy(&api).await;
    let waiting = api.order(json!({"campaign": "spring", "reference": "r-1"})).await.id();
    let invite = api.invite(json!({"campaign": "spring", "reference": "r-1"})).await.invite_id();
    let ordered = api.post(&format!("/v1/callbacks/{waiting}/cancel"), "").await;
    let command = ordered.header("location").rsplit('/').next().unwrap().to_owned();
    let aside = SetAsideId::new(Uuid::new_v4());
    let set_aside = SetAside {
        id: aside,
        item: SetAsideItem::Callback(id),
        consumer: None,
        callback: Some(id),
        at: api.clock.now(),
        kind: "callback".into(),
        place: None,
        end: None,
    };
    let pause = PauseId::new(Uuid::new_v4());
    let pauses = vec![Pause {
        id: pause,
        scope: PauseScope::Person(phone(CONSUMER)),
        tenant: Tenant::default(),
        who: "crm".into(),
        why: "a drill".into(),
        from: api.clock.now(),
        until: None,
    }];
    let campaign = Campaign {
        id: CampaignId::new(Uuid::new_v4()),
        version: 1,
        tenant: Tenant::default(),
        name: "Spring".into(),
        state: CampaignState::Draft,
        defaults: "{}".into(),
        concurrent_calls_max: None,
        calls_per_minute: None,
        weight: Campaign::WEIGHT,
        breaker: ringmaster::domain::Breaker::default(),
        follow_up: None,
        created_at: api.clock.now(),
        created_by: "crm".into(),
        ended_at: None,
    };
    let campaign_id = campaign.id;
    let campaigns = vec![CampaignChange { campaign, act: None }];
    let batch = Batch { set_aside: vec![set_aside], pauses, campaigns, ..Batch::default() };
    api.store.record(batch).await.unwrap();
    let stored = async || {
        let ids = [id, waiting, invite.into()];
        api.store.callbacks(&ids).await.unwrap()
    };
    let before = stored().await;
    assert_eq!(before.len(), 3);
    let bulk = BulkId::new(Uuid::from_u128(77));
    let made = NewBulk {
        id: bulk,
        tenant: Tenant::default(),
        by: "crm".to_owned(),
        act: BulkAct::Cancel,
        why: "storm".to_owned(),
        filter: "{}".to_owned(),
        at: api.clock.now(),
        rows: vec![(waiting, 0)],
    };
    assert!(api.store.make_bulk(made).await.unwrap());
    let all = || Scope::iter().collect();
    let stranger = with_token(&api, |token| {
        token.tenant = "other".parse().unwrap();
        token.scopes = all();
    })
    .await;
    let operator = with_token(&api, |token| token.scopes = all()).await;
    let unknown = CallbackId::new(Uuid::from_u128(1));
    for (method, path, _) in routes::ROUTES {
        let (ours, none) = match *path {
            path if path.starts_with("/v1/attempts/") => {
                (attempt.to_string(), AttemptId::new(unknown.uuid()).to_string())
            }
            path if path.starts_with("/v1/messages/") => {
                (message.to_string(), MessageId::new(unknown.uuid()).to_string())
            }
            path if path.starts_with("/v1/commands/") => {
                (command.clone(), CommandId::new(unknown.uuid()).to_string())
            }
            path if path.starts_with("/v1/invites/") => {
                (invite.to_string(), InviteId::new(unknown.uuid()).to_string())
            }
            path if path.starts_with("/v1/set-aside/") => {
                (aside.to_string(), SetAsideId::new(unknown.uuid()).to_string())
            }
            path if path.starts_with("/v1/pauses/") => {
                (pause.to_string(), PauseId::new(unknown.uuid()).to_string())
            }
            path if path.starts_with("/v1/bulk/") => {
                (bulk.to_string(), BulkId::new(unknown.uuid()).to_string())
            }
            path if path.starts_with("/v1/campaigns/") => {
                (campaign_id.to_string(), CampaignId::new(unknown.uuid()).to_string())
            }
            _ => (waiting.to_string(), unknown.to_string()),
        };
        let body = match *path {
            "/v1/callbacks/search" | "/v1/invites/search" => json!({"consumer": CONSUMER}),
            "/v1/permissions/show" => json!({"sender": SENDER, "consumer": CONSUMER}),
            path if path.ends_with("/resolve") => json!({"outcome": "not_placed"}),
            path if path.ends_with("/allow-attempt") => json!({"reason": "they asked"}),
            path if path.ends_with("/reschedule") => json!({"priority": 9}),
            _ => json!({}),
        };
        let answer = ask(&api, &stranger, method, &path.replace("{id}", &ours), &body).await;
        for secret in [
            id.to_string(),
            waiting.to_string(),
            invite.to_string(),
            attempt.to_string(),
            message.to_string(),
        ] {
            let secret = &secret;
            let told = answer.text.replace(&format!("{ours} is not known"), "");
            assert!(!told.contains(secret), "{method} {path}: {}", answer.text);
        }
        let is_named = ["/v1/callbacks/{id}", "/v1/invites/{id}"].iter().any(|start| path.starts_with(start));
        if is_named && !path.ends_with("/replay") {
            let ours = ask(&api, &stranger, method, &path.replace("{id}", "r-1"), &body).await;
            let none = ask(&api, &stranger, method, &path.replace("{id}", "r-2"), &body).await;
            assert_eq!(ours.status, StatusCode::NOT_FOUND, "{method} {path} by reference: {}", ours.text);
            assert_eq!(ours.text, none.text, "{method} {path} tells references apart");
        }
        let of_all = routes::OF_ALL_TENANTS.contains(&(*method, *path));
        assert_eq!(answer.status == StatusCode::FORBIDDEN, of_all, "{method} {path}: {}", answer.text);
        if of_all {
            assert_eq!(answer.code(), "auth.tenant", "{method} {path}");
            let own = ask(&api, &operator, method, path, &body).await;
            assert_ne!(own.status, StatusCode::FORBIDDEN, "{method} {path}: {}", own.text);
        }
        if path.contains("{id}") && !path.ends_with("/replay") && !of_all {
            let absent = ask(&api, &stranger, method, &path.replace("{id}", &none), &body).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{method} {path}: {}", answer.text);
            assert_eq!(answer.text.replace(&ours, &none), absent.text, "{method} {path} tells the two apart");
        }
    }
    assert_eq!(before, stored().await);
    assert_eq!(api.store.unfolded_reports(10).await.unwrap().len(), 1, "only the owner's command waits");
}

#[tokio::test]
async fn an_id_that_is_not_utf_8_is_a_problem_at_every_address() {
    let api = api().await;
    for (method, path, _) in routes::ROUTES.iter().filter(|(_, path, _)| path.contains("{id}")) {
        let answer = ask(&api, &api.token, method, &path.replace("{id}", "%ff%fe"), &json!({})).await;
        let told = (answer.status, answer.header("content-type"), answer.code());
        let expected = (StatusCode::BAD_REQUEST, "application/problem+json", "id.malformed".into());
        assert_eq!(told, expected, "{method} {path}: {}", answer.text);
    }
    let page = api.get("/docs/%ff").await;
    assert_eq!((page.status, page.code()), (StatusCode::NOT_FOUND, "request.not_found".to_owned()));
}

#[tokio::test]
async fn each_tenant_has_its_own_idempotency_keys() {
    let api = api().await;
    let stranger = with_token(&api, |token| {
        token.name = "crm".into();
        token.tenant = "other".parse().unwrap();
    })
    .await;
    let mut ids = Vec::new();
    for token in [&api.token.clone(), &stranger] {
        let request = || {
            Request::post("/v1/callbacks")
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .header("idempotency-key", "once")
                .body(Body::from(order(Value::Null).to_string()))
                .unwrap()
        };
        let first = super::harness::answer(&api.router, request()).await;
        let again = super::harness::answer(&api.router, request()).await;
        assert_eq!(first.id(), again.id());
        ids.push(first.id());
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn a_token_is_accepted_until_the_moment_it_expires() {
    let api = api().await;
    let now = api.clock.now();
    let token = with_token(&api, |token| token.expires_at = Some(now + SignedDuration::from_secs(1))).await;
    assert_eq!(ask(&api, &token, "GET", "/v1/limits", &Value::Null).await.status, StatusCode::OK);
    api.clock.advance(SignedDuration::from_millis(999));
    assert_eq!(ask(&api, &token, "GET", "/v1/limits", &Value::Null).await.status, StatusCode::OK);
    api.clock.advance(SignedDuration::from_millis(1));
    let answer = ask(&api, &token, "GET", "/v1/limits", &Value::Null).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::UNAUTHORIZED, "auth.expired".to_owned()));
}

#[tokio::test]
async fn only_the_default_tenant_ends_a_refusal() {
    let api = api().await;
    let token = with_token(&api, |token| token.tenant = "other".parse().unwrap()).await;
    let grant = json!({
        "sender": SENDER, "consumer": CONSUMER, "kind": "temporary", "reason": "seen", "ends_refusals": true,
    });
    let answer = ask(&api, &token, "POST", "/v1/permissions/grant", &grant).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::FORBIDDEN, "auth.tenant".to_owned()));
    let answer = ask(&api, &api.token, "POST", "/v1/permissions/grant", &grant).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
}

#[tokio::test]
async fn the_last_use_of_a_token_is_stored_once_in_ten_minutes() {
    let api = api().await;
    let last_use = async || api.store.tokens().await.unwrap()[0].last_used_at;
    let first: Timestamp = api.clock.now();
    assert_eq!(last_use().await, None);
    api.get("/v1/limits").await;
    assert_eq!(last_use().await, Some(first));
    api.clock.advance(SignedDuration::from_secs(599));
    api.get("/v1/limits").await;
    assert_eq!(last_use().await, Some(first));
    api.clock.advance(SignedDuration::from_secs(1));
    api.get("/v1/limits").await;
    assert_eq!(last_use().await, Some(first + SignedDuration::from_secs(600)));
}

#[tokio::test]
async fn a_token_uses_only_its_own_senders_and_documents() {
    let api = desk_with(&[SENDER, SECOND_SENDER], Default::default()).await;
    let token = with_token(&api, |token| {
        token.senders = vec![phone(SENDER)];
        token.documents = vec!["message".into()];
    })
    .await;
    let only = ask(&api, &token, "POST", "/v1/callbacks", &order(Value::Null)).await;
    assert_eq!(only.json()["senders"], json!([SENDER]), "its only sender is the default");
    let other = ask(&api, &token, "POST", "/v1/callbacks", &order(json!({"sender": SECOND_SENDER}))).await;
    assert_eq!(other.faults(), ["sender: sender.not_allowed"]);
    let document = ask(
        &api,
        &token,
        "POST",
        "/v1/callbacks",
        &order(json!({"document": "dial-client", "agent": "client:alice"})),
    )
    .await;
    assert!(document.faults().contains(&"document: document.not_allowed".to_owned()), "{}", document.text);
    let pair = json!({"sender": SECOND_SENDER, "consumer": CONSUMER});
    let shown = ask(&api, &token, "POST", "/v1/permissions/show", &pair).await;
    assert_eq!(shown.faults(), ["sender: sender.not_allowed"]);
    let senders = ask(&api, &token, "GET", "/v1/senders", &Value::Null).await.json();
    assert_eq!(senders["senders"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_orders_at_most_its_ceiling_in_any_24_hours() {
    let api = api().await;
    let limits = TokenLimits { orders_per_day: Some(2), ..TokenLimits::default() };
    let token = with_token(&api, |token| token.limits = limits).await;
    let send = async |latest: &str| {
        ask(&api, &token, "POST", "/v1/callbacks", &order(json!({"latest": latest}))).await
    };
    let latest = "2026-11-30T12:00:00Z";
    assert_eq!(send(latest).await.status, StatusCode::ACCEPTED);
    api.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(send(latest).await.status, StatusCode::ACCEPTED);
    let third = send(latest).await;
    assert_eq!((third.status, third.code()), (StatusCode::TOO_MANY_REQUESTS, "token.orders_per_day".into()));
    // The minute of the first order counts until all of it is 24 hours old.
    assert_eq!(third.header("retry-after"), (23 * 3600 + 60).to_string());
    assert!(third.json()["detail"].as_str().unwrap().contains("2026-11-24T12:01:00Z"));
    // Another token is not limited, and a row of a bulk order is refused individually.
    assert_eq!(api.order(Value::Null).await.status, StatusCode::ACCEPTED);
    api.clock.advance(SignedDuration::from_secs(23 * 3600 + 59));
    assert_eq!(send(latest).await.status, StatusCode::TOO_MANY_REQUESTS);
    api.clock.advance(SignedDuration::from_secs(1));
    let rows = json!([order(json!({"latest": latest})), order(json!({"latest": latest}))]);
    let bulk = ask(&api, &token, "POST", "/v1/callbacks/bulk", &rows).await.json();
    assert!(bulk[0]["id"].is_string(), "{bulk}");
    assert_eq!(bulk[1]["error"]["code"], "token.orders_per_day", "{bulk}");
}

#[tokio::test]
async fn an_accepted_order_may_be_repeated_above_the_ceiling() {
    let api = api().await;
    let limits = TokenLimits { orders_per_day: Some(1), ..TokenLimits::default() };
    let token = with_token(&api, |token| token.limits = limits).await;
    let request = |key: &str| {
        Request::post("/v1/callbacks")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .body(Body::from(order(Value::Null).to_string()))
            .unwrap()
    };
    let first = super::harness::answer(&api.router, request("a")).await;
    let again = super::harness::answer(&api.router, request("a")).await;
    assert_eq!(first.id(), again.id());
    let other = super::harness::answer(&api.router, request("b")).await;
    assert_eq!(other.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_token_without_reveal_sees_no_number_in_any_answer() {
    let api = inviting_api().await;
    let with_numbers = json!({
        "variables": {"message": "call 11 98765-4321"},
        "metadata": {"phone": "5511987654321", "n": 5511987654321_u64, "sender": CONSUMER},
        "campaign": "spring",
        "messenger": {"shop": "6789012987654321"},
    });
    let id = api.order(with_numbers).await.id();
    let invite = json!({"variables": {"1": "11 98765-4321"}, "messenger": {"shop": "6789012987654321"}});
    let invite = api.invite(invite).await.invite_id();
    let (busy, ..) = busy(&api).await;
    let everything: Scopes = Scope::iter().filter(|scope| *scope != Scope::Reveal).collect();
    let token = with_token(&api, |token| token.scopes = everything).await;
    let own = [SENDER.to_owned()];
    for (method, path, _) in routes::ROUTES {
        for id in [id, busy] {
            let id = if path.starts_with("/v1/invites/") { invite.to_string() } else { id.to_string() };
            let body = match *path {
                "/v1/callbacks" | "/v1/callbacks/bulk" => order(Value::Null),
                "/v1/callbacks/search" | "/v1/invites/search" => json!({"consumer": CONSUMER}),
                "/v1/invites" => invite_order(Value::Null),
                path if path.starts_with("/v1/permissions/") => {
                    json!({"sender": SENDER, "consumer": CONSUMER})
                }
                _ => json!({}),
            };
            let body = if path.ends_with("/bulk") { json!([body]) } else { body };
            let answer = ask(&api, &token, method, &path.replace("{id}", &id), &body).await;
            for number in numbers(&answer.text) {
                assert!(own.contains(&number), "{method} {path} shows {number}: {}", answer.text);
            }
            assert!(!answer.text.contains("987654321"), "{method} {path}: {}", answer.text);
            assert!(!answer.text.contains("98765-4321"), "{method} {path}: {}", answer.text);
        }
    }
    assert!(api.get(&format!("/v1/callbacks/{id}")).await.text.contains(CONSUMER), "others see it");
}

/// Every `+` with at least seven digits.
fn numbers(text: &str) -> Vec<String> {
    let runs = text.split('+').skip(1).map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        format!("+{digits}")
    });
    runs.filter(|run| run.len() > 7).collect()
}

#[tokio::test]
async fn every_line_names_the_token_that_it_comes_from() {
    let api = api().await;
    let id = api.order(json!({"earliest": "2026-11-23T15:00:00Z"})).await.id();
    assert_eq!(api.get(&format!("/v1/callbacks/{id}")).await.json()["ordered_by"], "crm");
    let other = with_token(&api, |_| {}).await;
    let path = |verb: &str| format!("/v1/callbacks/{id}/{verb}");
    for (verb, body) in [
        ("reschedule", json!({"priority": 9})),
        ("allow-attempt", json!({"reason": "they asked"})),
        ("cancel", json!({})),
    ] {
        let answer = ask(&api, &other, "POST", &path(verb), &body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{verb}: {}", answer.text);
        api.fold().await;
    }
    let timeline = api.get(&path("timeline")).await.json();
    let lines: Vec<_> = timeline["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["what"].as_str().unwrap(), line["by"].as_str().unwrap_or("-")))
        .filter(|(what, _)| what.starts_with("callback.") && *what != "callback.waits")
        .collect();
    let expected = [
        ("callback.ordered", "crm"),
        ("callback.rescheduled", "other"),
        ("callback.attempt_allowed", "other"),
        ("callback.closed", "other"),
    ];
    assert_eq!(lines, expected);
    assert_eq!(timeline["entries"][0]["at"], json!(at(super::harness::NOW)));
}

#[tokio::test]
async fn the_operators_own_rules_are_shown_to_the_default_tenant_only() {
    let api = api().await;
    assert!(!api.get("/v1/limits").await.json()["settings"].as_array().unwrap().is_empty());
    let token = with_token(&api, |token| token.tenant = "other".parse().unwrap()).await;
    let shown = ask(&api, &token, "GET", "/v1/limits", &Value::Null).await;
    assert_eq!(shown.status, StatusCode::OK);
    let shown = shown.json();
    assert!(shown.get("settings").is_none() && !shown["limits"].as_array().unwrap().is_empty(), "{shown}");
}
