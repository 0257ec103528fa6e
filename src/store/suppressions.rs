//! The port `Suppressions`: the lists of people whom nobody calls or writes to.

use std::collections::BTreeMap;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{NewCommand, Result};
use crate::domain::event::SuppressionAdded;
use crate::domain::{
    AccountAlias, Callback, Country, ListName, ListTerm, Name, Phone, Purpose, SuppressionScope,
};
use crate::suppression::{NameHash, NameHasher};

/// Adds entries of suppression lists, and tells what lists there are. Entries end through a batch.
///
/// What an entry forbids is read with the people ([`Records::people`](super::Records::people)), and new orders are
/// checked where they are stored.
#[async_trait]
pub trait Suppressions: Send + Sync {
    /// Sets how names are hashed. Until then a store with entries reads nobody and takes no order.
    ///
    /// # Errors
    /// [`Error::Unusable`](super::Error::Unusable) if there are entries that were hashed with another key.
    async fn hash_with(&self, hashing: Hashing) -> Result<()>;

    /// Adds entries, and the command with which the scheduler looks at whom they concern, in one transaction. An entry
    /// that is there already stays as it is.
    async fn suppress(&self, new: NewSuppressions) -> Result<Suppressed>;

    /// Makes a version of an imported list, unless there is one of that name and version.
    async fn make_list(&self, list: NewList) -> Result<SuppressionList>;

    /// All lists with entries or versions, but those that newer versions retired; by name.
    async fn suppression_lists(&self) -> Result<Vec<SuppressionList>>;

    /// Waiting orders after a position, and the position of the last; `None` if there are no more.
    async fn waiting_orders(&self, after: i64, most: usize) -> Result<(Vec<Callback>, Option<i64>)>;

    /// The hashes of the entries of this list for a name: a number in every certain spelling, with and without its plus.
    async fn entries_of(&self, list: &ListName, name: &EntryName) -> Result<Vec<NameHash>>;
}

/// How names are hashed, and which account each sender belongs to.
#[derive(Debug, Clone)]
pub struct Hashing {
    pub hasher: NameHasher,
    pub accounts: BTreeMap<Phone, AccountAlias>,
}

/// A name in a new entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryName {
    Name(Name),
    /// The name is known by its SHA-256 only, so what waits for it is not withdrawn at once.
    Digest([u8; 32]),
}

/// New entries of one list.
#[derive(Debug, Clone)]
pub struct NewSuppressions {
    pub list: ListName,
    /// The version of an imported list, which must have been made; empty for another list.
    pub version: String,
    pub scope: SuppressionScope,
    pub expires_at: Option<Timestamp>,
    pub why: Option<String>,
    pub names: Vec<EntryName>,
    /// Its event is [`Event::Suppressed`](crate::domain::Event::Suppressed), which the store completes.
    pub command: NewCommand,
}

/// What came of new entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suppressed {
    /// The command is filed, now or when it was sent before.
    Filed {
        is_new: bool,
        /// With at most [`NewSuppressions::WAITING_MAX`] orders that waited.
        event: SuppressionAdded,
    },
    /// Another command has the key.
    OtherCommand,
    /// There is no such version of the list, or a newer one is complete.
    NoSuchVersion,
}

impl NewSuppressions {
    /// The maximum of waiting callbacks that are told.
    pub const WAITING_MAX: usize = 10_000;
}

/// A version of an imported list, before its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewList {
    pub name: ListName,
    pub version: String,
    pub purposes: Vec<Purpose>,
    /// The countries of the numbers that it binds; empty for all.
    pub countries: Vec<Country>,
    pub valid_until: Option<Timestamp>,
    pub source: Option<String>,
    pub at: Timestamp,
    /// The name of the API token.
    pub by: String,
}

/// A list, or a version of an imported one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressionList {
    pub id: i64,
    pub name: ListName,
    /// Empty for a list without versions.
    pub version: String,
    /// The purposes that it binds; empty for all.
    pub purposes: Vec<Purpose>,
    /// The countries of the numbers that it binds; empty for all.
    pub countries: Vec<Country>,
    pub valid_until: Option<Timestamp>,
    pub source: Option<String>,
    pub made_at: Timestamp,
    pub made_by: String,
    /// As counted by the scheduler.
    pub entries: u64,
    pub complete_at: Option<Timestamp>,
    pub retired_at: Option<Timestamp>,
}

/// The terms of the lists that are whole and have one.
#[must_use]
pub fn list_terms(lists: Vec<SuppressionList>) -> Vec<ListTerm> {
    let whole = lists.into_iter().filter(|list| list.complete_at.is_some());
    let term = |list: SuppressionList| {
        let SuppressionList { name, purposes, countries, valid_until, .. } = list;
        valid_until.map(|valid_until| ListTerm { list: name, purposes, countries, valid_until })
    };
    whole.filter_map(term).collect()
}

/// A change of lists in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListChange {
    /// So many entries were added, as a command says.
    Added { list: i64, entries: u32 },
    /// Entries with these hashes end, in every version of the list.
    Removed { list: ListName, hashes: Vec<NameHash> },
    /// The version is whole, so older versions of the same name count no more.
    Complete { list: i64, at: Timestamp },
}
