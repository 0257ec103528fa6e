//! The client for the Graph API with one token: URLs, the token, and the kinds of requests.
//!
//! It repeats nothing and follows no redirection; the transport bounds each answer in time and size.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use jiff::Timestamp;
use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::outcome::{Created, GraphError, UnknownCause};
use crate::platform::LeaveBy;
use crate::transport::{Auth, Body, Request, Response, Transport, TransportError};

/// The version of the documents that the messages follow (Meta, *Interactive Call-to-Action URL Button Messages*,
/// 28 Jun 2026).
pub const VERSION: &str = "v25.0";
pub const URL: &str = "https://graph.facebook.com";

/// One token, with the address and the timeouts of its requests.
#[derive(Debug, Clone)]
pub struct GraphAccount {
    /// The base URL, without a slash at the end.
    pub url: String,
    /// Such as `v25.0`.
    pub version: String,
    pub token: SecretString,
    /// The timeout of creates. It is long, because a timeout makes the result unknown.
    pub create_timeout: Duration,
    /// The timeout of requests that may be repeated.
    pub read_timeout: Duration,
}

impl GraphAccount {
    /// With the default timeouts.
    pub fn new(url: impl Into<String>, version: impl Into<String>, token: impl Into<SecretString>) -> Self {
        Self {
            url: url.into(),
            version: version.into(),
            token: token.into(),
            create_timeout: Duration::from_secs(30),
            read_timeout: Duration::from_secs(15),
        }
    }
}

/// The client. Cheap to clone.
#[derive(Clone)]
pub struct Graph {
    transport: Arc<dyn Transport>,
    account: Arc<GraphAccount>,
    leave_by: Option<LeaveBy>,
}

impl Graph {
    #[must_use]
    pub fn new(transport: Arc<dyn Transport>, account: GraphAccount) -> Self {
        Self { transport, account: Arc::new(account), leave_by: None }
    }

    /// The same client, whose creates and changes are sent by `leave_by` or not at all.
    #[must_use]
    pub fn leaving_by(&self, leave_by: LeaveBy) -> Self {
        Self { leave_by: Some(leave_by), ..self.clone() }
    }

    /// Sends a create request once. `path` is what follows the version, such as `106540352242922/messages`. `accept`
    /// reads the body of a success; without a result it is unknown.
    pub async fn create<T>(
        &self,
        path: &str,
        body: &Value,
        accept: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Created<T> {
        let mut request = self.request(Method::POST, path, json(body), self.account.create_timeout);
        request.leave_by.clone_from(&self.leave_by);
        match self.transport.send(request).await {
            Ok(response) => Created::read(&response, accept),
            Err(TransportError::NotSent(cause)) => Created::NotSent(chain(&*cause)),
            Err(TransportError::TooLate) => Created::TooLate,
            Err(TransportError::Lost(cause)) => Created::Unknown(UnknownCause::Lost(cause)),
        }
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// [`GraphError`].
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, GraphError> {
        parse(&self.answer(Method::GET, path, Body::None).await?)
    }

    /// Sends a change that may be repeated.
    ///
    /// # Errors
    /// [`GraphError`].
    pub async fn change<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, GraphError> {
        parse(&self.answer(Method::POST, path, json(body)).await?)
    }

    /// Deletes a resource.
    ///
    /// # Errors
    /// [`GraphError`].
    pub async fn remove(&self, path: &str) -> Result<(), GraphError> {
        self.answer(Method::DELETE, path, Body::None).await.map(drop)
    }

    /// Meta's date, by a cheap lookup. `None` if there is no answer, or one that may be of a proxy.
    pub async fn date(&self) -> Option<Timestamp> {
        let request = self.request(Method::GET, "me?fields=id", Body::None, self.account.read_timeout);
        let response = self.transport.send(request).await.ok()?;
        response.date().filter(|_| response.status < 500)
    }

    /// The answer of a success.
    async fn answer(&self, method: Method, path: &str, body: Body) -> Result<Response, GraphError> {
        let mut request = self.request(method, path, body, self.account.read_timeout);
        request.leave_by.clone_from(&self.leave_by);
        let sent = self.transport.send(request).await;
        let response = sent.map_err(|error| GraphError::Unreachable(Box::new(error)))?;
        match response.status {
            200..=299 => Ok(response),
            _ => Err(GraphError::read(&response)),
        }
    }

    fn request(&self, method: Method, path: &str, body: Body, timeout: Duration) -> Request {
        let GraphAccount { url, version, token, .. } = &*self.account;
        Request {
            method,
            url: format!("{url}/{version}/{path}"),
            auth: Auth::Bearer(token.clone()),
            body,
            timeout,
            leave_by: None,
        }
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph").field("url", &self.account.url).finish_non_exhaustive()
    }
}

/// A path with a query, encoded.
#[must_use]
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let start = path.len().saturating_add(1);
    let mut query = form_urlencoded::Serializer::for_suffix(format!("{path}?"), start);
    query.extend_pairs(pairs);
    query.finish()
}

fn json(body: &Value) -> Body {
    Body::Json(Bytes::from(body.to_string()))
}

fn parse<T: DeserializeOwned>(response: &Response) -> Result<T, GraphError> {
    serde_json::from_slice(&response.body).map_err(|error| GraphError::Unexpected(Box::new(error)))
}

/// An error and its causes in one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
