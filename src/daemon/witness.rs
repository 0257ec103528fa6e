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

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::domain::{Position, Server, ServerOrigin, StoreIdentity, Witnessed};
use crate::store::Witness;

/// The shortest time between two writes.
const PAUSE: Duration = Duration::from_secs(1);
/// A witness that is kept by signs of life is written after this time even if nothing is new, so that it stays current.
const REFRESHED_EVERY: SignedDuration = SignedDuration::from_secs(10);
/// A witness has less than this.
const WITNESS_BYTES: usize = 300;
const BYTES_MAX: u64 = 4_096;

/// What the file holds, as JSON.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    identity: String,
    leader: u64,
    batch: u64,
    at: String,
    /// The server of a database: its system identifier and its timeline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server: Option<(i64, u32)>,
    /// Whether every commit waits for every standby.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    synchronous: bool,
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
    in_file: Mutex<InFile>,
    /// There is something to write, or the end has come.
    news: Condvar,
    /// The end has come.
    end: Condvar,
}

type InFile = Option<(StoreIdentity, Position)>;

#[derive(Default)]
struct State {
    /// `None` while the store is held: then the file stays as it is.
    identity: Option<StoreIdentity>,
    position: Position,
    server: Server,
    /// When the position or the server was last heard of.
    known_at: Option<Timestamp>,
    /// What was written last, and what it was known at.
    written: Option<(Position, Server, Option<Timestamp>)>,
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

    /// Whether the file could be written: its folder is there, can be written, and has room.
    ///
    /// # Errors
    /// Why not.
    pub fn probe(path: &Path) -> io::Result<()> {
        let beside = beside(path);
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        let written = file.write_all(&[b' '; WITNESS_BYTES]).and_then(|()| file.sync_all());
        std::fs::remove_file(&beside)?;
        written
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
    pub fn begin(&self, identity: StoreIdentity, position: Position, server: Server) -> io::Result<()> {
        // Nothing that is older is written before this is known.
        let mut in_file = self.shared.in_file();
        let at = self.shared.clock.now();
        self.shared.write(&mut in_file, Witnessed { identity, position, at, server })?;
        let mut state = self.shared.state();
        state.identity = Some(identity);
        state.written = Some((position, server, Some(at)));
        state.know(position, server, at);
        Ok(())
    }
}

impl WitnessFile {
    /// Writes what was committed last, if that is not written yet.
    pub fn flush(&self) {
        if let Err(error) = self.shared.write_due() {
            self.shared.tell(&error);
        }
    }
}

impl Witness for WitnessFile {
    fn committed(&self, position: Position) {
        let mut state = self.shared.state();
        state.position = position;
        state.known_at = Some(self.shared.clock.now());
        // The thread sleeps on this only while there is nothing to write.
        if state.identity.is_some() {
            self.shared.news.notify_one();
        }
    }

    fn seen(&self, identity: StoreIdentity, position: Position, server: Server) {
        let mut state = self.shared.state();
        // It is begun by a start or a leader.
        if state.identity.is_none() {
            return;
        }
        state.identity = Some(identity);
        state.know(position, server, self.shared.clock.now());
        self.shared.news.notify_one();
    }

    fn now(&self) -> Timestamp {
        self.shared.clock.now()
    }

    fn released(&self, identity: StoreIdentity, position: Position, server: Server) {
        if let Err(error) = self.begin(identity, position, server) {
            self.shared.tell(&error);
            // The thread tries again.
            let mut state = self.shared.state();
            state.identity = Some(identity);
            state.written = None;
            state.know(position, server, self.shared.clock.now());
            self.shared.news.notify_one();
        }
    }

    fn newest(&self) -> Option<Witnessed> {
        self.shared.state().known()
    }

