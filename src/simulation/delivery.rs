//! What passes between a daemon and the world: webhooks as HTTP requests, and one trace line for each
//! message.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Body;
use http::{Request, header};
use serde_json::Value;

use super::clocks::Clocks;
use super::trace::Trace;
use crate::clock::Clock as _;
use crate::sim::World;
use crate::sim::world::{Method, Webhook, WebhookReply};
use crate::twilio::{self, Response, Transport, TransportError};

/// A transport that writes each request and answer into the trace.
pub(super) struct TracedTransport {
    pub(super) inner: Arc<dyn Transport>,
    pub(super) clocks: Arc<Clocks>,
    pub(super) trace: Arc<Trace>,
}

#[async_trait]
impl Transport for TracedTransport {
    async fn send(&self, request: twilio::Request) -> Result<Response, TransportError> {
        if !self.trace.is_kept() {
            return self.inner.send(request).await;
        }
        let name = request.url.rsplit_once("/Accounts/").map(|(_, path)| path);
        let path =
            name.or_else(|| request.url.split_once("/v25.0/").map(|(_, path)| path)).unwrap_or_default();
        let path = path.split_once('/').map_or(path, |(_, path)| path);
        let line = format!("{} {}", request.method, path.split('?').next().unwrap_or_default());
        self.trace.note(self.clocks.time.now(), || format!("daemon    {line}"));
        let answer = self.inner.send(request).await;
        self.trace.note(self.clocks.time.now(), || match &answer {
            Ok(response) => format!("world    answers {line}: {}", response.status),
            Err(TransportError::NotSent(_)) => format!("world    never got {line}"),
            Err(TransportError::TooLate) => format!("daemon   is too late for {line}"),
            Err(TransportError::Lost(_)) => format!("world    gives no answer to {line}"),
        });
        answer
    }
}

/// The signed webhook, as its platform sends it.
pub(super) fn signed(world: &World, webhook: &Webhook) -> Request<Body> {
    let (kind, body) = webhook.body();
    let method = match webhook.method {
        Method::Get => http::Method::GET,
        Method::Post => http::Method::POST,
    };
    let mut request =
        Request::builder().method(method).uri(path_of(&webhook.url)).header(header::CONTENT_TYPE, kind);
    for (name, value) in world.headers(webhook) {
        request = request.header(name, value);
    }
    request.body(Body::from(body)).expect("a webhook of the world is a request")
}

pub(super) fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |slash| &rest[slash..])
}

/// Describes a webhook in one line without phone numbers.
pub(super) fn describe(webhook: &Webhook) -> String {
    let told = ["CallStatus", "DialCallStatus", "MessageStatus", "ButtonPayload", "CallSid", "MessageSid"];
    let values = told.iter().filter_map(|name| {
        let (_, value) = webhook.params.iter().find(|(param, _)| param == name)?;
        Some(format!(" {name}={}", value.get(..10).unwrap_or(value)))
    });
    // Tokens in URLs are shortened: they are long and do not help the reader.
    let path: Vec<&str> = path_of(&webhook.url)
        .split('/')
        .map(|part| if part.len() > 20 { part.get(..6).unwrap_or(part) } else { part })
        .collect();
    format!("{}{}{}", path.join("/"), values.collect::<String>(), of_meta(&webhook.json))
}

/// What a webhook of Meta's is about: the kind of each thing in it, and how far it is.
fn of_meta(json: &str) -> String {
    let body: Value = serde_json::from_str(json).unwrap_or_default();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut words = Vec::new();
    for entry in list(&body["entry"]) {
        for change in list(&entry["changes"]) {
            let value = &change["value"];
            for name in ["statuses", "messages", "calls", "user_preferences"] {
                let far = |item: &Value| {
                    let far =
                        ["status", "event", "type", "value"].iter().find_map(|field| item[*field].as_str());
                    format!(" {name}={}", far.unwrap_or_default())
                };
                words.extend(list(&value[name]).iter().map(far));
            }
            words.extend(value["event"].as_str().map(|event| format!(" {event}")));
        }
        for item in list(&entry["messaging"]) {
            let kinds = ["message", "delivery", "read", "call"];
            words.extend(kinds.iter().find(|kind| !item[**kind].is_null()).map(|kind| format!(" {kind}")));
        }
    }
    words.concat()
}

pub(super) fn describe_reply(reply: &WebhookReply) -> String {
    match reply {
        WebhookReply::Answer { status, .. } => status.to_string(),
        WebhookReply::Unreachable => "nobody answers".to_owned(),
        WebhookReply::TimedOut => "no answer in time".to_owned(),
    }
}
