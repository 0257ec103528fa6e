//! The witness of a store in a file: its identity, and how far it was written.
//!
//! The file is small and replaced as a whole: a temporary file is written, brought to the disk and renamed. A thread of its
//! own does that at most once a second, so that no turn waits for it. It does not judge what it remembers; `policy` does.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::domain::{Position, StoreIdentity, Witnessed};
use crate::store::Witness;

/// The shortest time between two writes.
const PAUSE: Duration = Duration::from_secs(1);
/// A witness has less than 300 bytes.
const BYTES_MAX: u64 = 4_096;

/// What the file holds, as JSON.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    identity: String,
    leader: u64,
    batch: u64,
    at: String,
}

/// The file beside which everything is compared.
pub struct WitnessFile {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    path: PathBuf,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// What is in the file, as far as it was written by this process. Held while it is written.
    in_file: Mutex<Option<(StoreIdentity, Position)>>,
    /// There is something to write, or the end has come.
    news: Condvar,
    /// The end has come.
    end: Condvar,
}

#[derive(Default)]
struct State {
    /// `None` while the store is held: then the file stays as it is.
    identity: Option<StoreIdentity>,
    position: Position,
    written: Option<Position>,
    has_failed: bool,
    is_over: bool,
}

impl WitnessFile {
    /// The path of the witness of a store.
    #[must_use]
    pub fn path(store: &Path, state_dir: Option<&Path>) -> PathBuf {
        let mut name = store.file_name().unwrap_or_default().to_owned();
        name.push(".witness");
        state_dir.or_else(|| store.parent()).unwrap_or(Path::new("")).join(name)
    }

    /// What the file holds; `None` without a file.
    ///
    /// # Errors
    /// If it cannot be read, or is no witness.
    pub fn read(path: &Path) -> io::Result<Option<Witnessed>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut text = String::new();
        file.take(BYTES_MAX).read_to_string(&mut text)?;
        parse(&text).map(Some).ok_or_else(|| io::Error::other("is not a witness of a store"))
    }

    /// Whether the file could be written: its folder is there and can be written.
    ///
    /// # Errors
    /// Why not.
    pub fn probe(path: &Path) -> io::Result<()> {
        let beside = beside(path);
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        std::fs::remove_file(&beside)
    }

    /// Starts the thread. Nothing is written before [`WitnessFile::begin`].
    ///
    /// # Errors
    /// If there is no thread.
    pub fn start(path: PathBuf, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (state, news, end) = (Mutex::default(), Condvar::new(), Condvar::new());
        let in_file = Mutex::default();
        let shared = Arc::new(Shared { path, clock, state, in_file, news, end });
        let of_thread = Arc::clone(&shared);
        let thread =
            std::thread::Builder::new().name("store-witness".into()).spawn(move || of_thread.write_on())?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Writes the witness now, and from now on after commits.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn begin(&self, identity: StoreIdentity, position: Position) -> io::Result<()> {
        self.shared.write(identity, position)?;
        let mut state = self.shared.state();
        state.identity = Some(identity);
        state.written = Some(position);
        if state.position.is_behind(position) {
            state.position = position;
        }
        Ok(())
    }
}

impl WitnessFile {
    /// Writes what was committed last, if that is not written yet.
    pub fn flush(&self) {
        let due = self.shared.state().due();
        if let Some((identity, position)) = due {
            self.released(identity, position);
        }
    }
}

impl Witness for WitnessFile {
    fn committed(&self, position: Position) {
        let mut state = self.shared.state();
        state.position = position;
        // The thread sleeps on this only while there is nothing to write.
        if state.identity.is_some() {
            self.shared.news.notify_one();
        }
    }

    fn released(&self, identity: StoreIdentity, position: Position) {
        if let Err(error) = self.begin(identity, position) {
            self.shared.tell(&error);
            // The thread tries again.
            let mut state = self.shared.state();
            state.identity = Some(identity);
            state.written = None;
            if state.position.is_behind(position) {
                state.position = position;
            }
            self.shared.news.notify_one();
        }
    }
}

impl Drop for WitnessFile {
    /// What was committed last is still written.
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.news.notify_all();
        self.shared.end.notify_all();
        if let Some(thread) = self.thread.take() {
            _ = thread.join();
        }
    }
}

