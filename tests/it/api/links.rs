//! Links by which a consumer calls: their payload, their senders and their forms.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use jiff::SignedDuration;
use ringmaster::domain::callback::Waiting;
use ringmaster::domain::{Callback, CallbackId, InviteToken, LinkGiven, Order, Reason, State};
use ringmaster::http::{RequestLimits, auth};
use ringmaster::store::{Enqueue, Token};
use serde_json::{Value, json};
use uuid::Uuid;

use super::harness::{
    Answer, ApiHarness, CONSUMER, NOW, SECOND_SENDER, SENDER, at, desk_of, inviting_api, inviting_sender,
    phone,
};

const OTHER_IN_BRAZIL: &str = "+552125550100";

/// Two senders in Brazil, one in Germany.
async fn three() -> ApiHarness {
    let senders = [SENDER, OTHER_IN_BRAZIL, SECOND_SENDER].map(inviting_sender);
    desk_of(senders, RequestLimits::default()).await
}

async fn accept(api: &ApiHarness, path: &str, accept: &str) -> Answer {
    api.ask(Request::get(path).header("accept", accept), Body::empty()).await
}

/// The payload of a link, read by its daemon.
fn payload(api: &ApiHarness, link: &str) -> Option<InviteToken> {
    api.app.hook_urls.read_invite(link.split_once("?biz_payload=").unwrap().1)
}

#[tokio::test]
async fn a_link_calls_the_sender_and_stands_for_its_order() {
    let api = inviting_api().await;
    let callback = api.callback().await;
    let invite = api.invite(Value::Null).await.invite_id();
    for (path, id) in [
        (format!("/v1/callbacks/{callback}/link"), callback),
        (format!("/v1/invites/{invite}/link"), CallbackId::from(invite)),
    ] {
        let answer = api.get(&path).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        let view = answer.json();
        let link = view["link"].as_str().unwrap();
        assert!(link.starts_with("https://wa.me/call/551151991234?biz_payload="), "{link}");
        assert_eq!(payload(&api, link), Some(InviteToken::Callback(id)));
        assert!(link.len() <= 200 && !link.contains(&id.uuid().simple().to_string()), "{link}");
        assert_eq!((&view["sender"], &view["ends_at"]), (&json!(SENDER), &json!("2026-11-24T12:00:00Z")));
        assert!(path.contains(view["id"].as_str().unwrap()), "{view}");
        assert_eq!(api.get(&path).await.text, answer.text, "the same link again");
    }
}

#[tokio::test]
async fn the_form_is_named_in_the_query_or_accepted() {
    let api = inviting_api().await;
    let path = format!("/v1/callbacks/{}/link", api.callback().await);
    let link = api.get(&path).await.json()["link"].as_str().unwrap().to_owned();
    for (query, header, media) in [
        ("", "application/json", "application/json"),
        ("", "text/html", "application/json"),
        ("", "text/plain", "text/plain; charset=utf-8"),
        ("", "image/svg+xml", "image/svg+xml"),
        ("", "image/png", "image/png"),
        ("?format=json", "image/png", "application/json"),
        ("?format=text", "image/png", "text/plain; charset=utf-8"),
        ("?format=svg", "*/*", "image/svg+xml"),
        ("?format=png", "*/*", "image/png"),
    ] {
        let answer = accept(&api, &format!("{path}{query}"), header).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (StatusCode::OK, media),
            "{query} {header}"
        );
        assert_eq!(answer.header("vary"), "accept");
        match media {
            "image/png" => assert_eq!(decoded(&answer.bytes), [link.as_str()]),
            "image/svg+xml" => assert!(answer.text.starts_with("<svg ") && answer.text.ends_with("</svg>\n")),
            "application/json" => assert_eq!(answer.json()["link"], link),
            _ => assert_eq!(answer.text, format!("{link}\n")),
        }
        assert!(answer.bytes.len() < 50_000, "{media}");
    }
    for query in ["?format=jpeg", "?format=", "?format=PNG", "?size=9", "?format=png&format=svg"] {
        let answer = api.get(&format!("{path}{query}")).await;
        assert_eq!(
            (answer.status, answer.code()),
            (StatusCode::BAD_REQUEST, "query.invalid".into()),
            "{query}"
        );
    }
}

/// The texts of the codes in a PNG.
fn decoded(png: &[u8]) -> Vec<String> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(png));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (width, height) = (info.width as usize, info.height as usize);
    let mut picture =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    picture.detect_grids().iter().map(|grid| grid.decode().unwrap().1).collect()
}

