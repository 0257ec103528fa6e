//! `GET /v1/callbacks` and `POST /v1/callbacks/search`: pages of callbacks, newest first.
//!
//! Phone numbers are searched for in a body, because a URL ends up in logs.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::create::refuse;
use super::field_errors::{FieldErrors, nearest, quoted};
use super::request_body::{Text, fields, flag, text, unknown, whole_number};
use super::validate::phone;
use crate::domain::{AttemptId, Callback, OrderKind, Outcome, Tenant};
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::query::{self, Given};
use crate::http::api::views::{CallbackView, in_progress};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::store::{Filter, Listed, Page, Status};

const LIMIT_DEFAULT: usize = 50;
/// The most callbacks on one page.
const LIMIT_MAX: usize = 500;

/// A page of callbacks.
#[derive(Serialize, ToSchema)]
#[schema(as = CallbackPage)]
pub(super) struct PageView<'a> {
    /// Newest first.
    callbacks: Vec<CallbackView<'a>>,
    /// Pass it as `cursor` for the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// The page has fewer callbacks than requested, or none, although there may be more: it looked at 10,000 callbacks,
    /// and few of them match. `next_cursor` continues.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    incomplete: bool,
}

/// Filters of the list.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described; the query is read strictly, by hand")]
pub(super) struct Parameters {
    /// `waiting`, `calling` or `closed`.
    status: Option<String>,
    /// `reached`, `exhausted`, `declined`, `expired`, `canceled`, `failed` or `reached_elsewhere`.
    outcome: Option<String>,
    /// `true` shows only callbacks whose last call was answered and served nobody.
    abandoned: Option<bool>,
    /// `missing` shows only callbacks whose call with an agent is over, and about which no agent has said anything in
    /// time.
    wrap_up: Option<String>,
    /// The code of the reason of its state, such as `window.outside_hours`, from the last decision about it.
    reason: Option<String>,
    campaign: Option<String>,
    reference: Option<String>,
    /// The `next_cursor` of the previous page.
    cursor: Option<String>,
    /// Callbacks per page, 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
}

/// Filters of a search. All given filters must match.
#[derive(Default, ToSchema)]
#[schema(as = Search)]
pub(super) struct Search<'a> {
    #[schema(value_type = Option<String>)]
    consumer: Option<Text<'a>>,
    #[schema(value_type = Option<String>)]
    sender: Option<Text<'a>>,
    /// `waiting`, `calling` or `closed`.
    #[schema(value_type = Option<String>)]
    status: Option<Text<'a>>,
    /// `reached`, `exhausted`, `declined`, `expired`, `canceled`, `failed` or `reached_elsewhere`.
    #[schema(value_type = Option<String>)]
    outcome: Option<Text<'a>>,
    /// `true` shows only callbacks whose last call was answered and served nobody.
    abandoned: Option<bool>,
    /// `missing` shows only callbacks whose call with an agent is over, and about which no agent has said anything in
    /// time.
    #[schema(value_type = Option<String>)]
    wrap_up: Option<Text<'a>>,
    /// The code of the reason of its state, such as `window.outside_hours`, from the last decision about it.
    #[schema(value_type = Option<String>)]
    reason: Option<Text<'a>>,
    #[schema(value_type = Option<String>)]
    campaign: Option<Text<'a>>,
    #[schema(value_type = Option<String>)]
    reference: Option<Text<'a>>,
    /// The `next_cursor` of the previous page.
    #[schema(value_type = Option<String>)]
    cursor: Option<Text<'a>>,
    /// Callbacks per page, 1 to 500.
    #[schema(minimum = 1, maximum = 500, default = 50)]
    limit: Option<i64>,
}

