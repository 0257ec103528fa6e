//! `POST /v1/callbacks`: one new callback, stored before the answer. `order` takes an order of either kind.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::campaigns::{self, CampaignsOfOrders};
use super::field_errors::FieldErrors;
use super::groups;
use super::request_body::{Broken, RequestBody};
use super::validate::Validator;
use crate::domain::{
    Callback, CallbackId, ListName, Order, OrderKind, State as CallbackState, SuppressionScope, Terms,
};
use crate::http::api::body::{self, JsonBytes};
use crate::http::api::invites::{AcceptedInvite, InviteView};
use crate::http::api::views::CallbackView;
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::store::{Enqueue, Enqueued, IdempotencyKey};
use crate::traces::{Kind, Span};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The longest key, in characters.
const KEY_MAX: usize = 255;

/// The callback as it was accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = AcceptedCallback)]
pub(in crate::http::api) struct AcceptedView<'a> {
    #[serde(flatten)]
    callback: CallbackView<'a>,
    /// Warnings about accepted values that may be mistakes: `deadline.little_time` if the consumer may be called for
    /// less than an hour.
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    warnings: &'a [FieldError],
}

/// Orders a callback.
///
/// The callback is stored before the answer. With the header `Idempotency-Key`, the order can be sent again after a
/// lost answer: the same key and body return the first answer and create nothing.
#[utoipa::path(
    post, path = "/v1/callbacks", operation_id = "create_callback", tag = "callbacks",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content = RequestBody<'static>),
    responses(
        (status = 202, description = "The callback is stored.", body = AcceptedView<'static>, headers(
            ("Location" = String, description = "Where the callback is, relative to the request"),
            ("Idempotent-Replayed" = Option<String>, description = "`true` if this is an earlier answer"),
        )),
        (status = 422, body = Written<'static>, content_type = "application/problem+json",
            description = "Fields are wrong; `errors` lists all of them. Or the key was used with another body."),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    order(&app, &caller, &headers, &bytes, OrderKind::Callback).await
}

/// Takes one order of this kind.
pub(in crate::http::api) async fn order(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    bytes: &[u8],
    kind: OrderKind,
) -> Result<Response, ApiError> {
    let idempotency = key(headers)?.map(|key| IdempotencyKey {
        token: caller.key_owner(),
        key: key.to_owned(),
        body: digest(kind, bytes),
    });
    let bytes_max = app.limits.order.bytes_max;
    if bytes.len() > bytes_max {
        return Err(ApiError::new("body.too_large", format!("one order may have at most {bytes_max} bytes")));
    }
    let zones = app.zones_of_orders([bytes]).await?;
    let validator = Validator::open(app, caller, app.calendars_for(bytes).await?).knowing(zones);
    let mut faults = FieldErrors::within(app.limits.order);
    let campaigns = CampaignsOfOrders::read(app, caller, bytes).await?;
    let mut body = RequestBody::read(kind, bytes, &mut faults).map_err(refuse)?;
    campaigns.complete(kind, &mut body, &mut faults);
    let Some(order) = validator.order_of(kind, body, &mut faults) else {
        let refusal = ApiError::fields(invalid(kind), faults.into_vec());
        return match idempotency {
            Some(key) => refused(app, caller, key, refusal).await,
            None => Err(refusal),
        };
    };
    let order = traced(app, headers, order);
    let warnings = validator.warnings(&order);
    let callback = validator.callback(CallbackId::new(app.ids.uuid(validator.now)), order);
    let wake_at = wake_at(&callback);
    let answer = accepted(&campaigns.as_stored(&callback), &warnings);
    let trace = app.traces.of(&callback);
    let of_one_group = app.of_one_group(&callback);
    let enqueue = Enqueue { callback, idempotency, ceiling: caller.order_ceiling(), of_one_group };
    let enqueued = app.store.enqueue_callbacks(vec![enqueue]).await?;
    match enqueued.first() {
        Some(Enqueued::New(_)) => {
            count(app, kind, 1);
            app.waker.due_at(wake_at);
            if let Some(trace) = trace {
                let span = Span::of(&trace, "order", Kind::Server, validator.now, app.clock.now());
                app.traces.send(span.with("ringmaster.order", kind.as_str()));
            }
            Ok(answer)
        }
        Some(Enqueued::Repeated(id)) => replay(app, caller, *id).await,
        Some(Enqueued::KeyReused) => Err(key_reused()),
        Some(Enqueued::OverCeiling { lifts_at }) => Err(over_ceiling(*lifts_at, validator.now)),
        Some(Enqueued::Suppressed { list, scope }) => Err(suppressed(list, *scope)),
        Some(Enqueued::CampaignClosed) => Err(ApiError::fields(invalid(kind), vec![campaigns::closed()])),
        Some(Enqueued::OtherGroup(other)) => Err(ApiError::fields(invalid(kind), vec![groups::fault(other)])),
        Some(Enqueued::WrongNumber) => Err(wrong_number()),
        None => Err(ApiError::internal("the store gave no answer to an order")),
    }
}

/// The order with the customer's trace, if traces are recorded and the request names one.
fn traced(app: &App, headers: &HeaderMap, mut order: Order) -> Order {
    if let Some(parent) = app.traces.parent(headers) {
        let terms = order.terms.take().map(|terms| *terms).unwrap_or_default();
        order.terms = Terms { traced: Some(parent), ..terms }.kept();
    }
    order
}

