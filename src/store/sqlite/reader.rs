//! Connections that only read, each on a thread of its own, fed from one queue.
//!
//! A reading is short: a long one would keep the log from being moved into the file.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::fault::gone;
use super::writer::roll_back;
use crate::store::Result;

type Reading = Box<dyn FnOnce(&Connection) + Send>;

pub struct Readers {
    queue: Option<Sender<Reading>>,
    threads: Vec<JoinHandle<()>>,
}

impl Readers {
    pub fn start(connections: Vec<Connection>) -> std::io::Result<Self> {
        let (queue, readings) = channel();
        let readings = Arc::new(Mutex::new(readings));
        let threads = connections
            .into_iter()
            .map(|db| {
                let readings = Arc::clone(&readings);
                std::thread::Builder::new()
                    .name("store-reader".into())
                    .spawn(move || work_off(&db, &readings))
            })
            .collect::<std::io::Result<_>>()?;
        Ok(Self { queue: Some(queue), threads })
    }

    pub async fn run<T, F>(&self, work: F) -> Result<T>
    where
        F: FnOnce(&Connection) -> Result<T> + Send + 'static,
        T: Send + 'static,
    {
        let (caller, answer) = oneshot::channel();
        let reading: Reading = Box::new(move |db| {
            let _ = caller.send(in_snapshot(db, work));
        });
        self.queue.as_ref().ok_or_else(gone)?.send(reading).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
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

fn work_off(db: &Connection, readings: &Mutex<Receiver<Reading>>) {
    loop {
        let next = readings.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(reading) = next else { return };
        if catch_unwind(AssertUnwindSafe(|| reading(db))).is_err() {
            tracing::error!("a reading of the store panicked");
            roll_back(db);
        }
    }
}

/// All statements of one reading see the same state.
pub fn in_snapshot<T>(db: &Connection, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    db.prepare_cached("BEGIN DEFERRED")?.execute([])?;
    let read = work(db);
    if let Err(error) = db.prepare_cached("COMMIT")?.execute([]) {
        roll_back(db);
        return read.and(Err(error.into()));
    }
    read
}
