//! The known ceilings of tokens, and their use.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::domain::{Budget, TokenName};

/// Ceilings are set by another process. They are read again after this time.
const READ_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(60);

/// The ceilings and uses of the tokens of callbacks that were decided.
#[derive(Debug, Clone, Default)]
pub(super) struct Budgets(BTreeMap<TokenName, (Timestamp, Arc<Budget>)>);

impl Budgets {
    pub(super) fn get(&self, token: &TokenName) -> Option<&Arc<Budget>> {
        self.0.get(token).map(|(_, budget)| budget)
    }

    pub(super) fn is_known(&self, token: &TokenName, now: Timestamp) -> bool {
        self.0.get(token).is_some_and(|(read_at, _)| {
            (SignedDuration::ZERO..READ_AGAIN_AFTER).contains(&now.duration_since(*read_at))
        })
    }

    /// Those that need not be read.
    pub(super) fn known(&self, now: Timestamp) -> BTreeSet<TokenName> {
        self.0.keys().filter(|token| self.is_known(token, now)).cloned().collect()
    }

    pub(super) fn get_mut(&mut self, token: &TokenName) -> Option<&mut Budget> {
        self.0.get_mut(token).map(|(_, budget)| Arc::make_mut(budget))
    }

    pub(super) fn learn(&mut self, token: TokenName, now: Timestamp, budget: Budget) {
        self.0.insert(token, (now, Arc::new(budget)));
    }
}
