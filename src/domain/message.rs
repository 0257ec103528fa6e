//! Messages that we send to a consumer: permission requests and invites.

use jiff::Timestamp;
use strum::{EnumString, IntoStaticStr};

use super::event::MessageProgress;
use super::{
    AccountAlias, CallbackId, Channel, ContentRef, ErrorCode, MessageId, Numbers, Phone, Purpose, RoadKind,
    Stage, Submission, Tenant,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MessagePurpose {
    /// Asks the consumer for the call permission.
    PermissionRequest,
    /// Invites the consumer to call the sender.
    Invite,
}

impl MessagePurpose {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The result of a message, according to an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum MessageResolution {
    Sent,
    /// The platform has no such message.
    NotSent,
}

impl MessageResolution {
    pub const ALL: [Self; 2] = [Self::Sent, Self::NotSent];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What the consumer answered to a permission request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum Reply {
    Granted,
    Declined,
}

impl Reply {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One message, submitted with the same protocol as a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub id: MessageId,
    pub purpose: MessagePurpose,
    /// The callback for which it is sent, if there is one. Other callbacks of the pair use its result too.
    pub callback: Option<CallbackId>,
    /// Who sees it: the tenant of its callback, or the one who wants a message without a callback.
    pub tenant: Tenant,
    pub channel: Channel,
    pub sender: Phone,
    pub consumer: Phone,
    pub content: ContentRef,
    /// How it invites, where that was chosen.
    pub road: Option<RoadKind>,
    pub submission: Submission,
    pub progress: MessageProgress,
    pub delivered_at: Option<Timestamp>,
    /// The last answer to this request.
    pub reply: Option<Reply>,
    /// What reports say of its order; `None` for a message without a callback, and for those of older versions of the program.
    pub ordered: Option<Ordered>,
}

/// What reports say of the order for which a message was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    pub purpose: Purpose,
    /// The id or the label of the campaign.
    pub campaign: Option<String>,
}

impl Message {
    /// A message of the default tenant on WhatsApp for no callback, intended at `now`.
    #[must_use]
    pub fn new(
        id: MessageId,
        purpose: MessagePurpose,
        content: ContentRef,
        numbers: Numbers,
        account: impl Into<AccountAlias>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            purpose,
            callback: None,
            tenant: Tenant::default(),
            channel: Channel::whatsapp(account),
            sender: numbers.sender,
            consumer: numbers.consumer,
            content,
            road: None,
            submission: Submission::intent(now),
            progress: MessageProgress::Queued,
            delivered_at: None,
            reply: None,
            ordered: None,
        }
    }

    /// The same for a callback.
    #[must_use]
    pub fn for_callback(self, callback: CallbackId) -> Self {
        Self { callback: Some(callback), ..self }
    }

    /// The account that sends it.
    #[must_use]
    pub const fn account(&self) -> &AccountAlias {
        self.channel.account()
    }

    /// The sender and the consumer of the message.
    #[must_use]
    pub const fn numbers(&self) -> Numbers {
        Numbers { sender: self.sender, consumer: self.consumer }
    }

    /// Applies a report of the platform. Returns whether it changed anything.
    pub fn observe(
        &mut self,
        now: Timestamp,
        sid: &str,
        progress: MessageProgress,
        error_code: Option<ErrorCode>,
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

    /// Whether it is unknown if the platform has it.
    #[must_use]
    pub fn is_unresolved(&self) -> bool {
        self.submission.stage == Stage::Unknown
    }

    /// Whether the message already has this resolution.
    #[must_use]
    pub fn is_known_as(&self, fate: MessageResolution) -> bool {
        match fate {
            MessageResolution::Sent => self.submission.stage == Stage::Accepted,
            MessageResolution::NotSent => self.never_left(),
        }
    }

    /// Applies an operator's resolution; `sid` is the message's SID, if the operator found it.
    pub fn resolve(&mut self, at: Timestamp, fate: MessageResolution, sid: Option<&str>) {
        match fate {
            MessageResolution::Sent => self.submission.vouch(at, sid),
            MessageResolution::NotSent => self.submission.disprove(at),
        };
    }

    /// Whether the consumer may have received it, or may still receive it.
    #[must_use]
    pub const fn may_arrive(&self) -> bool {
        self.submission.stage.may_exist() && !matches!(self.progress, MessageProgress::Failed)
    }

    /// Whether it certainly did not reach the platform.
    #[must_use]
    pub const fn never_left(&self) -> bool {
        self.submission.stage.never_left()
    }
}

/// Orders progress: a delivered message cannot fail any more, and a read message was delivered.
const fn rank(progress: MessageProgress) -> u8 {
    match progress {
        MessageProgress::Queued => 0,
        MessageProgress::Sent => 1,
        MessageProgress::Failed => 2,
        MessageProgress::Delivered => 3,
        MessageProgress::Read => 4,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use MessageProgress::{Delivered, Failed, Queued, Read, Sent};

    const SID: &str = "SM00000000000000000000000000000001";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn message(stage: Stage) -> Message {
        Message {
            submission: Submission { stage, ..Submission::intent(at(0)) },
            ..Message::new(
                MessageId::new(Uuid::from_u128(1)),
                MessagePurpose::PermissionRequest,
                "HXtemplate".parse().unwrap(),
                Numbers {
                    sender: Phone::parse("+551151991234").unwrap(),
                    consumer: Phone::parse("+5511987654321").unwrap(),
                },
                "main",
                at(0),
            )
            .for_callback(CallbackId::new(Uuid::from_u128(2)))
        }
    }

    const CODE: ErrorCode = ErrorCode::of_twilio(63024);

    /// After these reports, one a second.
    fn after(reports: &[MessageProgress]) -> Message {
        let mut message = message(Stage::Submitting);
        for (second, &progress) in (1..).zip(reports) {
            message.observe(at(second), SID, progress, (progress == Failed).then_some(CODE));
        }
        message
    }

    #[test]
    fn a_message_only_moves_forward_and_what_was_delivered_cannot_fail() {
        for (reports, progress) in [
            (&[Sent][..], Sent),
            (&[Sent, Queued], Sent),
            (&[Sent, Failed], Failed),
            (&[Failed, Sent], Failed),
            (&[Delivered, Failed], Delivered),
            (&[Failed, Delivered], Delivered),
            (&[Read, Delivered], Read),
            (&[Sent, Delivered, Read], Read),
        ] {
            assert_eq!(after(reports).progress, progress, "{reports:?}");
        }
    }

    #[test]
    fn the_first_report_of_delivery_or_reading_tells_when_it_was_delivered() {
        assert_eq!(after(&[Sent]).delivered_at, None);
        assert_eq!(after(&[Sent, Failed]).delivered_at, None);
        assert_eq!(after(&[Sent, Delivered, Read]).delivered_at, Some(at(2)));
        assert_eq!(after(&[Read, Delivered]).delivered_at, Some(at(1)));
    }

    #[test]
    fn the_code_of_a_failure_is_kept() {
        assert_eq!(after(&[Sent, Failed]).submission.error_code, Some(CODE));
        assert_eq!(after(&[Delivered, Failed]).submission.error_code, None, "it did not fail");
    }

    #[test]
    fn a_report_tells_whether_it_changed_anything() {
        let mut message = message(Stage::Submitting);
        assert!(message.observe(at(1), SID, Queued, None), "it exists");
        assert!(!message.observe(at(2), SID, Queued, None));
        assert!(message.observe(at(3), SID, Sent, None));
        assert!(!message.observe(at(4), SID, Sent, None));
        assert!(!message.observe(at(5), SID, Queued, None));
    }

    #[test]
    fn every_resolution_is_parsed_from_its_own_string() {
        assert_eq!(MessageResolution::ALL.map(MessageResolution::as_str), ["sent", "not_sent"]);
        for resolution in MessageResolution::ALL {
            assert_eq!(resolution.as_str().parse(), Ok(resolution));
        }
        assert!("delivered".parse::<MessageResolution>().is_err());
    }

    #[test]
    fn what_an_operator_says_of_an_unknown_message_becomes_of_it() {
        let resolved = |fate| {
            let mut message = message(Stage::Unknown);
            assert!(message.is_unresolved());
            assert!(!MessageResolution::ALL.into_iter().any(|fate| message.is_known_as(fate)));
            message.resolve(at(5), fate, Some(SID));
            assert!(!message.is_unresolved());
            MessageResolution::ALL.map(|fate| message.is_known_as(fate))
        };
        assert_eq!(resolved(MessageResolution::Sent), [true, false]);
        assert_eq!(resolved(MessageResolution::NotSent), [false, true]);
        for stage in [Stage::Intent, Stage::Submitting, Stage::Accepted, Stage::Rejected, Stage::NotPlaced] {
            assert!(!message(stage).is_unresolved(), "{stage:?}");
        }
    }

    #[test]
    fn every_stage_says_whether_the_message_may_arrive_or_never_left() {
        for (stage, may_arrive, never_left) in [
            (Stage::Intent, true, false),
            (Stage::Submitting, true, false),
            (Stage::Accepted, true, false),
            (Stage::Unknown, true, false),
            (Stage::Rejected, false, true),
            (Stage::Throttled, false, true),
            (Stage::NotPlaced, false, true),
            (Stage::Withdrawn, false, true),
        ] {
            let message = message(stage);
            assert_eq!((message.may_arrive(), message.never_left()), (may_arrive, never_left), "{stage:?}");
        }
        assert!(!after(&[Sent, Failed]).may_arrive(), "it left, and failed on its way");
        assert!(!after(&[Sent, Failed]).never_left());
    }
}