impl State {
    /// What is to be written.
    fn due(&self) -> Option<(StoreIdentity, Position)> {
        let is_news = self.written.is_none_or(|written| written.is_behind(self.position));
        self.identity.filter(|_| is_news).map(|identity| (identity, self.position))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_on(&self) {
        let mut state = self.state();
        loop {
            if let Some((identity, position)) = state.due() {
                drop(state);
                let written = self.write(identity, position);
                if let Err(error) = &written {
                    self.tell(error);
                }
                state = self.state();
                if written.is_ok() {
                    state.has_failed = false;
                    // It may have been released meanwhile.
                    if state.identity == Some(identity) {
                        state.written = Some(position);
                    }
                } else if state.is_over {
                    return;
                }
                state = self.rest(state);
            } else if state.is_over {
                return;
            } else {
                state = self.news.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn rest<'a>(&self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let began = Instant::now();
        while !state.is_over
            && let Some(left) = PAUSE.checked_sub(began.elapsed())
        {
            state = self.end.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state
    }

    /// One after another, and never an older position of the same store after a newer one.
    fn write(&self, identity: StoreIdentity, position: Position) -> io::Result<()> {
        let mut in_file = self.in_file.lock().unwrap_or_else(PoisonError::into_inner);
        if in_file.is_some_and(|(whose, newest)| whose == identity && position.is_behind(newest)) {
            return Ok(());
        }
        let at = self.clock.now();
        replace(&self.path, &Witnessed { identity, position, at })?;
        *in_file = Some((identity, position));
        Ok(())
    }

    /// Logged once until it works again. Dialling goes on, because the store itself is complete.
    fn tell(&self, error: &io::Error) {
        if !std::mem::replace(&mut self.state().has_failed, true) {
            let path = self.path.display();
            tracing::error!(%error, %path, "the witness of the store cannot be written; a store that goes back may not be noticed");
        }
    }
}

fn parse(text: &str) -> Option<Witnessed> {
    let Written { version, identity, leader, batch, at } = serde_json::from_str(text).ok()?;
    let position = Position { leader, batch };
    (version == 1).then_some(())?;
    Some(Witnessed { identity: identity.parse().ok()?, position, at: at.parse().ok()? })
}

/// Replaces the file, so that there is always a whole one.
fn replace(path: &Path, witnessed: &Witnessed) -> io::Result<()> {
    let Witnessed { identity, position, at } = witnessed;
    let (identity, at) = (identity.to_string(), at.to_string());
    let written = Written { version: 1, identity, leader: position.leader, batch: position.batch, at };
    let mut text = serde_json::to_string(&written).map_err(io::Error::other)?;
    text.push('\n');
    let beside = beside(path);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// The temporary file.
fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    PathBuf::from(beside)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::clock::ManualClock;

    fn started(path: &Path) -> WitnessFile {
        let clock = Arc::new(ManualClock::new(Timestamp::constant(1_790_000_000, 0)));
        WitnessFile::start(path.to_owned(), clock).unwrap()
    }

    fn at(leader: u64, batch: u64) -> Position {
        Position { leader, batch }
    }

    const ONE: StoreIdentity = StoreIdentity::new([1; 16]);
    const TWO: StoreIdentity = StoreIdentity::new([2; 16]);

    fn read(path: &Path) -> (StoreIdentity, Position) {
        let witnessed = WitnessFile::read(path).unwrap().unwrap();
        (witnessed.identity, witnessed.position)
    }

    #[test]
    fn the_last_commit_is_in_the_file_when_the_witness_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db.witness");
        assert_eq!(WitnessFile::read(&path).unwrap(), None);
        let witness = started(&path);
        witness.begin(ONE, at(1, 5)).unwrap();
        assert_eq!(read(&path), (ONE, at(1, 5)));
        for batch in 6..200 {
            witness.committed(at(1, batch));
        }
        drop(witness);
        assert_eq!(read(&path), (ONE, at(1, 199)));
    }

    #[test]
    fn the_file_stays_while_the_store_is_held_and_is_replaced_at_its_release() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db.witness");
        started(&path).begin(ONE, at(4, 90)).unwrap();
        let witness = started(&path);
        witness.committed(at(2, 11));
        drop(witness);
        assert_eq!(read(&path), (ONE, at(4, 90)));
        let witness = started(&path);
        witness.committed(at(2, 12));
        witness.released(TWO, at(2, 13));
        assert_eq!(read(&path), (TWO, at(2, 13)), "before anything leaves");
        witness.committed(at(2, 14));
        drop(witness);
        assert_eq!(read(&path), (TWO, at(2, 14)));
    }

    #[test]
    fn an_older_position_is_not_written_after_a_newer_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db.witness");
        let witness = started(&path);
        witness.begin(ONE, at(2, 20)).unwrap();
        witness.shared.write(ONE, at(2, 19)).unwrap();
        assert_eq!(read(&path), (ONE, at(2, 20)));
        witness.shared.write(TWO, at(2, 19)).unwrap();
        assert_eq!(read(&path), (TWO, at(2, 19)), "another store");
    }

    #[test]
    fn a_release_that_could_not_be_written_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later").join("a.db.witness");
        assert!(WitnessFile::probe(&path).is_err());
        let witness = started(&path);
        witness.released(ONE, at(2, 20));
        std::fs::create_dir(folder.path().join("later")).unwrap();
        WitnessFile::probe(&path).unwrap();
        assert!(!path.exists());
        witness.flush();
        assert_eq!(read(&path), (ONE, at(2, 20)));
    }

    #[test]
    fn a_file_that_is_no_witness_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db.witness");
        let good = r#"{"version":1,"identity":"01010101010101010101010101010101","leader":1,"batch":2,"at":"2026-11-23T12:00:00Z"}"#;
        std::fs::write(&path, good).unwrap();
        assert_eq!(read(&path), (ONE, at(1, 2)));
        for wrong in [
            "",
            "{}",
            &good[1..],
            &good.replace("\"version\":1", "\"version\":2"),
            &good.replace("0101", "01"),
        ] {
            std::fs::write(&path, wrong).unwrap();
            assert!(WitnessFile::read(&path).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_file_is_beside_the_store_or_in_the_directory_for_state() {
        let path = |store: &str, dir: Option<&str>| WitnessFile::path(Path::new(store), dir.map(Path::new));
        assert_eq!(path("ringmaster.db", None), Path::new("ringmaster.db.witness"));
        assert_eq!(path("/data/a.db", None), Path::new("/data/a.db.witness"));
        assert_eq!(path("/data/a.db", Some("/state")), Path::new("/state/a.db.witness"));
    }
}
