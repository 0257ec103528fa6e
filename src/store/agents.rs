//! The port `AgentReads`: what agents said of calls, and what is offered to them. The scheduler writes it with a batch.

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Count, Result};
use crate::domain::{
    Callback, CallbackId, ListName, Phone, Suppression, SuppressionScope, Tenant, WrapUpRecord,
};

/// What agents said of calls, and what is offered to them.
#[async_trait]
pub trait AgentReads: Send + Sync {
    /// The wrap-ups of these callbacks, as far as somebody said something.
    async fn wrap_ups(&self, callbacks: &[CallbackId]) -> Result<Vec<WrapUpRecord>>;

    /// How many wrap-ups are missing at `now`, of all tenants. Counts up to [`HeldBack::LOOKED_AT_MAX`](super::HeldBack).
    async fn wrap_ups_missing(&self, now: Timestamp) -> Result<Count>;

    /// The callbacks of a tenant that are offered to agents at `now`, oldest first, at most `most`.
    async fn offers(&self, tenant: &Tenant, now: Timestamp, most: usize) -> Result<Vec<Callback>>;

    /// Those of these callbacks whose number is marked as wrong for their reference.
    async fn wrong_numbers(&self, callbacks: &[Callback]) -> Result<Vec<CallbackId>>;

    /// The callbacks of all tenants that are offered to agents at `now`. There are no more than calls could be in progress.
    async fn all_offers(&self, now: Timestamp) -> Result<Vec<Callback>>;

    /// The newest orders to these numbers, of all tenants, at most [`RecentOrder::MAX`], newest first.
    async fn recent_orders(&self, numbers: &[Phone]) -> Result<Vec<RecentOrder>>;
}

/// An order to a consumer, as the rule of missed calls has to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentOrder {
    pub callback: Callback,
    /// When its last attempt was intended.
    pub called_at: Option<Timestamp>,
}

impl RecentOrder {
    /// So many are looked at.
    pub const MAX: usize = 200;
}

/// What a batch writes of agents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentChanges {
    /// Each replaces what is stored of its callback.
    pub wrap_ups: Vec<WrapUpRecord>,
    pub due: Vec<WrapUpDue>,
    pub wrong_numbers: Vec<WrongNumber>,
    pub suppressed: Vec<SuppressedByWrapUp>,
}

impl AgentChanges {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wrap_ups.is_empty()
            && self.due.is_empty()
            && self.wrong_numbers.is_empty()
            && self.suppressed.is_empty()
    }
}

/// A call with an agent is over: its wrap-up is missing from `at` on. A callback whose wrap-up is there stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrapUpDue {
    pub callback: CallbackId,
    pub tenant: Tenant,
    pub at: Timestamp,
}

/// A number is not that of the person whom a reference names, or a correction says that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongNumber {
    pub callback: CallbackId,
    pub tenant: Tenant,
    pub reference: String,
    pub consumer: Phone,
    pub is_wrong: bool,
}

/// A person whom a wrap-up adds to a list without versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressedByWrapUp {
    pub list: ListName,
    pub scope: SuppressionScope,
    pub consumer: Phone,
    pub at: Timestamp,
    pub why: String,
    /// The name of the API token.
    pub by: String,
}

impl SuppressedByWrapUp {
    /// The entry, as it is read with the person.
    #[must_use]
    pub fn entry(&self) -> Suppression {
        Suppression {
            list: self.list.clone(),
            scope: self.scope,
            purposes: Vec::new(),
            countries: Vec::new(),
            added_at: self.at,
            expires_at: None,
            why: Some(self.why.as_str().into()),
        }
    }
}
