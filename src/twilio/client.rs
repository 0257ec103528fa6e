//! The client for one Twilio account: URLs, credentials, and the three kinds of requests. Each resource has its own
//! file with its requests.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::outcome::{Created, Error, Refusal, UnknownCause};
use crate::platform::LeaveBy;
use crate::transport::{Basic, Body, Request, Response, Transport, TransportError};

/// One account, with its credentials, URLs and timeouts.
#[derive(Debug, Clone)]
pub struct Account {
    /// `AC…`.
    pub sid: String,
    /// An API key and its secret, or the account's sid and auth token.
    pub auth: Basic,
    pub endpoints: Endpoints,
    /// The timeout of creates. It is long, because a timeout makes the result unknown.
    pub create_timeout: Duration,
    /// The timeout of requests that may be repeated.
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
    pub task_router: String,
}

impl Default for Endpoints {
    /// Region US1, the only one known to place WhatsApp calls.
    fn default() -> Self {
        Self {
            api: "https://api.twilio.com".to_owned(),
            content: "https://content.twilio.com".to_owned(),
            messaging: "https://messaging.twilio.com".to_owned(),
            monitor: "https://monitor.twilio.com".to_owned(),
            task_router: "https://taskrouter.twilio.com".to_owned(),
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
            task_router: base.to_owned(),
        }
    }
}

/// The client for one account. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    transport: Arc<dyn Transport>,
    pub(super) account: Arc<Account>,
    leave_by: Option<LeaveBy>,
}

/// The service of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Api,
    Content,
    Messaging,
    Monitor,
    TaskRouter,
}

/// The maximum number of pages of a list. A longer list is an error, because an incomplete one would be wrong.
const PAGES_MAX: usize = 200;

impl Client {
    pub fn new(transport: Arc<dyn Transport>, account: Account) -> Self {
        Self { transport, account: Arc::new(account), leave_by: None }
    }

    /// The same client, whose creates and changes are sent by `leave_by` or not at all.
    #[must_use]
    pub fn leaving_by(&self, leave_by: LeaveBy) -> Self {
        Self { leave_by: Some(leave_by), ..self.clone() }
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

    /// Sends a create request once. `accept` parses the body of a success.
    pub(super) async fn create<T>(
        &self,
        service: Service,
        path: &str,
        body: Body,
        accept: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Created<T> {
        let timeout = self.account.create_timeout;
        let mut request = self.request(service, Method::POST, path, body, timeout);
        request.leave_by.clone_from(&self.leave_by);
        let response = match self.transport.send(request).await {
            Ok(response) => response,
            Err(TransportError::NotSent(cause)) => return Created::NotSent(chain(&*cause)),
            Err(TransportError::TooLate) => return Created::TooLate,
            Err(TransportError::Lost(cause)) => return Created::Unknown(UnknownCause::Lost(cause)),
        };
        let status = response.status;
        match status {
            200..=299 => accept(&response.body)
                .map_or(Created::Unknown(UnknownCause::Malformed { status }), Created::Accepted),
            429 => {
                Created::Throttled { retry_after: response.retry_after(), refusal: Refusal::read(&response) }
            }
            // 425 means that the request may be a replay, and 408 that it did not arrive in time.
            408 | 425 => Created::Unknown(UnknownCause::of(&response)),
            400..=499 => Created::Refused(Refusal::read(&response)),
            _ => Created::Unknown(UnknownCause::of(&response)),
        }
    }

    pub(super) async fn read<T: DeserializeOwned>(&self, service: Service, path: &str) -> Result<T, Error> {
        self.ask(service, Method::GET, path, Body::None).await
    }

    /// Sends a change that may be repeated.
    pub(super) async fn change<T: DeserializeOwned>(
        &self,
        service: Service,
        path: &str,
        body: Body,
    ) -> Result<T, Error> {
        self.ask(service, Method::POST, path, body).await
    }

    /// Reads all pages of a list. `keep` takes its items from each page.
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

    /// Sends a read whose body does not matter. `None` if there is no answer, or one that may be of a proxy.
    pub(super) async fn date_of(&self, service: Service, path: &str) -> Option<Timestamp> {
        let request = self.request(service, Method::GET, path, Body::None, self.account.read_timeout);
        let response = self.transport.send(request).await.ok()?;
        response.date().filter(|_| response.status < 500)
    }

    /// Deletes a resource. The answer has no body.
    pub(super) async fn remove(&self, service: Service, path: &str) -> Result<(), Error> {
        self.answer(service, Method::DELETE, path, Body::None).await.map(drop)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        service: Service,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<T, Error> {
        let response = self.answer(service, method, path, body).await?;
        serde_json::from_slice(&response.body).map_err(|error| Error::Unexpected(Box::new(error)))
    }

    /// The answer of a success.
    async fn answer(
        &self,
        service: Service,
        method: Method,
        path: &str,
        body: Body,
    ) -> Result<Response, Error> {
        let timeout = self.account.read_timeout;
        let mut request = self.request(service, method, path, body, timeout);
        request.leave_by.clone_from(&self.leave_by);
        let response =
            self.transport.send(request).await.map_err(|error| Error::Unreachable(Box::new(error)))?;
        match response.status {
            200..=299 => Ok(response),
            404 => Err(Error::NotFound),
            429 => Err(Error::RateLimited { retry_after: response.retry_after() }),
            408 | 425 | 500.. => Err(Error::Unreachable(Box::new(UnknownCause::of(&response)))),
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
            Service::TaskRouter => &endpoints.task_router,
        };
        Request {
            method,
            url: format!("{base}{path}"),
            auth: self.account.auth.clone().into(),
            body,
            timeout,
            leave_by: None,
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("account", &self.account.sid).finish_non_exhaustive()
    }
}

/// A page of a list: its items, and the URL of the next page.
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
    let start = path.len().saturating_add(1);
    let mut query = form_urlencoded::Serializer::for_suffix(format!("{path}?"), start);
    query.extend_pairs(pairs);
    query.finish()
}

/// The URL of the next page. It must be at the same service, because credentials are not sent to another host.
fn path_and_query(url: &str) -> &str {
    url.split_once("://").map_or(url, |(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..]))
}

pub(super) fn pair(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// An error and its causes in one line.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
