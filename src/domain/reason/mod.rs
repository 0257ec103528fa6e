//! Reasons for the state of a callback. A refusal is a value with its figures, not an error.

mod lifted_by;
mod local_time;
mod note;
mod paused;
mod refusals;
mod sentence;

use std::borrow::Cow;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use strum::EnumCount;

use super::country::Prefix;
use super::{
    CalendarName, ContentRef, DayPart, ErrorCode, ListName, PauseKind, PoolName, RefusalKind, RoadKind,
    SuppressionScope,
};

pub use local_time::in_zone;
pub use note::Note;
use paused::paused_code;
use refusals::refusal_code;

/// The reason that decides. The same value appears in the API, the terminal, the log and the timeline.
///
/// `docs/REASONS.md` lists all of them.
#[derive(Debug, Clone, PartialEq, Eq, EnumCount)]
pub enum Reason {
    /// The call can be placed.
    Ready,
    BeforeEarliest {
        earliest: Timestamp,
    },
    OutsideHours {
        opens_at: Timestamp,
    },
    /// The hours would be open, and their calendar closes the day.
    CalendarClosed {
        calendar: CalendarName,
        opens_at: Timestamp,
    },
    /// The calendar of the hours is not in the configuration any more.
    CalendarUnknown {
        calendar: CalendarName,
    },
    /// The retry delay after an earlier attempt.
    RetryNotBefore {
        at: Timestamp,
    },
    /// The retry delay after an attempt whose consumer answered and was not served.
    /// The next attempt is in a part of the day in which the consumer was not called yet.
    RetryShifted {
        at: Timestamp,
        part: DayPart,
    },
    RetryAbandoned {
        at: Timestamp,
    },
    NoPermission,
    /// The consumer has allowed calls, so no request is needed.
    PermissionGranted,
    /// Too early to ask: a permission granted now could end before the call.
    AskLater {
        at: Timestamp,
    },
    AwaitingReply {
        lapses_at: Timestamp,
    },
    /// The consumer has not answered and is asked again at this time.
    AskedAgain {
        at: Timestamp,
    },
    /// The consumer was invited to call.
    AwaitingCall {
        until: Timestamp,
    },
    /// It is unknown whether the invite was sent. It counts as sent.
    InviteUnknown {
        until: Timestamp,
    },
    /// The sender's account places no calls, so the consumer is invited to call.
    SenderCannotCall,
    /// The order is only an invite.
    InviteOrdered,
    /// The person was invited before, by whatever sender and road.
    InvitedBefore {
        window: SignedDuration,
        lifts_at: Timestamp,
    },
    /// The sender has sent the consumer a message just before.
    MessageGap {
        lifts_at: Timestamp,
    },
    /// The sender has no way to invite.
    NoRoad,
    /// An invite of the callback by this road failed.
    RoadFailed {
        road: RoadKind,
        code: Option<ErrorCode>,
    },
    /// The road needs the open service window.
    RoadNeedsWindow {
        road: RoadKind,
    },
    /// The order has no id of the consumer for the page of Messenger.
    NoPageId,
    /// The consumer has not written to the page of Messenger for so long that the page may not write.
    PageWindowClosed,
    /// The consumer wrote STOP to the page of Messenger.
    PageStopped,
    /// Since the invite was decided, another road is the first one that is open.
    RoadChanged,
    /// A warning: the permission ends before the call can be placed, and that cannot be changed.
    PermissionEndsFirst {
        expires_at: Timestamp,
    },
    RequestLimit {
        used: u32,
        max: u32,
        window: SignedDuration,
        lifts_at: Timestamp,
    },
    /// Outside the service window, and the sender has no approved template.
    ServiceWindowClosed,
    /// The sender has no content for permission requests.
    NoRequestContent,
    Declined,
    /// The person refused, which binds all senders until the person opts in again.
    PersonRefuses {
        kind: RefusalKind,
    },
    /// The consumer is on a suppression list, which only an operator changes.
    Suppressed {
        list: ListName,
        scope: SuppressionScope,
    },
    /// A register has to be asked about the consumer, and no answer of it counts now.
    RegisterStale {
        list: ListName,
    },
    /// A suppression list that binds the callback is past its term, and calls stop then.
    ListExpired {
        list: ListName,
        since: Timestamp,
    },
    /// The order is for marketing, and has no consent that holds.
    NoConsent,
    /// The person answered one of our calls just before.
    JustTalked {
        until: Timestamp,
    },
    /// The first calling hours passed without a call, and the order does not wait for the next ones.
    WindowMissed {
        closed_at: Timestamp,
    },
    /// The same, and somebody has to decide.
    WindowAsks {
        closed_at: Timestamp,
    },
    /// The operator's cap of calls to a person, in a day or in seven.
    PersonCapped {
        max: u32,
        days: u32,
        lifts_at: Timestamp,
    },
    /// Somebody marked the callback: no contact on this day of the consumer.
    NotToday {
        until: Timestamp,
    },
    Uncallable,
    ConnectedLimit {
        used: u32,
        max: u32,
        window: SignedDuration,
        lifts_at: Timestamp,
    },
    /// One more missed call in a row could lead to a revocation.
    StreakGuard {
        misses: u32,
        revoked_at: u32,
    },
    PairOnThePhone,
    /// It is unknown whether a message to the consumer was sent. The pair waits until that is resolved.
    PairFenced,
    PairPaused {
        until: Timestamp,
    },
    SenderFull {
        live: u32,
        max: u32,
    },
    /// The platform refused calls of the sender for a while.
    SenderPaused {
        until: Timestamp,
        why: Cow<'static, str>,
    },
    /// The operator's limit for the account's calls in progress.
    AccountFull {
        live: u32,
        max: u32,
    },
    /// The free calls of the sender or the account are reserved for urgent callbacks.
    UrgentReserved {
        live: u32,
        max: u32,
        reserved: u32,
    },
    /// The operator's limit for the campaign's calls in progress.
    CampaignFull {
        live: u32,
        max: u32,
    },
    /// The calls of the campaign in a minute are used up.
    CampaignPaced {
        next_at: Timestamp,
    },
    /// The token that ordered the callback has used its calls of 24 hours.
    TokenCalls {
        max: u32,
        lifts_at: Timestamp,
    },
    /// The token that ordered the callback has used its permission requests of 24 hours.
    TokenRequests {
        max: u32,
        lifts_at: Timestamp,
    },
    /// The agent, or everybody whom the document rings, has as many calls as configured.
    AgentBusy {
        live: u32,
        max: u32,
    },
    /// The operator's limit for calls of bots in progress.
    BotsBusy {
        live: u32,
        max: u32,
    },
    /// Our calls use as many seats of the pool as they may.
    PoolFull {
        pool: PoolName,
        used: u32,
        max: u32,
    },
    /// The figure of the pool ended then, so the pool has no seat.
    PoolExpired {
        pool: PoolName,
        since: Timestamp,
    },
    /// Nobody has fed the pool yet, or it was removed.
    PoolUnknown {
        pool: PoolName,
    },
    AccountPaced {
        next_at: Timestamp,
    },
    AccountPaused {
        until: Timestamp,
        why: Cow<'static, str>,
    },
    /// An operator paused it, by the token `who`; without an end until somebody lifts the pause.
    Paused {
        scope: PauseKind,
        who: Arc<str>,
        why: Arc<str>,
        until: Option<Timestamp>,
    },
    /// The platform does not send this content for a while.
    ContentPaused {
        content: ContentRef,
        until: Timestamp,
        why: Arc<str>,
    },
    SenderUnknown,
    DocumentUnknown,
    /// The document calls an agent first, and neither the order nor the sender names one.
    NoAgent,
    /// The consumer's number belongs to a destination that is not called.
    DestinationBarred {
        prefix: Prefix,
    },
    /// The next possible time is after the deadline.
    NoTimeLeft {
        latest: Timestamp,
    },
    DeadlinePassed {
        latest: Timestamp,
    },
    AttemptsUsed {
        used: u32,
        max: u32,
    },
    /// The platform refused it permanently; `meaning` is the meaning of the code.
    Refused {
        code: Option<ErrorCode>,
        meaning: Option<&'static str>,
    },
    /// The platform refused it more than once, with an unknown code or without a code.
    RefusedUnknown {
        code: Option<ErrorCode>,
    },
    /// The platform says that the consumer opted out of messages from the sender.
    OptedOut {
        code: Option<ErrorCode>,
    },
    /// It failed too often, not because of the consumer.
    TooManyFaults {
        faults: u32,
    },
    /// A report about the consumer could not be processed. It may be a refusal.
    ReportSetAside,
    /// The callback, or a command about it, could not be processed.
    CallbackSetAside,
    /// An operator dropped the callback after it had been set aside.
    DroppedByOperator,
    /// The code failed too often, so that nothing is dialled or sent until a restart.
    DiallingStopped {
        since: Timestamp,
    },
    /// The machine's clock jumped, so nothing is dialled, sent or decided until it is confirmed.
    ClockInDoubt {
        since: Timestamp,
        by: SignedDuration,
    },
    /// Another daemon has opened the store, so that this one dials and writes nothing more.
    Deposed {
        since: Timestamp,
    },
    /// The store is not the one that was last written, so nothing is dialled, sent or decided until it is released.
    StoreWentBack {
        since: Timestamp,
    },
    CallInProgress,
    /// It is unknown whether the call was placed; the platform is asked.
    CheckingCall,
    /// An attempt or message was withdrawn because its callback is closed.
    CallbackClosed,
    Answered,
    /// The consumer called and was reached.
    ConsumerCalled,
    /// The consumer was reached for `by`, an order of the same purpose, by its id as customers name it.
    ReachedElsewhere {
        by: Arc<str>,
    },
    CustomerCanceled,
    /// The person's data is erased.
    Erased,
    /// It is offered to agents, who look at it before it is dialled. `number` of `times` offers.
    PreviewOffered {
        until: Timestamp,
        number: u32,
        times: u32,
    },
    /// It was offered so often, and no agent took it.
    PreviewNobody {
        times: u32,
    },
    /// An agent closed it at the preview.
    PreviewClosed,
    /// What an agent said of the call ended it.
    WrappedUp,
}

