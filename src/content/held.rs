//! Content as the platform shows it, and what became of its approval.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::canonical::types;
use super::declaration::Declaration;

/// One content of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    pub sid: String,
    pub friendly_name: String,
    pub language: String,
    /// By type, such as `twilio/text`.
    pub types: Value,
    pub variables: BTreeMap<String, String>,
    /// What a message fills of a template of `[meta]` ([`super::template::fills`]); empty for other content.
    pub fills: BTreeSet<String>,
    pub created_at: Option<Timestamp>,
    pub review: Review,
}

/// WhatsApp's review of one content.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Review {
    pub status: Status,
    /// The name under which it was submitted; empty before.
    pub name: String,
    /// The category that WhatsApp gave it, which may not be the one that was asked for.
    pub category: Option<String>,
    /// Why it was rejected.
    pub reason: Option<String>,
}

/// The state of a review.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Unsubmitted,
    /// Twilio has it, and WhatsApp does not yet.
    Received,
    Pending,
    Approved,
    Rejected,
    /// It cannot be sent for some hours, after bad feedback of consumers.
    Paused,
    /// It cannot be sent any more.
    Disabled,
    /// A word that is not documented.
    Other(String),
}

impl Status {
    #[must_use]
    pub fn read(word: &str) -> Self {
        match word.to_ascii_lowercase().as_str() {
            "" | "unsubmitted" => Self::Unsubmitted,
            "received" => Self::Received,
            "pending" => Self::Pending,
            "approved" => Self::Approved,
            "rejected" => Self::Rejected,
            "paused" => Self::Paused,
            "disabled" => Self::Disabled,
            other => Self::Other(other.chars().take(64).collect()),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Unsubmitted => "unsubmitted",
            Self::Received => "received",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
            Self::Other(word) => word,
        }
    }

    /// Whether WhatsApp has not decided yet. An unknown word counts as that.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Received | Self::Pending | Self::Other(_))
    }
}

impl Review {
    /// The category of an approved content, if WhatsApp changed it.
    #[must_use]
    pub fn changed_category(&self, declaration: &Declaration) -> Option<&str> {
        let declared = declaration.category?.as_str();
        let given = self.category.as_deref().filter(|given| !given.is_empty())?;
        (self.status != Status::Unsubmitted && !given.eq_ignore_ascii_case(declared)).then_some(given)
    }
}

impl Held {
    /// Whether nothing that the platform shows contradicts the declaration. What it does not show, or adds, is not
    /// compared.
    #[must_use]
    pub fn shows(&self, declaration: &Declaration) -> bool {
        let samples = declaration.variables.iter();
        let mut samples =
            samples.map(|(name, sample)| self.variables.get(name).is_none_or(|shown| shown == sample));
        let kind = self.types.get(declaration.kind.as_str());
        self.language == declaration.language
            && kind.is_some_and(|kind| !kind.is_null())
            && agrees(&types(declaration), &self.types)
            && samples.all(|same| same)
    }
}

fn agrees(declared: &Value, shown: &Value) -> bool {
    match (declared, shown) {
        (_, Value::Null) => true,
        (Value::Object(declared), Value::Object(shown)) => {
            declared.iter().all(|(key, value)| shown.get(key).is_none_or(|shown| agrees(value, shown)))
        }
        (Value::Array(declared), Value::Array(shown)) => {
            declared.len() == shown.len() && declared.iter().zip(shown).all(|(one, other)| agrees(one, other))
        }
        (Value::Number(number), Value::String(text)) => number.to_string() == *text,
        (declared, shown) => declared == shown,
    }
}
