//! Invites: ordering, listing, canceling, and the wall between them and callbacks.

use axum::http::{Request, StatusCode};
use ringmaster::domain::{InviteId, Message, MessageId, MessagePurpose, Numbers, RoadKind, Sender, Stage};
use ringmaster::http::RequestLimits;
use serde_json::{Value, json};
use uuid::Uuid;

use super::harness::{
    Answer, ApiHarness, CONSUMER, NOW, SECOND_SENDER, SENDER, api, at, desk_of, invite, inviting_api,
    inviting_sender, order, phone, sender,
};

const PSID: &str = "6789012345678901";

fn ids(answer: &Answer) -> Vec<String> {
    let rows = answer.json()["invites"].as_array().unwrap_or_else(|| panic!("{}", answer.text)).clone();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

async fn with_key(api: &ApiHarness, path: &str, key: &str, body: &Value) -> Answer {
    let request =
        Request::post(path).header("content-type", "application/json").header("idempotency-key", key);
    api.ask(request, body.to_string()).await
}

#[tokio::test]
async fn an_invite_is_accepted_with_all_its_fields() {
    let api = inviting_api().await;
    let body = json!({
        "consumer": CONSUMER,
        "senders": [SENDER],
        "earliest": "2026-11-26T09:00:00-03:00",
        "latest": "2026-11-27T18:00:00-03:00",
        "hours": "mon-fri 09:00-18:00 @America/Sao_Paulo",
        "priority": 7,
        "variables": {"1": "Ana", "order": "A-17"},
        "messenger": {"shop": PSID},
        "campaign": "parcels",
        "purpose": "requested",
        "reference": "ticket-17",
        "metadata": {"crm": [1, 2.50, null]},
    });
    let answer = api.post("/v1/invites", body.to_string()).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    assert_eq!(answer.header("location"), format!("invites/{}", answer.invite_id()));
    insta::assert_json_snapshot!("invite", answer.json());
    let shown = api.get(&format!("/v1/{}", answer.header("location"))).await.json();
    let expected = answer.json();
    assert_eq!(shown["messages"], json!([]));
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&shown[name], value, "{name}");
    }
}

#[tokio::test]
async fn a_short_invite_gets_the_defaults_and_is_decided_at_its_start() {
    let api = inviting_api().await;
    let answer = api.invite(json!({"latest": null})).await.json();
    assert_eq!((&answer["senders"], &answer["earliest"]), (&json!([SENDER]), &json!(NOW)));
    assert_eq!(answer["latest"], "2026-11-26T12:00:00Z");
    assert_eq!((&answer["next_look_at"], &answer["reason"]["code"]), (&json!(NOW), &json!("ready")));
    // Nobody is asked for a permission ahead of it.
    let later = api.invite(json!({"earliest": "2026-11-24T09:00:00Z"})).await.json();
    assert_eq!(later["next_look_at"], "2026-11-24T09:00:00Z");
    assert_eq!(later["reason"]["code"], "window.before_earliest");
}

