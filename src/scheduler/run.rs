//! The loop: runs turns, sleeps between them, and finishes requests at shutdown.

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::round::{self, Next};
use super::state::Scheduler;
use crate::store;

const STORE_REST: SignedDuration = SignedDuration::from_secs(1);

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
        round::take(self).await
    }

    /// Runs turns until there is nothing to do at this time: no row is due, no report is unfolded, and no request
    /// is out but those that wait for the clock or the platform. Returns when to run next. Public for simulations,
    /// whose clock stands still meanwhile.
    ///
    /// # Errors
    /// As [`Scheduler::turn`].
    pub async fn idle(&mut self) -> store::Result<Option<Timestamp>> {
        loop {
            let next = self.turn().await?;
            self.requests.quiet().await;
            if let Next::Sleep(until) = next
                && !self.has_answers()
                && until.is_none_or(|until| until > self.deps.clock.now())
            {
                return Ok(until);
            }
        }
    }

    /// Ends when somebody has committed something for the scheduler. Public for simulations.
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

    /// Records the answers of all requests in flight.
    async fn drain(&mut self) {
        self.requests.drain().await;
        if let Err(error) = round::settle_only(self).await {
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
