//! Posted forms: bounded, and only those that our own pages sent.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderMap};
use axum::response::Response;
use subtle::ConstantTimeEq as _;

use super::Console;
use super::ask::Refused;
use super::visit::Visit;

/// A longer form is refused. No form has more than some fields.
const FORM_MAX: usize = 64 << 10;

/// A form with the request that it came with.
pub struct Form {
    pub visit: Visit,
    fields: Vec<(String, String)>,
}

impl FromRequest<Arc<Console>> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, console: &Arc<Console>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let Ok(visit) = Visit::from_request_parts(&mut parts, console).await;
        let refuse = |status, title: &str, detail: &str| visit.refused(&Refused::new(status, title, detail));
        if is_from_elsewhere(&parts.headers) {
            let detail = "The form was sent from another site. Open the page here, and send it again.";
            return Err(refuse(StatusCode::FORBIDDEN, "The form is not ours", detail));
        }
        let is_form = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !is_form.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded")) {
            let detail = "The body must be a form (application/x-www-form-urlencoded).";
            return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is no form", detail));
        }
        let bytes = to_bytes(body, FORM_MAX).await;
        let bytes = bytes.map_err(|_| {
            refuse(StatusCode::PAYLOAD_TOO_LARGE, "The form is too long", "A form may have at most 64 KiB.")
        })?;
        let fields: Vec<_> = form_urlencoded::parse(&bytes).into_owned().collect();
        let form = Self { fields, visit };
        if bool::from(form.text("csrf").as_bytes().ct_eq(form.visit.person.csrf.as_bytes())) {
            return Ok(form);
        }
        let detail =
            "The form is out of date, or it was not sent from a page of the console. Open the page again.";
        Err(form.visit.refused(&Refused::new(StatusCode::FORBIDDEN, "The form is not ours", detail)))
    }
}

impl Form {
    /// All fields, in their order.
    #[must_use]
    pub fn fields(&self) -> &[(String, String)] {
        &self.fields
    }

    /// A field without the spaces around it; empty if it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(given, _)| given == name);
        found.map_or("", |(_, value)| value.trim())
    }

    /// A field, if it is not empty.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }
}

/// Whether a browser says that another site sent the request. A browser that says nothing is left to the token.
pub(super) fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none")
}
