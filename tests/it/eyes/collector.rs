//! A small collector that takes spans by OTLP over HTTP.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

/// What it got.
#[derive(Debug, Default)]
pub(super) struct Got {
    pub(super) spans: Vec<Span>,
    pub(super) keys: Vec<String>,
    pub(super) services: Vec<String>,
    /// The status of its answers; 200 without one.
    pub(super) answers: Option<StatusCode>,
}

pub(super) type Collected = Arc<Mutex<Got>>;

/// Starts one. It ends with the test.
pub(super) async fn collector(answers: Option<StatusCode>) -> (SocketAddr, Collected) {
    let got = Collected::default();
    got.lock().unwrap().answers = answers;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/otlp/v1/traces", post(take)).with_state(got.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (address, got)
}

async fn take(State(got): State<Collected>, headers: HeaderMap, body: Bytes) -> StatusCode {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    let mut got = got.lock().unwrap();
    got.keys.extend(headers.get("x-api-key").map(|key| key.to_str().unwrap().to_owned()));
    for all in request.resource_spans {
        let attributes = all.resource.unwrap().attributes;
        got.services.push(format!("{:?}", attributes[0].value));
        got.spans.extend(all.scope_spans.into_iter().flat_map(|scope| scope.spans));
    }
    got.answers.unwrap_or(StatusCode::OK)
}
