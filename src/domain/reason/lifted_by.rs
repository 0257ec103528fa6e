//! Who or what ends a reason that time alone does not end.

use super::Reason;
use crate::domain::callback::Waiting;
use crate::domain::{PauseKind, RefusalKind};

impl Reason {
    /// What would end the reason, if time alone does not.
    #[must_use]
    pub fn lifted_by(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoPermission | Self::AwaitingReply { .. } => {
                "the consumer's answer to the permission request"
            }
            Self::AwaitingCall { .. } => "the consumer's call",
            Self::InviteUnknown { .. } => {
                "the consumer's call, the platform's report on the message, or an operator, with `ringmaster resolve`"
            }
            Self::PersonRefuses { kind: RefusalKind::Operator } => {
                "a permission from the consumer or an operator"
            }
            Self::PersonRefuses { kind: RefusalKind::Marketing } => {
                "the consumer, who allows marketing messages again in WhatsApp; for new orders"
            }
            Self::PersonRefuses { .. } => {
                "the consumer, who writes START, allows calls, or calls; for new orders"
            }
            Self::Suppressed { .. } => {
                "an operator, with `ringmaster suppression remove`, or the end of the entry; for new orders"
            }
            Self::RegisterStale { .. } => "an operator, with `ringmaster suppression register`",
            Self::ListExpired { .. } => {
                "an operator, with `ringmaster suppression import` of a newer version"
            }
            Self::NoConsent => "a new order with the consumer's consent",
            Self::ServiceWindowClosed => {
                "a message or call from the consumer, or an approved template for the sender"
            }
            Self::RoadNeedsWindow { .. } => "a message or call from the consumer",
            Self::PageWindowClosed => "a message from the consumer to the page",
            Self::PageStopped => "the consumer, who writes START to the page",
            Self::NoPageId => "an order with the consumer's id for the page",
            Self::NoRoad => "content for invites in the configuration",
            Self::SenderCannotCall => "a sender whose account places calls",
            Self::NoRequestContent => "content for permission requests in the sender's configuration",
            Self::StreakGuard { .. } => "a connected call in either direction",
            Self::PermissionEndsFirst { .. } => "a new permission, or an earlier time for the call",
            Self::DestinationBarred { .. } => "a change of limits.destinations_refused",
            Self::PairOnThePhone
            | Self::SenderFull { .. }
            | Self::AccountFull { .. }
            | Self::UrgentReserved { .. }
            | Self::CampaignFull { .. }
            | Self::AgentBusy { .. }
            | Self::BotsBusy { .. }
            | Self::CallInProgress => "the end of a call in progress",
            Self::PoolFull { .. } => "a call that frees a seat, or a new figure of the pool",
            Self::PoolExpired { .. } | Self::PoolUnknown { .. } => {
                "a figure of the pool, with `ringmaster pool set`"
            }
            Self::ReportSetAside | Self::CallbackSetAside => {
                "an operator, with `ringmaster set-aside retry` or `ringmaster set-aside drop`"
            }
            Self::DiallingStopped { .. } => "a restart",
            Self::ClockInDoubt { .. } => {
                "dates of the platform that agree with the clock, or an operator, with `ringmaster clock confirm`"
            }
            Self::Deposed { .. } => "the other daemon, or a restart of this one",
            Self::StoreWentBack { .. } => "an operator, with `ringmaster lineage release`",
            Self::CheckingCall => "a report or lookup of the call, or an operator who resolves it",
            Self::PairFenced => "a report on the message, or an operator who resolves it",
            Self::Paused { scope: PauseKind::Draft, .. } => "the launch of the campaign",
            Self::Paused { scope: PauseKind::Campaign, until: None, .. } => {
                "an operator, with `ringmaster campaign resume`"
            }
            Self::Paused { scope: PauseKind::Canceled, .. } => "nobody",
            Self::Paused { until: None, .. } => "an operator, with `ringmaster resume`",
            Self::SenderPaused { until, .. } | Self::AccountPaused { until, .. }
                if *until >= Waiting::NEVER =>
            {
                "the platform, which reports the end"
            }
            Self::WindowAsks { .. } | Self::PreviewNobody { .. } => {
                "a new earliest time for the callback, or its cancellation"
            }
            Self::PreviewOffered { .. } => "an agent, who accepts, skips or closes the offer",
            Self::CalendarUnknown { .. } => "the calendar in the configuration; for new orders",
            Self::SenderUnknown => "the sender in the configuration",
            Self::DocumentUnknown => "the document in the TwiML directory",
            Self::NoAgent => "an agent in the order or in the sender's configuration",
            _ => return None,
        })
    }
}
