//! The results of requests.
//!
//! Creates are separate from lookups. A create is never repeated here, because Twilio has no idempotency key for it;
//! [`Created`] has its six possible results. A lookup is harmless and has an ordinary [`Error`].

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::json;
use crate::transport::mask::mask_numbers;
use crate::transport::{Cause, Response};

/// The result of a create.
#[derive(Debug)]
#[must_use = "a call that nobody remembers may ring"]
pub enum Created<T> {
    /// It exists.
    Accepted(T),
    /// It does not exist: Twilio refused it. The code decides whether the same request may succeed later.
    Refused(Refusal),
    /// It does not exist: Twilio states that a request answered with 429 was never processed.
    Throttled { retry_after: Option<Duration>, refusal: Refusal },
    /// It does not exist: no byte of the request was sent, with the reason.
    NotSent(String),
    /// It does not exist: its first byte could not be sent in time.
    TooLate,
    /// It may exist. It must not be repeated before that is resolved.
    Unknown(UnknownCause),
}

impl<T> Created<T> {
    pub fn map<U>(self, apply: impl FnOnce(T) -> U) -> Created<U> {
        match self {
            Self::Accepted(created) => Created::Accepted(apply(created)),
            Self::Refused(refusal) => Created::Refused(refusal),
            Self::Throttled { retry_after, refusal } => Created::Throttled { retry_after, refusal },
            Self::NotSent(cause) => Created::NotSent(cause),
            Self::TooLate => Created::TooLate,
            Self::Unknown(cause) => Created::Unknown(cause),
        }
    }
}

/// Why the result of a create is unknown.
#[derive(Debug, thiserror::Error)]
pub enum UnknownCause {
    #[error("the request was lost on the way or its answer was")]
    Lost(#[source] Cause),
    /// A redirection, 408, 425, or 5xx, with the code of the error body, if there was one.
    #[error("status {status} does not say whether the request was carried out")]
    Status { status: u16, code: Option<u32> },
    /// A success without a well-formed identifier.
    #[error("a success of status {status} whose body cannot be understood")]
    Malformed { status: u16 },
}

impl UnknownCause {
    pub(super) fn of(response: &Response) -> Self {
        Self::Status { status: response.status, code: Refusal::read(response).code }
    }
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused with status {status}{}: {message}", code.map(|code| format!(" and code {code}")).unwrap_or_default())]
pub struct Refusal {
    pub status: u16,
    /// Twilio's error code, if the body has one.
    pub code: Option<u32>,
    /// Twilio's message, with possible phone numbers masked.
    pub message: String,
}

impl Refusal {
    /// Whether the credentials were refused, not the request. Nothing works until they are corrected. A 403 with a code
    /// outside the account's range (20xxx) is about the request.
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        self.status == 401
            || self.status == 403 && self.code.is_none_or(|code| (20_000..21_000).contains(&code))
    }

    pub(super) fn read(response: &Response) -> Self {
        let body: ErrorBody = serde_json::from_slice(&response.body).unwrap_or_default();
        let message = body.message.or(body.detail).or(body.title);
        let first_error = body.errors[0]["detail"].as_str().map(str::to_owned);
        let words = match (message, first_error) {
            (Some(message), Some(error)) if error != message => format!("{message} ({error})"),
            (Some(message), _) | (None, Some(message)) => message,
            (None, None) => "no reason given".to_owned(),
        };
        Self { status: response.status, code: body.code, message: mask_numbers(&words) }
    }
}

/// The error bodies of v2010 (`code`, `message`) and of the newer services (RFC 9457), in one.
#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(default, deserialize_with = "json::number")]
    code: Option<u32>,
    #[serde(default, deserialize_with = "json::text")]
    message: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    title: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    detail: Option<String>,
    #[serde(default)]
    errors: Value,
}

/// Why a lookup, or a change that may be repeated, failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no such resource")]
    NotFound,
    /// The same request would be refused again.
    #[error(transparent)]
    Rejected(Refusal),
    #[error("too many requests at once")]
    RateLimited { retry_after: Option<Duration> },
    /// Twilio cannot be reached or has a failure. It may work later.
    #[error("twilio cannot be reached")]
    Unreachable(#[source] Cause),
    /// An answer that Twilio does not document.
    #[error("an unexpected answer from twilio")]
    Unexpected(#[source] Cause),
}
