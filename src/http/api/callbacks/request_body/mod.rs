//! Parses an order from JSON to the right types. Values are validated later.
//!
//! A valid order is read in one pass that borrows from the body. An order that cannot be read that way is
//! read again field by field, so that every wrong type and unknown name is reported at once, with its path.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::field_errors::{FieldErrors, nearest, quoted};

/// The order of a callback.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCallback)]
pub(super) struct RequestBody<'a> {
    /// The number to call. Answers have it in E.164.
    #[serde(borrow, default)]
    #[schema(required, value_type = String, example = "+5511987654321")]
    pub consumer: Option<Text<'a>>,
    /// The sender to call from. Needed only if several senders are configured, and not together with `senders`.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, example = "+551151991234")]
    pub sender: Option<Text<'a>>,
    /// The senders that may call, at most 20. The first one that can call is used.
    #[serde(borrow, default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    pub senders: Option<Vec<Text<'a>>>,
    /// No call before this time; RFC 3339 with an offset. Default: now.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub earliest: Option<Text<'a>>,
    /// The deadline: no call is placed at or after this moment. If it is left out, the end of the third day on which
    /// the hours are open, in their zone; without hours, 72 hours after the earliest moment.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub latest: Option<Text<'a>>,
    /// When the consumer may be called: an object, or a text such as
    /// `mon-fri 09:00-18:00, sat 10:00-13:00 @America/Sao_Paulo`.
    #[serde(borrow, default)]
    #[schema(value_type = Option<NewHours>)]
    pub hours: Option<Hours<'a>>,
    /// 0 is bulk, 9 is most urgent.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 9, default = 5)]
    pub priority: Option<i64>,
    /// The name of the TwiML document of the call.
    #[serde(borrow, default)]
    #[schema(required, value_type = String, example = "dial-client")]
    pub document: Option<Text<'a>>,
    /// The values of the document's variables: all of them and no others. `workflow` may be absent if all senders
    /// have the same one.
    #[serde(borrow, default)]
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    pub variables: Option<Variables<'a>>,
    /// The agent that the consumer is connected to: `client:name` or `sip:user@host`. May be absent if all senders
    /// have the same one.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, example = "client:alice")]
    pub agent: Option<Text<'a>>,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 20)]
    pub attempts_max: Option<i64>,
    /// A name that callbacks can be listed by. At most 100 bytes.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub campaign: Option<Text<'a>>,
    /// Why the consumer is called: `requested` (by the consumer), `service`, `marketing` or `collections`.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, default = "service")]
    pub purpose: Option<Text<'a>>,
    /// Call also soon after an earlier call that the consumer answered.
    #[serde(default)]
    #[schema(default = false)]
    pub waive_gap: Option<bool>,
    /// Your own name for the callback. At most 200 bytes.
    #[serde(borrow, default)]
    #[schema(value_type = Option<String>, max_length = 200)]
    pub reference: Option<Text<'a>>,
    /// Any JSON of at most 4096 bytes; answers have it unchanged.
    #[serde(borrow, default)]
    #[schema(value_type = Option<serde_json::Value>)]
    pub metadata: Option<&'a RawValue>,
}

/// Calling hours in an order.
#[derive(ToSchema)]
#[schema(as = NewHours)]
#[serde(untagged)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) enum NewHours {
    Text(String),
    Object(WrittenHours),
}

/// Calling hours as an object.
#[derive(ToSchema)]
#[schema(as = NewHoursObject)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct WrittenHours {
    /// An IANA time zone, such as `America/Sao_Paulo`.
    zone: String,
    spans: Vec<WrittenSpan>,
}

/// A span of a day.
#[derive(ToSchema)]
#[schema(as = NewSpan)]
#[expect(dead_code, reason = "only described, never made")]
pub(super) struct WrittenSpan {
    /// Days, such as `mon-fri`, `sat+sun` or `daily`.
    days: String,
    /// `HH:MM`, included.
    from: String,
    /// `HH:MM`, not included; `24:00` is the end of the day.
    to: String,
}

