//! Places at which a test lets the process die, compiled to nothing without the feature `failpoints`.
//!
//! Death is SIGKILL, sent from within, so that nothing unwinds, is flushed or dropped. There is no other action, which is
//! what a library of failpoints would add: errors and delays come from the simulation's ports.

/// Every place, for the loop that has to reach each of them.
pub const PLACES: [&str; 14] = [
    // A batch that opens an attempt or a message.
    "intent.uncommitted",
    "intent.committed",
    // A batch that lets a request leave; nothing of it has left even after the commit.
    "submission.uncommitted",
    "submission.committed",
    // A create: its head is in a buffer; it is on its way, or read by the other side.
    "request.leaving",
    "request.left",
    // Its answer: read, about to be recorded, recorded.
    "answer.came",
    "answer.uncommitted",
    "answer.committed",
    // A group of commands of the store: between two of them, before COMMIT, after COMMIT and before anybody is told.
    "group.half_run",
    "group.uncommitted",
    "group.committed",
    // What a start makes of what it finds.
    "recovery.uncommitted",
    "recovery.committed",
];

/// The process dies here if this place was chosen, the condition holds, and it has been passed often enough.
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

#[cfg(feature = "failpoints")]
mod armed {
    use std::str::FromStr;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use rustix::process::{Signal, getpid, kill_process};

    /// A place, and at which passing of it to die; written `place=3`.
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
            let place = known.ok_or_else(|| format!("there is no place {place:?}"))?;
            match passing.parse() {
                Ok(passing) if passing > 0 => Ok(Self { place, passing }),
                _ => Err("expected the number of a passing, from 1".to_owned()),
            }
        }
    }

    static CHOSEN: OnceLock<(Death, AtomicU32)> = OnceLock::new();

    /// Chooses how this process dies. The first choice stands.
    pub fn choose(death: Death) {
        let _ = CHOSEN.set((death, AtomicU32::new(0)));
    }

    pub(crate) fn passed(place: &str) {
        if is_time(place) {
            die();
        }
    }

    /// Long enough for what was handed to a socket to be sent and read on the same machine.
    const MOMENT: Duration = Duration::from_millis(3);

    /// As `passed`, but death follows a moment later, when what happens next has happened.
    pub(crate) fn passed_soon(place: &str) {
        if is_time(place) {
            std::thread::spawn(|| {
                std::thread::sleep(MOMENT);
                die();
            });
        }
    }

    fn is_time(place: &str) -> bool {
        CHOSEN.get().is_some_and(|(death, passed)| {
            death.place == place && passed.fetch_add(1, Ordering::Relaxed) + 1 == death.passing
        })
    }

    fn die() {
        // There is no way on from here, whatever the answer: without the signal the loop sees a life that went on.
        let _ = kill_process(getpid(), Signal::KILL);
        loop {
            std::thread::park();
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
pub use armed::{Death, choose};
#[cfg(feature = "failpoints")]
pub(crate) use armed::{passed, passed_soon};

#[cfg(not(feature = "failpoints"))]
pub(crate) const fn passed(_: &str) {}

#[cfg(not(feature = "failpoints"))]
pub(crate) const fn passed_soon(_: &str) {}
