//! `GET /v1/set-aside`: what the program failed at. `POST /v1/set-aside/{id}/retry` and `/drop`: an operator's word on
//! it. Like every command, it goes into the inbox and is folded from there.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::body::json;
use super::commands::{Command, answer_with};
use super::order_names::{OrderName, OrderNames};
use super::query::{self, Given};
use crate::domain::event::SetAsideWord;
use crate::domain::{
    CallbackId, Event, OrderKind, Phone, SetAside, SetAsideEnd, SetAsideId, SetAsideItem, SetAsideVerdict,
    Tenant,
};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::store::{Filter, Page};

const LIMIT_DEFAULT: usize = 50;
const LIMIT_MAX: usize = 500;

/// Set-aside items, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = SetAsidePage)]
pub(super) struct PageView {
    set_aside: Vec<View>,
    /// The number of items, including those beyond `limit`.
    total: usize,
}

/// A report, a command or a callback at which the program failed.
#[derive(Serialize, ToSchema)]
#[schema(as = SetAside)]
struct View {
    #[schema(example = "sa_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f")]
    id: String,
    /// `report`, `command` or `callback` (also for an invite).
    item: &'static str,
    /// The kind of the report or command, such as `permission_reply`, or `callback`.
    kind: String,
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// The consumer who is neither asked nor called until the item is retried or dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<String>,
    /// The callback or invite that is not decided until the item is retried or dropped.
    #[serde(flatten)]
    order: OrderName,
    /// Where the program failed, for its maintainers.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
}

/// The recorded verdict.
#[derive(Serialize, ToSchema)]
#[schema(as = SetAsideTaken)]
pub(super) struct Taken {
    id: String,
    /// `retry` or `drop`.
    word: &'static str,
}

/// What a list shows.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described; the query is read strictly, by hand")]
pub(super) struct Parameters {
    /// Items on the list: 1 to 500.
    #[param(default = 50)]
    limit: Option<usize>,
}

/// Lists set-aside items, oldest first.
///
/// While a report is set aside its consumer is neither asked nor called, because it may be a refusal. A callback that is
/// set aside is not decided, not even at its deadline.
#[utoipa::path(get, path = "/v1/set-aside", operation_id = "list_set_aside", tag = "set-aside",
    params(Parameters),
    responses(
        (status = 200, body = PageView),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    let mut limit = LIMIT_DEFAULT;
    given.read(|name, value| match name {
        "limit" => {
            limit = query::limit(name, &value, LIMIT_MAX)?;
            Ok(true)
        }
        _ => Ok(false),
    })?;
    let mut items = own(&app, &caller, app.store.set_aside().await?).await?;
    let total = items.len();
    items.truncate(limit);
    let names = OrderNames::read(&app, items.iter().filter_map(|item| item.callback)).await?;
    let view = |item: &SetAside| View::of(item, names.name(item.callback));
    Ok(json(StatusCode::OK, &PageView { set_aside: items.iter().map(view).collect(), total }))
}

