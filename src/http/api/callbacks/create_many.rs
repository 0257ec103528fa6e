//! `POST /v1/callbacks/bulk`: many new callbacks in one body, each accepted or refused by itself.
//!
//! Rows are committed in chunks while the next chunk is parsed. The answer says of each row what became of
//! it; a row without an id was not kept.

use std::cell::Cell;
use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Extension, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::create::{key, over_ceiling, wake_at};
use super::field_errors::FieldErrors;
use super::request_body::{Broken, RequestBody, what};
use super::validate::Validator;
use crate::domain::CallbackId;
use crate::http::api::body::{self, Media};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::store::{self, Enqueue, Enqueued, IdempotencyKey};

/// How many rows are committed together.
const CHUNK: usize = 1000;
const ROWS_KEPT: HeaderName = HeaderName::from_static("x-rows-kept");
const ROWS_REFUSED: HeaderName = HeaderName::from_static("x-rows-refused");

/// What became of one row. A row without an `id` was not kept.
#[derive(Serialize, ToSchema)]
#[schema(as = RowResult)]
pub(super) struct RowView<'a> {
    /// The number of the row, from 1; in NDJSON the number of the line.
    row: usize,
    /// The new callback.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Set if the row was kept by an earlier request with the same `Idempotency-Key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    /// The first fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a FieldError>,
    /// All faults, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [FieldError]>,
}

