//! What Twilio calls, through the router in process: signed as Twilio signs, and in every way it must not be.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use ringmaster::address::{Addresses, Purpose};
use ringmaster::clock::{Clock as _, ManualClock};
use ringmaster::domain::event::{
    CallReport, ConnectionEnd, ConnectionReport, MessageProgress, MessageReport, PermissionAnswer,
    PermissionReply,
};
use ringmaster::domain::timeline::Entry;
use ringmaster::domain::{
    AgentTarget, Attempt, AttemptId, CallProgress, Callback, CallbackId, CallbackPermission, Directory,
    Disposition, Event, Gate, LegOrder, Message, MessageId, Order, Pair, PairKey, Phone, Priority, Sender,
    Stage, State, Submission,
};
use ringmaster::http::hooks::{HookKeys, Hooks, router};
use ringmaster::nudge::Nudge;
use ringmaster::store::sqlite::Sqlite;
use ringmaster::store::{
    self, Batch, Census, Enqueue, Enqueued, FiledReport, Filter, Page, Record, Report, Store, Token,
};
use ringmaster::telemetry::Metrics;
use ringmaster::twilio::signature::{Key, Payload, SETTINGS_HEADER, SIGNATURE_HEADER, with_body_digest};
use ringmaster::twiml::{Document, Library, hangup};
use secrecy::SecretString;
use tower::ServiceExt as _;
use uuid::Uuid;

const PUBLIC: &str = "https://calls.example.com/ring";
const ACCOUNT: &str = "AC00000000000000000000000000000001";
const OTHER_ACCOUNT: &str = "AC00000000000000000000000000000002";
const CALL: &str = "CA00000000000000000000000000000001";
const LEG: &str = "CA00000000000000000000000000000002";
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

