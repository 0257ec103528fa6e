//! The port `Lineages`: what is known of a store that is not the one that was last written; and the port `Witness`, which
//! remembers outside of the store how far it was written.

use async_trait::async_trait;
use jiff::Timestamp;

use super::Result;
use crate::domain::{
    AccountAlias, AccountListed, Lineage, LineageReleased, Position, Server, StoreIdentity, Unrecorded,
    Witnessed,
};

/// What is known of a lost span.
#[async_trait]
pub trait Lineages: Send + Sync {
    /// The last time that the store was not the one that was last written. It may be released since.
    async fn lineage(&self) -> Result<Option<Lineage>>;

    /// What the platforms had and the store did not know, in order of time; at most `most`.
    async fn unrecorded(&self, most: usize) -> Result<Vec<Unrecorded>>;
}

/// What a turn adds to the lineage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineageChange {
    pub accounts: Vec<(AccountAlias, AccountListed)>,
    /// One that is stored already stays.
    pub unrecorded: Vec<Unrecorded>,
    pub released: Option<LineageReleased>,
}

impl LineageChange {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.unrecorded.is_empty() && self.released.is_none()
    }
}

/// Remembers outside of a store how far it was written.
pub trait Witness: Send + Sync {
    /// A batch was committed. Returns at once; it is remembered within about a second.
    fn committed(&self, position: Position);

    /// A leader begins, or the store is held no longer. It is remembered when this returns, before anything leaves.
    fn released(&self, identity: StoreIdentity, position: Position, server: Server);

    /// A node gave a sign of life and read this from the database. It is remembered within about a second if it is news,
    /// and within ten seconds if not.
    fn seen(&self, identity: StoreIdentity, position: Position, server: Server);

    /// What this process knows to be committed, and when it knew that; `None` while the store is held.
    fn newest(&self) -> Option<Witnessed>;

    /// The time now.
    fn now(&self) -> Timestamp;

    /// The store is held from now on, because it has gone back while this process ran: nothing more is remembered.
    fn held(&self);
}
