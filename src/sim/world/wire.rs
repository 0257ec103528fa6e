//! What crosses the world's border: API requests and answers, webhooks and the replies to them.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A request to Twilio's REST API, as it came over the wire.
#[derive(Debug, Clone, Default)]
pub struct ApiRequest {
    pub method: String,
    pub path: String,
    /// The raw query, without `?`.
    pub query: String,
    /// The value of `Authorization`.
    pub authorization: Option<String>,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
    /// Scheme and authority that the request was sent to, for the products that answer whole addresses.
    pub origin: String,
}

/// The answer to an [`ApiRequest`], and what becomes of it on the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResponse {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub fate: Fate,
}

/// What becomes of an answer on its way to whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Deliver,
    /// The request was served, and its answer never arrives.
    Drop,
    DelayBy(SignedDuration),
}

impl ApiResponse {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body: body.to_string(), fate: Fate::Deliver }
    }

    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new(), fate: Fate::Deliver }
    }

    /// The body of Twilio's v2010, Messaging and Content products for an error.
    pub(super) fn error(refusal: &Refusal) -> Self {
        let Refusal { status, code, message } = refusal;
        Self::json(
            *status,
            &json!({
                "code": code,
                "message": message,
                "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
                "status": status,
            }),
        )
    }
}

/// Why the API refuses a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: u32,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn bad_request(code: u32, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    pub(super) fn not_found(path: &str) -> Self {
        let message = format!("The requested resource {path} was not found");
        Self { status: 404, code: 20404, message }
    }

    pub(super) fn unauthorized() -> Self {
        Self { status: 401, code: 20003, message: "Authenticate".to_owned() }
    }

    pub(super) fn throttled() -> Self {
        Self { status: 429, code: 20429, message: "Too Many Requests".to_owned() }
    }
}

/// Names one delivery of a webhook; a duplicate is a delivery of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WebhookId(pub(super) u64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    Get,
    Post,
}

impl Method {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "GET" | "get" => Some(Self::Get),
            "POST" | "post" => Some(Self::Post),
            _ => None,
        }
    }
}

/// A request that Twilio makes to the daemon. Whoever delivers it signs it with the account's token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    /// The account whose token signs it.
    pub account: String,
    pub method: Method,
    /// The address to ask and to sign: without fragment; for GET the parameters are in its query.
    pub url: String,
    /// The form of a POST; empty for GET.
    pub params: Vec<(String, String)>,
    /// The same for every try of one logical webhook.
    pub idempotency_token: String,
}

/// What the daemon said to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookReply {
    Answer {
        status: u16,
        content_type: Option<String>,
        body: String,
    },
    /// No connection came about.
    Unreachable,
    /// The connection was there, and no answer came in time.
    TimedOut,
}

/// RFC 2822, as v2010 and the webhooks write dates.
pub(super) fn rfc2822(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// ISO 8601 to the second, as the newer products write dates.
pub(super) fn iso8601(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The decoded fields of a form or of a query.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(super) fn parse(encoded: &[u8]) -> Self {
        Self(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The value, if the field is there and not empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, v)| v.as_str())
    }

    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }
}
