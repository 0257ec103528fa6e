//! The store in a SQLite file: one thread writes and groups commits, a few read.
//!
//! One daemon a file, on a local disk. Moments are kept to the microsecond.

mod attempts;
mod batch;
mod callbacks;
mod ceilings;
mod events;
mod fault;
mod file;
mod list;
mod messages;
mod outbox;
mod pairs;
mod reader;
mod reports;
mod rows;
mod timeline;
mod tokens;
mod verbs;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use self::reader::{Readers, in_snapshot};
use self::writer::{Writer, in_savepoint, in_transaction};
use super::Result;

/// A [`Store`](super::Store) in one SQLite file, or in memory.
pub struct Sqlite {
    engine: Engine,
    /// Held until the last connection is closed; fields are dropped in this order.
    _lock: Option<File>,
}

/// Who else may have the file open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The daemon: refused while another daemon has the file.
    Exclusive,
    /// A short command beside a daemon, or without one.
    Beside,
}

/// Told after each commit how many commands it carried and how long it took.
pub type OnCommit = Arc<dyn Fn(usize, Duration) + Send + Sync>;

#[derive(Clone)]
pub struct Options {
    /// How many commands are committed together at most.
    pub group_max: usize,
    /// How many threads read.
    pub readers: usize,
    pub on_commit: Option<OnCommit>,
}

impl Default for Options {
    fn default() -> Self {
        Self { group_max: 512, readers: 2, on_commit: None }
    }
}

enum Engine {
    Threads {
        readers: Readers,
        writer: Writer,
    },
    /// Everything happens on the caller's thread, for simulations: a paused clock would run away while the
    /// runtime waits for a thread that it does not know.
    Inline(Mutex<Connection>),
    /// The same within one transaction that is never committed, as nothing outlives the connection: a commit
    /// would look through all the pages that ever changed.
    Memory(Mutex<Connection>),
}

impl Sqlite {
    /// Opens the file, makes it if it is missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Unusable`](super::Error::Unusable) names the path and says what is wrong with it.
    pub fn open(path: &Path, access: Access) -> Result<Self> {
        Self::open_with(path, access, &Options::default())
    }

    /// # Errors
    /// As [`Sqlite::open`].
    pub fn open_with(path: &Path, access: Access, options: &Options) -> Result<Self> {
        let (lock, db) = file::open(path, access)?;
        let connections =
            (0..options.readers.max(1)).map(|_| file::open_reader(path)).collect::<Result<Vec<_>>>()?;
        let no_thread = |error| super::Error::Unavailable(Box::new(error));
        let engine = Engine::Threads {
            readers: Readers::start(connections).map_err(no_thread)?,
            writer: Writer::start(db, options.group_max, options.on_commit.clone()).map_err(no_thread)?,
        };
        Ok(Self { engine, _lock: lock })
    }

    /// Opens a file without threads: every verb runs to its end on its caller's thread.
    ///
    /// # Errors
    /// As [`Sqlite::open`].
    pub fn open_inline(path: &Path) -> Result<Self> {
        let (lock, db) = file::open(path, Access::Exclusive)?;
        Ok(Self { engine: Engine::Inline(Mutex::new(db)), _lock: lock })
    }

    /// A store that is gone when it is dropped, without threads.
    ///
    /// # Errors
    /// [`Error::Unavailable`](super::Error::Unavailable) if there is no memory.
    pub fn in_memory() -> Result<Self> {
        let db = file::open_memory()?;
        Ok(Self { engine: Engine::Memory(Mutex::new(db)), _lock: None })
    }

    async fn write<T, F>(&self, mut work: F) -> Result<T>
    where
        F: FnMut(&Connection) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.engine {
            Engine::Threads { writer, .. } => writer.run(work).await,
            Engine::Inline(db) => in_transaction(&held(db), |db| work(db)),
            Engine::Memory(db) => in_savepoint(&held(db), |db| work(db)),
        }
    }

    async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.engine {
            Engine::Threads { readers, .. } => readers.run(work).await,
            Engine::Inline(db) => in_snapshot(&held(db), work),
            Engine::Memory(db) => work(&held(db)),
        }
    }
}

fn held(db: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    db.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
