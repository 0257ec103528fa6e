//! The content that senders, numbers and pages name, checked by its declarations. Asks nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::contents::{content_of, key};
use super::messenger;
use crate::config::Config;
use crate::content::road::Use;
use crate::content::texts::needed;
use crate::content::{Declaration, Fault, Folder};
use crate::domain::{ContentRef, RoadKind};
use crate::http::OrderContents;
use crate::meta::declared;

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
    let on_twilio = config.accounts.values().any(|account| !account.named_content.is_empty());
    if !on_twilio && named_by_meta(config).next().is_none() {
        return Ok(NamedContent::default());
    }
    let directory = &config.content.directory;
    let (folder, found) = Folder::read(directory)
        .with_context(|| format!("the declarations of content in {} cannot be used", directory.display()))?;
    let mut named = NamedContent { folder, ..NamedContent::default() };
    let told = |(path, fault): &(PathBuf, Fault)| format!("{}:{fault}", path.display());
    named.faults.extend(found.0.iter().filter(|(_, fault)| fault.is_error()).map(told));
    for (alias, account) in &config.accounts {
        for ((sender, role), name) in &account.named_content {
            let key = key(alias, *sender, *role);
            let Some(declared) = named.declared(&key, name, directory) else { continue };
            let (misfit, doubt) = (role.misfit(&declared), role.doubt(&declared));
            named.faults.extend(misfit.map(|why| format!("{key}: {name:?} {why}")));
            named.doubts.extend(doubt.map(|why| format!("{key}: {name:?} {why}")));
        }
    }
    for (key, using, name) in named_by_meta(config) {
        let Some(declared) = named.declared(&key, name.as_str(), directory) else { continue };
        named.faults.extend(using.misfit(&declared).map(|why| format!("{key}: {name:?} {why}")));
    }
    Ok(named)
}

impl NamedContent {
    /// The declaration of a name. It is a fault if there is none, but for one whose own faults are told.
    fn declared(&mut self, key: &str, name: &str, directory: &Path) -> Option<Declaration> {
        let declared = self.folder.declaration(name).cloned();
        if declared.is_none() && !self.folder.is_broken(name) {
            self.faults.push(format!("{key}: {name:?} is not declared in {}", directory.display()));
        }
        declared
    }

    /// The folder, if there is no fault.
    ///
    /// # Errors
    /// With all faults.
    pub fn whole(self) -> anyhow::Result<Folder> {
        refuse(&self.faults)?;
        Ok(self.folder)
    }
}

/// Refuses the content of senders for these faults, each on a line.
pub(super) fn refuse(faults: &[String]) -> anyhow::Result<()> {
    match faults {
        [] => Ok(()),
        [fault] => anyhow::bail!("the content of senders is refused: {fault}"),
        faults => anyhow::bail!(
            "the content of senders is refused for {} faults:\n  {}",
            faults.len(),
            faults.join("\n  ")
        ),
    }
}

/// The declarations for `[meta]` and `[messenger]`, if content is named there. All of it is sent as declared.
///
/// # Errors
/// If it cannot be read, or is not what its road can send.
pub(super) fn of_meta(config: &Config) -> anyhow::Result<Folder> {
    if named_by_meta(config).next().is_none() {
        return Ok(Folder::default());
    }
    named_content(config)?.whole()
}

/// What orders are checked against: content at Twilio by what was found there, the rest by its declarations.
pub(super) fn of_orders(config: &Config, folder: &Folder) -> OrderContents {
    let mut variables: BTreeMap<ContentRef, BTreeSet<String>> =
        config.accounts.values().flat_map(|account| account.content_variables.clone()).collect();
    for account in config.accounts.values() {
        let named = account.named_content.keys();
        let contents =
            named.filter_map(|(number, role)| content_of(account.senders.get(number)?, *role).clone());
        // Content without variables is known too.
        contents.for_each(|content| _ = variables.entry(content).or_default());
    }
    let declared = named_by_meta(config)
        .filter_map(|(_, _, name)| Some((name.clone(), needed(folder.declaration(name.as_str())?))));
    variables.extend(declared);
    OrderContents {
        variables,
        meta: declared::contents(&folder.declarations),
        pages: messenger::contents(folder),
    }
}

/// The content that `[meta]` and `[messenger]` name, each with its key.
fn named_by_meta(config: &Config) -> impl Iterator<Item = (String, Use, &ContentRef)> {
    let numbers = config.meta.iter().flat_map(|(alias, meta)| {
        meta.contents.iter().map(move |(kind, name)| {
            let using = use_of(*kind);
            (format!("meta.{alias}.{}", using.key()), using, name)
        })
    });
    let requests = config.meta.iter().filter_map(|(alias, meta)| {
        let using = Use::PermissionRequest;
        Some((format!("meta.{alias}.{}", using.key()), using, meta.permission_request.as_ref()?))
    });
    let pages = config.messenger.iter().filter_map(|(alias, page)| {
        let using = Use::Messenger;
        Some((format!("messenger.{alias}.{}", using.key()), using, page.invite.as_ref()?))
    });
    numbers.chain(requests).chain(pages)
}

const fn use_of(kind: RoadKind) -> Use {
    match kind {
        RoadKind::CallButton => Use::CallButton,
        RoadKind::Template => Use::Template,
        RoadKind::UrlButton => Use::UrlButton,
        RoadKind::DeepLink => Use::DeepLink,
        RoadKind::Messenger => Use::Messenger,
    }
}
