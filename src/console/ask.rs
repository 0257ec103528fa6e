//! Requests of pages to the customers' API, within the process.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, Method, Request, StatusCode};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::http::ApiError;
use crate::http::auth::Caller;

/// A longer answer is refused: no page needs one.
const ANSWER_MAX: usize = 64 << 20;

/// The answer of the API: its JSON, or why it refused.
pub type Answer = Result<Value, Refused>;

/// A refusal of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub status: StatusCode,
    /// Stable, as in `docs/API.md`.
    pub code: String,
    pub title: String,
    pub detail: String,
    /// Wrong fields, each with one sentence.
    pub errors: Vec<(String, String)>,
}

impl Refused {
    /// A refusal of the console itself.
    #[must_use]
    pub fn new(status: StatusCode, title: &str, detail: &str) -> Self {
        Self {
            status,
            code: String::new(),
            title: title.to_owned(),
            detail: detail.to_owned(),
            errors: Vec::new(),
        }
    }

    /// What is wrong with this field, if it is wrong.
    #[must_use]
    pub fn of_field(&self, name: &str) -> Option<&str> {
        self.errors.iter().find(|(field, _)| field == name).map(|(_, detail)| &**detail)
    }

    pub(super) fn of(error: &ApiError) -> Self {
        let errors = error.errors().iter().map(|fault| (fault.field.clone(), fault.detail.clone()));
        // The API speaks of tokens.
        let title = match error.code() {
            "auth.scope" => "Your role does not include this",
            _ => error.title(),
        };
        Self {
            status: error.status(),
            code: error.code().to_owned(),
            title: title.to_owned(),
            detail: error.detail().to_owned(),
            errors: errors.collect(),
        }
    }
}

/// Sends a request to the API as this caller. `headers` are further ones, such as an idempotency key.
///
/// # Errors
/// What the API refuses, and an answer that is no JSON.
pub(super) async fn ask(
    api: &Router,
    caller: Caller,
    method: Method,
    path: &str,
    headers: &[(HeaderName, String)],
    body: Option<&Value>,
) -> Answer {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let body = match body {
        Some(body) => {
            request = request.header(CONTENT_TYPE, "application/json");
            Body::from(body.to_string())
        }
        None => Body::empty(),
    };
    let request = request.body(body);
    let mut request = request.map_err(|_| {
        Refused::new(StatusCode::BAD_REQUEST, "The address is wrong", "it has characters that no address has")
    })?;
    request.extensions_mut().insert(caller);
    let bytes = raw(api, request).await?;
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(&bytes).map_err(|_| {
        Refused::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The answer cannot be shown",
            "it has another format than JSON",
        )
    })
}

/// The bytes of the answer to any request.
pub(super) async fn raw(api: &Router, request: Request<Body>) -> Result<Vec<u8>, Refused> {
    let Ok(response) = api.clone().oneshot(request).await;
    if let Some(error) = response.extensions().get::<ApiError>() {
        if let Some(cause) = error.logged_cause() {
            tracing::error!(
                status = error.status().as_u16(),
                code = error.code(),
                cause,
                "a page was refused"
            );
        }
        return Err(Refused::of(error));
    }
    let status = response.status();
    let bytes = to_bytes(response.into_body(), ANSWER_MAX).await;
    let bytes = bytes.map_err(|_| {
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "The answer cannot be shown", "it is too long")
    })?;
    if status.is_success() {
        return Ok(bytes.to_vec());
    }
    Err(Refused::new(status, "The request was refused", "the API gave no reason"))
}
