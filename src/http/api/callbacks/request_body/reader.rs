//! Reads an order field by field, so that every wrong type and unknown name is reported at once, with its path. What is
//! read borrows from the body (`docs/decisions/0017-order-reader.md`).

use serde_json::value::RawValue;

use super::fields::{Fields, expect, fields, join, once, plain, required, text, unknown, whole_number};
use super::{Amendment, Broken, ConsentObject, Hours, HoursObject, RequestBody, SpanObject, Text, Variables};
use crate::domain::OrderKind;
use crate::http::api::callbacks::field_errors::FieldErrors;

const FIELDS: [&str; 30] = [
    "consumer",
    "sender",
    "senders",
    "earliest",
    "latest",
    "hours",
    "zone",
    "priority",
    "document",
    "variables",
    "agent",
    "pool",
    "attempts_max",
    "campaign",
    "purpose",
    "consent",
    "waive_gap",
    "separate",
    "missed_window",
    "reference",
    "metadata",
    "messenger",
    "assigned_agent",
    "exclusive_until",
    "promised_at",
    "place_in_line_since",
    "preview",
    "preview_s",
    "preview_times",
    "preview_else",
];
/// The fields of an order that are about its call.
const OF_CALLS: [&str; 14] = [
    "document",
    "agent",
    "pool",
    "attempts_max",
    "waive_gap",
    "separate",
    "assigned_agent",
    "exclusive_until",
    "promised_at",
    "place_in_line_since",
    "preview",
    "preview_s",
    "preview_times",
    "preview_else",
];
const AMENDABLE: [&str; 5] = ["earliest", "latest", "hours", "priority", "reason"];

impl<'a> RequestBody<'a> {
    /// Reads an order of this kind. Fields of the wrong type are left out and reported in `faults`.
    pub(in crate::http::api::callbacks) fn read(
        kind: OrderKind,
        json: &'a [u8],
        faults: &mut FieldErrors,
    ) -> Result<Self, Broken> {
        let mut body = Self::default();
        for (name, value) in fields(json, faults)? {
            let out = &mut *faults;
            if kind == OrderKind::Invite && OF_CALLS.contains(&&*name) {
                let detail = format!("an invite places no call, so it has no {name}; leave it out");
                out.add(name, "invite.no_call", detail);
                continue;
            }
            match &*name {
                "consumer" => body.consumer = text("consumer", value, out),
                "sender" => body.sender = text("sender", value, out),
                "senders" => body.senders = texts("senders", value, out),
                "earliest" => body.earliest = text("earliest", value, out),
                "latest" => body.latest = text("latest", value, out),
                "hours" => body.hours = hours(value, out),
                "zone" => body.zone = text("zone", value, out),
                "priority" => body.priority = whole_number("priority", value, out),
                "document" => body.document = text("document", value, out),
                "variables" => body.variables = texts_by_name("variables", value, out),
                "agent" => body.agent = text("agent", value, out),
                "pool" => body.pool = text("pool", value, out),
                "attempts_max" => body.attempts_max = whole_number("attempts_max", value, out),
                "campaign" => body.campaign = text("campaign", value, out),
                "purpose" => body.purpose = text("purpose", value, out),
                "consent" => body.consent = consent(value, out),
                "waive_gap" => body.waive_gap = expect("waive_gap", value, "true or false", out),
                "separate" => body.separate = expect("separate", value, "true or false", out),
                "missed_window" => body.missed_window = text("missed_window", value, out),
                "reference" => body.reference = text("reference", value, out),
                "metadata" => body.metadata = Some(value).filter(|value| value.get() != "null"),
                "messenger" => body.messenger = texts_by_name("messenger", value, out),
                _ if body.read_rare(&name, value, out) => {}
                _ => {
                    let fits = |field: &&str| kind == OrderKind::Callback || !OF_CALLS.contains(field);
                    let known: Vec<&str> = FIELDS.into_iter().filter(fits).collect();
                    unknown("", &name, &known, out);
                }
            }
        }
        Ok(body)
    }
}

