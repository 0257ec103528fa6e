//! What the outside world reported: one closed set, filled by the hooks and folded by the scheduler.

use std::str::FromStr;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr, ParseError};

use super::{AttemptId, AttemptResolution, CallbackId, MessageId, MessageResolution, Phone};

/// One report. Reports arrive in any order, repeated, or never; folding them must not mind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A call that we placed moved on, or a leg of it did.
    Call(CallReport),
    /// The TwiML document of an attempt was fetched: its first leg has been answered.
    DocumentFetched { attempt: AttemptId, sid: String },
    /// A `<Dial>` or `<Enqueue>` in the document of an attempt ended.
    Connected(ConnectionReport),
    /// The consumer answered a permission request, or changed the permission by other means.
    PermissionReply(PermissionReply),
    /// An operator said what was agreed about the permission elsewhere.
    PermissionOverride(PermissionOverride),
    /// An operator said what became of an attempt of which nobody knew.
    AttemptResolved(AttemptOverride),
    /// An operator said what became of a message of which nobody knew.
    MessageResolved(MessageOverride),
    /// The consumer wrote to the sender; this opens the 24 h service window.
    InboundMessage { sender: Phone, consumer: Phone, external_user_id: Option<String> },
    /// The consumer called the sender, or that call moved on.
    InboundCall {
        sender: Phone,
        consumer: Phone,
        sid: String,
        progress: CallProgress,
        duration_s: Option<u32>,
    },
    /// A message of ours (permission request or invite) moved on.
    Message(MessageReport),
    /// The customer wants a callback canceled whose attempt is in progress.
    CancelRequested { callback: CallbackId },
}

/// A status callback about a call that we placed, or the answer to a question about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallReport {
    pub attempt: AttemptId,
    /// The call that the report is about.
    pub sid: String,
    /// Set for the second leg (`<WhatsApp>`, `<Client>`, `<Sip>`) that the document dialled.
    pub parent_sid: Option<String>,
    pub progress: CallProgress,
    /// When it happened, by the platform's clock, if it said so.
    pub at: Option<Timestamp>,
    pub duration_s: Option<u32>,
    /// The final SIP response, where the platform tells it.
    pub sip_code: Option<u16>,
    /// The platform's error code, where it tells it.
    pub error_code: Option<u32>,
}

/// How a connecting verb of the document ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionReport {
    pub attempt: AttemptId,
    /// The call whose document ran the verb.
    pub sid: String,
    /// The dialled leg, if the verb was `<Dial>` and placed one.
    pub leg_sid: Option<String>,
    pub ended: ConnectionEnd,
    pub duration_s: Option<u32>,
}

/// What a `<Dial>` or `<Enqueue>` reported at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum ConnectionEnd {
    /// Both sides were connected.
    Bridged,
    NoAnswer,
    Busy,
    Failed,
    Canceled,
    /// The caller hung up while waiting in a queue, or left it.
    LeftQueue,
}

impl ConnectionEnd {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// How far a call has come. The order of the variants is the order of life; ends rank together, last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallProgress {
    Queued,
    Initiated,
    Ringing,
    /// Answered and not over.
    InProgress,
    Ended(Disposition),
}

impl CallProgress {
    /// Later stages rank higher; every end ranks the same, so that the first end reported stands.
    #[must_use]
    pub const fn rank(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Initiated => 1,
            Self::Ringing => 2,
            Self::InProgress => 3,
            Self::Ended(_) => 4,
        }
    }

    /// An ended call is named by its disposition.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Initiated => "initiated",
            Self::Ringing => "ringing",
            Self::InProgress => "in_progress",
            Self::Ended(disposition) => disposition.as_str(),
        }
    }
}

impl From<CallProgress> for &'static str {
    fn from(progress: CallProgress) -> Self {
        progress.as_str()
    }
}

impl FromStr for CallProgress {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Ok(match text {
            "queued" => Self::Queued,
            "initiated" => Self::Initiated,
            "ringing" => Self::Ringing,
            "in_progress" => Self::InProgress,
            ended => Self::Ended(ended.parse()?),
        })
    }
}

/// How one call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Disposition {
    /// It was answered, and is over.
    Completed,
    NoAnswer,
    /// Busy, or declined: the platform does not tell the two apart.
    Busy,
    Failed,
    /// Hung up by us while it was queued or ringing.
    Canceled,
}

impl Disposition {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// A consumer's word on being called by a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionReply {
    pub sender: Phone,
    pub consumer: Phone,
    pub answer: PermissionAnswer,
    /// The platform's message id of the request that was answered, where it tells it.
    pub replied_to: Option<String>,
    /// Set when the platform itself granted or revoked, not the consumer.
    pub automatic: bool,
    pub external_user_id: Option<String>,
}

/// An operator's word on the call permission of a pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionOverride {
    pub sender: Phone,
    pub consumer: Phone,
    pub answer: PermissionAnswer,
    /// The name of the API token that it came with.
    pub by: String,
    pub reason: String,
}

/// An operator's word on an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOverride {
    pub attempt: AttemptId,
    pub fate: AttemptResolution,
    /// The platform's name of the call, where the operator found it.
    pub sid: Option<String>,
    /// The name of the API token that it came with.
    pub by: String,
    pub note: Option<String>,
}

/// An operator's word on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageOverride {
    pub message: MessageId,
    pub fate: MessageResolution,
    pub sid: Option<String>,
    pub by: String,
    pub note: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PermissionAnswer {
    /// Granted; until then where the platform says so, otherwise for the platform's default time.
    Temporary {
        expires_at: Option<Timestamp>,
    },
    Permanent,
    Rejected,
}

/// The state of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageReport {
    /// Known when the report came to the address that we gave with the message.
    pub message: Option<MessageId>,
    pub sid: String,
    pub progress: MessageProgress,
    pub error_code: Option<u32>,
}

/// How far a message has come; `Failed` is an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MessageProgress {
    Queued,
    Sent,
    Delivered,
    Read,
    Failed,
}

impl MessageProgress {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
