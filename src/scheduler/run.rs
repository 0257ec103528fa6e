//! The loop: runs turns, sleeps between them, and finishes requests at shutdown.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::pace::Pace;
use super::round::{self, Next, Taken};
use super::state::Scheduler;
use crate::panics::contain;
use crate::store;

const STORE_REST: SignedDuration = SignedDuration::from_secs(1);
/// So many callbacks of a change of many become commands at once.
const BULK_STEP: usize = 200;

impl Scheduler {
    /// Runs until `shutdown`, then records the answers of requests in flight.
    pub async fn run(mut self, shutdown: CancellationToken) {
        let mut store_is_up = true;
        while !shutdown.is_cancelled() {
            self.deps.waker.awake();
            match self.turn().await {
                Ok(Next::Again) => store_is_up = true,
                Ok(Next::Sleep(until)) => {
                    store_is_up = true;
                    self.sleep(until, &shutdown).await;
                }
                Err(store::Error::Deposed) => {
                    tracing::error!(
                        "another daemon has taken over the store; this one dials and writes nothing more, stop it"
                    );
                    shutdown.cancelled().await;
                }
                Err(error) => {
                    if std::mem::take(&mut store_is_up) {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "the store failed; dialling stops until it recovers"
                        );
                    }
                    let rest = self.deps.clock.now() + STORE_REST;
                    tokio::select! {
                        () = self.deps.clock.sleep_until(rest) => {}
                        () = shutdown.cancelled() => {}
                    }
                }
            }
        }
        self.drain().await;
    }

    /// Runs one turn. Public for tests.
    ///
    /// # Errors
    /// If the store fails. Nothing was decided then, and nothing is lost: the next turn starts again.
    pub async fn turn(&mut self) -> store::Result<Next> {
        if self.is_deposed {
            return Err(store::Error::Deposed);
        }
        let began = Instant::now();
        let next = self.turn_by_standing().await;
        self.deps.metrics.turn_taken(began.elapsed(), next.is_err());
        if matches!(next, Err(store::Error::Deposed)) {
            self.be_deposed();
        }
        next
    }

    pub(super) async fn lead_turn(&mut self) -> store::Result<Next> {
        if self.containment.must_rebuild {
            return self.mend().await;
        }
        if self.led.is_none() {
            self.recover().await?;
        }
        match contain(round::take(self)).await {
            Ok(Ok(Taken::Done(Next::Sleep(until)))) if self.bulk_may_run => self.next_of_bulk(until).await,
            Ok(Ok(Taken::Done(next))) => Ok(next),
            Ok(Ok(Taken::Panicked(panicked))) => Ok(self.failed(panicked)),
            Ok(Err(store::Error::Panicked(panicked))) => Ok(self.failed(panicked)),
            Ok(Err(store::Error::Unreadable(reports))) => self.set_aside_unreadable(reports).await,
            Ok(Err(error)) => Err(error),
            Err(panicked) => {
                // It is unknown which requests the turn has sent.
                self.paces.values_mut().for_each(Pace::forget_requests);
                Ok(self.failed(panicked))
            }
        }
    }

    /// There is nothing else to do, so the next callbacks of a change of many become commands.
    async fn next_of_bulk(&mut self, until: Option<Timestamp>) -> store::Result<Next> {
        self.bulk_may_run = self.deps.store.has_running_bulk().await?;
        if self.bulk_may_run && self.deps.store.file_bulk(self.deps.clock.now(), BULK_STEP).await? {
            return Ok(Next::Again);
        }
        Ok(Next::Sleep(until))
    }

    /// Writes what is to be set aside, and builds the state in memory anew.
    async fn mend(&mut self) -> store::Result<Next> {
        self.write_pending().await?;
        self.recover().await?;
        if self.containment.must_rebuild {
            return Ok(Next::Sleep(Some(self.deps.clock.now() + STORE_REST)));
        }
        Ok(Next::Again)
    }

    /// Runs turns until there is nothing to do at this time: no row is due, no report is unfolded, and no request
    /// is out but those that wait for the clock or the platform. Returns when to run next. Public for simulations,
    /// whose clock stands still meanwhile.
    ///
    /// # Errors
    /// As [`Scheduler::turn`].
    pub async fn idle(&mut self) -> store::Result<Option<Timestamp>> {
        self.idle_watched(|_| {}).await
    }

    /// The same, and `look` looks at the scheduler after each turn.
    ///
    /// # Errors
    /// As [`Scheduler::turn`].
    pub async fn idle_watched(&mut self, mut look: impl FnMut(&Self)) -> store::Result<Option<Timestamp>> {
        loop {
            let next = self.turn().await?;
            look(self);
            self.requests.quiet().await;
            if let Next::Sleep(until) = next
                && !self.has_answers()
                && until.is_none_or(|until| until > self.deps.clock.now())
            {
                return Ok(until);
            }
        }
    }

    /// Ends when something was committed for the scheduler. Public for simulations.
    pub async fn woken(&self) {
        self.deps.waker.given().await;
    }

    /// Whether answers have arrived since the last turn.
    fn has_answers(&mut self) -> bool {
        while let Ok(done) = self.done.try_recv() {
            self.heard.push(done);
        }
        !self.heard.is_empty()
    }

    /// Records the answers of all requests in flight. Meanwhile nothing new is sent.
    async fn drain(&mut self) {
        loop {
            let done = tokio::select! {
                biased;
                () = self.requests.drain() => break,
                done = self.done.recv() => done,
            };
            self.heard.extend(done);
            self.append_if_it_follows().await;
        }
        let settled = contain(Box::pin(self.settle_the_rest())).await;
        if let Err(error) = settled.unwrap_or_else(|panicked| Err(store::Error::Panicked(panicked))) {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "the last answers could not be recorded; they are asked for after the restart"
            );
        }
    }

    async fn sleep(&mut self, until: Option<Timestamp>, shutdown: &CancellationToken) {
        self.deps.waker.sleeping_until(until);
        let clock = self.deps.clock.clone();
        let alarm = async {
            match until {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = alarm => {}
            () = self.deps.waker.given() => {}
            Some(done) = self.done.recv() => self.heard.push(done),
            () = shutdown.cancelled() => {}
        }
    }
}