/// Orders many callbacks at once.
///
/// `application/x-ndjson`: one order on each line; a broken line is refused by itself. `application/json`: an
/// array of orders; broken JSON refuses the whole request. The answer has the format of the request.
/// With the header `Idempotency-Key` the same body can be sent again: rows that were kept are not kept twice.
#[utoipa::path(
    post, path = "/v1/callbacks/bulk", operation_id = "create_callbacks", tag = "callbacks",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content(
        (RequestBody<'static> = "application/x-ndjson"),
        (Vec<RequestBody<'static>> = "application/json"),
    )),
    responses(
        (status = 200, description = "What became of each row, in order.",
            content((RowView<'static> = "application/x-ndjson"), (Vec<RowView<'static>> = "application/json")),
            headers(
                ("X-Rows-Kept" = usize, description = "How many rows have an id"),
                ("X-Rows-Refused" = usize, description = "How many have none"),
            )),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn create_many(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    mut request: Request,
) -> Result<Response, ApiError> {
    let media = Media::of(request.headers()).ok_or_else(|| {
        let detail = "expected the header Content-Type: application/x-ndjson or application/json";
        ApiError::new("body.media_type", detail)
    })?;
    let key = key(request.headers())?.map(str::to_owned);
    DefaultBodyLimit::max(app.limits.bulk_body_max_bytes).apply(&mut request);
    let bytes = body::bytes(request, &()).await?;
    let order = BulkOrder { app: &app, caller: &caller, key: key.as_deref() };
    match media {
        Media::Ndjson => order.take(lines(&bytes), Answer::ndjson(bytes.len())).await,
        Media::Json => {
            let rows = array(&bytes)?;
            let rows = rows.into_iter().enumerate().map(|(index, row)| (index + 1, row.get().as_bytes()));
            order.take(rows, Answer::json(bytes.len())).await
        }
    }
}

/// The lines that are not blank, with their numbers.
fn lines(bytes: &Bytes) -> impl Iterator<Item = (usize, &[u8])> {
    bytes
        .split(|&b| b == b'\n')
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
}

/// The rows of an array, unread; or where it is broken.
fn array(bytes: &[u8]) -> Result<Vec<&RawValue>, ApiError> {
    let rows = Cell::new(0);
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = Rows(&rows).deserialize(&mut json).and_then(|rows| json.end().map(|()| rows));
    read.map_err(|error| match error.classify() {
        Category::Data => ApiError::new("body.shape", "expected a JSON array of objects"),
        _ => {
            let (row, line, column) = (rows.get() + 1, error.line(), error.column());
            let detail =
                format!("row {row}, line {line}, column {column}: {}; nothing was kept", what(&error));
            ApiError::new("body.syntax", detail)
        }
    })
}

struct BulkOrder<'a> {
    app: &'a App,
    caller: &'a Caller,
    key: Option<&'a str>,
}

/// Rows on their way into the store.
struct Chunk {
    rows: Vec<(usize, Row)>,
    enqueue: Vec<Enqueue>,
}

enum Row {
    /// The next of the chunk's orders.
    Ordered,
    Refused(Vec<FieldError>),
}

impl BulkOrder<'_> {
    async fn take<'r>(
        &self,
        mut rows: impl Iterator<Item = (usize, &'r [u8])>,
        mut answer: Answer,
    ) -> Result<Response, ApiError> {
        let mut current = self.parse(&mut rows);
        let mut failed: Option<ApiError> = None;
        while !current.rows.is_empty() {
            let Chunk { rows: kinds, enqueue } = current;
            if let Some(error) = &failed {
                answer.unkept(kinds, error);
                current = self.parse(&mut rows);
                continue;
            }
            let first_wake = enqueue.iter().map(|order| wake_at(&order.callback)).min();
            // The store's writer works on this chunk while the next one is parsed.
            let (enqueued, next) = tokio::join!(self.keep(enqueue), async { self.parse(&mut rows) });
            match enqueued {
                Ok(enqueued) => {
                    let new = enqueued.iter().filter(|one| matches!(one, Enqueued::New(_))).count();
                    self.app.metrics.callbacks_enqueued(new as u64);
                    answer.rows(kinds, &enqueued);
                    if let Some(at) = first_wake {
                        self.app.waker.due_at(at);
                    }
                }
                Err(error) if answer.kept == 0 => return Err(error.into()),
                Err(error) => {
                    let error = ApiError::from(error);
                    answer.unkept(kinds, &error);
                    failed = Some(error);
                }
            }
            current = next;
        }
        Ok(answer.finish())
    }

    async fn keep(&self, orders: Vec<Enqueue>) -> store::Result<Vec<Enqueued>> {
        if orders.is_empty() { Ok(Vec::new()) } else { self.app.store.enqueue_callbacks(orders).await }
    }

    fn parse<'r>(&self, rows: &mut impl Iterator<Item = (usize, &'r [u8])>) -> Chunk {
        let validator = Validator::open(self.app, self.caller);
        let mut chunk = Chunk { rows: Vec::with_capacity(CHUNK), enqueue: Vec::with_capacity(CHUNK) };
        for (number, json) in rows.take(CHUNK) {
            let row = match self.order(&validator, number, json) {
                Ok(enqueue) => {
                    chunk.enqueue.push(enqueue);
                    Row::Ordered
                }
                Err(faults) => Row::Refused(faults),
            };
            chunk.rows.push((number, row));
        }
        chunk
    }

    fn order(
        &self,
        validator: &Validator<'_>,
        number: usize,
        json: &[u8],
    ) -> Result<Enqueue, Vec<FieldError>> {
        let mut faults = FieldErrors::default();
        let body = RequestBody::read(json, &mut faults).map_err(|broken| vec![broken_row(&broken)])?;
        let Some(order) = validator.order(body, &mut faults) else { return Err(faults.into_vec()) };
        let callback = validator.callback(CallbackId::new(self.app.ids.uuid(validator.now)), order);
        // No key of a single order has a line end in it, so a row's key is never one of those.
        let idempotency = self.key.map(|key| IdempotencyKey {
            token: self.caller.key_owner(),
            key: format!("{key}\n{number}"),
            body: Sha256::digest(json).into(),
        });
        Ok(Enqueue { callback, idempotency, ceiling: self.caller.order_ceiling() })
    }
}

