//! The test harness of the API: a router with a store in memory, a manual clock, and helpers for requests.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::{Clock as _, ManualClock};
use ringmaster::domain::attempt::UnresolvedAfter;
use ringmaster::domain::calendar::OwnCalendar;
use ringmaster::domain::country::BARRED_DESTINATIONS;
use ringmaster::domain::zones::{ZoneData, ZoneOrigin};
use ringmaster::domain::{
    Calendars, CallbackId, Directory, InviteId, Loads, Phone, Resource, Road, RoadKind, Script, Sender,
};
use ringmaster::hook_urls::HookUrls;
use ringmaster::http::{
    App, BulkMemory, Chosen, Defaults, OrderContents, ReportSettings, RequestLimits, TokenRates, auth, router,
};
use ringmaster::ids::IdGenerator;
use ringmaster::metrics::Metrics;
use ringmaster::policy::{Limits, Profile, Retry, Rules};
use ringmaster::scheduler::{ClockGuard, Deps, Scheduler, Settings};
use ringmaster::store::{Batch, Hashing, Store, Token};
use ringmaster::suppression::NameHasher;
use ringmaster::twiml::Library;
use ringmaster::wake::Waker;
use ringmaster::webhooks::WebhookEvents;
use serde_json::Value;
use tokio::sync::Mutex;
use tower::ServiceExt as _;

use super::failing_store::FailingStore;

pub(super) const SENDER: &str = "+551151991234";
pub(super) const SECOND_SENDER: &str = "+4930123456";
pub(super) const CONSUMER: &str = "+5521976543210";
/// A Monday, nine in the morning in Sao Paulo.
pub(super) const NOW: &str = "2026-11-23T12:00:00Z";

pub(super) struct ApiHarness {
    pub(super) store: Arc<FailingStore>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) app: Arc<App>,
    pub(super) router: Router,
    pub(super) waker: Arc<Waker>,
    pub(super) token: String,
    scheduler: Mutex<Scheduler>,
}

/// A complete answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) bytes: Vec<u8>,
}

pub(super) fn phone(text: &str) -> Phone {
    Phone::parse(text).unwrap()
}

pub(super) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(super) fn sender(number: &str) -> Sender {
    Sender {
        label: Some("Support".into()),
        workflow: Some("WW0123456789abcdef0123456789abcdef".into()),
        permission_request: "HX1".parse().ok(),
        permission_template: "HX2".parse().ok(),
        concurrent_calls_max: Some(50),
        ..Sender::new(phone(number), "main")
    }
}

/// The calendar `office`: the holidays of the state of Sao Paulo, and 24 December closed.
fn calendars() -> Calendars {
    let office = OwnCalendar {
        holidays: "BR-SP".parse().ok(),
        closed: ["2026-12-24".parse().unwrap()].into(),
        ..OwnCalendar::default()
    };
    Calendars::new([("office".parse().unwrap(), office)].into())
}

fn rules() -> Rules {
    Rules {
        limits: Limits::of(Profile::Twilio),
        retry: Retry {
            no_answer: SignedDuration::from_hours(2),
            busy: SignedDuration::from_mins(30),
            canceled: SignedDuration::from_mins(5),
            abandoned: SignedDuration::from_mins(10),
            shift: false,
            failed: SignedDuration::from_mins(10),
        },
        ask_ahead: SignedDuration::from_hours(24),
        margin: SignedDuration::from_secs(60),
        counting: ringmaster::policy::Counting::CAUTIOUS,
        faults_max: 5,
        pull_forward: SignedDuration::from_hours(1),
        ask_again: None,
        ceilings: [SENDER, SECOND_SENDER].map(|number| (Resource::Sender(phone(number)), 50)).into(),
        agent_calls_max: 1,
        destinations_refused: BARRED_DESTINATIONS.iter().map(|barred| barred.prefix).collect(),
        people: ringmaster::policy::PeopleRules::CAUTIOUS,
        registers: Vec::new(),
        stop_when_list_expired: false,
        number_zones: ringmaster::domain::number_zones::Narrowed::default(),
        inviting: ringmaster::policy::InviteRules::CAUTIOUS,
        queueing: ringmaster::policy::Queueing::STRICT,
    }
}

/// An API of a daemon with these senders.
pub(super) async fn desk_with(senders: &[&str], limits: RequestLimits) -> ApiHarness {
    desk_of(senders.iter().map(|number| sender(number)), limits).await
}

