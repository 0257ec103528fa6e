//! The Calls resource: place, look up, list, hang up, and the log of what Twilio requested for a call.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::{CallProgress, Phone};

use super::address::Address;
use super::client::{Client, Created, Error, Page, Service, with_query};
use super::json::{self, is_sid};
use super::mask::mask_numbers;
use super::transport::Body;
use super::words::{UnknownWord, call_progress, call_word};

/// A call to place. On the WhatsApp side both ends carry the channel's prefix.
#[derive(Debug, Clone)]
pub struct NewCall {
    pub from: Address,
    pub to: Address,
    /// Where Twilio fetches the document when the call is answered.
    pub url: String,
    /// Used when the document cannot be fetched or executed.
    pub fallback_url: Option<String>,
    /// Told of every event: initiated, ringing, answered, completed.
    pub status_callback: String,
    /// At most 600; Twilio's default is 60.
    pub ring_timeout_s: u16,
    pub time_limit_s: Option<u32>,
    pub machine_detection: Option<MachineDetection>,
}

/// Whether Twilio listens for an answering machine, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineDetection {
    /// Tells human from machine at once.
    Enable,
    /// Waits for the end of a machine's greeting.
    DetectMessageEnd,
}

/// A call as Twilio shows it. Fields that Twilio leaves out or null are `None`.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    pub sid: String,
    #[serde(default, deserialize_with = "json::text")]
    pub parent_call_sid: Option<String>,
    #[serde(default, deserialize_with = "address")]
    pub from: Option<Address>,
    #[serde(default, deserialize_with = "address")]
    pub to: Option<Address>,
    /// Twilio's word; [`Call::progress`] reads it.
    #[serde(default, deserialize_with = "json::word")]
    pub status: String,
    /// `inbound`, `outbound-api` or `outbound-dial`.
    #[serde(default, deserialize_with = "json::text")]
    pub direction: Option<String>,
    #[serde(default, rename = "duration", deserialize_with = "json::number")]
    pub duration_s: Option<u32>,
    /// How long Twilio expects to keep the call in its queue.
    #[serde(default, rename = "queue_time", deserialize_with = "json::number")]
    pub queue_time_ms: Option<u32>,
    #[serde(default, deserialize_with = "json::text")]
    pub answered_by: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    pub price: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    pub price_unit: Option<String>,
    #[serde(default, deserialize_with = "json::date")]
    pub date_created: Option<Timestamp>,
    #[serde(default, deserialize_with = "json::date")]
    pub date_updated: Option<Timestamp>,
    #[serde(default, deserialize_with = "json::date")]
    pub start_time: Option<Timestamp>,
    #[serde(default, deserialize_with = "json::date")]
    pub end_time: Option<Timestamp>,
}

impl Call {
    /// # Errors
    /// When the status is a word that is not documented.
    pub fn progress(&self) -> Result<CallProgress, UnknownWord> {
        call_progress(&self.status)
    }
}

/// Which calls to list; an empty filter lists them all.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    pub from: Option<Address>,
    pub to: Option<Address>,
    pub status: Option<CallProgress>,
    pub parent_call_sid: Option<String>,
    /// A call that is still queued has no start, so both bounds leave it out. To look for a lost call, filter by
    /// the numbers and compare [`Call::date_created`].
    pub started_from: Option<Timestamp>,
    pub started_until: Option<Timestamp>,
    /// At most 1000, which is also what is asked for by default.
    pub page_size: Option<u16>,
}

/// How to end a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUp {
    /// Only if it is still queued or ringing.
    IfUnanswered,
    /// Also if somebody is speaking.
    Always,
}

/// One request that Twilio made, or received, for a call. `Debug` leaves out the parameters and the URL's query,
/// which hold phone numbers.
#[derive(Clone, PartialEq, Eq)]
pub struct CallEvent {
    pub method: String,
    pub url: String,
    /// Sorted by name; the names are in Twilio's spelling for the request.
    pub parameters: Vec<(String, String)>,
    pub response_status: Option<u32>,
    pub at: Option<Timestamp>,
}

impl Client {
    /// Places a call, once. An accepted call may still be in Twilio's queue.
    pub async fn create_call(&self, call: &NewCall) -> Created<Call> {
        let path = self.account_path("Calls.json");
        self.create(Service::Api, &path, Body::Form(call_form(call)), |body| accepted(body, &["CA"])).await
    }

    /// # Errors
    /// [`Error::NotFound`] among others. Twilio's answer can lag behind its status callbacks.
    pub async fn fetch_call(&self, sid: &str) -> Result<Call, Error> {
        self.read(Service::Api, &self.call_path(sid, ".json")?).await
    }

    /// All calls that match, on as many pages as it takes.
    ///
    /// # Errors
    /// [`Error`]; never a part of the list.
    pub async fn list_calls(&self, filter: &CallFilter) -> Result<Vec<Call>, Error> {
        let path = with_query(&self.account_path("Calls.json"), &filter_pairs(filter));
        self.list::<CallPage, Call>(Service::Api, path, Some).await
    }

