//! A platform that accepts and records every call and message.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use ringmaster::twilio::{Body, Request, Response, Transport, TransportError};
use serde_json::json;

/// A request to create something.
#[derive(Debug, Clone)]
pub(crate) struct RecordedRequest {
    /// `CA` or `SM`, and the number of the request.
    pub(crate) sid: String,
    pub(crate) form: BTreeMap<String, String>,
}

/// The parameters of the request.
#[derive(Default)]
pub(crate) struct RecordingTransport {
    calls: Mutex<Vec<RecordedRequest>>,
    messages: Mutex<Vec<RecordedRequest>>,
    hang_ups: Mutex<u32>,
    /// The answer to every create, instead of accepting it.
    refusal: Mutex<Option<Response>>,
}

impl RecordingTransport {
    /// A platform that answers every create with `answer`.
    pub(crate) fn refusing(answer: Response) -> Arc<Self> {
        Arc::new(Self { refusal: Mutex::new(Some(answer)), ..Self::default() })
    }

    pub(crate) fn calls(&self) -> Vec<RecordedRequest> {
        self.calls.lock().unwrap().clone()
    }

    /// How often it was asked to end a call. It does not end.
    pub(crate) fn hang_ups(&self) -> u32 {
        *self.hang_ups.lock().unwrap()
    }

    pub(crate) fn messages(&self) -> Vec<RecordedRequest> {
        self.messages.lock().unwrap().clone()
    }
}

fn note(kind: &str, status: &str, notes: &Mutex<Vec<RecordedRequest>>, request: &Request) -> Response {
    let Body::Form(form) = &request.body else { panic!("a create is a form") };
    let mut notes = notes.lock().unwrap();
    let sid = format!("{kind}{:032x}", notes.len() + 1);
    notes.push(RecordedRequest { sid: sid.clone(), form: form.iter().cloned().collect() });
    Response::new(201, json!({"sid": sid, "status": status}).to_string())
}

#[async_trait]
impl Transport for RecordingTransport {
    async fn send(&self, request: Request) -> Result<Response, TransportError> {
        if request.method == http::Method::GET {
            return Ok(Response::new(404, ""));
        }
        if request.method == http::Method::DELETE {
            return Ok(Response::new(204, ""));
        }
        let taken = match &request.url {
            url if url.ends_with("/Calls.json") => note("CA", "queued", &self.calls, &request),
            url if url.ends_with("/Messages.json") => note("SM", "queued", &self.messages, &request),
            url if url.contains("/Calls/") => {
                *self.hang_ups.lock().unwrap() += 1;
                Response::new(200, json!({"sid": "CA", "status": "canceled"}).to_string())
            }
            _ => Response::new(200, "{}"),
        };
        Ok(self.refusal.lock().unwrap().clone().unwrap_or(taken))
    }
}
