//! Input of the rules: one callback, the senders that may call, and the load of all resources.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::{Held, PersonView, holds};
use crate::domain::{
    AccountAlias, Budget, Callback, Directory, Holds, InUse, LegOrder, Pair, PairKey, Phone, Reason,
    Resource, Script, Sender,
};

/// All input for the next step of a callback.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    pub callback: &'a Callback,
    /// Who the callback's document calls first; `None` if the document is not loaded.
    pub document: Option<LegOrder>,
    /// The senders that may call, in the customer's order, without those that are not configured.
    pub candidates: Vec<Candidate<'a>>,
    pub person: PersonView,
    /// What the token that ordered it may use; `None` without a ceiling.
    pub budget: Option<Arc<Budget>>,
    /// Why it is held back, whatever the rules say.
    pub held: Option<Reason>,
}

impl<'a> Situation<'a> {
    /// Builds the input of the rules. The scheduler and `explain` both use it, so that a decision and an
    /// explanation at the same time agree.
    ///
    /// `document` is what the callback's document does, if it is loaded. `pair` finds the ledger of a sender
    /// with the person; a missing one has no history.
    pub fn gather(
        callback: &'a Callback,
        document: Option<&Script>,
        directory: &'a Directory,
        loads: &Loads,
        person: PersonView,
        pair: impl Fn(PairKey) -> Option<Pair>,
    ) -> Self {
        let senders = callback.order.senders.iter().filter_map(|&number| directory.sender(number));
        let candidates = senders.map(|sender| {
            let key = PairKey { sender: sender.number, person: person.id };
            Candidate {
                sender,
                pair: pair(key).unwrap_or_else(|| Pair::unknown(key)),
                load: loads.of(&holds(callback, sender, document)),
                account: loads.account(&sender.account),
                paused: loads.paused_senders.get(&sender.number).cloned(),
            }
        });
        Self {
            callback,
            document: document.map(|script| script.order),
            candidates: candidates.collect(),
            held: loads.held.reason(callback, person.id),
            person,
            budget: None,
        }
    }

    /// The same, with the ceilings of the token that ordered it.
    #[must_use]
    pub fn within(mut self, budget: Option<Arc<Budget>>) -> Self {
        self.budget = budget;
        self
    }
}

/// One sender that may call, with its load.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    pub sender: &'a Sender,
    pub pair: Pair,
    /// The resources that a call of this sender would hold.
    pub load: Vec<Load>,
    pub account: AccountView,
    /// Set while the sender is paused, with the reason.
    pub paused: Option<Pause>,
}

/// How many of a resource are in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Load {
    pub resource: Resource,
    pub live: u32,
}

/// The end of a pause and its reason.
pub type Pause = (Timestamp, Cow<'static, str>);

/// The load of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// Set while the account is paused, with the reason.
    pub paused: Option<Pause>,
    /// When the rate limit allows the next call; `now` or earlier if at once.
    pub next_call_at: Timestamp,
}

/// The load of the daemon, kept by the scheduler and read by `explain`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loads {
    /// What calls in progress hold, in both directions.
    pub in_use: InUse,
    pub accounts: BTreeMap<AccountAlias, AccountView>,
    /// Paused senders. A sender whose pause is over may still be listed.
    pub paused_senders: BTreeMap<Phone, Pause>,
    pub held: Held,
    /// When the scheduler published them; `None` before it has. They have not changed since.
    pub as_of: Option<Timestamp>,
}

impl Loads {
    /// Calls in progress of a sender, in both directions.
    #[must_use]
    pub fn live_calls(&self, sender: Phone) -> u32 {
        self.in_use.of(&Resource::Sender(sender))
    }

    /// The load of each resource that a call would hold.
    #[must_use]
    pub fn of(&self, holds: &Holds) -> Vec<Load> {
        holds.iter().map(|it| Load { resource: it.clone(), live: self.in_use.of(it) }).collect()
    }

    /// The load of an account; free if it is not listed.
    #[must_use]
    pub fn account(&self, alias: &str) -> AccountView {
        self.accounts
            .get(alias)
            .cloned()
            .unwrap_or(AccountView { paused: None, next_call_at: Timestamp::MIN })
    }
}
