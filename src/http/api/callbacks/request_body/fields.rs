//! Reads the fields of an object one by one, with the faults of all of them.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;

use super::{Broken, Text};
use crate::http::api::callbacks::field_errors::{FieldErrors, nearest, quoted};

/// The fields of an object, each once, in their order.
pub(in crate::http::api::callbacks) fn fields<'a>(
    json: &'a [u8],
    faults: &mut FieldErrors,
) -> Result<Vec<(Cow<'a, str>, &'a RawValue)>, Broken> {
    let all: Fields<'_> = serde_json::from_slice(json).map_err(|error| match error.classify() {
        Category::Data => Broken::NotAnObject,
        _ => Broken::Syntax { line: error.line(), column: error.column(), what: what(&error) },
    })?;
    Ok(once("", all, faults))
}

/// A string, or a fault; `null` counts as absent.
pub(in crate::http::api::callbacks) fn text<'a>(
    path: &str,
    value: &'a RawValue,
    faults: &mut FieldErrors,
) -> Option<Text<'a>> {
    plain(value).or_else(|| expect(path, value, "a string", faults))
}

/// A string without escapes, which needs no second look: what is between its quotes was checked as JSON.
pub(super) fn plain(value: &RawValue) -> Option<Text<'_>> {
    let inner = value.get().strip_prefix('"')?.strip_suffix('"')?;
    (!inner.as_bytes().contains(&b'\\')).then_some(Text(Cow::Borrowed(inner)))
}

/// A boolean, or a fault.
pub(in crate::http::api::callbacks) fn flag(
    path: &str,
    value: &RawValue,
    faults: &mut FieldErrors,
) -> Option<bool> {
    expect(path, value, "a boolean", faults)
}

/// A whole number, or a fault.
pub(in crate::http::api::callbacks) fn whole_number(
    path: &str,
    value: &RawValue,
    faults: &mut FieldErrors,
) -> Option<i64> {
    expect(path, value, "a whole number", faults)
}

/// Reports an unknown field.
pub(in crate::http::api::callbacks) fn unknown(
    parent: &str,
    name: &str,
    known: &[&str],
    faults: &mut FieldErrors,
) {
    faults.add_with(&join(parent, name), "field.unknown", || {
        format!("{} is not a field here{}", quoted(name), nearest(name, known.iter().copied()))
    });
}

/// A string; `null` is a fault.
pub(super) fn required<'a>(path: &str, value: &'a RawValue, faults: &mut FieldErrors) -> Option<Text<'a>> {
    if value.get() == "null" {
        faults.add(path, "field.type", "expected a string, found null");
        return None;
    }
    text(path, value, faults)
}

pub(super) fn expect<'a, T: Deserialize<'a>>(
    path: &str,
    value: &'a RawValue,
    expected: &str,
    faults: &mut FieldErrors,
) -> Option<T> {
    if value.get() == "null" {
        return None;
    }
    let read = serde_json::from_str(value.get());
    if read.is_err() {
        faults.add(path, "field.type", format!("expected {expected}, found {}", found(value, expected)));
    }
    read.ok()
}

/// Removes a repeated field and reports it, because it is ambiguous. Takes time in proportion to the number of
/// fields.
pub(super) fn once<'a>(
    parent: &str,
    all: Fields<'a>,
    faults: &mut FieldErrors,
) -> Vec<(Cow<'a, str>, &'a RawValue)> {
    let max = faults.fields_max();
    if all.given > max {
        let detail = format!("has {} fields: expected at most {max}", all.given);
        faults.add(parent, "field.count", detail);
    }
    let given = all.read.len().min(max);
    if given == all.given && given <= FEW && each_once(&all.read) {
        return all.read;
    }
    let mut kept: Vec<(Cow<'a, str>, &'a RawValue)> = Vec::with_capacity(given);
    let mut seen = HashSet::new();
    for (name, value) in all.read.into_iter().take(max) {
        if seen.insert(name.clone()) {
            kept.push((name, value));
        } else {
            faults.add(join(parent, &name), "field.duplicate", "is repeated");
        }
    }
    kept
}

/// Whether no name is repeated. For a few names, looking at each is faster than a set.
fn each_once(read: &[(Cow<'_, str>, &RawValue)]) -> bool {
    read.iter().enumerate().all(|(at, (name, _))| read[..at].iter().all(|(known, _)| known != name))
}

pub(super) fn join(parent: &str, name: &str) -> String {
    let name = quoted(name);
    let name = name.trim_matches('"');
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

fn kind(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ if value.get().contains(['.', 'e', 'E']) => "a fraction",
        _ => "a number",
    }
}

/// What a value is that was not expected. A value of the right kind that cannot be read says why.
fn found(value: &RawValue, expected: &str) -> &'static str {
    match kind(value) {
        kind @ "a string" if expected == kind => "one with half of a surrogate pair or another wrong escape",
        "a number" if expected == "a whole number" => "one that is out of range",
        "a fraction" if expected == "a whole number" => "a number that is not written as one",
        kind => kind,
    }
}

/// The parser's message without the position, which is reported separately.
pub(in crate::http::api::callbacks) fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(&*text, |(what, _)| what);
    match what {
        "EOF while parsing a value" => "the text ends where a value was expected".to_owned(),
        "expected ident" => "expected a JSON value".to_owned(),
        _ => what.to_owned(),
    }
}

/// So many names are compared with each other.
const FEW: usize = 24;

/// Most objects have no more fields.
const USUAL: usize = 12;

/// No configuration allows more fields than this in one object. Further ones are only counted.
const FIELDS_MAX: usize = 1000;

/// An object with raw values, so that repeated names are seen.
pub(super) struct Fields<'a> {
    read: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// How many fields the object has.
    given: usize,
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields<'de>, A::Error> {
                let mut read = Vec::with_capacity(USUAL);
                while read.len() < FIELDS_MAX
                    && let Some((Text(name), value)) = map.next_entry()?
                {
                    read.push((name, value));
                }
                let mut given = read.len();
                while read.len() == FIELDS_MAX && map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    given += 1;
                }
                Ok(Fields { read, given })
            }
        }
        deserializer.deserialize_map(Read)
    }
}
