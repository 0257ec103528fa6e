//! Content of ours that nothing uses any more.

use std::collections::BTreeSet;

use super::canonical::{name_in, version};
use super::declaration::{Declaration, Kind};
use super::held::Held;
use super::plan::versions;
use super::role::Role;
use super::version::substitutes;

/// What the senders of a configuration use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uses {
    /// Identifiers in the configuration.
    pub sids: BTreeSet<String>,
    /// Declared names, each with its role.
    pub names: BTreeSet<(Role, String)>,
}

/// The content that may be deleted: with a name of ours, not the content of a declared version, and not what a sender
/// uses. The last version that can be sent stays while the declared one cannot. Which one that is of a template of
/// `[meta]` only the daemon knows, so all stay.
#[must_use]
pub fn unused<'h>(held: &'h [Held], declarations: &[Declaration], uses: &Uses) -> Vec<&'h Held> {
    let mut kept: BTreeSet<&str> = uses.sids.iter().map(String::as_str).collect();
    for declaration in declarations {
        kept.extend(versions(held, &version(declaration)).first().map(|held| held.sid.as_str()));
    }
    let declared = |name: &str| declarations.iter().find(|declaration| declaration.name == name);
    let chosen: Vec<_> = uses
        .names
        .iter()
        .filter_map(|(role, name)| role.choose(name, declared(name), held).ok())
        .chain(declarations.iter().filter_map(|declaration| last_good(declaration, held)))
        .collect();
    kept.extend(chosen.iter().map(|chosen| chosen.sid.as_str()));
    for template in declarations.iter().filter(|declared| declared.kind == Kind::MetaTemplate) {
        kept.extend(substitutes(template, held).into_iter().map(|held| held.sid.as_str()));
    }
    let is_named_only =
        |name: &str| declared(name).is_none() && uses.names.iter().any(|(_, named)| named == name);
    held.iter()
        .filter(|held| name_in(&held.friendly_name).is_some_and(|name| !is_named_only(name)))
        .filter(|held| !kept.contains(held.sid.as_str()))
        .collect()
}

/// The version of a declaration that can be sent: the declared one, or the one before.
fn last_good(declaration: &Declaration, held: &[Held]) -> Option<super::role::Chosen> {
    let role = if declaration.seeks_approval() { Role::Template } else { Role::Request };
    role.choose(&declaration.name, Some(declaration), held).ok()
}
