//! Events of the inbox: a closed set, appended by the HTTP handlers and folded by the scheduler.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr, ParseError};

use super::calendar::CalendarMark;
use super::{
    AccountAlias, AgentTarget, Answer, AttemptId, AttemptResolution, CallbackId, CallingHours, CampaignAct,
    CampaignCommand, ErasureId, ErrorCode, InviteToken, ListName, MessageId, MessageResolution, Named, Pause,
    PauseId, PauseScope, Phone, PoolCommand, Priority, Psid, RecordingReport, Restricted, SetAsideId,
    SetAsideVerdict, WrapUp,
};

/// One event. Reports arrive in any order, repeatedly, or never; folding must handle that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Progress of a call that we placed, or of one of its legs.
    Call(CallReport),
    /// The TwiML document of an attempt was fetched: its first leg has been answered.
    DocumentFetched { attempt: AttemptId, sid: String },
    /// A `<Dial>`, `<Enqueue>` or `<Connect>` in the document of an attempt ended, or the document was played to its
    /// end.
    Connected(ConnectionReport),
    /// A call that we placed was recorded, or a recording has nothing in it.
    Recorded(RecordingReport),
    /// The consumer answered a permission request, or changed the permission in another way.
    PermissionReply(PermissionReply),
    /// An operator recorded a permission that was given or refused elsewhere.
    PermissionOverride(PermissionOverride),
    /// An operator resolved an unresolved attempt.
    AttemptResolved(AttemptOverride),
    /// A person wants a call in progress ended, or looked up at the platform.
    AttemptCommand(AttemptCommand),
    /// An operator resolved an unresolved message.
    MessageResolved(MessageOverride),
    /// The consumer wrote to the sender; this opens the 24 h service window.
    InboundMessage {
        sender: Phone,
        who: Named,
        word: Option<Word>,
        /// When it was written, if the platform says so: a webhook may be delivered days later. Absent for Twilio.
        wrote_at: Option<Timestamp>,
    },
    /// The consumer stopped marketing messages of the sender, or wants them again.
    MarketingPreference { sender: Phone, who: Named, is_stopped: bool },
    /// The consumer called the sender, or that call progressed.
    InboundCall {
        sender: Phone,
        who: Named,
        sid: String,
        progress: CallProgress,
        /// When it came to this, if that is certain: when the platform says so, or when the call asked for its document
        /// and waited for it. A report without a time may be an old one.
        came_to_at: Option<Timestamp>,
        duration_s: Option<u32>,
        /// What its payload stands for, if it had one of ours. Whether it was made for this person is not verified.
        invite: Option<InviteToken>,
    },
    /// A person called the page of a Messenger account.
    MessengerCall { account: AccountAlias, psid: Psid, at: Option<Timestamp> },
    /// A person wrote to the page; this opens its 24 h window.
    MessengerMessage {
        account: AccountAlias,
        psid: Psid,
        word: Option<Word>,
        /// When it was written, if the platform says so.
        wrote_at: Option<Timestamp>,
    },
    /// The platform restricts what an account may send, or one sender of it; without `why` every restriction of it has
    /// ended.
    Restriction {
        account: AccountAlias,
        sender: Option<Phone>,
        what: Restricted,
        why: Option<String>,
        until: Option<Timestamp>,
        /// When the platform says that it happened.
        told_at: Option<Timestamp>,
    },
    /// Progress of a message that we sent (permission request or invite).
    Message(MessageReport),
    /// The customer canceled a callback whose attempt is in progress.
    CancelRequested { callback: CallbackId },
    /// A customer or an operator wants a callback changed.
    Command(CallbackCommand),
    /// An operator retries or drops what was set aside.
    SetAside(SetAsideWord),
    /// An operator confirmed the machine's clock. `by` is the name of the operator's API token.
    ClockConfirmed { by: String },
    /// An operator releases a store that is not the one that was last written. `despite_unlisted` says that also
    /// accounts may dial whose platform did not tell what it has of the lost span.
    LineageReleased { by: String, why: String, despite_unlisted: bool },
    /// An operator paused what the scope names.
    PauseSet(Pause),
    /// An operator closes or opens days of a calendar.
    CalendarMarked(CalendarMark),
    /// An operator lifts a pause. `by` is the name of the operator's API token.
    PauseLifted { pause: PauseId, by: String },
    /// People were added to a suppression list.
    Suppressed(SuppressionAdded),
    /// Entries of a suppression list end.
    SuppressionRemoved(SuppressionRemoved),
    /// A version of an imported suppression list is whole. `by` is the name of the API token.
    SuppressionComplete { list_id: i64, by: String },
    /// A campaign was created or changed.
    Campaign(CampaignCommand),
    /// A pool of agents was fed or removed, or its source failed.
    Pool(PoolCommand),
    /// The erasure of a person began: so many entries of the suppression list are new.
    Erasure {
        erasure: ErasureId,
        list_id: i64,
        entries: u32,
        /// The name of the API token.
        by: String,
    },
    /// The answer to a call that a leader submitted who has given up the lead since.
    CallAnswered { attempt: AttemptId, answer: Answer },
    /// The same for a message.
    MessageAnswered { message: MessageId, answer: Answer },
    /// An event that named an erased person. Nothing is left of it.
    Erased,
}

