//! A connection that is made again after it was lost.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_util::future::join;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::Type;
use tokio_postgres::{Client, NoTls};

use super::fault::Fault;
use super::reach::Reach;
use super::statement::{Prepared, Statement};
use super::translate::translate;
use crate::store::relational::sql::Access;

type Result<T> = std::result::Result<T, Fault>;
type Later = Pin<Box<dyn Future<Output = std::result::Result<(), tokio_postgres::Error>> + Send>>;

/// The longest time that a statement may take, with what it waits for. After it the connection is given up.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// The same for what works on the whole store while nobody waits for it: migrations, checks, copies and recounts. The server
/// is found to be away by the connection.
pub const UNHURRIED: Duration = Duration::from_secs(24 * 3_600);
/// The server stops a read at its deadline. One that says nothing for this long after it is taken for away.
const GRACE: Duration = Duration::from_millis(500);
/// After so long without an answer the other connections are given up too. A server that is only busy answers before.
const SILENT_AFTER: Duration = Duration::from_secs(5);
/// The longest time to connect: a server that is stopped accepts connections and says nothing.
const CONNECT_PATIENCE: Duration = Duration::from_secs(4);
/// The first interval between two attempts to connect, and the longest.
const RETRY: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];
/// The number of statements that a connection keeps.
const STATEMENTS: usize = 512;
/// Begins a transaction that waits until no other one of this schema writes. A process that stops in the middle of it loses
/// it after a while, so that others are not held up.
const BEGIN_WRITING: &str = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 5000; \
     SELECT pg_advisory_xact_lock(1380011591, hashtext(current_schema()))";

/// A connection of one thread.
pub struct Session {
    reach: Arc<Reach>,
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    live: RefCell<Option<Live>>,
    transaction: Cell<Transaction>,
    /// The failed attempts to connect, and when the next one may be made.
    retry: Cell<(u32, Option<Instant>)>,
    /// A read may not take longer.
    deadline: Cell<Option<Instant>>,
    /// A statement may not take longer.
    patience: Cell<Duration>,
    /// Nobody has looked yet which server this connection leads to.
    is_new: Cell<bool>,
}

struct Live {
    client: Arc<Client>,
    /// As the reach tells it.
    age: u64,
    statements: HashMap<Box<str>, Arc<Prepared>>,
    /// What was sent and whose answer nobody has read.
    later: Vec<Later>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Transaction {
    #[default]
    None,
    Open(Access),
    /// A statement failed or the connection was lost, so it can only be rolled back.
    Failed,
}

impl Session {
    /// Connects. Not to be called by a thread that runs tasks.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub fn open(reach: Arc<Reach>) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Fault::lost(format!("there is no runtime: {error}")))?;
        let session = Self {
            reach,
            runtime: Some(runtime),
            live: RefCell::default(),
            transaction: Cell::default(),
            retry: Cell::default(),
            deadline: Cell::default(),
            patience: Cell::new(PATIENCE),
            is_new: Cell::new(true),
        };
        session.connect()?;
        Ok(session)
    }

    /// Whether the connection was made since [`Session::set_known`]: it may lead to another server.
    pub const fn is_new(&self) -> bool {
        self.is_new.get()
    }

    /// The server that it leads to is the one that is meant.
    pub fn set_known(&self) {
        self.is_new.set(false);
    }

    /// From now on a read fails that is not done at this time.
    pub fn set_deadline(&self, deadline: Option<Instant>) {
        self.deadline.set(deadline);
    }

    /// From now on a statement fails that takes longer.
    pub fn set_patience(&self, patience: Duration) {
        self.patience.set(patience);
    }

    /// How long to wait for the server now.
    fn limit(&self, most: Duration) -> Duration {
        let left = self.deadline.get().map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(most, |left| left.saturating_add(GRACE).min(most))
    }