fn broken_row(broken: &Broken) -> FieldError {
    let (code, detail) = match broken {
        Broken::Syntax { column, what, .. } => ("body.syntax", format!("column {column}: {what}")),
        Broken::NotAnObject => ("body.shape", "expected a JSON object".to_owned()),
    };
    FieldError { field: String::new(), code, detail }
}

/// The answer, written while rows are kept.
struct Answer {
    out: Vec<u8>,
    array: bool,
    kept: usize,
    refused: usize,
}

impl Answer {
    /// An answer is about a quarter as long as the order it answers.
    fn ndjson(length: usize) -> Self {
        Self { out: Vec::with_capacity(length / 4), array: false, kept: 0, refused: 0 }
    }

    fn json(length: usize) -> Self {
        let mut out = Vec::with_capacity(length / 4);
        out.push(b'[');
        Self { out, array: true, kept: 0, refused: 0 }
    }

    fn rows(&mut self, rows: Vec<(usize, Row)>, enqueued: &[Enqueued]) {
        let mut enqueued = enqueued.iter();
        for (number, row) in rows {
            match row {
                Row::Refused(faults) => self.refuse(number, &faults),
                Row::Ordered => match enqueued.next() {
                    Some(Enqueued::New(id)) => self.keep(number, id, false),
                    Some(Enqueued::Repeated(id)) => self.keep(number, id, true),
                    Some(Enqueued::KeyReused) => {
                        let detail = "the key was used with another order in this row".to_owned();
                        let code = "idempotency.key_reused";
                        self.refuse(number, &[FieldError { field: String::new(), code, detail }]);
                    }
                    Some(Enqueued::OverCeiling { lifts_at }) => {
                        self.refuse(number, &[over_ceiling(*lifts_at, *lifts_at).fault()]);
                    }
                    None => self.refuse(number, &[ApiError::internal("a row has no answer").fault()]),
                },
            }
        }
    }

    /// Rows that the store did not take.
    fn unkept(&mut self, rows: Vec<(usize, Row)>, error: &ApiError) {
        let unkept = FieldError { detail: "the row was not kept; try again".to_owned(), ..error.fault() };
        for (number, row) in rows {
            match row {
                Row::Refused(faults) => self.refuse(number, &faults),
                Row::Ordered => self.refuse(number, std::slice::from_ref(&unkept)),
            }
        }
    }

    fn keep(&mut self, row: usize, id: &crate::domain::CallbackId, replayed: bool) {
        self.kept += 1;
        self.separate();
        // The shape of a kept row has nothing to escape, so it is written without a serializer.
        let replayed = if replayed { r#","replayed":true"# } else { "" };
        write!(self.out, r#"{{"row":{row},"id":"{id}"{replayed}}}"#)
            .expect("writing to memory does not fail");
        self.end_row();
    }

    fn refuse(&mut self, row: usize, faults: &[FieldError]) {
        self.refused += 1;
        self.separate();
        let errors = (faults.len() > 1).then_some(faults);
        let view = RowView { row, id: None, replayed: None, error: faults.first(), errors };
        serde_json::to_writer(&mut self.out, &view).expect("a view is plain data");
        self.end_row();
    }

    fn separate(&mut self) {
        if self.array && self.kept + self.refused > 1 {
            self.out.push(b',');
        }
    }

    fn end_row(&mut self) {
        if !self.array {
            self.out.push(b'\n');
        }
    }

    fn finish(mut self) -> Response {
        let media = if self.array {
            self.out.push(b']');
            "application/json"
        } else {
            "application/x-ndjson"
        };
        let mut response = body::raw(StatusCode::OK, media, self.out);
        response.headers_mut().insert(ROWS_KEPT, HeaderValue::from(self.kept));
        response.headers_mut().insert(ROWS_REFUSED, HeaderValue::from(self.refused));
        response
    }
}

/// Reads an array row by row and counts, so that a broken one can be named.
struct Rows<'c>(&'c Cell<usize>);

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = Vec<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element()? {
            rows.push(row);
            self.0.set(rows.len());
        }
        Ok(rows)
    }
}
