//! The consent of an order, as JSON in its column.

use jiff::Timestamp;
use jiff::fmt::serde::timestamp::microsecond;
use serde::{Deserialize, Serialize};

use crate::domain::Consent;
use crate::store::{Error, Result};

#[derive(Serialize, Deserialize)]
#[serde(remote = "Consent")]
struct Shape {
    source: String,
    #[serde(with = "microsecond::required")]
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "microsecond::optional")]
    expires_at: Option<Timestamp>,
}

pub fn text(consent: &Consent) -> Result<String> {
    #[derive(Serialize)]
    #[serde(transparent)]
    struct Kept<'a>(#[serde(with = "Shape")] &'a Consent);

    serde_json::to_string(&Kept(consent)).map_err(|error| Error::Corrupt(error.to_string()))
}

pub fn read(text: &str) -> Result<Consent> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Kept(#[serde(with = "Shape")] Consent);

    let kept: Kept = serde_json::from_str(text)
        .map_err(|_| Error::Corrupt("an order has a consent that is none".into()))?;
    Ok(kept.0)
}
