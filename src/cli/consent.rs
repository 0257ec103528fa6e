//! The flags of a consumer's consent, for orders.

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::values::moment;

/// A consent; marketing needs one.
#[derive(Debug, Args)]
pub(super) struct Consent {
    /// Where the consumer consented, such as a form; with the purpose marketing it is needed
    #[arg(long, value_name = "TEXT", requires = "consent_at")]
    consent_source: Option<String>,
    /// When the consumer consented, with an offset
    #[arg(long, value_name = "WHEN", value_parser = moment, requires = "consent_source")]
    consent_at: Option<Timestamp>,
    /// The version of the text that the consumer agreed to
    #[arg(long, value_name = "TEXT", requires = "consent_source")]
    consent_text: Option<String>,
    /// When the consent ends: with an offset, or from now, such as +90d
    #[arg(long, value_name = "WHEN", value_parser = moment, requires = "consent_source")]
    consent_expires: Option<Timestamp>,
}

impl Consent {
    /// As the API takes it; `None` without a consent.
    pub(super) fn body(&self) -> Option<Value> {
        let source = self.consent_source.as_ref()?;
        let mut body = json!({"source": source});
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string());
        for (field, given) in [
            ("at", time(self.consent_at)),
            ("text_version", self.consent_text.clone()),
            ("expires_at", time(self.consent_expires)),
        ] {
            if let Some(text) = given {
                body[field] = text.into();
            }
        }
        Some(body)
    }
}
