//! Deletes what is older than it has to be kept, in small steps between which everybody else writes, and makes the months of
//! a database ahead of time.

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
/// After a step that a long read was in the way of, and how often it is tried again.
const WAY_FREE: SignedDuration = SignedDuration::from_secs(10);
const TRIES: u32 = 6;

/// Who deletes what is old.
#[derive(Clone)]
pub(super) struct Retention {
    pub(super) store: Arc<SqlStore>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) kept: config::Retention,
}

/// Up to where nothing of the inbox has to be looked at again: its rows that are kept for ever.
#[derive(Debug, Clone, Copy, Default)]
struct Settled(i64);

/// How much one pass deleted.
#[derive(Debug, Clone, Copy, Default)]
struct Deleted {
    rows: u64,
    months: u64,
}

impl Retention {
    /// Runs until `shutdown`.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let all = async {
            self.warn_of_lacking_rights().await;
            // Before rows come that belong into them.
            self.make_months().await;
            let mut next = later(self.clock.now(), FIRST);
            let mut settled = Settled::default();
            loop {
                self.clock.sleep_until(next).await;
                self.make_months().await;
                match self.pass(&mut settled).await {
                    Ok(Deleted { rows: 0, months: 0 }) => {}
                    Ok(Deleted { rows, months }) => {
                        tracing::info!(rows, months, "what is older than [retention] says was deleted");
                    }
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

    async fn warn_of_lacking_rights(&self) {
        if let Ok(true) = self.store.lacks_months().await {
            tracing::warn!(
                "the user of the database does not own its tables, so they are not kept by month, and what is old is \
                 deleted row by row (see docs/POSTGRESQL.md)"
            );
        }
    }

    async fn make_months(&self) {
        match self.store.make_months(self.clock.now()).await {
            Ok(0) => {}
            Ok(months) => tracing::info!(months, "the tables of the database have new months"),
            // Rows go into the rest of the table meanwhile.
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the next months cannot be made; the next pass tries again");
            }
        }
    }

    /// Deletes everything that is old now.
    async fn pass(&self, settled: &mut Settled) -> store::Result<Deleted> {
        let config::Retention { callbacks, timeline, inbox, outbox, audit } = self.kept;
        let kinds = [
            (Kept::Callbacks, callbacks),
            (Kept::Timeline, timeline),
            (Kept::Inbox, inbox),
            (Kept::Outbox, outbox),
            (Kept::Audit, audit),
        ];
        let now = self.clock.now();
        let mut deleted = Deleted::default();
        for (kind, kept) in kinds {
            let Some(kept) = kept else { continue };
            let before = now.checked_sub(kept).unwrap_or(Timestamp::MIN);
            self.delete(kind, before, settled, &mut deleted).await?;
        }
        Ok(deleted)
    }

    async fn delete(
        &self,
        kind: Kept,
        before: Timestamp,
        settled: &mut Settled,
        deleted: &mut Deleted,
    ) -> store::Result<()> {
        let mut after = 0;
        let mut goes_on = kind == Kept::Inbox;
        loop {
            let step = self.step(kind, before, after).await?;
            let Retained { deleted: rows, months, next, settled: up_to } = step;
            deleted.rows = deleted.rows.saturating_add(rows);
            deleted.months = deleted.months.saturating_add(months);
            let Some(next) = next else { return Ok(()) };
            after = next;
            if months > 0 {
                // What outlived them may be before that place.
                *settled = Settled::default();
            }
            if goes_on && let Some(up_to) = up_to {
                goes_on = up_to == next;
                settled.0 = settled.0.max(up_to);
            }
            if goes_on {
                after = after.max(settled.0);
            }
            self.clock.sleep_until(later(self.clock.now(), REST)).await;
        }
    }

    /// One step, again after a while if a long read is in the way.
    async fn step(&self, kind: Kept, before: Timestamp, after: i64) -> store::Result<Retained> {
        for _ in 1..TRIES {
            match self.store.retain(kind, before, after, ROWS, told).await {
                Err(store::Error::Busy) => self.clock.sleep_until(later(self.clock.now(), WAY_FREE)).await,
                done => return done,
            }
        }
        self.store.retain(kind, before, after, ROWS, told).await
    }
}
