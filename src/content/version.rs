//! Which version of a template of `[meta]` is sent.

use std::collections::BTreeSet;
use std::fmt;

use super::canonical::{name_in, template_name, version};
use super::declaration::Declaration;
use super::held::{Held, Status};
use super::plan::{Plan, Step, Why};
use super::role::Unusable;
use super::template;

/// The version that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its name at WhatsApp.
    pub name: String,
    /// What a message fills of it.
    pub fills: BTreeSet<String>,
    /// WhatsApp has paused it for some hours.
    pub is_paused: bool,
    /// Why the declared version is not sent, if this is an older one.
    pub instead: Option<Unusable>,
}

/// Why no version of a template can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoVersion {
    /// What is wrong with the declared one.
    pub why: Unusable,
    /// There are older ones that could be sent, and a message for the declared one does not fit them.
    pub misfit: bool,
}

impl fmt::Display for NoVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)?;
        if self.misfit {
            f.write_str("; the older versions have another language, other variables or other buttons")?;
        }
        Ok(())
    }
}

/// What a message fills of the declared version.
#[must_use]
pub fn declared_fills(declared: &Declaration) -> BTreeSet<String> {
    let created = template::creation(declared);
    let components = created["components"].as_array().map_or(&[][..], Vec::as_slice);
    template::fills(&declared.language, components)
}

/// The declared version, if WhatsApp has approved it; else an older one that a message for the declared one fits. Of
/// several that is the one of the name `last`, then an approved one before a paused one, then the one with the highest id,
/// since Meta does not tell when a template was created.
///
/// # Errors
/// [`NoVersion`].
pub fn choose(declared: &Declaration, held: &[Held], last: Option<&str>) -> Result<Version, NoVersion> {
    let fills = declared_fills(declared);
    let why = match hindrance(declared, held) {
        Ok(is_paused) => {
            return Ok(Version { name: template_name(declared), fills, is_paused, instead: None });
        }
        Err(why) => why,
    };
    let older = others(declared, held);
    let rank = |held: &&&Held| {
        let is_last = last == Some(&*held.review.name);
        (is_last, held.review.status == Status::Approved, held.sid.len(), held.sid.clone())
    };
    match older.iter().filter(|held| held.fills == fills).max_by_key(rank) {
        Some(found) => Ok(Version {
            name: found.review.name.clone(),
            fills,
            is_paused: found.review.status == Status::Paused,
            instead: Some(why),
        }),
        None => Err(NoVersion { why, misfit: !older.is_empty() }),
    }
}

/// What may be sent in place of the declared version while that cannot be sent.
#[must_use]
pub fn substitutes<'h>(declared: &Declaration, held: &'h [Held]) -> Vec<&'h Held> {
    if hindrance(declared, held).is_ok() { Vec::new() } else { others(declared, held) }
}

/// The other versions that WhatsApp takes.
fn others<'h>(declared: &Declaration, held: &'h [Held]) -> Vec<&'h Held> {
    let own = version(declared);
    let is_sent = |held: &&Held| {
        matches!(held.review.status, Status::Approved | Status::Paused)
            && held.friendly_name != own
            && name_in(&held.friendly_name) == Some(&*declared.name)
    };
    held.iter().filter(is_sent).collect()
}

/// Whether the declared version is paused; else why it cannot be sent.
fn hindrance(declared: &Declaration, held: &[Held]) -> Result<bool, Unusable> {
    let step = Plan::new([declared], held).items.into_iter().next().map(|item| item.step);
    Err(match step {
        Some(Step::Keep { status: Status::Approved, .. }) => return Ok(false),
        Some(Step::Keep { status: Status::Paused, .. }) => return Ok(true),
        Some(Step::Keep { status, .. }) => Unusable::InReview(status.as_str().to_owned()),
        Some(Step::Submit { .. }) => Unusable::Unsubmitted,
        Some(Step::Blocked { why: Why::Rejected(why), .. }) => Unusable::Rejected(why),
        Some(Step::Blocked { why: Why::Disabled, .. }) => Unusable::Disabled,
        Some(Step::Blocked { why: Why::Altered, .. }) => Unusable::Altered,
        Some(Step::Create) | None => Unusable::Missing,
    })
}
