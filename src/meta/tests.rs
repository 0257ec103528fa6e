//! Tests of the client, against a transport that records requests.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::*;
use crate::domain::{Answer, ErrorCode, Issuer};
use crate::platform::Health;
use crate::transport::{Body, Request, Response, Transport, TransportError};

/// Records requests and gives prepared answers.
#[derive(Default)]
pub(super) struct Recorder {
    pub requests: Mutex<Vec<Request>>,
    pub answers: Mutex<VecDeque<Result<Response, TransportError>>>,
}

impl Recorder {
    pub(super) fn answering(answer: Result<Response, TransportError>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new([answer].into()), ..Self::default() })
    }

    pub(super) fn body(&self) -> Value {
        match &self.requests.lock().unwrap()[0].body {
            Body::Json(bytes) => serde_json::from_slice(bytes).unwrap(),
            other => panic!("{other:?} is no JSON"),
        }
    }
}

#[async_trait]
impl Transport for Recorder {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        self.requests.lock().unwrap().push(request);
        self.answers.lock().unwrap().pop_front().expect("one answer for each request")
    }
}

pub(super) fn graph(transport: Arc<Recorder>) -> Graph {
    Graph::new(transport, GraphAccount::new(graph::URL, graph::VERSION, "EAAJB"))
}

fn error(status: u16, code: u32) -> Response {
    Response::new(status, json!({"error": {"message": "no", "code": code}}).to_string())
}

async fn created(answer: Result<Response, TransportError>) -> Created<String> {
    let recorder = Recorder::answering(answer);
    let accept = |body: &[u8]| (!body.is_empty()).then(|| String::from_utf8_lossy(body).into_owned());
    let created = graph(recorder.clone()).create("1/messages", &json!({}), accept).await;
    assert_eq!(recorder.requests.lock().unwrap().len(), 1, "it is sent once");
    created
}

fn name(created: &Created<String>) -> &'static str {
    match created {
        Created::Accepted(_) => "accepted",
        Created::Refused(_) => "refused",
        Created::Throttled { .. } => "throttled",
        Created::NotSent(_) => "not sent",
        Created::TooLate => "too late",
        Created::Unknown(_) => "unknown",
    }
}

#[tokio::test]
async fn a_request_has_the_version_the_path_and_the_token() {
    let recorder = Recorder::answering(Ok(Response::new(200, "{}")));
    graph(recorder.clone()).change::<Value>("1/x", &json!({"a": 1})).await.unwrap();
    let request = recorder.requests.lock().unwrap()[0].clone();
    assert_eq!(request.url, "https://graph.facebook.com/v25.0/1/x");
    assert_eq!(request.auth.header().expose_secret(), "Bearer EAAJB");
    assert_eq!(recorder.body(), json!({"a": 1}));
    assert!(!format!("{request:?}").contains("EAAJB"));
}

