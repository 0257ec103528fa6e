//! Builds the platforms and hooks of `[messenger]`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::meta::GraphReach;
use crate::clock::Clock;
use crate::config::{Config, Messenger};
use crate::content::{Folder, Provider};
use crate::domain::AccountAlias;
use crate::hook_urls::HookUrls;
use crate::http::hooks::messenger::Page;
use crate::messenger::PagePlatform;
use crate::messenger::messages::Contents;
use crate::meta::{Graph, GraphAccount};
use crate::platform::Platform;
use crate::transport::Transport;

/// How a page is reached.
pub(super) const fn reach(page: &Messenger) -> GraphReach {
    GraphReach { connect_timeout: page.connect_timeout, requests_in_flight_max: page.requests_in_flight_max }
}

/// One page as a platform.
pub(super) fn platform(
    page: &Messenger,
    transport: Arc<dyn Transport>,
    folder: &Folder,
    hook_urls: Arc<HookUrls>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Platform> {
    let graph = Graph::new(transport, account(page));
    Arc::new(PagePlatform::new(graph, page.page_id.clone(), contents(folder), hook_urls, clock))
}

pub(super) fn account(page: &Messenger) -> GraphAccount {
    GraphAccount {
        create_timeout: page.request_timeout,
        read_timeout: page.request_timeout,
        ..GraphAccount::new(
            page.graph_url.as_str().trim_end_matches('/'),
            page.graph_version.clone(),
            page.token.as_secret().clone(),
        )
    }
}

/// What the declared content says.
pub(super) fn contents(folder: &Folder) -> Contents {
    let of_messenger = folder.declarations.iter().filter(|one| one.kind.provider() == Provider::Messenger);
    of_messenger.filter_map(|one| Some((one.name.parse().ok()?, one.clone()))).collect()
}

/// What the hooks verify with.
pub(super) fn pages(config: &Config) -> BTreeMap<AccountAlias, Page> {
    let page = |page: &Messenger| Page {
        page_id: page.page_id.clone(),
        app_secret: page.app_secret.as_secret().clone(),
        verify_token: page.verify_token.as_secret().clone(),
    };
    config.messenger.iter().map(|(alias, own)| (alias.clone(), page(own))).collect()
}
