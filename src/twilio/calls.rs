//! The Calls resource: place, look up, list and hang up.

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::event::CallReport;
use crate::domain::{AttemptId, CallProgress, Phone};

use super::address::Address;
use super::client::{Client, Page, Service, pair, with_query};
use super::json::{self, accepted, is_sid};
use super::outcome::{Created, Error};
use super::words::{UnknownWord, call_progress, call_word};
use crate::transport::Body;

/// A call to place. For a WhatsApp call both addresses have the channel's prefix.
#[derive(Debug, Clone)]
pub struct NewCall {
    pub from: Address,
    pub to: Address,
    /// Where Twilio fetches the document when the call is answered.
    pub url: String,
    /// Used when the document cannot be fetched or executed.
    pub fallback_url: Option<String>,
    /// Receives every event: initiated, ringing, answered, completed.
    pub status_callback: String,
    /// At most 600; Twilio's default is 60.
    pub ring_timeout_s: u16,
    pub time_limit_s: Option<u32>,
    pub machine_detection: Option<MachineDetection>,
}

impl NewCall {
    /// A WhatsApp call with Twilio's defaults for all optional values.
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

/// Whether Twilio listens for an answering machine, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineDetection {
    /// Distinguishes a human from a machine at once.
    Enable,
    /// Waits for the end of a machine's greeting.
    DetectMessageEnd,
}

/// A call at Twilio. Missing and null fields are `None`.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    pub sid: String,
    #[serde(default, deserialize_with = "json::text")]
    pub parent_call_sid: Option<String>,
    #[serde(default, deserialize_with = "json::address")]
    pub from: Option<Address>,
    #[serde(default, deserialize_with = "json::address")]
    pub to: Option<Address>,
    /// Twilio's name of the state; [`Call::progress`] converts it.
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
    /// If the status is not documented.
    pub fn progress(&self) -> Result<CallProgress, UnknownWord> {
        call_progress(&self.status)
    }

    /// A report about the attempt of the call. The resource has no error code; an alert may have one.
    ///
    /// # Errors
    /// If the status is not documented.
    pub fn report(&self, attempt: AttemptId) -> Result<CallReport, UnknownWord> {
        Ok(CallReport {
            attempt,
            sid: self.sid.clone(),
            parent_sid: self.parent_call_sid.clone(),
            progress: self.progress()?,
            at: self.end_time.or(self.date_updated),
            duration_s: self.duration_s,
            sip_code: None,
            error_code: None,
        })
    }
}

/// Filters of a list of calls; an empty filter lists all calls.
#[derive(Debug, Clone, Default)]
pub struct CallFilter {
    pub from: Option<Address>,
    pub to: Option<Address>,
    pub status: Option<CallProgress>,
    pub parent_call_sid: Option<String>,
    /// A queued call has no start, so both bounds exclude it.
    pub started_from: Option<Timestamp>,
    pub started_until: Option<Timestamp>,
    /// At most 1000, which is also the default.
    pub page_size: Option<u16>,
}

/// How to end a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangUp {
    /// Ends it only if it is still queued or ringing.
    IfUnanswered,
    /// Ends it even if it is answered.
    Always,
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

    /// All calls that match, from all pages.
    ///
    /// # Errors
    /// [`Error`]; an incomplete list is an error.
    pub async fn list_calls(&self, filter: &CallFilter) -> Result<Vec<Call>, Error> {
        let path = with_query(&self.account_path("Calls.json"), &filter_pairs(filter));
        self.list::<CallPage, Call>(Service::Api, path, Some).await
    }

    /// Twilio's time, from the headers of the answer to a request for the smallest list of calls.
    pub async fn date(&self) -> Option<Timestamp> {
        let path = with_query(&self.account_path("Calls.json"), &[("PageSize", "1".to_owned())]);
        self.date_of(Service::Api, &path).await
    }

    /// Ends a call. Harmless if it has already ended.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the call is in a state that `how` does not allow.
    pub async fn hang_up(&self, sid: &str, how: HangUp) -> Result<Call, Error> {
        let status = match how {
            HangUp::IfUnanswered => "canceled",
            HangUp::Always => "completed",
        };
        let form = Body::Form(vec![pair("Status", status)]);
        self.change(Service::Api, &self.call_path(sid, ".json")?, form).await
    }

    /// Deletes a call that is over, with its recordings.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is gone, [`Error::Rejected`] if it is not over.
    pub async fn delete_call(&self, sid: &str) -> Result<(), Error> {
        let call = self.call_path(sid, ".json")?;
        let query = [("CallSid", sid.to_owned()), ("PageSize", "1000".to_owned())];
        let path = with_query(&self.account_path("Recordings.json"), &query);
        let of_call = |recording: Recording| is_sid(&recording.sid, &["RE"]).then_some(recording.sid);
        let recordings = match self.list::<RecordingPage, String>(Service::Api, path, of_call).await {
            Err(Error::NotFound) => Vec::new(),
            listed => listed?,
        };
        for recording in recordings {
            match self.delete_recording(&recording).await {
                Ok(()) | Err(Error::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        self.remove(Service::Api, &call).await
    }

    /// Deletes a recording.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is gone.
    pub async fn delete_recording(&self, sid: &str) -> Result<(), Error> {
        if !is_sid(sid, &["RE"]) {
            return Err(Error::NotFound);
        }
        self.remove(Service::Api, &self.account_path(&format!("Recordings/{sid}.json"))).await
    }

    /// Where a recording is heard, for a person with access to the account.
    #[must_use]
    pub fn recording_link(&self, sid: &str) -> Option<String> {
        let path = self.account_path(&format!("Recordings/{sid}"));
        is_sid(sid, &["RE"]).then(|| format!("{}{path}", self.account.endpoints.api))
    }

    pub(super) fn call_path(&self, sid: &str, rest: &str) -> Result<String, Error> {
        // A malformed identifier could change the path.
        if is_sid(sid, &["CA"]) {
            Ok(self.account_path(&format!("Calls/{sid}{rest}")))
        } else {
            Err(Error::NotFound)
        }
    }
}

/// A recording of a call.
#[derive(Deserialize)]
struct Recording {
    sid: String,
}

#[derive(Deserialize)]
struct RecordingPage {
    recordings: Vec<Recording>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

impl Page for RecordingPage {
    type Item = Recording;

    fn split(self) -> (Vec<Recording>, Option<String>) {
        (self.recordings, self.next_page_uri)
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
