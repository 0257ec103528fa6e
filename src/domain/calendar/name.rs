//! The name of a calendar.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// 1 to 40 letters, digits, `-` and `_`, the first a letter: `BR-SP`, or a name of the configuration.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarName(Arc<str>);

/// Why a text is no name of a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no name of a calendar: expected 1 to 40 letters, digits, \"-\" and \"_\", the first a letter")]
pub struct NoCalendarName;

impl CalendarName {
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A name of the program's own data.
    pub(super) fn bundled(code: &str) -> Self {
        Self(code.into())
    }
}

impl FromStr for CalendarName {
    type Err = NoCalendarName;

    fn from_str(text: &str) -> Result<Self, NoCalendarName> {
        let fits = (1..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits { Ok(Self(text.into())) } else { Err(NoCalendarName) }
    }
}

impl fmt::Display for CalendarName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CalendarName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
