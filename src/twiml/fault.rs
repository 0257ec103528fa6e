//! Faults of a document: line, stable code and message.

use std::fmt;

/// One fault of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Counted from 1.
    pub line: usize,
    pub severity: Severity,
    pub rule: Rule,
    pub message: String,
}

/// Whether a fault stops the document from being used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The document is refused.
    Error,
    /// The document is used as written. Twilio adds verbs and attributes every few months, so the vocabulary may be
    /// outdated.
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
        /// The rule that a document breaks. Codes are stable, because operators search for them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[$doc])* $rule,)+
        }

        impl Rule {
            /// Every rule. A test compares them with the documentation.
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
    /// A document must be UTF-8.
    Encoding => "encoding",
    /// Not well-formed XML.
    Syntax => "syntax",
    /// A character that XML 1.0 does not allow. Twilio would fail the call when it is answered.
    Character => "character",
    /// A DOCTYPE, processing instruction or CDATA section.
    Markup => "markup",
    /// An entity other than XML's five.
    Entity => "entity",
    DuplicateAttribute => "duplicate-attribute",
    /// Exactly one root, named `Response`.
    Root => "root",
    Depth => "depth",
    UnknownElement => "unknown-element",
    /// A known element in a place that Twilio does not allow.
    Nesting => "nesting",
    UnknownAttribute => "unknown-attribute",
    MissingAttribute => "missing-attribute",
    /// A value outside the set or range that Twilio documents.
    Value => "value",
    Url => "url",
    /// Text where none is allowed.
    Text => "text",
    /// Missing or wrong content of an element.
    Content => "content",
    Json => "json",
    Placeholder => "placeholder",
    /// The caller id of a `<WhatsApp>` leg must be one of our senders.
    CallerId => "caller-id",
    /// One attempt may place one call to one consumer.
    WhatsApp => "whatsapp",
    /// A way to the public telephone network.
    Pstn => "pstn",
    /// A way to a TwiML document that cannot be checked.
    UncheckedDocument => "unchecked-document",
    /// Nothing reports whether a consumer who answered was served.
    Unproved => "unproved",
    /// An address at a host that the configuration does not list.
    Host => "host",
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