/// An order that is refused now may have been accepted before, when its deadline had not passed.
async fn refused(
    app: &App,
    caller: &Caller,
    key: IdempotencyKey,
    refusal: ApiError,
) -> Result<Response, ApiError> {
    match app.store.known_order(key).await? {
        Some(Enqueued::Repeated(id)) => replay(app, caller, id).await,
        Some(Enqueued::KeyReused) => Err(key_reused()),
        Some(
            Enqueued::New(_)
            | Enqueued::OverCeiling { .. }
            | Enqueued::Suppressed { .. }
            | Enqueued::CampaignClosed
            | Enqueued::OtherGroup(_)
            | Enqueued::WrongNumber,
        )
        | None => Err(refusal),
    }
}

/// Counts new orders.
pub(in crate::http::api) fn count(app: &App, kind: OrderKind, new: u64) {
    match kind {
        OrderKind::Callback => app.metrics.callbacks_enqueued(new),
        OrderKind::Invite => app.metrics.invites_enqueued(new),
    }
}

/// What a repeated order must equal. A key that ordered a callback orders no invite, whatever the body.
pub(in crate::http::api) fn digest(kind: OrderKind, body: &[u8]) -> [u8; 32] {
    match kind {
        OrderKind::Callback => Sha256::digest(body).into(),
        OrderKind::Invite => Sha256::new().chain_update("invite\n").chain_update(body).finalize().into(),
    }
}

pub(super) const fn invalid(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Callback => "callback.invalid",
        OrderKind::Invite => "invite.invalid",
    }
}

pub(in crate::http::api) fn key_reused() -> ApiError {
    ApiError::new("idempotency.key_reused", "the key was used with another body; a new order needs a new key")
}

pub(super) fn over_ceiling(lifts_at: Timestamp, now: Timestamp) -> ApiError {
    let detail = format!("the token has used its orders of 24 hours; the next one is possible at {lifts_at}");
    ApiError::later("token.orders_per_day", detail, lifts_at.duration_since(now))
}

/// The refusal of an order because of a suppression list.
pub(in crate::http::api) fn suppressed(list: &ListName, scope: SuppressionScope) -> ApiError {
    let detail = format!(
        "the consumer is on the suppression list {:?} ({}); only an operator removes an entry",
        list.to_string(),
        scope.as_str()
    );
    ApiError::new("consumer.suppressed", detail)
}

/// The refusal of an order whose number is not that of the person whom its reference names.
pub(super) fn wrong_number() -> ApiError {
    let detail = "a wrap-up said that this number is not that of the person with this reference; order with another \
                  number, or correct the wrap-up";
    ApiError::new("consumer.wrong_number", detail)
}

/// The customer's key, if there is one.
pub(in crate::http::api) fn key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let fault = |what: &str| ApiError::new("idempotency.key_malformed", format!("Idempotency-Key {what}"));
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(fault("is repeated"));
    }
    let visible = value.as_bytes().iter().all(u8::is_ascii_graphic);
    let text = value.to_str().ok().filter(|text| visible && (1..=KEY_MAX).contains(&text.len()));
    text.map(Some).ok_or_else(|| fault("is wrong: expected 1 to 255 visible ASCII characters"))
}

pub(super) fn refuse(broken: Broken) -> ApiError {
    match broken {
        Broken::Syntax { line, column, what } => {
            ApiError::new("body.syntax", format!("line {line}, column {column}: {what}"))
        }
        Broken::NotAnObject => ApiError::new("body.shape", "expected a JSON object"),
    }
}

/// The time of the first decision about a new callback.
pub(in crate::http::api) fn wake_at(callback: &Callback) -> Timestamp {
    match &callback.state {
        CallbackState::Waiting(waiting) => waiting.wake_at,
        _ => callback.created_at,
    }
}

fn accepted(callback: &Callback, warnings: &[FieldError]) -> Response {
    // Relative to the path of the request, so that it is valid if the public URL has a path.
    let (mut answer, location) = match callback.order.kind {
        OrderKind::Callback => {
            let view = AcceptedView { callback: CallbackView::of(callback), warnings };
            (body::json(StatusCode::ACCEPTED, &view), format!("callbacks/{}", callback.shown_id()))
        }
        OrderKind::Invite => {
            let view = AcceptedInvite { invite: InviteView::of(callback), warnings };
            (body::json(StatusCode::ACCEPTED, &view), format!("invites/{}", callback.shown_id()))
        }
    };
    let location = HeaderValue::from_str(&location);
    answer.headers_mut().insert(LOCATION, location.expect("an id fits into a header"));
    answer
}

/// The first answer again: the callback as it was created.
async fn replay(app: &App, caller: &Caller, id: CallbackId) -> Result<Response, ApiError> {
    let Some(record) = app.store.callback(id).await? else {
        return Err(ApiError::internal("the callback of a repeated order is missing"));
    };
    let has_calendar = record.callback.order.hours.as_ref().is_some_and(|hours| hours.calendar.is_some());
    let calendars = if has_calendar { app.marked_calendars().await? } else { app.calendars.clone() };
    let opened = Validator::at(app, caller, calendars, record.callback.created_at);
    let mut callback = opened.callback(id, (*record.callback.order).clone());
    campaigns::hold_again(app, &mut callback).await?;
    let mut answer = accepted(&callback, &opened.warnings(&callback.order));
    answer.headers_mut().insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
    Ok(answer)
}