#[tokio::test]
async fn every_wrong_value_of_an_invite_is_named_with_its_rule() {
    let api = inviting_api().await;
    for (changes, expected) in [
        (json!({"consumer": null}), "consumer: field.missing"),
        (json!({"consumer": SENDER}), "consumer: consumer.is_sender"),
        (json!({"consumer": "+55219765"}), "consumer: phone.invalid"),
        (json!({"sender": "+551151994321"}), "sender: sender.unknown"),
        (json!({"latest": NOW}), "latest: deadline.passed"),
        (json!({"hours": "sun 09:00-10:00 @UTC"}), "hours: hours.never_open"),
        (json!({"priority": 10}), "priority: priority.out_of_range"),
        (json!({"purpose": "spam"}), "purpose: purpose.unknown"),
        (json!({"document": "message"}), "document: invite.no_call"),
        (json!({"document": null, "agent": "client:alice"}), "agent: invite.no_call"),
        (json!({"attempts_max": 3}), "attempts_max: invite.no_call"),
        (json!({"waive_gap": true}), "waive_gap: invite.no_call"),
        (json!({"separate": true}), "separate: invite.no_call"),
        (json!({"webhook": "https://example.com"}), "webhook: field.unknown"),
        (json!({"variables": {"": "x"}}), "variables.: variable.name"),
        (json!({"variables": {"a".repeat(17): "x"}}), "variables.aaaaaaaaaaaaaaaaa: variable.name"),
        (json!({"variables": {"a-b": "x"}}), "variables.a-b: variable.name"),
        (json!({"variables": {"1": " "}}), "variables.1: field.empty"),
        (json!({"variables": {"1": "x".repeat(2001)}}), "variables.1: field.too_long"),
        (json!({"variables": {"1": "two\nlines"}}), "variables.1: field.characters"),
        (json!({"variables": {"1": 7}}), "variables.1: field.type"),
        (json!({"messenger": {"shpo": PSID}}), "messenger.shpo: messenger.unknown"),
        (json!({"messenger": {"shop": ""}}), "messenger.shop: psid.invalid"),
        (json!({"messenger": {"shop": "1".repeat(65)}}), "messenger.shop: psid.invalid"),
        (json!({"messenger": {"shop": "12a"}}), "messenger.shop: psid.invalid"),
        (json!({"messenger": PSID}), "messenger: field.type"),
        (json!({"reference": "x".repeat(201)}), "reference: field.too_long"),
        (json!({"metadata": "x".repeat(4095)}), "metadata: metadata.too_long"),
    ] {
        let answer = api.invite(changes.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::UNPROCESSABLE_ENTITY, "invite.invalid".into())
        );
        assert_eq!(answer.faults(), [expected], "{changes}: {}", answer.text);
        assert!(!answer.text.contains("97654") && !answer.text.contains("678901"), "{}", answer.text);
        assert_eq!(api.store.count().await, 0);
    }
    let told = api.invite(json!({"agent": "client:alice"})).await.json();
    assert_eq!(told["errors"][0]["detail"], "an invite places no call, so it has no agent; leave it out");
    let near = api.invite(json!({"messenger": {"shpo": PSID}})).await.json();
    assert_eq!(near["errors"][0]["detail"], "no Messenger account has this name; did you mean \"shop\"?");
}

#[tokio::test]
async fn an_invite_by_pages_only_needs_an_id_of_the_consumer_at_one_of_them() {
    let by_page = Sender { invite: None, ..inviting_sender(SENDER) };
    let api = desk_of([by_page, inviting_sender(SECOND_SENDER)], RequestLimits::default()).await;
    for changes in [json!({"sender": SENDER}), json!({"sender": SENDER, "messenger": {}})] {
        let answer = api.invite(changes).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.text);
        assert_eq!(answer.faults(), ["messenger: messenger.missing"]);
        let detail = answer.json()["errors"][0]["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("a page of shop") && detail.contains("our own rule"), "{detail}");
    }
    // A wrong id is told as such.
    let wrong = api.invite(json!({"sender": SENDER, "messenger": {"shop": "x"}})).await;
    assert_eq!(wrong.faults(), ["messenger.shop: psid.invalid"]);
    for changes in
        [json!({"sender": SENDER, "messenger": {"shop": PSID}}), json!({"senders": [SENDER, SECOND_SENDER]})]
    {
        let answer = api.invite(changes).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    }
}

#[tokio::test]
async fn an_invite_of_unknown_fate_is_explained_as_unknown() {
    let api = inviting_api().await;
    let id = api.invite(Value::Null).await.invite_id();
    let numbers = Numbers::of(phone(SENDER), phone(CONSUMER));
    for (stage, code, standing) in
        [(Stage::Unknown, "invite.unknown", "unknown"), (Stage::Accepted, "invite.awaiting_call", "invited")]
    {
        api.store
            .change(id.into(), |record| {
                let (purpose, content) = (MessagePurpose::Invite, "HX3".parse().unwrap());
                let message_id = MessageId::new(Uuid::from_u128(7));
                let mut message = Message::new(message_id, purpose, content, numbers, "main", at(NOW));
                message = message.for_callback(id.into());
                message.submission.stage = stage;
                message.road = Some(RoadKind::Template);
                record.messages = vec![message];
                record.callback.invited_at = Some(at(NOW));
                record.callback.invited_by = "template:main".parse().ok();
            })
            .await;
        let told = api.get(&format!("/v1/invites/{id}/explain")).await.json();
        let codes: Vec<_> = told["reasons"].as_array().unwrap().iter().map(|it| it["code"].clone()).collect();
        assert!(codes.contains(&json!(code)), "{told:#}");
        let rung = told["ladder"].as_array().unwrap().iter().find(|it| it["road"] == "template").unwrap();
        assert_eq!(rung["standing"], standing, "{told:#}");
        assert!(told.to_string().contains("resolve") == (stage == Stage::Unknown), "{told:#}");
    }
}

