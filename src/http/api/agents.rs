//! The JSON shapes of what agents do: the rarer terms of an order, and what an agent said of a call.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Callback, Origin, WrapUpEffect, WrapUpRecord};

/// The rarer fields of an order, and what became of them.
#[derive(Default, Serialize, ToSchema)]
#[schema(as = CallbackTerms)]
pub(super) struct TermsView {
    /// The agent who alone is called until `exclusive_until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    assigned_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    exclusive_until: Option<Timestamp>,
    /// The time that was told to the consumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    promised_at: Option<Timestamp>,
    /// When the consumer's phone first rang, if a time was promised.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    first_rang_at: Option<Timestamp>,
    /// How many whole seconds after the promised time the phone first rang; negative if it rang before.
    #[serde(skip_serializing_if = "Option::is_none")]
    late_s: Option<i64>,
    /// Since when the consumer has waited in a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    place_in_line_since: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    preview: Option<PreviewView>,
    /// Until when nobody contacts the consumer for it, because somebody marked it as not again today.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    not_today_until: Option<Timestamp>,
    /// The callback whose wrap-up ordered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    follows: Option<String>,
    /// Whether a call of the consumer that nobody answered made it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    by_missed_call: bool,
}

/// How it is offered to agents, and how far that is.
#[derive(Serialize, ToSchema)]
#[schema(as = Preview)]
pub(super) struct PreviewView {
    seconds: u32,
    times: u32,
    /// `ask` or `dial`.
    r#else: &'static str,
    /// How often it was offered.
    offered: u32,
    /// The end of the offer in progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    offered_until: Option<Timestamp>,
    /// When an agent took it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    taken_at: Option<Timestamp>,
    /// Who took it, if the agent was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    taken_by: Option<String>,
}

impl TermsView {
    pub(super) fn of(callback: &Callback) -> Self {
        let not_today_until = callback.handling.as_ref().and_then(|handling| handling.not_today_until);
        let Some(terms) = &callback.order.terms else { return Self { not_today_until, ..Self::default() } };
        let assigned = terms.assigned.as_ref();
        let offer = callback.offer();
        Self {
            assigned_agent: assigned.map(|assigned| assigned.agent.to_string()),
            exclusive_until: assigned.map(|assigned| assigned.until),
            promised_at: terms.promised_at,
            first_rang_at: callback.first_rang_at(),
            late_s: callback.lateness().map(|late| late.as_secs()),
            place_in_line_since: terms.in_line_since,
            preview: terms.preview.map(|preview| PreviewView {
                seconds: preview.seconds,
                times: preview.times,
                r#else: preview.otherwise.as_str(),
                offered: offer.map_or(0, |offer| offer.times),
                offered_until: offer.and_then(|offer| offer.until),
                taken_at: offer.and_then(|offer| offer.taken.as_ref()).map(|taken| taken.at),
                taken_by: offer
                    .and_then(|offer| offer.taken.as_ref()?.agent.as_ref())
                    .map(ToString::to_string),
            }),
            not_today_until,
            follows: match terms.origin {
                Some(Origin::FollowUp(id)) => Some(id.to_string()),
                _ => None,
            },
            by_missed_call: terms.origin == Some(Origin::MissedCall),
        }
    }
}

/// What an agent said of a callback, the last word.
#[derive(Serialize, ToSchema)]
#[schema(as = WrapUp)]
pub(super) struct WrapUpView<'a> {
    disposition: &'a str,
    /// `none`, `callback_at`, `suppress` or `wrong_person`.
    effect: &'static str,
    /// When the consumer is called again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    callback_at: Option<Timestamp>,
    /// The callback that it ordered.
    #[serde(skip_serializing_if = "Option::is_none")]
    follow_up: Option<String>,
    /// The suppression list to which the person was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<String>,
    /// The agent's own words. They are erased with the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    /// The name of the API token.
    by: &'a str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// 1 for the first word; each correction adds one.
    revision: u32,
}

impl<'a> WrapUpView<'a> {
    pub(super) fn of(record: &'a WrapUpRecord) -> Self {
        let said = &record.said;
        Self {
            disposition: &said.disposition,
            effect: said.effect.kind().as_str(),
            callback_at: match said.effect {
                WrapUpEffect::CallbackAt { at } => Some(at),
                _ => None,
            },
            follow_up: record.follow_up.map(|id| id.to_string()),
            list: match &said.effect {
                WrapUpEffect::Suppress { list, .. } => Some(list.to_string()),
                _ => None,
            },
            note: said.note.as_deref(),
            agent: said.agent.as_deref(),
            by: &record.by,
            at: record.at,
            revision: record.revision,
        }
    }
}
