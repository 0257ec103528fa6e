//! The client for one Twilio account: addresses, credentials, and what an answer means.
//!
//! Creating and asking are kept apart. A create is never repeated here, because Twilio has no idempotency key
//! for it; [`Created`] says which of five things is known about it. Asking is harmless and has an ordinary
//! [`Error`].

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::json;
use super::mask::mask_numbers;
use super::transport::{Basic, Body, Cause, Request, Response, Transport, TransportError};

/// One account, and where and how to reach Twilio for it.
#[derive(Debug, Clone)]
pub struct Account {
    /// `AC…`.
    pub sid: String,
    /// An API key and its secret, or the account's sid and auth token.
    pub auth: Basic,
    pub endpoints: Endpoints,
    /// For creates. Long, because giving up early makes an outcome unknown.
    pub create_timeout: Duration,
    /// For everything that may be repeated.
    pub read_timeout: Duration,
}

impl Account {
    /// An account at Twilio itself, with the default timeouts.
    pub fn new(sid: impl Into<String>, auth: Basic) -> Self {
        Self {
            sid: sid.into(),
            auth,
            endpoints: Endpoints::default(),
            create_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(15),
        }
    }
}

/// The base URL of each of Twilio's services that we use, without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    pub api: String,
    pub content: String,
    pub messaging: String,
    pub monitor: String,
}

impl Default for Endpoints {
    /// Region US1, the only one known to place WhatsApp calls.
    fn default() -> Self {
        Self {
            api: "https://api.twilio.com".to_owned(),
            content: "https://content.twilio.com".to_owned(),
            messaging: "https://messaging.twilio.com".to_owned(),
            monitor: "https://monitor.twilio.com".to_owned(),
        }
    }
}

impl Endpoints {
    /// All services behind one address, as in the sandbox. Their paths do not overlap.
    #[must_use]
    pub fn all_at(base: &str) -> Self {
        let base = base.trim_end_matches('/');
        Self {
            api: base.to_owned(),
            content: base.to_owned(),
            messaging: base.to_owned(),
            monitor: base.to_owned(),
        }
    }
}

/// What is known about a create.
#[derive(Debug)]
pub enum Created<T> {
    /// It exists, and this is it.
    Accepted(T),
    /// It does not exist, and the same request would be refused again.
    Refused(Refusal),
    /// It does not exist: Twilio states that a request answered with 429 was never processed.
    Throttled { retry_after: Option<Duration>, refusal: Refusal },
    /// It does not exist: no byte of the request left. Says why.
    NotSent(String),
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
            Self::Unknown(cause) => Created::Unknown(cause),
        }
    }
}

/// Why nobody can say whether a create succeeded.
#[derive(Debug, thiserror::Error)]
pub enum UnknownCause {
    #[error("the request was lost on the way or its answer was")]
    Lost(#[source] Cause),
    /// A redirection, 408, or 5xx; the code is that of the error body, if there was one.
    #[error("status {status} does not say whether the request was carried out")]
    Status { status: u16, code: Option<u32> },
    /// A success without a well-formed identifier.
    #[error("a success of status {status} whose body cannot be understood")]
    Malformed { status: u16 },
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

    fn read(response: &Response) -> Self {
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

/// Talks to Twilio for one account. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    pub(super) account: Arc<Account>,
}

/// Which of the services a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Api,
    Content,
    Messaging,
    Monitor,
}

/// A list longer than this many pages is not followed to its end but reported, so that nobody takes a part of
/// a list for the whole.
const PAGES_MAX: usize = 200;

impl Client {
    pub fn new(transport: Arc<dyn Transport>, account: Account) -> Self {
        Self { transport, account: Arc::new(account) }
    }

    /// The account's identifier.
    #[must_use]
    pub fn account_sid(&self) -> &str {
        &self.account.sid
    }

    /// A path of this account in the v2010 service.
    pub(super) fn account_path(&self, rest: &str) -> String {
        format!("/2010-04-01/Accounts/{}/{rest}", self.account.sid)
    }

