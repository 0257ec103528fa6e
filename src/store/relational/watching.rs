//! Compares a store that is in use with what this process knows of it: at each begin of a term, and of a database at each
//! sign of life. A database may have gone back or moved under a process that runs; then it is held.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use uuid::Uuid;

use super::{SqlStore, lineage};
use crate::domain::{Lineage, LineageCause, Moved, StoreIdentity, StoreSelf, Witnessed, moved};
use crate::store::Result;

impl SqlStore {
    /// Compares the store when a leader begins its term, and tells the witness, before anything leaves, which store it is
    /// and how far it goes. Another process may have released it.
    pub(super) async fn compare_at_lead(&self) -> Result<()> {
        if self.open.witness.get().is_none() && !self.is_shared() {
            return Ok(());
        }
        let known = self.newest();
        // By the connection that writes: another one may still lead to the server before.
        let own = self.write(lineage::glance).await?;
        self.open.knows_held.store(own.is_held, Ordering::Relaxed);
        if own.is_held || self.is_held_now(&own, known.as_ref()).await? {
            return Ok(());
        }
        if let Some((witness, identity)) = self.open.witness.get().zip(own.identity) {
            witness.released(identity, own.position, own.server);
        }
        Ok(())
    }

    /// What this process knew of the store until now.
    pub(super) fn newest(&self) -> Option<Witnessed> {
        self.open.witness.get().and_then(|witness| witness.newest())
    }

    /// Compares a database at a sign of life. `true` if it is held now and was not before: whoever leads has to begin anew.
    pub(super) async fn compare_at_beat(&self, own: &StoreSelf, known: Option<&Witnessed>) -> Result<bool> {
        let knew = self.open.knows_held.swap(own.is_held, Ordering::Relaxed);
        if own.is_held {
            if !knew && let Some(witness) = self.open.witness.get() {
                witness.held();
            }
            return Ok(!knew);
        }
        if self.is_held_now(own, known).await? {
            return Ok(true);
        }
        if let Some((witness, identity)) = self.open.witness.get().zip(own.identity) {
            witness.seen(identity, own.position, own.server);
        }
        Ok(false)
    }

    /// Holds the store if it has gone back, or if commits may be missing on the server that it is on now.
    async fn is_held_now(&self, own: &StoreSelf, known: Option<&Witnessed>) -> Result<bool> {
        let mine = known.filter(|known| own.identity == Some(known.identity));
        if mine.is_some_and(|mine| own.position.is_behind(mine.position)) {
            self.hold_now(LineageCause::GoneBack, own, known).await?;
            return Ok(true);
        }
        match moved(own, known) {
            Moved::No if own.origin.is_some() || own.server.origin.is_none() => {}
            Moved::No => self.write(lineage::taken_here).await?,
            Moved::Whole => {
                self.write(lineage::taken_here).await?;
                if let Some(origin) = own.server.origin {
                    tracing::warn!(
                        %origin,
                        "a standby was promoted; every commit had waited for it, so nothing was lost and dialling goes on"
                    );
                }
            }
            Moved::Held(cause) => {
                self.hold_now(cause, own, known).await?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn hold_now(&self, cause: LineageCause, own: &StoreSelf, known: Option<&Witnessed>) -> Result<()> {
        let last_at = self.write(lineage::last_at).await?;
        let from = last_at.unwrap_or(Timestamp::UNIX_EPOCH);
        let now = self.open.witness.get().map(|witness| witness.now());
        // Without a witness it is a database, to which nodes have given signs of life.
        let since = now.or(own.beaten_at).unwrap_or(from);
        let lineage = Lineage {
            since,
            cause,
            from: from.min(since),
            stored: own.position,
            witnessed: known.copied(),
            accounts: [].into(),
            released: None,
        };
        self.hold(StoreIdentity::new(*Uuid::new_v4().as_bytes()), lineage).await?;
        self.open.knows_held.store(true, Ordering::Relaxed);
        match self.open.witness.get() {
            Some(witness) => witness.held(),
            None => tracing::error!(
                cause = cause.as_str(),
                "the store is not the one that was last written; nothing is dialled or sent until an operator releases it \
                 with `ringmaster lineage release`"
            ),
        }
        Ok(())
    }
}
