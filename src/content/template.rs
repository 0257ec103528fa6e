//! A `meta/template` as WhatsApp's Cloud API has it: the components of its creation, and the variables that a message
//! has to fill.
//!
//! Each component of a template counts its numbered variables from 1, and the variable of a URL has no name.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::canonical::template_name;
use super::declaration::{Action, ActionKind, Category, Declaration};
use super::placeholder::{Piece, pieces, variables};

/// The variables of one text, each once, in the order in which a message fills them.
#[must_use]
pub fn parameters(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for name in variables(text) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Whether its variables have names. The check refuses names beside numbers.
#[must_use]
pub fn is_named(declaration: &Declaration) -> bool {
    let texts = [&declaration.header_text, &declaration.body];
    let mut names = texts.into_iter().flatten().flat_map(|text| variables(text));
    names.any(|name| !name.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The body of its creation.
#[must_use]
pub fn creation(declaration: &Declaration) -> Value {
    let mut components = Vec::new();
    if let Some(text) = &declaration.header_text {
        let mut header = json!({"type": "HEADER", "format": "TEXT", "text": shown(declaration, text)});
        example(&mut header, declaration, text, "header_text", false);
        components.push(header);
    }
    let body = declaration.body.as_deref().unwrap_or_default();
    let mut component = json!({"type": "BODY", "text": shown(declaration, body)});
    example(&mut component, declaration, body, "body_text", true);
    components.push(component);
    if let Some(footer) = &declaration.footer {
        components.push(json!({"type": "FOOTER", "text": footer}));
    }
    if !declaration.actions.is_empty() {
        let buttons: Vec<Value> =
            declaration.actions.iter().map(|action| button(declaration, action)).collect();
        components.push(json!({"type": "BUTTONS", "buttons": buttons}));
    }
    let mut whole = json!({
        "name": template_name(declaration),
        "language": declaration.language,
        "category": declaration.category.map(Category::as_str),
        "components": components,
    });
    if is_named(declaration) {
        whole["parameter_format"] = json!("NAMED");
    }
    whole
}

/// The text with the variables as the component counts them.
fn shown(declaration: &Declaration, text: &str) -> String {
    if is_named(declaration) {
        return text.to_owned();
    }
    let order = parameters(text);
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Variable(name) => {
                let place = order.iter().position(|known| *known == name).unwrap_or_default();
                _ = write!(out, "{{{{{}}}}}", place.saturating_add(1));
            }
        }
    }
    out
}

/// Adds the samples. Those of a body are lists of lists.
fn example(component: &mut Value, declaration: &Declaration, text: &str, key: &str, is_nested: bool) {
    let names = parameters(text);
    if names.is_empty() {
        return;
    }
    let sample = |name: &str| declaration.variables.get(name).cloned().unwrap_or_default();
    let mut fields = Map::new();
    if is_named(declaration) {
        let named = names.iter().map(|name| json!({"param_name": name, "example": sample(name)}));
        fields.insert(format!("{key}_named_params"), named.collect());
    } else {
        let samples: Vec<String> = names.iter().map(|name| sample(name)).collect();
        let samples = if is_nested { json!([samples]) } else { json!(samples) };
        fields.insert(key.to_owned(), samples);
    }
    component["example"] = Value::Object(fields);
}

fn button(declaration: &Declaration, action: &Action) -> Value {
    let mut button = match action.kind {
        ActionKind::VoiceCall => json!({"type": "voice_call"}),
        _ => json!({"type": "URL"}),
    };
    if let Some(title) = &action.title {
        button["text"] = json!(title);
    }
    if let Some(minutes) = action.ttl_minutes {
        button["ttl_minutes"] = json!(minutes);
    }
    if let Some(url) = &action.url {
        // The only variable is at the end.
        let Some(name) = variables(url).next() else {
            button["url"] = json!(url);
            return button;
        };
        let sample = declaration.variables.get(name).map(String::as_str).unwrap_or_default();
        let fixed = url.split("{{").next().unwrap_or_default();
        button["url"] = json!(format!("{fixed}{{{{1}}}}"));
        button["example"] = json!([format!("{fixed}{sample}")]);
    }
    button
}

/// What a message fills of a template with these components, each with its place, and the language. A message for one
/// template fits another with the same.
///
/// Every component counts its numbered variables from 1, so two of them are told apart by their samples.
#[must_use]
pub fn fills(language: &str, components: &[Value]) -> BTreeSet<String> {
    let mut places: Vec<(String, String)> = Vec::new();
    let mut others = vec![format!("language {language}")];
    for component in components {
        let kind = component["type"].as_str().unwrap_or_default().to_ascii_lowercase();
        match kind.as_str() {
            "header" | "body" => {
                let text = component["text"].as_str().unwrap_or_default();
                for (place, name) in parameters(text).into_iter().enumerate() {
                    if name.bytes().all(|byte| byte.is_ascii_digit()) {
                        places.push((format!("{kind} {place}"), sample(component, &kind, place)));
                    } else {
                        others.push(format!("{kind} {name}"));
                    }
                }
            }
            "buttons" => {
                let buttons = component["buttons"].as_array().map_or(&[][..], Vec::as_slice);
                for (place, button) in buttons.iter().enumerate() {
                    let kind = button["type"].as_str().unwrap_or_default();
                    if kind.eq_ignore_ascii_case("voice_call") {
                        others.push("call button".to_owned());
                    } else if let Some((fixed, _)) =
                        button["url"].as_str().and_then(|url| url.split_once("{{"))
                    {
                        let sample = button["example"][0].as_str().unwrap_or_default();
                        let sample = sample.strip_prefix(fixed).unwrap_or_default();
                        places.push((format!("url {place}"), sample.to_owned()));
                    }
                }
            }
            _ => {}
        }
    }
    let is_alone = places.len() == 1;
    let told = |(place, sample)| if is_alone { place } else { format!("{place} as {sample}") };
    places.into_iter().map(told).chain(others).collect()
}

/// The sample of a numbered variable; empty if none is shown.
fn sample(component: &Value, kind: &str, place: usize) -> String {
    let samples = &component["example"][format!("{kind}_text")];
    let samples = if kind == "body" { &samples[0] } else { samples };
    samples[place].as_str().unwrap_or_default().to_owned()
}
