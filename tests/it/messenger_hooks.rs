//! The webhooks of Messenger's pages, through the router and the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use ringmaster::clock::ManualClock;
use ringmaster::domain::{Event, Words};
use ringmaster::http::hooks::Alarm;
use ringmaster::http::hooks::messenger::{MessengerHooks, Page, router};
use ringmaster::meta::signature::{HEADER, sign};
use ringmaster::metrics::Metrics;
use ringmaster::store::relational::SqlStore;
use ringmaster::store::{FiledReport, Turns as _};
use ringmaster::wake::Waker;
use secrecy::SecretString;
use serde_json::{Value, json};
use tower::ServiceExt as _;

struct Hooked {
    router: Router,
    store: Arc<SqlStore>,
    metrics: Arc<Metrics>,
}

fn secret() -> SecretString {
    SecretString::from("the app's secret")
}

fn hooked() -> Hooked {
    let store = Arc::new(SqlStore::in_memory().unwrap());
    let metrics = Arc::new(Metrics::default());
    let page =
        Page { page_id: "1234567890".to_owned(), app_secret: secret(), verify_token: "a chosen text".into() };
    let hooks = MessengerHooks {
        alarm: Alarm::default(),
        store: store.clone(),
        clock: Arc::new(ManualClock::new(Timestamp::constant(1_790_000_000, 0))),
        waker: Arc::new(Waker::default()),
        words: Words::new(["stop"], ["start"]),
        metrics: Some(metrics.clone()),
        pages: BTreeMap::from([("page".into(), page)]),
    };
    Hooked { router: router(hooks), store, metrics }
}

impl Hooked {
    fn ask(&self, request: Request<Body>) -> (StatusCode, String) {
        let answer = self.router.clone().oneshot(request).now_or_never().unwrap().unwrap();
        let status = answer.status();
        let body = to_bytes(answer.into_body(), 1 << 20).now_or_never().unwrap().unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    fn post(&self, path: &str, body: &str, signature: Option<&str>) -> StatusCode {
        let mut request = Request::post(path);
        if let Some(signature) = signature {
            request = request.header(HEADER, signature);
        }
        self.ask(request.body(Body::from(body.to_owned())).unwrap()).0
    }

    fn deliver(&self, body: &Value) -> StatusCode {
        let body = body.to_string();
        self.post("/hooks/messenger/page", &body, Some(&sign(&secret(), body.as_bytes())))
    }

    fn kept(&self) -> Vec<FiledReport> {
        self.store.unfolded_reports(100).now_or_never().unwrap().unwrap()
    }

    fn refused(&self, reason: &str) -> bool {
        self.metrics.encode().contains(&format!("kind=\"messenger\",reason=\"{reason}\"}}"))
    }
}

fn wrote(mid: &str) -> Value {
    json!({
        "sender": {"id": "6789012345678901"}, "recipient": {"id": "1234567890"},
        "timestamp": 1_790_000_000_000_i64, "message": {"mid": mid, "text": "hello"},
    })
}

fn delivery(items: &[Value]) -> Value {
    json!({"object": "page", "entry": [{"id": "1234567890", "messaging": items}]})
}

#[tokio::test]
async fn a_signed_delivery_is_kept_once_and_one_bad_item_does_not_lose_the_others() {
    let hooked = hooked();
    assert_eq!(hooked.deliver(&delivery(&[wrote("m_1"), json!(7)])), StatusCode::OK);
    assert_eq!(hooked.deliver(&delivery(&[wrote("m_1"), wrote("m_2")])), StatusCode::OK);
    let kept = hooked.kept();
    assert_eq!(kept.len(), 2);
    let psid = "6789012345678901".parse().unwrap();
    let wrote_at = Some("2026-09-21T14:13:20Z".parse().unwrap());
    let expected = Event::MessengerMessage { account: "page".into(), psid, word: None, wrote_at };
    assert_eq!(kept[0].event, expected);
    assert!(hooked.refused("kind"));
    assert_eq!(hooked.metrics.hooks_repeated_total(), 1);
}

#[tokio::test]
async fn another_app_or_other_bytes_are_refused_counted_and_not_kept() {
    let hooked = hooked();
    let body = delivery(&[wrote("m_1")]).to_string();
    let good = sign(&secret(), body.as_bytes());
    let theirs = sign(&SecretString::from("of another app"), body.as_bytes());
    let path = "/hooks/messenger/page";
    assert_eq!(hooked.post(path, &body, Some(&theirs)), StatusCode::UNAUTHORIZED);
    assert_eq!(hooked.post(path, &format!("{body} "), Some(&good)), StatusCode::UNAUTHORIZED);
    assert!(hooked.refused("signature"));
    assert_eq!(hooked.post(path, &body, None), StatusCode::UNAUTHORIZED);
    assert!(hooked.refused("unsigned"));
    assert_eq!(hooked.post("/hooks/messenger/other", &body, Some(&good)), StatusCode::NOT_FOUND);
    assert_eq!(hooked.kept(), []);
    // What is signed and cannot be read would only be repeated.
    assert_eq!(hooked.deliver(&json!({"object": "instagram", "entry": []})), StatusCode::OK);
    assert!(hooked.refused("unreadable"));
}

#[tokio::test]
async fn the_handshake_returns_the_challenge_for_the_right_token() {
    let hooked = hooked();
    let asked = |alias: &str, token: &str| {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
        hooked.ask(Request::get(format!("/hooks/messenger/{alias}?{query}")).body(Body::empty()).unwrap())
    };
    assert_eq!(asked("page", "a+chosen+text"), (StatusCode::OK, "1158201444".to_owned()));
    assert_eq!(asked("page", "another"), (StatusCode::FORBIDDEN, String::new()));
    assert_eq!(asked("other", "a+chosen+text"), (StatusCode::NOT_FOUND, String::new()));
    assert!(hooked.refused("handshake"));
}
