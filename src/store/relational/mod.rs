//! The store in SQL, in a SQLite file or in a PostgreSQL database: one thread writes and groups commits, several threads
//! read. Both engines run the same statements; see [`sql`].
//!
//! A file has one daemon, on a local disk: a lock beside the file refuses a second one, and if the lock fails, the
//! [`term`] stops the first one from writing. Times are stored in microseconds.

mod agents;
mod attempts;
mod audits;
mod backup;
mod batch;
mod breakers;
mod bulk_verbs;
mod bulks;
mod calendars;
mod callbacks;
mod campaigns;
mod ceilings;
mod clock;
mod commands;
mod consents;
mod consumer_records;
mod contacts;
mod copy;
mod counts;
mod database;
mod erasing;
mod erasures;
mod events;
mod facts;
mod failures;
mod fault;
mod file;
mod follow_ups;
mod found_content;
mod gates;
mod group_verbs;
mod grouping;
mod held_back;
mod hours_text;
mod import_verbs;
mod imports;
mod leases;
mod lineage;
mod links;
mod list;
mod loads;
mod looks;
mod members;
mod messages;
mod months;
mod open_orders;
mod order_texts;
mod orders_together;
mod origin;
mod outbox;
mod pairs;
mod pauses;
mod person_zones;
mod persons;
mod pools;
mod private;
mod reader;
mod recordings;
mod references;
mod related;
mod report_cells;
mod report_reads;
mod report_recount;
mod reporting;
mod reports;
mod restrictions;
mod retention;
mod retired;
mod rows;
mod set_aside;
mod sql;
mod suppression_lists;
mod suppressions;
mod term;
mod terms;
mod timeline;
mod token_reads;
mod tokens;
mod traces;
mod unmatched;
mod unreadable;
mod verbs;
mod verify;
mod waiting;
mod watching;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

pub use self::backup::backup;
pub use self::copy::{CopiedTable, CopyProgress, TellCopy, copy, copy_to_database};
pub use self::database::{Migrated, create_schema, drop_schema, migrate, server_settings};
pub use self::found_content::FoundContent;
use self::reader::{Bounds, Readers, in_snapshot};
pub use self::report_recount::Recounted;
pub use self::retention::{Kept, Retained};
use self::sql::Connection;
pub use self::sql::postgres::{Listener, Reach};
use self::token_reads::TokenReads;
pub use self::verify::{TellCheck, VERIFY_CHECKS, VerifyFault, verify, verify_database};
use self::writer::{Writer, in_savepoint, in_transaction};
use super::audit::pending;
use super::{Enqueue, Enqueued, Lead, Result, Token, Witness};
use crate::domain::{AccountAlias, Lineage, LineageReleased, Position, StoreIdentity, StoreSelf};
use crate::panics::contain_now;

/// A [`Store`](super::Store) in one SQLite file, in memory, or in a PostgreSQL database.
pub struct SqlStore {
    open: Arc<Open>,
    /// Whether it reads with the connections for API requests.
    reads_for_requests: bool,
}

struct Open {
    engine: Engine,
    /// How the names of suppressed people are hashed.
    key: Arc<suppressions::Key>,
    /// Whether the zones of anybody are known.
    zones: person_zones::InUse,
    /// What remembers outside of the store how far it was written.
    witness: OnceLock<Arc<dyn Witness>>,
    /// Whether this process knows that the store is held.
    knows_held: AtomicBool,
    /// Held until the last connection is closed, because fields are dropped in this order.
    lock: Option<File>,
}

/// What the witness is told of a batch.
struct Committed {
    lead: Option<Lead>,
    releases: bool,
}

/// Which other process may have the file open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// The daemon: refused while another daemon has the file.
    Exclusive,
    /// A short command, with or without a running daemon.
    Beside,
}

/// Called after each commit with its number of commands and its duration.
pub type OnCommit = Arc<dyn Fn(usize, Duration) + Send + Sync>;

#[derive(Clone)]
pub struct Options {
    /// The maximum number of commands in one commit.
    pub group_max: usize,
    /// The threads that read for the scheduler and for live calls.
    pub readers: usize,
    /// The threads that read for API requests; see [`SqlStore::for_requests`].
    pub request_readers: usize,
    /// How many reads for API requests may wait.
    pub request_queue_max: usize,
    /// The maximum duration of a read for an API request, including its time in the queue.
    pub request_timeout: Duration,
    pub on_commit: Option<OnCommit>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            group_max: 512,
            readers: 2,
            request_readers: 1,
            request_queue_max: 256,
            request_timeout: Duration::from_secs(2),
            on_commit: None,
        }
    }
}

