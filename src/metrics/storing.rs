//! The store: its commits.

use std::time::Duration;

use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use super::Metrics;
use super::shelf::Shelf;

#[derive(Debug)]
pub(super) struct Storing {
    commit: Histogram,
    group_size: Histogram,
}

impl Storing {
    pub(super) fn on(shelf: &mut Shelf) -> Self {
        Self {
            commit: shelf.histogram(
                "store_commit_seconds",
                "Duration of a commit",
                exponential_buckets(0.000_25, 2.0, 14),
            ),
            group_size: shelf.histogram(
                "store_group_size",
                "Commands in a commit",
                exponential_buckets(1.0, 2.0, 11),
            ),
        }
    }
}

impl Metrics {
    /// A commit of the store with this many commands.
    #[expect(clippy::cast_precision_loss, reason = "a group has a few thousand commands at most")]
    pub fn store_committed(&self, commands: usize, took: Duration) {
        self.storing.commit.observe(took.as_secs_f64());
        self.storing.group_size.observe(commands as f64);
    }
}
