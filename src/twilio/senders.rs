//! The Senders API: the WhatsApp senders of an account, and the voice application that enables calls.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::domain::Phone;

use super::address::Address;
use super::client::{Client, Meta, Page, Service, with_query};
use super::json::{self, is_sid};
use super::outcome::Error;
use crate::transport::Body;

/// A sender at Twilio. The answer to an update has only a part of it.
#[derive(Debug, Clone, Deserialize)]
pub struct Sender {
    #[serde(default, deserialize_with = "json::text")]
    pub sid: Option<String>,
    #[serde(default, rename = "sender_id", deserialize_with = "json::address")]
    pub address: Option<Address>,
    /// `ONLINE`, `ONLINE:UPDATING`, `OFFLINE` and others.
    #[serde(default, deserialize_with = "json::word")]
    pub status: String,
    #[serde(default)]
    configuration: Option<Configuration>,
    #[serde(default)]
    webhook: Option<Webhook>,
    #[serde(default)]
    properties: Option<Properties>,
    #[serde(default)]
    offline_reasons: Option<Vec<Option<OfflineReason>>>,
}

/// Why a sender is offline.
#[derive(Debug, Clone, Deserialize)]
pub struct OfflineReason {
    #[serde(default, deserialize_with = "json::number")]
    pub code: Option<u32>,
    #[serde(default, deserialize_with = "json::text")]
    pub message: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Configuration {
    #[serde(default, deserialize_with = "json::text")]
    voice_application_sid: Option<String>,
}

/// Where Twilio sends what consumers write.
#[derive(Debug, Clone, Deserialize)]
struct Webhook {
    #[serde(default, deserialize_with = "json::text")]
    callback_url: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    callback_method: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
struct Properties {
    #[serde(default, deserialize_with = "json::text")]
    quality_rating: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    messaging_limit: Option<String>,
}

impl Sender {
    #[must_use]
    pub fn phone(&self) -> Option<Phone> {
        self.address.as_ref()?.phone()
    }

    /// Whether the sender can call.
    #[must_use]
    pub fn is_online(&self) -> bool {
        matches!(self.status.as_str(), "ONLINE" | "ONLINE:UPDATING")
    }

    /// `AP…` if calling is enabled.
    #[must_use]
    pub fn voice_application_sid(&self) -> Option<&str> {
        let configured = self.configuration.as_ref()?.voice_application_sid.as_deref();
        configured.filter(|sid| !sid.is_empty())
    }

    /// The webhook for messages of consumers, if one is set.
    #[must_use]
    pub fn callback_url(&self) -> Option<&str> {
        self.webhook.as_ref()?.callback_url.as_deref().filter(|url| !url.is_empty())
    }

    /// `POST` or `PUT`; absent counts as `POST`, Twilio's default.
    #[must_use]
    pub fn callback_method(&self) -> &str {
        self.webhook.as_ref().and_then(|webhook| webhook.callback_method.as_deref()).unwrap_or("POST")
    }

    #[must_use]
    pub fn quality_rating(&self) -> Option<&str> {
        self.properties.as_ref()?.quality_rating.as_deref()
    }

    /// Meta's name of the limit, such as `10K Customers/24hr`; calling needs at least 2,000.
    #[must_use]
    pub fn messaging_limit(&self) -> Option<&str> {
        self.properties.as_ref()?.messaging_limit.as_deref()
    }

    pub fn offline_reasons(&self) -> impl Iterator<Item = &OfflineReason> {
        self.offline_reasons.iter().flatten().flatten()
    }
}

impl Client {
    /// # Errors
    /// [`Error::NotFound`] among others.
    pub async fn fetch_sender(&self, sid: &str) -> Result<Sender, Error> {
        self.read(Service::Messaging, &sender_path(sid)?).await
    }

    /// The WhatsApp senders of the account.
    ///
    /// # Errors
    /// [`Error`]; an incomplete list is an error.
    pub async fn list_senders(&self) -> Result<Vec<Sender>, Error> {
        let query = [("Channel", "whatsapp".to_owned()), ("PageSize", "100".to_owned())];
        let path = with_query("/v2/Channels/Senders", &query);
        self.list::<SenderPage, Sender>(Service::Messaging, path, Some).await
    }

    /// Enables calling with a voice application, or disables it.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the sender may not call, for example below the messaging limit.
    pub async fn set_voice_application(&self, sid: &str, application: Option<&str>) -> Result<Sender, Error> {
        let body = json!({"configuration": {"voice_application_sid": application}});
        let body = Body::Json(Bytes::from(body.to_string()));
        self.change(Service::Messaging, &sender_path(sid)?, body).await
    }
}

impl Client {
    /// Sets the webhook for messages of consumers.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn set_message_webhook(&self, sid: &str, url: &str) -> Result<Sender, Error> {
        let body = json!({"webhook": {"callback_url": url, "callback_method": "POST"}});
        self.change(Service::Messaging, &sender_path(sid)?, Body::Json(Bytes::from(body.to_string()))).await
    }
}

fn sender_path(sid: &str) -> Result<String, Error> {
    if is_sid(sid, &["XE"]) { Ok(format!("/v2/Channels/Senders/{sid}")) } else { Err(Error::NotFound) }
}

#[derive(Deserialize)]
struct SenderPage {
    senders: Vec<Sender>,
    #[serde(default)]
    meta: Meta,
}

impl Page for SenderPage {
    type Item = Sender;

    fn split(self) -> (Vec<Sender>, Option<String>) {
        (self.senders, self.meta.next_page_url)
    }
}
