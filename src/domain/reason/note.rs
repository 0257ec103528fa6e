//! The stored form of a reason, and how its sentence writes spans of time.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

/// A stored reason, as shown in lists and timelines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub code: Cow<'static, str>,
    pub sentence: Cow<'static, str>,
    pub lifts_at: Option<Timestamp>,
}

/// Writes "1h 2m 3s".
pub(super) fn whole_seconds(span: SignedDuration) -> String {
    format!("{:#}", SignedDuration::from_secs(span.as_secs()))
}

/// Writes whole hours as "24 h" or "168 h".
pub(super) fn span(window: SignedDuration) -> String {
    if window.as_secs() % 3600 == 0 { format!("{} h", window.as_hours()) } else { format!("{window:#}") }
}