    fn held(&self) {
        self.shared.state().identity = None;
        let path = self.shared.path.display();
        tracing::error!(
            witness = %path,
            "the store has gone back while this daemon ran; nothing is dialled or sent until an operator releases it with \
             `ringmaster lineage release`"
        );
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
    fn known(&self) -> Option<Witnessed> {
        let (identity, at) = self.identity.zip(self.known_at)?;
        Some(Witnessed { identity, position: self.position, at, server: self.server })
    }

    fn know(&mut self, position: Position, server: Server, at: Timestamp) {
        if self.position.is_behind(position) {
            self.position = position;
        }
        (self.server, self.known_at) = (server, Some(at));
    }

    /// What is to be written.
    fn due(&self) -> Option<Witnessed> {
        let is_old = |then: Option<Timestamp>| {
            then.zip(self.known_at).is_none_or(|(then, now)| now.duration_since(then) >= REFRESHED_EVERY)
        };
        let is_news = self.written.is_none_or(|(position, server, at)| {
            position.is_behind(self.position) || server != self.server || is_old(at)
        });
        self.known().filter(|_| is_news)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_on(&self) {
        let mut state = self.state();
        loop {
            if state.due().is_some() {
                drop(state);
                let written = self.write_due();
                if let Err(error) = &written {
                    self.tell(error);
                }
                state = self.state();
                if written.is_ok() {
                    state.has_failed = false;
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

    fn in_file(&self) -> MutexGuard<'_, InFile> {
        self.in_file.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what is due by now, if anything is.
    fn write_due(&self) -> io::Result<()> {
        let mut in_file = self.in_file();
        let Some(due) = self.state().due() else { return Ok(()) };
        self.write(&mut in_file, due)?;
        let mut state = self.state();
        // It may be held since.
        if state.identity == Some(due.identity) {
            state.written = Some((due.position, due.server, Some(due.at)));
        }
        Ok(())
    }

    /// Never an older position of the same store after a newer one.
    fn write(&self, in_file: &mut InFile, witnessed: Witnessed) -> io::Result<()> {
        let Witnessed { identity, position, .. } = witnessed;
        if in_file.is_some_and(|(whose, newest)| whose == identity && position.is_behind(newest)) {
            return Ok(());
        }
        replace(&self.path, &witnessed)?;
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
    let written: Written = serde_json::from_str(text).ok()?;
    let Written { version, identity, leader, batch, at, server, synchronous } = written;
    let position = Position { leader, batch };
    (version == 1).then_some(())?;
    let origin = server.map(|(system, timeline)| ServerOrigin { system, timeline });
    let server = Server { origin, is_synchronous: synchronous };
    Some(Witnessed { identity: identity.parse().ok()?, position, at: at.parse().ok()?, server })
}

/// Replaces the file, so that there is always a whole one.
fn replace(path: &Path, witnessed: &Witnessed) -> io::Result<()> {
    let Witnessed { identity, position, at, server } = witnessed;
    let written = Written {
        version: 1,
        identity: identity.to_string(),
        leader: position.leader,
        batch: position.batch,
        at: at.to_string(),
        server: server.origin.map(|ServerOrigin { system, timeline }| (system, timeline)),
        synchronous: server.is_synchronous,
    };
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
    const HERE: Server =
        Server { origin: Some(ServerOrigin { system: 7, timeline: 1 }), is_synchronous: true };
    const TWO: StoreIdentity = StoreIdentity::new([2; 16]);

    fn read(path: &Path) -> (StoreIdentity, Position) {
        let witnessed = WitnessFile::read(path).unwrap().unwrap();
        (witnessed.identity, witnessed.position)
    }

    #[test]
    fn the_last_commit_is_in_the_file_when_the_witness_ends() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db.witness");
        WitnessFile::probe(&path).unwrap();
        assert_eq!(WitnessFile::read(&path).unwrap(), None);
        let witness = started(&path);
        witness.begin(ONE, at(1, 5), HERE).unwrap();
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
        started(&path).begin(ONE, at(4, 90), HERE).unwrap();
        let witness = started(&path);
        witness.committed(at(2, 11));
        drop(witness);
        assert_eq!(read(&path), (ONE, at(4, 90)));
        let witness = started(&path);
        witness.committed(at(2, 12));
        witness.released(TWO, at(2, 13), HERE);
        assert_eq!(read(&path), (TWO, at(2, 13)), "before anything leaves");
        witness.committed(at(2, 14));
        drop(witness);
        assert_eq!(read(&path), (TWO, at(2, 14)));
    }

    #[test]
    fn a_sign_of_life_is_remembered_with_its_server_and_never_begins_a_witness() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.witness");
        let witness = started(&path);
        witness.seen(ONE, at(1, 5), HERE);
        witness.flush();
        assert_eq!((WitnessFile::read(&path).unwrap(), witness.newest()), (None, None), "it may be held");
        witness.begin(ONE, at(1, 5), HERE).unwrap();
        let moved = Server { origin: Some(ServerOrigin { system: 7, timeline: 2 }), is_synchronous: false };
        witness.seen(ONE, at(1, 4), moved);
        witness.flush();
        let read = WitnessFile::read(&path).unwrap().unwrap();
        assert_eq!((read.position, read.server), (at(1, 5), moved), "never an older position");
        witness.seen(TWO, at(2, 6), HERE);
        assert_eq!(witness.newest().map(|newest| newest.identity), Some(TWO), "released by another node");
    }

    #[test]
    fn an_older_position_is_not_written_after_a_newer_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db.witness");
        let witness = started(&path);
        witness.begin(ONE, at(2, 20), HERE).unwrap();
        let write = |identity, position| {
            let at = Timestamp::constant(1_790_000_001, 0);
            let witnessed = Witnessed { identity, position, at, server: HERE };
            witness.shared.write(&mut witness.shared.in_file(), witnessed)
        };
        write(ONE, at(2, 19)).unwrap();
        assert_eq!(read(&path), (ONE, at(2, 20)));
        write(TWO, at(2, 19)).unwrap();
        assert_eq!(read(&path), (TWO, at(2, 19)), "another store");
    }

    #[test]
    fn a_release_that_could_not_be_written_is_written_later() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("later").join("a.db.witness");
        assert!(WitnessFile::probe(&path).is_err());
        let witness = started(&path);
        witness.released(ONE, at(2, 20), HERE);
        std::fs::create_dir(folder.path().join("later")).unwrap();
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
