//! The trace of a simulation, line by line. It is kept only on request.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// Lines with timestamps, in the order in which they were written.
#[derive(Debug, Default)]
pub struct Trace(Option<Mutex<Vec<(Timestamp, String)>>>);

impl Trace {
    /// A trace that keeps its lines; the default one drops them.
    #[must_use]
    pub fn kept() -> Self {
        Self(Some(Mutex::default()))
    }

    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn note(&self, at: Timestamp, line: impl FnOnce() -> String) {
        if let Some(lines) = &self.0 {
            lines.lock().unwrap_or_else(PoisonError::into_inner).push((at, line()));
        }
    }

    /// The lines, sorted by time.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let Some(lines) = &self.0 else { return Vec::new() };
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner).clone();
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter().map(|(at, line)| format!("{} {line}", at.strftime("%F %T%.3f"))).collect()
    }
}