enum Engine {
    Threads {
        readers: Readers,
        request_readers: Readers,
        token_reads: TokenReads,
        writer: Writer,
        term: Option<i64>,
    },
    /// Everything runs on the caller's thread, for simulations: a paused clock would advance while the runtime waits for
    /// another thread.
    Inline(Mutex<Connection>, Option<i64>),
    /// The same in one transaction that is never committed, because nothing outlives the connection, and a commit would
    /// read all pages that ever changed.
    Memory(Mutex<Connection>),
}

impl SqlStore {
    /// Opens or creates the file, and migrates its schema.
    ///
    /// # Errors
    /// [`Error::Unusable`](super::Error::Unusable) with the path and the reason.
    pub fn open(path: &Path, access: Access) -> Result<Self> {
        Self::open_with(path, access, &Options::default())
    }

    /// # Errors
    /// As [`SqlStore::open`].
    pub fn open_with(path: &Path, access: Access, options: &Options) -> Result<Self> {
        let (lock, db) = file::open(path, access)?;
        copy::refuse_unfinished(&db, &path.display().to_string())?;
        let term = matches!(access, Access::Exclusive).then(|| term::begin(&db)).transpose()?;
        let connections =
            |count: usize| (0..count.max(1)).map(|_| file::open_reader(path)).collect::<Result<Vec<_>>>();
        let bounds =
            Bounds { queue_max: Some(options.request_queue_max), timeout: Some(options.request_timeout) };
        let no_thread = |error| super::Error::Unavailable(Box::new(error));
        let key = Arc::default();
        let engine = Engine::Threads {
            readers: Readers::start(connections(options.readers)?, Bounds::default()).map_err(no_thread)?,
            request_readers: Readers::start(connections(options.request_readers)?, bounds)
                .map_err(no_thread)?,
            token_reads: TokenReads::default(),
            writer: Writer::start(db, term, options.group_max, options.on_commit.clone(), Arc::clone(&key))
                .map_err(no_thread)?,
            term,
        };
        Ok(Self::new(engine, lock, key))
    }

    /// The same store for API requests. Their reads have separate connections, a deadline and a bounded queue, so that
    /// they never delay the scheduler or a live call.
    #[must_use]
    pub fn for_requests(&self) -> Self {
        Self { open: Arc::clone(&self.open), reads_for_requests: true }
    }

