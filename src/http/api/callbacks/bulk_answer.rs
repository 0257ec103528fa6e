//! The answer to a bulk order: stored in a short form, and written in pieces while the customer reads.

use std::convert::Infallible;
use std::fmt;
use std::io::Write as _;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use futures_util::stream;
use serde::Serialize;
use utoipa::ToSchema;

use super::bulk_memory::Reserved;
use super::campaigns;
use super::create::{over_ceiling, suppressed, wrong_number};
use super::create_many::Row;
use super::groups;
use super::row_keys::RowKeys;
use crate::domain::{CallbackId, InviteId, OrderKind};
use crate::http::ApiError;
use crate::http::api::body::Media;
use crate::http::error::FieldError;
use crate::store::Enqueued;

const ROWS_KEPT: HeaderName = HeaderName::from_static("x-rows-kept");
const ROWS_REFUSED: HeaderName = HeaderName::from_static("x-rows-refused");

/// The size of a piece of the answer, in bytes; a piece is a little longer. The next one is written when it is taken.
const PIECE_BYTES: usize = 64 << 10;
/// What all faults and warnings of one answer may take in memory; of rows past that only the first fault is told.
pub(in crate::http::api) const FAULTS_BYTES_MAX: usize = 16 << 20;

/// The result of one row. A row without an `id` was not accepted.
#[derive(Serialize, ToSchema)]
#[schema(as = RowResult)]
pub(in crate::http::api) struct RowView<'a> {
    /// The number of the row, from 1; in NDJSON the number of the line.
    #[schema(value_type = usize)]
    row: u32,
    /// The new callback or invite.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// Set if the row was accepted by an earlier request with the same `Idempotency-Key`, or of the same import.
    #[serde(skip_serializing_if = "Option::is_none")]
    replayed: Option<bool>,
    /// Warnings about accepted values that may be mistakes.
    #[serde(skip_serializing_if = "Option::is_none")]
    warnings: Option<&'a [FieldError]>,
    /// The first fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a FieldError>,
    /// All faults, if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<&'a [FieldError]>,
}

/// The results of the rows so far.
pub(super) struct Answer {
    /// What was ordered.
    kind: OrderKind,
    is_array: bool,
    is_import: bool,
    rows: Vec<Answered>,
    kept: usize,
    faults_bytes: usize,
    /// The rows that the store did not take, and its fault.
    lost: Option<(usize, ApiError)>,
}

struct Answered {
    number: u32,
    became: Became,
}

enum Became {
    Kept(CallbackId, Box<[FieldError]>),
    /// Kept by an earlier request.
    Repeated(CallbackId, Box<[FieldError]>),
    Refused(Box<[FieldError]>),
}

impl Answer {
    pub(super) fn new(kind: OrderKind, media: Media, keys: &RowKeys) -> Self {
        let (is_array, is_import) = (media == Media::Json, keys.is_import());
        Self { kind, is_array, is_import, rows: Vec::new(), kept: 0, faults_bytes: 0, lost: None }
    }

    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    /// Adds rows, with the store's answers to the accepted ones.
    pub(super) fn rows(&mut self, rows: Vec<(usize, Row)>, enqueued: &[Enqueued]) {
        let mut enqueued = enqueued.iter();
        for (number, row) in rows {
            match row {
                Row::Refused(faults) => self.refuse(number, faults),
                Row::Ordered(warnings) => match enqueued.next() {
                    Some(Enqueued::New(id)) => {
                        let warnings = self.within_bounds(warnings);
                        self.keep(number, Became::Kept(*id, warnings));
                    }
                    Some(Enqueued::Repeated(id)) => {
                        let warnings = self.within_bounds(warnings);
                        self.keep(number, Became::Repeated(*id, warnings));
                    }
                    Some(Enqueued::KeyReused) => {
                        self.refuse(number, vec![self.reused()]);
                    }
                    Some(Enqueued::OverCeiling { lifts_at }) => {
                        self.refuse(number, vec![over_ceiling(*lifts_at, *lifts_at).fault()]);
                    }
                    Some(Enqueued::Suppressed { list, scope }) => {
                        self.refuse(number, vec![suppressed(list, *scope).fault()]);
                    }
                    Some(Enqueued::CampaignClosed) => {
                        self.refuse(number, vec![campaigns::closed()]);
                    }
                    Some(Enqueued::OtherGroup(other)) => self.refuse(number, vec![groups::fault(other)]),
                    Some(Enqueued::WrongNumber) => self.refuse(number, vec![wrong_number().fault()]),
                    None => self.refuse(number, vec![ApiError::internal("a row has no answer").fault()]),
                },
            }
        }
    }

    /// The fault of a row whose key has another body.
    fn reused(&self) -> FieldError {
        let (code, detail) = if self.is_import {
            let detail = "this import has accepted another order with this reference, or of this person; change or \
                          cancel that callback instead";
            ("import.row_changed", detail)
        } else {
            ("idempotency.key_reused", "the key was used with another order in this row")
        };
        FieldError { field: String::new(), code, detail: detail.to_owned() }
    }