#[tokio::test]
async fn values_of_an_invite_at_their_limits_are_accepted() {
    let api = inviting_api().await;
    for changes in [
        json!({"latest": "2026-11-23T12:00:00.000001Z"}),
        json!({"latest": "2027-11-24T12:00:00Z"}),
        json!({"priority": 0}),
        json!({"priority": 9}),
        json!({"variables": {"a".repeat(16): "x".repeat(2000)}}),
        json!({"messenger": {"shop": "1"}}),
        json!({"messenger": {"shop": "1".repeat(64)}}),
        json!({"messenger": {}}),
        json!({"campaign": "x".repeat(100), "reference": "x".repeat(200)}),
    ] {
        let answer = api.invite(changes.clone()).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{changes}: {}", answer.text);
    }
}

#[tokio::test]
async fn an_invite_needs_a_sender_that_can_invite() {
    let none = api().await.invite(Value::Null).await;
    assert_eq!(none.faults(), ["sender: sender.no_invite"], "{}", none.text);
    let page = inviting_sender(SENDER);
    let road_alone = ringmaster::domain::Sender { invite: None, ..page.clone() };
    for (senders, named, fits) in [
        (vec![road_alone, sender(SECOND_SENDER)], json!([SENDER]), true),
        (vec![page.clone(), sender(SECOND_SENDER)], json!([SECOND_SENDER, SENDER]), true),
        (vec![page, sender(SECOND_SENDER)], json!([SECOND_SENDER]), false),
    ] {
        let api = desk_of(senders, RequestLimits::default()).await;
        let answer = api.invite(json!({"senders": named, "messenger": {"shop": PSID}})).await;
        assert_eq!(answer.status == StatusCode::ACCEPTED, fits, "{named}: {}", answer.text);
        if !fits {
            assert_eq!(answer.faults(), ["senders: sender.no_invite"]);
        }
    }
}

#[tokio::test]
async fn a_callback_has_ids_at_pages_too() {
    let api = inviting_api().await;
    let answer = api.order(json!({"messenger": {"shop": PSID}})).await;
    assert_eq!(answer.json()["messenger"], json!({"shop": PSID}), "{}", answer.text);
    let stored = api.store.callback(answer.id()).await.unwrap().unwrap();
    assert_eq!(stored.callback.order.psids["shop"].as_str(), PSID);
    assert_eq!(api.order(Value::Null).await.json()["messenger"], Value::Null);
    let wrong = api.order(json!({"messenger": {"other": PSID, "shop": "x"}})).await;
    assert_eq!(wrong.faults(), ["messenger.other: messenger.unknown", "messenger.shop: psid.invalid"]);
}

#[tokio::test]
async fn a_repeated_invite_gets_the_first_answer_and_creates_nothing() {
    let api = inviting_api().await;
    let first = with_key(&api, "/v1/invites", "k-1", &invite(Value::Null)).await;
    assert_eq!((first.status, first.header("idempotent-replayed")), (StatusCode::ACCEPTED, ""));
    api.clock.advance(jiff::SignedDuration::from_hours(24 * 30));
    let again = with_key(&api, "/v1/invites", "k-1", &invite(Value::Null)).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::ACCEPTED, "true"));
    assert_eq!((again.header("location"), &again.text), (first.header("location"), &first.text));
    let other = with_key(&api, "/v1/invites", "k-1", &invite(json!({"priority": 1}))).await;
    assert_eq!(other.code(), "idempotency.key_reused");
    let late = with_key(&api, "/v1/invites", "k-2", &invite(Value::Null)).await;
    assert_eq!(late.code(), "invite.invalid");
    assert_eq!(api.store.count().await, 1);
}

