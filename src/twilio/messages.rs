//! The Messages resource: send content over WhatsApp, and look up messages.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::domain::event::{MessageProgress, MessageReport};
use crate::domain::{MessageId, Named, Phone};

use super::address::Address;
use super::client::{Client, Page, Service, pair, with_query};
use super::json::{self, accepted, is_sid};
use super::outcome::{Created, Error};
use super::words::{UnknownWord, error_code, message_progress};
use crate::transport::Body;

/// A message to send: a permission request or an invite.
#[derive(Clone)]
pub struct NewMessage {
    pub from: Phone,
    pub to: Phone,
    /// The SID of content of the same account, `HX…`.
    pub content_sid: String,
    /// The variables by name (`1`, `2`, …). Twilio refuses empty values (21656).
    pub content_variables: BTreeMap<String, String>,
    pub status_callback: Option<String>,
    /// The lifetime in the queue, 1 to 36000 seconds. An older message is not sent.
    pub validity_s: Option<u16>,
}

/// A message at Twilio.
#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    pub sid: String,
    #[serde(default, deserialize_with = "json::address")]
    pub from: Option<Address>,
    #[serde(default, deserialize_with = "json::address")]
    pub to: Option<Address>,
    /// Twilio's name of the state; [`Message::progress`] converts it.
    #[serde(default, deserialize_with = "json::word")]
    pub status: String,
    /// `inbound`, `outbound-api`, `outbound-call` or `outbound-reply`.
    #[serde(default, deserialize_with = "json::text")]
    pub direction: Option<String>,
    #[serde(default, deserialize_with = "json::number")]
    pub error_code: Option<u32>,
    #[serde(default, deserialize_with = "json::date")]
    pub date_created: Option<Timestamp>,
    #[serde(default, deserialize_with = "json::date")]
    pub date_sent: Option<Timestamp>,
}

impl Message {
    /// # Errors
    /// If the status is not documented.
    pub fn progress(&self) -> Result<MessageProgress, UnknownWord> {
        message_progress(&self.status)
    }

    /// # Errors
    /// If the status is not documented.
    pub fn report(&self, message: MessageId) -> Result<MessageReport, UnknownWord> {
        Ok(MessageReport {
            message: Some(message),
            sid: self.sid.clone(),
            progress: self.progress()?,
            error_code: self.error_code.map(error_code),
            from: None,
            to: Named::default(),
        })
    }
}

impl Client {
    /// Sends a message, once. An accepted message may still fail: content that needs an open session fails later, with a
    /// status callback.
    pub async fn create_message(&self, message: &NewMessage) -> Created<Message> {
        let path = self.account_path("Messages.json");
        let form = Body::Form(message_form(message));
        self.create(Service::Api, &path, form, |body| accepted(body, &["SM", "MM"])).await
    }

    /// Deletes a message that is not on its way.
    ///
    /// # Errors
    /// [`Error::NotFound`] if it is gone, [`Error::Rejected`] if it is on its way.
    pub async fn delete_message(&self, sid: &str) -> Result<(), Error> {
        if !is_sid(sid, &["SM", "MM"]) {
            return Err(Error::NotFound);
        }
        self.remove(Service::Api, &self.account_path(&format!("Messages/{sid}.json"))).await
    }

    /// # Errors
    /// [`Error::NotFound`] among others.
    pub async fn fetch_message(&self, sid: &str) -> Result<Message, Error> {
        if !is_sid(sid, &["SM", "MM"]) {
            return Err(Error::NotFound);
        }
        self.read(Service::Api, &self.account_path(&format!("Messages/{sid}.json"))).await
    }

    /// All messages from a sender to a consumer, newest first. Twilio's date filters use the time of sending, and so
    /// exclude queued messages.
    ///
    /// # Errors
    /// [`Error`]; an incomplete list is an error.
    pub async fn list_messages(&self, from: Phone, to: Phone) -> Result<Vec<Message>, Error> {
        let numbers = [
            ("From", Address::WhatsApp(from).wire()),
            ("To", Address::WhatsApp(to).wire()),
            ("PageSize", "1000".to_owned()),
        ];
        let path = with_query(&self.account_path("Messages.json"), &numbers);
        self.list::<MessagePage, Message>(Service::Api, path, Some).await
    }

    /// All messages of the account that were sent or received on the day of `since` (UTC) or later. Twilio filters by day
    /// (*Messages resource*, November 2026).
    ///
    /// # Errors
    /// [`Error`]; an incomplete list is an error.
    pub async fn list_messages_since(&self, since: Timestamp) -> Result<Vec<Message>, Error> {
        let day = since.strftime("%Y-%m-%d").to_string();
        let path = with_query(
            &self.account_path("Messages.json"),
            &[("DateSent>", day), ("PageSize", "1000".to_owned())],
        );
        self.list::<MessagePage, Message>(Service::Api, path, Some).await
    }
}

#[derive(Deserialize)]
struct MessagePage {
    messages: Vec<Message>,
    #[serde(default)]
    next_page_uri: Option<String>,
}

impl Page for MessagePage {
    type Item = Message;

    fn split(self) -> (Vec<Message>, Option<String>) {
        (self.messages, self.next_page_uri)
    }
}

fn message_form(message: &NewMessage) -> Vec<(String, String)> {
    let mut form = vec![
        pair("To", Address::WhatsApp(message.to).wire()),
        pair("From", Address::WhatsApp(message.from).wire()),
        pair("ContentSid", &*message.content_sid),
    ];
    if !message.content_variables.is_empty() {
        let json = serde_json::to_string(&message.content_variables).expect("a map of strings is JSON");
        form.push(pair("ContentVariables", json));
    }
    if let Some(url) = &message.status_callback {
        form.push(pair("StatusCallback", &**url));
    }
    if let Some(validity) = message.validity_s {
        form.push(pair("ValidityPeriod", validity.to_string()));
    }
    form
}

impl std::fmt::Debug for NewMessage {
    /// Leaves out the variables, which are personal data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewMessage")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("content_sid", &self.content_sid)
            .finish_non_exhaustive()
    }
}
