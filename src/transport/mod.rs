//! The port for HTTP: one request, and one answer or an error that says whether the request was sent.
//!
//! Adapters: [`http`](self::http) over sockets, and the simulated world in process. No retries on either side. The
//! adapters of platforms send through it: `twilio` and `meta`. [`mask`] hides phone numbers in the texts of their
//! answers, and [`date`] reads their times.
// Arithmetic with values from outside must not overflow.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

pub mod date;
pub mod http;
pub mod mask;

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use ::http::{HeaderMap, Method, header};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};

use crate::platform::LeaveBy;

pub use self::date::timestamp;
pub use self::http::{HttpOptions, HttpTransport};

/// Carries requests to a platform.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends the request once. An answer with any status is `Ok`.
    ///
    /// # Errors
    /// [`TransportError`] says whether the request may have been received.
    async fn send(&self, request: Request) -> Result<Response, TransportError>;
}

/// One request. `Debug` leaves out the query and the body, which have phone numbers.
#[derive(Clone)]
pub struct Request {
    pub method: Method,
    /// The absolute URL.
    pub url: String,
    pub auth: Auth,
    pub body: Body,
    /// The timeout of the whole exchange, from connecting to the last byte of the answer.
    pub timeout: Duration,
    /// The latest time for the first byte; `None` means no limit.
    pub leave_by: Option<LeaveBy>,
}

/// The credentials of a request. `Debug` hides their secret.
#[derive(Debug, Clone)]
pub enum Auth {
    Basic(Basic),
    /// A bearer token (RFC 6750).
    Bearer(SecretString),
}

impl Auth {
    /// The value of the header `Authorization`.
    #[must_use]
    pub fn header(&self) -> SecretString {
        match self {
            Self::Basic(Basic { user, secret }) => {
                let plain = format!("{user}:{}", secret.expose_secret());
                format!("Basic {}", STANDARD.encode(plain)).into()
            }
            Self::Bearer(token) => format!("Bearer {}", token.expose_secret()).into(),
        }
    }
}

impl From<Basic> for Auth {
    fn from(basic: Basic) -> Self {
        Self::Basic(basic)
    }
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

    /// The value of `Retry-After` (RFC 9110, section 10.2.3): seconds, or a date, which counts from the `Date` of the
    /// answer, so that our clock does not matter. Anything else is ignored. Unbounded: [`Health::trouble`] caps it.
    ///
    /// [`Health::trouble`]: crate::platform::Health::trouble
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let text = self.header(&header::RETRY_AFTER)?;
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
        }
        let (until, answered_at) = (timestamp(text)?, self.date()?);
        Some(until.duration_since(answered_at).try_into().unwrap_or(Duration::ZERO))
    }

    /// The platform's time when it answered, in whole seconds.
    #[must_use]
    pub fn date(&self) -> Option<Timestamp> {
        timestamp(self.header(&header::DATE)?)
    }

    fn header(&self, name: &header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// Why there is no answer. Causes never contain a URL, because a query can contain a phone number.
#[derive(Debug, thiserror::Error)]
pub enum TransportError {
    /// No byte of the request was sent, so it had no effect.
    #[error("the request was not sent")]
    NotSent(#[source] Cause),
    /// No byte of the request was sent, because the first byte could not be sent in time.
    #[error("the request could not be sent in time")]
    TooLate,
    /// Anything else: the request may have been received and acted on.
    #[error("the request may have been sent, and there was no answer")]
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

    /// Cases 16 and 22.
    #[test]
    fn retry_after_is_seconds_or_a_date_and_anything_else_is_ignored() {
        let date = "Mon, 23 Nov 2026 12:00:00 GMT";
        let day =
            |text: &str| text.lines().find_map(|line| line.strip_prefix("Retry-After: ")).unwrap().to_owned();
        let billions = day(include_str!("../../tests/cases/16-retry-after/answer.txt"));
        let more = day(include_str!("../../tests/cases/22-retry-after-crash/answer.txt"));
        for (text, date, seconds) in [
            ("4", None, Some(4)),
            ("0", None, Some(0)),
            (&*billions, None, Some(9_999_999_999)),
            (&*more, None, Some(300_000_000_000)),
            ("99999999999999999999999", None, Some(u64::MAX)),
            ("Mon, 23 Nov 2026 12:00:30 GMT", Some(date), Some(30)),
            ("Mon, 23 Nov 2026 11:00:00 GMT", Some(date), Some(0)),
            ("Mon, 23 Nov 2026 12:00:30 GMT", None, None),
            ("-5", Some(date), None),
            ("2.5", Some(date), None),
            ("soon", Some(date), None),
            ("", Some(date), None),
        ] {
            let mut answer = Response::new(429, "");
            answer.headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            if let Some(date) = date {
                answer.headers.insert(header::DATE, date.parse().unwrap());
            }
            assert_eq!(answer.retry_after(), seconds.map(Duration::from_secs), "{text:?}");
        }
    }

    #[test]
    fn a_request_does_not_print_numbers_or_secrets() {
        let request = Request {
            method: Method::GET,
            url: "https://api.twilio.com/x.json?To=whatsapp%3A%2B5511987654321".to_owned(),
            auth: Basic::new("SK1", "hush".to_owned()).into(),
            body: Body::Form(vec![("To".to_owned(), "+5511987654321".to_owned())]),
            timeout: Duration::from_secs(1),
            leave_by: None,
        };
        let bearer = Auth::Bearer("hush".into());
        let printed = format!("{request:?} {:?} {:?} {bearer:?}", request.body, request.auth);
        assert!(!printed.contains("5511987654321") && !printed.contains("hush"), "{printed}");
        assert!(printed.contains("https://api.twilio.com/x.json"), "{printed}");
    }
}
