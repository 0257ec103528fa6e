//! Reads the body of a path with few fields. A fault names the field, and what is wrong with it, and repeats no value.
//!
//! Orders are read by `callbacks::request_body`, which tells all faults at once.

use std::fmt::Write as _;

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::Segment;

use super::callbacks::field_errors::quoted;
use super::permissions::fault;
use crate::http::ApiError;
use crate::http::error::FieldError;

/// Reads a small body. serde's message could repeat a number, so it is not shown.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let shape = |place: &str| {
        let expected = "expected an object with the fields of this path, each once and of its type";
        ApiError::new("body.shape", format!("{place}{expected}"))
    };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let (path, error) = (path_of(error.path()), error.into_inner());
        let place = format!("line {}, column {}: ", error.line(), error.column());
        match (error.classify(), wrong_field(&path, &error)) {
            (Category::Data, Some(wrong)) => ApiError::fields("body.shape", vec![wrong]),
            (Category::Data, None) => shape(&place),
            _ => ApiError::new("body.syntax", format!("{place}not JSON")),
        }
    })?;
    let is_all = reader.end();
    is_all.map_err(|error| {
        let place = format!("line {}, column {}: ", error.line(), error.column());
        ApiError::new("body.syntax", format!("{place}not JSON"))
    })?;
    // A derived reader would accept an array of the fields too.
    if bytes.trim_ascii_start().starts_with(b"{") { Ok(read) } else { Err(shape("")) }
}

/// The field at which a body could not be read; without anything that could be a number.
fn path_of(path: &serde_path_to_error::Path) -> String {
    let mut text = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => _ = write!(text, "[{index}]"),
            Segment::Map { key } => {
                let key = quoted(key);
                let dot = if text.is_empty() { "" } else { "." };
                _ = write!(text, "{dot}{}", key.trim_matches('"'));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    text
}

/// What is wrong with the field at which a body could not be read. The parser's message has the value, which may be a
/// phone number, so only the types are told.
fn wrong_field(path: &str, error: &serde_json::Error) -> Option<FieldError> {
    let text = error.to_string();
    if text.starts_with("unknown field `") {
        return Some(fault(path, "field.unknown", "is not a field of this path"));
    }
    if let Some(rest) = text.strip_prefix("duplicate field `") {
        let name = quoted(rest.split('`').next().unwrap_or_default());
        return Some(fault(name.trim_matches('"'), "field.duplicate", "is repeated"));
    }
    if let Some(rest) = text.strip_prefix("missing field `") {
        let name = rest.split('`').next().unwrap_or_default();
        let dot = if path.is_empty() { "" } else { "." };
        return Some(fault(&format!("{path}{dot}{name}"), "field.missing", "is missing"));
    }
    if path.is_empty() {
        return None;
    }
    // The value comes before the last of these, and may have such words itself.
    let (what, expected) = text.rsplit_once(", expected ")?;
    let expected = expected.rsplit_once(" at line ").map_or(expected, |(expected, _)| expected);
    let expected = type_of(expected);
    Some(match found(what) {
        Some(found) => fault(path, "field.type", &format!("expected {expected}, found {found}")),
        None if what.starts_with("invalid value: ") => {
            fault(path, "field.value", &format!("is out of range: expected {expected}"))
        }
        None => fault(path, "field.value", &format!("expected {expected}")),
    })
}

/// A type as the parser names it, in words.
fn type_of(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 up, within its range",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number, within its range",
        "a sequence" => "an array",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        expected => expected,
    }
}

/// The type of a value in the parser's message; `None` if the type is right and the value is not.
fn found(what: &str) -> Option<&'static str> {
    let found = what.strip_prefix("invalid type: ")?;
    let kinds = [
        ("string", "a string"),
        ("integer", "a number"),
        ("floating point", "a fraction"),
        ("boolean", "a boolean"),
        ("null", "null"),
        ("sequence", "an array"),
        ("map", "an object"),
    ];
    let kind = kinds.into_iter().find(|(kind, _)| found.starts_with(kind));
    Some(kind.map_or("something else", |(_, name)| name))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Draft {
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        seats: Option<u32>,
        #[serde(default)]
        flag: Option<bool>,
        #[serde(default)]
        inner: Vec<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        #[expect(dead_code, reason = "only read")]
        day: String,
    }

    fn told(body: &str) -> (String, Vec<(String, String)>) {
        let error = read::<Draft>(body.as_bytes()).unwrap_err();
        let fields = error.faults().iter();
        let fields = fields.map(|of| (of.field.clone(), format!("{}: {}", of.code, of.detail)));
        (error.code().to_owned(), fields.collect())
    }

    #[test]
    fn a_fault_names_the_field_and_repeats_no_value() {
        let least = "a whole number from 0 up, within its range";
        for (body, field, fault) in [
            (
                r#"{"name": 5511987654321}"#,
                "name",
                "field.type: expected a string, found a number".to_owned(),
            ),
            (
                r#"{"seats": "5, expected 5511987654321"}"#,
                "seats",
                format!("field.type: expected {least}, found a string"),
            ),
            (r#"{"seats": -1}"#, "seats", format!("field.value: is out of range: expected {least}")),
            (r#"{"seats": 1.5}"#, "seats", format!("field.type: expected {least}, found a fraction")),
            (
                r#"{"flag": null, "inner": 1}"#,
                "inner",
                "field.type: expected an array, found a number".to_owned(),
            ),
            (
                r#"{"inner": [{"day": "x"}, {"day": []}]}"#,
                "inner[1].day",
                "field.type: expected a string, found an array".to_owned(),
            ),
            (r#"{"inner": [{}]}"#, "inner[0].day", "field.missing: is missing".to_owned()),
            (r#"{"inner": [7]}"#, "inner[0]", "field.type: expected an object, found a number".to_owned()),
            (r#"{"nmae": 1}"#, "nmae", "field.unknown: is not a field of this path".to_owned()),
            (
                r#"{"+5511987654321": 1}"#,
                "+*************",
                "field.unknown: is not a field of this path".to_owned(),
            ),
            (r#"{"name": "a", "name": "b"}"#, "name", "field.duplicate: is repeated".to_owned()),
        ] {
            assert_eq!(told(body), ("body.shape".to_owned(), vec![(field.to_owned(), fault)]), "{body}");
        }
    }

    #[test]
    fn what_is_no_object_is_told_without_a_field() {
        for (body, code) in
            [("[]", "body.shape"), ("5", "body.shape"), ("{", "body.syntax"), ("{} x", "body.syntax")]
        {
            assert_eq!(told(body), (code.to_owned(), Vec::new()), "{body}");
        }
        let read: Draft = read(br#" {"name": "x", "seats": 3, "flag": true, "inner": []} "#).unwrap();
        assert_eq!((read.name.as_deref(), read.seats, read.flag), (Some("x"), Some(3), Some(true)));
        assert!(read.inner.is_empty());
    }
}
