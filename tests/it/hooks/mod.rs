//! Twilio's webhooks, tested through the router: valid requests and all kinds of invalid ones.

#![expect(clippy::unwrap_used, reason = "what fails here is the test")]

mod failing_store;
mod live;
mod reports;
mod routes;
mod trust;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::{Clock as _, ManualClock};
use ringmaster::domain::callback::Closed;
use ringmaster::domain::event::{
    CallReport, ConnectionEnd, ConnectionReport, MessageProgress, MessageReport, PermissionAnswer,
    PermissionReply,
};
use ringmaster::domain::{
    AgentTarget, Attempt, AttemptId, Calendars, CallPermission, CallProgress, Callback, CallbackId,
    Directory, Disposition, Event, LegOrder, Message, MessageId, MessagePurpose, Named, Numbers, Order,
    Outcome, Pair, PairKey, Phone, Proof, Reason, RecordingReport, Sender, Stage, State, Submission, Words,
};
use ringmaster::hook_urls::{HookUrls, Purpose};
use ringmaster::http::hooks::{HookKeys, Hooks, Ringing, router};
use ringmaster::metrics::Metrics;
use ringmaster::policy::PeopleRules;
use ringmaster::simulation::mutated;
use ringmaster::store::relational::SqlStore;
use ringmaster::store::{self, Batch, Enqueue, FiledReport, Orders as _, Turns as _};
use ringmaster::twilio::signature::{Key, Payload, SETTINGS_HEADER, SIGNATURE_HEADER, with_body_digest};
use ringmaster::twiml::{Document, Library, hangup};
use ringmaster::wake::Waker;
use secrecy::SecretString;
use tower::ServiceExt as _;
use uuid::Uuid;

use failing_store::FailingStore;

/// A URL with capital letters and a path, because signatures cover the text as it is configured.
const PUBLIC: &str = "https://Calls.Example.com:443/Ring";
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const OTHER_ACCOUNT: &str = "AC00000000000000000000000000000002";
const CALL: &str = "CA00000000000000000000000000000001";
const LEG: &str = "CA00000000000000000000000000000002";
const RECORDING: &str = "RE00000000000000000000000000000003";
const MESSAGE: &str = "SM00000000000000000000000000000001";
const SENDER: &str = "whatsapp:+551133334444";
const OTHER_SENDER: &str = "whatsapp:+551133335555";
const CONSUMER: &str = "whatsapp:+5511987654321";
const WORKFLOW: &str = "WW00000000000000000000000000000001";
const NOTHING: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#;

type Pairs<'a> = Vec<(&'a str, &'a str)>;

