//! `POST /v1/callbacks/bulk`: many new callbacks in one body, each accepted or refused individually. `order_rows` takes
//! orders of either kind.
//!
//! Rows are committed in chunks while the next chunk is parsed. Parsing runs on threads for blocking work, not on
//! the threads of other requests, and ends when the request ends. The answer has the result of each row; a row
//! without an id was not accepted.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::{Extension, Request, State};
use axum::response::Response;

use super::bulk_answer::Answer;
pub(in crate::http::api) use super::bulk_answer::RowView;
use super::bulk_memory::Reserved;
use super::bulk_rows::{self, RowAt};
use super::campaigns::CampaignsOfOrders;
use super::create::{count, digest, key, wake_at};
use super::equal_rows::{EqualRows, Named};
use super::field_errors::FieldErrors;
use super::request_body::{Broken, RequestBody};
use super::row_keys::RowKeys;
use super::validate::{Validator, ZonesOfPeople};
use crate::domain::{Calendars, Callback, CallbackId, OrderKind};
use crate::http::api::body::{self, Media};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::store::{self, Enqueue, Enqueued, IdempotencyKey};

/// How many rows are committed together.
const CHUNK_ROWS_MAX: usize = 1000;
/// A chunk ends with the row that reaches this.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// Orders many callbacks at once.
///
/// `application/x-ndjson`: one order on each line; an invalid line is refused individually. `application/json`: an
/// array of orders; invalid JSON refuses the whole request. The answer has the format of the request.
/// With the header `Idempotency-Key`, the same body can be sent again: accepted rows are not accepted twice.
/// There are limits on rows, bytes, the fields and bytes of each row, and the memory of all bulk orders in progress
/// and of those of one token (503 `bulk.busy`).
#[utoipa::path(
    post, path = "/v1/callbacks/bulk", operation_id = "create_callbacks", tag = "callbacks",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content(
        (RequestBody<'static> = "application/x-ndjson"),
        (Vec<RequestBody<'static>> = "application/json"),
    )),
    responses(
        (status = 200, description = "The result of each row, in order.",
            content((RowView<'static> = "application/x-ndjson"), (Vec<RowView<'static>> = "application/json")),
            headers(
                ("X-Rows-Kept" = usize, description = "The number of accepted rows, which have an id"),
                ("X-Rows-Refused" = usize, description = "The number of refused rows"),
            )),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn create_many(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, ApiError> {
    let keys = keys(&request)?;
    order_rows(app, caller, OrderKind::Callback, keys, request).await
}

/// The keys of the rows of a bulk order.
///
/// # Errors
/// If the `Idempotency-Key` cannot be used.
pub(in crate::http::api) fn keys(request: &Request) -> Result<RowKeys, ApiError> {
    Ok(match key(request.headers())? {
        Some(key) => RowKeys::ByNumber(key.to_owned()),
        None => RowKeys::None,
    })
}

/// Takes many orders of this kind.
pub(in crate::http::api) async fn order_rows(
    app: Arc<App>,
    caller: Caller,
    kind: OrderKind,
    keys: RowKeys,
    request: Request,
) -> Result<Response, ApiError> {
    let BulkBody { media, bytes, rows, reserved } = read(&app, &caller, request).await?;
    let (is_over, equal) = (AtomicBool::new(false), Mutex::default());
    let calendars = app.marked_calendars().await?;
    let campaigns = CampaignsOfOrders::read(&app, &caller, &bytes).await?;
    let answer = Answer::new(kind, media, &keys);
    let order =
        Arc::new(BulkOrder { app, caller, kind, keys, calendars, bytes, rows, campaigns, is_over, equal });
    let _over = Over(Arc::clone(&order));
    Ok(order.take(answer).await?.into_response(reserved))
}

/// The body of a bulk order, with its rows and the memory that it has reserved.
pub(in crate::http::api) struct BulkBody {
    pub media: Media,
    pub bytes: Bytes,
    pub rows: Arc<[RowAt]>,
    /// Returned on drop.
    pub reserved: Reserved,
}

/// Reads a body, within the limits of bulk orders, and finds its rows.
pub(in crate::http::api) async fn read(
    app: &App,
    caller: &Caller,
    request: Request,
) -> Result<BulkBody, ApiError> {
    let media = Media::of(request.headers()).ok_or_else(|| {
        let detail = "expected the header Content-Type: application/x-ndjson or application/json";
        ApiError::new("body.media_type", detail)
    })?;
    let (bytes, reserved) = app.bulk_memory.read(caller.key_owner(), request.into_body()).await?;
    let bytes = body::json_text(&bytes)?;
    let rows_max = app.limits.bulk_rows_max;
    let body = bytes.clone();
    let rows = off_the_workers(move || match media {
        Media::Ndjson => bulk_rows::lines(&body, rows_max),
        Media::Json => bulk_rows::array(&body, rows_max),
    });
    Ok(BulkBody { media, bytes, rows: rows.await??.into(), reserved })
}

/// The callback that a row orders, and which times it names.
///
/// # Errors
/// All faults of the row.
pub(in crate::http::api) fn parse_row(
    validator: &Validator<'_>,
    campaigns: &CampaignsOfOrders,
    kind: OrderKind,
    json: &[u8],
) -> Result<(Callback, Named), Vec<FieldError>> {
    let limits = validator.app.limits.order;
    if json.len() > limits.bytes_max {
        let detail = format!("the row has {} bytes: expected at most {}", json.len(), limits.bytes_max);
        return Err(vec![FieldError { field: String::new(), code: "body.too_large", detail }]);
    }
    let mut faults = FieldErrors::within(limits);
    let mut body = RequestBody::read(kind, json, &mut faults).map_err(|broken| vec![broken_row(&broken)])?;
    campaigns.complete(kind, &mut body, &mut faults);
    let named = Named::in_body(&body);
    let Some(order) = validator.order_of(kind, body, &mut faults) else { return Err(faults.into_vec()) };
    Ok((validator.callback(CallbackId::new(validator.app.ids.uuid(validator.now)), order), named))
}

/// Runs long computation on a thread for blocking work.
pub(in crate::http::api) async fn off_the_workers<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, ApiError> {
    tokio::task::spawn_blocking(work).await.map_err(ApiError::internal)
}

/// A bulk order with its body, shared with the thread that parses it.
struct BulkOrder {
    app: Arc<App>,
    caller: Caller,
    kind: OrderKind,
    keys: RowKeys,
    calendars: Calendars,
    bytes: Bytes,
    rows: Arc<[RowAt]>,
    campaigns: CampaignsOfOrders,
    /// Whether the request has ended.
    is_over: AtomicBool,
    /// Chunks are parsed one after the other, so the lock is always free.
    equal: Mutex<EqualRows>,
}

/// Ends the parsing when the request ends.
struct Over(Arc<BulkOrder>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.is_over.store(true, Ordering::Relaxed);
    }
}

/// Rows on their way into the store.
#[derive(Default)]
struct Chunk {
    rows: Vec<(usize, Row)>,
    enqueue: Vec<Enqueue>,
}

pub(super) enum Row {
    /// The next of the chunk's orders, with its warnings.
    Ordered(Vec<FieldError>),
    Refused(Vec<FieldError>),
}

impl BulkOrder {
    async fn take(self: &Arc<Self>, mut answer: Answer) -> Result<Answer, ApiError> {
        let mut next_row = 0;
        let mut current = self.parse(&mut next_row).await?;
        let mut failed: Option<ApiError> = None;
        while !current.rows.is_empty() {
            let Chunk { rows: kinds, enqueue } = current;
            if let Some(error) = &failed {
                answer.unkept(kinds, error);
                current = self.parse(&mut next_row).await?;
                continue;
            }
            let first_wake = enqueue.iter().map(|order| wake_at(&order.callback)).min();
            // The store writes this chunk while the next one is parsed.
            let (enqueued, next) = tokio::join!(self.keep(enqueue), self.parse(&mut next_row));
            match enqueued {
                Ok(enqueued) => {
                    let new = enqueued.iter().filter(|one| matches!(one, Enqueued::New(_))).count();
                    count(&self.app, self.kind, new as u64);
                    answer.rows(kinds, &enqueued);
                    if let Some(at) = first_wake {
                        self.app.waker.due_at(at);
                    }
                }
                Err(error) if answer.kept() == 0 => return Err(error.into()),
                Err(error) => {
                    let error = ApiError::from(error);
                    answer.unkept(kinds, &error);
                    failed = Some(error);
                }
            }
            current = next?;
        }
        Ok(answer)
    }

    async fn keep(&self, orders: Vec<Enqueue>) -> store::Result<Vec<Enqueued>> {
        if orders.is_empty() { Ok(Vec::new()) } else { self.app.store.enqueue_callbacks(orders).await }
    }

    /// The next chunk; an empty one at the end.
    async fn parse(self: &Arc<Self>, next_row: &mut usize) -> Result<Chunk, ApiError> {
        let first = *next_row;
        let mut bytes = 0;
        let fits = |row: &&RowAt| {
            let fits = bytes < CHUNK_BYTES_MAX;
            bytes += row.len();
            fits
        };
        let count = self.rows[first..].iter().take(CHUNK_ROWS_MAX).take_while(fits).count();
        if count == 0 {
            return Ok(Chunk::default());
        }
        *next_row = first + count;
        let order = Arc::clone(self);
        let chunk = self.rows[first..first + count].iter().map(|row| row.of(&self.bytes));
        let zones = self.app.zones_of_orders(chunk).await?;
        off_the_workers(move || order.parse_rows(first..first + count, zones)).await
    }

    fn parse_rows(&self, rows: Range<usize>, zones: Arc<ZonesOfPeople>) -> Chunk {
        let validator = Validator::of_list(&self.app, &self.caller, self.calendars.clone()).knowing(zones);
        let mut equal = self.equal.lock().unwrap_or_else(PoisonError::into_inner);
        let mut chunk =
            Chunk { rows: Vec::with_capacity(rows.len()), enqueue: Vec::with_capacity(rows.len()) };
        for row in &self.rows[rows] {
            if self.is_over.load(Ordering::Relaxed) {
                break;
            }
            let became = match self.order(&validator, row.number(), row.of(&self.bytes)) {
                Ok((enqueue, named)) => {
                    let order = &enqueue.callback.order;
                    let mut warnings = validator.warnings(order);
                    if !self.keys.is_import() {
                        warnings.extend(equal.warning(row.number(), order, named));
                    }
                    chunk.enqueue.push(enqueue);
                    Row::Ordered(warnings)
                }
                Err(faults) => Row::Refused(faults),
            };
            chunk.rows.push((row.number(), became));
        }
        chunk
    }

    fn order(
        &self,
        validator: &Validator<'_>,
        number: usize,
        json: &[u8],
    ) -> Result<(Enqueue, Named), Vec<FieldError>> {
        let (callback, named) = parse_row(validator, &self.campaigns, self.kind, json)?;
        let key = self.keys.of_row(number, &callback.order);
        let idempotency = key.map(|key| IdempotencyKey {
            token: self.caller.key_owner(),
            key,
            body: digest(self.kind, json),
        });
        let of_one_group = validator.app.of_one_group(&callback);
        Ok((Enqueue { callback, idempotency, ceiling: self.caller.order_ceiling(), of_one_group }, named))
    }
}

fn broken_row(broken: &Broken) -> FieldError {
    let (code, detail) = match broken {
        Broken::Syntax { column, what, .. } => ("body.syntax", format!("column {column}: {what}")),
        Broken::NotAnObject => ("body.shape", "expected a JSON object".to_owned()),
    };
    FieldError { field: String::new(), code, detail }
}
