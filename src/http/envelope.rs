//! Layers of every request: request id, log span, timeout, and the answer if a handler panics. Logs have the
//! route, never the path or query, which may contain tokens.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use tracing::Instrument as _;
use uuid::Uuid;

use super::{ApiError, App};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// A longer request id is replaced.
const REQUEST_ID_MAX: usize = 100;

pub(super) async fn envelope(
    State((app, timeout)): State<(Arc<App>, Duration)>,
    request: Request,
    next: Next,
) -> Response {
    let id = request_id(request.headers());
    let name = id.to_str().unwrap_or_default().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!("request", id = name, method = %request.method(), route);
    let (method, label) = (request.method().clone(), route.to_owned());
    let began = Instant::now();
    let work = async move {
        if sent_bytes(&request) > app.limits.headers_max_bytes {
            let max = app.limits.headers_max_bytes;
            let detail = format!("the request line and the headers may have at most {max} bytes");
            return finish(ApiError::new("headers.too_large", detail).into_response(), id, &name);
        }
        let handled = tokio::time::timeout(timeout, next.run(request));
        let response = match AssertUnwindSafe(handled).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(_elapsed)) => {
                let detail = format!("a request may take {} s, including its body", timeout.as_secs());
                ApiError::new("request.timeout", detail).into_response()
            }
            Err(_panic) => ApiError::internal("the handler panicked").into_response(),
        };
        app.metrics.http_answered(&label, &method, response.status(), began.elapsed());
        finish(response, id, &name)
    };
    work.instrument(span).await
}

fn finish(mut response: Response, id: HeaderValue, name: &str) -> Response {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    let status = response.status().as_u16();
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        match error.causes() {
            Some(cause) => tracing::error!(status, code = error.code(), cause, "refused"),
            None => tracing::debug!(status, code = error.code(), "refused"),
        }
        *response.body_mut() = error.body(name);
    } else {
        tracing::debug!(status, "answered");
    }
    response
}

/// The size of the request line and the headers, with one space after each colon. The server's own limit is not
/// exact, so it is checked here.
fn sent_bytes(request: &Request) -> usize {
    let line = request.method().as_str().len()
        + request.uri().path_and_query().map_or(1, |path| path.as_str().len())
        + " HTTP/1.1\r\n".len()
        + 1;
    let header =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + ": \r\n".len();
    line + request.headers().iter().map(header).sum::<usize>() + "\r\n".len()
}

/// The caller's request id if it is safe to log, otherwise a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let fit = |value: &&HeaderValue| {
        (1..=REQUEST_ID_MAX).contains(&value.len())
            && value.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b"-_.:/+=".contains(b))
    };
    headers.get(REQUEST_ID).filter(fit).cloned().unwrap_or_else(|| {
        let mut text = Uuid::encode_buffer();
        let text = Uuid::new_v4().simple().encode_lower(&mut text);
        HeaderValue::from_str(text).expect("hexadecimal digits fit into a header")
    })
}
