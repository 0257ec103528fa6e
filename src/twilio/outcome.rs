//! What is known after a request.
//!
//! Creating and asking are kept apart. A create is never repeated here, because Twilio has no idempotency key
//! for it; [`Created`] says which of six things is known about it. Asking is harmless and has an ordinary
//! [`Error`].

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::json;
use super::mask::mask_numbers;
use super::transport::{Cause, Response};

/// What is known about a create.
#[derive(Debug)]
#[must_use = "a call that nobody remembers may ring"]
pub enum Created<T> {
    /// It exists, and this is it.
    Accepted(T),
    /// It does not exist: Twilio said no. The code says whether the same request may fare better later.
    Refused(Refusal),
    /// It does not exist: Twilio states that a request answered with 429 was never processed.
    Throttled { retry_after: Option<Duration>, refusal: Refusal },
    /// It does not exist: no byte of the request left. Says why.
    NotSent(String),
    /// It does not exist: its first byte could not leave in time.
    TooLate,
    /// It may exist. Must not be repeated before that is found out.
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

/// Why nobody can say whether a create succeeded.
#[derive(Debug, thiserror::Error)]
pub enum UnknownCause {
    #[error("the request was lost on the way or its answer was")]
    Lost(#[source] Cause),
    /// A redirection, 408, 425, or 5xx; the code is that of the error body, if there was one.
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

/// A definite no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused with status {status}{}: {message}", code.map(|code| format!(" and code {code}")).unwrap_or_default())]
pub struct Refusal {
    pub status: u16,
    /// Twilio's error code, where the body has one.
    pub code: Option<u32>,
    /// Twilio's words, with what may be a phone number masked.
    pub message: String,
}

impl Refusal {
    /// Whether the credentials were refused rather than the request: nothing will work until they are mended.
    /// A 403 with a code outside the account's own range (20xxx) is about the request.
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

/// Why a question to Twilio, or a change that may be repeated, has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("no such resource")]
    NotFound,
    /// Asking the same again would be refused again.
    #[error(transparent)]
    Rejected(Refusal),
    #[error("too many requests at once")]
    RateLimited { retry_after: Option<Duration> },
    /// Twilio cannot be reached, or is out of order. Worth asking again later.
    #[error("twilio cannot be reached")]
    Unreachable(#[source] Cause),
    /// An answer that is none of Twilio's.
    #[error("an unexpected answer from twilio")]
    Unexpected(#[source] Cause),
}
