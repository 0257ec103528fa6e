//! The events of a call: the requests that Twilio received and made for it. Unlike the call itself, they have the
//! call's URLs, and so its attempt.

use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::client::{Client, Page, Service};
use super::json;
use super::outcome::Error;
use crate::transport::mask::mask_numbers;

/// One request that Twilio made or received for a call. `Debug` leaves out the parameters and the URL's query,
/// which have phone numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct CallEvent {
    pub method: String,
    pub url: String,
    /// Has Twilio's own names, such as `status_callback`.
    pub parameters: Vec<(String, String)>,
    pub response_status: Option<u32>,
    pub at: Option<Timestamp>,
}

impl CallEvent {
    /// Whether the URL or any parameter contains this text, such as an attempt's token.
    #[must_use]
    pub fn names(&self, text: &str) -> bool {
        self.url.contains(text) || self.parameters.iter().any(|(_, value)| value.contains(text))
    }
}

impl Client {
    /// # Errors
    /// [`Error`]; an incomplete list is an error.
    pub async fn call_events(&self, sid: &str) -> Result<Vec<CallEvent>, Error> {
        let path = self.call_path(sid, "/Events.json?PageSize=1000")?;
        self.list::<EventPage, CallEvent>(Service::Api, path, |event| Some(event.into())).await
    }
}

#[derive(Deserialize)]
struct EventPage {
    events: Vec<RawEvent>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

impl Page for EventPage {
    type Item = RawEvent;

    fn split(self) -> (Vec<RawEvent>, Option<String>) {
        (self.events, self.next_page_uri)
    }
}

#[derive(Deserialize)]
struct RawEvent {
    request: Option<RawEventRequest>,
    response: Option<RawEventResponse>,
}

#[derive(Default, Deserialize)]
struct RawEventRequest {
    #[serde(default, deserialize_with = "json::text")]
    method: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    url: Option<String>,
    #[serde(default)]
    parameters: Value,
}

#[derive(Default, Deserialize)]
struct RawEventResponse {
    #[serde(default, deserialize_with = "json::number")]
    response_code: Option<u32>,
    #[serde(default, deserialize_with = "json::date")]
    date_created: Option<Timestamp>,
}

impl From<RawEvent> for CallEvent {
    fn from(raw: RawEvent) -> Self {
        let (request, response) = (raw.request.unwrap_or_default(), raw.response.unwrap_or_default());
        let parameters = match request.parameters {
            Value::Object(fields) => fields
                .into_iter()
                .map(|(name, value)| match value {
                    Value::String(text) => (name, text),
                    other => (name, other.to_string()),
                })
                .collect(),
            _ => Vec::new(),
        };
        Self {
            method: request.method.unwrap_or_default(),
            url: request.url.unwrap_or_default(),
            parameters,
            response_status: response.response_code,
            at: response.date_created,
        }
    }
}

impl fmt::Debug for CallEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = mask_numbers(self.url.split('?').next().unwrap_or_default());
        f.debug_struct("CallEvent")
            .field("method", &self.method)
            .field("url", &url)
            .field("response_status", &self.response_status)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}
