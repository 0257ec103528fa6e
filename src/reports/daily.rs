//! What became of the files by schedule: written by who writes them, read by who shows the status.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;

/// The state of the files by schedule.
#[derive(Debug, Default)]
pub struct DailyState(Mutex<Daily>);

/// What is known of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Daily {
    /// The last day whose files are all there.
    pub written: Option<Date>,
    /// Since when some cannot be written, and why.
    pub failed: Option<(Timestamp, String)>,
}

impl DailyState {
    #[must_use]
    pub fn now(&self) -> Daily {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The files of a day are there.
    pub fn wrote(&self, day: Date) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.written = state.written.max(Some(day));
    }

    /// All files that are due are there.
    pub fn succeeded(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failed = None;
    }

    /// They cannot be written. Returns whether that is news.
    pub fn failed(&self, at: Timestamp, why: &str) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = state.failed.as_ref().is_none_or(|(_, known)| known != why);
        let since = state.failed.as_ref().map_or(at, |(since, _)| *since);
        state.failed = Some((since, why.to_owned()));
        is_news
    }
}
