//! Logs when the runtime is stuck. It runs on its own thread, because a stuck runtime cannot log.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// How often the runtime gives a sign of life, and how often the thread checks it.
const BEAT: Duration = Duration::from_secs(1);
/// The runtime is stuck if it gives no sign of life for this long.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// The result of a check.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Stuck(Duration),
    /// The runtime continues, after this long.
    GoesOn(Duration),
}

/// Compares the signs of life with the time.
#[derive(Debug)]
struct Watch {
    beats: u64,
    /// From the start of the watchdog.
    last_beat: Duration,
    told: bool,
}

impl Watch {
    const fn new() -> Self {
        Self { beats: 0, last_beat: Duration::ZERO, told: false }
    }

    /// `now` is the time since the start of the watchdog.
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
                    tracing::warn!(seconds = silent.as_secs(), "the runtime continues after it was stuck");
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
    fn a_stuck_runtime_is_logged_once_and_so_is_its_recovery() {
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
