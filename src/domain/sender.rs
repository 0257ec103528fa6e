//! Senders and their accounts, as configured.

use std::sync::Arc;
use strum::{EnumString, IntoStaticStr};

use super::person::PORTFOLIO_DEFAULT;
use super::{AgentTarget, ContentRef, Phone, PoolName, Portfolio, Road};

/// The operator's short name of an account at a platform, such as `main`.
pub type AccountAlias = Arc<str>;

/// A WhatsApp-enabled business number that calls come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub number: Phone,
    pub account: AccountAlias,
    /// The Meta business portfolio of its account, in which WhatsApp's user ids hold.
    pub portfolio: Portfolio,
    /// The operator's label.
    pub label: Option<String>,
    /// The agent for calls without an agent in the order.
    pub agent: Option<AgentTarget>,
    /// The pool of the tenant `default` of which calls need a seat, unless their order names another.
    pub pool: Option<PoolName>,
    /// The TaskRouter workflow for `{{workflow}}` in documents, unless the order has one.
    pub workflow: Option<String>,
    /// Content of permission requests inside the 24 h service window. It needs no approval.
    pub permission_request: Option<ContentRef>,
    /// Content of permission requests inside the window that another account of the same number sends.
    pub request_road: Option<RequestRoad>,
    /// Approved content of permission requests for any time.
    pub permission_template: Option<ContentRef>,
    /// Content that invites the consumer to call.
    pub invite: Option<ContentRef>,
    /// The other ways to invite the consumer, in the order in which they are tried.
    pub roads: Vec<Road>,
    /// Whether its account places calls. One that does not is good for invites only.
    pub can_call: bool,
    /// The operator's limit for calls in progress, if it is below the platform's.
    pub concurrent_calls_max: Option<u32>,
    pub callback_permission: CallbackPermission,
    /// The document for inbound calls to this sender.
    pub inbound_document: Option<String>,
}

impl Sender {
    /// A sender without optional settings.
    #[must_use]
    pub fn new(number: Phone, account: impl Into<AccountAlias>) -> Self {
        Self {
            number,
            account: account.into(),
            portfolio: PORTFOLIO_DEFAULT.into(),
            label: None,
            agent: None,
            pool: None,
            workflow: None,
            permission_request: None,
            request_road: None,
            permission_template: None,
            invite: None,
            roads: Vec::new(),
            can_call: true,
            concurrent_calls_max: None,
            callback_permission: CallbackPermission::Off,
            inbound_document: None,
        }
    }
}

/// A permission request that leaves by another account than the calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRoad {
    pub account: AccountAlias,
    pub content: ContentRef,
}

impl Sender {
    /// Content of permission requests inside the window, whichever account sends it.
    #[must_use]
    pub fn free_request(&self) -> Option<&ContentRef> {
        self.request_road.as_ref().map(|road| &road.content).or(self.permission_request.as_ref())
    }

    /// All content that it may send, each with the account that sends it.
    pub fn contents(&self) -> impl Iterator<Item = (&AccountAlias, &ContentRef)> {
        let invite = self.invite.iter().map(|content| (&self.account, content));
        self.requests().chain(invite).chain(self.roads.iter().map(|road| (&road.account, &road.content)))
    }

    /// The content of its permission requests, each with the account that sends it.
    pub fn requests(&self) -> impl Iterator<Item = (&AccountAlias, &ContentRef)> {
        let own = [&self.permission_request, &self.permission_template];
        let own = own.into_iter().flatten().map(|content| (&self.account, content));
        own.chain(self.request_road.iter().map(|road| (&road.account, &road.content)))
    }

    /// The account that sends a permission request with this content.
    #[must_use]
    pub fn request_account(&self, content: &ContentRef) -> &AccountAlias {
        let road = self.request_road.as_ref().filter(|road| road.content == *content);
        road.map_or(&self.account, |road| &road.account)
    }
}

/// Whether an inbound call grants a temporary call permission. This must match the platform's
/// callback-permission setting, which cannot be read over its API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum CallbackPermission {
    #[default]
    Off,
    /// Granted if the inbound call was missed.
    Missed,
    /// Granted by any inbound call.
    MissedAndAnswered,
}
