//! Answers to Twilio, and their metrics.
//!
//! A report gets a status code. A request for the TwiML of a live call always gets TwiML.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Hooks;
use super::verify::Refusal;
use crate::domain::Sender;
use crate::store;
use crate::twiml;

/// Empty TwiML: a message gets no reply, and a call continues after its verb, or ends if nothing follows.
const NOTHING: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#;

impl Hooks {
    /// Answers a report: 204, or the refusal's status code.
    pub(super) fn acknowledge(&self, kind: &'static str, taken: Result<(), Refusal>) -> Response {
        match taken {
            Ok(()) => {
                self.count_kept(kind);
                StatusCode::NO_CONTENT.into_response()
            }
            Err(refusal) => {
                self.note(kind, &refusal);
                refusal.status().into_response()
            }
        }
    }

    /// Answers a message, for which Twilio expects TwiML.
    pub(super) fn say_nothing(&self, kind: &'static str, taken: Result<(), Refusal>) -> Response {
        match taken {
            Err(refusal) if !matches!(refusal, Refusal::Unreadable(_)) => {
                self.acknowledge(kind, Err(refusal))
            }
            taken => {
                _ = self.acknowledge(kind, taken);
                twiml(NOTHING)
            }
        }
    }

    /// Answers a live call whose verb has ended. It is never an error, because Twilio would play an error message. A
    /// report that was not stored is looked up later.
    pub(super) fn go_on(&self, kind: &'static str, taken: Result<(), Refusal>) -> Response {
        match taken {
            Err(refusal) if !refusal.is_signed() => self.acknowledge(kind, Err(refusal)),
            taken => {
                _ = self.acknowledge(kind, taken);
                twiml(NOTHING)
            }
        }
    }

    /// Answers a live call without a document: hangs up, or refuses a request that is not Twilio's.
    pub(super) fn hang_up(&self, kind: &'static str, refusal: &Refusal) -> Response {
        self.note(kind, refusal);
        if refusal.is_signed() { twiml(twiml::hangup()) } else { refusal.status().into_response() }
    }

    /// Hangs up a live call for a reason that is not a refusal and that the caller has logged.
    pub(super) fn hang_up_for(&self, kind: &'static str, reason: &'static str) -> Response {
        self.count_refused(kind, reason);
        twiml(twiml::hangup())
    }

    /// Counts a report that could not be stored while a live call continued.
    pub(super) fn note_unkept(&self, kind: &'static str, error: store::Error) {
        self.note(kind, &Refusal::Store(error));
    }

    fn note(&self, kind: &'static str, refusal: &Refusal) {
        self.count_refused(kind, refusal.as_str());
        match refusal {
            Refusal::Store(error) => {
                let cause = std::error::Error::source(error).map(ToString::to_string);
                tracing::error!(kind, %error, cause, "not kept");
            }
            Refusal::Signature(fault) => tracing::debug!(kind, %fault, "refused"),
            refusal => tracing::debug!(kind, reason = refusal.as_str(), "refused"),
        }
    }
}

pub(super) fn twiml(document: impl Into<Body>) -> Response {
    let mut response = Response::new(document.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/xml; charset=utf-8"));
    response
}

/// Defaults of a sender for documents.
pub(super) fn usual<'a>(sender: Option<&'a Sender>, name: &str) -> Option<&'a str> {
    sender?.workflow.as_deref().filter(|_| name == "workflow")
}
