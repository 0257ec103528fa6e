//! Notifications between the processes of a store.
//!
//! A notification is a hint. What it is about is found by a timer, too.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};
use uuid::Uuid;

use super::fault::Fault;
use super::reach::Reach;

/// The channel on which a process tells that it committed something.
const CHANNEL: &str = "ringmaster_wake";
/// How often the store is looked at while notifications do not come.
const POLL: Duration = Duration::from_secs(1);
/// In this time a notification of our own comes back, if notifications come at all.
const TEST: Duration = Duration::from_secs(2);

/// Listens and tells on a connection and a thread of its own.
pub struct Listener {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    hears: AtomicBool,
    /// Rings when others are to be told.
    owed: Notify,
    /// Distinguishes our notifications from those of others.
    mark: String,
}

impl Listener {
    /// Calls `woken` when notifications begin to come, after each of another process, and each second while none would
    /// come.
    ///
    /// # Errors
    /// If there is no thread.
    pub fn start(reach: Reach, woken: impl Fn() + Send + 'static) -> std::io::Result<Self> {
        let mark = Uuid::new_v4().simple().to_string();
        let shared = Arc::new(Shared { hears: AtomicBool::new(false), owed: Notify::new(), mark });
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("store-listener".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = listen(&reach, &of_thread, &woken) => {}
                }
            });
        })?;
        Ok(Self { shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Tells the other processes that something was committed. Several calls become one notification.
    pub fn tell(&self) {
        self.shared.owed.notify_one();
    }

    /// Whether notifications come. If not, the store is looked at each second.
    pub fn hears(&self) -> bool {
        self.shared.hears.load(Ordering::Relaxed)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn listen(reach: &Reach, shared: &Shared, woken: &impl Fn()) {
    let mut is_told = false;
    loop {
        let ended = match reach.tls() {
            Some(tls) => match reach.config().connect(tls).await {
                Ok((client, connection)) => follow(&client, connection, shared, woken).await,
                Err(error) => Fault::new(&error),
            },
            None => match reach.config().connect(NoTls).await {
                Ok((client, connection)) => follow(&client, connection, shared, woken).await,
                Err(error) => Fault::new(&error),
            },
        };
        if shared.hears.swap(false, Ordering::Relaxed) || !is_told {
            tracing::warn!(error = %ended, "no notifications of the database; the store is looked at each second");
            is_told = true;
        }
        tokio::time::sleep(POLL).await;
        woken();
    }
}

/// Serves the connection until it ends.
async fn follow<S, T>(
    client: &Client,
    mut connection: Connection<S, T>,
    shared: &Shared,
    woken: &impl Fn(),
) -> Fault
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let Shared { hears, owed, mark } = shared;
    let speak = async {
        let begin = format!("LISTEN {CHANNEL}; NOTIFY {CHANNEL}, '{mark}'");
        let tell = format!("NOTIFY {CHANNEL}, '{mark}'");
        client.batch_execute(&begin).await?;
        loop {
            owed.notified().await;
            client.batch_execute(&tell).await?;
        }
    };
    let hear = async {
        loop {
            match poll_fn(|context| connection.poll_message(context)).await {
                Some(Ok(AsyncMessage::Notification(told))) if told.payload() == mark => {
                    // What was told before is not told again.
                    if !hears.swap(true, Ordering::Relaxed) {
                        woken();
                    }
                }
                Some(Ok(AsyncMessage::Notification(_))) => woken(),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Fault::new(&error),
                None => return Fault::lost("the connection was closed"),
            }
        }
    };
    let look = async {
        let begun = Instant::now();
        let mut is_told = false;
        loop {
            tokio::time::sleep(POLL).await;
            if hears.load(Ordering::Relaxed) {
                continue;
            }
            woken();
            if !is_told && begun.elapsed() > TEST {
                is_told = true;
                tracing::warn!(
                    "a notification to ourselves did not come back, so the store is looked at each second; give \
                     store.listen_url an address that does not pass a pooler"
                );
            }
        }
    };
    tokio::select! {
        ended = hear => ended,
        ended = speak => {
            let ended: Result<std::convert::Infallible, tokio_postgres::Error> = ended;
            match ended {
                Ok(never) => match never {},
                Err(error) => Fault::new(&error),
            }
        }
        () = look => Fault::lost("nobody looks"),
    }
}
