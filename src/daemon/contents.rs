//! The content that senders and numbers name, looked up at the platform at the start.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;

use super::content_pauses::{SeenContent, Start};
use super::named_content::{named_content, refuse};
use super::{meta, templates, wiring};
use crate::config::{Account, Config, Meta};
use crate::content::apply::list;
use crate::content::role::Role;
use crate::content::{Catalogue, Failure, Folder, Held};
use crate::domain::{AccountAlias, ContentRef, Issuer, Phone, Sender};
use crate::store::relational::FoundContent;
use crate::twilio::Client;

/// The content of each account, over HTTP.
///
/// # Errors
/// If TLS cannot be set up.
pub fn catalogues(config: &Config) -> anyhow::Result<BTreeMap<AccountAlias, Arc<dyn Catalogue>>> {
    let catalogue = |(alias, account): (&AccountAlias, &Account)| {
        let client = wiring::client(account, wiring::over_http(account)?);
        Ok((alias.clone(), Arc::new(client) as Arc<dyn Catalogue>))
    };
    let templates = |(alias, own): (&AccountAlias, &Meta)| {
        Ok((alias.clone(), Arc::new(meta::templates(own)?) as Arc<dyn Catalogue>))
    };
    config.accounts.iter().map(catalogue).chain(config.meta.iter().map(templates)).collect()
}

/// The client of each account, over HTTP.
///
/// # Errors
/// If TLS cannot be set up.
pub fn clients(config: &Config) -> anyhow::Result<BTreeMap<AccountAlias, Client>> {
    let client = |(alias, account): (&AccountAlias, &Account)| {
        Ok((alias.clone(), wiring::client(account, wiring::over_http(account)?)))
    };
    config.accounts.iter().map(client).collect()
}

/// The configuration with the identifiers of all named content. If Twilio does not answer, those that were found last.
///
/// # Errors
/// All content that is missing, rejected, or not approved where it has to be; or the reason why it cannot be listed.
pub(super) async fn resolve(config: &Config, start: &Start<'_>) -> anyhow::Result<Config> {
    let Start { clock, store, .. } = *start;
    let named = named_content(config)?;
    for doubt in &named.doubts {
        tracing::warn!("{doubt}");
    }
    let folder = named.whole()?;
    let mut resolved = config.clone();
    let mut faults = Vec::new();
    for (alias, account) in &mut resolved.accounts {
        if account.named_content.is_empty() {
            continue;
        }
        let client = wiring::client(account, wiring::over_http(account)?);
        match list(&client, clock).await {
            Ok(held) => {
                let Filled { faults: told, paused } = fill(alias, account, &folder, &held);
                if told.is_empty() {
                    for content in &paused {
                        let seen = SeenContent {
                            account: alias,
                            content,
                            issuer: Issuer::Twilio,
                            // Another version has another SID.
                            is_changed: false,
                            is_paused: true,
                        };
                        start.pause(&seen).await.context("cannot write the store")?;
                    }
                    let found = found_in(alias, account, clock.now());
                    store.keep_found_content(alias, found).await.context("cannot write the store")?;
                }
                faults.extend(told);
            }
            Err(why) => {
                let kept = store.found_content().await.context("cannot read the store")?;
                let since = match why {
                    Failure::Credentials(_) => None,
                    _ => fill_from(alias, account, &kept),
                };
                let Some(since) = since else {
                    return Err(why).with_context(|| {
                        format!("accounts.{alias}: the content that its senders name cannot be looked up")
                    });
                };
                tracing::warn!(
                    "accounts.{alias}: the content that its senders name cannot be looked up, so what was found at \
                     {since} is used: {why}"
                );
            }
        }
    }
    for (alias, own) in &mut resolved.meta {
        faults.extend(templates::resolve(alias, own, &folder, start).await?);
    }
    refuse(&faults)?;
    Ok(resolved)
}

/// What an account uses, to keep it for a start without Twilio.
fn found_in(alias: &AccountAlias, account: &Account, now: Timestamp) -> Vec<FoundContent> {
    let found = |((number, role), name): (&(Phone, Role), &String)| {
        let content = content_of(account.senders.get(number)?, *role).clone()?;
        Some(FoundContent {
            account: alias.clone(),
            sender: *number,
            role: role.key().to_owned(),
            name: name.clone(),
            variables: account.content_variables.get(&content).cloned().unwrap_or_default(),
            content,
            found_at: now,
        })
    };
    account.named_content.iter().filter_map(found).collect()
}

/// Fills in what was kept. Returns since when it is known; `None`, and nothing is filled in, if a name is not among it.
fn fill_from(alias: &AccountAlias, account: &mut Account, kept: &[FoundContent]) -> Option<Timestamp> {
    let of = |(&(number, role), name): (&(Phone, Role), &String)| {
        let is_it = |kept: &&FoundContent| {
            kept.account == *alias && kept.sender == number && kept.role == role.key() && kept.name == *name
        };
        kept.iter().find(is_it).map(|kept| (number, role, kept))
    };
    let all: Option<Vec<_>> = account.named_content.iter().map(of).collect();
    let all = all?;
    let since = all.iter().map(|(.., kept)| kept.found_at).min()?;
    for (number, role, kept) in all {
        if let Some(sender) = account.senders.get_mut(&number) {
            *content_mut(sender, role) = Some(kept.content.clone());
        }
        if !kept.variables.is_empty() {
            account.content_variables.insert(kept.content.clone(), kept.variables.clone());
        }
    }
    Some(since)
}

pub(super) const fn content_of(sender: &Sender, role: Role) -> &Option<ContentRef> {
    match role {
        Role::Request => &sender.permission_request,
        Role::Template => &sender.permission_template,
        Role::Invite => &sender.invite,
    }
}

const fn content_mut(sender: &mut Sender, role: Role) -> &mut Option<ContentRef> {
    match role {
        Role::Request => &mut sender.permission_request,
        Role::Template => &mut sender.permission_template,
        Role::Invite => &mut sender.invite,
    }
}

/// What came of filling in.
#[derive(Default)]
struct Filled {
    faults: Vec<String>,
    /// What WhatsApp has paused.
    paused: BTreeSet<ContentRef>,
}

/// Fills in the identifiers.
fn fill(alias: &AccountAlias, account: &mut Account, folder: &Folder, held: &[Held]) -> Filled {
    let Filled { mut faults, mut paused } = Filled::default();
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
        let content = match chosen.sid.parse::<ContentRef>() {
            Ok(content) => {
                let shown = held.iter().find(|held| held.sid == chosen.sid);
                let names: BTreeSet<String> =
                    shown.into_iter().flat_map(|held| held.variables.keys().cloned()).collect();
                if !names.is_empty() {
                    account.content_variables.insert(content.clone(), names);
                }
                if chosen.is_paused {
                    paused.insert(content.clone());
                }
                Some(content)
            }
            Err(why) => {
                faults.push(format!("{key}: the platform's name of {name:?}: {why}"));
                continue;
            }
        };
        *content_mut(sender, *role) = content;
    }
    Filled { faults, paused }
}

/// The key that names the content, with the number masked: it is logged.
pub(super) fn key(alias: &AccountAlias, sender: Phone, role: Role) -> String {
    format!("accounts.{alias}.senders.\"{sender}\".{}", role.key())
}
