//! Builds the platforms and hooks of `[meta]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;

use crate::clock::Clock;
use crate::config::{Config, Meta};
use crate::domain::AccountAlias;
use crate::hook_urls::HookUrls;
use crate::http::hooks::meta::MetaNumber;
use crate::meta::messages::Contents;
use crate::meta::{Graph, GraphAccount, MetaPlatform};
use crate::platform::Platform;
use crate::transport::{HttpOptions, HttpTransport, Transport};

/// The HTTP transport to the Graph API.
pub(super) fn over_http(meta: &Meta) -> anyhow::Result<Arc<dyn Transport>> {
    let transport = HttpTransport::new(&HttpOptions {
        connect_timeout: meta.connect_timeout,
        pool_idle_connections_max: meta.requests_in_flight_max as usize,
        ..HttpOptions::default()
    })
    .context("cannot set up TLS")?;
    Ok(Arc::new(transport))
}

/// One number as a platform.
pub(super) fn platform(
    meta: &Meta,
    transport: Arc<dyn Transport>,
    hook_urls: Arc<HookUrls>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Platform> {
    let account = GraphAccount {
        create_timeout: meta.request_timeout,
        read_timeout: meta.request_timeout,
        ..GraphAccount::new(
            meta.graph_url.as_str().trim_end_matches('/'),
            meta.graph_version.clone(),
            meta.token.as_secret().clone(),
        )
    };
    let graph = Graph::new(transport, account);
    Arc::new(MetaPlatform::new(graph, meta.phone_number_id.clone(), contents(meta), hook_urls, clock))
}

/// What the declared content of a number says. No declaration can be for Meta yet.
fn contents(_: &Meta) -> Contents {
    Contents::new()
}

/// What the hooks verify with.
pub(super) fn numbers(config: &Config) -> BTreeMap<AccountAlias, MetaNumber> {
    let number = |meta: &Meta| MetaNumber {
        sender: meta.number,
        phone_number_id: meta.phone_number_id.clone(),
        business_account_id: meta.business_account_id.clone(),
        app_secret: meta.app_secret.as_secret().clone(),
        verify_token: meta.verify_token.as_secret().clone(),
    };
    config.meta.iter().map(|(alias, meta)| (alias.clone(), number(meta))).collect()
}
