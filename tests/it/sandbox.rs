//! The sandbox's HTTP routes: controls, the report, and answers that are dropped or delayed.

#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use reqwest::{Client, StatusCode};
use ringmaster::clock::ManualClock;
use ringmaster::domain::Phone;
use ringmaster::sim::world::{AccountSetup, AppSetup, PageSetup, SenderSetup, Setup};
use ringmaster::sim::{Sandbox, World};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

const ACCOUNT: &str = "ACdddddddddddddddddddddddddddddddd";
const SENDER: &str = "+551140000000";
const CONSUMER: &str = "+5511987650001";
const PAGE: &str = "1234567890";

/// A sandbox whose clock stands still unless it is moved.
struct Running {
    base: String,
    client: Client,
    clock: Arc<ManualClock>,
    sandbox: Sandbox,
    shutdown: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

impl Running {
    async fn start() -> Self {
        let mut account = AccountSetup::new(ACCOUNT, "token");
        account.senders.push(SenderSetup::new(Phone::parse(SENDER).unwrap()));
        let start: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(start));
        let shutdown = CancellationToken::new();
        let mut setup = Setup::new(3, vec![account]);
        let mut app = AppSetup::new("1", "secret", "token-of-the-app");
        app.pages.push(PageSetup::new(PAGE, "token-of-the-page"));
        setup.graph.apps.push(app);
        let world = World::new(setup);
        let sandbox = Sandbox::new(world, clock.clone(), shutdown.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(sandbox.clone().serve(listener));
        let client = Client::builder().no_proxy().build().unwrap();
        Self { base, client, clock, sandbox, shutdown, server }
    }

    async fn lever(&self, path: &str, body: Value) -> StatusCode {
        let url = format!("{}/sandbox/{path}", self.base);
        self.client.post(url).json(&body).send().await.unwrap().status()
    }

    fn create(&self) -> reqwest::RequestBuilder {
        let url = format!("{}/2010-04-01/Accounts/{ACCOUNT}/Calls.json", self.base);
        let (to, from) = (format!("whatsapp:{CONSUMER}"), format!("whatsapp:{SENDER}"));
        let form = [("To", to.as_str()), ("From", from.as_str()), ("Twiml", "<Response/>")];
        self.client.post(url).basic_auth(ACCOUNT, Some("token")).form(&form)
    }

