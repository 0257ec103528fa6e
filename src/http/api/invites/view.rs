//! The JSON shapes of invites.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::domain::{Callback, Held};
use crate::http::api::views::{
    ConsentView, HoursView, MessageView, ReasonView, messenger, metadata, next_look, standing, status,
};
use crate::http::error::FieldError;
use crate::store::{Record, Status};

/// An invite: its order and its state.
#[derive(Serialize, ToSchema)]
#[schema(as = Invite)]
pub(in crate::http::api) struct InviteView<'a> {
    #[schema(value_type = String, example = "inv_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    /// `waiting` or `closed`.
    status: &'static str,
    /// Its outcome: `reached` (the consumer called), `exhausted`, `declined`, `expired`, `canceled` or `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<&'static str>,
    /// The reason of its state, from the last decision. `explain` evaluates it again.
    reason: ReasonView<'a>,
    /// The latest time of the next decision about a waiting invite.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_look_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The name of the API token that it was ordered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    ordered_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    /// When the consumer was invited to call.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    invited_at: Option<Timestamp>,
    consumer: String,
    senders: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    earliest: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    latest: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<HoursView<'a>>,
    priority: u8,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: &'a BTreeMap<String, String>,
    /// The consumer's ids at the pages of Messenger accounts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    messenger: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    campaign: Option<&'a str>,
    /// `requested`, `service`, `marketing` or `collections`.
    purpose: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    consent: Option<ConsentView<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    /// The JSON of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<serde_json::Value>)]
    metadata: Option<&'a RawValue>,
}

/// The invite as it was accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedInvite)]
pub(in crate::http::api) struct AcceptedInvite<'a> {
    #[serde(flatten)]
    pub(in crate::http::api) invite: InviteView<'a>,
    /// Warnings about accepted values that may be mistakes: `deadline.little_time` if the consumer may be invited for
    /// less than an hour.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    pub(in crate::http::api) warnings: &'a [FieldError],
}

/// An invite with its messages.
#[derive(Serialize, ToSchema)]
#[schema(as = InviteRecord)]
pub(in crate::http::api) struct RecordView<'a> {
    #[serde(flatten)]
    invite: InviteView<'a>,
    messages: Vec<MessageView<'a>>,
}

impl<'a> InviteView<'a> {
    pub(in crate::http::api) fn of(invite: &'a Callback) -> Self {
        let order = &invite.order;
        let closed = invite.closed();
        Self {
            id: invite.shown_id(),
            status: status(invite).as_str(),
            outcome: closed.map(|closed| closed.outcome.as_str()),
            reason: standing(invite, None),
            next_look_at: next_look(invite),
            created_at: invite.created_at,
            ordered_by: invite.ordered_by.as_deref(),
            closed_at: closed.map(|closed| closed.at),
            invited_at: invite.invited_at,
            consumer: order.consumer.e164(),
            senders: order.senders.iter().map(|sender| sender.e164()).collect(),
            earliest: order.earliest,
            latest: order.latest,
            hours: order.hours.as_ref().map(HoursView::of),
            priority: order.priority.level(),
            variables: &order.variables,
            messenger: messenger(order),
            campaign: order.campaign.as_deref(),
            purpose: order.purpose.as_str(),
            consent: order.consent.as_ref().map(ConsentView::of),
            reference: order.reference.as_deref(),
            metadata: metadata(order),
        }
    }

    /// The same, where all that waits does so because another daemon has the store, or the machine's clock is in doubt.
    pub(super) fn held_by(mut self, held: &Held) -> Self {
        let is_waiting = self.status == Status::Waiting.as_str();
        if let Some(reason) = held.reason_of_all().filter(|_| is_waiting) {
            self.reason = ReasonView::of(&reason);
        }
        self
    }
}

impl<'a> RecordView<'a> {
    pub(in crate::http::api) fn of(record: &'a Record, held: &Held) -> Self {
        Self {
            invite: InviteView::of(&record.callback).held_by(held),
            messages: record.messages.iter().map(MessageView::of).collect(),
        }
    }
}
