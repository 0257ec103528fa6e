//! Requests to the platform, and what came of them.

use super::ground::Ground;
use crate::domain::{AccountAlias, Answer, AttemptId, LegOrder, MessageId, PairKey};
use crate::platform::{
    CallPlan, Finding, FoundCall, FoundMessage, Health, LostCall, LostMessage, MessagePlan,
};

/// One request to the platform.
#[derive(Debug)]
pub(super) enum Effect {
    PlaceCall { account: AccountAlias, plan: CallPlan, ground: Ground },
    SendMessage { account: AccountAlias, plan: MessagePlan, ground: Ground },
    HangUp { account: AccountAlias, sid: String },
    Ask { account: AccountAlias, question: Question },
}

impl Effect {
    /// Whether it asks for something that would exist afterwards.
    pub(super) const fn creates(&self) -> bool {
        self.ground().is_some()
    }

    /// What it stands on, if it asks for something that would exist afterwards.
    pub(super) const fn ground(&self) -> Option<&Ground> {
        match self {
            Self::PlaceCall { ground, .. } | Self::SendMessage { ground, .. } => Some(ground),
            Self::HangUp { .. } | Self::Ask { .. } => None,
        }
    }
}

/// What to find out.
#[derive(Debug)]
pub(super) enum Question {
    /// How far the known call of an attempt has come.
    Call { attempt: AttemptId, sid: String, order: LegOrder },
    /// Whether an attempt has a call at the platform.
    LostCall(LostCall),
    /// Whether a message exists.
    LostMessage { message: MessageId, lost: LostMessage },
    /// How far a consumer's own call has come.
    Inbound { key: PairKey, sid: String },
}

/// The end of a request.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) account: AccountAlias,
    /// What a create says about the account; other requests take no room and say nothing.
    pub(super) health: Option<Health>,
    pub(super) news: News,
}

#[derive(Debug, Clone)]
pub(super) enum News {
    /// `why` says why no byte left.
    Call {
        attempt: AttemptId,
        answer: Answer,
        why: String,
    },
    Message {
        message: MessageId,
        answer: Answer,
        why: String,
    },
    HungUp,
    Asked {
        attempt: AttemptId,
        finding: Finding<FoundCall>,
    },
    /// Calls that may be the lost one of an attempt.
    Sought {
        attempt: AttemptId,
        finding: Finding<Vec<FoundCall>>,
    },
    /// Messages that may be the lost one.
    SoughtMessage {
        message: MessageId,
        finding: Finding<Vec<FoundMessage>>,
    },
    AskedInbound {
        key: PairKey,
        sid: String,
        finding: Finding<FoundCall>,
    },
}
