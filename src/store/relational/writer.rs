//! The connection that writes: waiting commands are committed together.
//!
//! A command is a closure over the open transaction and may run twice: if another one in its group fails, the group
//! is rolled back and each runs again alone. Its caller is answered after the commit. The orders of a group are one command.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::fault::{Shared, gone};
use super::orders_together::{Ordered, OrdersTogether};
use super::sql::{self, Connection};
use super::suppressions::Key;
use super::term;
use super::{OnCommit, contained};
use crate::failpoint::failpoint;
use crate::store::{Enqueue, Enqueued, Error, PendingAudit, Result};

/// A group that takes longer gives up its connection, so that its callers are answered while they wait.
const GROUP_MOST: Duration = Duration::from_secs(10);
/// After this idle time, the write-ahead log is checkpointed.
const IDLE: Duration = Duration::from_millis(250);

pub struct Writer {
    /// `None` after the thread was told to end. The queue needs no bound, because each command in it has a waiting
    /// caller.
    queue: Option<Sender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

/// One caller's change, with the channel for its answer.
pub(super) trait Command: Send {
    /// Runs inside an open transaction and keeps its answer until the commit.
    fn run(&mut self, db: &Connection) -> Result<()>;
    /// Sends the answer after the commit.
    fn confirm(self: Box<Self>);
    fn refuse(self: Box<Self>, error: Error);
    /// The commands to run one by one if the group fails.
    fn one_by_one(self: Box<Self>) -> Vec<Box<dyn Command>>;
}

/// What waits for the writer.
enum Waiting {
    Command(Box<dyn Command>),
    Orders(Ordered),
    /// To empty the log, outside of a transaction.
    Truncate(oneshot::Sender<Result<bool>>),
}

struct Asked<F, T> {
    work: F,
    answer: Option<T>,
    caller: oneshot::Sender<Result<T>>,
}

impl<F, T> Command for Asked<F, T>
where
    F: FnMut(&Connection) -> Result<T> + Send + 'static,
    T: Send + 'static,
{
    fn run(&mut self, db: &Connection) -> Result<()> {
        self.answer = Some(contained(|| (self.work)(db))?);
        Ok(())
    }

    // The caller may be gone. The command is committed anyway.
    fn confirm(self: Box<Self>) {
        let _ = self.caller.send(self.answer.ok_or_else(gone));
    }

    fn refuse(self: Box<Self>, error: Error) {
        let _ = self.caller.send(Err(error));
    }

    fn one_by_one(self: Box<Self>) -> Vec<Box<dyn Command>> {
        vec![self]
    }
}

impl Writer {
    pub fn start(
        db: Connection,
        term: Option<i64>,
        group_max: usize,
        on_commit: Option<OnCommit>,
        key: Arc<Key>,
    ) -> std::io::Result<Self> {
        db.set_patience(GROUP_MOST);
        let (queue, commands) = channel();
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || work_off(&db, term, &commands, group_max.max(1), on_commit.as_ref(), &key))?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        F: FnMut(&Connection) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let command = Box::new(Asked { work, answer: None, caller });
        self.put(Waiting::Command(command))?;
        // The writer took the command and has ended since.
        answer.await.map_err(|_| Error::OutcomeUnknown)?
    }

    /// Stores new orders, together with those of other callers.
    pub async fn order(
        &self,
        orders: Vec<Enqueue>,
        audit: Option<Arc<PendingAudit>>,
    ) -> Result<Vec<Enqueued>> {
        let (caller, answer) = oneshot::channel();
        self.put(Waiting::Orders(Ordered { orders, audit, caller }))?;
        answer.await.map_err(|_| Error::OutcomeUnknown)?
    }

    /// Empties the log after what was queued before. `false` if somebody reads it.
    pub async fn truncate_log(&self) -> Result<bool> {
        let (caller, answer) = oneshot::channel();
        self.put(Waiting::Truncate(caller))?;
        answer.await.map_err(|_| Error::OutcomeUnknown)?
    }

    fn put(&self, waiting: Waiting) -> Result<()> {
        self.queue.as_ref().ok_or_else(gone)?.send(waiting).map_err(|_| gone())
    }
}

