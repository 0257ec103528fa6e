//! One trace for the life of a callback, and a collector that is away.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use jiff::SignedDuration;
use opentelemetry_proto::tonic::trace::v1::Span;
use ringmaster::metrics::Metrics;
use ringmaster::traces::{Exporter, ExporterConfig, Kind, SpanId, Trace, TraceId, Traces};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::collector::{Collected, collector};
use crate::harness::{CONSUMER, RecordingTransport, SENDER, START, TestDaemon, message};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// What sends spans to a collector.
struct Sending {
    traces: Traces,
    metrics: Arc<Metrics>,
    got: Collected,
    end: CancellationToken,
    exporter: tokio::task::JoinHandle<()>,
}

async fn sending(ratio: f64, answers: Option<StatusCode>) -> Sending {
    let (address, got) = collector(answers).await;
    sending_to(address, got, ratio)
}

fn sending_to(address: SocketAddr, got: Collected, ratio: f64) -> Sending {
    let metrics = Arc::new(Metrics::default());
    let (traces, spans) = Traces::new(ratio, 1000, metrics.clone());
    let config = ExporterConfig {
        endpoint: format!("http://{address}/otlp/").parse().unwrap(),
        headers: vec![("x-api-key".parse().unwrap(), "key".parse().unwrap())],
        timeout: Duration::from_secs(10),
        service: "calls".to_owned(),
    };
    let end = CancellationToken::new();
    let exporter = Exporter::new(config, spans, metrics.clone()).unwrap();
    let exporter = tokio::spawn(exporter.run(end.clone()));
    Sending { traces, metrics, got, end, exporter }
}

impl Sending {
    /// Ends the exporter. Returns all that the collector got.
    async fn spans(self) -> (Vec<Span>, Collected) {
        self.end.cancel();
        self.exporter.await.unwrap();
        let spans = std::mem::take(&mut self.got.lock().unwrap().spans);
        (spans, self.got)
    }
}

/// A callback whose call is answered and ends. Returns its id.
async fn lived(traces: Traces, headers: &[(&str, &str)]) -> String {
    let notes = Arc::new(RecordingTransport::default());
    let daemon = TestDaemon::open(notes.clone()).await;
    let mut daemon = daemon.traced(notes.clone(), traces).await;
    daemon.grant(CONSUMER).await;
    let mut order = json!({"consumer": CONSUMER, "sender": SENDER, "latest": "2026-12-03T12:00:00Z"});
    order.as_object_mut().unwrap().extend(message().as_object().unwrap().clone());
    let (status, answer) = daemon.post_with("/v1/callbacks", headers, order).await;
    assert_eq!(status, 202, "{answer}");
    daemon.advance(SignedDuration::ZERO).await;
    daemon.advance(SignedDuration::from_secs(2)).await;
    let call = notes.calls().remove(0);
    let form = [("CallSid", &*call.sid), ("AccountSid", daemon.account_sid()), ("CallStatus", "no-answer")];
    let form = form.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert!((200..300).contains(&daemon.hook(&call.form["StatusCallback"], &form).await));
    let id = answer["id"].as_str().unwrap().to_owned();
    daemon.post(&format!("/v1/callbacks/{id}/cancel"), json!({})).await;
    daemon.advance(SignedDuration::ZERO).await;
    id
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn by_name(spans: &[Span]) -> BTreeMap<&str, Vec<&Span>> {
    let mut all: BTreeMap<&str, Vec<&Span>> = BTreeMap::new();
    spans.iter().for_each(|span| all.entry(&span.name).or_default().push(span));
    all
}

#[tokio::test]
async fn the_life_of_a_callback_is_one_trace_below_the_customers_span() {
    let sending = sending(1.0, None).await;
    let id = lived(sending.traces.clone(), &[("traceparent", PARENT)]).await;
    let (spans, got) = sending.spans().await;
    let all = by_name(&spans);
    assert_eq!(
        all.keys().copied().collect::<Vec<_>>(),
        ["call", "callback", "order", "report", "request", "turn"]
    );
    let [root] = all["callback"][..] else { panic!("one callback: {spans:?}") };
    assert_eq!(hex(&root.parent_span_id), "00f067aa0ba902b7");
    assert!(id.ends_with(&hex(&root.span_id)), "the span of the callback has the end of its id");
    for span in &spans {
        assert_eq!(hex(&span.trace_id), "4bf92f3577b34da6a3ce929d0e0e4736", "{}", span.name);
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
        assert!(!format!("{span:?}").contains(&CONSUMER[1..]), "no phone number in {}", span.name);
    }
    for name in ["order", "turn", "report", "call"] {
        assert!(all[name].iter().all(|span| span.parent_span_id == root.span_id), "{name}");
    }
    let ([call], [request]) = (&all["call"][..], &all["request"][..]) else { panic!("{spans:?}") };
    assert_eq!(request.parent_span_id, call.span_id, "the request is below its call");
    let marks: Vec<&str> = all["turn"].iter().flat_map(|turn| &turn.events).map(|mark| &*mark.name).collect();
    for name in
        ["attempt.opened", "attempt.submitting", "attempt.accepted", "attempt.ended", "callback.closed"]
    {
        assert!(marks.contains(&name), "{name}: {marks:?}");
    }
    let got = got.lock().unwrap();
    assert!(got.keys.iter().all(|key| key == "key") && !got.keys.is_empty());
    assert!(got.services[0].contains("calls"), "{:?}", got.services);
}

#[tokio::test]
async fn without_a_customers_trace_the_id_is_that_of_the_callback_and_its_share_decides() {
    let all = sending(1.0, None).await;
    let id = lived(all.traces.clone(), &[("traceparent", "nonsense")]).await;
    let (spans, _) = all.spans().await;
    assert!(spans.len() >= 6 && spans.iter().all(|span| id == format!("cb_{}", hex(&span.trace_id))));
    let none = sending(0.0, None).await;
    lived(none.traces.clone(), &[]).await;
    assert_eq!(none.spans().await.0, [], "none is recorded");
    let theirs = sending(0.0, None).await;
    lived(theirs.traces.clone(), &[("traceparent", PARENT)]).await;
    assert!(!theirs.spans().await.0.is_empty(), "the customer decides for its trace");
    let theirs = sending(1.0, None).await;
    lived(theirs.traces.clone(), &[("traceparent", &PARENT.replace("-01", "-00"))]).await;
    assert_eq!(theirs.spans().await.0, [], "also that it is not recorded");
}

#[tokio::test]
async fn a_collector_that_takes_nothing_loses_spans_and_holds_up_nothing() {
    let sending = sending(1.0, Some(StatusCode::SERVICE_UNAVAILABLE)).await;
    let trace = Trace { id: TraceId::new([1; 16]), root: SpanId::new([1; 8]), parent: None };
    let at = START.parse().unwrap();
    for _ in 0..3 {
        sending.traces.send(ringmaster::traces::Span::of(&trace, "turn", Kind::Internal, at, at));
    }
    let metrics = sending.metrics.clone();
    sending.spans().await;
    let text = metrics.encode();
    assert!(text.contains("ringmaster_trace_spans_total{result=\"lost\"} 3"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_two_seconds_for_a_collector_that_never_answers() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let sending = sending_to(silent.local_addr().unwrap(), Collected::default(), 1.0);
    let trace = Trace { id: TraceId::new([1; 16]), root: SpanId::new([1; 8]), parent: None };
    let at = START.parse().unwrap();
    sending.traces.send(ringmaster::traces::Span::of(&trace, "turn", Kind::Internal, at, at));
    let began = tokio::time::Instant::now();
    sending.spans().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}
