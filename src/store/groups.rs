//! The port `Groups`: the dialling groups of open callbacks, and of what only one group may use.
//!
//! A pool, a campaign, and what has a ceiling of the operator is of the group that used it first. Orders take what they use in
//! their own transaction; see [`Enqueue::of_one_group`](super::Enqueue::of_one_group).

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;

use super::Result;
use crate::domain::{GroupName, Phone, Resource};

/// The dialling groups of what is stored.
#[async_trait]
pub trait Groups: Send + Sync {
    /// Takes what no order has used yet for a dialling group. The first of these that is of another group, if there is one;
    /// then nothing is taken.
    async fn use_in_group(&self, uses: Vec<Resource>, group: GroupName) -> Result<Option<OtherGroup>>;

    /// The groups of those that an order has used.
    async fn groups_of(&self, uses: &[Resource]) -> Result<Vec<(Resource, GroupName)>>;

    /// Puts the open callbacks into the dialling groups of their senders, each into that of its first sender among these.
    /// Changed callbacks have a new version. If a sender is in another group than at the last time, uses are forgotten, but
    /// those of open callbacks.
    async fn regroup(&self, senders: BTreeMap<Phone, GroupName>) -> Result<Regrouped>;
}

/// What became of the open callbacks when the groups of senders changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Regrouped {
    /// Callbacks that are in another group than before.
    pub moved: u64,
    /// Callbacks with senders of several groups, or with a pool or a campaign of another group.
    pub divided: u64,
}

/// What an order uses that is of another dialling group than its senders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherGroup {
    pub of: Resource,
    /// The group that it is of.
    pub group: GroupName,
}

impl OtherGroup {
    /// The field of the order that names it, or would.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self.of {
            Resource::Pool(_) => "pool",
            Resource::Campaign(_) => "campaign",
            Resource::Agents(_) => "agent",
            Resource::Sender(_) | Resource::Account(_) | Resource::Bot => "senders",
        }
    }

    /// The code of the fault.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.of {
            Resource::Pool(_) => "pool.group",
            Resource::Campaign(_) => "campaign.group",
            Resource::Agents(_) => "agent.group",
            Resource::Sender(_) | Resource::Account(_) | Resource::Bot => "sender.group",
        }
    }
}

impl fmt::Display for OtherGroup {
    /// What is wrong and which senders the order needs. An agent is not named.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            Resource::Pool(pool) => write!(f, "the pool {:?}", pool.name.as_str())?,
            Resource::Campaign(_) => f.write_str("the campaign")?,
            Resource::Agents(_) => f.write_str("an agent with a ceiling")?,
            Resource::Sender(_) | Resource::Account(_) | Resource::Bot => {
                f.write_str("something that it uses")?
            }
        }
        let group = &self.group;
        write!(
            f,
            " is of the dialling group {group}, whose senders used it first: the senders of the order have to be of that group"
        )
    }
}
