//! The shape of a row of the tables, and the macro that writes them.

use jiff::SignedDuration;
use jiff::civil::Date;

use super::Reaction;

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The person or the person's phone.
    Consumer,
    /// The order: its number or its data.
    Order,
    /// The document, template or message.
    Content,
    /// The sender's number and its settings.
    Sender,
    /// The account at the platform, its money and its rights.
    Account,
    /// This program, its configuration or its network.
    Us,
    /// The platform itself, or the network behind it.
    Platform,
}

impl Fault {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Consumer => "consumer",
            Self::Order => "order",
            Self::Content => "content",
            Self::Sender => "sender",
            Self::Account => "account",
            Self::Us => "ringmaster",
            Self::Platform => "platform",
        }
    }
}

/// Who can do something about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    Operator,
    Customer,
    Both,
    Nobody,
}

impl Tell {
    #[must_use]
    pub const fn operator(self) -> bool {
        matches!(self, Self::Operator | Self::Both)
    }

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Customer => "customer",
            Self::Both => "operator, customer",
            Self::Nobody => "nobody",
        }
    }
}

/// Where the meaning of a row was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    pub title: &'static str,
    /// The date of the document, or of the reading where the document has none.
    pub as_of: Date,
}

/// Codes from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub first: u32,
    pub last: u32,
}

/// What is known about one code, or about some that mean the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub codes: &'static [Span],
    pub fault: Fault,
    pub tell: Tell,
    pub reaction: Reaction,
    /// What the customer reads: the end of a sentence, without its full stop.
    pub meaning: &'static str,
    /// What the operator reads: a whole sentence.
    pub advice: &'static str,
    pub source: Source,
}

impl Row {
    #[must_use]
    pub fn covers(&self, code: u32) -> bool {
        self.codes.iter().any(|span| (span.first..=span.last).contains(&code))
    }
}

/// Twilio's downloadable list, as a copy of 22 Feb 2025 has it.
pub(super) const DICTIONARY: Source = source("Twilio, error dictionary", 2025, 2, 22);
/// Pages of single codes at Twilio, in copies without a date of their own.
pub(super) const PAGE: Source = source("Twilio, page of the code", 2026, 11, 27);
pub(super) const MAPPED: Source =
    source("Twilio, List of corresponding Twilio and WhatsApp error codes", 2026, 11, 27);
pub(super) const META_CODES: Source = source("Meta, WhatsApp error codes", 2026, 6, 18);
pub(super) const META_CALLS: Source = source("Meta, Troubleshoot WhatsApp calling errors", 2026, 6, 24);
pub(super) const MESSENGER: Source = source("Meta, Messenger common error codes", 2026, 3, 18);

pub(super) const fn source(title: &'static str, year: i16, month: i8, day: i8) -> Source {
    Source { title, as_of: jiff::civil::date(year, month, day) }
}

/// Advice of several rows.
pub(super) const WAITS: &str = "No action is needed; ringmaster waits and tries again.";
pub(super) const REPORT: &str = "This is a fault of ringmaster; report it with the code and the SID.";
pub(super) const DATA: &str = "The customer has to check the number of the order.";
pub(super) const REPLACE: &str = "Configure content that is approved; or correct it at the platform, and lift the pause with ringmaster resume.";
pub(super) const REPLACE_OR_WAIT: &str = "Configure another template, or wait for the end of the pause.";
pub(super) const SUPPORT: &str = "Write to the platform's support; nothing is sent until this is resolved.";

pub(super) const SECOND: SignedDuration = SignedDuration::from_secs(1);
pub(super) const MINUTE: SignedDuration = SignedDuration::from_mins(1);
pub(super) const QUARTER: SignedDuration = SignedDuration::from_mins(15);
pub(super) const HOUR: SignedDuration = SignedDuration::from_hours(1);
/// A usual pause of a template at WhatsApp; how long each takes is not told.
pub(super) const SIX_HOURS: SignedDuration = SignedDuration::from_hours(6);
pub(super) const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Rows of a table: `codes => fault, tell, reaction, meaning, advice, source;`. Codes are numbers and ranges.
macro_rules! rows {
    ($($($first:literal $(..= $last:literal)?),+ =>
        $fault:ident, $tell:ident, $reaction:expr, $meaning:expr, $advice:expr, $source:expr;)*) => {
        &[$(Row {
            codes: &[$(rows!(@span $first $(, $last)?)),+],
            fault: Fault::$fault,
            tell: Tell::$tell,
            reaction: $reaction,
            meaning: $meaning,
            advice: $advice,
            source: $source,
        }),*]
    };
    (@span $first:literal) => { Span { first: $first, last: $first } };
    (@span $first:literal, $last:literal) => { Span { first: $first, last: $last } };
}
pub(super) use rows;
