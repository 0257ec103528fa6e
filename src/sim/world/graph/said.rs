//! Reads the body of a message: what it is, and whether Meta takes it.
//!
//! The shapes with a way to call are those of Meta, *Interactive Call-to-Action URL Button Messages* (28 Jun 2026) and
//! *Call Button Messages and Deep Links* (26 Jun 2026). Of the others only the required fields are checked.

use serde_json::{Map, Value};

use super::components::Sent;
use super::fault::GraphFault;
use super::state::{NumberId, TemplateId};
use crate::domain::Phone;
use crate::sim::world::World;

/// Characters, by the first of the two pages; a text by *Text messages* (2026).
const BODY_MAX: usize = 1_024;
const HEADER_MAX: usize = 60;
const FOOTER_MAX: usize = 60;
const BUTTON_MAX: usize = 20;
const TEXT_MAX: usize = 4_096;
/// By the second page.
const PAYLOAD_MAX: usize = 512;
const TTL: std::ops::RangeInclusive<u64> = 1..=43_200;
const TTL_DEFAULT: u64 = 10_080;

/// What a message says, as far as the world has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim::world) enum Said {
    /// Free words without a way to call.
    Plain,
    /// A button that opens a URL, which may be a calling link.
    Url {
        link: Option<(Phone, Option<String>)>,
    },
    /// A text with a calling link.
    Link {
        number: Phone,
        payload: Option<String>,
    },
    Button(Button),
    Request,
    Template {
        template: TemplateId,
        button: Option<Button>,
        has_url: bool,
        is_request: bool,
    },
}

/// A call button.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sim::world) struct Button {
    pub(super) ttl_minutes: u64,
    pub(super) payload: Option<String>,
}

impl Said {
    pub(super) const fn is_template(&self) -> bool {
        matches!(self, Self::Template { .. })
    }

    pub(super) const fn is_request(&self) -> bool {
        matches!(self, Self::Request | Self::Template { is_request: true, .. })
    }

    pub(super) const fn button(&self) -> Option<&Button> {
        match self {
            Self::Button(button) | Self::Template { button: Some(button), .. } => Some(button),
            _ => None,
        }
    }

    pub(super) fn payload(&self) -> Option<&str> {
        match self {
            Self::Link { payload, .. } | Self::Url { link: Some((_, payload)) } => payload.as_deref(),
            _ => self.button()?.payload.as_deref(),
        }
    }
}

/// The field that a message of each type needs beside its type, and what that needs.
const PLAIN: [(&str, &[&str]); 8] = [
    ("image", &[]),
    ("audio", &[]),
    ("video", &[]),
    ("document", &[]),
    ("sticker", &[]),
    ("location", &["latitude", "longitude"]),
    ("contacts", &[]),
    ("reaction", &["message_id"]),
];

/// Types of interactive messages without a way to call (Meta, *Messages API*, 2026).
const INTERACTIVE: [&str; 11] = [
    "button",
    "list",
    "product",
    "product_list",
    "catalog_message",
    "flow",
    "location_request_message",
    "address_message",
    "carousel",
    "order_details",
    "request_contact_info",
];

impl World {
    pub(super) fn said(&self, number: NumberId, body: &Map<String, Value>) -> Result<Said, GraphFault> {
        let kind = body.get("type").map_or(Some("text"), Value::as_str);
        let kind = kind.ok_or_else(|| GraphFault::parameter("Parameter type is not a text"))?;
        let content = body.get(kind).ok_or_else(|| GraphFault::missing(kind))?;
        match kind {
            "text" => text(content),
            "interactive" => interactive(content),
            "template" => self.sent_template(number, content),
            _ => {
                let known = PLAIN.iter().find(|(known, _)| *known == kind);
                let (_, needed) = known.ok_or_else(|| {
                    GraphFault::new(400, 131_051, "Unsupported message type", format!("{kind} is unknown"))
                })?;
                match needed.iter().find(|name| content[**name].is_null()) {
                    Some(name) => Err(GraphFault::missing(&format!("{kind}['{name}']"))),
                    None => Ok(Said::Plain),
                }
            }
        }
    }

    fn sent_template(&self, number: NumberId, content: &Value) -> Result<Said, GraphFault> {
        let waba = self.graph.numbers[number].waba;
        let (template, Sent { button, has_url, is_request }) = self.template_to_send(waba, content)?;
        Ok(Said::Template { template, button, has_url, is_request })
    }
}

fn text(content: &Value) -> Result<Said, GraphFault> {
    let body =
        words(content, "text", "body", TEXT_MAX)?.ok_or_else(|| GraphFault::missing("text['body']"))?;
    Ok(match calling_link(body) {
        Some((number, payload)) => Said::Link { number, payload },
        None => Said::Plain,
    })
}

/// The first calling link in a text: the number that it calls, and its payload.
#[must_use]
pub fn calling_link(text: &str) -> Option<(Phone, Option<String>)> {
    let (_, rest) = text.split_once("https://wa.me/call/")?;
    let rest = rest.split(char::is_whitespace).next()?;
    let (digits, query) = rest.split_once('?').unwrap_or((rest, ""));
    let digits = digits.trim_end_matches(|c: char| !c.is_ascii_digit());
    let number = Phone::parse(&format!("+{digits}")).ok()?;
    let payload = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "biz_payload");
    Some((number, payload.map(|(_, value)| value.into_owned())))
}

