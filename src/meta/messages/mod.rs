//! The bodies of messages to WhatsApp's Cloud API.
//!
//! The shapes are those of *Interactive Call-to-Action URL Button Messages* (28 Jun 2026) and *Call Button Messages and
//! Deep Links* (26 Jun 2026). Everything is checked before anything is sent.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::domain::{ContentRef, Phone, RoadKind};
use crate::meta::limits::{self, Limit, TTL_MINUTES, TTL_MINUTES_DEFAULT};

/// What declared content says. Each text may have placeholders, `{{name}}`: variables of the order; `{{link}}` is the
/// calling link of an invite, and `{{payload}}` the payload in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// A free message with a call button.
    VoiceCall { body: String, display_text: Option<String>, ttl_minutes: Option<u32> },
    /// A free message with a button that opens a URL.
    CtaUrl { header: Option<Header>, body: String, footer: Option<String>, display_text: String, url: String },
    /// A free text.
    Text { body: String },
    /// A free request for the call permission.
    PermissionRequest { body: Option<String> },
    /// An approved template.
    Template(Template),
}

/// The header of a message with a URL button. Media are given by their URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Header {
    Text(String),
    Image(String),
    Video(String),
    Document(String),
}

/// An approved template and the values of its variables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub name: String,
    /// The code of its language, such as `pt_BR`.
    pub language: String,
    /// The variables of a text header.
    pub header: Vec<Parameter>,
    pub body: Vec<Parameter>,
    /// If it has a call button, for how many minutes that can be used.
    pub voice_call: Option<u32>,
    /// If the URL of a button of it has a variable.
    pub url_button: Option<UrlButton>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// The name of the variable; `None` if the variables are numbered.
    pub name: Option<String>,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlButton {
    /// Its position among the buttons, from 0.
    pub index: u32,
    /// The variable part of the URL.
    pub text: String,
}

/// What each declared content says, by its name.
pub type Contents = BTreeMap<ContentRef, Words>;

impl Words {
    /// Whether an invite by this road can say it.
    #[must_use]
    pub fn serves(&self, road: RoadKind) -> bool {
        match road {
            RoadKind::CallButton => matches!(self, Self::VoiceCall { .. }),
            RoadKind::Template => matches!(self, Self::Template(_)),
            RoadKind::UrlButton => matches!(self, Self::CtaUrl { .. }),
            RoadKind::DeepLink => matches!(self, Self::Text { body } if body.contains("{{link}}")),
            RoadKind::Messenger => false,
        }
    }
}

/// What one message adds to its content.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    /// The variables of the order.
    pub variables: &'a BTreeMap<String, String>,
    /// The calling link of an invite.
    pub link: Option<String>,
    /// The payload of an invite.
    pub payload: Option<String>,
    pub now: Timestamp,
    /// When the call button has no use any more.
    pub ends_at: Option<Timestamp>,
}

/// Why a message is not sent. It never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("{field} has the placeholder {{{{{name}}}}}, for which the order has no value (our rule)")]
    NoValue { field: &'static str, name: String },
    #[error("{} has {length} characters: at most {} ({}, {})", limit.field, limit.max, limit.source, limit.as_of)]
    TooLong { limit: Limit, length: usize },
    #[error("{field} is empty")]
    Empty { field: &'static str },
    #[error(
        "ttl_minutes is out of range: expected 1 to 43200 (Meta, Call Button Messages and Deep Links, 2026-06-26)"
    )]
    Ttl,
    #[error("its call button could be used for less than a minute (our rule)")]
    Ended,
}

/// The body of a message. `token` is returned in the status webhooks of the message.
///
/// # Errors
/// [`Fault`] with the field and the rule.
pub fn body(to: Phone, token: &str, words: &Words, values: &Values<'_>) -> Result<Value, Fault> {
    let (kind, content) = match words {
        Words::Text { body } => {
            ("text", json!({"body": values.text(limits::TEXT, body)?, "preview_url": false}))
        }
        Words::Template(template) => ("template", values.template(template)?),
        Words::VoiceCall { .. } | Words::CtaUrl { .. } | Words::PermissionRequest { .. } => {
            ("interactive", values.interactive(words)?)
        }
    };
    let mut message = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to.e164(),
        "type": kind,
        "biz_opaque_callback_data": token,
    });
    message[kind] = content;
    Ok(message)
}