impl Drop for Writer {
    /// Queued commands are still written.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work_off(
    db: &Connection,
    term: Option<i64>,
    waiting: &Receiver<Waiting>,
    group_max: usize,
    on_commit: Option<&OnCommit>,
    key: &Arc<Key>,
) {
    let mut group: Vec<Box<dyn Command>> = Vec::new();
    let mut written = false;
    loop {
        let first = if written {
            match waiting.recv_timeout(IDLE) {
                Ok(first) => first,
                Err(RecvTimeoutError::Timeout) => {
                    checkpoint(db);
                    written = false;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        } else {
            match waiting.recv() {
                Ok(first) => first,
                Err(_) => return,
            }
        };
        let all = std::iter::once(first).chain(waiting.try_iter()).take(group_max);
        let (size, truncating) = gather(&mut group, all, key);
        written = true;
        // A command that panics fails its whole group.
        let began = Instant::now();
        let survived = catch_unwind(AssertUnwindSafe(|| commit_together(db, term, &mut group)));
        group.clear();
        if let Some(told) = on_commit {
            told(size, began.elapsed());
        }
        if survived.is_err() {
            tracing::error!("a command to the store panicked; its group was rolled back");
            roll_back(db);
        }
        for caller in truncating {
            let _ = caller.send(truncate_log(db));
        }
    }
}

/// Makes a group of what waits, and returns how many callers it has, and who waits for an empty log.
fn gather(
    group: &mut Vec<Box<dyn Command>>,
    waiting: impl Iterator<Item = Waiting>,
    key: &Arc<Key>,
) -> (usize, Vec<oneshot::Sender<Result<bool>>>) {
    let (mut orders, mut truncating, mut size) = (Vec::new(), Vec::new(), 0);
    for waiting in waiting {
        size += 1;
        match waiting {
            Waiting::Command(command) => group.push(command),
            Waiting::Orders(ordered) => orders.push(ordered),
            Waiting::Truncate(caller) => truncating.push(caller),
        }
    }
    if !orders.is_empty() {
        group.push(Box::new(OrdersTogether::of(orders, Arc::clone(key))));
    }
    (size, truncating)
}

fn commit_together(db: &Connection, term: Option<i64>, group: &mut Vec<Box<dyn Command>>) {
    match in_transaction(db, |db| {
        term::check(db, term)?;
        run(db, group)
    }) {
        Ok(()) => {
            failpoint!("group.committed");
            group.drain(..).for_each(Command::confirm);
        }
        // The cause is the machine, not a command, so do not run the commands one by one.
        Err(error @ Error::Unavailable(_)) => {
            let shared = Shared::new(error);
            group.drain(..).for_each(|command| command.refuse(shared.error()));
        }
        Err(Error::Deposed) => group.drain(..).for_each(|command| command.refuse(Error::Deposed)),
        // It may be written, so it must not run again.
        Err(Error::OutcomeUnknown) => {
            group.drain(..).for_each(|command| command.refuse(Error::OutcomeUnknown));
        }
        Err(error) => {
            let mut alone: Vec<_> = group.drain(..).flat_map(Command::one_by_one).collect();
            if alone.len() == 1
                && let Some(command) = alone.pop()
            {
                return command.refuse(error);
            }
            for mut command in alone {
                match in_transaction(db, |db| {
                    term::check(db, term)?;
                    command.run(db)
                }) {
                    Ok(()) => command.confirm(),
                    Err(error) => command.refuse(error),
                }
            }
        }
    }
}

fn run(db: &Connection, group: &mut [Box<dyn Command>]) -> Result<()> {
    for (index, command) in group.iter_mut().enumerate() {
        failpoint!("group.half_run", index > 0);
        command.run(db)?;
    }
    failpoint!("group.uncommitted");
    Ok(())
}

/// Runs `work` and commits it, or rolls it back.
pub fn in_transaction<T>(db: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    db.begin(sql::Access::Write)?;
    let done = work(db).and_then(|answer| {
        db.commit()?;
        Ok(answer)
    });
    if done.is_err() {
        roll_back(db);
    }
    done
}

/// The same in an open transaction, which stays open.
pub fn in_savepoint<T>(db: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    db.prepare_cached("SAVEPOINT verb")?.execute([])?;
    let done = work(db);
    if done.is_err() {
        db.prepare_cached("ROLLBACK TO verb")?.execute([])?;
    }
    db.prepare_cached("RELEASE verb")?.execute([])?;
    done
}

pub fn roll_back(db: &Connection) {
    if let Err(error) = db.roll_back() {
        tracing::error!(%error, "the store could not roll back");
    }
}

/// Does not wait for readers. A later checkpoint moves the rest.
fn checkpoint(db: &Connection) {
    let Some(db) = db.sqlite() else { return };
    if let Err(error) = db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(())) {
        tracing::warn!(%error, "a checkpoint of the store failed");
    }
}

/// Moves the whole log into the file, and empties it. Waits for readers only a moment, because nobody writes meanwhile.
pub fn truncate_log(db: &Connection) -> Result<bool> {
    const PATIENCE_MS: i64 = 50;
    let Some(db) = db.sqlite() else { return Ok(true) };
    let before: i64 = db.query_row("PRAGMA busy_timeout", [], |row| row.get(0))?;
    let set = |ms: i64| db.pragma_update_and_check(None, "busy_timeout", ms, |_| Ok(()));
    set(PATIENCE_MS)?;
    let is_busy = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
    set(before)?;
    Ok(is_busy? == 0)
}
