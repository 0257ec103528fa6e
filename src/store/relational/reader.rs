//! Connections that only read, each on its own thread, with one queue.
//!
//! Reads are short, because a long one would prevent checkpoints. A read whose caller is gone is not started, or is
//! stopped. If reads have a deadline, the time in the queue counts.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::contained;
use super::fault::gone;
use super::sql::{self, Connection};
use super::writer::roll_back;
use crate::store::{Error, Result};

/// How many instructions SQLite's virtual machine runs between two checks of [`Stop`]: about 0.1 ms.
const INSTRUCTIONS: i32 = 1000;

/// Limits of reads.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    /// The maximum number of waiting reads; further ones fail with [`Error::Busy`].
    pub queue_max: Option<usize>,
    /// A read that takes longer fails with [`Error::Overdue`].
    pub timeout: Option<Duration>,
}

pub struct Readers {
    queue: Option<Sender<Reading>>,
    threads: Vec<JoinHandle<()>>,
    waiting: Arc<AtomicUsize>,
    bounds: Bounds,
}

struct Reading {
    stop: Stop,
    run: Run,
}

/// Reads, and sends the result to the caller; with an error, sends the error.
pub type Run = Box<dyn FnOnce(Result<&Connection>) + Send>;

/// When a read is stopped.
#[derive(Clone)]
struct Stop {
    caller_is_gone: Arc<AtomicBool>,
    deadline: Option<Instant>,
}

impl Stop {
    fn is_now(&self) -> bool {
        self.caller_is_gone.load(Ordering::Relaxed)
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }
}

/// Held by the caller while it waits.
struct Caller(Arc<AtomicBool>);

impl Drop for Caller {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Readers {
    pub fn start(connections: Vec<Connection>, bounds: Bounds) -> std::io::Result<Self> {
        let (queue, readings) = channel();
        let readings = Arc::new(Mutex::new(readings));
        let waiting = Arc::new(AtomicUsize::new(0));
        let threads = connections
            .into_iter()
            .map(|db| {
                let (readings, waiting) = (Arc::clone(&readings), Arc::clone(&waiting));
                std::thread::Builder::new()
                    .name("store-reader".into())
                    .spawn(move || work_off(db, &readings, &waiting))
            })
            .collect::<std::io::Result<_>>()?;
        Ok(Self { queue: Some(queue), threads, waiting, bounds })
    }

    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let caller = Caller(Arc::default());
        let (told, answer) = oneshot::channel();
        let run = move |db: Result<&Connection>| {
            let _ = told.send(db.and_then(|db| in_snapshot(db, |db| contained(|| work(db)))));
        };
        self.begin(Arc::clone(&caller.0), Box::new(run))?;
        let answer = answer.await.map_err(|_| gone());
        drop(caller);
        answer?
    }

    /// Reads for nobody in particular: it goes on when a caller goes.
    ///
    /// # Errors
    /// [`Error::Busy`] if too many reads wait. Later errors go to `run`.
    pub fn run_for_several(&self, run: Run) -> Result<()> {
        self.begin(Arc::default(), run)
    }

