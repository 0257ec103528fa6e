//! Types of the world's interface: API requests and responses, webhooks and their replies.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// A request to Twilio's REST API or to Meta's Graph API.
#[derive(Debug, Clone, Default)]
pub struct ApiRequest {
    pub method: String,
    pub path: String,
    /// The raw query, without `?`.
    pub query: String,
    /// The value of the `Authorization` header.
    pub authorization: Option<String>,
    pub content_type: Option<String>,
    pub body: Vec<u8>,
    /// Scheme and authority of the request URL, for products that return absolute URLs.
    pub origin: String,
}

/// The response to an [`ApiRequest`], and whether it arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiResponse {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
    pub fate: Fate,
}

/// How a response is delivered to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Deliver,
    /// The request was served, but its response never arrives.
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

    /// An error body as in Twilio's v2010, Messaging and Content products.
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

/// Identifies one delivery of a webhook. A duplicate has its own id.
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

/// Whose webhook it is, which decides how it is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Twilio,
    Meta,
}

/// A request from a platform to the daemon. `World::headers` has its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub origin: Origin,
    /// The account whose token signs it; of Meta's, the id of the app whose secret does.
    pub account: String,
    pub method: Method,
    /// The URL to request and to sign, without a fragment. For GET, the parameters are in its query.
    pub url: String,
    /// Form fields of a POST of Twilio's; empty for the others.
    pub params: Vec<(String, String)>,
    /// The body of a POST of Meta's; empty for the others.
    pub json: String,
    /// The same for every try of one webhook.
    pub idempotency_token: String,
}

impl Webhook {
    /// The type and the text of its body.
    #[must_use]
    pub fn body(&self) -> (&'static str, String) {
        match self.origin {
            Origin::Twilio => {
                let form =
                    form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish();
                ("application/x-www-form-urlencoded", form)
            }
            Origin::Meta => ("application/json", self.json.clone()),
        }
    }
}

/// The daemon's reply to a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookReply {
    Answer {
        status: u16,
        content_type: Option<String>,
        body: String,
    },
    /// The connection failed.
    Unreachable,
    /// The connection was made, but no response arrived in time.
    TimedOut,
}

/// RFC 2822, the date format of v2010 and of webhooks.
pub(super) fn rfc2822(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// ISO 8601 in whole seconds, the date format of the newer products.
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

    /// The value, if the field exists and is not empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, value)| key == name && !value.is_empty()).map(|(_, v)| v.as_str())
    }

    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// Leaves the id and the fields that the query names, if it names some, as the Graph API does (Meta, *Graph API
    /// overview*, 2026).
    pub(super) fn select(&self, shown: &mut Value) {
        let (Some(fields), Some(object)) = (self.value("fields"), shown.as_object_mut()) else { return };
        let names: Vec<&str> = fields.split(',').map(str::trim).collect();
        object.retain(|name, _| name == "id" || names.contains(&name.as_str()));
    }
}