impl Reason {
    /// The stable code, on which programs may rely.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::BeforeEarliest { .. } => "window.before_earliest",
            Self::OutsideHours { .. } => "window.outside_hours",
            Self::CalendarClosed { .. } => "calendar.closed",
            Self::CalendarUnknown { .. } => "calendar.unknown",
            Self::RetryNotBefore { .. } => "retry.not_before",
            Self::RetryShifted { .. } => "retry.other_part_of_day",
            Self::RetryAbandoned { .. } => "retry.abandoned",
            Self::NoPermission => "permission.none",
            Self::PermissionGranted => "permission.granted",
            Self::AskLater { .. } => "permission.ask_later",
            Self::AwaitingReply { .. } => "permission.awaiting_reply",
            Self::AskedAgain { .. } => "permission.asked_again",
            Self::AwaitingCall { .. } => "invite.awaiting_call",
            Self::InviteUnknown { .. } => "invite.unknown",
            Self::SenderCannotCall => "sender.cannot_call",
            Self::InviteOrdered => "invite.ordered",
            Self::InvitedBefore { .. } => "invite.person_limit",
            Self::MessageGap { .. } => "limit.message_gap",
            Self::NoRoad => "invite.no_road",
            Self::RoadFailed { .. } => "invite.road_failed",
            Self::RoadNeedsWindow { .. } => "invite.service_window_closed",
            Self::NoPageId => "invite.no_page_id",
            Self::PageWindowClosed => "invite.page_window_closed",
            Self::PageStopped => "invite.page_stopped",
            Self::RoadChanged => "invite.road_changed",
            Self::PermissionEndsFirst { .. } => "permission.ends_first",
            Self::RequestLimit { .. } => "permission.request_limit",
            Self::ServiceWindowClosed => "permission.service_window_closed",
            Self::NoRequestContent => "permission.no_request_content",
            Self::Declined => "permission.declined",
            Self::PersonRefuses { kind } => refusal_code(*kind),
            Self::Suppressed { .. } => "consumer.suppressed",
            Self::RegisterStale { .. } => "register.stale",
            Self::ListExpired { .. } => "suppression.list_expired",
            Self::NoConsent => "consent.none",
            Self::JustTalked { .. } => "consumer.just_talked",
            Self::PersonCapped { .. } => "consumer.calls_capped",
            Self::NotToday { .. } => "window.not_today",
            Self::WindowMissed { .. } => "window.missed",
            Self::WindowAsks { .. } => "window.asks",
            Self::Uncallable => "permission.uncallable",
            Self::ConnectedLimit { .. } => "limit.connected_calls",
            Self::StreakGuard { .. } => "limit.streak_guard",
            Self::PairOnThePhone => "pair.on_the_phone",
            Self::PairFenced => "pair.fenced",
            Self::PairPaused { .. } => "pair.paused",
            Self::SenderFull { .. } => "sender.concurrency",
            Self::SenderPaused { .. } => "sender.paused",
            Self::AccountFull { .. } => "account.concurrency",
            Self::UrgentReserved { .. } => "urgent.reserved",
            Self::CampaignFull { .. } => "campaign.concurrency",
            Self::CampaignPaced { .. } => "campaign.pace",
            Self::TokenCalls { .. } => "token.calls_per_day",
            Self::TokenRequests { .. } => "token.requests_per_day",
            Self::AgentBusy { .. } => "agent.busy",
            Self::BotsBusy { .. } => "bot.concurrency",
            Self::PoolFull { .. } => "pool.no_seat",
            Self::PoolExpired { .. } => "pool.expired",
            Self::PoolUnknown { .. } => "pool.unknown",
            Self::AccountPaced { .. } => "account.calls_per_second",
            Self::AccountPaused { .. } => "account.paused",
            Self::Paused { scope, .. } => paused_code(*scope),
            Self::ContentPaused { .. } => paused_code(PauseKind::Content),
            Self::SenderUnknown => "sender.unknown",
            Self::DocumentUnknown => "document.unknown",
            Self::NoAgent => "document.no_agent",
            Self::DestinationBarred { .. } => "consumer.destination_barred",
            Self::NoTimeLeft { .. } => "deadline.no_time_left",
            Self::DeadlinePassed { .. } => "deadline.passed",
            Self::AttemptsUsed { .. } => "attempts.used",
            Self::Refused { .. } => "platform.refused",
            Self::RefusedUnknown { .. } => "platform.refused_unknown",
            Self::OptedOut { .. } => "consumer.opted_out",
            Self::TooManyFaults { .. } => "platform.too_many_faults",
            Self::ReportSetAside => "report.set_aside",
            Self::CallbackSetAside => "callback.set_aside",
            Self::DroppedByOperator => "callback.dropped",
            Self::DiallingStopped { .. } => "dialling.stopped",
            Self::ClockInDoubt { .. } => "clock.in_doubt",
            Self::Deposed { .. } => "store.deposed",
            Self::StoreWentBack { .. } => "store.lineage",
            Self::CallInProgress => "attempt.in_progress",
            Self::CheckingCall => "attempt.unknown",
            Self::CallbackClosed => "callback.closed",
            Self::Answered => "attempt.answered",
            Self::ConsumerCalled => "invite.consumer_called",
            Self::ReachedElsewhere { .. } => "consumer.reached_elsewhere",
            Self::CustomerCanceled => "customer.canceled",
            Self::Erased => "consumer.erased",
            Self::PreviewOffered { .. } => "preview.offered",
            Self::PreviewNobody { .. } => "preview.nobody",
            Self::PreviewClosed => "preview.closed",
            Self::WrappedUp => "callback.wrapped_up",
        }
    }

    /// The sentence with its time in the consumer's time zone; see [`in_zone`].
    #[must_use]
    pub fn sentence_in(&self, zone: &TimeZone, now: Timestamp) -> Cow<'static, str> {
        in_zone(&self.sentence(), zone, now).into()
    }

    /// The same reason with its time truncated to whole seconds, for display.
    fn to_the_second(&self) -> Self {
        let mut reason = self.clone();
        if let Some(at) = reason.moment() {
            *at = Timestamp::from_second(at.as_second()).unwrap_or(*at);
        }
        reason
    }

    /// The time in the sentence, whether or not the reason lifts then.
    const fn moment(&mut self) -> Option<&mut Timestamp> {
        match self {
            Self::BeforeEarliest { earliest: at }
            | Self::OutsideHours { opens_at: at }
            | Self::CalendarClosed { opens_at: at, .. }
            | Self::RetryNotBefore { at }
            | Self::RetryShifted { at, .. }
            | Self::RetryAbandoned { at }
            | Self::AskLater { at }
            | Self::AskedAgain { at }
            | Self::AwaitingReply { lapses_at: at }
            | Self::AwaitingCall { until: at }
            | Self::InviteUnknown { until: at }
            | Self::PermissionEndsFirst { expires_at: at }
            | Self::RequestLimit { lifts_at: at, .. }
            | Self::InvitedBefore { lifts_at: at, .. }
            | Self::MessageGap { lifts_at: at }
            | Self::ConnectedLimit { lifts_at: at, .. }
            | Self::TokenCalls { lifts_at: at, .. }
            | Self::TokenRequests { lifts_at: at, .. }
            | Self::PairPaused { until: at }
            | Self::JustTalked { until: at }
            | Self::PersonCapped { lifts_at: at, .. }
            | Self::NotToday { until: at }
            | Self::SenderPaused { until: at, .. }
            | Self::AccountPaced { next_at: at }
            | Self::CampaignPaced { next_at: at }
            | Self::AccountPaused { until: at, .. }
            | Self::Paused { until: Some(at), .. }
            | Self::ContentPaused { until: at, .. }
            | Self::NoTimeLeft { latest: at }
            | Self::PoolExpired { since: at, .. }
            | Self::DiallingStopped { since: at }
            | Self::ClockInDoubt { since: at, .. }
            | Self::Deposed { since: at }
            | Self::StoreWentBack { since: at }
            | Self::WindowMissed { closed_at: at }
            | Self::WindowAsks { closed_at: at }
            | Self::PreviewOffered { until: at, .. }
            | Self::DeadlinePassed { latest: at } => Some(at),
            _ => None,
        }
    }

    /// When the reason ends by itself; `None` if time alone does not end it.
    #[must_use]
    pub const fn lifts_at(&self) -> Option<Timestamp> {
        match self {
            Self::BeforeEarliest { earliest: at }
            | Self::OutsideHours { opens_at: at }
            | Self::CalendarClosed { opens_at: at, .. }
            | Self::RetryNotBefore { at }
            | Self::RetryShifted { at, .. }
            | Self::RetryAbandoned { at }
            | Self::AskLater { at }
            | Self::AskedAgain { at }
            | Self::RequestLimit { lifts_at: at, .. }
            | Self::InvitedBefore { lifts_at: at, .. }
            | Self::MessageGap { lifts_at: at }
            | Self::ConnectedLimit { lifts_at: at, .. }
            | Self::TokenCalls { lifts_at: at, .. }
            | Self::TokenRequests { lifts_at: at, .. }
            | Self::PairPaused { until: at }
            | Self::JustTalked { until: at }
            | Self::PersonCapped { lifts_at: at, .. }
            | Self::NotToday { until: at }
            | Self::SenderPaused { until: at, .. }
            | Self::AccountPaced { next_at: at }
            | Self::CampaignPaced { next_at: at }
            | Self::AccountPaused { until: at, .. }
            | Self::Paused { until: Some(at), .. }
            | Self::ContentPaused { until: at, .. } => Some(*at),
            _ => None,
        }
    }

    /// The form that is stored with the callback.
    #[must_use]
    pub fn note(&self) -> Note {
        Note { code: Cow::Borrowed(self.code()), sentence: self.sentence(), lifts_at: self.lifts_at() }
    }
}

#[cfg(test)]
mod tests;
