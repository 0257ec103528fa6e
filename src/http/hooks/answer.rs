//! What Twilio is answered with, and the count of it.
//!
//! Whoever reports gets a status code; whoever asks for the next words of a live call always gets words.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::Hooks;
use super::verify::Refusal;
use crate::domain::Sender;
use crate::store;
use crate::twiml;

/// No words: a message is not replied to, and a call goes on behind the verb, which is its end if nothing
/// follows.
const NOTHING: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Response/>"#;

impl Hooks {
    /// For reports: 204, or the refusal's status code.
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

    /// For messages, which Twilio expects TwiML for.
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

    /// For a live call whose verb has ended. What was not kept is found out by asking; an error would be
    /// spoken to the person on the phone.
    pub(super) fn go_on(&self, kind: &'static str, taken: Result<(), Refusal>) -> Response {
        match taken {
            Err(refusal) if !refusal.is_signed() => self.acknowledge(kind, Err(refusal)),
            taken => {
                _ = self.acknowledge(kind, taken);
                twiml(NOTHING)
            }
        }
    }

    /// For a live call that has no document: it ends, unless the request was not Twilio's.
    pub(super) fn hang_up(&self, kind: &'static str, refusal: &Refusal) -> Response {
        self.note(kind, refusal);
        if refusal.is_signed() { twiml(twiml::hangup()) } else { refusal.status().into_response() }
    }

    /// The same for a reason that no refusal stands for, which the caller has logged.
    pub(super) fn hang_up_for(&self, kind: &'static str, reason: &'static str) -> Response {
        self.count_refused(kind, reason);
        twiml(twiml::hangup())
    }

    /// Counts a report that a live call had to go on without.
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

/// What a sender supplies where its callback, or a call that has none, does not.
pub(super) fn usual<'a>(sender: Option<&'a Sender>, name: &str) -> Option<&'a str> {
    sender?.workflow.as_deref().filter(|_| name == "workflow")
}
