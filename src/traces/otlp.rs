//! Spans as an OTLP request (opentelemetry.io/docs/specs/otlp, version 1.10, binary protobuf over HTTP).

use jiff::Timestamp;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as Written, Status};
use prost::Message as _;

use super::{Kind, Span, Value};

/// The flags of a span whose trace is recorded.
const SAMPLED: u32 = 1;

/// The body of a request with these spans.
pub(super) fn request(service: &str, spans: &[Span]) -> Vec<u8> {
    let attributes = vec![
        attribute("service.name", &Value::Text(service.to_owned().into())),
        attribute("service.version", &Value::from(env!("CARGO_PKG_VERSION"))),
    ];
    let scope = InstrumentationScope {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    };
    let spans =
        ScopeSpans { scope: Some(scope), spans: spans.iter().map(written).collect(), ..Default::default() };
    let resource = Resource { attributes, ..Resource::default() };
    let all = ResourceSpans { resource: Some(resource), scope_spans: vec![spans], ..Default::default() };
    ExportTraceServiceRequest { resource_spans: vec![all] }.encode_to_vec()
}

/// How many spans the collector refused, by its answer. A body that cannot be read refuses none.
pub(super) fn refused(answer: &[u8]) -> usize {
    let answer = ExportTraceServiceResponse::decode(answer).unwrap_or_default();
    answer.partial_success.map_or(0, |partial| usize::try_from(partial.rejected_spans).unwrap_or(0))
}

fn written(span: &Span) -> Written {
    let kind = match span.kind {
        Kind::Internal => SpanKind::Internal,
        Kind::Server => SpanKind::Server,
        Kind::Client => SpanKind::Client,
        Kind::Consumer => SpanKind::Consumer,
    };
    let code = if span.is_failed { StatusCode::Error } else { StatusCode::Unset };
    Written {
        trace_id: span.trace.bytes().to_vec(),
        span_id: span.id.bytes().to_vec(),
        parent_span_id: span.parent.map(|parent| parent.bytes().to_vec()).unwrap_or_default(),
        flags: SAMPLED,
        name: span.name.to_owned(),
        kind: kind.into(),
        start_time_unix_nano: nanoseconds(span.start),
        end_time_unix_nano: nanoseconds(span.end.max(span.start)),
        attributes: span.attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
        events: span
            .marks
            .iter()
            .map(|mark| Event {
                time_unix_nano: nanoseconds(mark.at),
                name: mark.name.clone().into_owned(),
                ..Event::default()
            })
            .collect(),
        status: Some(Status { code: code.into(), ..Status::default() }),
        ..Written::default()
    }
}

fn attribute(name: &str, value: &Value) -> KeyValue {
    let value = match value {
        Value::Text(text) => any_value::Value::StringValue(text.clone().into_owned()),
        Value::Whole(number) => any_value::Value::IntValue(*number),
    };
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// Since 1970; 0 for earlier times.
fn nanoseconds(at: Timestamp) -> u64 {
    u64::try_from(at.as_nanosecond()).unwrap_or(0)
}
