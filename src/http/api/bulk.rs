//! `/v1/bulk`: one change of many callbacks. The set is fixed at the preview; a confirmed one becomes commands, some at a
//! time, which the scheduler folds like all others.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBytes, json};
use super::callbacks::validate::DEADLINE_MAX;
use super::permissions::{fault, for_the_record, read};
use super::query::Given;
use crate::domain::{BulkId, OrderKind, Priority};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::store::{BulkAct, BulkRecord, Filter, NewBulk, Page, Status};
use crate::text::time::moment;

/// Callbacks of one read.
const PAGE: usize = 500;
/// So many are listed.
const LISTED: usize = 100;

/// A change of many callbacks.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewBulk)]
pub(super) struct Draft {
    /// `cancel`, `reschedule` or `priority`.
    #[serde(default)]
    #[schema(required, value_type = String)]
    act: Option<String>,
    /// Only waiting callbacks that match all of it.
    #[serde(default)]
    filter: DraftFilter,
    /// For `reschedule`: the new earliest time, RFC 3339.
    #[serde(default)]
    #[schema(format = DateTime)]
    earliest: Option<String>,
    /// For `reschedule`: the new deadline, RFC 3339.
    #[serde(default)]
    #[schema(format = DateTime)]
    latest: Option<String>,
    /// For `priority`: 0 to 9.
    #[serde(default)]
    priority: Option<u64>,
    /// The reason for the timelines, at most 200 bytes.
    #[serde(default)]
    #[schema(required, value_type = String)]
    why: Option<String>,
}

/// Which waiting callbacks are meant. At least one is given.
#[derive(Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BulkFilter)]
pub(super) struct DraftFilter {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    campaign: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// All that wait, whatever they wait for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    all: bool,
}

/// How many callbacks the caller saw in the preview.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConfirmBulk)]
pub(super) struct Confirmation {
    /// The `total` of the preview.
    #[serde(default)]
    #[schema(required, value_type = u64)]
    count: Option<u64>,
}

/// A change of many callbacks, and how far it is.
#[derive(Serialize, ToSchema)]
#[schema(as = Bulk)]
pub(super) struct View {
    #[schema(example = "bk_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    /// `preview`, `running`, `stopped` or `done`.
    state: &'static str,
    /// `cancel` or `reschedule`, which also changes priorities.
    act: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    earliest: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    latest: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<u8>,
    why: String,
    #[schema(value_type = Object)]
    filter: serde_json::Value,
    /// The name of the API token.
    by: String,
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    confirmed_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// Callbacks of the set, which does not change.
    total: u64,
    /// Which it has not come to yet.
    open: u64,
    /// Which had changed since the preview, or do not fit the change any more, and were passed over.
    changed: u64,
    /// Whose change is ordered and not yet carried out.
    pending: u64,
    applied: u64,
    /// Whose change was refused, because they changed right before.
    refused: u64,
}

/// Changes of many callbacks, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = BulkPage)]
pub(super) struct PageView {
    bulk: Vec<View>,
}

impl View {
    fn of(bulk: BulkRecord) -> Self {
        let (act, earliest, latest, priority) = match bulk.act {
            BulkAct::Cancel => ("cancel", None, None, None),
            BulkAct::Reschedule { earliest, latest, priority } => {
                ("reschedule", earliest, latest, priority.map(Priority::level))
            }
        };
        Self {
            id: bulk.id.to_string(),
            state: bulk.state.into(),
            act,
            earliest,
            latest,
            priority,
            why: bulk.why,
            filter: serde_json::from_str(&bulk.filter).unwrap_or_default(),
            by: bulk.by,
            made_at: bulk.made_at,
            confirmed_at: bulk.confirmed_at,
            ended_at: bulk.ended_at,
            total: bulk.total,
            open: bulk.open,
            changed: bulk.changed,
            pending: bulk.pending,
            applied: bulk.applied,
            refused: bulk.refused,
        }
    }
}

