//! The content that senders name: checked against its declarations, and looked up at the platform at the start.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;

use super::wiring;
use crate::clock::Clock;
use crate::config::{Account, Config};
use crate::content::apply::list;
use crate::content::role::Role;
use crate::content::{Catalogue, Folder, Held};
use crate::domain::{AccountAlias, Phone};

/// The content of each account, over HTTP.
///
/// # Errors
/// If TLS cannot be set up.
pub fn catalogues(config: &Config) -> anyhow::Result<BTreeMap<AccountAlias, Arc<dyn Catalogue>>> {
    let catalogue = |(alias, account): (&AccountAlias, &Account)| {
        let client = wiring::client(account, wiring::over_http(account)?);
        Ok((alias.clone(), Arc::new(client) as Arc<dyn Catalogue>))
    };
    config.accounts.iter().map(catalogue).collect()
}

/// The declarations that senders name.
#[derive(Debug, Default)]
pub struct NamedContent {
    pub folder: Folder,
    /// What is allowed and probably not meant, each a line.
    pub doubts: Vec<String>,
    /// Why the configuration cannot be used, each a line.
    pub faults: Vec<String>,
}

/// Checks every name of content by its declaration. Asks nobody.
///
/// # Errors
/// If a sender names content and the declarations cannot be read.
pub fn named_content(config: &Config) -> anyhow::Result<NamedContent> {
    if config.accounts.values().all(|account| account.named_content.is_empty()) {
        return Ok(NamedContent::default());
    }
    let directory = &config.content.directory;
    let folder = Folder::load(directory)
        .with_context(|| format!("the declarations of content in {} cannot be used", directory.display()))?;
    let mut named = NamedContent { folder, ..NamedContent::default() };
    for (alias, account) in &config.accounts {
        for ((sender, role), name) in &account.named_content {
            let key = key(alias, *sender, *role);
            match named.folder.declaration(name) {
                None => {
                    named.faults.push(format!("{key}: {name:?} is not declared in {}", directory.display()))
                }
                Some(declared) => {
                    named.faults.extend(role.misfit(declared).map(|why| format!("{key}: {name:?} {why}")));
                    named.doubts.extend(role.doubt(declared).map(|why| format!("{key}: {name:?} {why}")));
                }
            }
        }
    }
    Ok(named)
}

/// The configuration with the identifiers of all named content.
///
/// # Errors
/// All content that is missing, rejected, or not approved where it has to be; or the reason why it cannot be listed.
pub(super) async fn resolve(config: &Config, clock: &dyn Clock) -> anyhow::Result<Config> {
    let named = named_content(config)?;
    anyhow::ensure!(named.faults.is_empty(), "the content of senders: {}", named.faults.join("; "));
    for doubt in &named.doubts {
        tracing::warn!("{doubt}");
    }
    let mut resolved = config.clone();
    let mut faults = Vec::new();
    for (alias, account) in &mut resolved.accounts {
        if account.named_content.is_empty() {
            continue;
        }
        let client = wiring::client(account, wiring::over_http(account)?);
        let held = list(&client, clock).await.with_context(|| {
            format!("accounts.{alias}: the content that its senders name cannot be looked up")
        })?;
        faults.extend(fill(alias, account, &named.folder, &held));
    }
    anyhow::ensure!(faults.is_empty(), "the content of senders: {}", faults.join("; "));
    Ok(resolved)
}

/// Fills in the identifiers, and returns the faults.
fn fill(alias: &AccountAlias, account: &mut Account, folder: &Folder, held: &[Held]) -> Vec<String> {
    let mut faults = Vec::new();
    for ((sender, role), name) in &account.named_content {
        let key = key(alias, *sender, *role);
        let chosen = match role.choose(name, folder.declaration(name), held) {
            Ok(chosen) => chosen,
            Err(why) => {
                faults.push(format!("{key}: {name:?} {why}"));
                continue;
            }
        };
        if chosen.is_older {
            tracing::warn!("{key}: the declared version cannot be sent yet, so {} is used", chosen.version);
        }
        if chosen.is_paused {
            tracing::warn!("{key}: WhatsApp has paused {} after bad feedback", chosen.version);
        }
        tracing::info!("{key} is {} ({})", chosen.sid, chosen.version);
        let Some(sender) = account.senders.get_mut(sender) else { continue };
        let content = match chosen.sid.parse() {
            Ok(content) => Some(content),
            Err(why) => {
                faults.push(format!("{key}: the platform's name of {name:?}: {why}"));
                continue;
            }
        };
        match role {
            Role::Request => sender.permission_request = content,
            Role::Template => sender.permission_template = content,
            Role::Invite => sender.invite = content,
        }
    }
    faults
}

/// The key that names the content, with the number masked: it is logged.
fn key(alias: &AccountAlias, sender: Phone, role: Role) -> String {
    format!("accounts.{alias}.senders.\"{sender}\".{}", role.key())
}
