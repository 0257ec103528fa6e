//! References to content at a platform.
//!
//! What a message says is kept and approved at the platform. Here it is only named.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The name of a content at the platform that sends it: Twilio's content SID, or the name and language of a Meta
/// template.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentRef(Arc<str>);

/// A text that names no content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {} visible ASCII characters", ContentRef::LENGTH_MAX)]
pub struct ContentRefError;

impl ContentRef {
    /// The longest reference, in bytes. A template's name at Meta has up to 512 characters, and its language is named
    /// beside it (Meta, *Message templates*, November 2026).
    pub const LENGTH_MAX: usize = 600;

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ContentRef {
    type Err = ContentRefError;

    fn from_str(text: &str) -> Result<Self, ContentRefError> {
        let fits = (1..=Self::LENGTH_MAX).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.into()))
        } else {
            Err(ContentRefError)
        }
    }
}

impl fmt::Display for ContentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ContentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_has_one_to_600_visible_ascii_characters() {
        for (text, fits) in [
            (String::new(), false),
            ("H".to_owned(), true),
            ("HX0123456789abcdef0123456789abcdef".to_owned(), true),
            ("call_permission/pt_BR".to_owned(), true),
            ("a".repeat(ContentRef::LENGTH_MAX), true),
            ("a".repeat(ContentRef::LENGTH_MAX + 1), false),
            ("two words".to_owned(), false),
            ("line\n".to_owned(), false),
            ("delete\u{7f}".to_owned(), false),
            ("fiança".to_owned(), false),
        ] {
            let read = text.parse::<ContentRef>();
            assert_eq!(read.is_ok(), fits, "{text:?}");
            assert!(read.is_err() || read.is_ok_and(|content| content.to_string() == text));
        }
    }
}
