//! What Twilio's Content API takes: the fields, actions and lengths of the types that are used for calling.
//!
//! Written from Twilio's pages and specification, not from `content`, so that an error in either is found.

use serde_json::{Map, Value};

use super::wire::Refusal;

/// The fields of a type with the most characters of each text; 0 for a list.
type Fields = &'static [(&'static str, usize)];

const TYPES: &[(&str, Fields, &[&str], &[&str])] = &[
    ("twilio/text", &[("body", 1_600)], &["body"], &[]),
    (
        "twilio/call-to-action",
        &[("body", 640), ("actions", 0)],
        &["body", "actions"],
        &["URL", "PHONE_NUMBER", "COPY_CODE", "VOICE_CALL", "VOICE_CALL_REQUEST"],
    ),
    (
        "twilio/card",
        &[("title", 1_024), ("body", 1_600), ("subtitle", 60), ("media", 0), ("actions", 0)],
        &[],
        &["URL", "PHONE_NUMBER", "QUICK_REPLY", "COPY_CODE", "VOICE_CALL"],
    ),
    (
        "whatsapp/card",
        &[("body", 1_024), ("footer", 60), ("header_text", 60), ("media", 0), ("actions", 0)],
        &["body"],
        &["URL", "PHONE_NUMBER", "QUICK_REPLY", "COPY_CODE", "VOICE_CALL"],
    ),
];

const ACTION: &[&str] = &["type", "title", "url", "phone", "code", "id", "webview_size", "ttl_minutes"];

/// Languages that WhatsApp knows, by their first part.
const LANGUAGES: &str = "af ar az be bg bn ca cs da de el en es et fa fi fil fr ga gu ha he hi hr hu id it ja ka kk \
    kn ko ky lo lt lv mk ml mr ms nb nl pa pl prs ps pt ro ru rw si sk sl sq sr sv sw ta te th tr uk ur uz vi zh zu";

fn bad(code: u32, message: impl Into<String>) -> Refusal {
    Refusal::bad_request(code, message)
}

/// Checks the body of a create request, and returns its types. Unused types are null in some clients.
pub(super) fn types(body: &Value) -> Result<Map<String, Value>, Refusal> {
    let mut types = body["types"].as_object().cloned().unwrap_or_default();
    types.retain(|_, kind| !kind.is_null());
    if types.is_empty() {
        return Err(bad(92001, "Content types are required"));
    }
    language(body)?;
    if body["variables"].as_object().is_some_and(|variables| variables.len() > 100) {
        return Err(bad(92002, "Content has more than 100 variables"));
    }
    if types.contains_key("twilio/button") {
        return Err(bad(92008, "twilio/button is no longer supported"));
    }
    for (name, kind) in &types {
        let Some((_, fields, required, actions)) = TYPES.iter().find(|(known, ..)| known == name) else {
            continue;
        };
        let kind = kind.as_object().ok_or_else(|| bad(20001, format!("{name} is not an object")))?;
        fields_of(name, kind, fields, required)?;
        for action in kind.get("actions").and_then(Value::as_array).into_iter().flatten() {
            action_of(name, action, actions)?;
        }
    }
    Ok(types)
}

fn language(body: &Value) -> Result<(), Refusal> {
    let code = body["language"].as_str().filter(|code| !code.is_empty());
    let code = code.ok_or_else(|| bad(92003, "Language is required"))?;
    let first = code.split('_').next().unwrap_or_default();
    if LANGUAGES.split_whitespace().any(|known| known == first) {
        Ok(())
    } else {
        Err(bad(92004, "Language is not known"))
    }
}

fn fields_of(
    name: &str,
    kind: &Map<String, Value>,
    fields: Fields,
    required: &[&str],
) -> Result<(), Refusal> {
    for (field, value) in kind.iter().filter(|(_, value)| !value.is_null()) {
        let Some((_, most)) = fields.iter().find(|(known, _)| known == field) else {
            return Err(bad(20001, format!("{name} has no field {field}")));
        };
        let fits = match value {
            Value::String(text) => *most > 0 && text.chars().count() <= *most,
            Value::Array(_) => *most == 0,
            _ => false,
        };
        if !fits {
            return Err(bad(20001, format!("{field} of {name} is not valid")));
        }
    }
    let is_there = |field: &str| kind.get(field).is_some_and(|value| !value.is_null());
    match required.iter().find(|field| !is_there(field)) {
        Some(field) => Err(bad(20001, format!("{field} of {name} is required"))),
        None => Ok(()),
    }
}

fn action_of(name: &str, action: &Value, known: &[&str]) -> Result<(), Refusal> {
    let fields = action.as_object().ok_or_else(|| bad(20001, "An action is not an object"))?;
    let kind = action["type"].as_str().unwrap_or_default();
    if !known.contains(&kind) {
        return Err(bad(20001, format!("{name} has no such action")));
    }
    if let Some(field) = fields.keys().find(|field| !ACTION.contains(&field.as_str())) {
        return Err(bad(20001, format!("An action has no field {field}")));
    }
    let title = action["title"].as_str().unwrap_or_default().chars().count();
    if !(1..=25).contains(&title) {
        return Err(bad(20001, "The title of an action has 1 to 25 characters"));
    }
    let needs = match kind {
        "URL" => "url",
        "PHONE_NUMBER" => "phone",
        "COPY_CODE" => "code",
        _ => return Ok(()),
    };
    if action[needs].as_str().is_none_or(str::is_empty) {
        return Err(bad(20001, format!("{kind} needs {needs}")));
    }
    Ok(())
}
