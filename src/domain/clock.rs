//! What the clocks of a machine show at one moment, and the doubt about the wall clock.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

/// The wall clock and the time since the boot, read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    pub wall: Timestamp,
    /// Names the boot. The times of two boots cannot be compared.
    pub boot: Arc<str>,
    /// Since the boot, including the time that the machine was suspended. Nobody can set it.
    pub up: SignedDuration,
}

impl Reading {
    /// The time of an unchanged wall clock when the machine has been up for this long.
    #[must_use]
    pub fn wall_when(&self, up: SignedDuration) -> Timestamp {
        let passed = up.saturating_sub(self.up);
        self.wall.saturating_add(passed).unwrap_or(self.wall)
    }
}

/// The wall clock jumped, and it is not known which time is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockDoubt {
    /// When it was noticed, by the time before the jump.
    pub since: Timestamp,
    /// How far the wall clock jumped; negative if it jumped back.
    pub by: SignedDuration,
}

/// What is stored of the clocks, so that a jump is found that happened while the daemon was down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockMark {
    /// The last reading that was trusted.
    pub trusted: Reading,
    pub doubt: Option<ClockDoubt>,
}
