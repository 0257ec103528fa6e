//! Error answers as RFC 9457 problems. Only this file has the status codes of errors.

use std::error::Error as StdError;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{OrderKind, Outcome};
use crate::store;

/// One wrong field: its name, the rule that it breaks, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The path of the field, such as `hours.spans[1].from`; absent if it is about the whole row.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub field: String,
    /// Stable; programs may branch on it.
    #[schema(value_type = String)]
    pub code: &'static str,
    /// One sentence for a person.
    pub detail: String,
}

/// An error answer. [`envelope`](super::envelope) writes its body, which names the request.
#[derive(Debug, Clone)]
pub struct ApiError(Arc<Problem>);

#[derive(Debug)]
struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    outcome: Option<Outcome>,
    /// The value of `Retry-After`, in seconds.
    retry_after_s: Option<u64>,
    /// For the log only.
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// The body of an error answer (RFC 9457).
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct Written<'a> {
    /// A URN of the kind of problem; the last part is `code`.
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    /// Stable; programs may branch on it.
    code: &'a str,
    /// All wrong fields, if fields are wrong.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
    /// The outcome of the callback or invite, if the problem is that it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a str>,
    /// The request, as in the header `X-Request-Id`.
    instance: String,
}

/// All codes of problems: status, code, title.
const PROBLEMS: &[(StatusCode, &str, &str)] = &[
    (StatusCode::BAD_REQUEST, "body.incomplete", "The body is incomplete"),
    (StatusCode::BAD_REQUEST, "body.syntax", "The body is not JSON"),
    (StatusCode::BAD_REQUEST, "body.not_json", "The body has another format than JSON"),
    (StatusCode::BAD_REQUEST, "body.shape", "The body is JSON of another type than expected"),
    (StatusCode::BAD_REQUEST, "id.malformed", "The path has no id of that kind"),
    (StatusCode::BAD_REQUEST, "import.name_malformed", "The import cannot have this name"),
    (StatusCode::BAD_REQUEST, "idempotency.key_malformed", "The idempotency key cannot be used"),
    (StatusCode::BAD_REQUEST, "query.invalid", "The query is wrong"),
    (StatusCode::UNAUTHORIZED, "auth.missing", "A token is needed"),
    (StatusCode::UNAUTHORIZED, "auth.unknown", "The token is unknown"),
    (StatusCode::UNAUTHORIZED, "auth.expired", "The token has expired"),
    (StatusCode::FORBIDDEN, "auth.scope", "The token may not do this"),
    (StatusCode::FORBIDDEN, "auth.tenant", "Only a token of the default tenant may do this"),
    (StatusCode::FORBIDDEN, "pause.not_allowed", "The token may not pause this"),
    (StatusCode::FORBIDDEN, "suppression.not_allowed", "The token may not change this list"),
    (StatusCode::NOT_FOUND, "callback.not_found", "The callback does not exist"),
    (StatusCode::NOT_FOUND, "invite.not_found", "The invite does not exist"),
    (StatusCode::NOT_FOUND, "attempt.not_found", "The attempt does not exist"),
    (StatusCode::NOT_FOUND, "message.not_found", "The message does not exist"),
    (StatusCode::NOT_FOUND, "command.not_found", "The command does not exist"),
    (StatusCode::NOT_FOUND, "set_aside.not_found", "The set-aside item does not exist"),
    (StatusCode::NOT_FOUND, "calendar.not_found", "The calendar does not exist"),
    (StatusCode::NOT_FOUND, "pause.not_found", "The pause does not exist or is over"),
    (StatusCode::NOT_FOUND, "pool.not_found", "The pool does not exist"),
    (StatusCode::NOT_FOUND, "suppression.not_found", "The list has no entry for the person"),
    (StatusCode::NOT_FOUND, "suppression.no_list", "The version of the list does not exist"),
    (StatusCode::NOT_FOUND, "campaign.not_found", "The campaign does not exist"),
    (StatusCode::NOT_FOUND, "import.not_found", "The import does not exist"),
    (StatusCode::NOT_FOUND, "register.not_found", "The register does not exist"),
    (StatusCode::NOT_FOUND, "report.not_found", "The report does not exist"),
    (StatusCode::NOT_FOUND, "erasure.not_found", "The erasure is not known"),
    (StatusCode::NOT_FOUND, "request.not_found", "The path does not exist"),
    (StatusCode::METHOD_NOT_ALLOWED, "request.method", "The path does not support this method"),
    (StatusCode::REQUEST_TIMEOUT, "request.timeout", "The request took too long"),
    (StatusCode::CONFLICT, "callback.closed", "The callback is closed"),
    (StatusCode::CONFLICT, "invite.closed", "The invite is closed"),
    (StatusCode::CONFLICT, "link.no_sender", "There is no sender to link to"),
    (StatusCode::CONFLICT, "link.too_many", "There are links to too many senders"),
    (StatusCode::CONFLICT, "callback.calling", "An attempt is in progress"),
    (StatusCode::CONFLICT, "reference.ambiguous", "Several open callbacks have this reference"),
    (StatusCode::CONFLICT, "attempt.over", "The call is over, or was not placed yet"),
    (StatusCode::CONFLICT, "attempt.not_in_doubt", "The attempt is not unresolved"),
    (StatusCode::CONFLICT, "message.not_in_doubt", "The message is not unresolved"),
    (StatusCode::CONFLICT, "set_aside.ended", "The item is not set aside any more"),
    (StatusCode::CONFLICT, "clock.not_in_doubt", "The clock is not in doubt"),
    (StatusCode::CONFLICT, "permission.refused", "The consumer refused contact"),
    (StatusCode::CONFLICT, "calendar.too_many_days", "Too many days are marked"),
    (StatusCode::CONFLICT, "pause.too_many", "Too many pauses are in force"),
    (StatusCode::CONFLICT, "pool.older_figure", "A newer figure of the pool is known"),
    (StatusCode::CONFLICT, "pool.has_source", "The pool has a source in the configuration"),
    (StatusCode::CONFLICT, "pool.too_many", "There are too many pools"),
    (StatusCode::CONFLICT, "consumer.suppressed", "The consumer is on a suppression list"),
    (StatusCode::CONFLICT, "consumer.wrong_number", "The number is not that of the person"),
    (StatusCode::CONFLICT, "wrap_up.erased", "The person was erased"),
    (StatusCode::CONFLICT, "wrap_up.no_call", "There was no call"),
    (StatusCode::CONFLICT, "offer.over", "The offer is over"),
    (StatusCode::CONFLICT, "offer.taken", "Another agent has taken the offer"),
    (StatusCode::CONFLICT, "offer.other_agent", "The callback is another agent's"),
    (StatusCode::CONFLICT, "erasure.too_many", "Too many erasures are not done"),
    (StatusCode::CONFLICT, "suppression.erased", "An erased person stays suppressed"),
    (StatusCode::CONFLICT, "suppression.other_list", "The version exists with other data"),
    (StatusCode::CONFLICT, "campaign.state", "The campaign is in another state"),
    (StatusCode::CONFLICT, "campaign.unfinished", "The follow-up is not whole yet"),
    (StatusCode::CONFLICT, "campaign.nothing_open", "The campaign has no open callback"),
    (StatusCode::CONFLICT, "campaign.share_used", "The tenant has too many open campaigns"),
    (StatusCode::CONFLICT, "campaign.too_many", "Too many campaigns are open"),
    (StatusCode::CONFLICT, "import.complete", "The import is complete"),
    (StatusCode::CONFLICT, "import.exists", "An import of this name is not complete"),
    (StatusCode::CONFLICT, "import.gap", "The part does not follow on"),
    (StatusCode::CONFLICT, "import.incomplete", "The import is not complete"),
    (StatusCode::CONFLICT, "import.mismatch", "The list is not the one that was told"),
    (StatusCode::CONFLICT, "import.too_many", "There are too many imports"),
    (StatusCode::CONFLICT, "command.dropped", "An operator dropped the command"),
    (StatusCode::CONFLICT, "webhooks.off", "No webhook is configured"),
    (StatusCode::PAYLOAD_TOO_LARGE, "body.too_large", "The body is too large"),
    (StatusCode::PAYLOAD_TOO_LARGE, "body.too_many_rows", "The body has too many rows"),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "body.media_type", "The media type is not supported"),
    (StatusCode::UNPROCESSABLE_ENTITY, "callback.invalid", "The callback cannot be accepted"),
    (StatusCode::UNPROCESSABLE_ENTITY, "invite.invalid", "The invite cannot be accepted"),
    (StatusCode::UNPROCESSABLE_ENTITY, "link.invalid", "The link cannot be made"),
    (StatusCode::UNPROCESSABLE_ENTITY, "permission.invalid", "The permission cannot be shown or changed"),
    (StatusCode::UNPROCESSABLE_ENTITY, "calendar.invalid", "The calendar or hours cannot be used"),
    (StatusCode::UNPROCESSABLE_ENTITY, "pause.invalid", "The pause cannot be set"),
    (StatusCode::UNPROCESSABLE_ENTITY, "pool.invalid", "The figure of the pool cannot be accepted"),
    (StatusCode::UNPROCESSABLE_ENTITY, "consumer.invalid", "The person cannot be looked up"),
    (StatusCode::UNPROCESSABLE_ENTITY, "suppression.invalid", "The suppression cannot be accepted"),
    (StatusCode::UNPROCESSABLE_ENTITY, "wrap_up.invalid", "The wrap-up cannot be accepted"),
    (StatusCode::UNPROCESSABLE_ENTITY, "offer.invalid", "The answer to the offer cannot be accepted"),
    (StatusCode::UNPROCESSABLE_ENTITY, "campaign.invalid", "The campaign cannot be created or changed"),
    (StatusCode::UNPROCESSABLE_ENTITY, "import.invalid", "The import cannot be begun"),
    (StatusCode::UNPROCESSABLE_ENTITY, "import.unreadable", "The list cannot be read"),
    (StatusCode::UNPROCESSABLE_ENTITY, "resolution.invalid", "The resolution cannot be accepted"),
    (StatusCode::UNPROCESSABLE_ENTITY, "search.invalid", "The search is not valid"),
    (StatusCode::UNPROCESSABLE_ENTITY, "idempotency.key_reused", "The key belongs to another order"),
    (StatusCode::TOO_MANY_REQUESTS, "token.rate", "The token sends too many requests"),
    (StatusCode::TOO_MANY_REQUESTS, "token.orders_per_day", "The token has used its orders"),
    (StatusCode::TOO_MANY_REQUESTS, "request.too_many", "Too many requests come from this address"),
    (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers.too_large", "The headers are too large"),
    (StatusCode::INTERNAL_SERVER_ERROR, "internal", "The daemon failed"),
    (StatusCode::TOO_MANY_REQUESTS, "events.too_many", "Too many streams of events are open"),
    (StatusCode::SERVICE_UNAVAILABLE, "forecast.busy", "Another forecast is being made"),
    (StatusCode::SERVICE_UNAVAILABLE, "bulk.busy", "Too many bulk orders are in progress"),
    (StatusCode::SERVICE_UNAVAILABLE, "read.too_slow", "The read took too long"),
    (StatusCode::SERVICE_UNAVAILABLE, "read.busy", "Too many reads are waiting"),
    (StatusCode::SERVICE_UNAVAILABLE, "store.unavailable", "Nothing can be stored now"),
    (StatusCode::SERVICE_UNAVAILABLE, "store.deposed", "Another daemon has opened the store"),
    (StatusCode::SERVICE_UNAVAILABLE, "callback.contended", "The callback changed at the same time"),
];

