//! The port for HTTP: one request, one answer, and what is certain without an answer.
//!
//! Adapters: [`super::http`] over sockets, and the simulated world in process. No retries on either side.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, Method, header};
use secrecy::SecretString;

use crate::platform::LeaveBy;

/// Carries requests to Twilio.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request once. An answer with any status is `Ok`.
    ///
    /// # Errors
    /// [`TransportError`] says whether the request may have been received.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;
}

/// One request. `Debug` leaves out the query and the body, which carry phone numbers.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    /// Absolute.
    pub url: String,
    pub auth: Basic,
    pub body: Body,
    /// For the whole exchange, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// Until when the first byte may leave; whenever it can, if there is no such moment.
    pub leave_by: Option<LeaveBy>,
}

/// HTTP Basic credentials: an API key and its secret, or the account and its auth token.
#[derive(Debug, Clone)]
pub struct Basic {
    pub user: String,
    pub secret: SecretString,
}

impl Basic {
    pub fn new(user: impl Into<String>, secret: impl Into<SecretString>) -> Self {
        Self { user: user.into(), secret: secret.into() }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    None,
    /// `application/x-www-form-urlencoded`; a name may repeat.
    Form(Vec<(String, String)>),
    Json(Bytes),
}

#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Response {
    /// An answer without headers.
    pub fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: HeaderMap::new(), body: body.into() }
    }

    /// What `Retry-After` asks for, if it is a number of seconds. Twilio documents no such header, so the
    /// form with a date is not read.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }
}

/// Why there is no answer. Causes never contain a URL, because a query can contain a phone number.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No byte of the request was sent, so it had no effect.
    #[error("the request was not sent")]
    NotSent(#[source] Cause),
    /// The same, because the first byte could not leave in time.
    #[error("the request waited for too long before it could leave")]
    TooLate,
    /// Anything else: the request may have been received and acted on.
    #[error("the request may have been sent, but no answer came back")]
    Lost(#[source] Cause),
}

pub type Cause = Box<dyn StdError + Send + Sync>;

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.split(['?', '#']).next().unwrap_or_default();
        f.debug_struct("Request").field("method", &self.method).field("url", &url).finish_non_exhaustive()
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Form(pairs) => write!(f, "Form({} pairs)", pairs.len()),
            Self::Json(bytes) => write!(f, "Json({} bytes)", bytes.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_does_not_print_numbers_or_secrets() {
        let request = Request {
            method: Method::GET,
            url: "https://api.twilio.com/x.json?To=whatsapp%3A%2B5511987654321".to_owned(),
            auth: Basic::new("SK1", "hush".to_owned()),
            body: Body::Form(vec![("To".to_owned(), "+5511987654321".to_owned())]),
            timeout: Duration::from_secs(1),
            leave_by: None,
        };
        let printed = format!("{request:?} {:?} {:?}", request.body, request.auth);
        assert!(!printed.contains("5511987654321") && !printed.contains("hush"), "{printed}");
        assert!(printed.contains("https://api.twilio.com/x.json"), "{printed}");
    }
}