/// Callbacks, newest first.
#[utoipa::path(
    get, path = "/v1/callbacks", operation_id = "list_callbacks", tag = "callbacks",
    params(Parameters),
    responses(
        (status = 200, body = PageView<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    let (filter, page) = queried(&caller, OrderKind::Callback, app.clock.now(), given)?;
    answer(&app, &filter, page).await
}

/// The filters and the page in a query, for orders of this kind.
pub(in crate::http::api) fn queried(
    caller: &Caller,
    kind: OrderKind,
    now: Timestamp,
    given: Given,
) -> Result<(Filter, Page), ApiError> {
    let mut filter = Filter { kind, tenant: caller.tenant().clone(), ..Filter::default() };
    let mut page = Page { before: None, limit: LIMIT_DEFAULT };
    given.read(|name, value| {
        match name {
            "status" => filter.status = Some(status(kind, &value).map_err(|what| query::fault(name, &what))?),
            "outcome" => {
                filter.outcome =
                    Some(one_of(&value, Outcome::ALL).map_err(|what| query::fault(name, &what))?);
            }
            "abandoned" if kind == OrderKind::Callback => {
                let told = value.parse().map_err(|_| query::fault(name, "is neither true nor false"));
                filter.abandoned = Some(told?);
            }
            "wrap_up" if kind == OrderKind::Callback => {
                wrap_up(&value).map_err(|what| query::fault(name, &what))?;
                filter.wrap_up_missing_at = Some(now);
            }
            "reason" if kind == OrderKind::Callback => {
                filter.reason = Some(reason(value).map_err(|what| query::fault(name, what))?);
            }
            "campaign" => filter.campaign = Some(value),
            "reference" => filter.reference = Some(value),
            "cursor" => page.before = Some(cursor(kind, &value).map_err(|what| query::fault(name, what))?),
            "limit" => {
                let given = value.parse().ok();
                page.limit = limit(given).map_err(|what| query::fault(name, &what))?;
            }
            "consumer" | "sender" => {
                let noun = kind.as_str();
                let what =
                    format!("is a phone number, which must not be in a URL: use POST /v1/{noun}s/search");
                return Err(query::fault(name, &what));
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok((filter, page))
}

/// Searches callbacks, also by phone number, newest first.
#[utoipa::path(
    post, path = "/v1/callbacks/search", operation_id = "search_callbacks", tag = "callbacks",
    request_body(content = Search<'static>),
    responses(
        (status = 200, body = PageView<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn search(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let (filter, page) = searched(&app, &caller, OrderKind::Callback, &bytes)?;
    answer(&app, &filter, page).await
}

/// The filters and the page in a body, for orders of this kind.
pub(in crate::http::api) fn searched(
    app: &App,
    caller: &Caller,
    kind: OrderKind,
    bytes: &[u8],
) -> Result<(Filter, Page), ApiError> {
    let mut faults = FieldErrors::within(app.limits.order);
    let search = Search::read(kind, bytes, &mut faults)?;
    let (filter, page) = search.parse(app, kind, caller.tenant().clone(), &mut faults);
    if !faults.is_empty() {
        return Err(ApiError::fields("search.invalid", faults.into_vec()));
    }
    Ok((filter, page))
}

async fn answer(app: &App, filter: &Filter, page: Page) -> Result<Response, ApiError> {
    let Listed { callbacks, next, is_cut } = app.store.list_callbacks(filter, &page).await?;
    let attempts = app.store.attempts(&callbacks.iter().filter_map(calling).collect::<Vec<_>>()).await?;
    let held = app.loads().await?.held;
    let views = callbacks
        .iter()
        .map(|callback| CallbackView::with_attempt(callback, in_progress(callback, &attempts)).held_by(&held))
        .collect();
    let view = PageView {
        callbacks: views,
        next_cursor: next.map(|id| filter.kind.show_id(id)),
        incomplete: is_cut,
    };
    Ok(json(StatusCode::OK, &view))
}

/// The attempt that a callback has in progress.
const fn calling(callback: &Callback) -> Option<AttemptId> {
    match callback.state {
        crate::domain::State::Calling { attempt } => Some(attempt),
        _ => None,
    }
}

impl<'a> Search<'a> {
    fn read(kind: OrderKind, json: &'a [u8], faults: &mut FieldErrors) -> Result<Self, ApiError> {
        const FIELDS: [&str; 11] = [
            "consumer",
            "sender",
            "status",
            "outcome",
            "abandoned",
            "wrap_up",
            "reason",
            "campaign",
            "reference",
            "cursor",
            "limit",
        ];
        let mut search = Self::default();
        for (name, value) in fields(json, faults).map_err(refuse)? {
            match &*name {
                "consumer" => search.consumer = text(&name, value, faults),
                "sender" => search.sender = text(&name, value, faults),
                "status" => search.status = text(&name, value, faults),
                "outcome" => search.outcome = text(&name, value, faults),
                "abandoned" if kind == OrderKind::Callback => search.abandoned = flag(&name, value, faults),
                "wrap_up" if kind == OrderKind::Callback => search.wrap_up = text(&name, value, faults),
                "reason" if kind == OrderKind::Callback => search.reason = text(&name, value, faults),
                "campaign" => search.campaign = text(&name, value, faults),
                "reference" => search.reference = text(&name, value, faults),
                "cursor" => search.cursor = text(&name, value, faults),
                "limit" => search.limit = whole_number(&name, value, faults),
                _ => {
                    let fits = |field: &&str| {
                        kind == OrderKind::Callback || !matches!(*field, "abandoned" | "wrap_up" | "reason")
                    };
                    unknown("", &name, &FIELDS.into_iter().filter(fits).collect::<Vec<_>>(), faults);
                }
            }
        }
        Ok(search)
    }

    fn parse(self, app: &App, kind: OrderKind, tenant: Tenant, faults: &mut FieldErrors) -> (Filter, Page) {
        let filter = Filter {
            kind,
            tenant,
            consumer: self.consumer.and_then(|text| phone(app, "consumer", &text, faults)),
            sender: self.sender.and_then(|text| phone(app, "sender", &text, faults)),
            status: self.status.and_then(|text| noted("status", status(kind, &text.0), faults)),
            outcome: self.outcome.and_then(|text| noted("outcome", one_of(&text.0, Outcome::ALL), faults)),
            abandoned: self.abandoned,
            reason: self.reason.and_then(|text| noted("reason", reason(text.0.into_owned()), faults)),
            campaign: self.campaign.map(|text| text.0.into_owned()),
            reference: self.reference.map(|text| text.0.into_owned()),
            wrap_up_missing_at: self
                .wrap_up
                .and_then(|text| noted("wrap_up", wrap_up(&text.0), faults))
                .map(|()| app.clock.now()),
        };
        let before = self.cursor.and_then(|text| noted("cursor", cursor(kind, &text.0), faults));
        let given = self.limit.map(|given| usize::try_from(given).ok());
        let limit = given.map_or(Some(LIMIT_DEFAULT), |given| noted("limit", limit(given), faults));
        (filter, Page { before, limit: limit.unwrap_or(LIMIT_DEFAULT) })
    }
}

fn noted<T, E: Into<String>>(field: &str, read: Result<T, E>, faults: &mut FieldErrors) -> Option<T> {
    read.map_err(|what| faults.add(field, "field.value", what)).ok()
}

fn one_of<T, const N: usize>(text: &str, values: [T; N]) -> Result<T, String>
where
    T: FromStr + Into<&'static str>,
{
    text.parse().map_err(|_| {
        let names = values.map(Into::into);
        let near = nearest(text, names.iter().copied());
        format!("cannot be {}: expected {}{near}", quoted(text), names.join(", "))
    })
}

/// The code of a reason.
fn reason(code: String) -> Result<String, &'static str> {
    let is_code = (1..=64).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.');
    is_code.then_some(code).ok_or("is no code of a reason, such as window.outside_hours")
}

/// The only state of a wrap-up that lists are filtered by.
fn wrap_up(text: &str) -> Result<(), String> {
    match text {
        "missing" => Ok(()),
        _ => Err(format!("cannot be {}: expected missing", quoted(text))),
    }
}

/// An invite places no call, so it is never calling.
fn status(kind: OrderKind, text: &str) -> Result<Status, String> {
    match kind {
        OrderKind::Callback => one_of(text, Status::ALL),
        OrderKind::Invite => {
            one_of(text, [Status::Waiting, Status::Closed]).and_then(|status| match status {
                Status::Calling => Err("is not a status of an invite: expected waiting, closed".to_owned()),
                status => Ok(status),
            })
        }
    }
}

fn cursor(kind: OrderKind, text: &str) -> Result<crate::domain::CallbackId, &'static str> {
    kind.read_id(text).map_err(|_| "is not a cursor: expected the next_cursor of the previous page")
}

fn limit(given: Option<usize>) -> Result<usize, String> {
    given
        .filter(|limit| (1..=LIMIT_MAX).contains(limit))
        .ok_or_else(|| format!("is out of range: expected 1 to {LIMIT_MAX}"))
}