#[tokio::test]
async fn a_key_of_a_callback_orders_no_invite_and_the_reverse() {
    let api = inviting_api().await;
    let (callback, body) = (order(Value::Null), invite(Value::Null));
    with_key(&api, "/v1/callbacks", "k-1", &callback).await;
    with_key(&api, "/v1/invites", "k-2", &body).await;
    for (path, key, body) in [
        ("/v1/invites", "k-1", &body),
        // The same bytes at the other path: the second is no callback, so only the key could tell it.
        ("/v1/invites", "k-1", &callback),
        ("/v1/callbacks", "k-2", &body),
        ("/v1/callbacks", "k-2", &callback),
    ] {
        let answer = with_key(&api, path, key, body).await;
        assert_eq!(answer.code(), "idempotency.key_reused", "{path} {key}: {}", answer.text);
    }
    assert_eq!(api.store.count().await, 2);
}

#[tokio::test]
async fn an_invite_that_cannot_be_stored_is_not_acknowledged_and_its_key_stays_free() {
    let api = inviting_api().await;
    api.store.faults().fails_after.store(1, std::sync::atomic::Ordering::Relaxed);
    api.callback().await;
    let lost = with_key(&api, "/v1/invites", "k-1", &invite(Value::Null)).await;
    assert_eq!((lost.status, lost.code()), (StatusCode::SERVICE_UNAVAILABLE, "store.unavailable".into()));
    api.store.faults().fails_after.store(0, std::sync::atomic::Ordering::Relaxed);
    let again = with_key(&api, "/v1/invites", "k-1", &invite(Value::Null)).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (StatusCode::ACCEPTED, ""));
}

#[tokio::test]
async fn a_callback_is_no_invite_and_an_invite_is_no_callback() {
    let api = inviting_api().await;
    let callback = api.order(json!({"reference": "r-callback"})).await.id();
    let invite = api.invite(json!({"reference": "r-invite"})).await.invite_id();
    let disguised = (InviteId::from(callback), ringmaster::domain::CallbackId::from(invite));
    for verb in ["", "/explain", "/timeline", "/link"] {
        for (path, code) in [
            (format!("/v1/invites/{callback}{verb}"), "invite.not_found"),
            (format!("/v1/invites/{}{verb}", disguised.0), "invite.not_found"),
            (format!("/v1/invites/r-callback{verb}"), "invite.not_found"),
            (format!("/v1/callbacks/{invite}{verb}"), "callback.not_found"),
            (format!("/v1/callbacks/{}{verb}", disguised.1), "callback.not_found"),
            (format!("/v1/callbacks/r-invite{verb}"), "callback.not_found"),
        ] {
            let answer = api.get(&path).await;
            assert_eq!((answer.status, answer.code()), (StatusCode::NOT_FOUND, code.to_owned()), "{path}");
        }
        for path in [format!("/v1/invites/{invite}{verb}"), format!("/v1/invites/r-invite{verb}")] {
            assert_eq!(api.get(&path).await.status, StatusCode::OK, "{path}");
        }
    }
    for (path, code) in [
        (format!("/v1/invites/{callback}/cancel"), "invite.not_found"),
        (format!("/v1/callbacks/{invite}/cancel"), "callback.not_found"),
        (format!("/v1/callbacks/{}/reschedule", disguised.1), "callback.not_found"),
        (format!("/v1/callbacks/{}/allow-attempt", disguised.1), "callback.not_found"),
        ("/v1/invites/inv_7/cancel".to_owned(), "id.malformed"),
    ] {
        let answer = api.post(&path, r#"{"reason": "x"}"#).await;
        assert_eq!(answer.code(), code, "{path}: {}", answer.text);
    }
    assert_eq!(api.get("/v1/invites/inv_7").await.code(), "id.malformed");
}

#[tokio::test]
async fn one_reference_may_name_a_callback_and_an_invite() {
    let api = inviting_api().await;
    let callback = api.order(json!({"reference": "r-1"})).await.id();
    let later = || json!({"reference": "r-1", "earliest": "2026-11-23T15:00:00Z"});
    let first = api.invite(later()).await.invite_id();
    assert_eq!(api.get("/v1/callbacks/r-1").await.id(), callback);
    assert_eq!(api.get("/v1/invites/r-1").await.invite_id(), first);
    let second = api.invite(later()).await.invite_id();
    let ambiguous = api.get("/v1/invites/r-1").await;
    assert_eq!(ambiguous.code(), "reference.ambiguous");
    let detail = ambiguous.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(&first.to_string()) && detail.contains(&second.to_string()), "{detail}");
    assert!(!detail.contains("cb_"), "{detail}");
    api.change(&format!("/v1/invites/{second}/cancel"), "").await;
    assert_eq!(api.get("/v1/invites/r-1").await.invite_id(), first);
}