/// Prepares a change of all waiting callbacks that match, at most 10,000, and changes nothing yet.
///
/// The set is fixed now. `confirm` begins the change, with the number of callbacks. What has changed until its turn comes is
/// passed over and counted in `changed`.
#[utoipa::path(post, path = "/v1/bulk", operation_id = "make_bulk", tag = "bulk",
    request_body(content = Draft),
    responses(
        (status = 201, description = "The preview.", body = View),
        (status = 409, description = "More match than one change may have, none does, or the tenant has too many.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn make(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let now = app.clock.now();
    let (act, why) = checked(&draft, now).map_err(|faults| ApiError::fields("bulk.invalid", faults))?;
    // A reference may name a person, whose erasure does not look here.
    let kept = DraftFilter {
        reference: draft.filter.reference.as_ref().map(|_| "***".into()),
        ..draft.filter.clone()
    };
    let filter = serde_json::to_string(&kept).map_err(ApiError::internal)?;
    let rows = set(&app, &caller, draft.filter).await?;
    let id = BulkId::new(app.ids.uuid(now));
    let (tenant, by) = (caller.tenant().clone(), caller.name().to_owned());
    let new = NewBulk { id, tenant, by, act, why, filter, at: now, rows };
    if !app.store.make_bulk(new).await? {
        return Err(ApiError::new("bulk.too_many", format!("a tenant may have {} of them", NewBulk::MAX)));
    }
    Ok(json(StatusCode::CREATED, &View::of(found(&app, &caller, &id.to_string()).await?)))
}

/// The changes of many callbacks of the tenant, the newest 100.
#[utoipa::path(get, path = "/v1/bulk", operation_id = "list_bulk", tag = "bulk", responses(
    (status = 200, body = PageView),
    (status = "default", body = Written<'static>, content_type = "application/problem+json"),
))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    given.read(|_, _| Ok(false))?;
    let bulk = app.store.bulks(caller.tenant(), LISTED).await?.into_iter().map(View::of).collect();
    Ok(json(StatusCode::OK, &PageView { bulk }))
}

/// One change of many callbacks, and how far it is.
#[utoipa::path(get, path = "/v1/bulk/{id}", operation_id = "show_bulk", tag = "bulk",
    params(("id" = String, Path, description = "`bk_` and 32 hexadecimal digits")),
    responses(
        (status = 200, body = View),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, &View::of(found(&app, &caller, &id).await?)))
}