    fn begin(&self, caller_is_gone: Arc<AtomicBool>, run: Run) -> Result<()> {
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        if self.bounds.queue_max.is_some_and(|max| before >= max) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::Busy);
        }
        let deadline = self.bounds.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let stop = Stop { caller_is_gone, deadline };
        self.queue.as_ref().ok_or_else(gone)?.send(Reading { stop, run }).map_err(|_| gone())
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        self.queue = None;
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn work_off(mut db: Connection, readings: &Mutex<Receiver<Reading>>, waiting: &AtomicUsize) {
    let current: Arc<Mutex<Option<Stop>>> = Arc::default();
    let looked_at = Arc::clone(&current);
    let is_to_stop = move || {
        let current = looked_at.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().is_some_and(Stop::is_now)
    };
    if let Some(db) = db.sqlite_mut()
        && let Err(error) = db.progress_handler(INSTRUCTIONS, Some(is_to_stop))
    {
        tracing::error!(%error, "reads of the store cannot be stopped");
    }
    loop {
        let next = readings.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Reading { stop, run }) = next else { return };
        waiting.fetch_sub(1, Ordering::Relaxed);
        if stop.is_now() {
            run(Err(Error::Overdue));
            continue;
        }
        db.set_deadline(stop.deadline);
        *current.lock().unwrap_or_else(PoisonError::into_inner) = Some(stop);
        if catch_unwind(AssertUnwindSafe(|| run(Ok(&db)))).is_err() {
            tracing::error!("a read of the store panicked");
            roll_back(&db);
        }
        *current.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// All statements of one read see the same state.
pub fn in_snapshot<T>(db: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    db.begin(sql::Access::Read)?;
    let read = work(db);
    if let Err(error) = db.commit() {
        roll_back(db);
        return read.and(Err(error.into()));
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readers(bounds: Bounds) -> Readers {
        Readers::start(vec![rusqlite::Connection::open_in_memory().unwrap().into()], bounds).unwrap()
    }

    /// Counts for as long as it is let.
    fn endless(db: &Connection) -> Result<i64> {
        let sql = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";
        Ok(db.query_row(sql, [], |row| row.get(0))?)
    }

    fn one(db: &Connection) -> Result<i64> {
        Ok(db.query_row("SELECT 1", [], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn a_reading_ends_at_its_deadline_and_the_next_one_is_whole() {
        let readers = readers(Bounds { timeout: Some(Duration::from_millis(20)), queue_max: None });
        assert!(matches!(readers.run(endless).await, Err(Error::Overdue)));
        let readers = readers_without_deadline();
        assert!(matches!(readers.run(one).await, Ok(1)));
    }

    fn readers_without_deadline() -> Readers {
        readers(Bounds::default())
    }

    #[tokio::test]
    async fn a_reading_is_stopped_when_its_caller_goes_and_those_behind_it_are_not_begun() {
        let readers = readers_without_deadline();
        let begun = Arc::new(AtomicUsize::new(0));
        let count = |begun: &Arc<AtomicUsize>| {
            let begun = Arc::clone(begun);
            move |_: &Connection| {
                begun.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
        };
        let (first_begins, first_began) = oneshot::channel();
        let mut first = Box::pin(readers.run(move |db| {
            let _ = first_begins.send(());
            endless(db)
        }));
        let mut second = Box::pin(readers.run(count(&begun)));
        tokio::select! {
            biased;
            _ = &mut first => panic!("it is endless"),
            _ = &mut second => panic!("it waits"),
            began = first_began => began.unwrap(),
        }
        drop((first, second));
        readers.run(count(&begun)).await.unwrap();
        assert_eq!(begun.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn so_many_readings_wait_and_the_next_one_is_refused() {
        let readers = readers(Bounds { queue_max: Some(2), timeout: None });
        let (begins, began) = oneshot::channel();
        let (go_on, goes_on) = std::sync::mpsc::channel::<()>();
        let mut first = Box::pin(readers.run(move |db| {
            let _ = begins.send(());
            let _ = goes_on.recv();
            one(db)
        }));
        tokio::select! {
            biased;
            _ = &mut first => panic!("it waits to be let go"),
            began = began => began.unwrap(),
        }
        let (mut second, mut third) = (Box::pin(readers.run(one)), Box::pin(readers.run(one)));
        tokio::select! {
            biased;
            _ = &mut second => panic!("it waits"),
            _ = &mut third => panic!("it waits"),
            () = std::future::ready(()) => {}
        }
        assert!(matches!(readers.run(one).await, Err(Error::Busy)));
        go_on.send(()).unwrap();
        assert!(matches!(tokio::join!(first, second, third), (Ok(1), Ok(1), Ok(1))));
        assert!(matches!(readers.run(one).await, Ok(1)));
    }
}