    /// Whether other daemons may have the store open: there is no lock that keeps them out, as there is beside a file.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.open.lock.is_none()
    }

    fn new(engine: Engine, lock: Option<File>, key: Arc<suppressions::Key>) -> Self {
        Self {
            open: Arc::new(Open {
                engine,
                key,
                zones: person_zones::InUse::default(),
                witness: OnceLock::new(),
                knows_held: AtomicBool::new(false),
                lock,
            }),
            reads_for_requests: false,
        }
    }

    /// Opens a file without threads: every operation runs on its caller's thread.
    ///
    /// # Errors
    /// As [`SqlStore::open`].
    pub fn open_inline(path: &Path) -> Result<Self> {
        let (lock, db) = file::open(path, Access::Exclusive)?;
        copy::refuse_unfinished(&db, &path.display().to_string())?;
        let term = term::begin(&db)?;
        Ok(Self::new(Engine::Inline(Mutex::new(db), Some(term)), lock, Arc::default()))
    }

    /// A temporary store without threads.
    ///
    /// # Errors
    /// [`Error::Unavailable`](super::Error::Unavailable) if there is no memory.
    pub fn in_memory() -> Result<Self> {
        let db = file::open_memory()?;
        Ok(Self::new(Engine::Memory(Mutex::new(db)), None, Arc::default()))
    }

    /// The term in which this daemon may write. A short command has none, and nobody else opens a store in memory.
    fn term(&self) -> Option<i64> {
        match &self.open.engine {
            Engine::Threads { term, .. } => *term,
            Engine::Inline(_, term) => *term,
            Engine::Memory(_) => None,
        }
    }

    /// Keeps the content that the senders of an account name, in place of what was kept before.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn keep_found_content(&self, account: &AccountAlias, found: Vec<FoundContent>) -> Result<()> {
        let account = account.clone();
        self.write(move |db| found_content::keep(db, &account, &found)).await
    }

    /// The content of all accounts that was kept last.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn found_content(&self) -> Result<Vec<FoundContent>> {
        self.read(found_content::all).await
    }

    /// What the store says of itself, for a comparison with its witness.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub async fn own_lineage(&self) -> Result<StoreSelf> {
        self.read(lineage::own).await
    }

    /// Takes the store under an identity: it is no copy any more, and held no longer if `released` says so.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn adopt(&self, identity: StoreIdentity, released: Option<LineageReleased>) -> Result<()> {
        self.write(move |db| lineage::adopt(db, identity, released.as_ref())).await
    }

    /// The store is opened, so that it is no copy any more.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn opened(&self) -> Result<()> {
        self.write(lineage::opened).await
    }

    /// Lets nothing leave until the lineage is released. The store gets another identity.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn hold(&self, identity: StoreIdentity, lineage: Lineage) -> Result<()> {
        self.write(move |db| lineage::hold(db, identity, &lineage)).await
    }

    /// Tells this witness of each batch from now on. The first one stays.
    pub fn watched_by(&self, witness: Arc<dyn Witness>) {
        _ = self.open.witness.set(witness);
    }

    /// Tells the witness that a batch was committed.
    async fn tell_witness(&self, batch: Committed) -> Result<()> {
        let Some(witness) = self.open.witness.get() else { return Ok(()) };
        if batch.releases {
            self.compare_at_lead().await?;
        } else if let Some(lead) = batch.lead {
            witness.committed(Position { leader: lead.term, batch: lead.number });
        }
        Ok(())
    }

    fn key(&self) -> Arc<suppressions::Key> {
        Arc::clone(&self.open.key)
    }

    /// Stores new orders.
    async fn order(&self, orders: Vec<Enqueue>) -> Result<Vec<Enqueued>> {
        match &self.open.engine {
            Engine::Threads { writer, .. } => {
                let pending = pending();
                let ordered = writer.order(orders, pending.clone()).await?;
                pending.iter().for_each(|pending| pending.is_written());
                Ok(ordered)
            }
            Engine::Inline(..) | Engine::Memory(_) => {
                let key = self.key();
                self.write(move |db| callbacks::enqueue(db, &orders, &key)).await
            }
        }
    }

    /// Moves the whole log into the file, and empties it. `false` if somebody reads the log.
    async fn truncate_log(&self) -> Result<bool> {
        match &self.open.engine {
            Engine::Threads { writer, .. } => writer.truncate_log().await,
            Engine::Inline(db, _) => writer::truncate_log(&held(db)),
            // Without a file there is no log.
            Engine::Memory(_) => Ok(true),
        }
    }

    async fn token(&self, hash: [u8; 32]) -> Result<Option<Token>> {
        match &self.open.engine {
            Engine::Threads { request_readers, token_reads, .. } if self.reads_for_requests => {
                token_reads.by_hash(request_readers, hash).await
            }
            _ => self.read(move |db| tokens::by_hash(db, hash)).await,
        }
    }

    async fn write<T, F>(&self, mut work: F) -> Result<T>
    where
        F: FnMut(&Connection) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        // The first change of a request carries its entry of the audit log.
        let pending = pending();
        let entry = pending.clone();
        let mut work = move |db: &Connection| {
            let done = work(db)?;
            audits::append_pending(db, entry.as_deref())?;
            Ok(done)
        };
        let done = match &self.open.engine {
            Engine::Threads { writer, .. } => writer.run(work).await,
            Engine::Inline(db, term) => database::inline(db, |db| {
                in_transaction(db, |db| {
                    term::check(db, *term)?;
                    contained(|| work(db))
                })
            }),
            Engine::Memory(db) => in_savepoint(&held(db), |db| contained(|| work(db))),
        }?;
        pending.iter().for_each(|pending| pending.is_written());
        Ok(done)
    }

    async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        match &self.open.engine {
            Engine::Threads { request_readers, .. } if self.reads_for_requests => {
                request_readers.run(work).await
            }
            Engine::Threads { readers, .. } => readers.run(work).await,
            Engine::Inline(db, _) => database::inline(db, |db| in_snapshot(db, |db| contained(|| work(db)))),
            Engine::Memory(db) => contained(|| work(&held(db))),
        }
    }
}

/// A panic is a fault of this one command or reading.
fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    contain_now(work).unwrap_or_else(|panicked| Err(super::Error::Panicked(panicked)))
}

fn held(db: &Mutex<Connection>) -> MutexGuard<'_, Connection> {
    db.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
