//! What the rules look at: one callback, the senders that may call, and how busy everything is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::{AccountAlias, Callback, Directory, LegOrder, Pair, PairKey, Phone, Sender};

/// Everything that the next step of a callback depends on.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    pub callback: &'a Callback,
    /// Who is called first, by the callback's document; `None` if the document is not loaded.
    pub document: Option<LegOrder>,
    /// The senders that may call, in the customer's order; those that the configuration does not know are
    /// left out.
    pub candidates: Vec<Candidate<'a>>,
    /// Calls in progress of its campaign, where that has a ceiling.
    pub campaign_calls: u32,
}

impl<'a> Situation<'a> {
    /// Gathers what the rules look at. Whoever asks for the next step of a callback asks with this, so that an
    /// explanation and a decision of the same moment are the same.
    ///
    /// `document` is who is called first by the callback's document, if that is loaded; `pair` finds the ledger of
    /// a pair, and one that is not found is unknown.
    pub fn gather(
        callback: &'a Callback,
        document: Option<LegOrder>,
        directory: &'a Directory,
        loads: &Loads,
        pair: impl Fn(PairKey) -> Option<Pair>,
    ) -> Self {
        let consumer = callback.order.consumer;
        let senders = callback.order.senders.iter().filter_map(|&number| directory.sender(number));
        let candidates = senders.map(|sender| {
            let key = PairKey { sender: sender.number, consumer };
            Candidate {
                sender,
                pair: pair(key).unwrap_or_else(|| Pair::unknown(key)),
                live_calls: loads.live_calls(sender.number),
                account: loads.account(&sender.account),
                paused: loads.paused_senders.get(&sender.number).cloned(),
            }
        });
        Self {
            callback,
            document,
            candidates: candidates.collect(),
            campaign_calls: loads.campaign_calls(callback),
        }
    }
}

/// One sender that may call, and how it stands.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    pub sender: &'a Sender,
    pub pair: Pair,
    /// Calls in progress of this sender, in both directions.
    pub live_calls: u32,
    pub account: AccountView,
    /// Set while the sender rests, with the reason.
    pub paused: Option<Pause>,
}

/// Until when something rests, and why.
pub type Pause = (Timestamp, Cow<'static, str>);

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// Set while the account rests, with the reason.
    pub paused: Option<Pause>,
    /// When its pace allows the next call; `now` or earlier if at once.
    pub next_call_at: Timestamp,
}

/// How busy the daemon is: kept by the scheduler, read by whoever explains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loads {
    /// Calls in progress of each sender, in both directions; absent means none.
    pub live_calls: BTreeMap<Phone, u32>,
    pub accounts: BTreeMap<AccountAlias, AccountView>,
    /// Calls in progress of the campaigns that have a ceiling; absent means none.
    pub campaign_calls: BTreeMap<String, u32>,
    /// Senders that rest; one whose rest is over may still be here.
    pub paused_senders: BTreeMap<Phone, Pause>,
}

impl Loads {
    #[must_use]
    pub fn live_calls(&self, sender: Phone) -> u32 {
        self.live_calls.get(&sender).copied().unwrap_or(0)
    }

    /// Of the campaign that a callback belongs to, if it belongs to one.
    #[must_use]
    pub fn campaign_calls(&self, callback: &Callback) -> u32 {
        let live = callback.order.campaign.as_ref().and_then(|name| self.campaign_calls.get(name));
        live.copied().unwrap_or(0)
    }

    /// How an account stands; free if nothing is known of it.
    #[must_use]
    pub fn account(&self, alias: &str) -> AccountView {
        self.accounts
            .get(alias)
            .cloned()
            .unwrap_or(AccountView { paused: None, next_call_at: Timestamp::MIN })
    }
}
