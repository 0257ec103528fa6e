//! Tests of traces: shares, the queue, and what is written.

use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message as _;

use super::*;

fn trace(last: u64) -> TraceId {
    let mut id = [7; 16];
    id[8..].copy_from_slice(&last.to_be_bytes());
    TraceId::new(id)
}

#[test]
fn a_share_of_the_traces_is_recorded_by_their_random_bits() {
    let half = ids::share(0.5);
    let middle = 1_u64 << 55;
    assert!(trace(middle - 1).is_within(half) && !trace(middle).is_within(half));
    let highest = (1 << 56) - 1;
    assert!(trace(highest).is_within(ids::share(1.0)) && !trace(0).is_within(ids::share(0.0)));
    assert!(trace(0xff << 56).is_within(ids::share(0.01)), "the bits above are not random");
    assert!(trace(highest).is_within(ids::share(7.0)), "no more than all");
}

#[test]
fn a_span_that_does_not_fit_is_dropped_and_counted() {
    let metrics = Arc::new(Metrics::default());
    let (traces, mut spans) = Traces::new(1.0, 2, metrics.clone());
    let trace = Trace { id: trace(1), root: SpanId::new([1; 8]), parent: None };
    let at = Timestamp::constant(1_790_000_000, 0);
    for _ in 0..5 {
        traces.send(Span::of(&trace, "turn", Kind::Internal, at, at));
    }
    assert!(metrics.encode().contains("ringmaster_trace_spans_total{result=\"dropped\"} 3"));
    assert!(spans.try_recv().is_ok() && spans.try_recv().is_ok() && spans.try_recv().is_err());
}

#[test]
fn without_a_collector_nothing_is_kept_or_read() {
    let off = Traces::default();
    let mut headers = http::HeaderMap::new();
    headers.insert("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap());
    assert!(!off.is_on() && off.parent(&headers).is_none());
}

#[test]
fn a_span_is_written_with_its_ids_times_and_marks() {
    let root = SpanId::new([2; 8]);
    let trace = Trace { id: trace(9), root, parent: None };
    let (start, end) = (Timestamp::constant(1_790_000_000, 5), Timestamp::constant(1_790_000_001, 0));
    let mut span = Span::of(&trace, "turn", Kind::Client, start, end).with("result", "accepted").failed(true);
    span.marks.push(Mark { at: end, name: "attempt.opened".into() });
    let backwards = Span::of(&trace, "turn", Kind::Internal, end, start).about(&[3; 16]).below(None);
    let body = otlp::request("ringmaster", &[span.clone(), backwards]);
    let read = ExportTraceServiceRequest::decode(&*body).unwrap();
    let [one, other] = &read.resource_spans[0].scope_spans[0].spans[..] else { panic!("two spans") };
    assert_eq!((&one.trace_id[..], &one.parent_span_id[..]), (&trace.id.bytes()[..], &root.bytes()[..]));
    assert_eq!(one.span_id, span.id.bytes());
    assert_eq!(one.start_time_unix_nano, 1_790_000_000_000_000_005);
    assert_eq!((one.kind, one.status.as_ref().map(|status| status.code)), (3, Some(2)));
    assert_eq!(one.events[0].name, "attempt.opened");
    assert_eq!(
        other.start_time_unix_nano, other.end_time_unix_nano,
        "a clock that steps back gives no negative span"
    );
    assert_eq!((&other.span_id[..], other.parent_span_id.len()), (&[3; 8][..], 0));
}

#[test]
fn what_a_collector_refused_is_read_from_its_answer() {
    use opentelemetry_proto::tonic::collector::trace::v1::{
        ExportTracePartialSuccess, ExportTraceServiceResponse,
    };
    let answer = |rejected_spans| {
        let partial = ExportTracePartialSuccess { rejected_spans, error_message: String::new() };
        ExportTraceServiceResponse { partial_success: Some(partial) }.encode_to_vec()
    };
    assert_eq!(otlp::refused(&answer(3)), 3);
    assert_eq!(otlp::refused(&answer(-1)), 0);
    assert_eq!((otlp::refused(b""), otlp::refused(b"<html>")), (0, 0));
}
