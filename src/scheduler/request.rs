//! Requests to the platform, and their results.

use super::ground::Ground;
use jiff::Timestamp;

use crate::domain::{
    AccountAlias, Answer, AttemptId, Callback, ErasureId, HeldKind, LegOrder, MessageId, PairKey, Phone,
    Reading,
};
use crate::platform::{
    CallPlan, CreatedSince, Deleted, End, Finding, FoundCall, FoundMessage, Health, HungUp, LostCall,
    LostMessage, MessagePlan,
};

/// One request to the platform.
#[derive(Debug)]
pub(super) enum Effect {
    PlaceCall { account: AccountAlias, plan: CallPlan, ground: Ground },
    SendMessage { account: AccountAlias, plan: MessagePlan, ground: Ground },
    HangUp { account: AccountAlias, attempt: AttemptId, sid: String, how: End, ground: Ground },
    Delete { account: AccountAlias, erasure: ErasureId, kind: HeldKind, sid: String },
    DeleteRecording { account: AccountAlias, attempt: AttemptId, sid: String },
    Ask { account: AccountAlias, question: Question },
}

impl Effect {
    /// Whether it creates something at the platform.
    pub(super) const fn creates(&self) -> bool {
        matches!(self, Self::PlaceCall { .. } | Self::SendMessage { .. })
    }

    pub(super) const fn hangs_up(&self) -> bool {
        matches!(self, Self::HangUp { .. })
    }

    /// Its ground, if it changes something for the consumer.
    pub(super) const fn ground(&self) -> Option<&Ground> {
        match self {
            Self::PlaceCall { ground, .. }
            | Self::SendMessage { ground, .. }
            | Self::HangUp { ground, .. } => Some(ground),
            Self::Delete { .. } | Self::DeleteRecording { .. } | Self::Ask { .. } => None,
        }
    }

    /// The callback of a message to be sent, as it was when its ground was checked.
    pub(super) const fn callback_of_message(&mut self) -> Option<&mut Callback> {
        match self {
            Self::SendMessage { ground, .. } => ground.callback.as_mut(),
            Self::PlaceCall { .. }
            | Self::HangUp { .. }
            | Self::Delete { .. }
            | Self::DeleteRecording { .. }
            | Self::Ask { .. } => None,
        }
    }
}

/// A lookup.
#[derive(Debug)]
pub(super) enum Question {
    /// The state of an attempt's known call.
    Call { attempt: AttemptId, sid: String, order: LegOrder },
    /// Whether an unknown attempt has a call at the platform.
    LostCall(LostCall),
    /// Whether an unknown message exists.
    LostMessage { message: MessageId, lost: LostMessage },
    /// The state of an inbound call.
    Inbound { key: PairKey, sid: String },
    /// The platform's date.
    Date,
    /// What the account has since a moment that the store does not know.
    Since { account: AccountAlias, since: Timestamp },
}

impl Question {
    /// The result if the platform does not answer.
    pub(super) fn without_an_answer(&self) -> News {
        match self {
            Self::Call { attempt, .. } => News::Asked { attempt: *attempt, finding: Finding::NoAnswer },
            Self::LostCall(lost) => News::Sought { attempt: lost.attempt, finding: Finding::NoAnswer },
            Self::LostMessage { message, .. } => {
                News::SoughtMessage { message: *message, finding: Finding::NoAnswer }
            }
            Self::Date => News::Date(None),
            Self::Since { account, .. } => {
                News::Since { account: account.clone(), finding: Finding::NoAnswer }
            }
            Self::Inbound { key, sid } => {
                News::AskedInbound { key: *key, sid: sid.clone(), finding: Finding::NoAnswer }
            }
        }
    }
}

/// The result of a request.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) account: AccountAlias,
    /// What the answer to a create request says about the account. Other requests have no effect on it.
    pub(super) health: Option<Health>,
    pub(super) news: News,
    /// The request ended in a panic, so its result is unknown.
    pub(super) panicked: bool,
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
        /// The consumer's number as the platform writes it.
        spelled: Option<Phone>,
    },
    HungUp {
        attempt: AttemptId,
        answer: HungUp,
    },
    /// Of the call or message of an erased person.
    Deleted {
        erasure: ErasureId,
        sid: String,
        answer: Deleted,
    },
    RecordingDeleted {
        attempt: AttemptId,
        sid: String,
        answer: Deleted,
    },
    Asked {
        attempt: AttemptId,
        finding: Finding<FoundCall>,
    },
    /// Candidates for the lost call of an attempt.
    Sought {
        attempt: AttemptId,
        finding: Finding<Vec<FoundCall>>,
    },
    /// Candidates for a lost message.
    SoughtMessage {
        message: MessageId,
        finding: Finding<Vec<FoundMessage>>,
    },
    /// The platform's date, and when it came.
    Date(Option<(Reading, Timestamp)>),
    /// What the account has and the store does not know.
    Since {
        account: AccountAlias,
        finding: Finding<CreatedSince>,
    },
    AskedInbound {
        key: PairKey,
        sid: String,
        finding: Finding<FoundCall>,
    },
}
