//! Pauses: an operator stops calls, requests and invites for a while. Setting and lifting one are commands, which the
//! scheduler folds. Those of content are set by the scheduler, where a platform refuses it.

pub(super) mod lift;
pub(super) mod list;
pub(super) mod set;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Pause, PauseScope};
use crate::http::auth::Caller;

/// A pause.
#[derive(Serialize, ToSchema)]
#[schema(as = Pause)]
pub(super) struct View {
    #[schema(example = "ps_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    /// `all`, `account`, `sender`, `person`, `campaign` or `content`.
    scope: &'static str,
    /// The paused account, by its name in the configuration; of `content` the account that sends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The number of the paused sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<String>,
    /// The number of the paused consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<String>,
    /// The id of the paused campaign.
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    /// The paused content: its SID at Twilio, its declared name at Meta.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// The name of the API token that it was set with; `platform` for content.
    by: String,
    why: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When it ends by itself; absent if somebody has to lift it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl View {
    pub(super) fn of(pause: &Pause) -> Self {
        let (mut account, mut sender, mut consumer, mut content) = (None, None, None, None);
        match &pause.scope {
            PauseScope::All => {}
            PauseScope::Account(alias) => account = Some(alias.to_string()),
            PauseScope::Sender(number) => sender = Some(number.e164()),
            PauseScope::Person(number) => consumer = Some(number.e164()),
            PauseScope::Campaign(_) | PauseScope::Draft(_) | PauseScope::Canceled(_) => {}
            PauseScope::Content(alias, paused) => {
                (account, content) = (Some(alias.to_string()), Some(paused.to_string()));
            }
        }
        Self {
            id: pause.id.to_string(),
            scope: pause.scope.kind().as_str(),
            account,
            sender,
            consumer,
            campaign: pause.scope.campaign().map(|id| id.to_string()),
            content,
            by: pause.who.to_string(),
            why: pause.why.to_string(),
            since: pause.from,
            until: pause.until,
        }
    }
}

/// Whether the token may see it. A pause that holds callbacks of every tenant is shown to all of them. What holds a campaign
/// that is not launched or is canceled is no operator's pause.
pub(super) fn is_shown(caller: &Caller, pause: &Pause) -> bool {
    if matches!(pause.scope, PauseScope::Draft(_) | PauseScope::Canceled(_)) {
        return false;
    }
    let is_of_some = matches!(pause.scope, PauseScope::Person(_) | PauseScope::Campaign(_));
    !is_of_some || pause.tenant == *caller.tenant() || caller.may_pause_all()
}
