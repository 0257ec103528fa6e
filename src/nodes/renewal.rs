//! Keeps the lease: claims it, renews it, and gives it back.
//!
//! It does not dial and does not stop what has left: it tells the scheduler, through [`Trust`](crate::platform::Trust),
//! until when this node leads.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::Presence;
use crate::clock::{Clock, later};
use crate::domain::Reading;
use crate::platform::{Leadership, Standing};
use crate::policy::lease::{self, ClockVerdict};
use crate::store::{self, Beat, Beaten, Claim, Joined, NewNode, Nodes};
use crate::wake::Wake;

/// A difference of clocks that was measured by a slower answer is not known well enough.
const MEASURED_WITHIN: SignedDuration = SignedDuration::from_secs(1);
/// The shortest wait for the end of another node's lease.
const SHORTEST_WAIT: SignedDuration = SignedDuration::from_millis(10);
/// A node of the same name has given a sign of life within this time.
const ALIVE_WITHIN: SignedDuration = SignedDuration::from_millis(2_500);

/// Another node of this name runs.
#[derive(Debug, thiserror::Error)]
#[error(
    "a node with the name {name:?} runs since {since}: two nodes need two names; set node.name in the \
     configuration of this one"
)]
pub struct NameTaken {
    name: Arc<str>,
    since: Timestamp,
}

/// Keeps the lease of one node.
pub struct LeaseRenewal {
    store: Arc<dyn Nodes>,
    /// The machine's clock.
    clock: Arc<dyn Clock>,
    presence: Arc<Presence>,
    waker: Arc<dyn Wake>,
    /// By the monotonic clock: it claims nothing before.
    rests_until: SignedDuration,
    verdict: ClockVerdict,
    store_is_up: bool,
    is_known: bool,
}

impl LeaseRenewal {
    #[must_use]
    pub fn new(
        store: Arc<dyn Nodes>,
        clock: Arc<dyn Clock>,
        presence: Arc<Presence>,
        waker: Arc<dyn Wake>,
    ) -> Self {
        Self {
            store,
            clock,
            presence,
            waker,
            rests_until: SignedDuration::MIN,
            verdict: ClockVerdict::Fine,
            store_is_up: true,
            is_known: true,
        }
    }

    /// Records this node. If another run has its name, it waits as long as that one gives no sign of life.
    ///
    /// # Errors
    /// [`NameTaken`] inside if the other run lives; or an error of the store.
    pub async fn join(&self) -> Result<Result<(), NameTaken>, store::Error> {
        let mut seen = None;
        loop {
            let joined = self.store.join(new_node(&self.presence, self.clock.now(), false)).await?;
            let Joined::NameIsTaken { by, started_at, seen_at } = joined else { return Ok(Ok(())) };
            if seen.is_some_and(|before| before != (by, seen_at)) {
                let name = Arc::clone(&self.presence.name);
                return Ok(Err(NameTaken { name, since: started_at }));
            }
            seen = Some((by, seen_at));
            self.clock.machine_sleep(duration(ALIVE_WITHIN)).await;
        }
    }