/// A sender whose account also sends invites, and who is invited for at the page of a Messenger account.
pub(super) fn inviting_sender(number: &str) -> Sender {
    let road = Road {
        kind: RoadKind::Messenger,
        account: "shop".into(),
        content: "call-us-messenger".parse().unwrap(),
    };
    Sender { invite: "HX3".parse().ok(), roads: vec![road], ..sender(number) }
}

/// An API of a daemon whose sender can invite.
pub(super) async fn inviting_api() -> ApiHarness {
    let limits = RequestLimits { timeout: Duration::from_secs(60), ..RequestLimits::default() };
    desk_of([inviting_sender(SENDER)], limits).await
}

/// As [`desk_with`], with senders of any kind.
pub(super) async fn desk_of(senders: impl IntoIterator<Item = Sender>, limits: RequestLimits) -> ApiHarness {
    let store = Arc::new(FailingStore::new());
    let clock = Arc::new(ManualClock::new(at(NOW)));
    let (token, hash) = auth::new_token([7; 32]);
    store.create_token(Token::new("crm", hash, clock.now())).await.unwrap();
    let directory = Arc::new(Directory::new(senders));
    let accounts = directory.senders().map(|sender| (sender.number, sender.account.clone())).collect();
    let hashing = Hashing { hasher: NameHasher::new(b"key"), accounts };
    store.shared().hash_with(hashing).await.unwrap();
    let waker = Arc::new(Waker::default());
    let app = Arc::new(App {
        store: store.shared(),
        clock: clock.clone(),
        directory,
        documents: Arc::new(Library::embedded()),
        rules: Arc::new(rules()),
        calendars: calendars(),
        chosen: [
            ("calling.faults_max", "5", true),
            ("limits.connected_calls_max", "5", true),
            ("calling.pull_forward", "\"1h\"", false),
        ]
        .map(|(key, value, is_set)| Chosen { key: key.into(), value: value.into(), is_set })
        .to_vec(),
        contents: OrderContents::default(),
        issuers: std::collections::BTreeMap::new(),
        pools_with_source: ["sourced".parse().unwrap()].into(),
        deposed_since: std::sync::OnceLock::new(),
        stopping_since: std::sync::OnceLock::new(),
        presence: Arc::default(),
        waker: waker.clone(),
        webhook_endpoint: None,
        hook_urls: Arc::new(HookUrls::new("https://calls.example.com", &[1; 32])),
        reports: ReportSettings::default(),
        zone_data: Some(ZoneData { origin: ZoneOrigin::Program, version: Some("2026a".into()) }),
        metrics: Arc::new(Metrics::default()),
        traces: ringmaster::traces::Traces::default(),
        unknown_for: SignedDuration::from_mins(15),
        unresolved_after: UnresolvedAfter {
            ringing: SignedDuration::from_mins(16),
            in_progress: SignedDuration::from_mins(76),
        },
        defaults: Defaults::default(),
        bulk_memory: Arc::new(BulkMemory::new(2, limits.bulk_body_max_bytes)),
        limits,
        ids: Arc::new(IdGenerator::seeded(1)),
        event_places: Arc::default(),
        token_rates: TokenRates::default(),
        sign_in: Arc::default(),
        command_wait: SignedDuration::ZERO,
    });
    let mut scheduler = scheduler(&app, store.shared(), waker.clone());
    scheduler.recover().await.unwrap();
    let scheduler = Mutex::new(scheduler);
    ApiHarness { store, clock, router: router(app.clone()), app, waker, token, scheduler }
}

/// A scheduler that folds commands and has no account to dial with.
fn scheduler(app: &App, store: Arc<dyn Store>, waker: Arc<Waker>) -> Scheduler {
    let documents = app.documents.names().map(|name| (name.to_owned(), Script::message())).collect();
    Scheduler::new(Deps {
        store,
        clock: app.clock.clone(),
        clock_guard: Arc::new(ClockGuard::new(app.clock.clone(), None)),
        directory: app.directory.clone(),
        documents,
        rules: app.rules.clone(),
        calendars: app.calendars.clone(),
        waker,
        trust: ringmaster::platform::Trust::alone(),
        webhook_events: WebhookEvents::default(),
        accounts: std::collections::BTreeMap::new(),
        ids: app.ids.clone(),
        metrics: app.metrics.clone(),
        traces: app.traces.clone(),
        settings: Settings::default(),
    })
}

