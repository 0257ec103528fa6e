//! `/v1/erasures`: how far the erasure of a person's data is, and what others still hold.

pub(super) mod show;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{ErasureId, ErasureState};
use crate::http::{ApiError, App};
use crate::store::{ErasureRecord, HeldElsewhere};

/// How many calls and messages of platforms are listed.
const HELD_MAX: usize = 10_000;

/// An erasure.
#[derive(Serialize, ToSchema)]
#[schema(as = Erasure)]
pub(super) struct View {
    #[schema(example = "er_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    /// `closing` while open orders and calls end, `searching` while the inbox is searched, `cleaning` while the log of the
    /// file is emptied, `deleting` while Twilio is asked to delete, `done`.
    state: &'static str,
    /// Calls in progress and messages without an answer for which it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<u64>,
    /// What stands in place of the number in orders that are shown.
    pseudonym: String,
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    /// The name of the API token.
    asked_by: String,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Timestamp>,
    erased: Counts,
    held_elsewhere: Held,
}

/// How much was erased.
#[derive(Serialize, ToSchema)]
#[schema(as = ErasureCounts)]
struct Counts {
    /// Callbacks and invites.
    orders: u64,
    attempts: u64,
    messages: u64,
    /// Reports of platforms, and commands.
    reports: u64,
}

/// What platforms still hold.
#[derive(Serialize, ToSchema)]
#[schema(as = ErasureHeld)]
struct Held {
    /// Calls and messages that Twilio had, by the ids that follow.
    total: u64,
    /// Calls and messages of Meta: their ids have the number in them, so they are not kept.
    without_id: u64,
    /// At most 10,000.
    items: Vec<Item>,
}

/// A call or message.
#[derive(Serialize, ToSchema)]
#[schema(as = ErasureHeldItem)]
struct Item {
    account: String,
    /// `call`, with its recordings, or `message`.
    kind: &'static str,
    sid: String,
    /// `held`; `deleted` when the platform has it no more; `refused` when the platform does not delete it or does not answer.
    state: &'static str,
}

impl View {
    fn of(record: ErasureRecord, waits_for: Option<u64>) -> Self {
        let ErasureRecord { erasure, held, held_total } = record;
        let counts = erasure.counts;
        let item = |HeldElsewhere { account, kind, sid, state, .. }| Item {
            account: account.to_string(),
            kind: kind.as_str(),
            sid,
            state: state.as_str(),
        };
        Self {
            id: erasure.id.to_string(),
            state: erasure.state.as_str(),
            waits_for,
            pseudonym: erasure.pseudonym.e164(),
            asked_at: erasure.asked_at,
            asked_by: erasure.asked_by,
            why: erasure.why,
            done_at: erasure.done_at,
            erased: Counts {
                orders: counts.orders,
                attempts: counts.attempts,
                messages: counts.messages,
                reports: counts.reports,
            },
            held_elsewhere: Held {
                total: held_total,
                without_id: counts.unnamed,
                items: held.into_iter().map(item).collect(),
            },
        }
    }
}

/// The erasure as it is now.
pub(super) async fn view_of(app: &App, id: ErasureId) -> Result<View, ApiError> {
    let found = app.store.erasure(id, HELD_MAX).await?;
    let record = found.ok_or_else(|| ApiError::new("erasure.not_found", format!("{id} is not known")))?;
    let waits_for = match record.erasure.state {
        ErasureState::Closing => Some(app.store.erasure_work(&record.erasure, 0).await?.busy),
        _ => None,
    };
    Ok(View::of(record, waits_for))
}
