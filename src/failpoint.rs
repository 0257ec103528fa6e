//! Failpoints, at which a test kills the process or lets it panic. Without the feature `failpoints` they compile to
//! nothing.
//!
//! The process kills itself with SIGKILL, so that nothing is unwound, flushed or dropped. Panics are injected at
//! places of their own. Errors and delays are injected by the ports of the simulation. So no failpoint library is
//! needed.

/// Every failpoint. The kill loop has to reach each of them.
pub const PLACES: [&str; 33] = [
    // A batch that opens an attempt or a message.
    "intent.uncommitted",
    "intent.committed",
    // A batch that marks a request as submitting. Even after the commit no byte has been sent.
    "submission.uncommitted",
    "submission.committed",
    // A create request: its head is in a buffer; it was sent, or the other side has read it.
    "request.leaving",
    "request.left",
    // The answer to it: read, before its commit, after its commit.
    "answer.came",
    "answer.uncommitted",
    "answer.committed",
    // A group of commands of the store: between two of them, before COMMIT, and after COMMIT before any
    // caller gets its answer.
    "group.half_run",
    "group.uncommitted",
    "group.committed",
    // A command: in the inbox and not answered, and the batch that folds it, before and after its commit.
    "command.appended",
    "command.unfolded",
    "command.folded",
    // A try to hang up: its batch, before and after its commit, and its answer, which is kept in memory only.
    "hang_up.uncommitted",
    "hang_up.committed",
    "hang_up.answered",
    // A delivery to the customer: claimed and not sent, answered and not settled, settled.
    "delivery.claimed",
    "delivery.unsettled",
    "delivery.settled",
    // The term of a start, which ends the one before: in its transaction, and after it.
    "term.uncommitted",
    "term.begun",
    // The batch with the trusted reading of the machine's clocks, before and after its commit.
    "clock.uncommitted",
    "clock.committed",
    // The batch that sets aside what the code failed at, before and after its commit.
    "set_aside.uncommitted",
    "set_aside.committed",
    // The batch that keeps a report of nobody, and the one that folds it when its person is known.
    "unmatched.uncommitted",
    "unmatched.committed",
    "matched.uncommitted",
    "matched.committed",
    // Recovery at the start.
    "recovery.uncommitted",
    "recovery.committed",
];

/// Kills the process if this failpoint was chosen, the condition holds, and it was reached often enough.
macro_rules! failpoint {
    ($place:literal) => {
        crate::failpoint::passed($place)
    };
    ($place:literal, $when:expr) => {
        if cfg!(feature = "failpoints") && $when {
            crate::failpoint::passed($place);
        }
    };
}

pub(crate) use failpoint;

/// Panics if a test has armed this place for what is processed there, as its `Debug` shows it.
macro_rules! panic_point {
    ($place:literal, $($what:tt)+) => {
        #[cfg(feature = "failpoints")]
        crate::failpoint::panics::reached($place, format_args!($($what)+));
    };
}

pub(crate) use panic_point;

/// Blocks every thread of the runtime for good.
#[cfg(feature = "failpoints")]
pub fn stick() {
    let threads = tokio::runtime::Handle::current().metrics().num_workers();
    for _ in 0..threads {
        tokio::spawn(async {
            loop {
                std::thread::park();
            }
        });
    }
}

/// Panics that a test orders.
#[cfg(feature = "failpoints")]
pub mod panics {
    use std::cell::RefCell;
    use std::fmt;
    use std::str::FromStr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    type Rule = Box<dyn FnMut(&str, &str) -> bool>;

    thread_local! {
        static RULE: RefCell<Option<Rule>> = const { RefCell::new(None) };
    }

    /// From now on this thread panics at a place (`fold`, `decide`, `recover`, `answer`, `request`) for which `rule`
    /// returns `true`; its second argument shows what is processed.
    pub fn arm(rule: impl FnMut(&str, &str) -> bool + 'static) {
        RULE.set(Some(Box::new(rule)));
    }

    /// This thread panics no more.
    pub fn disarm() {
        RULE.set(None);
    }

    /// One panic in the whole process: at this place, the nth time that what is processed there shows this text;
    /// written `fold:PermissionReply=2`.
    #[derive(Debug, Clone)]
    pub struct Once {
        place: String,
        shows: String,
        passing: u32,
    }

    impl FromStr for Once {
        type Err = String;