/// A change of one callback, ordered through the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallbackCommand {
    pub callback: CallbackId,
    /// The name of the API token that it came with.
    pub by: String,
    pub change: CallbackChange,
}

/// What a person wants of a call in progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptCommand {
    pub attempt: AttemptId,
    /// The name of the API token that it came with.
    pub by: String,
    pub change: AttemptChange,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum AttemptChange {
    /// It is hung up, also if it was answered.
    End,
    /// The platform is asked now.
    AskAgain,
    /// Its unknown fate is not settled by its time-out, for a day.
    Hold,
    /// It is held no more.
    Release,
}

/// What a command wants of a callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackChange {
    Cancel,
    /// All of the order that can be rescheduled, as it should be afterwards.
    Reschedule {
        earliest: Timestamp,
        latest: Timestamp,
        hours: Option<CallingHours>,
        priority: Priority,
        /// Why, for the record.
        reason: Option<String>,
    },
    /// One more attempt in spite of the streak guard.
    AllowAttempt {
        reason: String,
    },
    /// No contact on this day of the consumer.
    NotToday {
        /// Why, for the record.
        reason: Option<String>,
    },
    /// A calling link to this sender is given out.
    Link {
        sender: Phone,
    },
    /// An agent says what came of a call.
    WrapUp(Box<WrapUp>),
    /// An agent answers the offer of a preview.
    Offer(OfferAct),
}

/// An agent's answer to an offer. It counts for the offer that ends at `until`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferAct {
    /// The agent takes it, so it is dialled.
    Accept { until: Timestamp, agent: Option<AgentTarget> },
    /// This offer is over; it may be offered again.
    Skip { until: Timestamp },
    /// The callback is not called at all. It also counts after the last offer that nobody took.
    Close { until: Timestamp },
}

/// Entries that were added to a suppression list, and are in force already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressionAdded {
    pub list: ListName,
    /// The number of the list's version in the store.
    pub list_id: i64,
    /// How many are new.
    pub entries: u32,
    /// The numbers of waiting orders that may be forbidden now.
    pub consumers: Vec<Phone>,
    /// These orders; not all of them, if `is_cut`.
    pub waiting: Vec<CallbackId>,
    pub is_cut: bool,
    /// The name of the API token.
    pub by: String,
}

/// Entries of a suppression list that an operator removes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressionRemoved {
    pub list: ListName,
    /// The hashes of the entries.
    pub hashes: Vec<[u8; 32]>,
    pub why: String,
    /// The name of the API token.
    pub by: String,
}

/// An operator's retry or drop of a set-aside item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetAsideWord {
    pub id: SetAsideId,
    pub verdict: SetAsideVerdict,
    /// The name of the operator's API token.
    pub by: String,
}

/// The result of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandOutcome {
    Applied,
    /// With the code of the problem that it would be answered with.
    Refused(Cow<'static, str>),
}

