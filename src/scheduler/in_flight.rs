//! The requests in flight, and whether any of them can continue without an event from outside.
//!
//! A request that waits for the clock or for the platform is *parked*. When all are parked, only something from
//! outside can change anything, which is how a simulation knows that a moment is over without counting polls.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

/// The requests of one scheduler.
#[derive(Default)]
pub(super) struct InFlight {
    tasks: TaskTracker,
    active: Arc<Active>,
}

/// How many requests are not parked.
#[derive(Default)]
struct Active {
    count: AtomicUsize,
    none: Notify,
}

impl Active {
    fn more(&self) {
        self.count.fetch_add(1, Ordering::AcqRel);
    }

    fn less(&self) {
        if self.count.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.none.notify_waiters();
        }
    }
}

impl InFlight {
    pub(super) fn spawn(&self, request: impl Future<Output = ()> + Send + 'static) {
        self.active.more();
        let state = State { phase: Phase::Woken, task: None };
        let woken = Arc::new(Woken { state: Mutex::new(state), active: self.active.clone() });
        self.tasks.spawn(Watched { request: Box::pin(request), woken });
    }

    /// Ends when every request has ended or waits for something from outside.
    pub(super) async fn quiet(&self) {
        loop {
            let none = self.active.none.notified();
            if self.active.count.load(Ordering::Acquire) == 0 {
                return;
            }
            none.await;
        }
    }

    /// Ends when every request has ended.
    pub(super) async fn drain(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// A request that records whether it was woken.
struct Watched {
    request: Pin<Box<dyn Future<Output = ()> + Send>>,
    woken: Arc<Woken>,
}

struct Woken {
    state: Mutex<State>,
    active: Arc<Active>,
}

struct State {
    phase: Phase,
    /// Wakes the task of the request.
    task: Option<Waker>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The request will be polled.
    Woken,
    Polled,
    Parked,
    Over,
}

impl Woken {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        let task = {
            let mut state = self.state();
            match state.phase {
                Phase::Parked => self.active.more(),
                Phase::Polled => {}
                Phase::Woken | Phase::Over => return,
            }
            state.phase = Phase::Woken;
            state.task.clone()
        };
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Future for Watched {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let woken = self.woken.clone();
        {
            let mut state = woken.state();
            if state.phase == Phase::Parked {
                // A runtime may poll without a wake-up.
                woken.active.more();
            }
            state.phase = Phase::Polled;
            state.task = Some(context.waker().clone());
        }
        let waker = Waker::from(woken.clone());
        let polled = self.request.as_mut().poll(&mut Context::from_waker(&waker));
        let mut state = woken.state();
        if polled.is_ready() {
            state.phase = Phase::Over;
            woken.active.less();
        } else if state.phase == Phase::Polled {
            state.phase = Phase::Parked;
            woken.active.less();
        }
        polled
    }
}

impl Drop for Watched {
    /// A request that was dropped or that panicked has ended.
    fn drop(&mut self) {
        let mut state = self.woken.state();
        if matches!(state.phase, Phase::Woken | Phase::Polled) {
            self.woken.active.less();
        }
        state.phase = Phase::Over;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn requests_are_quiet_when_each_has_ended_or_waits_for_something_from_outside() {
        let requests = InFlight::default();
        assert!(requests.quiet().now_or_never().is_some(), "there is none");
        let (let_go, gone) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel::<()>();
        requests.spawn(async move {
            tokio::task::yield_now().await;
            gone.await.unwrap();
            tokio::task::yield_now().await;
            tell.send(()).unwrap();
        });
        assert!(requests.quiet().now_or_never().is_none(), "it has not begun");
        requests.quiet().await;
        let_go.send(()).unwrap();
        assert!(requests.quiet().now_or_never().is_none(), "it was woken");
        requests.quiet().await;
        assert_eq!(told.now_or_never(), Some(Ok(())));
        requests.drain().await;
    }

    #[tokio::test]
    async fn a_request_that_wakes_another_is_followed_by_it() {
        let requests = InFlight::default();
        let (first, second) = oneshot::channel::<()>();
        let (third, fourth) = oneshot::channel::<()>();
        requests.spawn(async move {
            second.await.unwrap();
            third.send(()).unwrap();
        });
        requests.quiet().await;
        requests.spawn(async move { first.send(()).unwrap() });
        requests.quiet().await;
        assert_eq!(fourth.now_or_never(), Some(Ok(())));
    }

    #[tokio::test]
    async fn a_request_that_panics_or_is_dropped_is_not_waited_for() {
        let requests = InFlight::default();
        let (never, waits) = oneshot::channel::<()>();
        requests.spawn(async move {
            drop(waits.await);
            panic!("on purpose");
        });
        requests.quiet().await;
        drop(never);
        requests.quiet().await;
        requests.drain().await;
    }
}
