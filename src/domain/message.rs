//! Messages that we send to a consumer: permission requests and invites.

use jiff::Timestamp;

use super::event::MessageProgress;
use super::{AccountAlias, CallbackId, MessageId, Phone, Stage, Submission};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessagePurpose {
    /// Asks the consumer for the call permission.
    PermissionRequest,
    /// Invites the consumer to call the sender.
    Invite,
}

/// What became of a message, in the words of somebody who looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageFate {
    Sent,
    /// The platform has no such message.
    NotSent,
}

impl MessageFate {
    pub const ALL: [Self; 2] = [Self::Sent, Self::NotSent];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::NotSent => "not_sent",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fate| fate.word() == word)
    }
}

/// One message, sent by the same protocol as a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub purpose: MessagePurpose,
    /// The callback that gave rise to it; others of the pair profit as well.
    pub callback: CallbackId,
    pub account: AccountAlias,
    pub sender: Phone,
    pub consumer: Phone,
    /// The platform's name of the content that is sent.
    pub content: String,
    pub submission: Submission,
    pub progress: MessageProgress,
    pub delivered_at: Option<Timestamp>,
}

impl Message {
    /// Takes in what the platform reported. Returns whether it changed anything.
    pub fn observe(
        &mut self,
        now: Timestamp,
        sid: &str,
        progress: MessageProgress,
        error_code: Option<u32>,
    ) -> bool {
        let proved = self.submission.prove(now, sid);
        let advanced = rank(progress) > rank(self.progress);
        if advanced {
            self.progress = progress;
            self.submission.error_code = self.submission.error_code.or(error_code);
            if matches!(progress, MessageProgress::Delivered | MessageProgress::Read) {
                self.delivered_at.get_or_insert(now);
            }
        }
        proved || advanced
    }

    /// Whether nobody knows what became of it.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        self.submission.stage == Stage::Unknown
    }

    /// Whether it is known already that this became of it.
    #[must_use]
    pub fn is_known_as(&self, fate: MessageFate) -> bool {
        match fate {
            MessageFate::Sent => self.submission.stage == Stage::Accepted,
            MessageFate::NotSent => self.never_left(),
        }
    }

    /// Takes in an operator's word; `sid` is the platform's name of the message, where the operator found it.
    pub fn resolve(&mut self, at: Timestamp, fate: MessageFate, sid: Option<&str>) {
        match fate {
            MessageFate::Sent => self.submission.vouch(at, sid),
            MessageFate::NotSent => self.submission.disprove(at),
        };
    }

    /// Whether the consumer may have received it, or may still.
    #[must_use]
    pub const fn may_arrive(&self) -> bool {
        self.submission.stage.may_exist() && !matches!(self.progress, MessageProgress::Failed)
    }

    /// Whether it is known not to have reached the platform.
    #[must_use]
    pub const fn never_left(&self) -> bool {
        matches!(
            self.submission.stage,
            Stage::Rejected | Stage::Throttled | Stage::NotPlaced | Stage::Withdrawn
        )
    }
}

/// A delivered message cannot fail any more, and a read one was delivered.
const fn rank(progress: MessageProgress) -> u8 {
    match progress {
        MessageProgress::Queued => 0,
        MessageProgress::Sent => 1,
        MessageProgress::Failed => 2,
        MessageProgress::Delivered => 3,
        MessageProgress::Read => 4,
    }
}
