//! What a declaration becomes at the platform: its types as JSON, its version, and its two names.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::declaration::{Action, Declaration, Element};

/// How many hexadecimal digits of the hash are in a name: 40 bits. Two versions of one name with the same digits are
/// told as altered content, never taken for each other.
const DIGITS: usize = 10;

/// The `types` of the content, with the declared fields only.
#[must_use]
pub fn types(declaration: &Declaration) -> Value {
    let mut fields = as_json(declaration.texts());
    if !declaration.media.is_empty() {
        fields.insert("media".to_owned(), json!(declaration.media));
    }
    if !declaration.actions.is_empty() {
        fields.insert("actions".to_owned(), declaration.actions.iter().map(action).collect());
    }
    if !declaration.elements.is_empty() {
        fields.insert("elements".to_owned(), declaration.elements.iter().map(element).collect());
    }
    json!({declaration.kind.as_str(): fields})
}

fn as_json<'t>(texts: impl Iterator<Item = (&'static str, &'t str)>) -> Map<String, Value> {
    texts.map(|(key, text)| (key.to_owned(), json!(text))).collect()
}

fn element(element: &Element) -> Value {
    let mut fields = as_json(element.texts());
    if !element.actions.is_empty() {
        fields.insert("actions".to_owned(), element.actions.iter().map(action).collect());
    }
    Value::Object(fields)
}

fn action(action: &Action) -> Value {
    let mut fields = as_json([("type", action.kind.as_str())].into_iter().chain(action.texts()));
    for (key, number) in [("ttl_minutes", action.ttl_minutes), ("expires_in_days", action.expires_in_days)] {
        if let Some(number) = number {
            fields.insert(key.to_owned(), json!(number));
        }
    }
    Value::Object(fields)
}

/// The first digits of a hash over all that consumers and WhatsApp see: language, types, samples, category, revision.
/// Neither the name nor whether approval is sought is in it.
#[must_use]
pub fn hash(declaration: &Declaration) -> String {
    let whole = json!({
        "language": declaration.language,
        "types": types(declaration),
        "variables": declaration.variables,
        "category": declaration.category.map(super::Category::as_str),
        "revision": declaration.revision,
    });
    let mut text = String::new();
    write_sorted(&whole, &mut text);
    let digest = Sha256::digest(text.as_bytes());
    let mut digits = String::with_capacity(DIGITS);
    for byte in digest.iter().take(DIGITS.div_ceil(2)) {
        _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// JSON with the keys of every object in order, whatever the order in memory.
fn write_sorted(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (key, value) in fields {
                _ = write!(out, "{}:", Value::from(key.as_str()));
                write_sorted(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write_sorted(item, out);
                out.push(',');
            }
            out.push(']');
        }
        other => _ = write!(out, "{other}"),
    }
}

/// The friendly name of the content at the platform, `name@hash`.
#[must_use]
pub fn version(declaration: &Declaration) -> String {
    format!("{}@{}", declaration.name, hash(declaration))
}

/// The name under which the content is submitted to WhatsApp, which takes no `@`.
#[must_use]
pub fn template_name(declaration: &Declaration) -> String {
    format!("{}_{}", declaration.name, hash(declaration))
}

/// The name at WhatsApp of the version with this friendly name. Another name is as it is.
#[must_use]
pub fn name_at_whatsapp(friendly_name: &str) -> String {
    match name_in(friendly_name) {
        Some(_) => friendly_name.replacen('@', "_", 1),
        None => friendly_name.to_owned(),
    }
}

/// The friendly name of the version that was submitted under this name, if it is one of ours.
#[must_use]
pub fn version_in(template_name: &str) -> Option<String> {
    let (name, digits) = template_name.rsplit_once('_')?;
    let version = format!("{name}@{digits}");
    name_in(&version).is_some().then_some(version)
}

/// The declared name in a friendly name, if it is one of ours.
#[must_use]
pub fn name_in(friendly_name: &str) -> Option<&str> {
    let (name, digits) = friendly_name.split_once('@')?;
    let is_hash =
        digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    (is_hash && !name.is_empty()).then_some(name)
}
