//! The Content API: creates the two kinds of content that we send, and lists an account's content.
//!
//! A person requests WhatsApp's approval; it takes hours, and a rejected name cannot be used again.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Client, Meta, Page, Service};
use super::json::{self, accepted, is_sid};
use super::outcome::{Created, Error};
use super::transport::Body;

/// Content to create.
#[derive(Debug, Clone)]
pub struct NewContent {
    pub friendly_name: String,
    /// A language such as `en` or `pt_BR`.
    pub language: String,
    /// Examples for the variables of the text, by name.
    pub variables: BTreeMap<String, String>,
    pub kind: ContentKind,
}

/// The kind of content.
#[derive(Debug, Clone)]
pub enum ContentKind {
    /// The button that asks for call permission. Text and title are required but not shown unless approved; the
    /// action must stand alone.
    PermissionRequest { body: String, title: String },
    /// A card with a button by which the consumer calls the sender.
    CallButton { body: String, title: String },
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
    #[serde(default, deserialize_with = "json::date")]
    pub date_created: Option<Timestamp>,
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
}

fn content_json(content: &NewContent) -> Bytes {
    let (name, shown) = match &content.kind {
        ContentKind::PermissionRequest { body, title } => (
            "twilio/call-to-action",
            json!({"body": body, "actions": [{"type": "VOICE_CALL_REQUEST", "title": title}]}),
        ),
        ContentKind::CallButton { body, title } => {
            ("whatsapp/card", json!({"body": body, "actions": [{"type": "VOICE_CALL", "title": title}]}))
        }
    };
    let mut whole = json!({
        "friendly_name": content.friendly_name,
        "language": content.language,
        "types": {name: shown},
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