    /// Ends a call. Harmless if it has already ended.
    ///
    /// # Errors
    /// [`Error::Rejected`] when the call is past what `how` allows.
    pub async fn hang_up(&self, sid: &str, how: HangUp) -> Result<Call, Error> {
        let status = match how {
            HangUp::IfUnanswered => "canceled",
            HangUp::Always => "completed",
        };
        let form = Body::Form(vec![pair("Status", status)]);
        self.change(Service::Api, &self.call_path(sid, ".json")?, form).await
    }

    /// What Twilio requested for a call, and what it was asked: names the URLs of the call, and with them the
    /// attempt that it belongs to.
    ///
    /// # Errors
    /// [`Error`]; never a part of the list.
    pub async fn call_events(&self, sid: &str) -> Result<Vec<CallEvent>, Error> {
        let path = self.call_path(sid, "/Events.json?PageSize=1000")?;
        self.list::<EventPage, CallEvent>(Service::Api, path, |event| Some(event.into())).await
    }

    fn call_path(&self, sid: &str, rest: &str) -> Result<String, Error> {
        // A malformed identifier would be a path of its own choice.
        if is_sid(sid, &["CA"]) {
            Ok(self.account_path(&format!("Calls/{sid}{rest}")))
        } else {
            Err(Error::NotFound)
        }
    }
}

fn call_form(call: &NewCall) -> Vec<(String, String)> {
    let mut form = Vec::with_capacity(16);
    form.push(pair("To", call.to.wire()));
    form.push(pair("From", call.from.wire()));
    form.push(pair("Url", &*call.url));
    form.push(pair("Method", "POST"));
    if let Some(url) = &call.fallback_url {
        form.push(pair("FallbackUrl", &**url));
        form.push(pair("FallbackMethod", "POST"));
    }
    form.push(pair("StatusCallback", &*call.status_callback));
    form.push(pair("StatusCallbackMethod", "POST"));
    for event in ["initiated", "ringing", "answered", "completed"] {
        form.push(pair("StatusCallbackEvent", event));
    }
    form.push(pair("Timeout", call.ring_timeout_s.to_string()));
    if let Some(limit) = call.time_limit_s {
        form.push(pair("TimeLimit", limit.to_string()));
    }
    if let Some(detection) = call.machine_detection {
        let word = match detection {
            MachineDetection::Enable => "Enable",
            MachineDetection::DetectMessageEnd => "DetectMessageEnd",
        };
        form.push(pair("MachineDetection", word));
    }
    form
}

fn filter_pairs(filter: &CallFilter) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::with_capacity(7);
    let mut add = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
    add("From", filter.from.as_ref().map(Address::wire));
    add("To", filter.to.as_ref().map(Address::wire));
    add("Status", filter.status.map(|status| call_word(status).to_owned()));
    add("ParentCallSid", filter.parent_call_sid.clone());
    add("StartTime>", filter.started_from.map(whole_seconds));
    add("StartTime<", filter.started_until.map(whole_seconds));
    add("PageSize", Some(filter.page_size.unwrap_or(1000).to_string()));
    pairs
}

fn whole_seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) fn pair(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// A created resource, if the body holds one with a well-formed identifier of one of these kinds.
pub(super) fn accepted<T: serde::de::DeserializeOwned>(body: &[u8], kinds: &[&str]) -> Option<T> {
    #[derive(Deserialize)]
    struct Identified {
        sid: String,
    }
    let identified: Identified = serde_json::from_slice(body).ok()?;
    if !is_sid(&identified.sid, kinds) {
        return None;
    }
    serde_json::from_slice(body).ok()
}

pub(super) fn address<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Address>, D::Error> {
    let text = json::text(deserializer)?.filter(|text| !text.is_empty());
    Ok(text.map(|text| text.parse().unwrap_or_else(|never| match never {})))
}

#[derive(Deserialize)]
struct CallPage {
    calls: Vec<Call>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

impl Page for CallPage {
    type Item = Call;

    fn split(self) -> (Vec<Call>, Option<String>) {
        (self.calls, self.next_page_uri)
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

impl CallEvent {
    /// Whether the request names this text, such as an attempt's token, in its URL or in any parameter.
    #[must_use]
    pub fn names(&self, text: &str) -> bool {
        self.url.contains(text) || self.parameters.iter().any(|(_, value)| value.contains(text))
    }
}

impl std::fmt::Debug for CallEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = mask_numbers(self.url.split('?').next().unwrap_or_default());
        f.debug_struct("CallEvent")
            .field("method", &self.method)
            .field("url", &url)
            .field("response_status", &self.response_status)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

impl NewCall {
    /// A WhatsApp call with Twilio's defaults for everything that is optional.
    pub fn whatsapp(
        from: Phone,
        to: Phone,
        url: impl Into<String>,
        status_callback: impl Into<String>,
    ) -> Self {
        Self {
            from: Address::WhatsApp(from),
            to: Address::WhatsApp(to),
            url: url.into(),
            fallback_url: None,
            status_callback: status_callback.into(),
            ring_timeout_s: 60,
            time_limit_s: None,
            machine_detection: None,
        }
    }
}