/// Begins the change. The same again changes nothing.
#[utoipa::path(post, path = "/v1/bulk/{id}/confirm", operation_id = "confirm_bulk", tag = "bulk",
    params(("id" = String, Path, description = "`bk_` and 32 hexadecimal digits")),
    request_body(content = Confirmation),
    responses(
        (status = 200, body = View),
        (status = 409, description = "It was stopped, or the count is another one.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let given: Confirmation = read(&bytes)?;
    let bulk = found(&app, &caller, &id).await?;
    if given.count != Some(bulk.total) {
        let detail = format!("it has {} callbacks: confirm with that count", bulk.total);
        return Err(ApiError::new("bulk.count", detail));
    }
    let has_begun = app.store.confirm_bulk(bulk.id, app.clock.now()).await?;
    let bulk = found(&app, &caller, &id).await?;
    if !has_begun && bulk.confirmed_at.is_none() {
        return Err(ApiError::new("bulk.over", "it was stopped before it began"));
    }
    app.waker.now();
    Ok(json(StatusCode::OK, &View::of(bulk)))
}

/// Stops the change. What was ordered already is carried out. The same again changes nothing.
#[utoipa::path(post, path = "/v1/bulk/{id}/stop", operation_id = "stop_bulk", tag = "bulk",
    params(("id" = String, Path, description = "`bk_` and 32 hexadecimal digits")),
    responses(
        (status = 200, body = View),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn stop(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Response, ApiError> {
    let bulk = found(&app, &caller, &id).await?;
    app.store.stop_bulk(bulk.id, app.clock.now()).await?;
    Ok(json(StatusCode::OK, &View::of(found(&app, &caller, &id).await?)))
}

async fn found(app: &App, caller: &Caller, id: &str) -> Result<BulkRecord, ApiError> {
    let id: BulkId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    let bulk = app.store.bulk(id).await?.filter(|bulk| bulk.tenant == *caller.tenant());
    bulk.ok_or_else(|| ApiError::new("bulk.not_found", format!("{id} is not known")))
}

/// What is done, and why, or all that is wrong.
fn checked(draft: &Draft, now: Timestamp) -> Result<(BulkAct, String), Vec<FieldError>> {
    let mut faults = Vec::new();
    let mut time = |name: &str, given: &Option<String>| match given.as_deref().map(moment) {
        None => None,
        Some(Ok(at)) if at.duration_since(now) > DEADLINE_MAX => {
            faults.push(fault(name, "field.value", "is more than 366 days away"));
            None
        }
        Some(Ok(at)) => Some(at),
        Some(Err(error)) => {
            faults.push(fault(name, "field.value", &error.to_string()));
            None
        }
    };
    let (earliest, latest) = (time("earliest", &draft.earliest), time("latest", &draft.latest));
    let priority = draft.priority.and_then(|level| u8::try_from(level).ok()).and_then(Priority::new);
    if draft.priority.is_some() && priority.is_none() {
        faults.push(fault("priority", "field.value", "is out of range: expected 0 to 9"));
    }
    if latest.is_some_and(|at| at <= now || earliest.is_some_and(|earliest| at <= earliest)) {
        faults.push(fault("latest", "field.value", "is not after now and after earliest"));
    }
    let act = match draft.act.as_deref() {
        Some("cancel") => Some(BulkAct::Cancel),
        Some("reschedule") if draft.earliest.is_some() || draft.latest.is_some() => {
            Some(BulkAct::Reschedule { earliest, latest, priority })
        }
        Some("reschedule") => {
            faults.push(fault("latest", "field.missing", "is missing: give earliest, latest or both"));
            None
        }
        Some("priority") if draft.priority.is_some() => {
            Some(BulkAct::Reschedule { earliest: None, latest: None, priority })
        }
        Some("priority") => {
            faults.push(fault("priority", "field.missing", "is missing: 0 to 9"));
            None
        }
        _ => {
            faults.push(fault("act", "field.value", "is none of cancel, reschedule, priority"));
            None
        }
    };
    let filter = &draft.filter;
    let is_narrowed = filter.reason.is_some() || filter.campaign.is_some() || filter.reference.is_some();
    if is_narrowed == filter.all {
        let detail = "is to have reason, campaign or reference, or all: true alone";
        faults.push(fault("filter", "field.value", detail));
    }
    let why = for_the_record("why", draft.why.as_deref()).unwrap_or_else(|wrong| {
        faults.push(wrong);
        None
    });
    if why.is_none() && draft.why.as_deref().is_none_or(|why| why.trim().is_empty()) {
        faults.push(fault("why", "field.missing", "is missing: the reason for the timelines"));
    }
    match (act, why) {
        (Some(act), Some(why)) if faults.is_empty() => Ok((act, why)),
        _ => Err(faults),
    }
}

/// The callbacks that match, with their marks.
async fn set(
    app: &App,
    caller: &Caller,
    given: DraftFilter,
) -> Result<Vec<(crate::domain::CallbackId, u64)>, ApiError> {
    let filter = Filter {
        kind: OrderKind::Callback,
        tenant: caller.tenant().clone(),
        status: Some(Status::Waiting),
        reason: given.reason,
        campaign: given.campaign,
        reference: given.reference,
        ..Filter::default()
    };
    let (mut rows, mut before) = (Vec::new(), None);
    loop {
        let page = app.store.list_callbacks(&filter, &Page { before, limit: PAGE }).await?;
        let allowed = page.callbacks.iter().filter(|callback| caller.may_see(callback));
        rows.extend(allowed.map(|callback| (callback.id, NewBulk::mark(callback))));
        if rows.len() > NewBulk::ROWS_MAX {
            let most = NewBulk::ROWS_MAX;
            let detail = format!("more than {most} callbacks match: narrow the filter");
            return Err(ApiError::new("bulk.too_large", detail));
        }
        match page.next {
            Some(next) => before = Some(next),
            None => break,
        }
    }
    if rows.is_empty() {
        return Err(ApiError::new("bulk.empty", "no waiting callback matches"));
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Vec<String> {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let draft: Draft = serde_json::from_str(json).unwrap();
        checked(&draft, now)
            .map_or_else(|faults| faults.into_iter().map(|fault| fault.field).collect(), |_| Vec::new())
    }

    #[test]
    fn every_wrong_field_is_named_and_a_right_one_is_taken() {
        assert!(faults(r#"{"act":"cancel","filter":{"campaign":"x"},"why":"closed"}"#).is_empty());
        assert!(faults(r#"{"act":"cancel","filter":{"all":true},"why":"closed"}"#).is_empty());
        assert!(faults(r#"{"act":"priority","priority":9,"filter":{"reason":"a.b"},"why":"x"}"#).is_empty());
        assert_eq!(faults("{}"), ["act", "filter", "why"]);
        assert_eq!(faults(r#"{"act":"cancel","filter":{"all":true,"campaign":"x"},"why":"x"}"#), ["filter"]);
        assert_eq!(
            faults(r#"{"act":"priority","priority":10,"filter":{"all":true},"why":"x"}"#),
            ["priority"]
        );
        assert_eq!(faults(r#"{"act":"priority","filter":{"all":true},"why":"x"}"#), ["priority"]);
        assert_eq!(faults(r#"{"act":"reschedule","filter":{"all":true},"why":"x"}"#), ["latest"]);
        let latest = |at: &str| {
            faults(&format!(r#"{{"act":"reschedule","latest":"{at}","filter":{{"all":true}},"why":"x"}}"#))
        };
        assert_eq!(latest("2026-11-23T12:00:00Z"), ["latest"]);
        assert!(latest("2026-11-23T12:00:01Z").is_empty());
        assert!(latest("2027-11-24T12:00:00Z").is_empty());
        assert_eq!(latest("2027-11-24T12:00:01Z"), ["latest"]);
        assert_eq!(latest("soon"), ["latest"]);
    }
}
