//! The sources of pools: a URL of the customer, and what becomes of an answer or a failure.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Redirect;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use ringmaster::clock::{Clock as _, ManualClock};
use ringmaster::domain::{Event, Figure, PoolAct};
use ringmaster::ids::IdGenerator;
use ringmaster::platform::seats::{SeatSource, Told, Unread};
use ringmaster::pools::{Course, Feeder, UrlSource};
use ringmaster::store::Turns as _;
use ringmaster::store::relational::SqlStore;
use ringmaster::wake::Waker;
use ringmaster::webhooks::guard::{Guard, Subnet};
use ringmaster::webhooks::{HttpReader, ReaderConfig};

const START: &str = "2026-11-23T12:00:00Z";

fn start() -> Timestamp {
    START.parse().unwrap()
}

/// A customer's server; returns its base URL.
async fn server() -> String {
    let figure = async |headers: HeaderMap| {
        let sent = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
        match sent {
            "Bearer hush" => (StatusCode::OK, r#"{"seats": 4, "valid_for": 30}"#),
            _ => (StatusCode::UNAUTHORIZED, ""),
        }
    };
    let router = Router::new()
        .route("/figure", get(figure))
        .route("/moved", get(async || Redirect::temporary("/figure")))
        .route("/long", get(async || "x".repeat(20_000)))
        .route("/never", get(async || std::future::pending::<()>().await));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    format!("http://{address}")
}

async fn read(url: &str, secret: Option<&str>, guard: Guard) -> Result<Told, String> {
    let reader = HttpReader::new(ReaderConfig {
        url: url.parse().unwrap(),
        secret: secret.map(|secret| secret.to_owned().into()),
        guard,
        timeout: Duration::from_millis(500),
    });
    let clock = Arc::new(ManualClock::new(start()));
    let source = UrlSource { pool: "default/support".parse().unwrap(), reader: reader.unwrap(), clock };
    source.read(start()).await.map_err(|unread| unread.to_string())
}

fn local() -> Guard {
    Guard::new([Subnet::new("127.0.0.1".parse().unwrap(), 32)])
}

#[tokio::test]
async fn a_url_is_asked_with_the_secret_and_answers_with_a_figure() {
    let base = server().await;
    let told = read(&format!("{base}/figure"), Some("hush"), local()).await.unwrap();
    assert_eq!((told.figure, told.as_of), (Figure::Seats(4), start()));
    assert_eq!(told.valid_until, start() + SignedDuration::from_secs(30));
}

#[tokio::test]
async fn every_failure_of_a_url_is_named_without_the_url() {
    let base = server().await;
    for (path, guard, why) in [
        ("/figure", local(), "status 401"),
        ("/nowhere", local(), "status 404"),
        ("/moved", local(), "status 307"),
        ("/long", local(), "more than 16384 bytes"),
        ("/never", local(), "in time"),
        ("/figure", Guard::default(), "not public"),
    ] {
        let failed = read(&format!("{base}{path}"), None, guard).await.unwrap_err();
        assert!(failed.contains(why) && !failed.contains("127.0.0.1"), "{path}: {failed}");
    }
    let closed = read("http://127.0.0.1:1/figure", None, local()).await.unwrap_err();
    assert!(closed.contains("cannot be reached"), "{closed}");
}

/// Answers one after the other.
struct Answers(Mutex<VecDeque<Result<Told, Unread>>>);

#[async_trait]
impl SeatSource for Answers {
    async fn read(&self, _: Timestamp) -> Result<Told, Unread> {
        let next = self.0.lock().unwrap().pop_front();
        match next {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

fn told(as_of: i64, valid_until: i64) -> Told {
    let at = |second: i64| start() + SignedDuration::from_secs(second);
    let (as_of, valid_until) = (at(as_of), at(valid_until));
    Told { figure: Figure::Free(2), as_of, valid_until, headroom: None, wrap_up: None }
}

#[tokio::test]
async fn a_failure_ends_the_figure_once_and_the_next_answer_feeds_the_pool_again() {
    let failure = || Err(Unread::because("the URL answered with status 500"));
    let answers = [
        Ok(told(0, 30)),
        failure(),
        failure(),
        Ok(Told { headroom: Some(5), ..told(-5, 30) }),
        // Of another time: in the future, and over.
        Ok(told(1, 30)),
        Ok(told(-60, 0)),
        Ok(told(0, 1)),
    ];
    let store = Arc::new(SqlStore::in_memory().unwrap());
    let clock = Arc::new(ManualClock::new(start()));
    let feeder = Feeder {
        pool: "default/support".parse().unwrap(),
        by: "url".into(),
        source: Arc::new(Answers(Mutex::new(answers.into()))),
        every: SignedDuration::from_secs(10),
        timeout: Duration::from_millis(50),
        headroom: 1,
        wrap_up: SignedDuration::from_secs(20),
        store: store.clone(),
        clock: clock.clone(),
        ids: Arc::new(IdGenerator::seeded(1)),
        waker: Arc::new(Waker::default()),
    };
    let mut course = Course::default();
    for _ in 0..8 {
        feeder.feed(&mut course).await;
    }
    let filed = store.unfolded_reports(100).await.unwrap();
    let acts: Vec<PoolAct> = filed
        .into_iter()
        .map(|report| match report.event {
            Event::Pool(command) => command.act,
            other => panic!("{other:?}"),
        })
        .collect();
    let feed = |told: Told, headroom| PoolAct::Feed {
        figure: told.figure,
        as_of: told.as_of,
        valid_until: told.valid_until,
        headroom,
        wrap_up: SignedDuration::from_secs(20),
    };
    let fail = |why: &str| PoolAct::Fail { why: why.into() };
    let expected = [
        feed(told(0, 30), 1),
        fail("the URL answered with status 500"),
        feed(told(-5, 30), 5),
        fail("its figure is of another time"),
        feed(told(0, 1), 1),
        fail("it did not answer in time"),
    ];
    assert_eq!(acts, expected);
    assert_eq!(clock.now(), start());
}
