//! The limit of open files (`RLIMIT_NOFILE`): raised as far as the system lets it, and enough for the connections
//! that the configuration allows. Without that, the last connections would take the descriptors that calls to
//! Twilio and the store need.

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config::Config;

/// For the store's files, timers, signals, the log, and files that libraries open for a short time.
const OTHERS: u64 = 128;

/// Raises the limit of this process to the most that it may set.
///
/// # Errors
/// If the configured connections do not fit below it; names the keys.
pub(super) fn raise_limit(config: &Config) -> anyhow::Result<()> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
            .context("cannot raise the limit of open files")?;
    }
    check(config, limit.maximum).map_err(anyhow::Error::msg)
}

fn check(config: &Config, limit: Option<u64>) -> Result<(), String> {
    let Some(limit) = limit else { return Ok(()) };
    let http = &config.http;
    let to_twilio = config.accounts.values().map(|account| account.requests_in_flight_max);
    let to_meta = config.meta.values().map(|meta| meta.requests_in_flight_max);
    let to_pages = config.messenger.values().map(|page| page.requests_in_flight_max);
    let outgoing = to_twilio.chain(to_meta).chain(to_pages).map(u64::from);
    let others = OTHERS
        + 3 * u64::from(config.store.readers + config.store.api_readers)
        + u64::from(config.webhooks.in_flight_max)
        + outgoing.sum::<u64>();
    let (api, hooks) = (u64::from(http.connections_max), u64::from(http.hooks_connections_max));
    let needed = api + hooks + others;
    if needed <= limit {
        return Ok(());
    }
    Err(format!(
        "the system allows {limit} open files, and {needed} may be needed: http.connections_max = {api}, \
         http.hooks_connections_max = {hooks}, and {others} for everything else; make these keys smaller or \
         raise the limit (LimitNOFILE of systemd, ulimit -n)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn as_many_connections_as_fit_and_not_one_more() {
        let mut config = Config::default();
        config.accounts.clear();
        config.http.connections_max = 500;
        config.http.hooks_connections_max = 400;
        let others = OTHERS
            + 3 * u64::from(config.store.readers + config.store.api_readers)
            + u64::from(config.webhooks.in_flight_max);
        assert_eq!(check(&config, Some(900 + others)), Ok(()));
        assert_eq!(check(&config, None), Ok(()));
        let fault = check(&config, Some(899 + others)).unwrap_err();
        assert!(fault.contains("http.connections_max = 500"), "{fault}");
        assert!(fault.contains("http.hooks_connections_max = 400"), "{fault}");
    }
}
