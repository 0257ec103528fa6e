//! The data about a permission reply in `ChannelMetadata`.
//!
//! Meta sends whether a permission is permanent, when it expires and whether it was granted automatically. Twilio's
//! documentation of November 2026 has none of the three. So they are optional, and read anywhere in the JSON, under
//! Meta's names or in Twilio's casing.

use jiff::Timestamp;
use serde_json::Value;

use crate::twilio::json::{plausible, timestamp};

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) permanent: bool,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) automatic: bool,
}

pub(super) fn read(json: Option<&str>) -> Told {
    let mut told = Told::default();
    if let Some(value) = json.and_then(|json| serde_json::from_str(json).ok()) {
        search(&value, &mut told);
    }
    told
}

/// The depth is bounded by that of serde_json.
fn search(value: &Value, told: &mut Told) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.replace('_', "").to_ascii_lowercase().as_str() {
                    "ispermanent" => told.permanent = matches!(text(value).as_str(), "true" | "1"),
                    "expirationtimestamp" => told.expires_at = instant(&text(value)),
                    "responsesource" => told.automatic = text(value) == "automatic",
                    _ => search(value, told),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| search(value, told)),
        _ => {}
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Unix seconds, as Meta writes them, or a date.
fn instant(text: &str) -> Option<Timestamp> {
    let seconds = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    seconds.filter(|at| plausible(*at)).or_else(|| timestamp(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_fields_are_found_at_any_depth_and_in_either_casing() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        for json in [
            r#"{"is_permanent":false,"expiration_timestamp":1800000000,"response_source":"automatic"}"#,
            r#"{"data":{"reply":[{"IsPermanent":"false","ExpirationTimestamp":"1800000000","responseSource":"automatic"}]}}"#,
        ] {
            assert_eq!(
                read(Some(json)),
                Told { permanent: false, expires_at: Some(at), automatic: true },
                "{json}"
            );
        }
        assert!(read(Some(r#"{"x":{"is_permanent":true}}"#)).permanent);
    }

    #[test]
    fn unreadable_metadata_is_ignored() {
        for json in [None, Some(""), Some("{"), Some("[]"), Some(r#"{"is_permanent":null}"#)] {
            assert_eq!(read(json), Told::default());
        }
        assert_eq!(read(Some(&"[".repeat(100_000))), Told::default());
    }
}