fn addresses() -> Addresses {
    Addresses::new(PUBLIC, &[7; 32])
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

struct House {
    router: Router,
    shelf: Arc<Shelf>,
    clock: Arc<ManualClock>,
    nudge: Arc<Nudge>,
    metrics: Arc<Metrics>,
}

fn house() -> House {
    furnished(None, None)
}

fn house_with((attempt, callback): (Attempt, Callback)) -> House {
    furnished(Some((attempt, callback)), None)
}

fn furnished(kept: Option<(Attempt, Callback)>, inbound_document: Option<&str>) -> House {
    let inner = Sqlite::in_memory().unwrap();
    if let Some((attempt, callback)) = kept {
        let mut ordered = callback.clone();
        ordered.version = 1;
        let order = Enqueue { callback: ordered, idempotency: None };
        inner.enqueue_callbacks(vec![order]).now_or_never().unwrap().unwrap();
        let batch = Batch { callbacks: vec![callback], attempts: vec![attempt], ..Batch::default() };
        inner.record(batch).now_or_never().unwrap().unwrap();
    }
    let shelf = Shelf { inner, full: AtomicBool::new(false), away: AtomicBool::new(false) };
    let shelf = Arc::new(shelf);
    let clock = Arc::new(ManualClock::new(at("2026-11-21T12:00:00Z")));
    let nudge = Arc::new(Nudge::default());
    let metrics = Arc::new(Metrics::default());
    let hooks = Hooks {
        store: shelf.clone(),
        clock: clock.clone(),
        directory: Arc::new(Directory::new([
            sender(SENDER, "main", inbound_document),
            sender(OTHER_SENDER, "other", None),
        ])),
        documents: Arc::new(Library::embedded()),
        addresses: Arc::new(addresses()),
        nudge: nudge.clone(),
        keys: Arc::new(HookKeys::new([
            (ACCOUNT.to_owned(), "main".into(), vec![token("current"), token("next"), shared()]),
            (OTHER_ACCOUNT.to_owned(), "other".into(), vec![token("theirs")]),
        ])),
        metrics: Some(metrics.clone()),
    };
    House { router: router(hooks), shelf, clock, nudge, metrics }
}

fn sender(number: &str, account: &str, inbound_document: Option<&str>) -> Sender {
    Sender {
        number: phone(number),
        account: account.into(),
        label: None,
        agent: Some(AgentTarget::Sip("sip:desk@pbx.example".to_owned())),
        workflow: Some(WORKFLOW.to_owned()),
        permission_request: None,
        permission_template: None,
        invite: None,
        concurrent_calls_max: None,
        callback_permission: CallbackPermission::Off,
        inbound_document: inbound_document.map(str::to_owned),
    }
}

/// A usual attempt with the document `message`, and its callback.
fn attempt() -> (Attempt, Callback) {
    let now = at("2026-11-21T11:59:00Z");
    let callback = CallbackId::new(Uuid::from_u128(6));
    let attempt = Attempt {
        id: attempt_id(),
        callback,
        number: 1,
        account: "main".into(),
        sender: phone(SENDER),
        consumer: phone(CONSUMER),
        order: LegOrder::ConsumerFirst,
        submission: Submission {
            stage: Stage::Accepted,
            intended_at: now,
            submitted_at: Some(now),
            answered_at: Some(now),
            sid: Some(CALL.to_owned()),
            error_code: None,
        },
        first_leg: CallProgress::Queued,
        second_leg: None,
        second_sid: None,
        connection: None,
        rang_at: None,
        connected_at: None,
        ended_at: None,
        duration_s: None,
        sip_code: None,
        news_due_at: None,
    };
    let order = Order {
        consumer: phone(CONSUMER),
        senders: vec![phone(SENDER)],
        earliest: now,
        latest: now + SignedDuration::from_hours(1),
        hours: None,
        priority: Priority::DEFAULT,
        document: "message".to_owned(),
        variables: BTreeMap::from([("message".to_owned(), "Ready <now> & here".to_owned())]),
        agent: None,
        attempts_max: 3,
        campaign: None,
        reference: None,
        metadata: None,
    };
    let callback = Callback {
        id: callback,
        version: 2,
        order,
        created_at: now,
        state: State::Calling { attempt: attempt_id() },
        attempts_opened: 1,
        attempts_made: 0,
        faults: 0,
        retry_at: None,
        invited_at: None,
        cancel_requested_at: None,
    };
    (attempt, callback)
}

/// One request, as Twilio would send it.
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

    /// With the host that a proxy would ask for, which is none of ours.
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

impl House {
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
        self.shelf.inner.unfolded_reports(100).now_or_never().unwrap().unwrap()
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

    /// Lets a request that waits for the store come to its end.
    async fn ask_while_time_passes(&self, request: Request<Body>) -> (StatusCode, String) {
        let time = async {
            for _ in 0..8 {
                tokio::task::yield_now().await;
                self.clock.advance(SignedDuration::from_secs(1));
            }
        };
        tokio::join!(self.ask(request), time).0
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

/// One request to every address, with what is kept of it.
fn every_door() -> Vec<(Knock<'static>, Event)> {
    let call = |sid: &str, parent: Option<&str>, progress| {
        Event::Call(CallReport {
            attempt: attempt_id(),
            sid: sid.to_owned(),
            parent_sid: parent.map(str::to_owned),
            progress,
            at: None,
            duration_s: None,
            sip_code: None,
            error_code: None,
        })
    };
    let inbound = |progress| Event::InboundCall {
        sender: phone(SENDER),
        consumer: phone(CONSUMER),
        sid: CALL.to_owned(),
        progress,
        duration_s: None,
    };
    let connected = |ended, leg: Option<&str>| {
        Event::Connected(ConnectionReport {
            attempt: attempt_id(),
            sid: CALL.to_owned(),
            leg_sid: leg.map(str::to_owned),
            ended,
            duration_s: None,
        })
    };
    let reply = [
        ("MessageType", "interactive"),
        ("Body", "VOICE_CALL_REQUEST"),
        ("ButtonText", "VOICE_CALL_REQUEST"),
        ("ButtonPayload", "REJECTED"),
    ];
    let leg = [("CallSid", LEG), ("ParentCallSid", CALL)];
    vec![
        (
            knock(path(Purpose::Document), &call_params("in-progress")),
            Event::DocumentFetched { attempt: attempt_id(), sid: CALL.to_owned() },
        ),
        (knock(path(Purpose::Status), &call_params("ringing")), call(CALL, None, CallProgress::Ringing)),
        (
            knock(path(Purpose::Leg), &with(call_params("busy"), &leg)),
            call(LEG, Some(CALL), CallProgress::Ended(Disposition::Busy)),
        ),
        (
            knock(
                path(Purpose::Action),
                &with(
                    call_params("in-progress"),
                    &[("DialCallStatus", "completed"), ("DialCallSid", LEG), ("DialBridged", "true")],
                ),
            ),
            connected(ConnectionEnd::Bridged, Some(LEG)),
        ),
        (
            knock(path(Purpose::Action), &with(call_params("completed"), &[("QueueResult", "hangup")])),
            connected(ConnectionEnd::LeftQueue, None),
        ),
        (
            knock(path(Purpose::Action), &with(call_params("in-progress"), &[("Digits", "1")])),
            call(CALL, None, CallProgress::InProgress),
        ),
        (
            knock("/hooks/messages", &message_params()),
            Event::InboundMessage {
                sender: phone(SENDER),
                consumer: phone(CONSUMER),
                external_user_id: None,
            },
        ),
        (
            knock("/hooks/messages", &with(message_params(), &reply)),
            Event::PermissionReply(PermissionReply {
                sender: phone(SENDER),
                consumer: phone(CONSUMER),
                answer: PermissionAnswer::Rejected,
                replied_to: None,
                automatic: false,
                external_user_id: None,
            }),
        ),
        (
            knock(message_path(), &status_params()),
            Event::Message(MessageReport {
                message: Some(message_id()),
                sid: MESSAGE.to_owned(),
                progress: MessageProgress::Delivered,
                error_code: None,
            }),
        ),
        (knock("/hooks/inbound", &inbound_params("ringing")), inbound(CallProgress::Ringing)),
        (
            knock("/hooks/inbound/status", &inbound_params("completed")),
            inbound(CallProgress::Ended(Disposition::Completed)),
        ),
        (
            knock(
                "/hooks/inbound/action",
                &with(inbound_params("in-progress"), &[("QueueResult", "bridged")]),
            ),
            inbound(CallProgress::InProgress),
        ),
    ]
}

#[tokio::test]
async fn every_report_is_kept_before_it_is_answered() {
    for (knock, event) in every_door() {
        let house = house();
        let (status, body) = house.ask(knock.post()).await;
        assert_eq!(house.events(), [event], "{}", knock.path);
        assert_eq!(house.reports()[0].received_at, house.clock.now());
        assert!(house.nudge.given().now_or_never().is_some(), "{}", knock.path);
        if knock.path.ends_with("status") || knock.path.ends_with("leg") {
            assert_eq!((status, body.as_str()), (StatusCode::NO_CONTENT, ""), "{}", knock.path);
        } else {
            assert_eq!(status, StatusCode::OK, "{}", knock.path);
            assert!(body.starts_with(r#"<?xml version="1.0" encoding="UTF-8"?><Response"#), "{body}");
        }
    }
}

#[tokio::test]
async fn verbs_that_have_ended_and_messages_are_answered_with_no_words() {
    for (knock, _) in every_door() {
        if knock.path.ends_with("action") || knock.path == "/hooks/messages" {
            let response = house().response(knock.post()).await;
            assert_eq!(response.headers()["content-type"], "text/xml; charset=utf-8");
            assert_eq!(house().ask(knock.post()).await.1, NOTHING, "{}", knock.path);
        }
    }
}

#[tokio::test]
async fn nothing_is_kept_without_the_right_signature() {
    for (knock, _) in every_door() {
        let house = house();
        let (status, body) = house.ask(knock.without_signature()).await;
        assert_eq!((status, body.as_str()), (StatusCode::BAD_REQUEST, ""), "{}", knock.path);
        let retired = knock.clone().signed_with(token("retired")).post();
        assert_eq!(house.ask(retired).await, (StatusCode::FORBIDDEN, String::new()), "{}", knock.path);
        // Of our other account, which this request does not name.
        let theirs = knock.clone().signed_with(token("theirs")).post();
        assert_eq!(house.ask(theirs).await.0, StatusCode::FORBIDDEN, "{}", knock.path);
        assert_eq!(house.events(), [], "{}", knock.path);
        assert!(house.nudge.given().now_or_never().is_none());
        let counts = house.metrics.encode();
        assert!(counts.contains("reason=\"unsigned\"} 1") && counts.contains("reason=\"signature\"} 2"));
    }
}

#[tokio::test]
async fn what_was_altered_on_its_way_is_refused() {
    let house = house();
    let honest = knock(path(Purpose::Status), &call_params("ringing"));
    let signed = |request: Request<Body>| request.headers()[SIGNATURE_HEADER].to_str().unwrap().to_owned();
    let signature = signed(honest.post());
    let form = "application/x-www-form-urlencoded";
    let altered_body = honest.encoded().replace("ringing", "completed");
    let altered = honest.unsigned("POST", &honest.path, form, altered_body, Some(&signature));
    assert_eq!(house.ask(altered).await.0, StatusCode::FORBIDDEN);
    let elsewhere = path(Purpose::Leg);
    let moved = honest.unsigned("POST", &elsewhere, form, honest.encoded(), Some(&signature));
    assert_eq!(house.ask(moved).await.0, StatusCode::FORBIDDEN);
    let longer = format!("{}?x=1", honest.path);
    let longer = honest.unsigned("POST", &longer, form, honest.encoded(), Some(&signature));
    assert_eq!(house.ask(longer).await.0, StatusCode::FORBIDDEN);
    let fetch = knock(path(Purpose::Document), &call_params("in-progress"));
    let signature = signed(fetch.get());
    let query = format!("{}?{}", fetch.path, fetch.encoded().replace("in-progress", "ringing"));
    let altered = fetch.unsigned("GET", &query, "", String::new(), Some(&signature));
    assert_eq!(house.ask(altered).await.0, StatusCode::FORBIDDEN);
    assert_eq!(house.events(), []);
}

#[tokio::test]
async fn both_tokens_and_the_shared_key_are_taken_while_keys_change() {
    let house = house();
    for (key, status) in
        [(token("current"), "initiated"), (token("next"), "ringing"), (shared(), "completed")]
    {
        let request = knock(path(Purpose::Status), &call_params(status)).signed_with(key).post();
        assert_eq!(house.ask(request).await.0, StatusCode::NO_CONTENT, "{status}");
    }
    assert_eq!(house.events().len(), 3);
    let unknown = Key::shared(Some("webhooks_sharedkey_2".into()), &SecretString::from("shared"));
    let request = knock(path(Purpose::Status), &call_params("busy")).signed_with(unknown).post();
    assert_eq!(house.ask(request).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_request_that_names_no_account_of_ours_is_refused() {
    let house = house();
    let stranger = with(call_params("ringing"), &[("AccountSid", "AC00000000000000000000000000000003")]);
    let nameless = &call_params("ringing")[1..];
    for params in [stranger.as_slice(), nameless] {
        let request = knock(path(Purpose::Status), params).post();
        assert_eq!(house.ask(request).await.0, StatusCode::FORBIDDEN);
    }
    assert_eq!(house.events(), []);
    house.counted("ringmaster_hooks_refused_total{kind=\"call_status\",reason=\"account\"} 2");
}

#[tokio::test]
async fn a_json_body_is_believed_by_its_digest() {
    let house = house();
    let body = format!(
        r#"{{"AccountSid":"{ACCOUNT}","CallSid":"{CALL}","From":"{SENDER}","To":"{CONSUMER}","CallStatus":"completed","CallDuration":12}}"#
    );
    let door = knock(path(Purpose::Status), &[]);
    let url = with_body_digest(&format!("{PUBLIC}{}", door.path), body.as_bytes());
    let signature = token("current").sign(&url, Payload::Raw(body.as_bytes()));
    let json = "application/json; charset=utf-8";
    let altered = body.replace("completed", "busy");
    let altered = door.unsigned("POST", &path_of(&url), json, altered, Some(&signature));
    assert_eq!(house.ask(altered).await.0, StatusCode::FORBIDDEN);
    assert_eq!(house.events(), []);
    let honest = door.unsigned("POST", &path_of(&url), json, body, Some(&signature));
    assert_eq!(house.ask(honest).await.0, StatusCode::NO_CONTENT);
    assert!(matches!(&house.events()[..], [Event::Call(report)] if report.duration_s == Some(12)));
}

#[tokio::test]
async fn forms_are_taken_in_any_spelling_of_their_type_and_no_other_type_is() {
    let door = knock(path(Purpose::Status), &call_params("ringing"));
    let signature = door.post().headers()[SIGNATURE_HEADER].to_str().unwrap().to_owned();
    for (media_type, expected) in [
        ("application/x-www-form-urlencoded; charset=UTF-8", StatusCode::NO_CONTENT),
        ("Application/X-WWW-Form-Urlencoded", StatusCode::NO_CONTENT),
        ("text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let house = house();
        let request = door.unsigned("POST", &door.path, media_type, door.encoded(), Some(&signature));
        assert_eq!(house.ask(request).await, (expected, String::new()), "{media_type}");
        assert_eq!(house.events().len(), usize::from(expected == StatusCode::NO_CONTENT));
    }
}

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_a_longer_one_is_not() {
    let house = house();
    let bare = knock(path(Purpose::Status), &with(call_params("ringing"), &[("Extra", "")])).encoded().len();
    for (length, expected) in [(65_536, StatusCode::NO_CONTENT), (65_537, StatusCode::PAYLOAD_TOO_LARGE)] {
        let extra = "x".repeat(length - bare);
        let params = with(call_params("ringing"), &[("Extra", &extra)]);
        let door = knock(path(Purpose::Status), &params);
        assert_eq!(door.encoded().len(), length);
        assert_eq!(house.ask(door.post()).await.0, expected, "{length}");
    }
}

#[tokio::test]
async fn a_repeated_delivery_is_kept_once() {
    let house = house();
    let progress = with(call_params("ringing"), &[("SequenceNumber", "1")]);
    let same_event =
        |token| knock(path(Purpose::Status), &progress).header("i-twilio-idempotency-token", token);
    assert_eq!(house.ask(same_event("a").post()).await.0, StatusCode::NO_CONTENT);
    assert!(house.nudge.given().now_or_never().is_some());
    assert_eq!(house.ask(same_event("b").post()).await.0, StatusCode::NO_CONTENT);
    assert!(house.nudge.given().now_or_never().is_none(), "nothing new, nobody wakes");
    assert_eq!(house.events().len(), 1);
    let message =
        |token| knock("/hooks/messages", &message_params()).header("i-twilio-idempotency-token", token);
    for (token, kept) in [("c", 2), ("c", 2), ("d", 3)] {
        assert_eq!(house.ask(message(token).post()).await.0, StatusCode::OK);
        assert_eq!(house.events().len(), kept, "{token}");
    }
    let plain = knock(message_path(), &status_params());
    for _ in 0..2 {
        assert_eq!(house.ask(plain.post()).await.0, StatusCode::NO_CONTENT);
        assert_eq!(house.events().len(), 4);
    }
}

#[tokio::test]
async fn reports_are_kept_in_the_order_of_their_arrival_whatever_they_say() {
    let house = house();
    for (sequence, status) in [("3", "completed"), ("0", "initiated"), ("2", "in-progress"), ("1", "ringing")]
    {
        let params = with(call_params(status), &[("SequenceNumber", sequence)]);
        assert_eq!(house.ask(knock(path(Purpose::Status), &params).post()).await.0, StatusCode::NO_CONTENT);
    }
    let ranks: Vec<u8> = house
        .events()
        .iter()
        .map(|event| match event {
            Event::Call(report) => report.progress.rank(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ranks, [4, 1, 3, 2]);
}

#[tokio::test]
async fn an_address_that_we_did_not_make_is_worthless() {
    let house = house_with(attempt());
    let forged = Addresses::new(PUBLIC, &[8; 32]);
    let forged = |purpose| path_of(&forged.attempt(attempt_id(), purpose));
    let params = call_params("in-progress");
    let (status, body) = house.ask(knock(forged(Purpose::Document), &params).post()).await;
    assert_eq!((status, body.as_str()), (StatusCode::OK, hangup()));
    house.refused("call_document", "token");
    for purpose in [Purpose::Status, Purpose::Leg] {
        assert_eq!(house.ask(knock(forged(purpose), &params).post()).await.0, StatusCode::NOT_FOUND);
    }
    assert_eq!(
        house.ask(knock(forged(Purpose::Action), &params).post()).await,
        (StatusCode::OK, NOTHING.into())
    );
    let attempts = path(Purpose::Status).replace("/calls/", "/messages/");
    assert_eq!(house.ask(knock(attempts, &status_params()).post()).await.0, StatusCode::NOT_FOUND);
    assert_eq!(house.events(), []);
}

#[tokio::test]
async fn a_sender_of_another_account_or_of_nobody_is_refused() {
    let nobody = "whatsapp:+551133336666";
    for foreign in [OTHER_SENDER, nobody] {
        for (path, params, ours) in [
            (path(Purpose::Status), call_params("ringing"), "From"),
            (message_path(), status_params(), "From"),
            ("/hooks/messages".to_owned(), message_params(), "To"),
            ("/hooks/inbound/status".to_owned(), inbound_params("completed"), "To"),
        ] {
            let house = house();
            let request = knock(path.clone(), &with(params, &[(ours, foreign)])).post();
            assert_eq!(house.ask(request).await, (StatusCode::FORBIDDEN, String::new()), "{path}");
            assert_eq!(house.events(), [], "{path}");
            assert!(house.metrics.encode().contains("reason=\"sender\"} 1"), "{path}");
        }
        let house = house();
        let request = knock("/hooks/inbound", &with(inbound_params("ringing"), &[("To", foreign)])).post();
        assert_eq!(house.ask(request).await, (StatusCode::OK, hangup().to_owned()), "a live call");
        assert_eq!(house.events(), []);
    }
}

#[tokio::test]
async fn the_call_of_an_agent_has_no_sender_at_its_ends() {
    let house = house();
    let params =
        with(call_params("ringing"), &[("From", "client:ringmaster"), ("To", "sip:desk@pbx.example")]);
    assert_eq!(house.ask(knock(path(Purpose::Status), &params).post()).await.0, StatusCode::NO_CONTENT);
    let leg =
        with(call_params("ringing"), &[("ParentCallSid", CALL), ("From", CONSUMER), ("To", "client:ana")]);
    assert_eq!(house.ask(knock(path(Purpose::Leg), &leg).post()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.events().len(), 2);
}

#[tokio::test]
async fn a_report_that_cannot_be_read_is_answered_and_not_kept() {
    for (path, params, kind) in [
        (path(Purpose::Status), call_params("bored"), "call_status"),
        (path(Purpose::Status), with(call_params("ringing"), &[("CallSid", "CA1")]), "call_status"),
        (path(Purpose::Leg), call_params("completed"), "call_leg"),
        (path(Purpose::Action), with(call_params("bored"), &[("Digits", "1")]), "call_action"),
        (message_path(), with(status_params(), &[("MessageStatus", "lost")]), "message_status"),
        ("/hooks/messages".into(), with(message_params(), &[("From", "whatsapp:ID.7")]), "message"),
        ("/hooks/inbound/status".into(), with(inbound_params("x"), &[]), "inbound_status"),
    ] {
        let house = house();
        let (status, body) = house.ask(knock(path.clone(), &params).post()).await;
        let expected = match kind {
            "message" | "call_action" => (StatusCode::OK, NOTHING),
            _ => (StatusCode::NO_CONTENT, ""),
        };
        assert_eq!((status, body.as_str()), expected, "{path}");
        assert_eq!(house.events(), [], "{path}");
        house.refused(kind, "unreadable");
    }
}

#[tokio::test]
async fn a_leg_of_a_consumers_call_does_not_pass_for_the_call() {
    let house = house();
    let leg =
        with(inbound_params("busy"), &[("ParentCallSid", CALL), ("CallSid", LEG), ("To", "client:ana")]);
    assert_eq!(house.ask(knock("/hooks/inbound/status", &leg).post()).await.0, StatusCode::NO_CONTENT);
    assert_eq!(house.events(), []);
}

#[tokio::test]
async fn the_document_of_an_attempt_is_filled_for_post_and_get() {
    for fetch in [Knock::post, Knock::get] {
        let house = house_with(attempt());
        let door = knock(path(Purpose::Document), &call_params("in-progress"));
        let response = house.response(fetch(&door)).await;
        assert_eq!(response.headers()["content-type"], "text/xml; charset=utf-8");
        let (status, body) = house.ask(fetch(&door)).await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.contains("<Say loop=\"2\">Ready &lt;now&gt; &amp; here</Say>"), "{body}");
        assert_eq!(house.events(), [Event::DocumentFetched { attempt: attempt_id(), sid: CALL.to_owned() }]);
    }
}

#[tokio::test]
async fn a_document_dials_our_own_addresses_and_the_agent_of_its_callback() {
    let house = {
        let (attempt, mut callback) = attempt();
        callback.order.document = "dial-client".to_owned();
        callback.order.agent = Some(AgentTarget::Client("ana".to_owned()));
        house_with((attempt, callback))
    };
    let (_, body) = house.ask(knock(path(Purpose::Document), &call_params("in-progress")).post()).await;
    for part in [
        format!("action=\"{}\"", addresses().attempt(attempt_id(), Purpose::Action)),
        format!("statusCallback=\"{}\"", addresses().attempt(attempt_id(), Purpose::Leg)),
        "<Identity>ana</Identity>".to_owned(),
    ] {
        assert!(body.contains(&part), "{part}\n{body}");
    }
}

#[tokio::test]
async fn the_sender_supplies_the_agent_and_the_workflow_that_the_callback_does_not() {
    let others = "WW00000000000000000000000000000002";
    for (name, variable, part) in [
        ("dial-sip", None, ">sip:desk@pbx.example</Sip>"),
        ("enqueue", None, WORKFLOW),
        ("enqueue", Some(others), others),
    ] {
        let (attempt, mut callback) = attempt();
        callback.order.document = name.to_owned();
        callback.order.variables =
            variable.map(|sid| ("workflow".to_owned(), sid.to_owned())).into_iter().collect();
        let house = house_with((attempt, callback));
        let (_, body) = house.ask(knock(path(Purpose::Document), &call_params("in-progress")).post()).await;
        assert!(body.contains(part), "{name}: {body}");
    }
}

#[tokio::test]
async fn a_live_call_without_a_document_is_hung_up() {
    type Spoil = fn(&mut Attempt, &mut Callback);
    let spoiled: [(Spoil, &str); 3] = [
        (|_, callback| callback.order.document = "gone".to_owned(), "document"),
        (|_, callback| callback.order.variables.clear(), "render"),
        (|attempt, _| attempt.account = "other".into(), "sender"),
    ];
    for (spoil, reason) in spoiled {
        let house = {
            let (mut attempt, mut callback) = attempt();
            spoil(&mut attempt, &mut callback);
            house_with((attempt, callback))
        };
        let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
        assert_eq!(house.ask(request).await, (StatusCode::OK, hangup().to_owned()), "{reason}");
        house.refused("call_document", reason);
    }
    let house = house();
    let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
    assert_eq!(house.ask(request).await, (StatusCode::OK, hangup().to_owned()));
    house.refused("call_document", "attempt");
    assert_eq!(house.events().len(), 1, "that it was asked for is kept all the same");
}

#[tokio::test]
async fn a_report_that_cannot_be_kept_is_answered_with_503() {
    for (door, _) in every_door() {
        if door.path.ends_with("status") || door.path.ends_with("leg") || door.path == "/hooks/messages" {
            let house = house();
            house.shelf.full.store(true, SeqCst);
            assert_eq!(house.ask(door.post()).await, (StatusCode::SERVICE_UNAVAILABLE, String::new()));
            assert!(house.nudge.given().now_or_never().is_none());
            house.shelf.full.store(false, SeqCst);
            assert!(house.ask(door.post()).await.0.is_success(), "the repetition is taken");
            assert_eq!(house.events().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_live_call_waits_a_little_for_the_store_and_is_then_hung_up() {
    let house = house_with(attempt());
    house.shelf.full.store(true, SeqCst);
    house.shelf.away.store(true, SeqCst);
    let request = knock(path(Purpose::Document), &call_params("in-progress")).post();
    assert_eq!(house.ask_while_time_passes(request).await, (StatusCode::OK, hangup().to_owned()));
    house.counted("ringmaster_hooks_refused_total{kind=\"call_document\",reason=\"store\"} 2");
}

#[tokio::test]
async fn a_live_call_is_served_by_a_store_that_comes_back_or_can_only_be_read() {
    let house = house_with(attempt());
    house.shelf.full.store(true, SeqCst);
    let door = knock(path(Purpose::Document), &call_params("in-progress"));
    let (status, body) = house.ask_while_time_passes(door.post()).await;
    assert!(status == StatusCode::OK && body.contains("Ready"), "{status} {body}");
    assert_eq!(house.events(), []);
    house.refused("call_document", "store");

    let recovery = async {
        tokio::task::yield_now().await;
        house.shelf.full.store(false, SeqCst);
        house.clock.advance(SignedDuration::from_secs(1));
    };
    let ((status, body), ()) = tokio::join!(house.ask(door.post()), recovery);
    assert!(status == StatusCode::OK && body.contains("Ready"), "{status} {body}");
    assert_eq!(house.events().len(), 1);
}

#[tokio::test]
async fn a_verb_that_ended_while_the_store_was_away_lets_the_call_go_on() {
    let house = house();
    house.shelf.full.store(true, SeqCst);
    let params = with(call_params("in-progress"), &[("DialCallStatus", "busy")]);
    let request = knock(path(Purpose::Action), &params).post();
    assert_eq!(house.ask_while_time_passes(request).await, (StatusCode::OK, NOTHING.to_owned()));
    house.refused("call_action", "store");
}

#[tokio::test]
async fn a_consumer_who_calls_hears_the_senders_document_or_the_usual_one() {
    let usual = Library::embedded();
    let plain = |document: &Document, body: &str| {
        let last = document.name() == "inbound-message";
        body.contains("Thank you for calling") && body.contains("<Hangup/>") == last
    };
    for (own, heard) in [
        (Some("inbound-message"), "inbound-message"),
        (None, "inbound"),
        (Some("gone"), "inbound"),
        (Some("message"), "inbound"),
    ] {
        for fetch in [Knock::post, Knock::get] {
            let house = furnished(None, own);
            let (status, body) = house.ask(fetch(&knock("/hooks/inbound", &inbound_params("ringing")))).await;
            assert_eq!(status, StatusCode::OK);
            assert!(plain(usual.document(heard).unwrap(), &body), "{own:?}: {body}");
        }
    }
    let house = house();
    house.shelf.full.store(true, SeqCst);
    let request = knock("/hooks/inbound", &inbound_params("ringing")).post();
    assert!(house.ask_while_time_passes(request).await.1.contains("Thank you"), "the store is not needed");
}

#[tokio::test]
async fn other_methods_and_paths_are_not_served() {
    let house = house();
    for (method, path, expected) in [
        ("PUT", path(Purpose::Document), StatusCode::METHOD_NOT_ALLOWED),
        ("GET", path(Purpose::Status), StatusCode::METHOD_NOT_ALLOWED),
        ("GET", "/hooks/messages".to_owned(), StatusCode::METHOD_NOT_ALLOWED),
        ("DELETE", "/hooks/inbound".to_owned(), StatusCode::METHOD_NOT_ALLOWED),
        ("POST", "/hooks/calls".to_owned(), StatusCode::NOT_FOUND),
        ("POST", format!("{}/", path(Purpose::Status)), StatusCode::NOT_FOUND),
        ("POST", path(Purpose::Status).replace("/status", "/other"), StatusCode::NOT_FOUND),
    ] {
        let request = knock("", &[]).unsigned(method, &path, "", String::new(), None);
        assert_eq!(house.ask(request).await.0, expected, "{method} {path}");
    }
}

/// The real store, which can be told to fail; only the verbs that hooks use get through.
struct Shelf {
    inner: Sqlite,
    /// Nothing can be written.
    full: AtomicBool,
    /// Nothing can be read.
    away: AtomicBool,
}

fn unavailable<T>() -> store::Result<T> {
    Err(store::Error::Unavailable("away".into()))
}

#[async_trait]
impl Store for Shelf {
    async fn append_reports(&self, reports: Vec<Report>) -> store::Result<Vec<bool>> {
        if self.full.load(SeqCst) { unavailable() } else { self.inner.append_reports(reports).await }
    }

    async fn attempt(&self, id: AttemptId) -> store::Result<Option<(Attempt, Callback)>> {
        if self.away.load(SeqCst) { unavailable() } else { self.inner.attempt(id).await }
    }

    async fn enqueue_callbacks(&self, _: Vec<Enqueue>) -> store::Result<Vec<Enqueued>> {
        unavailable()
    }
    async fn callback(&self, _: CallbackId) -> store::Result<Option<Record>> {
        unavailable()
    }
    async fn list_callbacks(&self, _: &Filter, _: &Page) -> store::Result<Vec<Callback>> {
        unavailable()
    }
    async fn timeline(&self, _: CallbackId) -> store::Result<Vec<Entry>> {
        unavailable()
    }
    async fn pair_timeline(&self, _: PairKey) -> store::Result<Vec<Entry>> {
        unavailable()
    }
    async fn amend_callback(&self, _: Callback, _: Vec<Entry>) -> store::Result<bool> {
        unavailable()
    }
    async fn unfolded_reports(&self, _: usize) -> store::Result<Vec<FiledReport>> {
        unavailable()
    }
    async fn due_callbacks(&self, _: Timestamp, _: usize) -> store::Result<Vec<Callback>> {
        unavailable()
    }
    async fn next_wake(&self) -> store::Result<Option<Timestamp>> {
        unavailable()
    }
    async fn callbacks_at_gate(&self, _: &Gate, _: usize) -> store::Result<Vec<Callback>> {
        unavailable()
    }
    async fn gates(&self) -> store::Result<Vec<Gate>> {
        unavailable()
    }
    async fn waiting_callbacks_to(&self, _: &[Phone]) -> store::Result<Vec<Callback>> {
        unavailable()
    }
    async fn pairs(&self, _: &[PairKey]) -> store::Result<Vec<Pair>> {
        unavailable()
    }
    async fn callbacks(&self, _: &[CallbackId]) -> store::Result<Vec<Callback>> {
        unavailable()
    }
    async fn attempts(&self, _: &[AttemptId]) -> store::Result<Vec<Attempt>> {
        unavailable()
    }
    async fn messages(&self, _: &[MessageId]) -> store::Result<Vec<Message>> {
        unavailable()
    }
    async fn message_by_sid(&self, _: &str) -> store::Result<Option<Message>> {
        unavailable()
    }
    async fn live_attempts(&self) -> store::Result<Vec<Attempt>> {
        unavailable()
    }
    async fn unsettled_messages(&self) -> store::Result<Vec<Message>> {
        unavailable()
    }
    async fn pairs_with_live_inbound(&self) -> store::Result<Vec<Pair>> {
        unavailable()
    }
    async fn record(&self, _: Batch) -> store::Result<()> {
        unavailable()
    }
    async fn create_token(&self, _: Token) -> store::Result<()> {
        unavailable()
    }
    async fn token_by_hash(&self, _: [u8; 32]) -> store::Result<Option<Token>> {
        unavailable()
    }
    async fn address_key(&self, _: [u8; 32]) -> store::Result<[u8; 32]> {
        unavailable()
    }
    async fn census(&self) -> store::Result<Census> {
        unavailable()
    }
}
