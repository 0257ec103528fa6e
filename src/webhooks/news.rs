//! The bodies of customer webhooks about consumers and campaigns.
//!
//! A webhook about a consumer has the number, because nothing else identifies a consumer without a callback. It is erased
//! with the person.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::WebhookEvents;
use crate::domain::{CallbackId, Campaign, DeliveryId, Phone};
use crate::store::{OutboxRow, Subject};

/// What happened to a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsumerTopic {
    /// The consumer allowed calls of a sender.
    PermissionGranted,
    /// The consumer, or the platform, ended that.
    PermissionRevoked,
    /// The consumer called a sender and was answered.
    Called,
    /// The consumer called a sender and nobody answered.
    CallMissed,
}

impl ConsumerTopic {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PermissionGranted => "permission.granted",
            Self::PermissionRevoked => "permission.revoked",
            Self::Called => "consumer.called",
            Self::CallMissed => "consumer.call_missed",
        }
    }
}

/// Something that happened to a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerNews {
    pub topic: ConsumerTopic,
    pub sender: Phone,
    pub consumer: Phone,
    pub at: Timestamp,
    /// Of a permission: `temporary`, `permanent`, `revoked_by_consumer`, `revoked_automatically` or `none`.
    pub permission: Option<&'static str>,
    pub expires_at: Option<Timestamp>,
    /// The open callbacks to the consumer, at most [`ConsumerNews::CALLBACKS_MAX`].
    pub callbacks: Vec<CallbackId>,
}

impl ConsumerNews {
    pub const CALLBACKS_MAX: usize = 20;
}

#[derive(Serialize)]
struct Payload<'a, T> {
    r#type: &'a str,
    timestamp: Timestamp,
    data: T,
}

#[derive(Serialize)]
struct OfConsumer {
    consumer: String,
    sender: String,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    permission: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    callbacks: Vec<String>,
}

#[derive(Serialize)]
struct OfCampaign<'a> {
    id: String,
    name: &'a str,
    state: &'static str,
    created_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<Timestamp>,
}

impl WebhookEvents {
    /// The row about a consumer. `id` is called only if there is a row.
    pub fn tell_of_consumer(
        &self,
        id: impl FnOnce() -> Uuid,
        now: Timestamp,
        news: &ConsumerNews,
    ) -> Option<OutboxRow> {
        self.endpoint()?;
        let data = OfConsumer {
            consumer: news.consumer.e164(),
            sender: news.sender.e164(),
            at: news.at,
            permission: news.permission,
            expires_at: news.expires_at,
            callbacks: news.callbacks.iter().map(ToString::to_string).collect(),
        };
        Some(row(id(), now, Subject::of_consumer(news.consumer), news.topic.as_str(), data))
    }

    /// The row about a campaign that is finished. `id` is called only if there is a row.
    pub fn tell_of_campaign(
        &self,
        id: impl FnOnce() -> Uuid,
        now: Timestamp,
        campaign: &Campaign,
    ) -> Option<OutboxRow> {
        self.endpoint()?;
        let data = OfCampaign {
            id: campaign.id.to_string(),
            name: &campaign.name,
            state: campaign.state.as_str(),
            created_at: campaign.created_at,
            ended_at: campaign.ended_at,
        };
        Some(row(id(), now, campaign.id.into(), "campaign.finished", data))
    }
}

fn row(id: Uuid, now: Timestamp, subject: Subject, what: &'static str, data: impl Serialize) -> OutboxRow {
    let payload = serde_json::to_string(&Payload { r#type: what, timestamp: now, data });
    OutboxRow {
        id: DeliveryId::new(id),
        subject,
        what: Cow::Borrowed(what),
        payload: payload.expect("texts and numbers are JSON"),
        created_at: now,
    }
}