#[tokio::test]
async fn lists_and_counts_are_of_one_kind() {
    let api = inviting_api().await;
    let shared = json!({"campaign": "spring", "reference": "r-1"});
    let callback = api.order(shared.clone()).await.id().to_string();
    let invite = api.invite(shared).await.invite_id().to_string();
    for query in ["", "status=waiting", "campaign=spring", "reference=r-1", "campaign=spring&status=waiting"]
    {
        assert_eq!(ids(&api.get(&format!("/v1/invites?{query}")).await), [invite.as_str()], "{query}");
        let callbacks = api.get(&format!("/v1/callbacks?{query}")).await.json();
        assert_eq!(callbacks["callbacks"][0]["id"], callback, "{query}");
        assert_eq!(callbacks["callbacks"].as_array().unwrap().len(), 1, "{query}");
    }
    for body in [json!({"consumer": CONSUMER}), json!({"sender": SENDER}), json!({})] {
        assert_eq!(ids(&api.post("/v1/invites/search", body.to_string()).await), [invite.as_str()], "{body}");
        let callbacks = api.post("/v1/callbacks/search", body.to_string()).await.json();
        assert_eq!(callbacks["callbacks"].as_array().unwrap().len(), 1, "{body}");
    }
    api.change(&format!("/v1/invites/{invite}/cancel"), "").await;
    assert_eq!(ids(&api.get("/v1/invites?status=closed&outcome=canceled").await), [invite.as_str()]);
    assert_eq!(ids(&api.get("/v1/invites?status=waiting").await), Vec::<String>::new());
    let status = api.get("/v1/status").await.json();
    assert_eq!((&status["callbacks"]["waiting"], &status["invites"]["waiting"]), (&json!(1), &json!(0)));
    assert_eq!(status["invites"]["closed"]["canceled"], 1);
    assert_eq!(status["callbacks"]["closed"]["canceled"], 0);
    assert_eq!(api.store.wrong_counts().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn pages_have_every_invite_once_newest_first() {
    let api = inviting_api().await;
    let mut expected = Vec::new();
    for _ in 0..7 {
        api.callback().await;
        expected.insert(0, api.invite(Value::Null).await.invite_id().to_string());
    }
    let (mut listed, mut cursor) = (Vec::new(), String::new());
    for size in [3, 3, 1] {
        let page = api.get(&format!("/v1/invites?limit=3{cursor}")).await;
        assert_eq!(ids(&page).len(), size);
        listed.extend(ids(&page));
        cursor =
            page.json()["next_cursor"].as_str().map(|next| format!("&cursor={next}")).unwrap_or_default();
    }
    assert_eq!((listed, cursor), (expected, String::new()));
}

#[tokio::test]
async fn a_wrong_query_for_invites_is_refused() {
    let api = inviting_api().await;
    for query in [
        "status=calling",
        "status=wating",
        "abandoned=true",
        "limit=0",
        "limit=501",
        "cursor=cb_00000000000000000000000000000007",
        "consumer=%2B5521976543210",
    ] {
        let answer = api.get(&format!("/v1/invites?{query}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, "query.invalid".into()),
            "{query}"
        );
    }
    for (body, expected) in [
        (json!({"abandoned": true}), "abandoned: field.unknown"),
        (json!({"status": "calling"}), "status: field.value"),
        (json!({"cursor": "cb_00000000000000000000000000000007"}), "cursor: field.value"),
        (json!({"limit": 501}), "limit: field.value"),
    ] {
        let answer = api.post("/v1/invites/search", body.to_string()).await;
        assert_eq!((answer.code(), answer.faults()), ("search.invalid".into(), vec![expected.into()]));
    }
}

#[tokio::test]
async fn a_canceled_invite_is_closed_once_and_says_so() {
    let api = inviting_api().await;
    let id = api.invite(Value::Null).await.invite_id();
    let path = format!("/v1/invites/{id}/cancel");
    let pending = with_key(&api, &path, "k-1", &json!({})).await;
    assert_eq!(pending.status, StatusCode::ACCEPTED, "{}", pending.text);
    assert_eq!(pending.json()["invite"], id.to_string(), "the command names the invite: {}", pending.text);
    assert_eq!(pending.json().get("callback"), None);
    let command = pending.header("location").to_owned();
    api.fold().await;
    let done = with_key(&api, &path, "k-1", &json!({})).await;
    assert_eq!((done.status, &done.json()["outcome"]), (StatusCode::OK, &json!("canceled")));
    assert_eq!(done.json()["id"], id.to_string());
    let told = api.get(&command).await.json();
    assert_eq!((&told["status"], &told["invite"]), (&json!("applied"), &json!(id.to_string())));
    let again = api.post(&path, "").await;
    assert_eq!((again.status, again.code()), (StatusCode::CONFLICT, "invite.closed".to_owned()));
    assert_eq!(again.json()["outcome"], "canceled");
    let explained = api.get(&format!("/v1/invites/{id}/explain")).await.json();
    assert_eq!((&explained["id"], &explained["outcome"]), (&json!(id.to_string()), &json!("canceled")));
}

#[tokio::test]
async fn the_timeline_of_an_invite_has_its_own_words() {
    let api = inviting_api().await;
    let id = api.invite(Value::Null).await.invite_id();
    api.change(&format!("/v1/invites/{id}/cancel"), "").await;
    let timeline = api.get(&format!("/v1/invites/{id}/timeline")).await.json();
    let entries = timeline["entries"].as_array().unwrap();
    let words: Vec<_> = entries.iter().map(|entry| entry["what"].as_str().unwrap()).collect();
    assert_eq!((words[0], words[words.len() - 1]), ("invite.ordered", "invite.closed"), "{words:?}");
    assert!(words.iter().all(|word| !word.starts_with("callback.")), "{words:?}");
    assert_eq!(entries[0]["why"], "The customer, by the token \"crm\", ordered the invite.");
}

#[tokio::test]
async fn messages_of_an_invite_name_it_and_its_road() {
    let api = inviting_api().await;
    let id = api.invite(Value::Null).await.invite_id();
    let (message_id, numbers) = (MessageId::new(Uuid::new_v4()), Numbers::of(phone(SENDER), phone(CONSUMER)));
    api.store
        .change(id.into(), |record| {
            let (purpose, content) = (MessagePurpose::Invite, "HX3".parse().unwrap());
            let mut message = Message::new(message_id, purpose, content, numbers, "main", at(NOW));
            message = message.for_callback(id.into());
            message.submission.stage = Stage::Unknown;
            message.road = Some(RoadKind::Template);
            record.messages.push(message);
            record.callback.invited_at = Some(at(NOW));
        })
        .await;
    let shown = api.get(&format!("/v1/invites/{id}")).await.json();
    assert_eq!((&shown["messages"][0]["road"], &shown["invited_at"]), (&json!("template"), &json!(NOW)));
    let listed = api.get("/v1/messages").await.json();
    assert_eq!(listed["messages"][0]["invite"], id.to_string());
    assert_eq!(listed["messages"][0].get("callback"), None);
    let resolve = format!("/v1/messages/{message_id}/resolve");
    let resolved = api.change(&resolve, r#"{"outcome": "not_sent"}"#).await;
    assert_eq!((resolved.status, &resolved.json()["invite"]), (StatusCode::OK, &json!(id.to_string())));
}

#[tokio::test]
async fn many_invites_are_ordered_at_once_each_row_for_itself() {
    let api = inviting_api().await;
    let rows = [
        invite(json!({"reference": "r-1"})).to_string(),
        invite(json!({"document": "message"})).to_string(),
        "{".to_owned(),
        invite(json!({"reference": "r-1"})).to_string(),
    ];
    let ask = |path: &'static str, key: &'static str| {
        let request =
            Request::post(path).header("content-type", "application/x-ndjson").header("idempotency-key", key);
        api.ask(request, rows.join("\n"))
    };
    let answer = ask("/v1/invites/bulk", "k-1").await;
    assert_eq!((answer.header("x-rows-kept"), answer.header("x-rows-refused")), ("2", "2"));
    let told: Vec<Value> = answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let id = told[0]["id"].as_str().unwrap();
    assert!(id.starts_with("inv_"), "{id}");
    assert_eq!(told[1]["error"]["code"], "invite.no_call");
    assert_eq!(told[2]["error"]["code"], "body.syntax");
    assert!(told[3]["id"].as_str().unwrap().starts_with("inv_"), "it has a warning and an id: {}", told[3]);
    let warning = &told[3]["warnings"][0];
    assert_eq!(warning["code"], "row.repeated");
    assert!(
        warning["detail"].as_str().unwrap().contains("row 1") && !answer.text.contains("called for each")
    );
    assert_eq!(api.get(&format!("/v1/invites/{id}")).await.json()["reference"], "r-1");
    // The same body again keeps each row once; the key of invites orders no callbacks.
    let again = ask("/v1/invites/bulk", "k-1").await;
    let row: Value = serde_json::from_str(again.text.lines().next().unwrap()).unwrap();
    assert_eq!((&row["id"], &row["replayed"]), (&json!(id), &json!(true)));
    assert_eq!(api.store.count().await, 2);
    let callbacks = [order(Value::Null).to_string()].join("\n");
    let request = Request::post("/v1/callbacks/bulk")
        .header("content-type", "application/x-ndjson")
        .header("idempotency-key", "k-1");
    let other = api.ask(request, callbacks).await;
    assert!(other.text.contains("idempotency.key_reused"), "{}", other.text);
}

#[tokio::test]
async fn a_rescheduled_invite_moves_its_deadline_with_its_start() {
    let api = inviting_api().await;
    let id = api.invite(json!({"earliest": "2026-11-23T15:00:00Z", "reference": "r-1"})).await.invite_id();
    let path = format!("/v1/invites/{id}/reschedule");
    let changed =
        api.change(&path, r#"{"earliest": "2026-11-23T17:00:00Z", "priority": 9, "reason": "asked"}"#);
    let changed = changed.await.json();
    assert_eq!(changed["id"], id.to_string());
    assert_eq!((&changed["earliest"], &changed["priority"]), (&json!("2026-11-23T17:00:00Z"), &json!(9)));
    assert_eq!(changed["latest"], "2026-11-24T14:00:00Z");
    let timeline = api.get(&format!("/v1/invites/{id}/timeline")).await.text;
    assert!(timeline.contains("invite.rescheduled") && timeline.contains("asked"), "{timeline}");
    for (body, expected) in [
        (r#"{"latest": "2026-11-23T16:00:00Z"}"#, "latest: deadline.not_after_earliest"),
        (r#"{"priority": 10}"#, "priority: priority.out_of_range"),
        (r#"{"document": "message"}"#, "document: field.unknown"),
    ] {
        let answer = api.post(&path, body).await;
        assert_eq!(
            (answer.code(), answer.faults()),
            ("invite.invalid".into(), vec![expected.into()]),
            "{body}"
        );
    }
    let callback = api.callback().await;
    for (path, code) in [
        (format!("/v1/callbacks/{id}/reschedule"), "callback.not_found"),
        (format!("/v1/invites/{callback}/reschedule"), "invite.not_found"),
    ] {
        assert_eq!(api.post(&path, r#"{"priority": 1}"#).await.code(), code, "{path}");
    }
    api.change("/v1/invites/r-1/cancel", "").await;
    let closed = api.post(&path, r#"{"priority": 1}"#).await;
    assert_eq!((closed.status, closed.code()), (StatusCode::CONFLICT, "invite.closed".to_owned()));
}
