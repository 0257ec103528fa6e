//! How much the live parts of pages may use: streams in all, streams of one person, and parts rendered in a second.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Open streams of all people (our rule).
const STREAMS_MAX: usize = 256;
/// Open streams of one person: one for each browser (our rule).
const STREAMS_OF_ONE_MAX: usize = 16;
/// Parts rendered in a second, for all people together (our rule).
const RENDERS_PER_SECOND: u32 = 50;
/// Renders that were not used within this time may be made up for at once.
const MADE_UP: Duration = Duration::from_secs(1);

type Counts = Arc<Mutex<BTreeMap<String, usize>>>;

/// The places for streams.
pub(super) struct Places {
    all: Arc<Semaphore>,
    of_people: Counts,
}

impl Default for Places {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(STREAMS_MAX)), of_people: Counts::default() }
    }
}

/// A place for one stream, until it is dropped.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    person: String,
    of_people: Counts,
}

impl Places {
    /// A place for one more stream of this person; `None` if the person, or all together, have as many as may be.
    pub(super) fn take(&self, person: String) -> Option<Place> {
        let mut counts = locked(&self.of_people);
        if counts.get(&person).is_some_and(|&count| count >= STREAMS_OF_ONE_MAX) {
            return None;
        }
        let permit = Arc::clone(&self.all).try_acquire_owned().ok()?;
        *counts.entry(person.clone()).or_default() += 1;
        drop(counts);
        Some(Place { _permit: permit, person, of_people: Arc::clone(&self.of_people) })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = locked(&self.of_people);
        if let Some(count) = counts.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.person);
            }
        }
    }
}

fn locked(counts: &Counts) -> MutexGuard<'_, BTreeMap<String, usize>> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}

/// When the next part may be rendered.
pub(super) struct RenderPace(Mutex<Option<Instant>>);

impl RenderPace {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The moment from `now` on at which one more part may be rendered. It is taken.
    pub(super) fn take(&self, now: Instant) -> Instant {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = now.checked_sub(MADE_UP).unwrap_or(now);
        let turn = next.unwrap_or(oldest).max(oldest);
        *next = Some(turn + Duration::from_secs(1) / RENDERS_PER_SECOND);
        turn.max(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_so_many_streams_and_leaves_the_others_theirs() {
        let places = Places::default();
        let mut ana: Vec<_> = (0..STREAMS_OF_ONE_MAX).map(|_| places.take("ana".into()).unwrap()).collect();
        assert!(places.take("ana".into()).is_none());
        assert!(places.take("bo".into()).is_some());
        ana.pop();
        assert!(places.take("ana".into()).is_some(), "one was closed");
        drop(ana);
        assert!(locked(&places.of_people).is_empty(), "nobody is remembered");
    }

    #[test]
    fn all_together_have_so_many() {
        let places = Places::default();
        let all: Vec<_> = (0..STREAMS_MAX).map(|n| places.take(n.to_string()).unwrap()).collect();
        assert!(places.take("one more".into()).is_none());
        drop(all);
        assert!(places.take("one more".into()).is_some());
    }

    #[test]
    fn renders_are_spread_over_the_second() {
        let (pace, now) = (RenderPace::new(), Instant::now());
        // What was not used in the last second, and one.
        for _ in 0..=RENDERS_PER_SECOND {
            assert_eq!(pace.take(now), now);
        }
        let each = Duration::from_secs(1) / RENDERS_PER_SECOND;
        assert_eq!([1, 2, 3].map(|_| pace.take(now)), [1, 2, 3].map(|n| now + each * n));
        let later = now + Duration::from_secs(60);
        assert_eq!(pace.take(later), later, "a minute's quiet is worth a second");
        (0..RENDERS_PER_SECOND).for_each(|_| _ = pace.take(later));
        assert!(pace.take(later) > later);
    }
}
