//! Panics that are caught: a part that fails ends neither the process nor the parts beside it.
//!
//! The text of a panic is never kept or logged, because it may hold phone numbers. The place in the code is.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// A panic that was caught.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Panicked {
    /// `file:line`, if [`install_hook`] was called.
    pub place: Option<String>,
}

thread_local! {
    /// How many calls of [`contain_now`] this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Logs panics with their place in the whole process. Panics that this module does not catch are logged at once.
pub fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
        if DEPTH.get() > 0 {
            PLACE.set(place);
        } else {
            tracing::error!(place, "a part of the program panicked");
        }
    }));
}

/// Runs `work` and catches its panic. The caller sees to it that nothing half-changed is used afterwards.
///
/// # Errors
/// If it panicked.
pub fn contain_now<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    DEPTH.set(DEPTH.get() + 1);
    let done = catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    done.map_err(|_| Panicked { place: PLACE.take() })
}

/// As [`contain_now`], for a future.
///
/// # Errors
/// If it panicked.
pub async fn contain<T>(work: impl Future<Output = T>) -> Result<T, Panicked> {
    let mut work = pin!(work);
    poll_fn(|context| match contain_now(|| work.as_mut().poll(context)) {
        Ok(Poll::Ready(done)) => Poll::Ready(Ok(done)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panicked) => Poll::Ready(Err(panicked)),
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_caught_and_what_is_well_goes_through() {
        assert_eq!(contain_now(|| 7), Ok(7));
        assert!(contain_now(|| -> u8 { panic!("0") }).is_err());
        assert_eq!(contain(async { 7 }).await, Ok(7));
        let later = async {
            tokio::task::yield_now().await;
            panic!("0")
        };
        assert!(contain::<u8>(later).await.is_err());
        assert_eq!(DEPTH.get(), 0);
    }
}
