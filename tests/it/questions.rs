//! Lookups of unknown attempts: the requested lists, their order and their rate.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::harness::{CONSUMER, TestDaemon, message, to_alice};

/// A platform that loses every create request, and delays lookups until the test allows them.
struct Slow {
    asked: AtomicUsize,
    answers: Semaphore,
}

#[async_trait]
impl Transport for Slow {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method != http::Method::GET {
            return Err(TransportError::Lost("the line broke".into()));
        }
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.answers.acquire().await.unwrap().forget();
        Ok(Response::new(500, ""))
    }
}

/// A platform that loses every create, and has nothing in its lists.
#[derive(Default)]
struct Forgetful {
    /// The queries of the lists of calls.
    asked: Mutex<Vec<BTreeMap<String, String>>>,
}

#[async_trait]
impl Transport for Forgetful {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let url = url::Url::parse(&request.url).unwrap();
        if request.method != http::Method::GET {
            return Err(TransportError::Lost("the line broke".into()));
        }
        if url.path().ends_with("/Calls.json") {
            let query = url.query_pairs().into_owned().filter(|(name, _)| name != "PageSize").collect();
            self.asked.lock().unwrap().push(query);
        }
        Ok(Response::new(200, r#"{"calls": [], "messages": []}"#))
    }
}

/// A platform with similar calls to one agent; the answer to the second create is lost.
#[derive(Default)]
struct Exchange {
    calls: Mutex<Vec<String>>,
    /// The calls whose log was requested.
    looked_at: Mutex<Vec<String>>,
}

impl Exchange {
    fn place(&self) -> Result<Response, TransportError> {
        let mut calls = self.calls.lock().unwrap();
        let sid = format!("CA{:032x}", calls.len());
        calls.push(sid.clone());
        if calls.len() == 2 {
            return Err(TransportError::Lost("the line broke".into()));
        }
        Ok(Response::new(201, json!({"sid": sid, "status": "queued"}).to_string()))
    }

    fn list(&self) -> Value {
        let call =
            |sid| json!({"sid": sid, "status": "ringing", "date_created": "Mon, 23 Nov 2026 12:00:01 +0000"});
        json!({"calls": self.calls.lock().unwrap().iter().map(call).collect::<Vec<_>>()})
    }
}

#[async_trait]
impl Transport for Exchange {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let url = url::Url::parse(&request.url).unwrap();
        let (_, path) = url.path().rsplit_once("/Calls").unwrap();
        match path.strip_suffix("/Events.json") {
            _ if request.method == http::Method::POST => self.place(),
            Some(sid) => {
                self.looked_at.lock().unwrap().push(sid[1..].to_owned());
                Ok(Response::new(200, r#"{"events": []}"#))
            }
            None if path == ".json" => Ok(Response::new(200, self.list().to_string())),
            None => Ok(Response::new(404, "")),
        }
    }
}

#[tokio::test]
async fn many_unknown_calls_are_not_looked_up_at_once() {
    let slow = Arc::new(Slow { asked: AtomicUsize::new(0), answers: Semaphore::new(0) });
    let mut daemon = TestDaemon::open(slow.clone()).await;
    for consumer in 0..100 {
        daemon.order(&format!("+55119876{consumer:03}99"), message()).await;
    }
    daemon.advance(SignedDuration::ZERO).await;
    let mut asked_after = async |millis| {
        daemon.advance(SignedDuration::from_millis(millis)).await;
        slow.asked.load(Ordering::Relaxed)
    };
    assert_eq!(asked_after(60_000).await, 16, "lookups in a burst");
    assert_eq!(asked_after(500).await, 26, "then 20 a second");
    assert_eq!(asked_after(60_000).await, 32, "lookups in flight");
    slow.answers.add_permits(8);
    assert_eq!(asked_after(1_000).await, 40, "each answer makes room for one lookup");
}

/// The lists that a daemon requests for a call that it placed at 12:00 and that has no answer.
async fn lists_for(order: Value) -> Vec<BTreeMap<String, String>> {
    let platform = Arc::new(Forgetful::default());
    let mut daemon = TestDaemon::open(platform.clone()).await;
    daemon.grant(CONSUMER).await;
    daemon.order(CONSUMER, order).await;
    daemon.advance(SignedDuration::ZERO).await;
    daemon.advance(SignedDuration::from_secs(10)).await;
    platform.asked.lock().unwrap().clone()
}

fn query<const N: usize>(pairs: [(&str, &str); N]) -> BTreeMap<String, String> {
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

#[tokio::test]
async fn a_lost_call_to_a_consumer_is_searched_among_all_calls_of_the_pair() {
    let lists = lists_for(message()).await;
    assert_eq!(lists, [query([("From", "whatsapp:+551140000001"), ("To", "whatsapp:+5511987650012")])]);
}

#[tokio::test]
async fn a_lost_call_to_an_agent_is_searched_among_queued_calls_and_calls_that_started_later() {
    let lists = lists_for(to_alice()).await;
    let ends = [("From", "client:ringmaster"), ("To", "client:alice")];
    let [from, to] = ends;
    assert_eq!(
        lists,
        [query([from, to, ("Status", "queued")]), query([from, to, ("StartTime>", "2026-11-23T11:59:30Z")])]
    );
}

#[tokio::test]
async fn calls_of_other_attempts_are_not_examined() {
    let exchange = Arc::new(Exchange::default());
    let mut daemon = TestDaemon::open(exchange.clone()).await;
    for consumer in ["+5511987650012", "+5511987650112", "+5511987650212"] {
        daemon.grant(consumer).await;
        daemon.order(consumer, to_alice()).await;
    }
    for _ in 0..13 {
        daemon.advance(SignedDuration::from_secs(1)).await;
    }
    let calls = exchange.calls.lock().unwrap();
    assert_eq!(calls.len(), 3);
    assert_eq!(*exchange.looked_at.lock().unwrap(), [calls[1].as_str()]);
}