        fn from_str(text: &str) -> Result<Self, String> {
            let parts = text.split_once(':').and_then(|(place, rest)| Some((place, rest.split_once('=')?)));
            let (place, (shows, passing)) = parts.ok_or("expected place:text=number")?;
            let passing = passing.parse().map_err(|_| "expected the number of a passing")?;
            Ok(Self { place: place.to_owned(), shows: shows.to_owned(), passing })
        }
    }

    static ONCE: OnceLock<(Once, AtomicU32)> = OnceLock::new();

    /// Chooses the panic of this process. Only the first call counts.
    pub fn choose(once: Once) {
        let _ = ONCE.set((once, AtomicU32::new(0)));
    }

    pub(crate) fn reached(place: &str, what: fmt::Arguments<'_>) {
        let by_rule =
            RULE.with_borrow_mut(|rule| rule.as_mut().is_some_and(|rule| rule(place, &what.to_string())));
        let by_choice = ONCE.get().is_some_and(|(once, passed)| {
            once.place == place
                && what.to_string().contains(&once.shows)
                && passed.fetch_add(1, Ordering::Relaxed) + 1 == once.passing
        });
        assert!(!by_rule && !by_choice, "a test ordered a panic at {place}");
    }
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::str::FromStr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    /// A failpoint, and the number of the passing at which to kill the process; written `place=3`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Death {
        place: &'static str,
        passing: u32,
    }

    impl FromStr for Death {
        type Err = String;

        fn from_str(text: &str) -> Result<Self, String> {
            let (place, passing) = text.split_once('=').unwrap_or((text, "1"));
            let known = super::PLACES.into_iter().find(|known| *known == place);
            let place = known.ok_or_else(|| format!("there is no failpoint {place:?}"))?;
            match passing.parse() {
                Ok(passing) if passing > 0 => Ok(Self { place, passing }),
                _ => Err("expected the number of a passing, 1 or more".to_owned()),
            }
        }
    }

    static CHOSEN: OnceLock<(Death, Signal, AtomicU32)> = OnceLock::new();

    /// Chooses the failpoint at which this process dies. Only the first call counts.
    pub fn choose(death: Death) {
        let _ = CHOSEN.set((death, Signal::KILL, AtomicU32::new(0)));
    }

    /// Chooses the failpoint at which this process stops until somebody lets it go on (SIGSTOP, SIGCONT).
    pub fn choose_stop(at: Death) {
        let _ = CHOSEN.set((at, Signal::STOP, AtomicU32::new(0)));
    }

    pub(crate) fn passed(place: &str) {
        if let Some(signal) = chosen(place) {
            end(signal);
        }
    }

    /// Long enough for bytes written to a socket to be sent and read on the same machine.
    const MOMENT: Duration = Duration::from_millis(3);

    /// Like `passed`, but kills the process a little later, after the next step.
    pub(crate) fn passed_soon(place: &str) {
        if let Some(signal) = chosen(place) {
            std::thread::spawn(move || {
                std::thread::sleep(MOMENT);
                end(signal);
            });
        }
    }

    fn chosen(place: &str) -> Option<Signal> {
        let (death, signal, passed) = CHOSEN.get()?;
        let is_time = death.place == place && passed.fetch_add(1, Ordering::Relaxed) + 1 == death.passing;
        is_time.then_some(*signal)
    }

    fn end(signal: Signal) {
        let _ = kill_process(getpid(), signal);
        // Nothing can follow SIGKILL. Should the signal fail, the kill loop notices that the process is still
        // running.
        if signal == Signal::KILL {
            loop {
                std::thread::park();
            }
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_death_names_a_place_and_its_passing() {
            assert_eq!("answer.came=3".parse(), Ok(Death { place: "answer.came", passing: 3 }));
            assert_eq!("answer.came".parse(), Ok(Death { place: "answer.came", passing: 1 }));
            for wrong in ["answer.gone=3", "answer.came=0", "answer.came=", "=1"] {
                assert!(wrong.parse::<Death>().is_err(), "{wrong}");
            }
        }
    }
}

#[cfg(feature = "failpoints")]
pub use armed::{Death, choose, choose_stop};
#[cfg(feature = "failpoints")]
pub(crate) use armed::{passed, passed_soon};

#[cfg(not(feature = "failpoints"))]
pub(crate) const fn passed(_: &str) {}

#[cfg(not(feature = "failpoints"))]
pub(crate) const fn passed_soon(_: &str) {}