    /// Creates something, once. `accept` finds it in the body of a success, or finds the body malformed.
    pub(super) async fn create<T>(
        &self,
        service: Service,
        path: &str,
        body: Body,
        accept: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Created<T> {
        let timeout = self.account.create_timeout;
        let request = self.request(service, Method::POST, path, body, timeout);
        let response = match self.transport.send(request).await {
            Ok(response) => response,
            Err(TransportError::NotSent(cause)) => return Created::NotSent(chain(&*cause)),
            Err(TransportError::Lost(cause)) => return Created::Unknown(UnknownCause::Lost(cause)),
        };
        let status = response.status;
        match status {
            200..=299 => accept(&response.body)
                .map_or(Created::Unknown(UnknownCause::Malformed { status }), Created::Accepted),
            429 => {
                Created::Throttled { retry_after: response.retry_after(), refusal: Refusal::read(&response) }
            }
            408 => Created::Unknown(unknown_status(&response)),
            400..=499 => Created::Refused(Refusal::read(&response)),
            _ => Created::Unknown(unknown_status(&response)),
        }
    }

    pub(super) async fn read<T: DeserializeOwned>(&self, service: Service, path: &str) -> Result<T, Error> {
        self.ask(service, Method::GET, path, Body::None).await
    }

    /// Changes something in a way that may be repeated.
    pub(super) async fn change<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        body: Body,
    ) -> Result<T, Error> {
        self.ask(service, Method::POST, path, body).await
    }

    /// Follows a list to its end. `keep` takes what it wants of each page.
    pub(super) async fn list<P: Page, T>(
        &self,
        service: Service,
        path: String,
        mut keep: impl FnMut(P::Item) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let mut found = Vec::new();
        let mut next = Some(path);
        for _ in 0..PAGES_MAX {
            let Some(path) = next else { return Ok(found) };
            let page: P = self.read(service, &path).await?;
            let (items, after) = page.split();
            found.extend(items.into_iter().filter_map(&mut keep));
            next = after.map(|url| path_and_query(&url).to_owned());
        }
        if next.is_none() {
            return Ok(found);
        }
        Err(Error::Unexpected(format!("a list of more than {PAGES_MAX} pages").into()))
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        service: Service,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<T, Error> {
        let timeout = self.account.read_timeout;
        let request = self.request(service, method, path, body, timeout);
        let response =
            self.transport.send(request).await.map_err(|error| Error::Unreachable(Box::new(error)))?;
        match response.status {
            200..=299 => {
                serde_json::from_slice(&response.body).map_err(|error| Error::Unexpected(Box::new(error)))
            }
            404 => Err(Error::NotFound),
            429 => Err(Error::RateLimited { retry_after: response.retry_after() }),
            408 | 500.. => Err(Error::Unreachable(Box::new(unknown_status(&response)))),
            400..=499 => Err(Error::Rejected(Refusal::read(&response))),
            status => Err(Error::Unexpected(format!("status {status}").into())),
        }
    }

    fn request(
        &self,
        service: Service,
        method: Method,
        path: &str,
        body: Body,
        timeout: Duration,
    ) -> Request {
        let endpoints = &self.account.endpoints;
        let base = match service {
            Service::Api => &endpoints.api,
            Service::Content => &endpoints.content,
            Service::Messaging => &endpoints.messaging,
            Service::Monitor => &endpoints.monitor,
        };
        Request { method, url: format!("{base}{path}"), auth: self.account.auth.clone(), body, timeout }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("account", &self.account.sid).finish_non_exhaustive()
    }
}

/// A page of a list: its items, and the address of the next page.
pub(super) trait Page: DeserializeOwned {
    type Item;

    fn split(self) -> (Vec<Self::Item>, Option<String>);
}

/// The `meta` of a list outside v2010.
#[derive(Default, Deserialize)]
pub(super) struct Meta {
    #[serde(default)]
    pub(super) next_page_url: Option<String>,
}

/// A path with a query, encoded.
pub(super) fn with_query(path: &str, pairs: &[(&str, String)]) -> String {
    let start = path.len() + 1;
    let mut query = form_urlencoded::Serializer::for_suffix(format!("{path}?"), start);
    query.extend_pairs(pairs);
    query.finish()
}

/// Where the next page is, at the service that gave the first one: credentials follow no link to another host.
fn path_and_query(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..]))
}

fn unknown_status(response: &Response) -> UnknownCause {
    UnknownCause::Status { status: response.status, code: Refusal::read(response).code }
}

/// An error and its causes in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
