//! Customer webhooks over real sockets: an endpoint on loopback verifies them with its own implementation of the
//! specification.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::{Clock as _, ManualClock};
use ringmaster::metrics::Metrics;
use ringmaster::store::relational::{Access, SqlStore};
use ringmaster::store::{Batch, Outbox as _, OutboxRow, Settled, Store};
use ringmaster::traces::Traces;
use ringmaster::webhooks::guard::{Guard, Subnet};
use ringmaster::webhooks::retry_policy::Answer;
use ringmaster::webhooks::sign::Signer;
use ringmaster::webhooks::{Dispatcher, Endpoint, EndpointConfig, HttpSender};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::store::samples::{at, callback, callback_id, keep, told};

mod daemon;
mod traced;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEXT_SECRET: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const CALLING: &str = "callback.calling";
const CLOSED: &str = "callback.closed";

/// One request as the sink saw it.
#[derive(Debug)]
struct Seen {
    path: String,
    headers: HeaderMap,
    body: String,
}

enum Reply {
    Status(u16),
    RetryAfter(u16, &'static str),
    /// Never answers.
    Silence,
}

/// An endpoint of a customer, which accepts everything by default.
struct Sink {
    url: Url,
    seen: mpsc::UnboundedReceiver<Seen>,
    /// The number of requests taken out of `seen`.
    shown: u64,
    script: Script,
}

/// The next replies to a delivery, by its id.
type Script = Arc<Mutex<HashMap<String, VecDeque<Reply>>>>;

/// The key of the script by which all deliveries are answered with 410.
const GONE: &str = "gone";

impl Sink {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap()).parse().unwrap();
        let (tell, seen) = mpsc::unbounded_channel();
        let script = Script::default();
        let app = Router::new().fallback(reply).with_state((tell, script.clone()));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, seen, shown: 0, script }
    }

    /// The next replies to the delivery `n`.
    fn will(&self, n: u32, replies: impl IntoIterator<Item = Reply>) {
        self.script.lock().unwrap().entry(id(n)).or_default().extend(replies);
    }

    fn gone(&self) {
        self.script.lock().unwrap().insert(GONE.into(), VecDeque::new());
    }

    fn back(&self) {
        self.script.lock().unwrap().remove(GONE);
    }

    async fn next(&mut self) -> Seen {
        let seen = soon(self.seen.recv()).await.unwrap();
        self.shown += 1;
        seen
    }

    async fn next_id(&mut self) -> String {
        self.next().await.header("webhook-id").to_owned()
    }
}

async fn reply(
    State((tell, script)): State<(mpsc::UnboundedSender<Seen>, Script)>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let seen = Seen { path: uri.path().to_owned(), headers, body: String::from_utf8(body.to_vec()).unwrap() };
    let next = match &mut *script.lock().unwrap() {
        script if script.contains_key(GONE) => Some(Reply::Status(410)),
        script => script.get_mut(seen.header("webhook-id")).and_then(VecDeque::pop_front),
    };
    tell.send(seen).unwrap();
    let status = |code: u16| StatusCode::from_u16(code).unwrap();
    match next {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(Reply::Status(code @ 300..=399)) => (status(code), [("location", "/elsewhere")]).into_response(),
        Some(Reply::Status(code)) => status(code).into_response(),
        Some(Reply::RetryAfter(code, wait)) => (status(code), [("retry-after", wait)]).into_response(),
        Some(Reply::Silence) => std::future::pending().await,
    }
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Verifies as the specification describes it, without a library.
    fn verifies(&self, secret: &str) -> bool {
        let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let text = [self.header("webhook-id"), self.header("webhook-timestamp"), &self.body].join(".");
        let expected = STANDARD.encode(hmac_sha256(&key, text.as_bytes()));
        self.header("webhook-signature")
            .split(' ')
            .filter_map(|signature| signature.strip_prefix("v1,"))
            .any(|signature| signature == expected)
    }
}

