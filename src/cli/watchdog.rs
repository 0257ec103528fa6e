//! Tells the log when the runtime is stuck. It runs on a thread of its own, for a stuck runtime cannot tell anybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How often the runtime shows that it lives, and how often the thread looks.
const BEAT: Duration = Duration::from_secs(1);
/// Without a sign for so long it counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// What the thread saw.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Stuck(Duration),
    /// It goes on, after so long.
    GoesOn(Duration),
}

/// Compares signs of life with the time that has passed.
#[derive(Debug)]
struct Watch {
    beats: u64,
    /// Since the start of the watch.
    last_beat: Duration,
    told: bool,
}

impl Watch {
    const fn new() -> Self {
        Self { beats: 0, last_beat: Duration::ZERO, told: false }
    }

    /// `now` is counted from the start of the watch.
    fn look(&mut self, now: Duration, beats: u64) -> Option<News> {
        let silent = now.saturating_sub(self.last_beat);
        if beats != self.beats {
            (self.beats, self.last_beat) = (beats, now);
            return std::mem::take(&mut self.told).then_some(News::GoesOn(silent));
        }
        if self.told || silent < STUCK_AFTER {
            return None;
        }
        self.told = true;
        Some(News::Stuck(silent))
    }
}

/// Watches the runtime that this is called in, until `stop` is canceled.
pub(super) fn start(stop: CancellationToken) -> std::io::Result<()> {
    let beats = Arc::new(AtomicU64::new(0));
    let counted = beats.clone();
    let ended = stop.clone();
    tokio::spawn(async move {
        while !ended.is_cancelled() {
            counted.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(BEAT).await;
        }
    });
    let began = Instant::now();
    let look = move || {
        let mut watch = Watch::new();
        while !stop.is_cancelled() {
            std::thread::sleep(BEAT);
            match watch.look(began.elapsed(), beats.load(Ordering::Relaxed)) {
                Some(News::Stuck(silent)) => tracing::error!(
                    seconds = silent.as_secs(),
                    "the runtime is stuck: no task has run; a second SIGTERM ends the process at once"
                ),
                Some(News::GoesOn(silent)) => {
                    tracing::warn!(seconds = silent.as_secs(), "the runtime goes on after it was stuck");
                }
                None => {}
            }
        }
    };
    std::thread::Builder::new().name("watchdog".into()).spawn(look).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_runtime_without_a_sign_is_told_once_and_so_is_that_it_goes_on() {
        let mut watch = Watch::new();
        assert_eq!(watch.look(seconds(1), 1), None);
        assert_eq!(watch.look(seconds(5), 1), None);
        assert_eq!(watch.look(seconds(6), 1), Some(News::Stuck(seconds(5))));
        assert_eq!(watch.look(seconds(60), 1), None);
        assert_eq!(watch.look(seconds(61), 2), Some(News::GoesOn(seconds(60))));
        assert_eq!(watch.look(seconds(62), 3), None);
        assert_eq!(watch.look(seconds(67), 3), Some(News::Stuck(seconds(5))));
    }
}
