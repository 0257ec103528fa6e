//! The codes and sentences of pauses.

use jiff::Timestamp;

use crate::domain::{Pause, PauseKind};

pub(super) const fn paused_code(scope: PauseKind) -> &'static str {
    match scope {
        PauseKind::All => "pause.all",
        PauseKind::Account => "pause.account",
        PauseKind::Sender => "pause.sender",
        PauseKind::Person => "pause.person",
        PauseKind::Campaign => "pause.campaign",
        PauseKind::Draft => "campaign.not_launched",
        PauseKind::Canceled => "campaign.canceled",
        // Set by the platform, not by an operator.
        PauseKind::Content => "content.paused",
    }
}

pub(super) fn paused_sentence(scope: PauseKind, who: &str, why: &str, until: Option<Timestamp>) -> String {
    let what = match scope {
        PauseKind::Draft => {
            return format!("The campaign, which the token {who:?} created, is not launched yet.");
        }
        PauseKind::Canceled => return format!("The campaign was canceled by the token {who:?}: {why}."),
        PauseKind::All => "Everything is",
        PauseKind::Account => "The account is",
        PauseKind::Sender => "The sender is",
        PauseKind::Person => "Calls and messages to the consumer are",
        PauseKind::Campaign => "The campaign is",
        PauseKind::Content => "The content is",
    };
    let until = until.map_or_else(|| "until it is lifted".to_owned(), |until| format!("until {until}"));
    match (scope, who) {
        (PauseKind::Campaign, Pause::OURS) => format!("{what} paused by ringmaster {until}: {why}."),
        _ => format!("{what} paused by the token {who:?} {until}: {why}."),
    }
}