/// RFC 2104, with a key no longer than a block.
fn hmac_sha256(key: &[u8], text: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let pad = |byte: u8| block.map(|key| key ^ byte);
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

fn id(n: u32) -> String {
    told(n, 1, CLOSED).id.to_string()
}

fn loopback() -> Guard {
    Guard::new([Subnet::new("127.0.0.0".parse().unwrap(), 8), Subnet::new("::1".parse().unwrap(), 128)])
}

fn sender_to(url: &Url, guard: Guard, request_timeout: Duration) -> HttpSender {
    let signer = Signer::new([SECRET, NEXT_SECRET]).unwrap();
    let connect_timeout = Duration::from_secs(30);
    HttpSender::new(EndpointConfig { url: url.clone(), signer, guard, connect_timeout, request_timeout })
        .unwrap()
}

/// A dispatcher at work on a store, for one sink.
struct Post {
    sink: Sink,
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    endpoint: Arc<Endpoint>,
    shutdown: CancellationToken,
    dispatcher: JoinHandle<()>,
}

impl Post {
    /// With the callbacks 1 and 2, and these rows of the outbox.
    async fn open(rows: Vec<OutboxRow>, replies: impl IntoIterator<Item = (u32, Reply)>) -> Self {
        Self::with_timeout(rows, replies, Duration::from_secs(30)).await
    }

    async fn with_timeout(
        rows: Vec<OutboxRow>,
        replies: impl IntoIterator<Item = (u32, Reply)>,
        timeout: Duration,
    ) -> Self {
        let store: Arc<dyn Store> = Arc::new(SqlStore::in_memory().unwrap());
        keep(&*store, [callback(1), callback(2)]).await;
        store.record(Batch { outbox: rows, ..Batch::default() }).await.unwrap();
        let sink = Sink::open().await;
        replies.into_iter().for_each(|(n, reply)| sink.will(n, [reply]));
        Self::work(sink, store, timeout)
    }

    fn work(sink: Sink, store: Arc<dyn Store>, timeout: Duration) -> Self {
        Self::traced(sink, store, timeout, Traces::default())
    }

    fn traced(sink: Sink, store: Arc<dyn Store>, timeout: Duration, traces: Traces) -> Self {
        let clock = Arc::new(ManualClock::new(at(10)));
        let endpoint = Arc::new(Endpoint::default());
        let shutdown = CancellationToken::new();
        let dispatcher = Dispatcher {
            store: store.clone(),
            clock: clock.clone(),
            metrics: Arc::new(Metrics::default()),
            endpoint: endpoint.clone(),
            sender: Arc::new(sender_to(&sink.url, loopback(), timeout)),
            traces,
            records: store.clone(),
            in_flight_max: 4,
            claim_for: SignedDuration::from_secs(45),
            give_up_after: SignedDuration::from_hours(72),
        };
        let dispatcher = tokio::spawn(dispatcher.run(shutdown.clone()));
        Self { sink, store, clock, endpoint, shutdown, dispatcher }
    }

    async fn waiting(&self) -> u64 {
        self.store.backlog().await.unwrap().waiting
    }

    /// Ends when this many rows wait.
    async fn until_waiting(&self, rows: u64) {
        let mut recorded = self.endpoint.recorded();
        while self.waiting().await != rows {
            soon(recorded.changed()).await.unwrap();
        }
    }

    /// The time of the next try, when every request that the sink has shown is recorded.
    async fn next_try(&self) -> Timestamp {
        let shown = self.sink.shown;
        soon(self.endpoint.recorded().wait_for(|&recorded| recorded >= shown)).await.unwrap();
        self.store.next_delivery(self.clock.now()).await.unwrap().expect("a failed try has a next one")
    }

    async fn until_disabled(&self) {
        let mut recorded = self.endpoint.recorded();
        while self.endpoint.standing().disabled.is_none() {
            soon(recorded.changed()).await.unwrap();
        }
    }

    /// Stops the dispatcher, which finishes the deliveries in progress.
    async fn close(self) -> (Sink, Arc<dyn Store>) {
        self.shutdown.cancel();
        self.dispatcher.await.unwrap();
        (self.sink, self.store)
    }
}

/// Fails the test if `what` does not finish.
async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it happens within 20 s")
}

fn between(at: Timestamp, start: Timestamp, from: i64, to: i64) -> bool {
    let wait = at.duration_since(start);
    (SignedDuration::from_secs(from)..=SignedDuration::from_secs(to)).contains(&wait)
}