#[tokio::test]
async fn a_link_may_call_another_sender_of_the_same_country_calling_code() {
    let api = three().await;
    let id = api.order(json!({"senders": [SENDER]})).await.id();
    let path = format!("/v1/callbacks/{id}/link");
    let to = async |sender: Value| api.post(&path, json!({ "sender": sender }).to_string()).await;
    for (sender, number) in [
        (Value::Null, "551151991234"),
        (json!(SENDER), "551151991234"),
        (json!(OTHER_IN_BRAZIL), "552125550100"),
    ] {
        let answer = to(sender.clone()).await;
        let link = answer.json()["link"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned();
        assert!(link.starts_with(&format!("https://wa.me/call/{number}?")), "{sender}: {link}");
        assert_eq!(payload(&api, &link), Some(InviteToken::Callback(id)));
    }
    for (sender, expected) in [
        (json!(SECOND_SENDER), "sender: sender.other_group"),
        (json!("+552125550199"), "sender: sender.unknown"),
        (json!("21"), "sender: phone.invalid"),
    ] {
        let answer = to(sender.clone()).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::UNPROCESSABLE_ENTITY, "link.invalid".into()));
        assert_eq!(answer.faults(), [expected], "{sender}");
    }
    assert_eq!(api.post(&path, json!({"numer": SENDER}).to_string()).await.code(), "body.shape");
    // A sender of the order is never of another group.
    let both = api.order(json!({"senders": [SENDER, SECOND_SENDER]})).await.id();
    let german = json!({"sender": SECOND_SENDER}).to_string();
    let answer = api.post(&format!("/v1/callbacks/{both}/link?format=text"), german).await;
    assert!(answer.text.starts_with("https://wa.me/call/4930123456?"), "{}", answer.text);
}

#[tokio::test]
async fn links_to_at_most_eight_senders_of_an_order_are_given_out() {
    let api = three().await;
    let id = api.order(json!({"senders": [SENDER]})).await.id();
    let path = format!("/v1/callbacks/{id}/link");
    let stored = async || api.store.callback(id).await.unwrap().unwrap().callback;
    assert_eq!(api.get(&path).await.status, StatusCode::OK);
    api.fold().await;
    let given = stored().await;
    assert_eq!(given.links.iter().map(|link| link.sender).collect::<Vec<_>>(), [phone(SENDER)]);
    // Seven more senders, which have left the configuration since.
    let more = |n: usize| -> Vec<LinkGiven> {
        let gone = (0..n).map(|n| phone(&format!("+55115555010{n}")));
        gone.map(|sender| LinkGiven { sender, at: at(NOW) }).collect()
    };
    let other = json!({"sender": OTHER_IN_BRAZIL}).to_string();
    for (links, status) in [(7, StatusCode::CONFLICT), (6, StatusCode::OK)] {
        let all = [given.links.clone(), more(links)].concat();
        api.store.change(id, |record| record.callback.links = all).await;
        let answer = api.post(&path, other.clone()).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        if status == StatusCode::CONFLICT {
            assert_eq!(answer.code(), "link.too_many");
        }
        assert_eq!(api.get(&path).await.status, StatusCode::OK, "the known link is given again");
    }
}

#[tokio::test]
async fn a_token_links_only_to_its_own_senders() {
    let api = three().await;
    let id = api.order(json!({"senders": [SENDER]})).await.id();
    let (text, hash) = auth::new_token([9; 32]);
    let token = Token {
        senders: vec![phone(SENDER)],
        ..Token::new("narrow", hash, ringmaster::clock::Clock::now(&*api.clock))
    };
    api.store.create_token(token).await.unwrap();
    let request = Request::post(format!("/v1/callbacks/{id}/link"))
        .header("authorization", format!("Bearer {text}"))
        .header("content-type", "application/json")
        .body(Body::from(json!({"sender": OTHER_IN_BRAZIL}).to_string()))
        .unwrap();
    let answer = super::harness::answer(&api.router, request).await;
    assert_eq!(answer.faults(), ["sender: sender.not_allowed"]);
}

#[tokio::test]
async fn what_is_closed_has_no_link() {
    let api = inviting_api().await;
    let callback = api.callback().await;
    let invite = api.invite(json!({"earliest": "2026-11-23T15:00:00Z"})).await.invite_id();
    for (path, code) in [
        (format!("/v1/callbacks/{callback}"), "callback.closed"),
        (format!("/v1/invites/{invite}"), "invite.closed"),
    ] {
        api.change(&format!("{path}/cancel"), "").await;
        let answer = api.get(&format!("{path}/link")).await;
        assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, code.to_owned()));
        assert_eq!(answer.json()["outcome"], "canceled");
        let picture = accept(&api, &format!("{path}/link"), "image/png").await;
        assert_eq!(picture.code(), code, "a refusal is a problem in every form");
    }
}

#[tokio::test]
async fn a_sender_that_left_the_configuration_gets_no_link() {
    let api = three().await;
    let gone = phone("+551155550000");
    let mut paths = Vec::new();
    for senders in [vec![gone, phone(OTHER_IN_BRAZIL)], vec![gone]] {
        let id = CallbackId::new(Uuid::from_u128(0xabc0 + senders.len() as u128));
        let (earliest, latest) = (at(NOW), at(NOW) + SignedDuration::from_hours(4));
        let order = Order::new(phone(CONSUMER), senders, "message", earliest, latest);
        let note = Reason::BeforeEarliest { earliest }.note();
        let state = State::Waiting(Waiting { wake_at: earliest, place: None, note });
        let callback = Callback::new(id, earliest, order, state);
        let stored = Enqueue { callback, idempotency: None, ceiling: None, of_one_group: Vec::new() };
        api.store.enqueue_callbacks(vec![stored]).await.unwrap();
        paths.push(format!("/v1/callbacks/{id}/link"));
    }
    assert_eq!(api.get(&paths[0]).await.json()["sender"], OTHER_IN_BRAZIL, "the first that is configured");
    let answer = api.get(&paths[1]).await;
    assert_eq!((answer.status, answer.code()), (StatusCode::CONFLICT, "link.no_sender".to_owned()));
}
