//! Opens the store that the configuration names, and the notifications of a database.

use std::sync::{Arc, Weak};

use anyhow::Context as _;

use crate::config::{self, Secret};
use crate::store::relational::{Access, Listener, Options, Reach, SqlStore};
use crate::wake::Waker;

/// The file or the database of the configuration.
///
/// # Errors
/// If it cannot be used. The text says what helps.
pub fn open_store(config: &config::Store, access: Access, options: &Options) -> anyhow::Result<SqlStore> {
    Ok(match reach(config)? {
        Some(reach) => SqlStore::connect(reach, options)?,
        None => SqlStore::open_with(&config.path, access, options)?,
    })
}

/// How to reach the database of the configuration; `None` for a file.
///
/// # Errors
/// If its address or its certificates cannot be used.
pub fn reach(config: &config::Store) -> anyhow::Result<Option<Reach>> {
    config.url.as_deref().map(|url| reach_of(config, "store.url", url)).transpose()
}

fn reach_of(config: &config::Store, key: &str, url: &str) -> anyhow::Result<Reach> {
    let password = config.password.as_ref().map(Secret::expose);
    Reach::new(url, password, config.ca.as_deref()).map_err(|fault| anyhow::anyhow!("{key} {fault}"))
}

/// Wakes the scheduler when another process of the database committed something, and tells the others of ours.
///
/// # Errors
/// If the address cannot be used, or there is no thread.
pub(super) fn listen(config: &config::Store, waker: &Arc<Waker>) -> anyhow::Result<Option<Arc<Listener>>> {
    let Some(url) = &config.url else { return Ok(None) };
    let reach = match &config.listen_url {
        Some(own) => reach_of(config, "store.listen_url", own)?,
        None => reach_of(config, "store.url", url)?,
    };
    // The waker and the listener do not keep each other.
    let woken: Weak<Waker> = Arc::downgrade(waker);
    let listener = Listener::start(reach, move || {
        if let Some(waker) = woken.upgrade() {
            waker.from_outside();
        }
    });
    let listener = Arc::new(listener.context("cannot listen to the database")?);
    let told = Arc::downgrade(&listener);
    waker.tell_others(move || {
        if let Some(listener) = told.upgrade() {
            listener.tell();
        }
    });
    Ok(Some(listener))
}
