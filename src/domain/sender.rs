//! Senders and the accounts they belong to, as the operator declared them.

use std::sync::Arc;
use strum::{EnumString, IntoStaticStr};

use super::{AgentTarget, Phone};

/// The operator's short name of a Twilio account, such as `main`.
pub type AccountAlias = Arc<str>;

/// A WhatsApp-enabled business number that calls come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub number: Phone,
    pub account: AccountAlias,
    /// The operator's words for it.
    pub label: Option<String>,
    /// Whom its calls are connected to unless the callback says.
    pub agent: Option<AgentTarget>,
    /// What documents call `{{workflow}}` unless the callback says: a TaskRouter workflow.
    pub workflow: Option<String>,
    /// Content that asks for the call permission inside the 24 h service window; needs no approval.
    pub permission_request: Option<String>,
    /// Approved content that asks for it at any time.
    pub permission_template: Option<String>,
    /// Content that invites the consumer to call.
    pub invite: Option<String>,
    /// The operator's own ceiling on calls in progress, if it is below the platform's.
    pub concurrent_calls_max: Option<u32>,
    pub callback_permission: CallbackPermission,
    /// The document that a consumer hears who calls this sender.
    pub inbound_document: Option<String>,
}

impl Sender {
    /// A sender of which nothing else is configured.
    #[must_use]
    pub fn new(number: Phone, account: impl Into<AccountAlias>) -> Self {
        Self {
            number,
            account: account.into(),
            label: None,
            agent: None,
            workflow: None,
            permission_request: None,
            permission_template: None,
            invite: None,
            concurrent_calls_max: None,
            callback_permission: CallbackPermission::Off,
            inbound_document: None,
        }
    }
}

/// Whether a consumer's own call grants the sender a temporary call permission: the platform's
/// callback-permission setting, which only its own console can change, so the operator tells us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum CallbackPermission {
    #[default]
    Off,
    /// Granted when the sender did not answer the consumer.
    Missed,
    /// Granted by any call of the consumer.
    MissedAndAnswered,
}