/// `Retry-After` of answers with status 503, in seconds.
const RETRY_AFTER_S: u64 = 2;

impl ApiError {
    /// # Panics
    /// If the code is not in the table, which tests of every route would show.
    #[must_use]
    pub fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self::with(code, detail, |_| {})
    }

    /// Every code that a request can be refused with. `docs/API.md` lists them.
    pub fn codes() -> impl Iterator<Item = &'static str> {
        PROBLEMS.iter().map(|(_, code, _)| *code)
    }

    /// A refusal because of wrong fields; lists all of them.
    #[must_use]
    pub fn fields(code: &'static str, errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{}: {}", only.field, only.detail),
            many => format!("{} fields are wrong; see errors", many.len()),
        };
        Self::with(code, detail, |problem| problem.errors = errors)
    }

    /// A refusal because the callback or invite is closed.
    #[must_use]
    pub fn closed(kind: OrderKind, outcome: Outcome) -> Self {
        let code = match kind {
            OrderKind::Callback => "callback.closed",
            OrderKind::Invite => "invite.closed",
        };
        let detail = format!("it ended with the outcome {:?}", outcome.as_str());
        Self::with(code, detail, |problem| problem.outcome = Some(outcome))
    }

    /// An error of the daemon. The cause is for the log only.
    #[must_use]
    pub fn internal(cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::with("internal", "it was logged with the id of this request", |problem| {
            problem.cause = Some(cause.into());
        })
    }

    /// A refusal with `Retry-After`: whole seconds, at least 1.
    #[must_use]
    pub fn later(code: &'static str, detail: impl Into<String>, wait: SignedDuration) -> Self {
        let seconds = wait.as_millis().max(1).unsigned_abs().div_ceil(1000);
        Self::with(code, detail, |problem| {
            problem.retry_after_s = Some(u64::try_from(seconds).unwrap_or(u64::MAX));
        })
    }

    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    #[must_use]
    pub fn title(&self) -> &'static str {
        self.0.title
    }

    /// One sentence for a person.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The wrong fields, if fields are wrong.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    /// The cause with its own causes, for the log only.
    #[must_use]
    pub fn logged_cause(&self) -> Option<String> {
        self.causes()
    }

    /// The cause, for the log only.
    pub(super) fn cause(&self) -> Option<&(dyn StdError + Send + Sync + 'static)> {
        self.0.cause.as_deref()
    }

    /// The cause and its own causes on one line, for the log only.
    pub(super) fn causes(&self) -> Option<String> {
        let mut causes = vec![self.cause()?.to_string()];
        let mut next = self.cause()?.source();
        while let Some(source) = next {
            causes.push(source.to_string());
            next = source.source();
        }
        Some(causes.join(": "))
    }

    /// The problem as a field error, for answers with several of them.
    pub(super) fn fault(&self) -> FieldError {
        FieldError { field: String::new(), code: self.0.code, detail: self.0.detail.clone() }
    }

    /// The body, for the request with this id.
    pub(super) fn body(&self, request_id: &str) -> Body {
        let problem = &*self.0;
        let written = Written {
            r#type: format!("urn:ringmaster:problem:{}", problem.code),
            title: problem.title,
            status: problem.status.as_u16(),
            detail: &problem.detail,
            code: problem.code,
            errors: &problem.errors,
            outcome: problem.outcome.map(Outcome::as_str),
            instance: request_id.to_owned(),
        };
        Body::from(serde_json::to_vec(&written).expect("a problem is plain data"))
    }

    fn with(code: &'static str, detail: impl Into<String>, fill: impl FnOnce(&mut Problem)) -> Self {
        let (status, _, title) =
            *PROBLEMS.iter().find(|(_, known, _)| *known == code).expect("every code used is in the table");
        let mut problem = Problem {
            status,
            code,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            outcome: None,
            retry_after_s: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER_S),
            cause: None,
        };
        fill(&mut problem);
        Self(Arc::new(problem))
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.0.status == StatusCode::UNAUTHORIZED {
            let challenge = match self.0.code {
                "auth.missing" => r#"Bearer realm="ringmaster""#,
                _ => r#"Bearer realm="ringmaster", error="invalid_token""#,
            };
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.0.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<store::Error> for ApiError {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Unavailable(_) | store::Error::OutcomeUnknown => {
                Self::with("store.unavailable", "nothing of this request was stored; try again", |problem| {
                    problem.cause = Some(error.into());
                })
            }
            store::Error::Overdue => Self::new("read.too_slow", "the read took too long; narrow the search"),
            store::Error::Busy => {
                Self::new("read.busy", "too many reads are waiting; try again after Retry-After")
            }
            store::Error::Deposed => Self::new(
                "store.deposed",
                "another daemon has opened the store; use that one, and stop this one",
            ),
            store::Error::Conflict => {
                Self::new("callback.contended", "it changed at the same time; try again")
            }
            store::Error::Unreadable(_)
            | store::Error::Corrupt(_)
            | store::Error::Unusable(_)
            | store::Error::Panicked(_) => Self::internal(error),
        }
    }
}

