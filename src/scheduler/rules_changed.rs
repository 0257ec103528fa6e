//! After a change of the configuration, everything that waits is decided again, a part in each turn: what it waited for may
//! not hold any more, and would otherwise be looked at when the old reason ends.

use sha2::{Digest as _, Sha256};

use super::state::{Deps, Scheduler};
use super::turn::Turn;
use crate::domain::Callback;
use crate::store::{self, Store};

impl Scheduler {
    /// Finds out whether the configuration has changed since what waits was decided.
    pub(super) async fn compare_rules(&mut self) -> store::Result<()> {
        let known = self.deps.store.rules_digest().await?;
        self.new_rules.after = (known != Some(digest(&self.deps))).then_some(0);
        Ok(())
    }
}

/// Reads the next waiting callbacks that are decided again, at most `most`.
pub(super) async fn read(
    turn: &mut Turn<'_>,
    store: &dyn Store,
    most: usize,
) -> store::Result<Vec<Callback>> {
    let Some(after) = turn.scheduler.new_rules.after.filter(|_| most > 0) else { return Ok(Vec::new()) };
    let (callbacks, last) = store.waiting_after(after, most).await?;
    turn.decided_again = last;
    if last.is_none() {
        // All before it were committed.
        store.keep_rules_digest(digest(&turn.scheduler.deps)).await?;
        turn.scheduler.new_rules.after = None;
    }
    Ok(callbacks)
}

/// What decisions depend on beside the store. Another version of the program may write it differently; then everything is
/// decided once more.
fn digest(deps: &Deps) -> [u8; 32] {
    let Deps { directory, documents, rules, calendars, .. } = deps;
    let numbers: Vec<u64> = directory.senders().map(|sender| sender.number.digits()).collect();
    let accounts: Vec<_> = deps.accounts.keys().collect();
    Sha256::digest(format!("{numbers:?} {accounts:?} {directory:?} {documents:?} {rules:?} {calendars:?}"))
        .into()
}
