//! What a page asks of the API for the person who looks at it, as values of Rust.

use std::fmt::Write as _;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Method, Request, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tower::ServiceExt as _;

use super::ask::Refused;
use super::person::may_ask;
use super::visit::Visit;
use crate::http::ApiError;

/// An answer that a page reads is at most so long, in bytes. Lists are bounded far below it.
const ANSWER_MAX: usize = 32 << 20;
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NDJSON: HeaderValue = HeaderValue::from_static("application/x-ndjson");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// One look of a person at a page.
pub struct Asking {
    pub visit: Visit,
    pub now: Timestamp,
    /// The zone in which times are shown and entered.
    pub zone: TimeZone,
}

/// What the API answered to a change.
pub struct Answered {
    /// The command is stored and not yet applied.
    pub is_pending: bool,
    pub body: Value,
}

impl Asking {
    #[must_use]
    pub fn new(visit: Visit) -> Self {
        let (now, zone) = (visit.now(), visit.app().reports.zone.clone());
        Self { visit, now, zone }
    }

    /// A new key, by which a form that is sent twice is one command.
    #[must_use]
    pub fn fresh_key(&self) -> String {
        self.visit.app().ids.uuid(self.now).simple().to_string()
    }

    /// Whether the person may send a request to this route, such as `/v1/campaigns/{id}/pause`.
    #[must_use]
    pub fn may(&self, method: &Method, route: &str) -> bool {
        may_ask(&self.visit.person, method, route)
    }

    /// Reads what a path of the API shows.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn read<T: DeserializeOwned>(&self, path: &str) -> Result<T, Refused> {
        shaped(self.visit.get(path).await?)
    }

    /// The same for a path that is asked with a body, so that no number is in a URL.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn look_up<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Refused> {
        shaped(self.visit.post(path, body).await?)
    }

    /// Passes on what a path of the API answers, such as a file.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn fetch(&self, path: &str) -> Result<Response, Refused> {
        self.send(Method::GET, path, None, None).await
    }

    /// Asks for a change.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn change(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answered, Refused> {
        let body = body.map(|body| (JSON, body.to_string().into()));
        let response = self.send(method, path, key, body).await?;
        let is_pending = response.status() == StatusCode::ACCEPTED;
        let bytes = to_bytes(response.into_body(), ANSWER_MAX).await.unwrap_or_default();
        Ok(Answered { is_pending, body: serde_json::from_slice(&bytes).unwrap_or_default() })
    }

    /// Lets the rows of a list be checked: one order on each line.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn check_rows<T: DeserializeOwned>(&self, rows: Bytes) -> Result<T, Refused> {
        let response = self.send(Method::POST, "/v1/imports/check", None, Some((NDJSON, rows))).await?;
        let bytes = to_bytes(response.into_body(), ANSWER_MAX).await.unwrap_or_default();
        shaped(serde_json::from_slice(&bytes).unwrap_or_default())
    }

    /// Sends bytes as they are, such as a part of a list.
    ///
    /// # Errors
    /// What the API refuses.
    pub async fn put(&self, path: &str, part: Bytes) -> Result<(), Refused> {
        self.send(Method::PUT, path, None, Some((BYTES, part))).await.map(|_| ())
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        key: Option<&str>,
        body: Option<(HeaderValue, Bytes)>,
    ) -> Result<Response, Refused> {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(key) = key.filter(|key| !key.is_empty()) {
            request = request.header("idempotency-key", key);
        }
        let body = match body {
            Some((kind, bytes)) => {
                request = request.header(CONTENT_TYPE, kind);
                Body::from(bytes)
            }
            None => Body::empty(),
        };
        let request = request.body(body);
        let mut request = request.map_err(|_| {
            Refused::new(
                StatusCode::BAD_REQUEST,
                "The address is wrong",
                "it has characters that no address has",
            )
        })?;
        let (api, caller) = self.visit.api();
        request.extensions_mut().insert(caller);
        let Ok(response) = api.oneshot(request).await;
        if let Some(error) = response.extensions().get::<ApiError>() {
            return Err(Refused::of(error));
        }
        if response.status().is_success() {
            return Ok(response);
        }
        Err(Refused::new(response.status(), "The request was refused", "the API gave no reason"))
    }
}

fn shaped<T: DeserializeOwned>(value: Value) -> Result<T, Refused> {
    serde_json::from_value(value).map_err(|error| {
        tracing::error!(%error, "a page does not know the shape of an answer");
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "The answer cannot be shown", "it has another shape")
    })
}

/// A text as one segment of a path.
#[must_use]
pub fn segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            _ = write!(out, "%{byte:02X}");
        }
    }
    // These two would be steps in a path.
    if matches!(out.as_str(), "." | "..") { out.replace('.', "%2E") } else { out }
}

/// A query from names and values. Empty values are left out; without any it is empty.
#[must_use]
pub fn query<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    out.extend_pairs(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
    let text = out.finish();
    if text.is_empty() { text } else { format!("?{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place_in_the_path() {
        assert_eq!(segment("BR-SP"), "BR-SP");
        assert_eq!(segment("a/b?c#d e"), "a%2Fb%3Fc%23d%20e");
        assert_eq!(segment(".."), "%2E%2E");
        assert_eq!(segment("\u{e9}"), "%C3%A9");
    }

    #[test]
    fn a_query_has_no_empty_values() {
        assert_eq!(query([("a", ""), ("b", "")]), "");
        assert_eq!(query([("a", "1 2"), ("b", ""), ("c", "&")]), "?a=1+2&c=%26");
    }
}