/// The person whose calls and messages an event may prevent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concerns<'a> {
    Nobody,
    /// The person of these names, or the one to whom this message of ours went.
    Person {
        who: &'a Named,
        replied_to: Option<&'a str>,
    },
    /// The person of this number.
    Consumer(Phone),
    Callback(CallbackId),
    /// It does not say who it is about.
    Anybody,
}

impl Event {
    /// The person whose calls and messages must not be sent before this event is folded.
    #[must_use]
    pub fn concerns(&self) -> Concerns<'_> {
        match self {
            Self::PermissionReply(PermissionReply { who, replied_to, .. }) => {
                Concerns::Person { who, replied_to: replied_to.as_deref() }
            }
            Self::InboundMessage { who, .. }
            | Self::MarketingPreference { who, .. }
            | Self::InboundCall { who, .. } => Concerns::Person { who, replied_to: None },
            Self::PermissionOverride(PermissionOverride { consumer, .. }) => Concerns::Consumer(*consumer),
            Self::CancelRequested { callback } | Self::Command(CallbackCommand { callback, .. }) => {
                Concerns::Callback(*callback)
            }
            Self::PauseSet(Pause { scope: PauseScope::Person(number), .. }) => Concerns::Consumer(*number),
            Self::PauseSet(_) | Self::CalendarMarked(_) => Concerns::Anybody,
            // Whom the entries name, only their hashes say.
            Self::Suppressed(_) | Self::Erasure { .. } => Concerns::Anybody,
            Self::Campaign(CampaignCommand {
                act: CampaignAct::Pause { .. } | CampaignAct::Cancel { .. } | CampaignAct::Change { .. },
                ..
            }) => Concerns::Anybody,
            // Which person it is, only the store knows; it may be a no.
            Self::MessengerMessage { word: Some(_), .. } | Self::Restriction { why: Some(_), .. } => {
                Concerns::Anybody
            }
            // A failure can say that the consumer wants no messages.
            Self::Message(MessageReport { progress: MessageProgress::Failed, .. }) => Concerns::Anybody,
            // These are about calls and messages that have left already, and their pairs wait for them.
            Self::Call(_)
            | Self::DocumentFetched { .. }
            | Self::Connected(_)
            | Self::Recorded(_)
            | Self::AttemptResolved(_)
            | Self::AttemptCommand(_)
            | Self::MessageResolved(_)
            | Self::SetAside(_)
            | Self::ClockConfirmed { .. }
            | Self::LineageReleased { .. }
            | Self::PauseLifted { .. }
            | Self::SuppressionRemoved(_)
            | Self::SuppressionComplete { .. }
            | Self::Campaign(_)
            // A new figure holds from its answer on, which waits for the fold.
            | Self::Pool(_)
            | Self::CallAnswered { .. }
            | Self::MessageAnswered { .. }
            | Self::Erased
            | Self::MessengerCall { .. }
            | Self::MessengerMessage { .. }
            | Self::Restriction { .. }
            | Self::Message(_) => Concerns::Nobody,
        }
    }

    /// The name of its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Call(_) => "call",
            Self::DocumentFetched { .. } => "document_fetched",
            Self::Connected(_) => "connected",
            Self::Recorded(_) => "recorded",
            Self::PermissionReply(_) => "permission_reply",
            Self::PermissionOverride(_) => "permission_override",
            Self::AttemptResolved(_) => "attempt_resolved",
            Self::AttemptCommand(_) => "attempt_command",
            Self::MessageResolved(_) => "message_resolved",
            Self::InboundMessage { .. } => "inbound_message",
            Self::InboundCall { .. } => "inbound_call",
            Self::MarketingPreference { .. } => "marketing_preference",
            Self::MessengerCall { .. } => "messenger_call",
            Self::MessengerMessage { .. } => "messenger_message",
            Self::Restriction { .. } => "restriction",
            Self::Message(_) => "message",
            Self::CancelRequested { .. } => "cancel_requested",
            Self::Command(_) => "command",
            Self::SetAside(_) => "set_aside",
            Self::ClockConfirmed { .. } => "clock_confirmed",
            Self::LineageReleased { .. } => "lineage_released",
            Self::PauseSet(_) => "pause_set",
            Self::CalendarMarked(_) => "calendar_marked",
            Self::PauseLifted { .. } => "pause_lifted",
            Self::Suppressed(_) => "suppressed",
            Self::SuppressionRemoved(_) => "suppression_removed",
            Self::SuppressionComplete { .. } => "suppression_complete",
            Self::Campaign(_) => "campaign",
            Self::Pool(_) => "pool",
            Self::Erasure { .. } => "erasure",
            Self::CallAnswered { .. } => "call_answered",
            Self::MessageAnswered { .. } => "message_answered",
            Self::Erased => "erased",
        }
    }
}

