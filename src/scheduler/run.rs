//! The loop: takes turns, sleeps between them, and finishes what was begun.

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use super::round::{self, Next};
use super::state::Scheduler;
use crate::store;

const STORE_REST: SignedDuration = SignedDuration::from_secs(1);

impl Scheduler {
    /// Works until `shutdown`, then takes in the answers of the requests that are on their way.
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

    /// One turn. Public for simulations, which take turns by hand.
    ///
    /// # Errors
    /// The store's; nothing was decided then, and nothing is lost: the next turn begins anew.
    pub async fn turn(&mut self) -> store::Result<Next> {
        round::take(self).await
    }

    /// Whether answers to requests have come in since the last turn.
    pub fn has_answers(&mut self) -> bool {
        while let Ok(done) = self.done.try_recv() {
            self.heard.push(done);
        }
        !self.heard.is_empty()
    }

    /// Finishes what was begun: every request that left gets its answer recorded.
    async fn drain(&mut self) {
        self.requests.close();
        self.requests.wait().await;
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
