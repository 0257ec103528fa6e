//! A report that a turn has folded, for metrics and traces.

use std::ops::Range;

use jiff::Timestamp;

/// A folded report.
#[derive(Debug, Clone)]
pub(super) struct Heard {
    pub(super) received_at: Timestamp,
    /// The name of the kind of its event.
    pub(super) kind: &'static str,
    /// The lines of the turn that it added to timelines.
    pub(super) lines: Range<usize>,
}
