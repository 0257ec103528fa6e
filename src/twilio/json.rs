//! Parses Twilio's JSON. A field that is absent, null or of an undocumented type counts as absent, never as an error.

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::address::Address;
pub(super) use crate::transport::date::{plausible, timestamp};

/// A string, or a number as text.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

/// A string; empty if absent.
pub(super) fn word<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(text(deserializer)?.unwrap_or_default())
}

/// A number, or a string with one.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Ok(text(deserializer)?.and_then(|text| text.trim().parse().ok()))
}

/// The date of v2010 resources (RFC 2822) or of the newer ones (ISO 8601).
pub(super) fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(text(deserializer)?.and_then(|text| timestamp(&text)))
}

/// A created resource, if the body has one with a well-formed SID of one of these kinds.
pub(super) fn accepted<T: DeserializeOwned>(body: &[u8], kinds: &[&str]) -> Option<T> {
    #[derive(Deserialize)]
    struct Identified {
        sid: String,
    }
    let identified: Identified = serde_json::from_slice(body).ok()?;
    if !is_sid(&identified.sid, kinds) {
        return None;
    }
    serde_json::from_slice(body).ok()
}

pub(super) fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Address>, D::Error> {
    let text = text(deserializer)?.filter(|text| !text.is_empty());
    Ok(text.map(|text| text.parse().unwrap_or_else(|never| match never {})))
}

/// Whether the text is one of Twilio's identifiers: two letters of its kind and 32 hexadecimal digits.
pub(super) fn is_sid(text: &str, kinds: &[&str]) -> bool {
    kinds.iter().any(|kind| {
        text.strip_prefix(kind)
            .is_some_and(|digits| digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_has_its_kind_and_32_digits() {
        let digits = "0123456789abcdef0123456789ABCDEF";
        assert!(is_sid(&format!("CA{digits}"), &["CA"]));
        assert!(is_sid(&format!("MM{digits}"), &["SM", "MM"]));
        assert!(!is_sid(&format!("CA{digits}"), &["SM"]));
        assert!(!is_sid(&format!("CA{digits}0"), &["CA"]));
        assert!(!is_sid(&format!("CA{}", &digits[1..]), &["CA"]));
        assert!(!is_sid("CAéééééééééééééééé", &["CA"]));
    }
}
