//! A daemon in this process, with its own threads and loopback port, and its store in a file on a real disk, or in a
//! database of the server that `RINGMASTER_BENCH_STORE` names: `postgres://user@host:port`, without a database.

use std::net::SocketAddr;
use std::path::Path;

use ringmaster::config::Config;
use ringmaster::daemon::{self, Options, Running};
use ringmaster::log;
use ringmaster::simulation::{Fixture, fixture};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tokio_util::sync::CancellationToken;
use url::Url;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The daemon's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub struct BenchDaemon {
    runtime: Runtime,
    pub running: Running,
    shutdown: CancellationToken,
}

impl BenchDaemon {
    /// Starts a daemon as `ringmaster serve` does, with its log at the default level.
    pub fn start(config: &Config) -> Result<Self> {
        // The log is already set up after the first round.
        let _ = log::start(&config.log);
        let runtime = Builder::new_multi_thread().enable_all().build()?;
        let shutdown = CancellationToken::new();
        let options = Options { shutdown: shutdown.clone(), ..Options::default() };
        let running = runtime.block_on(daemon::start(config, options))?;
        Ok(Self { runtime, running, shutdown })
    }

    /// Stops the daemon, after its work in progress is recorded.
    pub fn stop(self) -> Result<()> {
        self.shutdown.cancel();
        Ok(self.runtime.block_on(self.running.finished())?)
    }
}

/// A folder on the disk of the build: the system's temporary folder may be in memory.
pub fn folder() -> Result<TempDir> {
    Ok(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?)
}

/// A configuration with its store at `path`, and Twilio at `twilio`.
pub fn config(path: &Path, twilio: SocketAddr) -> Result<Config> {
    let api_url = Url::parse(&format!("http://{twilio}"))?;
    let (mut config, _) = fixture(&Fixture { api_url, ..Fixture::default() });
    config.store.path = path.to_owned();
    config.store.url = database(path)?;
    config.store.state_dir = config.store.url.is_some().then(|| path.with_file_name(""));
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.http.hooks_listen = config.http.listen;
    Ok(config)
}

/// The address of the database that stands for a file, which is made when it is first asked for; `None` for a file.
pub fn database(path: &Path) -> Result<Option<String>> {
    let Some((server, name)) = server_and_name(path) else { return Ok(None) };
    if ask(&server, &format!("SELECT 1 FROM pg_database WHERE datname = '{name}'"))? == 0 {
        ask(&server, &format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"))?;
    }
    Ok(Some(format!("{server}/{name}")))
}

/// The server, and the name of the database that stands for a file.
pub fn server_and_name(path: &Path) -> Option<(String, String)> {
    let server = std::env::var_os("RINGMASTER_BENCH_STORE")?.into_string().ok()?;
    let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    let file = path.file_stem().unwrap_or_default();
    let name = format!("bench{}_{}", folder.to_string_lossy(), file.to_string_lossy());
    Some((server.trim_end_matches('/').to_owned(), name.chars().map(fits).collect()))
}

/// Runs a statement in the database `postgres` of a server. Returns the number of rows.
pub fn ask(server: &str, sql: &str) -> Result<usize> {
    let ask = || -> std::result::Result<usize, String> {
        let told = |error: tokio_postgres::Error| format!("{sql}: {error:?}");
        load_runtime().map_err(|error| error.to_string())?.block_on(async {
            let url = format!("{server}/postgres");
            let (client, connection) =
                tokio_postgres::connect(&url, tokio_postgres::NoTls).await.map_err(told)?;
            tokio::spawn(connection);
            let rows = client.simple_query(sql).await.map_err(told)?;
            Ok(rows.iter().filter(|row| matches!(row, tokio_postgres::SimpleQueryMessage::Row(_))).count())
        })
    };
    // The caller may run tasks on its thread.
    let done = std::thread::scope(|scope| scope.spawn(ask).join());
    Ok(done.map_err(|_| "a thread panicked")??)
}

/// The runtime of the load client: one thread, so that the daemon gets most of the machine.
pub fn load_runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
