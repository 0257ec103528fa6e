//! The dialling groups of what is open, after the configuration has put accounts into other groups.

use anyhow::Context as _;

use crate::domain::Directory;
use crate::store::{Regrouped, Store};

/// Puts the open callbacks into the groups of their senders.
///
/// # Errors
/// If the store cannot be written.
pub(super) async fn regroup(store: &dyn Store, directory: &Directory) -> anyhow::Result<()> {
    let group = |account| directory.group_of(account).clone();
    let senders = directory.senders().map(|sender| (sender.number, group(&sender.account))).collect();
    let Regrouped { moved, divided } =
        store.regroup(senders).await.context("cannot put the open callbacks into their dialling groups")?;
    if moved > 0 {
        tracing::info!(callbacks = moved, "open callbacks are in another dialling group than before");
    }
    if divided > 0 {
        tracing::warn!(
            callbacks = divided,
            "open callbacks have senders of several dialling groups, or a pool or a campaign of another one; they are \
             in the group of their first sender"
        );
    }
    Ok(())
}