    /// Adds rows that the store did not accept.
    pub(super) fn unkept(&mut self, rows: Vec<(usize, Row)>, error: &ApiError) {
        let unkept = FieldError { detail: "the row was not stored; try again".to_owned(), ..error.fault() };
        let (lost, _) = self.lost.get_or_insert_with(|| (0, error.clone()));
        *lost += rows.iter().filter(|(_, row)| matches!(row, Row::Ordered(_))).count();
        for (number, row) in rows {
            match row {
                Row::Refused(faults) => self.refuse(number, faults),
                Row::Ordered(_) => self.refuse(number, vec![unkept.clone()]),
            }
        }
    }

    fn keep(&mut self, number: usize, became: Became) {
        self.kept += 1;
        self.push(number, became);
    }

    fn refuse(&mut self, number: usize, mut faults: Vec<FieldError>) {
        if self.faults_bytes >= FAULTS_BYTES_MAX {
            faults.truncate(1);
        }
        self.count(&faults);
        self.push(number, Became::Refused(faults.into()));
    }

    /// The warnings, unless the answer has grown too large to hold more.
    fn within_bounds(&mut self, warnings: Vec<FieldError>) -> Box<[FieldError]> {
        if self.faults_bytes >= FAULTS_BYTES_MAX {
            return Box::default();
        }
        self.count(&warnings);
        warnings.into()
    }

    fn count(&mut self, faults: &[FieldError]) {
        let bytes = |fault: &FieldError| size_of::<FieldError>() + fault.field.len() + fault.detail.len();
        self.faults_bytes += faults.iter().map(bytes).sum::<usize>();
    }

    fn push(&mut self, number: usize, became: Became) {
        self.rows.push(Answered { number: u32::try_from(number).unwrap_or(u32::MAX), became });
    }

    /// The memory is returned when the answer was sent or the request ended.
    pub(super) fn into_response(self, reserved: Reserved) -> Response {
        let media = if self.is_array { "application/json" } else { "application/x-ndjson" };
        let (kept, refused) = (self.kept, self.rows.len() - self.kept);
        if let Some((rows, error)) = &self.lost {
            tracing::warn!(
                rows,
                code = error.code(),
                cause = error.causes(),
                "rows of a bulk order were not stored"
            );
        }
        let pieces = Pieces {
            kind: self.kind,
            is_array: self.is_array,
            is_begun: false,
            rows: Some(self.rows.into_iter()),
            _reserved: reserved,
        };
        let mut response = Response::new(Body::from_stream(stream::iter(pieces)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
        headers.insert(ROWS_KEPT, HeaderValue::from(kept));
        headers.insert(ROWS_REFUSED, HeaderValue::from(refused));
        response
    }
}

/// The answer in pieces, each written when it is needed.
struct Pieces {
    kind: OrderKind,
    is_array: bool,
    is_begun: bool,
    rows: Option<std::vec::IntoIter<Answered>>,
    _reserved: Reserved,
}

impl Iterator for Pieces {
    type Item = Result<Bytes, Infallible>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = self.rows.as_mut()?;
        let mut out = Vec::with_capacity(PIECE_BYTES + (PIECE_BYTES >> 2));
        while out.len() < PIECE_BYTES {
            let Some(row) = rows.next() else {
                self.rows = None;
                if self.is_array {
                    out.extend_from_slice(if self.is_begun { b"]" } else { b"[]" });
                }
                return (!out.is_empty()).then(|| Ok(out.into()));
            };
            if self.is_array {
                out.push(if self.is_begun { b',' } else { b'[' });
            }
            self.is_begun = true;
            row.write(self.kind, &mut out);
            if !self.is_array {
                out.push(b'\n');
            }
        }
        Some(Ok(out.into()))
    }
}

/// An id in the form of its kind, written without a copy.
struct Shown(OrderKind, CallbackId);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            OrderKind::Callback => fmt::Display::fmt(&self.1, f),
            OrderKind::Invite => fmt::Display::fmt(&InviteId::from(self.1), f),
        }
    }
}

impl Answered {
    fn write(&self, kind: OrderKind, out: &mut Vec<u8>) {
        let row = self.number;
        let view = RowView { row, id: None, replayed: None, warnings: None, error: None, errors: None };
        // The shape of a kept row has nothing to escape, so it is written without a serializer.
        let written = match &self.became {
            Became::Kept(id, none) if none.is_empty() => {
                write!(out, r#"{{"row":{row},"id":"{}"}}"#, Shown(kind, *id))
            }
            Became::Repeated(id, none) if none.is_empty() => {
                write!(out, r#"{{"row":{row},"id":"{}","replayed":true}}"#, Shown(kind, *id))
            }
            Became::Kept(id, warnings) | Became::Repeated(id, warnings) => {
                let replayed = matches!(self.became, Became::Repeated(..)).then_some(true);
                let view =
                    RowView { id: Some(kind.show_id(*id)), replayed, warnings: Some(warnings), ..view };
                serde_json::to_writer(out, &view).map_err(Into::into)
            }
            Became::Refused(faults) => {
                let errors = (faults.len() > 1).then_some(&**faults);
                let view = RowView { error: faults.first(), errors, ..view };
                serde_json::to_writer(out, &view).map_err(Into::into)
            }
        };
        written.expect("writing plain data to memory does not fail");
    }
}