fn interactive(content: &Value) -> Result<Said, GraphFault> {
    let kind = content["type"].as_str().ok_or_else(|| GraphFault::missing("interactive['type']"))?;
    let action = &content["action"];
    if ["cta_url", "voice_call", "call_permission_request"].contains(&kind) && action["name"] != kind {
        return Err(GraphFault::value(format!("Parameter interactive['action']['name'] is not {kind}")));
    }
    let body = words(&content["body"], "interactive['body']", "text", BODY_MAX)?;
    let needs_body = || body.ok_or_else(|| GraphFault::missing("interactive['body']['text']"));
    match kind {
        "cta_url" => {
            needs_body()?;
            header(&content["header"])?;
            words(&content["footer"], "interactive['footer']", "text", FOOTER_MAX)?;
            let parameters = &action["parameters"];
            let path = "interactive['action']['parameters']";
            let label = words(parameters, path, "display_text", BUTTON_MAX)?;
            label.ok_or_else(|| GraphFault::missing("display_text"))?;
            let url = parameters["url"].as_str().ok_or_else(|| GraphFault::missing("url"))?;
            if !crate::sim::world::calls::is_web_address(url) {
                return Err(GraphFault::value("Parameter url is not a URL of http or https"));
            }
            Ok(Said::Url { link: calling_link(url) })
        }
        "voice_call" => {
            needs_body()?;
            no_edges(content, kind)?;
            let parameters = &action["parameters"];
            words(parameters, "interactive['action']['parameters']", "display_text", BUTTON_MAX)?;
            Ok(Said::Button(Button {
                ttl_minutes: ttl(&parameters["ttl_minutes"])?,
                payload: payload(parameters)?,
            }))
        }
        "call_permission_request" => {
            no_edges(content, kind)?;
            Ok(Said::Request)
        }
        kind if INTERACTIVE.contains(&kind) && action.is_object() => Ok(Said::Plain),
        kind => Err(GraphFault::value(format!("The interactive type {kind} is not known, or has no action"))),
    }
}

fn no_edges(content: &Value, kind: &str) -> Result<(), GraphFault> {
    match ["header", "footer"].into_iter().find(|name| !content[*name].is_null()) {
        Some(name) => Err(GraphFault::value(format!("An interactive message of type {kind} has no {name}"))),
        None => Ok(()),
    }
}

/// The header of a message with a URL button: one text or one medium.
fn header(header: &Value) -> Result<(), GraphFault> {
    if header.is_null() {
        return Ok(());
    }
    let kind = header["type"].as_str().ok_or_else(|| GraphFault::missing("interactive['header']['type']"))?;
    let media = ["image", "video", "document"];
    if kind != "text" && !media.contains(&kind) {
        return Err(GraphFault::value(format!(
            "The header type {kind} is not text, image, video or document"
        )));
    }
    if let Some(other) =
        media.into_iter().chain(["text"]).find(|name| *name != kind && !header[*name].is_null())
    {
        return Err(GraphFault::value(format!("A header of type {kind} has {other} as well")));
    }
    if kind == "text" {
        let text = words(header, "interactive['header']", "text", HEADER_MAX)?;
        return text.map(drop).ok_or_else(|| GraphFault::missing("interactive['header']['text']"));
    }
    let medium = &header[kind];
    if medium["link"].is_string() || medium["id"].is_string() {
        Ok(())
    } else {
        Err(GraphFault::missing(&format!("interactive['header']['{kind}']['link']")))
    }
}

/// A text of at most `max` characters; `None` if it is absent.
pub(super) fn words<'v>(
    value: &'v Value,
    path: &str,
    name: &str,
    max: usize,
) -> Result<Option<&'v str>, GraphFault> {
    let value = &value[name];
    if value.is_null() {
        return Ok(None);
    }
    let text = value.as_str().filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| GraphFault::value(format!("Parameter {path}['{name}'] is not a text")))?;
    let length = text.chars().count();
    if length > max {
        let details =
            format!("Parameter {path}['{name}'] has {length} characters, and at most {max} are allowed");
        return Err(GraphFault::value(details));
    }
    Ok(Some(text))
}

/// For how many minutes a button can be used.
pub(super) fn ttl(value: &Value) -> Result<u64, GraphFault> {
    if value.is_null() {
        return Ok(TTL_DEFAULT);
    }
    let minutes = value.as_u64().filter(|minutes| TTL.contains(minutes));
    minutes.ok_or_else(|| GraphFault::value("Parameter ttl_minutes is not from 1 to 43200"))
}

pub(super) fn payload(parameters: &Value) -> Result<Option<String>, GraphFault> {
    Ok(words(parameters, "parameters", "payload", PAYLOAD_MAX)?.map(ToOwned::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calling_link_is_found_in_a_text() {
        let number = Phone::parse("+551140000000").unwrap();
        for (text, found) in [
            ("Call us: https://wa.me/call/551140000000", Some((number, None))),
            (
                "https://wa.me/call/551140000000?biz_payload=a-b_c, please",
                Some((number, Some("a-b_c,".to_owned()))),
            ),
            ("https://wa.me/call/551140000000. Thanks", Some((number, None))),
            ("https://wa.me/551140000000", None),
            ("https://wa.me/call/nobody", None),
        ] {
            assert_eq!(calling_link(text), found, "{text}");
        }
    }
}
