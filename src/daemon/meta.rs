//! Builds the platforms and hooks of `[meta]`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use super::messenger;
use crate::clock::Clock;
use crate::config::{Config, Messenger, Meta};
use crate::content::Folder;
use crate::domain::{AccountAlias, ContentRef, RoadKind};
use crate::hook_urls::HookUrls;
use crate::http::hooks::meta::MetaNumber;
use crate::meta::messages::{Contents, Words};
use crate::meta::{Graph, GraphAccount, MetaPlatform, Templates, declared};
use crate::platform::Platform;
use crate::transport::{HttpOptions, HttpTransport, Transport};

/// What a transport to the Graph API needs to know of a number or a page.
#[derive(Debug, Clone, Copy)]
pub struct GraphReach {
    pub connect_timeout: Duration,
    pub requests_in_flight_max: u32,
}

/// How a number is reached.
pub(super) const fn reach(meta: &Meta) -> GraphReach {
    GraphReach { connect_timeout: meta.connect_timeout, requests_in_flight_max: meta.requests_in_flight_max }
}

/// The HTTP transport to the Graph API.
pub(super) fn over_http(reach: &GraphReach) -> anyhow::Result<Arc<dyn Transport>> {
    let transport = HttpTransport::new(&HttpOptions {
        connect_timeout: reach.connect_timeout,
        pool_idle_connections_max: reach.requests_in_flight_max as usize,
        ..HttpOptions::default()
    })
    .context("cannot set up TLS")?;
    Ok(Arc::new(transport))
}

/// The templates of a number's account, over HTTP.
///
/// # Errors
/// If TLS cannot be set up.
pub(super) fn templates(meta: &Meta) -> anyhow::Result<Templates> {
    let graph = Graph::new(over_http(&reach(meta))?, account(meta));
    Ok(Templates::new(graph, meta.business_account_id.clone()))
}

/// The client of each number and each page, over HTTP.
///
/// # Errors
/// If TLS cannot be set up.
pub fn graphs(config: &Config) -> anyhow::Result<BTreeMap<AccountAlias, Graph>> {
    let number = |(alias, own): (&AccountAlias, &Meta)| {
        Ok((alias.clone(), Graph::new(over_http(&reach(own))?, account(own))))
    };
    let page = |(alias, page): (&AccountAlias, &Messenger)| {
        Ok((alias.clone(), Graph::new(over_http(&messenger::reach(page))?, messenger::account(page))))
    };
    config.meta.iter().map(number).chain(config.messenger.iter().map(page)).collect()
}

fn account(meta: &Meta) -> GraphAccount {
    GraphAccount {
        create_timeout: meta.request_timeout,
        read_timeout: meta.request_timeout,
        ..GraphAccount::new(
            meta.graph_url.as_str().trim_end_matches('/'),
            meta.graph_version.clone(),
            meta.token.as_secret().clone(),
        )
    }
}

/// One number as a platform.
pub(super) fn platform(
    meta: &Meta,
    transport: Arc<dyn Transport>,
    folder: &Folder,
    hook_urls: Arc<HookUrls>,
    clock: Arc<dyn Clock>,
) -> Arc<dyn Platform> {
    let graph = Graph::new(transport, account(meta));
    let named = meta.contents.get(&RoadKind::Template).zip(meta.template.as_deref());
    let contents = contents(folder, named);
    Arc::new(MetaPlatform::new(graph, meta.phone_number_id.clone(), contents, hook_urls, clock))
}

/// What is declared. Of the template with this name the version that was found is sent, by its name at WhatsApp.
fn contents(folder: &Folder, found: Option<(&ContentRef, &str)>) -> Contents {
    let mut contents = declared::contents(&folder.declarations);
    if let Some((name, version)) = found
        && let Some(Words::Template(template)) = contents.get_mut(name)
    {
        version.clone_into(&mut template.name);
    }
    contents
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::canonical::template_name;

    #[test]
    fn the_version_that_was_found_is_sent_with_what_the_declaration_fills() {
        let directory = tempfile::tempdir().unwrap();
        let text = "name = \"invite\"\nlanguage = \"en\"\ncategory = \"UTILITY\"\napproval = \"whatsapp\"\n\
            type = \"meta/template\"\nbody = \"Call us, {{who}}, when it suits you.\"\n[[actions]]\n\
            type = \"VOICE_CALL\"\n[variables]\nwho = \"Ana\"\n";
        std::fs::write(directory.path().join("invite.toml"), text).unwrap();
        let folder = Folder::load(directory.path()).unwrap();
        let name: ContentRef = "invite".parse().unwrap();
        let sent =
            |found: Option<&str>| match &contents(&folder, found.map(|version| (&name, version)))[&name] {
                Words::Template(template) => (template.name.clone(), template.body.len()),
                other => panic!("{other:?}"),
            };
        let declared = template_name(folder.declaration("invite").unwrap());
        assert_eq!(sent(None), (declared, 1));
        assert_eq!(sent(Some("invite_0123456789")), ("invite_0123456789".to_owned(), 1));
    }
}
