//! The webhooks of WhatsApp's Cloud API, through the router and the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use futures_util::FutureExt as _;
use jiff::Timestamp;
use ringmaster::clock::ManualClock;
use ringmaster::domain::{CallProgress, Event, Phone, Words};
use ringmaster::hook_urls::HookUrls;
use ringmaster::http::hooks::Alarm;
use ringmaster::http::hooks::meta::{MetaHooks, MetaNumber, router};
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
    let number = MetaNumber {
        sender: Phone::parse("+551151991234").unwrap(),
        phone_number_id: "106540352242922".to_owned(),
        business_account_id: "102290129340398".to_owned(),
        app_secret: secret(),
        verify_token: "a chosen text".into(),
    };
    let hooks = MetaHooks {
        alarm: Alarm::default(),
        store: store.clone(),
        clock: Arc::new(ManualClock::new(Timestamp::constant(1_790_000_000, 0))),
        waker: Arc::new(Waker::default()),
        hook_urls: Arc::new(HookUrls::new("https://calls.example.com", &[7; 32])),
        words: Words::new(["stop"], ["start"]),
        metrics: Some(metrics.clone()),
        numbers: BTreeMap::from([("cloud".into(), number)]),
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
        self.post("/hooks/meta/cloud", &body, Some(&sign(&secret(), body.as_bytes())))
    }

    fn kept(&self) -> Vec<FiledReport> {
        self.store.unfolded_reports(100).now_or_never().unwrap().unwrap()
    }

    fn refused(&self, reason: &str) -> bool {
        self.metrics.encode().contains(&format!("kind=\"meta\",reason=\"{reason}\"}}"))
    }
}

fn call(event: &str) -> Value {
    json!({"object": "whatsapp_business_account", "entry": [{"id": "102290129340398", "changes": [
        {"field": "calls", "value": {
            "metadata": {"phone_number_id": "106540352242922"},
            "calls": [{"id": "wacid.A", "from": "5511987654321", "event": event, "direction": "USER_INITIATED",
                "timestamp": "1790000000"}]}}]}]})
}

#[tokio::test]
async fn a_signed_delivery_is_kept_once() {
    let hooked = hooked();
    assert_eq!(hooked.deliver(&call("connect")), StatusCode::OK);
    assert_eq!(hooked.deliver(&call("connect")), StatusCode::OK, "repeated");
    assert_eq!(hooked.deliver(&call("terminate")), StatusCode::OK);
    let kept = hooked.kept();
    assert_eq!(kept.len(), 2);
    assert!(matches!(kept[0].event, Event::InboundCall { progress: CallProgress::Ringing, .. }));
    assert_eq!(hooked.metrics.hooks_repeated_total(), 1);
}

#[tokio::test]
async fn another_app_or_other_bytes_are_refused_counted_and_not_kept() {
    let hooked = hooked();
    let body = call("connect").to_string();
    let good = sign(&secret(), body.as_bytes());
    let theirs = sign(&SecretString::from("of another app"), body.as_bytes());
    let path = "/hooks/meta/cloud";
    assert_eq!(hooked.post(path, &body, Some(&theirs)), StatusCode::UNAUTHORIZED);
    assert_eq!(hooked.post(path, &format!("{body} "), Some(&good)), StatusCode::UNAUTHORIZED);
    assert_eq!(hooked.post(path, &body, Some("sha256=")), StatusCode::UNAUTHORIZED);
    assert!(hooked.refused("signature") && !hooked.refused("unsigned"));
    assert_eq!(hooked.post(path, &body, None), StatusCode::UNAUTHORIZED);
    assert!(hooked.refused("unsigned"));
    assert_eq!(hooked.post("/hooks/meta/other", &body, Some(&good)), StatusCode::NOT_FOUND);
    assert_eq!(hooked.kept(), []);
}

#[tokio::test]
async fn a_body_has_at_most_three_megabytes() {
    let hooked = hooked();
    for (length, status) in [(3 << 20, StatusCode::OK), ((3 << 20) + 1, StatusCode::PAYLOAD_TOO_LARGE)] {
        let body = " ".repeat(length);
        let signature = sign(&secret(), body.as_bytes());
        assert_eq!(hooked.post("/hooks/meta/cloud", &body, Some(&signature)), status);
    }
    assert!(hooked.refused("too_large") && hooked.refused("unreadable"));
}

#[tokio::test]
async fn a_bad_entry_does_not_lose_the_others() {
    let hooked = hooked();
    let mut body = call("connect");
    let good = body["entry"][0].clone();
    let mut foreign = good.clone();
    foreign["changes"][0]["value"]["metadata"]["phone_number_id"] = "1".into();
    body["entry"] = json!([{"changes": "none"}, foreign, good]);
    assert_eq!(hooked.deliver(&body), StatusCode::OK);
    assert_eq!(hooked.kept().len(), 1);
    assert!(hooked.refused("unreadable") && hooked.refused("sender"));
}

#[tokio::test]
async fn a_borrowed_payload_is_counted_and_its_call_is_kept() {
    let hooked = hooked();
    let mut body = call("connect");
    body["entry"][0]["changes"][0]["value"]["calls"][0]["cta_payload"] = "forged".into();
    assert_eq!(hooked.deliver(&body), StatusCode::OK);
    assert!(matches!(hooked.kept()[0].event, Event::InboundCall { invite: None, .. }));
    assert!(hooked.refused("token"));
}

#[tokio::test]
async fn the_handshake_returns_the_challenge_for_the_right_token() {
    let hooked = hooked();
    let asked = |alias: &str, token: &str| {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1158201444");
        hooked.ask(Request::get(format!("/hooks/meta/{alias}?{query}")).body(Body::empty()).unwrap())
    };
    assert_eq!(asked("cloud", "a+chosen+text"), (StatusCode::OK, "1158201444".to_owned()));
    assert_eq!(asked("cloud", "another"), (StatusCode::FORBIDDEN, String::new()));
    assert_eq!(asked("other", "a+chosen+text"), (StatusCode::NOT_FOUND, String::new()));
    assert!(hooked.refused("handshake"));
}