/// A status callback about a call that we placed, or the result of a lookup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallReport {
    pub attempt: AttemptId,
    /// The call that the report is about.
    pub sid: String,
    /// SID of the parent call. Set for the second leg (`<WhatsApp>`, `<Client>`, `<Sip>`).
    pub parent_sid: Option<String>,
    pub progress: CallProgress,
    /// When it happened, by the platform's clock, if reported.
    pub at: Option<Timestamp>,
    pub duration_s: Option<u32>,
    /// The final SIP response, if reported.
    pub sip_code: Option<u16>,
    /// The platform's error code, if reported.
    pub error_code: Option<ErrorCode>,
}

/// A message that consists of a stop or start word only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Word {
    Stop,
    Start,
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

/// How the connecting part of a document ended: what a `<Dial>`, an `<Enqueue>` or a `<Connect>` reported at its end, or
/// that the document was played.
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
    /// The document is itself the message, and was played to its end.
    Played,
    /// An operator said that the consumer was not connected. No report has this value.
    Nobody,
}

impl ConnectionEnd {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// Progress of a call, in order. All ends have the same, last rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallProgress {
    Queued,
    Initiated,
    Ringing,
    /// Answered, and not over.
    InProgress,
    Ended(Disposition),
}

impl CallProgress {
    /// Later stages rank higher. All ends have the same rank, so that the first reported end stays.
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
    /// It was answered and is over.
    Completed,
    NoAnswer,
    /// Busy or declined. The platform does not distinguish the two.
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

/// A consumer's answer about calls from a sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionReply {
    pub sender: Phone,
    pub who: Named,
    pub answer: PermissionAnswer,
    /// The platform's id of the answered request, if reported.
    pub replied_to: Option<String>,
    /// Set if the platform granted or revoked the permission, not the consumer.
    pub automatic: bool,
    /// When it was given, if the platform says so: a webhook may be delivered days later. Absent for Twilio.
    pub replied_at: Option<Timestamp>,
}

/// A call permission set by an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionOverride {
    pub sender: Phone,
    pub consumer: Phone,
    pub answer: PermissionAnswer,
    /// The name of the operator's API token.
    pub by: String,
    pub reason: String,
    /// Whether the consumer allowed calls after refusing, so that a permission ends the refusals of the person too.
    pub ends_refusals: bool,
}

/// An operator's resolution of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptOverride {
    pub attempt: AttemptId,
    pub fate: AttemptResolution,
    /// The call's SID, if the operator found it.
    pub sid: Option<String>,
    /// The name of the operator's API token.
    pub by: String,
    pub note: Option<String>,
}

/// An operator's resolution of a message.
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
    /// Granted until `expires_at`, or for the platform's default time.
    Temporary {
        expires_at: Option<Timestamp>,
    },
    Permanent,
    Rejected,
    /// Neither a yes nor a no that we know. It may be a no, so its report is set aside as one that cannot be read.
    NotUnderstood,
}

/// The state of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageReport {
    /// Known if the report came to the URL that we gave with the message.
    pub message: Option<MessageId>,
    pub sid: String,
    pub progress: MessageProgress,
    pub error_code: Option<ErrorCode>,
    /// Our sender, if the report names it.
    pub from: Option<Phone>,
    /// To whom the platform says that it went, which may be another spelling than ours.
    pub to: Named,
}

/// Progress of a message. `Failed` is an end.
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
