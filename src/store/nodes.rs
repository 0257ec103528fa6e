//! The port `Nodes`: which processes use the store, and which of them dials for a group of accounts.
//!
//! Times in it are the database's. A store in a file has no clock of its own: it takes the time that the caller tells,
//! which is that of the same machine.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::Result;
use crate::domain::lease::{GroupName, LeaderRecord, Lease, Node, RunId};

/// The nodes and the leases of dialling groups.
#[async_trait]
pub trait Nodes: Send + Sync {
    /// Records that a node has started. Another run of the same name has to be gone: it left, or was not seen for
    /// `gone_after`, or `takes_over` says that it has certainly ended.
    async fn join(&self, node: NewNode) -> Result<Joined>;

    /// Records that a node lives, and claims or renews a lease if it wants one. Both by one command.
    async fn beat(&self, beat: Beat) -> Result<Beaten>;

    /// Gives a lease back. `false` if this run does not hold it in this term.
    async fn resign(&self, group: GroupName, run: RunId, term: u64, told_at: Timestamp) -> Result<bool>;

    /// Records that a node stops in order.
    async fn leave(&self, name: Arc<str>, run: RunId, told_at: Timestamp) -> Result<()>;

    /// Asks a node to resign. `false` if no node of this name is there.
    async fn ask_to_resign(&self, name: Arc<str>, by: Arc<str>, told_at: Timestamp) -> Result<bool>;

    /// All nodes, by name; those that left in the last month too.
    async fn nodes(&self) -> Result<Vec<Node>>;

    /// The leases of all groups, by name.
    async fn leases(&self) -> Result<Vec<Lease>>;

    /// The terms of a group, newest first, at most `most`.
    async fn leaders(&self, group: GroupName, most: usize) -> Result<Vec<LeaderRecord>>;
}

/// A node that starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewNode {
    pub name: Arc<str>,
    pub run: RunId,
    pub version: Arc<str>,
    pub url: Option<Arc<str>>,
    pub told_at: Timestamp,
    pub gone_after: SignedDuration,
    pub takes_over: bool,
}

/// What came of a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    Joined,
    /// A node of this name is there.
    NameIsTaken {
        by: RunId,
        started_at: Timestamp,
        seen_at: Timestamp,
    },
}

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    pub name: Arc<str>,
    pub run: RunId,
    /// The node's own time.
    pub told_at: Timestamp,
    /// How much its clock was ahead of the database's when it last asked.
    pub clock_ahead: SignedDuration,
    pub claim: Option<Claim>,
}

/// A claim of a lease, or its renewal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub group: GroupName,
    /// How long the lease is to last.
    pub ttl: SignedDuration,
    /// It is certain that the process with the lease has ended.
    pub takes_over: bool,
}

/// The answer to a sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beaten {
    /// The database's time.
    pub at: Timestamp,
    /// Whether the record of the node is still that of this run.
    pub is_known: bool,
    /// Somebody asked the node to resign.
    pub is_asked_to_resign: bool,
    /// The lease of the claimed group, whoever holds it.
    pub lease: Option<Lease>,
}

impl Beaten {
    /// How long the lease lasts from the answer on, if this run holds it.
    #[must_use]
    pub fn lasts(&self, run: RunId) -> Option<SignedDuration> {
        let lease = self.lease.as_ref()?;
        (lease.run == run && lease.is_held(self.at)).then(|| lease.until.duration_since(self.at))
    }
}
