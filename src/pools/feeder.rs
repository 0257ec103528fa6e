//! Feeds one pool from its source of the configuration, again and again.
//!
//! An error of any kind ends what the source fed before, and nothing else: the next figure opens the pool again.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, later};
use crate::domain::{Event, PoolAct, PoolCommand, PoolKey, Tenant};
use crate::ids::IdGenerator;
use crate::platform::seats::{SeatSource, Told, Unread};
use crate::store::{self, Inbox, NewCommand, Report};
use crate::wake::Wake;

/// One pool of the configuration, and where its figures come from.
#[derive(Clone)]
pub struct Feeder {
    pub pool: PoolKey,
    /// `url` or `taskrouter`, for the record.
    pub by: Arc<str>,
    pub source: Arc<dyn SeatSource>,
    /// From one question to the next.
    pub every: SignedDuration,
    /// A source that takes longer has failed.
    pub timeout: Duration,
    /// Unless the source says otherwise.
    pub headroom: u32,
    pub wrap_up: SignedDuration,
    pub store: Arc<dyn Inbox>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<IdGenerator>,
    pub waker: Arc<dyn Wake>,
}

/// What the last questions came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Course {
    /// Why the last question failed; `None` after a figure, and before the first question.
    failed: Option<Unread>,
    store_failed: bool,
}

impl Feeder {
    /// Runs until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut course = Course::default();
        loop {
            let asked_at = self.clock.now();
            tokio::select! {
                () = self.feed(&mut course) => {}
                () = shutdown.cancelled() => return,
            }
            tokio::select! {
                () = self.clock.sleep_until(later(asked_at, self.every)) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// Asks once, and hands the answer to the scheduler. What fails again is not told again.
    pub async fn feed(&self, course: &mut Course) {
        let told = tokio::time::timeout(self.timeout, self.source.read(self.clock.now())).await;
        let now = self.clock.now();
        let told = told.unwrap_or_else(|_| Err(Unread::because("it did not answer in time")));
        let act = match told.and_then(|told| self.checked(now, told)) {
            Ok(told) => {
                if course.failed.take().is_some() {
                    tracing::info!(pool = %self.pool, source = &*self.by, "the pool is fed again");
                }
                PoolAct::Feed {
                    figure: told.figure,
                    as_of: told.as_of,
                    valid_until: told.valid_until,
                    headroom: told.headroom.unwrap_or(self.headroom),
                    wrap_up: told.wrap_up.unwrap_or(self.wrap_up),
                }
            }
            Err(unread) if course.failed.as_ref() == Some(&unread) => return,
            Err(unread) => {
                tracing::warn!(
                    pool = %self.pool, source = &*self.by, why = %unread,
                    "the seats of a pool cannot be read, so it has none until they can"
                );
                let why = unread.to_string().into();
                course.failed = Some(unread);
                PoolAct::Fail { why }
            }
        };
        let stored = self.file(act).await;
        if let Err(error) = &stored {
            // The figure ends by itself; a failure is told again.
            course.failed = None;
            if !course.store_failed {
                tracing::error!(
                    error = error as &dyn std::error::Error, pool = %self.pool,
                    "the figure of a pool cannot be stored"
                );
            }
        }
        course.store_failed = stored.is_err();
    }

    fn checked(&self, now: Timestamp, told: Told) -> Result<Told, Unread> {
        match told.valid_until > now && told.as_of <= now {
            true => Ok(told),
            false => Err(Unread::because("its figure is of another time")),
        }
    }

    async fn file(&self, act: PoolAct) -> store::Result<()> {
        let received_at = self.clock.now();
        let event = Event::Pool(PoolCommand { pool: self.pool.clone(), by: Arc::clone(&self.by), act });
        let report = Report { key: *self.ids.uuid(received_at).as_bytes(), received_at, event };
        let command = NewCommand { report, tenant: Tenant::default(), callback: None, content: [0; 32] };
        self.store.append_command(command).await?;
        self.waker.now();
        Ok(())
    }
}
