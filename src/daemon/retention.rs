//! Deletes what is older than it has to be kept, in small steps between which everybody else writes. Runs only if a kind has
//! a time.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, later};
use crate::config;
use crate::scheduler::told;
use crate::store;
use crate::store::relational::{Kept, Retained, SqlStore};

/// How many rows a step looks at.
const ROWS: usize = 200;
/// Between two steps.
const REST: SignedDuration = SignedDuration::from_millis(100);
/// After the start, and between two passes.
const FIRST: SignedDuration = SignedDuration::from_mins(5);
const EVERY: SignedDuration = SignedDuration::from_hours(6);

/// Who deletes what is old.
#[derive(Clone)]
pub(super) struct Retention {
    pub(super) store: Arc<SqlStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) kept: config::Retention,
}

impl Retention {
    /// Runs until `shutdown`.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let all = async {
            let mut next = later(self.clock.now(), FIRST);
            loop {
                self.clock.sleep_until(next).await;
                match self.pass().await {
                    Ok(0) => {}
                    Ok(deleted) => tracing::info!(deleted, "what is older than [retention] says was deleted"),
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::error!(error, "what is old could not be deleted; the next pass tries again");
                    }
                }
                next = later(self.clock.now(), EVERY);
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = all => {}
        }
    }

    /// Deletes everything that is old now. Returns how many rows were deleted.
    async fn pass(&self) -> store::Result<u64> {
        let config::Retention { callbacks, timeline, inbox, outbox } = self.kept;
        let kinds = [
            (Kept::Callbacks, callbacks),
            // The keys go with their orders.
            (Kept::Keys, callbacks),
            (Kept::Timeline, timeline),
            (Kept::Inbox, inbox),
            (Kept::Outbox, outbox),
        ];
        let now = self.clock.now();
        let mut deleted = 0_u64;
        for (kind, kept) in kinds {
            let Some(kept) = kept else { continue };
            let before = now.checked_sub(kept).unwrap_or(Timestamp::MIN);
            deleted = deleted.saturating_add(self.delete(kind, before).await?);
        }
        Ok(deleted)
    }

    async fn delete(&self, kind: Kept, before: Timestamp) -> store::Result<u64> {
        let (mut deleted, mut after) = (0_u64, 0);
        loop {
            let step = self.store.retain(kind, before, after, ROWS, told).await?;
            let Retained { deleted: now, next } = step;
            deleted = deleted.saturating_add(now);
            let Some(next) = next else { return Ok(deleted) };
            after = next;
            self.clock.sleep_until(later(self.clock.now(), REST)).await;
        }
    }
}