/// Changes of the order of a waiting callback. Absent fields stay unchanged.
#[derive(Debug, Default, ToSchema)]
#[schema(as = Reschedule)]
pub(super) struct Amendment<'a> {
    #[schema(value_type = Option<String>, format = DateTime)]
    pub earliest: Option<Text<'a>>,
    /// If it is left out, the deadline moves with `earliest`.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub latest: Option<Text<'a>>,
    /// `null` removes the hours.
    #[schema(value_type = Option<NewHours>)]
    pub hours: Option<Option<Hours<'a>>>,
    #[schema(minimum = 0, maximum = 9)]
    pub priority: Option<i64>,
    /// The reason for the timeline, at most 200 bytes.
    #[schema(value_type = Option<String>, max_length = 200)]
    pub reason: Option<Text<'a>>,
}

/// A string that borrows from the body if it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text<'a>(pub Cow<'a, str>);

/// The variables by name.
#[derive(Debug, Default)]
pub(super) struct Variables<'a>(pub BTreeMap<Cow<'a, str>, Cow<'a, str>>);

/// Calling hours in either form.
#[derive(Debug)]
pub(super) enum Hours<'a> {
    Text(Text<'a>),
    Object(HoursObject<'a>),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HoursObject<'a> {
    #[serde(borrow)]
    pub zone: Text<'a>,
    #[serde(borrow)]
    pub spans: Vec<Object<SpanObject<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpanObject<'a> {
    #[serde(borrow)]
    pub days: Text<'a>,
    #[serde(borrow)]
    pub from: Text<'a>,
    #[serde(borrow)]
    pub to: Text<'a>,
}

/// A value that must be an object. A derived reader would accept an array of its fields too.
#[derive(Debug)]
pub(super) struct Object<T>(pub T);

/// Why a body cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Broken {
    /// It is not JSON.
    Syntax { line: usize, column: usize, what: String },
    /// It is JSON, and not an object.
    NotAnObject,
}

const FIELDS: [&str; 16] = [
    "consumer",
    "sender",
    "senders",
    "earliest",
    "latest",
    "hours",
    "priority",
    "document",
    "variables",
    "agent",
    "attempts_max",
    "campaign",
    "purpose",
    "waive_gap",
    "reference",
    "metadata",
];
const AMENDABLE: [&str; 5] = ["earliest", "latest", "hours", "priority", "reason"];

impl<'a> RequestBody<'a> {
    /// Reads an order. Fields of the wrong type are left out and reported in `faults`.
    pub(super) fn read(json: &'a [u8], faults: &mut FieldErrors) -> Result<Self, Broken> {
        match serde_json::from_slice(json) {
            Ok(Object(body)) if Self::variables(&body) <= faults.fields_max() => Ok(body),
            _ => Self::read_slowly(json, faults),
        }
    }

    fn variables(&self) -> usize {
        self.variables.as_ref().map_or(0, |variables| variables.0.len())
    }

    fn read_slowly(json: &'a [u8], faults: &mut FieldErrors) -> Result<Self, Broken> {
        let mut body = Self::default();
        for (name, value) in fields(json, faults)? {
            let out = &mut *faults;
            match &*name {
                "consumer" => body.consumer = text("consumer", value, out),
                "sender" => body.sender = text("sender", value, out),
                "senders" => body.senders = texts("senders", value, out),
                "earliest" => body.earliest = text("earliest", value, out),
                "latest" => body.latest = text("latest", value, out),
                "hours" => body.hours = hours(value, out),
                "priority" => body.priority = whole_number("priority", value, out),
                "document" => body.document = text("document", value, out),
                "variables" => body.variables = variables(value, out),
                "agent" => body.agent = text("agent", value, out),
                "attempts_max" => body.attempts_max = whole_number("attempts_max", value, out),
                "campaign" => body.campaign = text("campaign", value, out),
                "purpose" => body.purpose = text("purpose", value, out),
                "waive_gap" => body.waive_gap = expect("waive_gap", value, "true or false", out),
                "reference" => body.reference = text("reference", value, out),
                "metadata" => body.metadata = Some(value).filter(|value| value.get() != "null"),
                _ => unknown("", &name, &FIELDS, out),
            }
        }
        Ok(body)
    }
}

impl<'a> Amendment<'a> {
    pub(super) fn read(json: &'a [u8], faults: &mut FieldErrors) -> Result<Self, Broken> {
        let mut amendment = Self::default();
        for (name, value) in fields(json, faults)? {
            let out = &mut *faults;
            match &*name {
                "earliest" => amendment.earliest = text("earliest", value, out),
                "latest" => amendment.latest = text("latest", value, out),
                "hours" if value.get() == "null" => amendment.hours = Some(None),
                "hours" => amendment.hours = hours(value, out).map(Some),
                "priority" => amendment.priority = whole_number("priority", value, out),
                "reason" => amendment.reason = text("reason", value, out),
                _ => unknown("", &name, &AMENDABLE, out),
            }
        }
        Ok(amendment)
    }
}

/// The fields of an object, each once, in their order.
pub(super) fn fields<'a>(
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
pub(super) fn text<'a>(path: &str, value: &'a RawValue, faults: &mut FieldErrors) -> Option<Text<'a>> {
    expect(path, value, "a string", faults)
}