#[tokio::test]
async fn a_delivery_verifies_with_either_secret_and_with_no_other() {
    let mut post = Post::open(vec![told(1, 1, CLOSED)], []).await;
    let seen = post.sink.next().await;
    assert_eq!(seen.header("webhook-id"), id(1));
    assert_eq!(seen.header("webhook-timestamp"), at(10).as_second().to_string());
    assert_eq!(seen.header("content-type"), "application/json");
    assert_eq!(seen.body, told(1, 1, CLOSED).payload);
    assert!(seen.verifies(SECRET) && seen.verifies(NEXT_SECRET), "{seen:?}");
    assert!(!seen.verifies("whsec_CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk="));
    post.until_waiting(0).await;
}

#[tokio::test]
async fn a_failed_delivery_is_tried_again_and_the_next_of_its_callback_waits() {
    let rows = vec![told(1, 1, CALLING), told(2, 1, CLOSED), told(3, 2, CLOSED)];
    let mut post = Post::open(rows, [(1, Reply::Status(500)), (1, Reply::Status(404))]).await;
    let mut first = [post.sink.next_id().await, post.sink.next_id().await];
    first.sort_unstable();
    assert_eq!(first, [id(1), id(3)]);
    let start = post.clock.now();
    let again = post.next_try().await;
    assert!(between(again, start, 5, 6), "{again}");
    post.clock.set(again);
    assert_eq!(post.sink.next_id().await, id(1));
    let later = post.next_try().await;
    assert!(between(later, again, 30, 36), "{later}");
    post.clock.set(later);
    assert_eq!([post.sink.next_id().await, post.sink.next_id().await], [id(1), id(2)]);
    post.until_waiting(0).await;
}

#[tokio::test]
async fn an_endpoint_that_never_answers_is_not_waited_for() {
    let timeout = Duration::from_millis(50);
    let mut post = Post::with_timeout(vec![told(1, 1, CLOSED)], [(1, Reply::Silence)], timeout).await;
    assert_eq!(post.sink.next_id().await, id(1));
    let again = post.next_try().await;
    assert_eq!(post.endpoint.standing().last_failure.as_deref(), Some("timeout"));
    post.clock.set(again);
    assert_eq!(post.sink.next_id().await, id(1));
}

#[tokio::test]
async fn a_retry_after_of_the_endpoint_pauses_all_deliveries() {
    let mut post = Post::open(vec![told(1, 1, CLOSED)], [(1, Reply::RetryAfter(429, "600"))]).await;
    assert_eq!(post.sink.next_id().await, id(1));
    let again = post.next_try().await;
    assert_eq!(again, at(610));
    assert_eq!(post.endpoint.standing().resting_until, Some(at(610)));
    let second = Batch { outbox: vec![told(2, 2, CLOSED)], ..Batch::default() };
    post.store.record(second).await.unwrap();
    post.endpoint.wake();
    post.clock.set(at(610));
    // Nothing arrived during the pause.
    for _ in 0..2 {
        assert_eq!(post.sink.next().await.header("webhook-timestamp"), at(610).as_second().to_string());
    }
}

#[tokio::test]
async fn an_endpoint_that_answers_410_gets_nothing_until_it_is_enabled() {
    let rows = vec![told(1, 1, CALLING), told(2, 1, CLOSED)];
    let mut post = Post::open(rows, [(1, Reply::Status(410))]).await;
    assert_eq!(post.sink.next_id().await, id(1));
    post.until_disabled().await;
    post.clock.advance(SignedDuration::from_hours(240));
    post.endpoint.enable();
    assert_eq!([post.sink.next_id().await, post.sink.next_id().await], [id(1), id(2)]);
    post.until_waiting(0).await;
}

#[tokio::test]
async fn an_endpoint_that_accepts_nothing_for_days_is_disabled_and_no_delivery_is_lost() {
    let replies = (0..40).map(|_| (1, Reply::Status(500)));
    let mut post = Post::open(vec![told(1, 1, CLOSED)], replies).await;
    let mut tries = 0;
    let end = at(10) + SignedDuration::from_hours(72);
    loop {
        post.sink.next_id().await;
        tries += 1;
        if post.clock.now() >= end {
            break;
        }
        let again = post.next_try().await;
        post.clock.set(again);
    }
    post.until_disabled().await;
    assert!((12..=14).contains(&tries), "{tries}");
    assert_eq!(post.waiting().await, 1);
}