    /// Runs until `shutdown`, then gives the lease back.
    pub async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let wait = tokio::select! {
                wait = self.beat() => wait,
                () = shutdown.cancelled() => break,
            };
            let presence = Arc::clone(&self.presence);
            let clock = Arc::clone(&self.clock);
            tokio::select! {
                () = clock.machine_sleep(duration(wait)) => {}
                () = presence.resigns.notified() => self.resign().await,
                () = shutdown.cancelled() => break,
            }
        }
        self.resign().await;
    }

    /// Gives one sign of life, and claims or renews the lease. Returns how long to wait until the next one.
    pub async fn beat(&mut self) -> SignedDuration {
        let asked = self.clock.reading();
        let may_claim = asked.up >= self.rests_until && self.verdict != ClockVerdict::Refuses;
        let claim = Claim { group: self.presence.group.clone(), ttl: lease::TTL, takes_over: false };
        let beat = Beat {
            name: Arc::clone(&self.presence.name),
            run: self.presence.run,
            told_at: asked.wall,
            clock_ahead: self.presence.clock_ahead(),
            claim: may_claim.then_some(claim),
        };
        match self.store.beat(beat).await {
            Ok(beaten) => {
                self.store_is_up = true;
                self.answered(&asked, &beaten).await
            }
            Err(error) => {
                if std::mem::take(&mut self.store_is_up) {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "the lease cannot be renewed; this node tries again");
                }
                if matches!(self.presence.trust.standing(self.clock.reading().up), Standing::Follows) {
                    self.lose();
                }
                lease::RETRY_AFTER
            }
        }
    }

    async fn answered(&mut self, asked: &Reading, beaten: &Beaten) -> SignedDuration {
        let answered = self.clock.reading();
        self.judge_clock(asked, &answered, beaten.at);
        if std::mem::replace(&mut self.is_known, beaten.is_known) && !beaten.is_known {
            tracing::error!(
                node = &*self.presence.name,
                "another node has taken the name of this one; this one does not lead any more, stop it"
            );
        }
        if !beaten.is_known {
            self.lose();
            return lease::RENEW_EVERY;
        }
        let Some(lasts) = beaten.lasts(self.presence.run) else {
            self.lose();
            let left = beaten.lease.as_ref().map(|other| other.until.duration_since(beaten.at));
            return left.unwrap_or(lease::RENEW_EVERY).clamp(SHORTEST_WAIT, lease::RENEW_EVERY);
        };
        if let Some(lease) = &beaten.lease {
            let trusted_until = lease::trusted_until(asked.up, lasts);
            let leadership =
                Leadership { lease: lease.term(), began_after: lease.began_after, trusted_until };
            if self.presence.trust.hold(answered.up, leadership) {
                self.waker.now();
            }
        }
        if beaten.is_asked_to_resign || self.verdict == ClockVerdict::Refuses {
            self.resign().await;
        }
        lease::RENEW_EVERY
    }

    /// Compares the clocks. The database read its own between the question and the answer.
    fn judge_clock(&mut self, asked: &Reading, answered: &Reading, at: Timestamp) {
        let took = answered.up.saturating_sub(asked.up);
        if took > MEASURED_WITHIN {
            return;
        }
        let ahead = later(asked.wall, took / 2).duration_since(at);
        let micros = i64::try_from(ahead.as_micros()).unwrap_or(i64::MAX);
        self.presence.clock_ahead.store(micros, Ordering::Relaxed);
        let verdict = lease::clock(ahead);
        if std::mem::replace(&mut self.verdict, verdict) == verdict {
            return;
        }
        let ahead_ms = ahead.as_millis();
        match verdict {
            ClockVerdict::Fine => tracing::info!("the clock of this node agrees with the database's"),
            ClockVerdict::Warns => {
                tracing::warn!(ahead_ms, "the clock of this node differs from the database's")
            }
            ClockVerdict::Refuses => tracing::error!(
                ahead_ms,
                "the clock of this node differs from the database's by more than five seconds; this node does not \
                 lead until they agree"
            ),
        }
    }

    /// Gives the lease back: nothing is submitted from now on. Another node may claim it at once; this one waits.
    pub async fn resign(&mut self) {
        let up = self.clock.reading().up;
        let term = match self.presence.trust.standing(up) {
            Standing::Leads(leadership) => leadership.lease.term,
            // The record still has to say that it was asked.
            Standing::Follows | Standing::Alone => 0,
        };
        self.lose();
        self.rests_until = up.saturating_add(lease::REST_AFTER_RESIGNING);
        let (group, run) = (self.presence.group.clone(), self.presence.run);
        if let Err(error) = self.store.resign(group, run, term, self.clock.now()).await {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the lease could not be given back; it ends by itself");
        }
    }

    /// Records that this node stops, after its requests were answered.
    pub async fn leave(store: &dyn Nodes, presence: &Presence, now: Timestamp) {
        if let Err(error) = store.leave(Arc::clone(&presence.name), presence.run, now).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the end of this node could not be recorded");
        }
    }

    fn lose(&self) {
        if self.presence.trust.lose() {
            self.waker.now();
        }
    }
}

/// Records a daemon that is alone on its store, and its term. The lock of the file proves that an earlier process has
/// ended, so it waits for nothing.
///
/// # Errors
/// If the store cannot be written.
pub async fn record_alone(store: &dyn Nodes, presence: &Presence, now: Timestamp) -> store::Result<()> {
    store.join(new_node(presence, now, true)).await?;
    let claim = Claim { group: presence.group.clone(), ttl: lease::TTL, takes_over: true };
    let beat = Beat {
        name: Arc::clone(&presence.name),
        run: presence.run,
        told_at: now,
        clock_ahead: SignedDuration::ZERO,
        claim: Some(claim),
    };
    store.beat(beat).await.map(|_| ())
}

fn new_node(presence: &Presence, told_at: Timestamp, takes_over: bool) -> NewNode {
    NewNode {
        name: Arc::clone(&presence.name),
        run: presence.run,
        version: Arc::clone(&presence.version),
        url: presence.url.clone(),
        told_at,
        gone_after: lease::GONE_AFTER,
        takes_over,
    }
}

fn duration(span: SignedDuration) -> Duration {
    Duration::try_from(span).unwrap_or(Duration::ZERO)
}