pub(super) async fn no_such_address() -> ApiError {
    nothing_here()
}

pub(super) fn nothing_here() -> ApiError {
    ApiError::new("request.not_found", "the API is described at /docs and in /openapi.json")
}

pub(super) async fn no_such_method() -> ApiError {
    ApiError::new("request.method", "the header Allow lists the supported methods")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_listed_twice() {
        for (index, (_, code, _)) in PROBLEMS.iter().enumerate() {
            assert!(PROBLEMS[..index].iter().all(|(_, other, _)| other != code), "{code}");
        }
    }

    #[test]
    fn a_client_is_never_asked_to_come_back_at_once() {
        for (wait, expected) in [(-5_000, "1"), (0, "1"), (1, "1"), (1_000, "1"), (1_001, "2")] {
            let wait = SignedDuration::from_millis(wait);
            let response = ApiError::later("request.too_many", "x", wait).into_response();
            assert_eq!(response.headers()[RETRY_AFTER], expected, "{wait:?}");
        }
        let wait = SignedDuration::from_micros(300);
        assert_eq!(ApiError::later("token.rate", "x", wait).into_response().headers()[RETRY_AFTER], "1");
    }

    #[test]
    fn a_store_that_cannot_answer_now_asks_for_patience() {
        let faults = [
            (store::Error::Unavailable("disk full".into()), "store.unavailable"),
            (store::Error::Busy, "read.busy"),
            (store::Error::Overdue, "read.too_slow"),
        ];
        for (fault, code) in faults {
            let error = ApiError::from(fault);
            assert_eq!(error.code(), code);
            let response = error.into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert!(response.headers().contains_key(RETRY_AFTER));
        }
    }
}