/// A whole number, or a fault.
pub(super) fn whole_number(path: &str, value: &RawValue, faults: &mut FieldErrors) -> Option<i64> {
    expect(path, value, "a whole number", faults)
}

/// A boolean, or a fault.
pub(super) fn flag(path: &str, value: &RawValue, faults: &mut FieldErrors) -> Option<bool> {
    expect(path, value, "a boolean", faults)
}

/// Reports an unknown field.
pub(super) fn unknown(parent: &str, name: &str, known: &[&str], faults: &mut FieldErrors) {
    let detail = format!("{} is not a field here{}", quoted(name), nearest(name, known.iter().copied()));
    faults.add(join(parent, name), "field.unknown", detail);
}

fn texts<'a>(path: &str, value: &'a RawValue, faults: &mut FieldErrors) -> Option<Vec<Text<'a>>> {
    let items: Vec<&RawValue> = expect(path, value, "an array of strings", faults)?;
    let read = |(index, item)| required(&format!("{path}[{index}]"), item, faults);
    items.into_iter().enumerate().map(read).collect()
}

fn variables<'a>(value: &'a RawValue, faults: &mut FieldErrors) -> Option<Variables<'a>> {
    let all: Fields<'_> = expect("variables", value, "an object of strings", faults)?;
    let mut variables = Variables::default();
    for (name, value) in once("variables", all, faults) {
        if let Some(Text(value)) = required(&join("variables", &name), value, faults) {
            variables.0.insert(name, value);
        }
    }
    Some(variables)
}

fn hours<'a>(value: &'a RawValue, faults: &mut FieldErrors) -> Option<Hours<'a>> {
    if !value.get().starts_with('{') {
        return expect("hours", value, "an object, or a text with \"@\" and a time zone", faults);
    }
    let all: Fields<'_> = expect("hours", value, "an object", faults)?;
    let (mut zone, mut spans) = (None, None);
    for (name, value) in once("hours", all, faults) {
        match &*name {
            "zone" => zone = required("hours.zone", value, faults),
            "spans" => spans = self::spans(value, faults),
            _ => unknown("hours", &name, &["zone", "spans"], faults),
        }
    }
    for (name, absent) in [("hours.zone", zone.is_none()), ("hours.spans", spans.is_none())] {
        if absent && !faults.has(name) {
            faults.add(name, "field.missing", "calling hours need it");
        }
    }
    if faults.has("hours") {
        return None;
    }
    Some(Hours::Object(HoursObject { zone: zone?, spans: spans? }))
}

