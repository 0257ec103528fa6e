//! A cancellation while the phone rings: the hang-up is sent until the platform has accepted it (case 08).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use ringmaster::twilio::{Request, Response, Transport, TransportError};
use serde_json::json;

use crate::harness::{CONSUMER, TestDaemon, message, to_alice};

const OVERLOADED: &str = include_str!("../cases/08-cancel-hangup-lost/answer-503.txt");
const NOT_RINGING: &str = r#"{"code": 21220, "message": "Call is not in-progress. Cannot redirect."}"#;
const CALL: &str = "CA00000000000000000000000000000001";

/// A platform on which every call rings. It answers requests to hang up from a list, and repeats the last answer.
struct Ringing {
    answers: Mutex<VecDeque<(u16, &'static str)>>,
    hang_ups: Mutex<u32>,
}

impl Ringing {
    fn that_answers<const N: usize>(answers: [(u16, &'static str); N]) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into()), hang_ups: Mutex::new(0) })
    }

    fn hang_ups(&self) -> u32 {
        *self.hang_ups.lock().unwrap()
    }
}

#[async_trait]
impl Transport for Ringing {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        let call = json!({"sid": CALL, "status": "ringing"}).to_string();
        if request.method == http::Method::GET {
            return Ok(Response::new(200, call));
        }
        if request.url.ends_with("/Calls.json") {
            return Ok(Response::new(201, call));
        }
        *self.hang_ups.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().copied() };
        let (status, body) = answer.unwrap();
        Ok(Response::new(status, body))
    }
}

/// A daemon with a ringing call, and the path that cancels it.
async fn ringing(platform: &Arc<Ringing>, order: serde_json::Value) -> (TestDaemon, String) {
    let mut daemon = TestDaemon::open(platform.clone()).await;
    daemon.grant(CONSUMER).await;
    let id = daemon.order(CONSUMER, order).await["id"].as_str().unwrap().to_owned();
    daemon.advance(SignedDuration::ZERO).await;
    daemon.advance(SignedDuration::from_secs(5)).await;
    assert_eq!(platform.hang_ups(), 0);
    (daemon, format!("/v1/callbacks/{id}/cancel"))
}

#[tokio::test]
async fn a_hang_up_without_an_answer_is_sent_eight_times_in_two_minutes() {
    for order in [message(), to_alice()] {
        let platform = Ringing::that_answers([(503, OVERLOADED), (429, r#"{"code": 20429}"#)]);
        let (mut daemon, cancel) = ringing(&platform, order).await;
        daemon.post(&cancel, json!({})).await;
        daemon.advance(SignedDuration::ZERO).await;
        let mut sent = vec![(0, platform.hang_ups())];
        for second in 1..=200 {
            daemon.advance(SignedDuration::from_secs(1)).await;
            if platform.hang_ups() > sent[sent.len() - 1].1 {
                sent.push((second, platform.hang_ups()));
            }
        }
        assert_eq!(sent, [(0, 1), (1, 2), (3, 3), (7, 4), (15, 5), (30, 6), (60, 7), (120, 8)]);
    }
}

#[tokio::test]
async fn a_hang_up_that_was_accepted_or_refused_is_not_repeated_until_the_customer_cancels_again() {
    let taken = r#"{"sid": "CA00000000000000000000000000000001", "status": "canceled"}"#;
    for answer in [(200, taken), (400, NOT_RINGING)] {
        let platform = Ringing::that_answers([(503, OVERLOADED), answer]);
        let (mut daemon, cancel) = ringing(&platform, message()).await;
        daemon.post(&cancel, json!({})).await;
        daemon.advance(SignedDuration::ZERO).await;
        daemon.advance(SignedDuration::from_secs(1)).await;
        assert_eq!(platform.hang_ups(), 2);
        daemon.advance(SignedDuration::from_secs(20)).await;
        assert_eq!(platform.hang_ups(), 2, "{answer:?}");
        daemon.post(&cancel, json!({})).await;
        daemon.advance(SignedDuration::ZERO).await;
        assert_eq!(platform.hang_ups(), 3, "{answer:?}");
    }
}

#[tokio::test]
async fn a_restart_continues_the_tries_of_a_hang_up() {
    let platform = Ringing::that_answers([(503, OVERLOADED)]);
    let (mut daemon, cancel) = ringing(&platform, message()).await;
    daemon.post(&cancel, json!({})).await;
    for expected in [1, 2, 2, 3, 3, 3, 3, 4] {
        daemon.advance(SignedDuration::ZERO).await;
        assert_eq!(platform.hang_ups(), expected);
        daemon = daemon.restart(platform.clone()).await;
        daemon.advance(SignedDuration::from_secs(1)).await;
    }
}
