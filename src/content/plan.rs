//! Compares declarations with the content of an account.

use super::canonical::{name_in, template_name, version};
use super::declaration::Declaration;
use super::held::{Held, Status};

/// What has to be done so that every declaration is content of the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// In the order of the declarations.
    pub items: Vec<Item>,
}

/// One declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The place of the declaration in the list.
    pub index: usize,
    pub name: String,
    /// The friendly name of its content, `name@hash`.
    pub version: String,
    pub step: Step,
    /// The identifiers of other content with the same version, from two runs at the same time.
    pub twins: Vec<String>,
    /// Other versions of the name, oldest first.
    pub others: Vec<String>,
}

/// What has to be done for one declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Create it, and submit it where approval is declared.
    Create,
    /// It is there and was not submitted.
    Submit { sid: String },
    /// Nothing.
    Keep { sid: String, status: Status, changed_category: Option<String> },
    /// Only a changed declaration helps.
    Blocked { sid: String, why: Why },
}

/// Why a version cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    #[error("WhatsApp rejected it: {0}")]
    Rejected(String),
    #[error("WhatsApp disabled it for good")]
    Disabled,
    #[error("the content of this name shows something else than the declaration")]
    Altered,
}

impl Item {
    /// The content of this version, if it is there.
    #[must_use]
    pub fn sid(&self) -> Option<&str> {
        match &self.step {
            Step::Create => None,
            Step::Submit { sid } | Step::Keep { sid, .. } | Step::Blocked { sid, .. } => Some(sid),
        }
    }
}

impl Plan {
    /// Plans what brings the account to the declarations. `held` is all content of the account.
    #[must_use]
    pub fn new<'d>(declarations: impl IntoIterator<Item = &'d Declaration>, held: &[Held]) -> Self {
        let items = declarations.into_iter().enumerate().map(|(index, declaration)| {
            let version = version(declaration);
            let same = versions(held, &version);
            Item {
                index,
                name: declaration.name.clone(),
                step: step(declaration, same.first().copied(), held),
                twins: same.iter().skip(1).map(|held| held.sid.clone()).collect(),
                others: others(held, &declaration.name, &version),
                version,
            }
        });
        Self { items: items.collect() }
    }

    /// The items of the declarations that are wanted.
    #[must_use]
    pub fn only(mut self, is_wanted: impl Fn(usize) -> bool) -> Self {
        self.items.retain(|item| is_wanted(item.index));
        self
    }

    /// Whether nothing has to be done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.items.iter().all(|item| matches!(item.step, Step::Keep { .. }))
    }
}

/// The content of one version: the furthest in its review first, then the oldest.
pub(super) fn versions<'h>(held: &'h [Held], version: &str) -> Vec<&'h Held> {
    let mut same: Vec<&Held> = held.iter().filter(|held| held.friendly_name == version).collect();
    same.sort_by_key(|held| (distance(&held.review.status), held.created_at, held.sid.clone()));
    same
}

/// A submitted twin comes before one that was not: its name at WhatsApp is taken.
const fn distance(status: &Status) -> u8 {
    match status {
        Status::Approved => 0,
        Status::Paused => 1,
        Status::Pending | Status::Received | Status::Other(_) => 2,
        Status::Rejected | Status::Disabled => 3,
        Status::Unsubmitted => 4,
    }
}

fn others(held: &[Held], name: &str, version: &str) -> Vec<String> {
    let mut others: Vec<&Held> = held
        .iter()
        .filter(|held| name_in(&held.friendly_name) == Some(name) && held.friendly_name != version)
        .collect();
    others.sort_by_key(|held| (held.created_at, held.sid.clone()));
    others.into_iter().map(|held| held.sid.clone()).collect()
}

fn step(declaration: &Declaration, found: Option<&Held>, held: &[Held]) -> Step {
    let Some(found) = found else { return absent(declaration, held) };
    let sid = found.sid.clone();
    if !found.shows(declaration) {
        return Step::Blocked { sid, why: Why::Altered };
    }
    let review = &found.review;
    match &review.status {
        Status::Rejected => Step::Blocked { sid, why: rejected(found) },
        Status::Disabled => Step::Blocked { sid, why: Why::Disabled },
        Status::Unsubmitted if declaration.seeks_approval() => Step::Submit { sid },
        status => Step::Keep {
            sid,
            status: status.clone(),
            changed_category: review.changed_category(declaration).map(ToOwned::to_owned),
        },
    }
}

/// The content is not there. Its name at WhatsApp may be spent by content that was made in another way.
fn absent(declaration: &Declaration, held: &[Held]) -> Step {
    let name = template_name(declaration);
    let spent = held.iter().find(|held| held.review.name == name && held.review.status == Status::Rejected);
    match spent {
        Some(spent) if declaration.seeks_approval() => {
            Step::Blocked { sid: spent.sid.clone(), why: rejected(spent) }
        }
        _ => Step::Create,
    }
}

fn rejected(held: &Held) -> Why {
    let reason = held.review.reason.clone().filter(|reason| !reason.trim().is_empty());
    Why::Rejected(reason.unwrap_or_else(|| "no reason given".to_owned()))
}
