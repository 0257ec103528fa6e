//! The sources of the pools of the configuration.

use std::sync::Arc;

use anyhow::Context as _;

use super::Deps;
use super::wiring::{client, guard};
use crate::clock::Clock;
use crate::config::{Config, PoolSettings, PoolSource};
use crate::domain::PoolKey;
use crate::platform::seats::SeatSource;
use crate::pools::UrlSource;
use crate::twilio::QueueSource;
use crate::webhooks::{HttpReader, ReaderConfig};

/// The kind of a source, and the source.
pub(super) fn source(
    config: &Config,
    (deps, clock): (&Deps, Arc<dyn Clock>),
    pool: &PoolKey,
    own: &PoolSettings,
) -> anyhow::Result<(&'static str, Arc<dyn SeatSource>)> {
    Ok(match &own.source {
        PoolSource::Url { url, secret } => {
            let reader = HttpReader::new(ReaderConfig {
                url: url.clone(),
                secret: secret.as_ref().map(|secret| secret.as_secret().clone()),
                guard: guard(&config.webhooks),
                timeout: own.timeout,
            });
            // The error may have the secret.
            let reader =
                reader.map_err(|_| anyhow::anyhow!("pools.{}: its URL cannot be read", pool.name))?;
            ("url", Arc::new(UrlSource { pool: pool.clone(), reader, clock }))
        }
        PoolSource::TaskRouter { account, workspace_sid, task_queue_sid, valid_for } => {
            let known = config.accounts.get(account.as_str());
            let known = known.with_context(|| {
                format!("pools.{}.taskrouter.account: there is no [accounts.{account}]", pool.name)
            })?;
            let source = QueueSource {
                client: client(known, (deps.transport)(known)?),
                workspace_sid: workspace_sid.clone(),
                task_queue_sid: task_queue_sid.clone(),
                valid_for: *valid_for,
            };
            ("taskrouter", Arc::new(source))
        }
    })
}
