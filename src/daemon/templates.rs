//! The templates that numbers of `[meta]` name, looked up at Meta at the start.

use anyhow::Context as _;

use super::content_pauses::{SeenContent, Start};
use super::meta;
use crate::config::Meta;
use crate::content::apply::list;
use crate::content::canonical::template_name;
use crate::content::road::Use;
use crate::content::version::{Version, choose, declared_fills};
use crate::content::{Declaration, Failure, Folder};
use crate::domain::{AccountAlias, Issuer, RoadKind};
use crate::store::relational::FoundContent;

/// Looks up the template that a number names, and keeps it. If Meta does not answer, the one that was found last counts.
/// Returns why it cannot be sent.
///
/// # Errors
/// If the store fails, or Meta does not answer and nothing that fits was found before.
pub(super) async fn resolve(
    alias: &AccountAlias,
    own: &mut Meta,
    folder: &Folder,
    start: &Start<'_>,
) -> anyhow::Result<Option<String>> {
    let named = own.contents.get(&RoadKind::Template).cloned();
    let Some((named, declared)) = named.and_then(|name| {
        let declared = folder.declaration(name.as_str())?;
        Some((name, declared))
    }) else {
        return Ok(None);
    };
    let key = format!("meta.{alias}.{}", Use::Template.key());
    let kept = kept(alias, declared, start).await?;
    let version = match list(&meta::templates(own)?, start.clock).await {
        Ok(held) => {
            let last = kept.as_ref().map(|kept| kept.content.as_str());
            match choose(declared, &held, last) {
                Ok(version) => version,
                Err(why) => return Ok(Some(format!("{key}: {:?} {why}", declared.name))),
            }
        }
        Err(why) => {
            let key = culprit(alias, &key, &why);
            let usable = kept.filter(|kept| fits(kept, declared) && !matches!(why, Failure::Credentials(_)));
            let Some(found) = usable else {
                return Err(why)
                    .with_context(|| format!("{key}: the template that it names cannot be looked up"));
            };
            let since = found.found_at;
            tracing::warn!(
                "{key}: the template cannot be looked up, so what was found at {since} is used: {why}"
            );
            own.template = Some(found.content.as_str().to_owned());
            return Ok(None);
        }
    };
    tell(&key, declared, &version);
    let content = version.name.parse().with_context(|| format!("{key}: its name at WhatsApp"))?;
    let seen = SeenContent {
        account: alias,
        content: &named,
        issuer: Issuer::Meta,
        is_changed: kept.is_some_and(|kept| kept.content != content),
        is_paused: version.is_paused,
    };
    // Before what was found is kept: a start that was killed between the two does it again.
    start.pause(&seen).await.context("cannot write the store")?;
    let found = FoundContent {
        account: alias.clone(),
        sender: own.number,
        role: Use::Template.key().to_owned(),
        name: declared.name.clone(),
        content,
        variables: version.fills,
        found_at: start.clock.now(),
    };
    start.store.keep_found_content(alias, vec![found]).await.context("cannot write the store")?;
    own.template = Some(version.name);
    Ok(None)
}

fn tell(key: &str, declared: &Declaration, version: &Version) {
    let name = &version.name;
    if let Some(why) = &version.instead {
        tracing::warn!("{key}: {:?} {why}; until then the older version {name} is used", declared.name);
    }
    if version.is_paused {
        tracing::warn!("{key}: WhatsApp has paused {name} after bad feedback");
    }
}

/// What was found last for this name.
async fn kept(
    alias: &AccountAlias,
    declared: &Declaration,
    start: &Start<'_>,
) -> anyhow::Result<Option<FoundContent>> {
    let all = start.store.found_content().await.context("cannot read the store")?;
    let is_it = |kept: &FoundContent| {
        kept.account == *alias && kept.role == Use::Template.key() && kept.name == declared.name
    };
    Ok(all.into_iter().find(is_it))
}

/// Whether a message for the declared version fits what was kept.
fn fits(kept: &FoundContent, declared: &Declaration) -> bool {
    kept.content.as_str() == template_name(declared) || kept.variables == declared_fills(declared)
}

/// The key that is to be looked at: a refusal that is not about the token is about the account.
fn culprit(alias: &AccountAlias, key: &str, why: &Failure) -> String {
    match why {
        Failure::Refused { .. } => format!("meta.{alias}.business_account_id ({key})"),
        _ => key.to_owned(),
    }
}
