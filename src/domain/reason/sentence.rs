//! The sentence of each reason, with its figures.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::Reason;
use super::note::{span, whole_seconds};
use super::paused::paused_sentence;
use super::refusals::refusal_sentence;
use crate::domain::callback::Waiting;
use crate::domain::country::{Prefix, barred_destination};

macro_rules! say {
    ($($figures:tt)*) => {
        Cow::from(format!($($figures)*))
    };
}

impl Reason {
    /// One sentence for people, with the figures.
    #[must_use]
    #[rustfmt::skip]
    pub fn sentence(&self) -> Cow<'static, str> {
        match &self.to_the_second() {
            Self::Ready => "It is decided in the next turn.".into(),
            Self::BeforeEarliest { earliest } => say!("The earliest time is {earliest}."),
            Self::OutsideHours { opens_at } => say!("The consumer's calling hours are closed; they open at {opens_at}."),
            Self::CalendarClosed { calendar, opens_at } => say!("The calendar {calendar} is closed; the calling hours open at {opens_at}."),
            Self::CalendarUnknown { calendar } => say!("The calendar {calendar} of the calling hours is not in the configuration."),
            Self::RetryNotBefore { at } => say!("The last attempt did not reach the consumer; the next is due at {at}."),
            Self::RetryShifted { at, part } => say!("The last attempt did not reach the consumer; the next is in another part of the day ({}), at {at}.", part.as_str()),
            Self::RetryAbandoned { at } => say!("The consumer answered and was not served; the next call is due at {at}."),
            Self::NoPermission => "The consumer has not allowed calls from this sender.".into(),
            Self::PermissionGranted => "The consumer has allowed calls.".into(),
            Self::AskLater { at } => say!("It is too early to ask for the permission; the consumer is asked at {at}."),
            Self::AwaitingReply { lapses_at } => say!("The consumer was asked for permission and has not answered; the request lapses at {lapses_at}."),
            Self::AskedAgain { at } => say!("The consumer has not answered; the request is sent again at {at}."),
            Self::InviteUnknown { until } => say!("It is unknown whether the invite was sent; it is not sent again. The consumer has until {until} to call."),
            Self::AwaitingCall { until } => say!("The consumer was invited to call and has until {until}."),
            Self::SenderCannotCall => "The sender places no calls; the consumer is invited to call it.".into(),
            Self::InviteOrdered => "An invite to call was ordered.".into(),
            Self::InvitedBefore { window, lifts_at } => say!("The consumer was invited to call within the last {}; the next invite is possible at {lifts_at}.", span(*window)),
            Self::MessageGap { lifts_at } => say!("The sender has just sent the consumer a message; the next one is possible at {lifts_at}."),
            Self::NoRoad => "The sender has no content for invites to call.".into(),
            Self::RoadFailed { road, code: Some(code) } => say!("An invite by the road {} failed with code {code}; it is not tried again for this order.", road.as_str()),
            Self::RoadFailed { road, code: None } => say!("An invite by the road {} failed; it is not tried again for this order.", road.as_str()),
            Self::RoadNeedsWindow { road } => say!("The service window is closed, and the road {} needs it open.", road.as_str()),
            Self::NoPageId => "The order has no id of the consumer for the page of Messenger.".into(),
            Self::PageWindowClosed => "The consumer has not written to the page of Messenger within its window.".into(),
            Self::PageStopped => "The consumer wrote STOP to the page of Messenger.".into(),
            Self::RoadChanged => "Another road is open now and goes first.".into(),
            Self::PermissionEndsFirst { expires_at } => say!("The permission ends at {expires_at}, before the call can be placed."),
            Self::RequestLimit { used, max, window, lifts_at } => say!("{used} of {max} permission requests in {} are used; the next is allowed at {lifts_at}.", span(*window)),
            Self::ServiceWindowClosed => "The consumer has not written or called within 24 h and the sender has no approved template.".into(),
            Self::NoRequestContent => "The sender has no content that asks for permission.".into(),
            Self::Declined => "The consumer declined to be called.".into(),
            Self::PersonRefuses { kind } => refusal_sentence(*kind).into(),
            Self::Suppressed { list, scope } => say!("The consumer is on the suppression list {:?} ({}).", list.to_string(), scope.as_str()),
            Self::RegisterStale { list } => say!("The register of the list {:?} has not been asked about the consumer, or its answer is too old.", list.to_string()),
            Self::ListExpired { list, since } => say!("The suppression list {:?} is past its term since {since}; a newer version has to be imported first.", list.to_string()),
            Self::WindowMissed { closed_at } => say!("The calling hours closed at {closed_at} without a call, and the order does not wait for the next ones."),
            Self::WindowAsks { closed_at } => say!("The calling hours closed at {closed_at} without a call; it waits for somebody to decide."),
            Self::NotToday { until } => say!("Somebody marked it as not again today; the next contact is possible at {until}."),
            Self::PersonCapped { max, days: 1, lifts_at } => say!("The consumer has had {max} of {max} calls on this day; the next is possible at {lifts_at}."),
            Self::PersonCapped { max, days, lifts_at } => say!("The consumer has had {max} of {max} calls in {days} days; the next is possible at {lifts_at}."),
            Self::NoConsent => "The order is for marketing, and no consent of the consumer holds.".into(),
            Self::JustTalked { until } => say!("The consumer answered a call just before; the next is possible at {until}."),
            Self::Uncallable => "The consumer cannot be called on WhatsApp.".into(),
            Self::ConnectedLimit { used, max, window, lifts_at } => say!("{used} of {max} connected calls in {} are used; the next is allowed at {lifts_at}.", span(*window)),
            Self::StreakGuard { misses, revoked_at } => say!("{misses} calls in a row were missed; WhatsApp revokes the permission after {revoked_at}."),
            Self::PairOnThePhone => "A call with the consumer is in progress.".into(),
            Self::PairFenced => "It is unknown whether a message to the consumer was sent.".into(),
            Self::PairPaused { until } => say!("The pair is paused until {until}, after a refusal or failure."),
            Self::SenderFull { live, max } => say!("The sender has {live} of {max} calls in progress."),
            Self::SenderPaused { until, why } => say!("The sender is paused until {}: {why}.", end(*until)),
            Self::AccountFull { live, max } => say!("The account has {live} of {max} calls in progress."),
            Self::UrgentReserved { live, max, reserved } => say!("{live} of {max} calls are in progress, and {reserved} are reserved for priorities 8 and 9."),
            Self::TokenCalls { max, lifts_at } => say!("The token has used its {max} calls of 24 h; the next is allowed at {lifts_at}."),
            Self::TokenRequests { max, lifts_at } => say!("The token has used its {max} permission requests of 24 h; the next is allowed at {lifts_at}."),
            Self::CampaignFull { live, max } => say!("The campaign has {live} of {max} calls in progress."),
            Self::CampaignPaced { next_at } => say!("The campaign's calls of a minute are used up; the next is possible at {next_at}."),
            Self::AgentBusy { live: 1, max: 1 } => "The agent is on another call; the callback waits until it is over.".into(),
            Self::AgentBusy { live, max } => say!("The agents for this callback have {live} of {max} calls in progress; it waits until one is over."),
            Self::BotsBusy { live, max } => say!("The bots have {live} of {max} calls in progress."),
            Self::PoolFull { pool, used, max } => say!("The pool {pool} has no free seat: {used} of {max} are used."),
            Self::PoolExpired { pool, since } => say!("The figure of the pool {pool} ended at {since}; the pool has no seat until a new figure comes."),
            Self::PoolUnknown { pool } => say!("The pool {pool} is not fed by anybody, so it has no seat."),
            Self::AccountPaced { next_at } => say!("The account's calls per second are used up; the next call is possible at {next_at}."),
            Self::AccountPaused { until, why } => say!("The account is paused until {}: {why}.", end(*until)),
            Self::Paused { scope, who, why, until } => paused_sentence(*scope, who, why, *until).into(),
            Self::ContentPaused { content, until, why } => say!("The content {content} is paused until {until}: {why}."),
            Self::SenderUnknown => "The sender is not in the configuration.".into(),
            Self::DocumentUnknown => "The TwiML document is not loaded.".into(),
            Self::NoAgent => "The TwiML document calls an agent first, and no agent is named.".into(),
            Self::DestinationBarred { prefix } => barred(*prefix),
            Self::NoTimeLeft { latest } => say!("The next possible time is after the deadline {latest}."),
            Self::DeadlinePassed { latest } => say!("The deadline {latest} has passed."),
            Self::AttemptsUsed { used, max } => say!("{used} of {max} attempts are used."),
            Self::Refused { code: Some(code), meaning: Some(meaning) } => say!("The platform refused it permanently (code {code}): {meaning}."),
            Self::Refused { code: Some(code), meaning: None } => say!("The platform refused it permanently (code {code})."),
            Self::Refused { code: None, .. } => "The platform refused it permanently.".into(),
            Self::RefusedUnknown { code: Some(code) } => say!("The platform refused it again with the unknown code {code}; it is not tried again."),
            Self::RefusedUnknown { code: None } => "The platform refused it again without a code; it is not tried again.".into(),
            Self::OptedOut { code: Some(code) } => say!("The consumer opted out of messages and calls from this sender (code {code})."),
            Self::OptedOut { code: None } => "The consumer opted out of messages and calls from this sender.".into(),
            Self::TooManyFaults { faults } => say!("It failed {faults} times in a row, not because of the consumer."),
            Self::ReportSetAside => "A report about the consumer could not be processed and is set aside; it may be a refusal.".into(),
            Self::CallbackSetAside => "The order, or a command about it, could not be processed and is set aside.".into(),
            Self::DroppedByOperator => "An operator dropped the order after it could not be processed.".into(),
            Self::DiallingStopped { since } => say!("Dialling stopped at {since}, because the program failed three times within a minute."),
            Self::ClockInDoubt { since, by } => jumped(*since, *by),
            Self::Deposed { since } => say!("Another daemon has opened the store, as was noticed at {since}; this one dials and writes nothing more."),
            Self::StoreWentBack { since } => say!("The store is not the one that was last written, as was noticed at {since}; nothing is dialled or sent until an operator releases it."),
            Self::CallInProgress => "An attempt is in progress.".into(),
            Self::CheckingCall => "It is unknown whether the call was placed; the platform is asked.".into(),
            Self::CallbackClosed => "The order is closed.".into(),
            Self::Answered => "The consumer answered.".into(),
            Self::ConsumerCalled => "The consumer called and was reached.".into(),
            Self::ReachedElsewhere { by } => say!("The consumer was reached for {by}, which has the same purpose."),
            Self::CustomerCanceled => "The customer canceled the order.".into(),
            Self::Erased => "The consumer's data was erased.".into(),
            Self::PreviewOffered { until, number, times } => say!("It is offered to agents until {until}: offer {number} of {times}."),
            Self::PreviewNobody { times: 1 } => "It was offered once, and no agent took it; it waits for somebody to decide.".into(),
            Self::PreviewNobody { times } => say!("It was offered {times} times, and no agent took it; it waits for somebody to decide."),
            Self::PreviewClosed => "An agent closed the order at the preview.".into(),
            Self::WrappedUp => "An agent's wrap-up ended the order.".into(),
        }
    }
}

/// When a pause of the platform ends.
fn end(until: Timestamp) -> String {
    if until < Waiting::NEVER { until.to_string() } else { "the platform ends it".to_owned() }
}

fn barred(prefix: Prefix) -> Cow<'static, str> {
    let place = barred_destination(prefix).map_or_else(String::new, |barred| {
        format!(", {} ({}, {})", barred.name, barred.source, barred.as_of)
    });
    say!("The consumer's number starts with {prefix}{place}; such numbers are not called.")
}

fn jumped(since: Timestamp, by: SignedDuration) -> Cow<'static, str> {
    let (way, by) = if by.is_negative() { ("back", by.abs()) } else { ("forward", by) };
    let by = whole_seconds(by);
    say!("The machine's clock jumped {way} by {by} at {since}; the right time is being determined.")
}
