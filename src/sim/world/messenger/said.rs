//! Reads the body of a message to Messenger: what it is, and whether the platform takes it.
//!
//! The shapes are those of Meta, *Call Audio CTA* (16 Mar 2026), *Button template* and *Generic template* (22 Apr 2026).
//! No page says how long the title of a call button may be, or how small `expires_in_days`: 20 characters, as other
//! buttons have, and 1.

use serde_json::Value;

use super::fault::PageFault;

/// Characters.
const TEXT_MAX: usize = 2_000;
const BUTTON_TEXT_MAX: usize = 640;
const TITLE_MAX: usize = 80;
const BUTTON_TITLE_MAX: usize = 20;
const BUTTONS_MAX: usize = 3;
const ELEMENTS_MAX: usize = 10;
const DAYS: std::ops::RangeInclusive<i64> = 1..=7;
const DAYS_DEFAULT: i64 = 7;

/// What a message says, as far as the world has to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// How many days its call button can be used, if it has one. Of several, the longest.
    pub(super) call_days: Option<i64>,
}

impl Said {
    pub(super) const fn is_invite(&self) -> bool {
        self.call_days.is_some()
    }
}

/// Reads the object `message`.
pub(super) fn read(message: &Value) -> Result<Said, PageFault> {
    let (text, attachment) = (&message["text"], &message["attachment"]);
    match (text.is_null(), attachment.is_null()) {
        (false, true) => {
            words(message, "text", TEXT_MAX)?;
            Ok(Said::default())
        }
        (true, false) => template(attachment),
        _ => Err(PageFault::parameter("A message has either a text or an attachment")),
    }
}

fn template(attachment: &Value) -> Result<Said, PageFault> {
    if attachment["type"] != "template" {
        return match attachment["type"].as_str() {
            Some("image" | "audio" | "video" | "file") => Ok(Said::default()),
            _ => Err(PageFault::parameter("The attachment has no known type")),
        };
    }
    let payload = &attachment["payload"];
    match payload["template_type"].as_str() {
        Some("button") => {
            words(payload, "text", BUTTON_TEXT_MAX)?;
            let buttons = list(payload, "buttons", BUTTONS_MAX)?;
            Ok(Said { call_days: longest(buttons)? })
        }
        Some("generic") => {
            let mut call_days = None;
            for element in list(payload, "elements", ELEMENTS_MAX)? {
                call_days = call_days.max(card(element)?);
            }
            Ok(Said { call_days })
        }
        _ => Err(PageFault::parameter("The template_type is not known")),
    }
}

/// For how many days the call button of a card can be used.
fn card(element: &Value) -> Result<Option<i64>, PageFault> {
    words(element, "title", TITLE_MAX)?;
    if !element["subtitle"].is_null() {
        words(element, "subtitle", TITLE_MAX)?;
    }
    let others = ["subtitle", "image_url", "default_action", "buttons"];
    if others.iter().all(|name| element[*name].is_null()) {
        return Err(PageFault::parameter("An element needs another property beside its title"));
    }
    for name in ["image_url"] {
        if !element[name].is_null() && !is_url(&element[name]) {
            return Err(PageFault::parameter(format!("{name} is not a URL")));
        }
    }
    if element["buttons"].is_null() { Ok(None) } else { longest(list(element, "buttons", BUTTONS_MAX)?) }
}

fn longest(buttons: &[Value]) -> Result<Option<i64>, PageFault> {
    let mut longest = None;
    for it in buttons {
        longest = longest.max(button(it)?);
    }
    Ok(longest)
}

/// For how many days it can be used, if it calls.
fn button(button: &Value) -> Result<Option<i64>, PageFault> {
    words(button, "title", BUTTON_TITLE_MAX)?;
    match button["type"].as_str() {
        Some("audio_call") => {
            let days = &button["expires_in_days"];
            let given = if days.is_null() { Some(DAYS_DEFAULT) } else { days.as_i64() };
            let given = given.filter(|days| DAYS.contains(days));
            given.map(Some).ok_or_else(|| PageFault::parameter("expires_in_days is not from 1 to 7"))
        }
        Some("web_url") if is_url(&button["url"]) => Ok(None),
        Some("web_url") => Err(PageFault::parameter("A button of type web_url has no url")),
        Some("postback" | "phone_number") if button["payload"].is_string() => Ok(None),
        Some("postback" | "phone_number") => Err(PageFault::parameter("The button has no payload")),
        _ => Err(PageFault::parameter("The type of a button is not known")),
    }
}

/// The items of a list that has 1 to `max`.
fn list<'v>(value: &'v Value, name: &str, max: usize) -> Result<&'v [Value], PageFault> {
    let items = value[name].as_array().filter(|items| (1..=max).contains(&items.len()));
    let items = items.ok_or_else(|| PageFault::parameter(format!("{name} is not a list of 1 to {max}")))?;
    Ok(items)
}

/// A text of 1 to `max` characters.
fn words(value: &Value, name: &str, max: usize) -> Result<(), PageFault> {
    let text = value[name].as_str().filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| PageFault::parameter(format!("{name} is required")))?;
    let length = text.chars().count();
    if length > max {
        return Err(PageFault::parameter(format!("{name} has {length} characters: at most {max}")));
    }
    Ok(())
}

fn is_url(value: &Value) -> bool {
    value.as_str().is_some_and(crate::sim::world::calls::is_web_address)
}
