//! The first start of a daemon on a store.

use ringmaster::config::Config;
use ringmaster::store::Turns as _;

use crate::daemon::{BenchDaemon, Result, load_runtime};

/// Lets a daemon with this configuration begin on an empty store. Otherwise the first one after the orders would decide all
/// of them again, because they may have been decided under another configuration.
pub fn begin(config: &Config) -> Result<()> {
    let runtime = load_runtime()?;
    loop {
        BenchDaemon::start(config)?.stop()?;
        let store = crate::store::open(&config.store.path)?;
        if runtime.block_on(store.rules_digest())?.is_some() {
            return Ok(());
        }
    }
}