#[tokio::test]
async fn a_replay_sends_the_same_again() {
    let mut post = Post::open(vec![told(1, 1, CALLING), told(2, 1, CLOSED)], []).await;
    let first = [post.sink.next().await.body, post.sink.next().await.body];
    post.until_waiting(0).await;
    let rows = post.store.replay_deliveries(callback_id(1), post.clock.now()).await.unwrap();
    post.endpoint.wake();
    assert_eq!(rows, 2);
    assert_eq!([post.sink.next().await.body, post.sink.next().await.body], first);
    post.until_waiting(0).await;
}

#[tokio::test]
async fn a_delivery_whose_answer_was_lost_in_a_crash_is_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ringmaster.db");
    let store: Arc<dyn Store> = Arc::new(SqlStore::open(&path, Access::Exclusive).unwrap());
    keep(&*store, [callback(1)]).await;
    store.record(Batch { outbox: vec![told(1, 1, CLOSED)], ..Batch::default() }).await.unwrap();
    let sink = Sink::open().await;
    sink.will(1, [Reply::Silence]);
    let mut post = Post::work(sink, store, Duration::from_secs(30));
    let first = post.sink.next().await;
    post.dispatcher.abort();
    assert!(post.dispatcher.await.unwrap_err().is_cancelled());
    drop(post.store);

    let store = Arc::new(SqlStore::open(&path, Access::Exclusive).unwrap());
    store.void_claims().await.unwrap();
    let mut post = Post::work(post.sink, store, Duration::from_secs(30));
    let second = post.sink.next().await;
    assert_eq!((second.header("webhook-id"), second.body.as_str()), (&*id(1), &*first.body));
    post.until_waiting(0).await;
    post.close().await;
}

#[tokio::test]
async fn a_stop_waits_for_the_delivery_in_progress_and_records_it() {
    let mut post = Post::open(vec![told(1, 1, CLOSED)], []).await;
    post.sink.next().await;
    let (_, store) = post.close().await;
    assert_eq!(store.backlog().await.unwrap().waiting, 0);
}

#[tokio::test]
async fn loopback_is_refused_by_number_and_by_name_unless_it_is_allowed() {
    let mut sink = Sink::open().await;
    let mut named = sink.url.clone();
    named.set_host(Some("localhost")).unwrap();
    let row = told(1, 1, CLOSED);
    let urls = [sink.url.clone(), named];
    for url in &urls {
        let refused = sender_to(url, Guard::default(), Duration::from_secs(30));
        assert_eq!(refused.deliver(&row, at(1), None).await, Answer::None("address_refused"), "{url}");
    }
    assert!(sink.seen.try_recv().is_err());
    for url in &urls {
        let allowed = sender_to(url, loopback(), Duration::from_secs(30));
        let taken = Answer::Status { code: 204, retry_after: None };
        assert_eq!(allowed.deliver(&row, at(1), None).await, taken, "{url}");
        sink.next().await;
    }
    // An allowed name does not allow its address itself.
    let by_name =
        |url| sender_to(url, Guard::default().with_hosts(["localhost".to_owned()]), Duration::from_secs(30));
    assert_eq!(by_name(&urls[0]).deliver(&row, at(1), None).await, Answer::None("address_refused"));
    let taken = Answer::Status { code: 204, retry_after: None };
    assert_eq!(by_name(&urls[1]).deliver(&row, at(1), None).await, taken);
    sink.next().await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut sink = Sink::open().await;
    sink.will(1, [Reply::Status(307)]);
    let sender = sender_to(&sink.url, loopback(), Duration::from_secs(30));
    let answer = sender.deliver(&told(1, 1, CLOSED), at(1), None).await;
    assert_eq!(answer, Answer::Status { code: 307, retry_after: None });
    assert_eq!(sink.next().await.path, "/hook");
    assert!(sink.seen.try_recv().is_err());
}