fn phone(address: &str) -> Phone {
    Phone::parse(address.trim_start_matches("whatsapp:")).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn token(text: &str) -> Key {
    Key::auth_token(&SecretString::from(text))
}

fn shared() -> Key {
    Key::shared(Some("webhooks_sharedkey_1".to_owned()), &SecretString::from("shared"))
}

fn attempt_id() -> AttemptId {
    AttemptId::new(Uuid::from_u128(7))
}

fn message_id() -> MessageId {
    MessageId::new(Uuid::from_u128(8))
}

fn addresses() -> HookUrls {
    HookUrls::new(PUBLIC, &[7; 32])
}

/// The path below the public URL.
fn path_of(url: &str) -> String {
    url.strip_prefix(PUBLIC).unwrap().to_owned()
}

fn path(purpose: Purpose) -> String {
    path_of(&addresses().attempt(attempt_id(), purpose))
}

fn message_path() -> String {
    path_of(&addresses().message(message_id()))
}

struct Hooked {
    router: Router,
    store: FailingStore,
    clock: Arc<ManualClock>,
    waker: Arc<Waker>,
    metrics: Arc<Metrics>,
}

fn daemon() -> Hooked {
    furnished(None, None)
}

fn hooks_with((attempt, callback): (Attempt, Callback)) -> Hooked {
    furnished(Some((attempt, callback)), None)
}

fn furnished(kept: Option<(Attempt, Callback)>, inbound_document: Option<&str>) -> Hooked {
    let inner = Arc::new(SqlStore::in_memory().unwrap());
    if let Some((attempt, callback)) = kept {
        let mut ordered = callback.clone();
        ordered.version = 1;
        let order = Enqueue { callback: ordered, idempotency: None, ceiling: None, of_one_group: Vec::new() };
        inner.enqueue_callbacks(vec![order]).now_or_never().unwrap().unwrap();
        let batch = Batch { callbacks: vec![callback], attempts: vec![attempt], ..Batch::default() };
        inner.record(batch).now_or_never().unwrap().unwrap();
    }
    let store = FailingStore { inner, faults: Arc::default() };
    let clock = Arc::new(ManualClock::new(at("2026-11-21T12:00:00Z")));
    let waker = Arc::new(Waker::default());
    let metrics = Arc::new(Metrics::default());
    let hooks = Hooks {
        store: mutated(store.inner.clone(), store.faults.clone()),
        clock: clock.clone(),
        directory: Arc::new(Directory::new([
            sender(SENDER, "main", inbound_document),
            sender(OTHER_SENDER, "other", None),
        ])),
        documents: Arc::new(Library::embedded()),
        hook_urls: Arc::new(addresses()),
        waker: waker.clone(),
        keys: Arc::new(HookKeys::new([
            (ACCOUNT.to_owned(), "main".into(), vec![token("current"), token("next"), shared()]),
            (OTHER_ACCOUNT.to_owned(), "other".into(), vec![token("theirs")]),
        ])),
        people: PeopleRules::CAUTIOUS,
        calendars: Calendars::default(),
        words: Words::new(["stop"], ["start"]),
        metrics: Some(metrics.clone()),
        ringing: Ringing::default(),
    };
    Hooked { router: router(hooks), store, clock, waker, metrics }
}

fn sender(number: &str, account: &str, inbound_document: Option<&str>) -> Sender {
    Sender {
        agent: Some(AgentTarget::Sip("sip:desk@pbx.example".to_owned())),
        workflow: Some(WORKFLOW.to_owned()),
        inbound_document: inbound_document.map(str::to_owned),
        ..Sender::new(phone(number), account)
    }
}

/// A usual attempt with the document `message`, and its callback.
fn attempt() -> (Attempt, Callback) {
    let now = at("2026-11-21T11:59:00Z");
    let callback = CallbackId::new(Uuid::from_u128(6));
    let attempt = Attempt {
        submission: Submission {
            stage: Stage::Accepted,
            intended_at: now,
            submitted_at: Some(now),
            answered_at: Some(now),
            sid: Some(CALL.to_owned()),
            error_code: None,
        },
        ..Attempt::new(
            attempt_id(),
            callback,
            Numbers::of(phone(SENDER), phone(CONSUMER)),
            "main",
            LegOrder::ConsumerFirst,
            now,
        )
    };
    let order = Order {
        variables: BTreeMap::from([("message".to_owned(), "Ready <now> & here".to_owned())]),
        ..Order::new(
            phone(CONSUMER),
            vec![phone(SENDER)],
            "message".to_owned(),
            now,
            now + SignedDuration::from_hours(1),
        )
    };
    let callback = Callback {
        version: 2,
        attempts_opened: 1,
        ..Callback::new(callback, now, order, State::Calling { attempt: attempt_id() })
    };
    (attempt, callback)
}

/// One request as Twilio sends it.
#[derive(Clone)]
struct Knock<'a> {
    path: String,
    params: Pairs<'a>,
    key: Key,
    headers: Vec<(&'a str, &'a str)>,
}

fn knock<'a>(path: impl Into<String>, params: &[(&'a str, &'a str)]) -> Knock<'a> {
    Knock { path: path.into(), params: params.to_vec(), key: token("current"), headers: Vec::new() }
}

