//! Request and response bodies: bytes of a known media type in, JSON out.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use crate::http::ApiError;
use crate::text::json;

/// The accepted media types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Media {
    Json,
    Ndjson,
}

impl Media {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
        let essence = value.split(';').next().unwrap_or_default().trim();
        match essence.to_ascii_lowercase().as_str() {
            "application/json" => Some(Self::Json),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Some(Self::Ndjson),
            _ => None,
        }
    }
}

/// The bytes of a body with a JSON media type. The handler parses them.
pub(super) struct JsonBytes(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for JsonBytes {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if Media::of(request.headers()) != Some(Media::Json) {
            return Err(ApiError::new(
                "body.media_type",
                "expected the header Content-Type: application/json",
            ));
        }
        bytes(request, state).await.map(Self)
    }
}

/// The whole body, without a byte-order mark. Bodies that are clearly not JSON are refused here.
pub(super) async fn bytes<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    let bytes = Bytes::from_request(request, state).await.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            ApiError::new("body.too_large", "the body is larger than allowed for this path; send it in parts")
        }
        _ => ApiError::new("body.incomplete", "the connection ended before the body was complete"),
    })?;
    json_text(&bytes)
}

/// The body without a byte-order mark. One that is clearly not JSON is refused.
pub(super) fn json_text(bytes: &Bytes) -> Result<Bytes, ApiError> {
    let text = json::open(bytes).map_err(|found| ApiError::new("body.not_json", found.to_string()))?;
    Ok(bytes.slice_ref(text))
}

/// Most answers are not longer, such as that about a new callback.
const USUAL_BYTES: usize = 1024;

/// A JSON response.
pub(in crate::http) fn json<T: Serialize>(status: StatusCode, value: &T) -> Response {
    let mut text = Vec::with_capacity(USUAL_BYTES);
    serde_json::to_writer(&mut text, value).expect("a view is plain data");
    raw(status, "application/json", text)
}

pub(super) fn raw(status: StatusCode, media: &'static str, body: Vec<u8>) -> Response {
    (status, [(CONTENT_TYPE, HeaderValue::from_static(media))], body).into_response()
}