#[tokio::test]
async fn the_code_of_an_answer_decides_and_its_status_where_there_is_none() {
    for (status, code, expected) in [
        (400, 100, "refused"),
        (400, 131_056, "refused"),
        (400, 131_047, "refused"),
        (401, 190, "refused"),
        (500, 190, "refused"),
        (500, 3, "refused"),
        (500, 131_045, "refused"),
        (400, 4, "throttled"),
        (400, 17, "throttled"),
        (400, 32, "throttled"),
        (429, 613, "throttled"),
        (400, 80_007, "throttled"),
        (400, 130_429, "throttled"),
        (429, 100, "throttled"),
        (400, 1, "unknown"),
        (503, 2, "unknown"),
        (400, 131_000, "unknown"),
        (500, 131_016, "unknown"),
        (500, 100, "unknown"),
        (408, 100, "unknown"),
        (425, 100, "unknown"),
        (302, 100, "unknown"),
    ] {
        assert_eq!(name(&created(Ok(error(status, code))).await), expected, "{status} {code}");
    }
    for (status, body, expected) in [
        (200, "x", "accepted"),
        (201, "x", "accepted"),
        (200, "", "unknown"),
        (400, "<html>", "refused"),
        (403, "", "refused"),
        (404, "", "refused"),
        (429, "", "throttled"),
        (500, "", "unknown"),
        (400, r#"{"error":{"code":131009,"is_transient":true}}"#, "unknown"),
    ] {
        assert_eq!(name(&created(Ok(Response::new(status, body))).await), expected, "{status} {body}");
    }
}

#[tokio::test]
async fn the_transport_proves_what_was_not_sent() {
    let lost = || -> crate::transport::Cause { "reset".into() };
    assert_eq!(name(&created(Err(TransportError::NotSent(lost()))).await), "not sent");
    assert_eq!(name(&created(Err(TransportError::TooLate)).await), "too late");
    assert_eq!(name(&created(Err(TransportError::Lost(lost()))).await), "unknown");
}

#[test]
fn the_reason_of_a_refusal_is_read_masked_and_cut() {
    let body = json!({"error": {
        "message": "(#131009) Parameter value is not valid", "type": "OAuthException", "code": "131009",
        "error_subcode": 2_494_010, "error_data": {"details": "to +5511987654321 is not valid"},
    }});
    let refusal = Refusal::read(&Response::new(400, body.to_string()));
    assert_eq!(
        (refusal.code, refusal.subcode, refusal.is_transient),
        (Some(131_009), Some(2_494_010), false)
    );
    assert!(refusal.message.ends_with("(to +************* is not valid)"), "{refusal}");
    let long = json!({"error": {"message": "x".repeat(10_000), "code": -1}});
    let refusal = Refusal::read(&Response::new(400, long.to_string()));
    assert_eq!((refusal.code, refusal.message.len()), (None, 300));
    for body in ["", "[]", "null", r#"{"error":null}"#, r#"{"error":7}"#] {
        assert_eq!(Refusal::read(&Response::new(500, body)).message, "no reason given", "{body}");
    }
}

#[tokio::test]
async fn a_refused_token_rests_the_account_and_a_used_up_rate_for_at_least_its_time() {
    let number = |refusal: &Refusal| refusal.code.map(|code| ErrorCode::new(Issuer::Meta, code));
    let rest = async |answer: Response| {
        let reply = reply(created(Ok(answer)).await, "WhatsApp", number, |id| id);
        let at_least = match reply.health {
            Health::Fine => None,
            Health::Trouble { at_least, .. } => at_least,
        };
        (reply.answer, at_least)
    };
    let minutes = |minutes| Some(SignedDuration::from_mins(minutes));
    let rejected = |code| Answer::Rejected { error_code: Some(ErrorCode::new(Issuer::Meta, code)) };
    assert_eq!(rest(error(401, 190)).await, (rejected(190), minutes(1)));
    assert_eq!(rest(error(400, 131_026)).await, (rejected(131_026), None));
    assert_eq!(rest(error(400, 130_429)).await, (Answer::Throttled, minutes(1)));
    assert_eq!(rest(error(400, 80_007)).await, (Answer::Throttled, minutes(5)));
    let mut asked = error(429, 4);
    asked.headers.insert("retry-after", "600".parse().unwrap());
    assert_eq!(rest(asked).await, (Answer::Throttled, minutes(10)));
    let mut asked = error(429, 4);
    asked.headers.insert("retry-after", "1".parse().unwrap());
    assert_eq!(rest(asked).await, (Answer::Throttled, minutes(5)));
    assert_eq!(rest(Response::new(200, "id")).await, (Answer::Accepted { sid: "id".to_owned() }, None));
}

#[tokio::test]
async fn a_read_tells_what_may_work_later() {
    for (response, expected) in [
        (error(404, 100), "no such resource"),
        (error(400, 100), "refused with status 400 and code 100: no"),
        (error(400, 80_007), "too many requests"),
        (error(503, 2), "meta cannot be reached"),
        (error(400, 2), "meta cannot be reached"),
        (Response::new(302, ""), "an unexpected answer from meta"),
        (Response::new(200, "<html>"), "an unexpected answer from meta"),
    ] {
        let graph = graph(Recorder::answering(Ok(response)));
        let error = graph.read::<Value>("1").await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    assert_eq!(graph::with_query("1/t", &[("a", "b c&d")]), "1/t?a=b+c%26d");
    let account = GraphAccount::new("u", "v", "secret-token");
    assert!(!format!("{account:?}").contains("secret-token"));
    assert_eq!(account.create_timeout, Duration::from_secs(30));
}
