//! How the list of an import is read, and what all of its rows share: as a request gives it, and as it is stored.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::domain::{CampaignId, Country, campaign};
use crate::http::api::permissions::fault;
use crate::http::error::FieldError;
use crate::import::{Encoding, Mapping, Options};

/// The most columns that a request may map.
const MAPPING_MAX: usize = 200;
/// The longest defaults, in bytes of JSON.
const DEFAULTS_MAX: usize = 16 << 10;

/// The stored form. It is compared as text, so its fields have one order.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) mapping: Vec<String>,
    pub(super) default_country: Option<String>,
    pub(super) delimiter: Option<String>,
    pub(super) encoding: Option<String>,
    pub(super) defaults: Map<String, Value>,
}

impl Settings {
    pub(super) fn stored(&self) -> String {
        serde_json::to_string(self).expect("settings are plain data")
    }

    /// The campaign that the rows get.
    pub(super) fn campaign(&self) -> Option<CampaignId> {
        self.defaults.get("campaign").and_then(Value::as_str).and_then(campaign::campaign_id)
    }

    /// How the list is read; all faults are added.
    pub(super) fn options(&self, faults: &mut Vec<FieldError>) -> Options {
        let mut mapping = Vec::new();
        if self.mapping.len() > MAPPING_MAX {
            let detail = format!("has {} columns: expected at most {MAPPING_MAX}", self.mapping.len());
            faults.push(fault("mapping", "field.count", &detail));
        }
        for (index, text) in self.mapping.iter().take(MAPPING_MAX).enumerate() {
            match text.parse::<Mapping>() {
                Ok(told) => mapping.push(told),
                Err(what) => faults.push(fault(&format!("mapping[{index}]"), "import.mapping", &what)),
            }
        }
        let mut known = |field: &str, is_known: bool, expected: &str| {
            if !is_known {
                faults.push(fault(field, "field.value", expected));
            }
        };
        let default_country = self.default_country.as_deref().map(Country::parse);
        let default_country = default_country.map(|country| country.filter(|country| country.is_known()));
        known(
            "default_country",
            !matches!(default_country, Some(None)),
            "expected two capital letters of ISO 3166, such as BR",
        );
        let delimiter = self.delimiter.as_deref().map(|name| match name {
            "comma" => Some(b','),
            "semicolon" => Some(b';'),
            "tab" => Some(b'\t'),
            _ => None,
        });
        known("delimiter", !matches!(delimiter, Some(None)), "expected comma, semicolon or tab");
        let encoding = self.encoding.as_deref().map(Encoding::named);
        let expected = format!("expected {}", Encoding::NAMES);
        known("encoding", !matches!(encoding, Some(None)), &expected);
        let is_short = serde_json::to_string(&self.defaults).is_ok_and(|text| text.len() <= DEFAULTS_MAX);
        known("defaults", is_short, "has more than 16384 bytes");
        Options {
            encoding: encoding.flatten(),
            delimiter: delimiter.flatten(),
            mapping,
            default_country: default_country.flatten(),
            defaults: self.defaults.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_setting_is_told() {
        let settings = Settings {
            mapping: vec!["a=consumer".into(), "b=x".into()],
            default_country: Some("Brazil".into()),
            delimiter: Some("|".into()),
            encoding: Some("latin1".into()),
            defaults: Map::from_iter([("metadata".to_owned(), "x".repeat(DEFAULTS_MAX).into())]),
        };
        let mut faults = Vec::new();
        let options = settings.options(&mut faults);
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(fields, ["mapping[1]", "default_country", "delimiter", "encoding", "defaults"]);
        assert_eq!(options.mapping.len(), 1);
    }

    #[test]
    fn settings_are_stored_and_read() {
        let settings = Settings {
            mapping: vec!["a=consumer".into()],
            default_country: Some("BR".into()),
            delimiter: Some("tab".into()),
            encoding: Some("utf-16le".into()),
            defaults: Map::from_iter([("priority".to_owned(), 3.into())]),
        };
        assert_eq!(serde_json::from_str::<Settings>(&settings.stored()).unwrap(), settings);
        let mut faults = Vec::new();
        let options = settings.options(&mut faults);
        assert!(faults.is_empty());
        assert_eq!((options.delimiter, options.encoding), (Some(b'\t'), Some(Encoding::Utf16Le)));
        assert_eq!(options.default_country, Country::parse("BR"));
    }
}
