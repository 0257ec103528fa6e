//! The components of templates: as they are created, and as a message fills them.
//!
//! Meta, *Message templates* (2026), and *Call Button Messages and Deep Links* (26 Jun 2026) for call buttons.

use serde_json::Value;

use super::fault::GraphFault;
use super::said::{Button, payload, ttl, words};

/// How long a call button of a template can be used, as its creation says.
const TTL_AT_CREATION: std::ops::RangeInclusive<u64> = 1_440..=43_200;
const BODY_MAX: usize = 1_024;
const HEADER_MAX: usize = 60;
const FOOTER_MAX: usize = 60;
const CALL_BUTTON_MAX: usize = 20;
const URL_BUTTON_MAX: usize = 25;
const BUTTONS_MAX: usize = 10;

/// What a message with a template has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) button: Option<Button>,
    pub(super) has_url: bool,
    pub(super) is_request: bool,
}

/// Whether Meta takes these components of a new template.
pub(super) fn check_creation(components: &[Value]) -> Result<(), GraphFault> {
    let body = of_kind(components, "BODY").ok_or_else(|| {
        GraphFault::parameter("Message template components have no BODY").with_subcode(2_388_043)
    })?;
    for (kind, max, subcode) in
        [("HEADER", HEADER_MAX, 2_388_047), ("BODY", BODY_MAX, 2_388_072), ("FOOTER", FOOTER_MAX, 2_388_073)]
    {
        let Some(component) = of_kind(components, kind) else { continue };
        words(component, kind, "text", max).map_err(|fault| fault.into_creation(subcode))?;
    }
    if body["text"].is_null() {
        return Err(GraphFault::parameter("The BODY has no text").with_subcode(2_388_072));
    }
    for kind in ["HEADER", "BODY"] {
        let Some(component) = of_kind(components, kind) else { continue };
        let has_variables = !variables(component["text"].as_str().unwrap_or_default()).is_empty();
        if has_variables && component["example"].is_null() {
            let details = format!("The {kind} has variables and no example");
            return Err(GraphFault::parameter(details).with_subcode(2_388_043));
        }
    }
    let buttons = buttons(components);
    if buttons.len() > BUTTONS_MAX {
        return Err(GraphFault::parameter(format!("{} buttons are more than 10", buttons.len())));
    }
    let mut calls = 0;
    for button in buttons {
        match kind_of(button).as_str() {
            "VOICE_CALL" => {
                calls += 1;
                words(button, "button", "text", CALL_BUTTON_MAX)
                    .map_err(|fault| fault.into_creation(2_388_043))?;
                let minutes = &button["ttl_minutes"];
                if !minutes.is_null() && !minutes.as_u64().is_some_and(|it| TTL_AT_CREATION.contains(&it)) {
                    return Err(GraphFault::parameter("ttl_minutes of a template is not from 1440 to 43200"));
                }
            }
            "URL" => {
                let text = words(button, "button", "text", URL_BUTTON_MAX)?;
                if text.is_none() || !button["url"].is_string() {
                    return Err(GraphFault::parameter("A URL button has no text or no url"));
                }
            }
            "QUICK_REPLY" | "PHONE_NUMBER" | "COPY_CODE" | "FLOW" | "OTP" | "CATALOG" | "MPM" => {}
            kind => return Err(GraphFault::parameter(format!("The button type {kind} is not known"))),
        }
    }
    if calls > 1 { Err(GraphFault::parameter("A template has at most one call button")) } else { Ok(()) }
}

/// What a message fills of a template with these components.
pub(super) fn check_sent(template: &[Value], is_named: bool, sent: &[Value]) -> Result<Sent, GraphFault> {
    for kind in ["HEADER", "BODY"] {
        let text = of_kind(template, kind).and_then(|component| component["text"].as_str());
        let names = variables(text.unwrap_or_default());
        let given = of_kind(sent, kind).and_then(|component| component["parameters"].as_array());
        let given = given.map_or(&[][..], Vec::as_slice);
        let are_named =
            given.iter().all(|one| names.iter().any(|name| one["parameter_name"] == name.as_str()));
        if given.len() != names.len() || (is_named && !are_named) {
            let details = format!(
                "{}: number of localizable_params ({}) does not match the expected number of params ({})",
                kind.to_lowercase(),
                given.len(),
                names.len()
            );
            return Err(GraphFault::new(400, 132_000, "Number of parameters does not match", details));
        }
        if let Some(wrong) = given.iter().find(|one| one["type"] == "text" && !one["text"].is_string()) {
            let details = format!("A parameter of the {} has no text: {wrong}", kind.to_lowercase());
            return Err(GraphFault::new(400, 132_012, "Parameter format does not match", details));
        }
    }
    let buttons = buttons(template);
    let mut said = Sent {
        has_url: buttons.iter().any(|button| kind_of(button) == "URL"),
        is_request: of_kind(template, "CALL_PERMISSION_REQUEST").is_some(),
        button: None,
    };
    if let Some(button) = buttons.iter().find(|button| kind_of(button) == "VOICE_CALL") {
        let ttl_minutes = ttl(&button["ttl_minutes"])?;
        said.button = Some(Button { ttl_minutes, payload: None });
    }
    for component in sent.iter().filter(|component| kind_of(component) == "BUTTON") {
        fill_button(buttons, component, &mut said)?;
    }
    Ok(said)
}

fn fill_button(buttons: &[Value], component: &Value, said: &mut Sent) -> Result<(), GraphFault> {
    let sub_type = component["sub_type"].as_str().unwrap_or_default().to_ascii_uppercase();
    if !buttons.iter().any(|button| kind_of(button) == sub_type) {
        let details = format!("The template has no button of the type {sub_type}");
        return Err(GraphFault::new(400, 132_018, "There is an issue with the parameters", details));
    }
    let Some(button) = said.button.as_mut().filter(|_| sub_type == "VOICE_CALL") else { return Ok(()) };
    for parameter in component["parameters"].as_array().map_or(&[][..], Vec::as_slice) {
        match parameter["type"].as_str() {
            Some("ttl_minutes") => button.ttl_minutes = ttl(&parameter["ttl_minutes"])?,
            Some("payload") => button.payload = payload(parameter)?,
            _ => {
                return Err(GraphFault::value(
                    "A parameter of a call button is neither ttl_minutes nor payload",
                ));
            }
        }
    }
    Ok(())
}

fn of_kind<'v>(components: &'v [Value], kind: &str) -> Option<&'v Value> {
    components.iter().find(|component| kind_of(component) == kind)
}

/// The type, in capitals: Meta takes both.
fn kind_of(value: &Value) -> String {
    value["type"].as_str().unwrap_or_default().to_ascii_uppercase()
}

fn buttons(components: &[Value]) -> &[Value] {
    let component = of_kind(components, "BUTTONS").and_then(|component| component["buttons"].as_array());
    component.map_or(&[][..], Vec::as_slice)
}

/// The variables of a text, each once.
pub(super) fn variables(text: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for piece in text.split("{{").skip(1) {
        if let Some((name, _)) = piece.split_once("}}")
            && !names.iter().any(|known| known == name.trim())
        {
            names.push(name.trim().to_owned());
        }
    }
    names
}

impl GraphFault {
    /// The same fault, as the creation of a template tells it.
    fn into_creation(self, subcode: u32) -> Self {
        Self::parameter(self.details).with_subcode(subcode)
    }
}