/// Processes a set-aside item again.
///
/// Use it after an upgrade, or if the failure was temporary. A report is folded at its place, a command is applied, a
/// callback is decided. If the program fails at the item again, it is set aside again, under another id.
#[utoipa::path(post, path = "/v1/set-aside/{id}/retry", operation_id = "retry_set_aside", tag = "set-aside",
    params(
        ("id" = String, Path, description = "`sa_` and 32 hexadecimal digits"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "The item is processed again.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "The item was dropped.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn retry(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    end(&app, &caller, &headers, &id, SetAsideVerdict::Retry).await
}

/// Drops a set-aside item permanently.
///
/// A report has no effect, a command is refused (`command.dropped`), a callback closes as failed
/// (`callback.dropped`). A dropped report may have been a refusal: record it with `POST /v1/permissions/revoke` first.
#[utoipa::path(post, path = "/v1/set-aside/{id}/drop", operation_id = "drop_set_aside", tag = "set-aside",
    params(
        ("id" = String, Path, description = "`sa_` and 32 hexadecimal digits"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    responses(
        (status = 200, description = "The item is dropped.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 404, body = Written<'static>, content_type = "application/problem+json"),
        (status = 409, description = "The item was retried.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn drop(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    end(&app, &caller, &headers, &id, SetAsideVerdict::Drop).await
}

async fn end(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    id: &str,
    verdict: SetAsideVerdict,
) -> Result<Response, ApiError> {
    let id: SetAsideId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    let found = Vec::from_iter(app.store.set_aside_by_id(id).await?);
    let item = own(app, caller, found).await?.pop();
    let item = item.ok_or_else(|| ApiError::new("set_aside.not_found", format!("{id} is not known")))?;
    let taken = Taken { id: id.to_string(), word: verdict.as_str() };
    if let Some(end) = &item.end {
        return said(end, verdict, &taken);
    }
    if item.callback.is_none() && *caller.tenant() != Tenant::default() {
        let detail = "it may be about callbacks of other tenants; a token of the default tenant may end it";
        return Err(ApiError::new("auth.tenant", detail));
    }
    let content = format!("set-aside {id} {}", verdict.as_str());
    let event = Event::SetAside(SetAsideWord { id, verdict, by: caller.name().to_owned() });
    let carried = Command::new(app, caller, headers, &content, 0)?.carry_out(event, item.callback).await;
    match carried {
        Ok(carried) => Ok(answer_with(&taken, &carried)),
        // Somebody else's word came first. It may have been the same.
        Err(error) if error.code() == "set_aside.ended" => {
            let ended = app.store.set_aside_by_id(id).await?.and_then(|item| item.end);
            ended.map_or(Err(error), |end| said(&end, verdict, &taken))
        }
        Err(error) => Err(error),
    }
}

/// The answer for an item that an operator has ended before: the same word again changes nothing.
fn said(end: &SetAsideEnd, verdict: SetAsideVerdict, taken: &Taken) -> Result<Response, ApiError> {
    if end.verdict == verdict {
        return Ok(json(StatusCode::OK, taken));
    }
    let word = match end.verdict {
        SetAsideVerdict::Retry => "retried",
        SetAsideVerdict::Drop => "dropped",
    };
    Err(ApiError::new("set_aside.ended", format!("it was {word} before, with the token {:?}", end.by)))
}

/// Those that the token may see: of a callback of its tenant, or of a consumer whom a callback of its tenant is for.
/// What is of no tenant that is known is for the default one.
async fn own(app: &App, caller: &Caller, mut items: Vec<SetAside>) -> Result<Vec<SetAside>, ApiError> {
    let ids: BTreeSet<CallbackId> = items.iter().filter_map(|item| item.callback).collect();
    let callbacks = app.store.callbacks(&Vec::from_iter(ids)).await?;
    let callbacks = callbacks.iter().filter(|callback| callback.tenant == *caller.tenant());
    let callbacks: BTreeSet<CallbackId> = callbacks.map(|callback| callback.id).collect();
    let consumers: BTreeSet<Phone> =
        items.iter().filter(|item| item.callback.is_none()).filter_map(|item| item.consumer).collect();
    let is_default = *caller.tenant() == Tenant::default();
    let mut people = BTreeSet::new();
    for consumer in consumers {
        if is_default || calls(app, caller, consumer).await? {
            people.insert(consumer);
        }
    }
    items.retain(|item| match (item.callback, item.consumer) {
        (Some(callback), _) => callbacks.contains(&callback),
        (None, Some(consumer)) => people.contains(&consumer),
        (None, None) => is_default,
    });
    Ok(items)
}

/// Whether a callback or an invite of the token's tenant is for this consumer.
async fn calls(app: &App, caller: &Caller, consumer: Phone) -> Result<bool, ApiError> {
    let page = Page { before: None, limit: 1 };
    for kind in OrderKind::ALL {
        let consumer = Some(consumer);
        let filter = Filter { kind, tenant: caller.tenant().clone(), consumer, ..Filter::default() };
        if !app.store.list_callbacks(&filter, &page).await?.callbacks.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl View {
    fn of(item: &SetAside, order: OrderName) -> Self {
        Self {
            id: item.id.to_string(),
            item: match item.item {
                SetAsideItem::Report(_) => "report",
                SetAsideItem::Command(_) => "command",
                SetAsideItem::Callback(_) => "callback",
            },
            kind: item.kind.to_string(),
            since: item.at,
            consumer: item.consumer.map(|consumer| consumer.e164()),
            order,
            place: item.place.clone(),
        }
    }
}
