//! The bodies of messages to Messenger.
//!
//! The shapes are those of *Call Audio CTA* (16 Mar 2026), *Button template* and *Generic template* (22 Apr 2026).
//! Everything is checked before anything is sent. The figures are those of the declarations.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::content::placeholder::{Piece, pieces};
use crate::content::{Action, ActionKind, Declaration, Element, Kind, Rule};
use crate::domain::{ContentRef, Psid};

/// What each declared content says, by its name.
pub type Contents = BTreeMap<ContentRef, Declaration>;

/// What one message adds to its content.
#[derive(Debug, Clone)]
pub struct Values<'a> {
    /// The variables of the order.
    pub variables: &'a BTreeMap<String, String>,
    /// A calling link on WhatsApp.
    pub link: Option<String>,
    /// The payload in it.
    pub payload: Option<String>,
    pub now: Timestamp,
    /// When the call button has no use any more.
    pub ends_at: Option<Timestamp>,
}

/// Why a message is not sent. It never repeats a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the content is not for Messenger (our rule)")]
    Kind,
    #[error("{field} has the placeholder {{{{{name}}}}}, for which the order has no value (our rule)")]
    NoValue { field: &'static str, name: String },
    #[error("{field} has {length} characters: at most {} ({})", rule.figure(), rule.published().source)]
    TooLong { field: &'static str, rule: Rule, length: usize },
    #[error("{field} has {length} characters: at most {URL_MAX} (our rule)")]
    LongUrl { field: &'static str, length: usize },
    #[error("{field} is empty")]
    Empty { field: &'static str },
    #[error("its call button has no use any more (our rule)")]
    Ended,
}

/// The longest URL of a button or an image (our rule: Meta names no limit).
const URL_MAX: usize = 2_000;
const SECONDS_OF_A_DAY: i64 = 86_400;

/// The body of a message.
///
/// # Errors
/// [`Fault`] with the field and the rule.
pub fn body(to: &Psid, declaration: &Declaration, values: &Values<'_>) -> Result<Value, Fault> {
    let payload = match declaration.kind {
        Kind::MessengerButton => {
            let text = declaration.body.as_deref().unwrap_or_default();
            json!({
                "template_type": "button",
                "text": values.text("text", text, Rule::MessengerText)?,
                "buttons": values.buttons(&declaration.actions)?,
            })
        }
        Kind::MessengerGeneric => {
            let elements = declaration.elements.iter().map(|element| values.element(element));
            json!({"template_type": "generic", "elements": elements.collect::<Result<Vec<_>, _>>()?})
        }
        _ => return Err(Fault::Kind),
    };
    Ok(json!({
        "recipient": {"id": to.as_str()},
        "message": {"attachment": {"type": "template", "payload": payload}},
    }))
}

impl Values<'_> {
    fn element(&self, element: &Element) -> Result<Value, Fault> {
        let title = element.title.as_deref().unwrap_or_default();
        let mut card = json!({"title": self.text("title", title, Rule::MessengerTitle)?});
        if let Some(subtitle) = &element.subtitle {
            card["subtitle"] = self.text("subtitle", subtitle, Rule::MessengerSubtitle)?.into();
        }
        if let Some(url) = &element.image_url {
            card["image_url"] = self.url("image_url", url)?.into();
        }
        if !element.actions.is_empty() {
            card["buttons"] = self.buttons(&element.actions)?.into();
        }
        Ok(card)
    }

    fn buttons(&self, actions: &[Action]) -> Result<Vec<Value>, Fault> {
        actions.iter().map(|action| self.button(action)).collect()
    }

    fn button(&self, action: &Action) -> Result<Value, Fault> {
        let title = action.title.as_deref().unwrap_or_default();
        let title = self.text("button", title, Rule::MessengerButton)?;
        match action.kind {
            ActionKind::AudioCall => {
                let days = self.days(action.expires_in_days)?;
                Ok(json!({"type": "audio_call", "title": title, "expires_in_days": days}))
            }
            ActionKind::WebUrl => {
                let url = self.url("url", action.url.as_deref().unwrap_or_default())?;
                Ok(json!({"type": "web_url", "title": title, "url": url}))
            }
            _ => Err(Fault::Kind),
        }
    }

    /// For how many days a button can be used: as declared, and no whole day longer than it has a use.
    fn days(&self, declared: Option<i64>) -> Result<i64, Fault> {
        let most = i64::try_from(Rule::ExpiresInDays.figure()).unwrap_or(1);
        let declared = declared.unwrap_or(most).clamp(1, most);
        let Some(ends_at) = self.ends_at else { return Ok(declared) };
        let left = ends_at.duration_since(self.now);
        if left <= SignedDuration::ZERO {
            return Err(Fault::Ended);
        }
        let days = left.as_secs().saturating_add(SECONDS_OF_A_DAY - 1) / SECONDS_OF_A_DAY;
        Ok(declared.min(days.max(1)))
    }

    fn url(&self, field: &'static str, text: &str) -> Result<String, Fault> {
        let url = self.filled(field, text)?;
        let length = url.chars().count();
        if length > URL_MAX { Err(Fault::LongUrl { field, length }) } else { Ok(url) }
    }

    fn text(&self, field: &'static str, text: &str, rule: Rule) -> Result<String, Fault> {
        let filled = self.filled(field, text)?;
        let length = filled.chars().count();
        if length > rule.figure() {
            return Err(Fault::TooLong { field, rule, length });
        }
        if filled.trim().is_empty() { Err(Fault::Empty { field }) } else { Ok(filled) }
    }

    fn filled(&self, field: &'static str, text: &str) -> Result<String, Fault> {
        let mut out = String::with_capacity(text.len());
        for piece in pieces(text) {
            out.push_str(match piece {
                Piece::Text(text) => text,
                Piece::Variable(name) => self.value(field, name)?,
            });
        }
        Ok(out)
    }

    fn value(&self, field: &'static str, name: &str) -> Result<&str, Fault> {
        let value = match name {
            "link" => self.link.as_deref(),
            "payload" => self.payload.as_deref(),
            name => self.variables.get(name).map(String::as_str),
        };
        value.ok_or_else(|| Fault::NoValue { field, name: name.chars().take(64).collect() })
    }
}
