//! The Content API: creates, lists and deletes content, submits it for WhatsApp's approval, and reads what became of
//! that.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::client::{Client, Meta, Page, Service};
use super::json::{self, accepted, is_sid};
use super::outcome::{Created, Error};
use crate::transport::Body;

/// Content to create.
#[derive(Debug, Clone)]
pub struct NewContent {
    pub friendly_name: String,
    /// A language such as `en` or `pt_BR`.
    pub language: String,
    /// Examples for the variables of the text, by name.
    pub variables: BTreeMap<String, String>,
    /// By type, such as `twilio/call-to-action`.
    pub types: Value,
}

/// Content at Twilio.
#[derive(Debug, Clone, Deserialize)]
pub struct Content {
    pub sid: String,
    #[serde(default, deserialize_with = "json::text")]
    pub friendly_name: Option<String>,
    #[serde(default, deserialize_with = "json::text")]
    pub language: Option<String>,
    /// The content by type, such as `twilio/call-to-action`.
    #[serde(default)]
    pub types: Value,
    /// The samples of the variables.
    #[serde(default, deserialize_with = "samples")]
    pub variables: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "json::date")]
    pub date_created: Option<Timestamp>,
    /// Only in the list with approvals.
    #[serde(default, deserialize_with = "approval")]
    pub approval_requests: Option<Approval>,
}

/// What became of the submission of content. Without one its status is `unsubmitted`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Approval {
    #[serde(deserialize_with = "json::word")]
    pub name: String,
    /// Which may be another one than was asked for.
    #[serde(deserialize_with = "json::word")]
    pub category: String,
    #[serde(deserialize_with = "json::word")]
    pub status: String,
    #[serde(deserialize_with = "json::word")]
    pub rejection_reason: String,
}

/// Texts by name; anything else counts as absent.
fn samples<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let Value::Object(fields) = Value::deserialize(deserializer)? else { return Ok(BTreeMap::new()) };
    let texts = fields.into_iter().filter_map(|(name, value)| match value {
        Value::String(text) => Some((name, text)),
        _ => None,
    });
    Ok(texts.collect())
}

fn approval<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Approval>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.is_object().then(|| serde_json::from_value(value).unwrap_or_default()))
}

impl Content {
    /// Whether the content has an action of this kind, such as `VOICE_CALL_REQUEST`.
    #[must_use]
    pub fn has_action(&self, kind: &str) -> bool {
        let types = self.types.as_object().into_iter().flat_map(|types| types.values());
        let mut actions = types.filter_map(|shown| shown["actions"].as_array()).flatten();
        actions.any(|action| action["type"].as_str() == Some(kind))
    }
}

impl Client {
    /// Creates content, once. Twilio allows several with the same name.
    pub async fn create_content(&self, content: &NewContent) -> Created<Content> {
        let body = Body::Json(content_json(content));
        self.create(Service::Content, "/v1/Content", body, |body| accepted(body, &["HX"])).await
    }

    /// # Errors
    /// [`Error::NotFound`] among others.
    pub async fn fetch_content(&self, sid: &str) -> Result<Content, Error> {
        if !is_sid(sid, &["HX"]) {
            return Err(Error::NotFound);
        }
        self.read(Service::Content, &format!("/v1/Content/{sid}")).await
    }

    /// # Errors
    /// [`Error`]; an incomplete list is an error.
    pub async fn list_content(&self) -> Result<Vec<Content>, Error> {
        let path = "/v1/Content?PageSize=500".to_owned();
        self.list::<ContentPage, Content>(Service::Content, path, Some).await
    }

    /// All content with its approvals.
    ///
    /// # Errors
    /// [`Error`]; never a part of the list.
    pub async fn list_content_and_approvals(&self) -> Result<Vec<Content>, Error> {
        let path = "/v1/ContentAndApprovals?PageSize=500".to_owned();
        self.list::<ContentPage, Content>(Service::Content, path, Some).await
    }

    /// Submits content to WhatsApp, once. Twilio refuses a second submission with the code 92009.
    pub async fn submit_content(&self, sid: &str, name: &str, category: &str) -> Created<Approval> {
        let path = format!("/v1/Content/{sid}/ApprovalRequests/whatsapp");
        let body = Body::Json(Bytes::from(json!({"name": name, "category": category}).to_string()));
        self.create(Service::Content, &path, body, |body| serde_json::from_slice(body).ok()).await
    }

    /// Deletes content.
    ///
    /// # Errors
    /// [`Error::NotFound`] among others.
    pub async fn delete_content(&self, sid: &str) -> Result<(), Error> {
        if !is_sid(sid, &["HX"]) {
            return Err(Error::NotFound);
        }
        self.remove(Service::Content, &format!("/v1/Content/{sid}")).await
    }
}

fn content_json(content: &NewContent) -> Bytes {
    let mut whole = json!({
        "friendly_name": content.friendly_name,
        "language": content.language,
        "types": content.types,
    });
    if !content.variables.is_empty() {
        whole["variables"] = json!(content.variables);
    }
    Bytes::from(whole.to_string())
}

#[derive(Deserialize)]
struct ContentPage {
    contents: Vec<Content>,
    #[serde(default)]
    meta: Meta,
}

impl Page for ContentPage {
    type Item = Content;

    fn split(self) -> (Vec<Content>, Option<String>) {
        (self.contents, self.meta.next_page_url)
    }
}