impl<'a> RequestBody<'a> {
    /// Reads a field that few orders have. Whether it is one.
    fn read_rare(&mut self, name: &str, value: &'a RawValue, out: &mut FieldErrors) -> bool {
        match name {
            "assigned_agent" => self.assigned_agent = text(name, value, out),
            "exclusive_until" => self.exclusive_until = text(name, value, out),
            "promised_at" => self.promised_at = text(name, value, out),
            "place_in_line_since" => self.place_in_line_since = text(name, value, out),
            "preview" => self.preview = expect(name, value, "true or false", out),
            // The name with "seconds" is that of older campaigns and clients.
            "preview_s" | "preview_seconds" => self.preview_s = whole_number(name, value, out),
            "preview_times" => self.preview_times = whole_number(name, value, out),
            "preview_else" => self.preview_else = text(name, value, out),
            _ => return false,
        }
        true
    }
}

impl<'a> Amendment<'a> {
    pub(in crate::http::api::callbacks) fn read(
        json: &'a [u8],
        faults: &mut FieldErrors,
    ) -> Result<Self, Broken> {
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

fn texts<'a>(path: &str, value: &'a RawValue, faults: &mut FieldErrors) -> Option<Vec<Text<'a>>> {
    let items: Vec<&RawValue> = expect(path, value, "an array of strings", faults)?;
    let read = |(index, item): (usize, &'a RawValue)| {
        plain(item).or_else(|| required(&format!("{path}[{index}]"), item, faults))
    };
    items.into_iter().enumerate().map(read).collect()
}

fn texts_by_name<'a>(path: &str, value: &'a RawValue, faults: &mut FieldErrors) -> Option<Variables<'a>> {
    let all: Fields<'_> = expect(path, value, "an object of strings", faults)?;
    let mut texts = Variables::default();
    for (name, value) in once(path, all, faults) {
        let read = plain(value).or_else(|| required(&join(path, &name), value, faults));
        if let Some(Text(value)) = read {
            texts.0.insert(name, value);
        }
    }
    Some(texts)
}

fn consent<'a>(value: &'a RawValue, faults: &mut FieldErrors) -> Option<ConsentObject<'a>> {
    let all: Fields<'_> = expect("consent", value, "an object", faults)?;
    let mut consent = ConsentObject::default();
    for (name, value) in once("consent", all, faults) {
        match &*name {
            "source" => consent.source = required("consent.source", value, faults),
            "at" => consent.at = required("consent.at", value, faults),
            "text_version" => consent.text_version = text("consent.text_version", value, faults),
            "expires_at" => consent.expires_at = text("consent.expires_at", value, faults),
            _ => unknown("consent", &name, &["source", "at", "text_version", "expires_at"], faults),
        }
    }
    for (name, absent) in [("consent.source", consent.source.is_none()), ("consent.at", consent.at.is_none())]
    {
        if absent && !faults.has(name) {
            faults.add(name, "field.missing", "a consent needs it");
        }
    }
    Some(consent)
}

fn hours<'a>(value: &'a RawValue, faults: &mut FieldErrors) -> Option<Hours<'a>> {
    if !value.get().starts_with('{') {
        let expected = "an object, or a text with \"@\" and a time zone";
        return plain(value).or_else(|| expect("hours", value, expected, faults)).map(Hours::Text);
    }
    let all: Fields<'_> = expect("hours", value, "an object", faults)?;
    let (mut zone, mut also, mut spans, mut calendar) = (None, None, None, None);
    for (name, value) in once("hours", all, faults) {
        match &*name {
            "zone" => zone = text("hours.zone", value, faults),
            "also" => also = texts("hours.also", value, faults),
            "spans" => spans = self::spans(value, faults),
            "calendar" => calendar = text("hours.calendar", value, faults),
            _ => unknown("hours", &name, &["zone", "also", "spans", "calendar"], faults),
        }
    }
    for (name, absent) in [("hours.zone", zone.is_none() && also.is_some()), ("hours.spans", spans.is_none())]
    {
        if absent && !faults.has(name) {
            faults.add(name, "field.missing", "calling hours need it");
        }
    }
    if faults.has("hours") {
        return None;
    }
    Some(Hours::Object(HoursObject { zone, also, spans: spans?, calendar }))
}

fn spans<'a>(value: &'a RawValue, faults: &mut FieldErrors) -> Option<Vec<SpanObject<'a>>> {
    let items: Vec<&RawValue> = expect("hours.spans", value, "an array of objects", faults)?;
    let mut spans = Vec::new();
    for (index, item) in items.iter().enumerate() {
        spans.extend(span(&format!("hours.spans[{index}]"), item, faults));
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