pub(super) async fn api() -> ApiHarness {
    let limits = RequestLimits { timeout: Duration::from_secs(60), ..RequestLimits::default() };
    desk_with(&[SENDER], limits).await
}

impl ApiHarness {
    pub(super) async fn ask(&self, request: axum::http::request::Builder, body: impl Into<Body>) -> Answer {
        let request = request
            .header("authorization", format!("Bearer {}", self.token))
            .header("x-request-id", "req-1")
            .body(body.into())
            .unwrap();
        answer(&self.router, request).await
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask(Request::get(path), Body::empty()).await
    }

    pub(super) async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        self.ask(Request::post(path).header("content-type", "application/json"), body).await
    }

    pub(super) async fn ndjson(&self, body: impl Into<Body>) -> Answer {
        let request = Request::post("/v1/callbacks/bulk").header("content-type", "application/x-ndjson");
        self.ask(request, body).await
    }

    /// Orders a callback from the usual order with changes; `null` removes a field.
    pub(super) async fn order(&self, changes: Value) -> Answer {
        self.post("/v1/callbacks", order(changes).to_string()).await
    }

    /// Orders an invite from the usual one with changes; `null` removes a field.
    pub(super) async fn invite(&self, changes: Value) -> Answer {
        self.post("/v1/invites", invite(changes).to_string()).await
    }

    /// Publishes a load, as a leader would.
    pub(super) async fn publish(&self, loads: Loads) {
        let published = Some(Loads { as_of: Some(at(NOW)), ..loads });
        self.store.shared().record(Batch { published, ..Batch::default() }).await.unwrap();
    }

    /// Runs a turn of the scheduler, which folds commands.
    pub(super) async fn fold(&self) {
        self.scheduler.lock().await.turn().await.unwrap();
    }

    /// Sends a command and folds it. Then sends it again under the same key, and returns that answer, which has the
    /// result.
    pub(super) async fn change(&self, path: &str, body: impl Into<String>) -> Answer {
        let body: String = body.into();
        let key = uuid::Uuid::new_v4().to_string();
        let send = || {
            let request = Request::post(path).header("content-type", "application/json");
            self.ask(request.header("idempotency-key", &key), body.clone())
        };
        let first = send().await;
        if first.status != StatusCode::ACCEPTED {
            return first;
        }
        assert!(first.header("location").starts_with("/v1/commands/cm_"), "{}", first.text);
        self.fold().await;
        send().await
    }

    /// Orders the usual callback.
    pub(super) async fn callback(&self) -> CallbackId {
        self.order(Value::Null).await.id()
    }
}

/// The usual order: the document `message`, with its variable.
pub(super) fn order(changes: Value) -> Value {
    let order = serde_json::json!({
        "consumer": CONSUMER,
        "document": "message",
        "variables": {"message": "Your parcel is here."},
        "latest": "2026-11-24T12:00:00Z",
    });
    changed(order, changes)
}

/// The usual invite.
pub(super) fn invite(changes: Value) -> Value {
    changed(serde_json::json!({"consumer": CONSUMER, "latest": "2026-11-24T12:00:00Z"}), changes)
}

fn changed(mut order: Value, changes: Value) -> Value {
    if let Value::Object(changes) = changes {
        for (name, value) in changes {
            match value {
                Value::Null => order.as_object_mut().unwrap().remove(&name),
                value => order.as_object_mut().unwrap().insert(name, value),
            };
        }
    }
    order
}

pub(super) async fn answer(router: &Router, request: Request<Body>) -> Answer {
    let response = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    // A stream of events has no end.
    let is_stream = parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
    let body = if is_stream { Body::empty() } else { body };
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
        bytes: bytes.to_vec(),
    }
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(super) fn id(&self) -> CallbackId {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text)).parse().unwrap()
    }

    pub(super) fn invite_id(&self) -> InviteId {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id in {}", self.text)).parse().unwrap()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The code of a problem, which must be complete.
    pub(super) fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        let problem = self.json();
        assert_eq!(problem["status"], self.status.as_u16());
        assert_eq!(problem["instance"], self.header("x-request-id"));
        for field in ["type", "title", "detail"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {problem}");
        }
        problem["code"].as_str().unwrap().to_owned()
    }

    /// `field: code` of every wrong field.
    pub(super) fn faults(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let errors = self.json()["errors"].as_array().unwrap_or_else(|| panic!("{}", self.text)).clone();
        errors.iter().map(|error| format!("{}: {}", word(&error["field"]), word(&error["code"]))).collect()
    }
}