    async fn stop(self) {
        drop(self.client);
        self.shutdown.cancel();
        self.server.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_operator_controls_consumers_and_reads_the_report() {
    let running = Running::start().await;
    let pair = |more: Value| {
        let mut body = json!({"sender": SENDER, "consumer": CONSUMER});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let done = StatusCode::NO_CONTENT;
    assert_eq!(running.lever("replies", pair(json!({"answer": "accept"}))).await, done);
    assert_eq!(running.lever("messages", pair(json!({"text": "hello"}))).await, done);
    assert_eq!(running.lever("call-in", pair(json!({}))).await, done);
    assert_eq!(running.lever(&format!("consumers/{CONSUMER}"), json!({"habit": "declines"})).await, done);
    let window = json!({"from": "2026-11-20T10:00:00Z", "until": "2026-11-20T11:00:00Z"});
    assert_eq!(running.lever("windows", pair(window)).await, done);
    assert_eq!(running.create().send().await.unwrap().status(), StatusCode::CREATED);

    let report = running.client.get(format!("{}/sandbox/report", running.base)).send().await.unwrap();
    let report: Value = report.json().await.unwrap();
    assert_eq!(report["counts"]["permission_grants"], 1);
    assert_eq!(report["counts"]["inbound_calls"], 1);
    assert_eq!(report["counts"]["creates_accepted"], 1);
    assert_eq!(report["violations"][0]["law"], "call_inside_window");
    assert!(!report.to_string().contains(&CONSUMER[1..]), "numbers are masked");
    running.stop().await;
}

#[tokio::test]
async fn a_wrong_control_request_is_refused_with_its_fault() {
    let running = Running::start().await;
    let unknown = json!({"sender": CONSUMER, "consumer": CONSUMER});
    assert_eq!(running.lever("call-in", unknown).await, StatusCode::NOT_FOUND);
    let nobody = json!({"sender": "nobody", "consumer": CONSUMER});
    assert_eq!(running.lever("messages", nobody).await, StatusCode::UNPROCESSABLE_ENTITY);
    let silent = json!({"sender": SENDER, "consumer": CONSUMER});
    assert_eq!(running.lever("replies", silent).await, StatusCode::UNPROCESSABLE_ENTITY);
    let habit = json!({"habit": "flies"});
    assert_eq!(
        running.lever(&format!("consumers/{CONSUMER}"), habit).await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(running.lever("faults", json!({"thorttle": 1.0})).await, StatusCode::UNPROCESSABLE_ENTITY);
    running.stop().await;
}

#[tokio::test]
async fn a_calling_link_is_opened_as_it_was_printed() {
    let running = Running::start().await;
    let link = format!("https://wa.me/call/{}?biz_payload=cAbc", &SENDER[1..]);
    let opens = |more: Value| {
        let mut body = json!({"consumer": CONSUMER});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        running.lever("links", body)
    };
    let done = StatusCode::NO_CONTENT;
    assert_eq!(opens(json!({"link": link})).await, done);
    assert_eq!(opens(json!({"sender": SENDER, "payload": "cAbc"})).await, done);
    assert_eq!(running.sandbox.report().counts.inbound_calls, 2);
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    assert_eq!(opens(json!({"link": link, "sender": SENDER})).await, refused);
    assert_eq!(opens(json!({"link": link, "payload": "cAbc"})).await, refused);
    assert_eq!(opens(json!({"link": "https://wa.me/551140000000"})).await, refused);
    assert_eq!(opens(json!({})).await, refused);
    assert_eq!(opens(json!({"link": "https://wa.me/call/551140000077"})).await, StatusCode::NOT_FOUND);
    assert_eq!(running.sandbox.report().counts.inbound_calls, 2);
    running.stop().await;
}

#[tokio::test]
async fn a_key_that_a_control_request_does_not_know_is_refused() {
    let running = Running::start().await;
    let url = "https://wa.me/call/551140000000";
    for (path, with) in [
        ("call-in", json!({"link": url})),
        ("messages", json!({"text": "hello", "txt": "hello"})),
        ("replies", json!({"answer": "accept", "payload": "cAbc"})),
        ("taps", json!({"payload": "cAbc"})),
        ("links", json!({"url": url})),
        ("preferences", json!({"marketing": false, "text": "stop"})),
    ] {
        let mut body = json!({"sender": SENDER, "consumer": CONSUMER});
        body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
        assert_eq!(running.lever(path, body).await, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    for (path, body) in [
        ("restrictions", json!({"account": "1", "kind": "x"})),
        ("calls", json!({"phone_number_id": "1", "on": true, "off": false})),
        ("handshakes", json!({"app": "1", "url": url})),
        ("pages", json!({"page": PAGE, "consumer": CONSUMER, "does": "calls", "txt": "hello"})),
    ] {
        assert_eq!(running.lever(path, body).await, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    assert_eq!(running.sandbox.report().counts.inbound_calls, 0);
    running.stop().await;
}

#[tokio::test]
async fn people_of_a_page_have_an_id_and_do_what_is_asked() {
    let running = Running::start().await;
    let url = |page: &str, who: &str| format!("{}/sandbox/pages/{page}/people/{who}", running.base);
    let ask = async |url: String| {
        let answer = running.client.get(url).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let (status, first) = ask(url(PAGE, CONSUMER)).await;
    assert_eq!(status, StatusCode::OK);
    let psid: Value = serde_json::from_str(&first).unwrap();
    assert!(psid["psid"].as_str().unwrap().bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(ask(url(PAGE, CONSUMER)).await.1, first, "the id stays");
    assert_eq!(ask(url("1", CONSUMER)).await.0, StatusCode::NOT_FOUND);
    assert_eq!(ask(url(PAGE, "nobody")).await.0, StatusCode::UNPROCESSABLE_ENTITY);

    let does = |what: &str, more: Value| {
        let mut body = json!({"page": PAGE, "consumer": CONSUMER, "does": what});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let done = StatusCode::NO_CONTENT;
    assert_eq!(running.lever("pages", does("writes", json!({"text": "hello"}))).await, done);
    assert_eq!(running.lever("pages", does("calls", json!({}))).await, done);
    assert_eq!(running.lever("pages", does("blocks", json!({}))).await, done);
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    assert_eq!(running.lever("pages", does("writes", json!({}))).await, refused);
    assert_eq!(running.lever("pages", does("flies", json!({}))).await, refused);
    assert_eq!(running.lever("pages", does("taps", json!({}))).await, StatusCode::NOT_FOUND);
    assert_eq!(running.lever("pages", does("calls", json!({"page": "1"}))).await, StatusCode::NOT_FOUND);
    assert_eq!(running.sandbox.report().counts.page_calls, 1);
    running.stop().await;
}

#[tokio::test]
async fn a_dropped_answer_does_not_undo_the_call() {
    let running = Running::start().await;
    running.lever("faults", json!({"drop_answer": 1.0})).await;
    let asked = tokio::spawn(running.create().send());
    running.sandbox.until(|report| report.counts.creates_accepted > 0).await;
    assert!(!asked.is_finished());
    asked.abort();
    running.stop().await;
}

#[tokio::test]
async fn a_delayed_answer_arrives_at_its_time() {
    let running = Running::start().await;
    running.lever("faults", json!({"delay_answer": 1.0, "answer_delay_ms": 60_000})).await;
    let asked = tokio::spawn(running.create().send());
    running.sandbox.until(|report| report.counts.creates_accepted > 0).await;
    assert!(!asked.is_finished());
    running.clock.advance(SignedDuration::from_secs(60));
    assert_eq!(asked.await.unwrap().unwrap().status(), StatusCode::CREATED);
    running.stop().await;
}
