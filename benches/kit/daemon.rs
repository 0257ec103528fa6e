//! A daemon in this process, with its own threads and loopback port, and its store in a file on a real disk.

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
    config.http.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    config.http.hooks_listen = config.http.listen;
    Ok(config)
}

/// The runtime of the load client: one thread, so that the daemon gets most of the machine.
pub fn load_runtime() -> Result<Runtime> {
    Ok(Builder::new_current_thread().enable_all().build()?)
}