impl<'a> Knock<'a> {
    fn signed_with(mut self, key: Key) -> Self {
        self.key = key;
        self
    }

    fn header(mut self, name: &'a str, value: &'a str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn encoded(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish()
    }

    fn post(&self) -> Request<Body> {
        let pairs: Vec<_> = self.params.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        let signature = self.key.sign(&format!("{PUBLIC}{}", self.path), Payload::Form(&pairs));
        self.unsigned(
            "POST",
            &self.path,
            "application/x-www-form-urlencoded",
            self.encoded(),
            Some(&signature),
        )
    }

    fn get(&self) -> Request<Body> {
        let path = format!("{}?{}", self.path, self.encoded());
        let signature = self.key.sign(&format!("{PUBLIC}{path}"), Payload::None);
        self.unsigned("GET", &path, "", String::new(), Some(&signature))
    }

    fn without_signature(&self) -> Request<Body> {
        self.unsigned("POST", &self.path, "application/x-www-form-urlencoded", self.encoded(), None)
    }

    /// The request as a proxy would send it, with a host that is not ours.
    fn unsigned(
        &self,
        method: &str,
        path: &str,
        media_type: &str,
        body: String,
        signature: Option<&str>,
    ) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path).header("host", "10.0.0.7:8080");
        if !media_type.is_empty() {
            request = request.header("content-type", media_type);
        }
        if let Some(signature) = signature {
            request = request.header(SIGNATURE_HEADER, signature);
        }
        if let Some(settings) = self.key.settings() {
            request = request.header(SETTINGS_HEADER, settings);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        request.body(Body::from(body)).unwrap()
    }
}

impl Hooked {
    async fn ask(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = self.response(request).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn response(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    fn reports(&self) -> Vec<FiledReport> {
        self.store.inner.unfolded_reports(100).now_or_never().unwrap().unwrap()
    }

    fn events(&self) -> Vec<Event> {
        self.reports().into_iter().map(|report| report.event).collect()
    }

    #[track_caller]
    fn counted(&self, line: &str) {
        let text = self.metrics.encode();
        assert!(text.lines().any(|written| written == line), "{line}\n{text}");
    }

    #[track_caller]
    fn refused(&self, kind: &str, reason: &str) {
        self.counted(&format!("ringmaster_hooks_refused_total{{kind=\"{kind}\",reason=\"{reason}\"}} 1"));
    }

    /// Finishes a request that waits for the store.
    async fn ask_while_time_passes(&self, request: Request<Body>) -> (StatusCode, String) {
        let mut answer = std::pin::pin!(self.ask(request));
        loop {
            if let Some(answer) = (&mut answer).now_or_never() {
                return answer;
            }
            self.clock.advance(SignedDuration::from_secs(1));
        }
    }
}

fn call_params(status: &'static str) -> Pairs<'static> {
    vec![
        ("AccountSid", ACCOUNT),
        ("CallSid", CALL),
        ("From", SENDER),
        ("To", CONSUMER),
        ("CallStatus", status),
    ]
}

fn with<'a>(mut params: Pairs<'a>, more: &[(&'a str, &'a str)]) -> Pairs<'a> {
    for &(name, value) in more {
        params.retain(|(known, _)| *known != name);
        params.push((name, value));
    }
    params
}

fn inbound_params(status: &'static str) -> Pairs<'static> {
    with(call_params(status), &[("From", CONSUMER), ("To", SENDER)])
}

fn message_params() -> Pairs<'static> {
    vec![("AccountSid", ACCOUNT), ("MessageSid", MESSAGE), ("From", CONSUMER), ("To", SENDER), ("Body", "Oi")]
}

fn status_params() -> Pairs<'static> {
    vec![
        ("AccountSid", ACCOUNT),
        ("MessageSid", MESSAGE),
        ("From", SENDER),
        ("To", CONSUMER),
        ("MessageStatus", "delivered"),
    ]
}
