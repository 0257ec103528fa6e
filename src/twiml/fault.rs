//! What is wrong with a document: a line, a stable code and a sentence with the reason.

use std::fmt;

/// One thing wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    pub severity: Severity,
    pub rule: Rule,
    pub message: String,
}

/// Whether a fault refuses the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The document is not used.
    Error,
    /// The document is used as it is written. Twilio adds verbs and attributes every few months, so what is
    /// unknown here may be known there.
    Warning,
}

impl Severity {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Fault {
    pub(super) fn new(line: usize, rule: Rule, message: impl Into<String>) -> Self {
        Self { line, severity: Severity::Error, rule, message: message.into() }
    }

    pub(super) fn warning(line: usize, rule: Rule, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::new(line, rule, message) }
    }

    #[must_use]
    pub const fn is_error(&self) -> bool {
        matches!(self.severity, Severity::Error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let warning = if self.is_error() { "" } else { " warning:" };
        write!(f, "{}:{warning} {}: {}", self.line, self.rule, self.message)
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident => $code:literal,)+) => {
        /// The rule that a fault breaks. The codes are stable: operators search for them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[$doc])* $rule,)+
        }

        impl Rule {
            /// Every rule, for the documentation's test.
            pub const ALL: &[Self] = &[$(Self::$rule,)+];

            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$rule => $code,)+
                }
            }
        }
    };
}

rules! {
    /// A document is named after its file, `[a-z0-9-]+`.
    DocumentName => "document-name",
    /// Twilio refuses TwiML above 64 kB (error 11750).
    Size => "size",
    /// Documents are UTF-8.
    Encoding => "encoding",
    /// Not well-formed XML.
    Syntax => "syntax",
    /// A character that XML 1.0 does not allow; Twilio would fail the call at answer time.
    Character => "character",
    /// DOCTYPE, processing instruction or CDATA.
    Markup => "markup",
    /// An entity other than the five of XML.
    Entity => "entity",
    DuplicateAttribute => "duplicate-attribute",
    /// Exactly one root, named `Response`.
    Root => "root",
    Depth => "depth",
    UnknownElement => "unknown-element",
    /// A known element in a place where Twilio does not take it.
    Nesting => "nesting",
    UnknownAttribute => "unknown-attribute",
    MissingAttribute => "missing-attribute",
    /// A value outside the set or range that Twilio documents.
    Value => "value",
    Url => "url",
    /// Text where none is allowed.
    Text => "text",
    /// Content that is missing, or not what the element takes.
    Content => "content",
    Json => "json",
    Placeholder => "placeholder",
    /// The caller of a `<WhatsApp>` leg is one of our senders.
    CallerId => "caller-id",
    /// One attempt places one call to one consumer.
    WhatsApp => "whatsapp",
    /// A road to the public telephone network.
    Pstn => "pstn",
    /// A road to a TwiML document that cannot be checked.
    UncheckedDocument => "unchecked-document",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