fn spans<'a>(value: &'a RawValue, faults: &mut FieldErrors) -> Option<Vec<Object<SpanObject<'a>>>> {
    let items: Vec<&RawValue> = expect("hours.spans", value, "an array of objects", faults)?;
    let mut spans = Vec::new();
    for (index, item) in items.iter().enumerate() {
        spans.extend(span(&format!("hours.spans[{index}]"), item, faults).map(Object));
    }
    Some(spans)
}

fn span<'a>(path: &str, value: &'a RawValue, faults: &mut FieldErrors) -> Option<SpanObject<'a>> {
    let all: Fields<'_> = expect(path, value, "an object", faults)?;
    let (mut days, mut from, mut to) = (None, None, None);
    for (name, value) in once(path, all, faults) {
        let field = join(path, &name);
        match &*name {
            "days" => days = required(&field, value, faults),
            "from" => from = required(&field, value, faults),
            "to" => to = required(&field, value, faults),
            _ => unknown(path, &name, &["days", "from", "to"], faults),
        }
    }
    for (name, absent) in [("days", days.is_none()), ("from", from.is_none()), ("to", to.is_none())] {
        let name = join(path, name);
        if absent && !faults.has(&name) {
            faults.add(name, "field.missing", "a span needs it");
        }
    }
    Some(SpanObject { days: days?, from: from?, to: to? })
}

/// A string; `null` is a fault.
fn required<'a>(path: &str, value: &'a RawValue, faults: &mut FieldErrors) -> Option<Text<'a>> {
    if value.get() == "null" {
        faults.add(path, "field.type", "expected a string, found null");
        return None;
    }
    text(path, value, faults)
}

fn expect<'a, T: Deserialize<'a>>(
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
        faults.add(path, "field.type", format!("expected {expected}, found {}", kind(value)));
    }
    read.ok()
}

/// Removes a repeated field and reports it, because it is ambiguous. Takes time in proportion to the number of
/// fields.
fn once<'a>(parent: &str, all: Fields<'a>, faults: &mut FieldErrors) -> Vec<(Cow<'a, str>, &'a RawValue)> {
    let max = faults.fields_max();
    if all.given > max {
        let detail = format!("has {} fields: expected at most {max}", all.given);
        faults.add(parent, "field.count", detail);
    }
    let mut seen = HashSet::new();
    let mut kept = Vec::with_capacity(all.read.len().min(max));
    for (name, value) in all.read.into_iter().take(max) {
        if seen.insert(name.clone()) {
            kept.push((name, value));
        } else {
            faults.add(join(parent, &name), "field.duplicate", "is repeated");
        }
    }
    kept
}

fn join(parent: &str, name: &str) -> String {
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

/// The parser's message without the position, which is reported separately.
pub(super) fn what(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or(text.clone(), |(what, _)| what.to_owned())
}

/// No configuration allows more fields than this in one object. Further ones are only counted.
pub(crate) const FIELDS_MAX: usize = 1000;

/// An object with raw values, so that repeated names are seen.
struct Fields<'a> {
    read: Vec<(Cow<'a, str>, &'a RawValue)>,
    /// How many fields the object has.
    given: usize,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }
        deserializer.deserialize_map(Read(PhantomData))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Read)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Variables<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Variables<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Variables<'de>, A::Error> {
                let mut variables = Variables::default();
                while let Some((Text(name), Text(value))) = map.next_entry()? {
                    if variables.0.insert(name, value).is_some() {
                        return Err(A::Error::custom("a variable is repeated"));
                    }
                }
                Ok(variables)
            }
        }
        deserializer.deserialize_map(Read)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Hours<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;
        impl<'de> Visitor<'de> for Read {
            type Value = Hours<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("calling hours")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Hours<'de>, E> {
                Ok(Hours::Text(Text(Cow::Borrowed(text))))
            }

            fn visit_str<E>(self, text: &str) -> Result<Hours<'de>, E> {
                Ok(Hours::Text(Text(Cow::Owned(text.to_owned()))))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Hours<'de>, A::Error> {
                HoursObject::deserialize(MapAccessDeserializer::new(map)).map(Hours::Object)
            }
        }
        deserializer.deserialize_any(Read)
    }
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
                let mut read = Vec::new();
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