    pub fn begin(&self, access: Access) -> Result<()> {
        self.roll_back()?;
        self.connect()?;
        let sql = match access {
            Access::Write => BEGIN_WRITING.to_owned(),
            Access::Survey => "BEGIN ISOLATION LEVEL REPEATABLE READ".to_owned(),
            Access::Read => match self.deadline.get() {
                None => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned(),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now()).as_millis().max(1);
                    format!(
                        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = {left}"
                    )
                }
            },
        };
        self.transaction.set(Transaction::Open(access));
        let begun = self.later(|client| async move { client.batch_execute(&sql).await });
        if begun.is_err() {
            self.transaction.set(Transaction::None);
        }
        begun
    }

    /// The error, and whether it is unknown what became of the transaction.
    pub fn commit(&self) -> std::result::Result<(), (Fault, bool)> {
        let client = self.client().map_err(|fault| (fault, false))?;
        let Transaction::Open(access) = self.transaction.get() else {
            return Err((Fault::lost("the transaction failed before"), false));
        };
        let mut is_sent = false;
        let done = self.wait(async {
            is_sent = true;
            client.batch_execute("COMMIT").await
        });
        self.transaction.set(Transaction::None);
        done.map_err(|fault| {
            let is_unknown = is_sent && access == Access::Write && fault.is_lost();
            (fault, is_unknown)
        })
    }

    pub fn roll_back(&self) -> Result<()> {
        if self.transaction.replace(Transaction::None) == Transaction::None {
            return Ok(());
        }
        // A lost connection has ended its transaction.
        let Ok(client) = self.client() else { return Ok(()) };
        self.live.borrow_mut().iter_mut().for_each(|live| live.later.clear());
        self.wait(async { client.batch_execute("ROLLBACK").await })
    }

    pub fn execute_batch(&self, sql: &str) -> Result<()> {
        let client = self.client()?;
        self.wait(async { client.batch_execute(sql).await })
    }

    /// The statement, prepared once for each connection.
    pub fn prepare(&self, sql: &str) -> Result<Statement<'_>> {
        let known = self.live.borrow().as_ref().and_then(|live| live.statements.get(sql).cloned());
        if let Some(prepared) = known {
            return Ok(Statement::new(self, prepared));
        }
        self.connect()?;
        let client = self.client()?;
        let translated = translate(sql);
        let statement = self.wait(client.prepare(&translated.text))?;
        let wide = |kind: &Type| if is_narrow(kind) { Type::INT8 } else { kind.clone() };
        // A number beside a literal would be INT4, which holds no moments.
        let statement = if statement.params().iter().any(is_narrow) {
            let kinds: Vec<Type> = statement.params().iter().map(wide).collect();
            self.wait(client.prepare_typed(&translated.text, &kinds))?
        } else {
            statement
        };
        let prepared =
            Arc::new(Prepared { statement, parameters: translated.parameters, count: translated.count });
        if let Some(live) = self.live.borrow_mut().as_mut() {
            if live.statements.len() >= STATEMENTS {
                live.statements.clear();
            }
            live.statements.insert(sql.into(), Arc::clone(&prepared));
        }
        Ok(Statement::new(self, prepared))
    }

    /// The connection as it is.
    pub fn client(&self) -> Result<Arc<Client>> {
        let live = self.live.borrow();
        live.as_ref()
            .map(|live| Arc::clone(&live.client))
            .ok_or_else(|| Fault::lost("the connection was lost"))
    }

    /// Sends something now, and reads its answer with that of the next statement that waits.
    pub fn later<F>(&self, send: impl FnOnce(Arc<Client>) -> F) -> Result<()>
    where
        F: Future<Output = std::result::Result<(), tokio_postgres::Error>> + Send + 'static,
    {
        let mut sent: Later = Box::pin(send(self.client()?));
        // Polled for the first time it is sent. Its answer cannot be there, so nobody has to be woken.
        match sent.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => return Ok(()),
            Poll::Ready(Err(error)) => return Err(self.failed(Fault::new(&error))),
        }
        if let Some(live) = self.live.borrow_mut().as_mut() {
            live.later.push(sent);
        }
        Ok(())
    }

    /// Waits for an answer, and for all that were sent before. The first error counts.
    pub fn wait<T>(
        &self,
        answer: impl Future<Output = std::result::Result<T, tokio_postgres::Error>>,
    ) -> Result<T> {
        let earlier = self.live.borrow_mut().as_mut().map(|live| std::mem::take(&mut live.later));
        let earlier = async {
            for sent in earlier.unwrap_or_default() {
                sent.await?;
            }
            Ok::<(), tokio_postgres::Error>(())
        };
        let patience = match self.transaction.get() {
            Transaction::Open(Access::Survey) => UNHURRIED,
            _ => self.limit(self.patience.get()),
        };
        let both = self.block_on(async { tokio::time::timeout(patience, join(earlier, answer)).await });
        let fault = match both {
            Ok((Ok(()), Ok(answer))) => return Ok(answer),
            Ok((Err(error), _) | (Ok(()), Err(error))) => Fault::new(&error),
            Err(_) => {
                if let Some(live) = self.live.borrow().as_ref().filter(|_| patience >= SILENT_AFTER) {
                    self.reach.is_silent(live.age);
                }
                Fault::lost("the database did not answer in time")
            }
        };
        Err(self.failed(fault))
    }

    fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.as_ref().expect("the runtime lives as long as the session").block_on(work)
    }

    fn failed(&self, fault: Fault) -> Fault {
        if fault.is_lost() {
            *self.live.borrow_mut() = None;
        }
        if self.transaction.get() != Transaction::None {
            self.transaction.set(Transaction::Failed);
        }
        fault
    }

    /// Connects, unless it is connected. After a failed attempt it waits for a while before the next one.
    fn connect(&self) -> Result<()> {
        if self.transaction.get() != Transaction::None {
            // What follows would not be in the transaction.
            return self.client().map(drop);
        }
        if self.live.borrow().is_some() {
            // Lets the connection see that the server has closed it.
            self.block_on(tokio::task::yield_now());
        }
        let age = self.reach.age();
        // One over which nothing came back tells that the others, too, may lead nowhere.
        if self.live.borrow().as_ref().is_some_and(|live| !live.client.is_closed() && live.age == age) {
            return Ok(());
        }
        let (failed, not_before) = self.retry.get();
        if not_before.is_some_and(|not_before| Instant::now() < not_before) {
            return Err(Fault::lost("the database is away"));
        }
        let limit = self.limit(CONNECT_PATIENCE);
        let connected = self.block_on(async {
            let connecting = connected(&self.reach);
            tokio::time::timeout(limit, connecting).await
        });
        match connected.unwrap_or_else(|_| Err(Fault::lost("the database did not answer in time"))) {
            Ok(client) => {
                let (statements, later) = (HashMap::new(), Vec::new());
                let client = Arc::new(client);
                let live = Live { client, age, statements, later };
                *self.live.borrow_mut() = Some(live);
                self.retry.set((0, None));
                self.is_new.set(true);
                Ok(())
            }
            Err(fault) => {
                *self.live.borrow_mut() = None;
                let [least, most] = RETRY;
                let pause = least.saturating_mul(1 << failed.min(8)).min(most);
                self.retry.set((failed.saturating_add(1), Instant::now().checked_add(pause)));
                Err(fault)
            }
        }
    }
}

impl Drop for Session {
    /// A task may drop it, which must not wait.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A new connection, which the runtime serves.
async fn connected(reach: &Reach) -> Result<Client> {
    let config = reach.config();
    let to_fault = |error: tokio_postgres::Error| Fault::new(&error);
    match reach.tls() {
        Some(tls) => {
            let (client, connection) = config.connect(tls).await.map_err(to_fault)?;
            tokio::spawn(connection);
            Ok(client)
        }
        None => {
            let (client, connection) = config.connect(NoTls).await.map_err(to_fault)?;
            tokio::spawn(connection);
            Ok(client)
        }
    }
}

fn is_narrow(kind: &Type) -> bool {
    matches!(*kind, Type::INT4 | Type::INT2)
}