impl Values<'_> {
    fn interactive(&self, words: &Words) -> Result<Value, Fault> {
        Ok(match words {
            Words::VoiceCall { body, display_text, ttl_minutes } => {
                let mut parameters = json!({"ttl_minutes": self.ttl(*ttl_minutes)?});
                if let Some(text) = display_text {
                    parameters["display_text"] = self.text(limits::CALL_BUTTON, text)?.into();
                }
                if let Some(payload) = self.payload()? {
                    parameters["payload"] = payload.into();
                }
                json!({
                    "type": "voice_call",
                    "body": {"text": self.text(limits::CALL_BODY, body)?},
                    "action": {"name": "voice_call", "parameters": parameters},
                })
            }
            Words::CtaUrl { header, body, footer, display_text, url } => {
                let mut message = json!({
                    "type": "cta_url",
                    "body": {"text": self.text(limits::BODY, body)?},
                    "action": {"name": "cta_url", "parameters": {
                        "display_text": self.text(limits::BUTTON, display_text)?,
                        "url": self.text(limits::URL, url)?,
                    }},
                });
                if let Some(header) = header {
                    message["header"] = self.header(header)?;
                }
                if let Some(footer) = footer {
                    message["footer"] = json!({"text": self.text(limits::FOOTER, footer)?});
                }
                message
            }
            Words::PermissionRequest { body } => {
                let mut message =
                    json!({"type": "call_permission_request", "action": {"name": "call_permission_request"}});
                if let Some(body) = body {
                    message["body"] = json!({"text": self.text(limits::CALL_BODY, body)?});
                }
                message
            }
            Words::Text { .. } | Words::Template(_) => unreachable!("these are not interactive"),
        })
    }

    fn header(&self, header: &Header) -> Result<Value, Fault> {
        let (kind, link) = match header {
            Header::Text(text) => {
                return Ok(json!({"type": "text", "text": self.text(limits::HEADER, text)?}));
            }
            Header::Image(link) => ("image", link),
            Header::Video(link) => ("video", link),
            Header::Document(link) => ("document", link),
        };
        let mut value = json!({"type": kind});
        value[kind] = json!({"link": self.text(limits::URL, link)?});
        Ok(value)
    }

    fn template(&self, template: &Template) -> Result<Value, Fault> {
        let mut components = Vec::new();
        for (kind, parameters) in [("header", &template.header), ("body", &template.body)] {
            if !parameters.is_empty() {
                let filled = parameters.iter().map(|parameter| self.parameter(parameter));
                let filled = filled.collect::<Result<Vec<_>, _>>()?;
                components.push(json!({"type": kind, "parameters": filled}));
            }
        }
        if let Some(minutes) = template.voice_call {
            let ttl = self.ttl(Some(minutes))?;
            let mut parameters = vec![json!({"type": "ttl_minutes", "ttl_minutes": ttl})];
            if let Some(payload) = self.payload()? {
                parameters.push(json!({"type": "payload", "payload": payload}));
            }
            components.push(json!({"type": "button", "sub_type": "voice_call", "parameters": parameters}));
        }
        if let Some(button) = &template.url_button {
            components.push(json!({
                "type": "button",
                "sub_type": "url",
                "index": button.index.to_string(),
                "parameters": [{"type": "text", "text": self.text(limits::URL, &button.text)?}],
            }));
        }
        let mut value = json!({"name": template.name, "language": {"code": template.language}});
        if !components.is_empty() {
            value["components"] = components.into();
        }
        Ok(value)
    }

    fn parameter(&self, parameter: &Parameter) -> Result<Value, Fault> {
        let mut value = json!({"type": "text", "text": self.text(limits::BODY, &parameter.text)?});
        if let Some(name) = &parameter.name {
            value["parameter_name"] = name.as_str().into();
        }
        Ok(value)
    }

    /// Fills the placeholders of a text and checks its length. A text in double braces that is no name stays as it is.
    fn text(&self, limit: Limit, text: &str) -> Result<String, Fault> {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            filled.push_str(before);
            let Some((name, after)) = after.split_once("}}") else {
                filled.push_str("{{");
                rest = after;
                continue;
            };
            filled.push_str(self.value(limit.field, name.trim())?);
            rest = after;
        }
        filled.push_str(rest);
        let length = filled.chars().count();
        if length > limit.max {
            return Err(Fault::TooLong { limit, length });
        }
        if filled.trim().is_empty() { Err(Fault::Empty { field: limit.field }) } else { Ok(filled) }
    }

    fn value(&self, field: &'static str, name: &str) -> Result<&str, Fault> {
        let own = match name {
            "link" => self.link.as_deref(),
            "payload" => self.payload.as_deref(),
            name => self.variables.get(name).map(String::as_str),
        };
        own.ok_or_else(|| Fault::NoValue { field, name: name.chars().take(64).collect() })
    }

    fn payload(&self) -> Result<Option<&str>, Fault> {
        let Some(payload) = self.payload.as_deref() else { return Ok(None) };
        let length = payload.chars().count();
        if length > limits::PAYLOAD.max {
            return Err(Fault::TooLong { limit: limits::PAYLOAD, length });
        }
        Ok(Some(payload))
    }

    /// For how many minutes a call button can be used: as declared, but not longer than it has a use.
    fn ttl(&self, declared: Option<u32>) -> Result<u32, Fault> {
        let declared = declared.unwrap_or(TTL_MINUTES_DEFAULT);
        if !TTL_MINUTES.contains(&declared) {
            return Err(Fault::Ttl);
        }
        let Some(ends_at) = self.ends_at else { return Ok(declared) };
        let left: SignedDuration = ends_at.duration_since(self.now);
        let minutes = u32::try_from(left.as_mins().max(0)).unwrap_or(u32::MAX);
        if minutes == 0 { Err(Fault::Ended) } else { Ok(declared.min(minutes)) }
    }
}

#[cfg(test)]
mod tests;
