//! What a batch changes of pools.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::{AttemptId, Pool, PoolKey, WrapUpSeat};

/// The changes of pools and their seats in one batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolChanges {
    /// Pools as they are from now on; `None` for one that was removed.
    pub pools: BTreeMap<PoolKey, Option<Pool>>,
    /// Seats that are held after their call.
    pub wrap_ups: Vec<WrapUpSeat>,
    /// Calls whose seats are held no longer, before their time.
    pub wrapped_up: Vec<AttemptId>,
    /// The `seq` of the commands about pools that the batch folds. They are deleted later.
    pub commands: Vec<i64>,
    /// The time of the batch. Wrap-ups that are over by then are deleted with these changes.
    pub at: Timestamp,
}

impl PoolChanges {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pools.is_empty()
            && self.wrap_ups.is_empty()
            && self.wrapped_up.is_empty()
            && self.commands.is_empty()
    }
}
