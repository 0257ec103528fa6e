//! Makes orders of what has arrived of a list, and stores them together with the place that was reached.
//!
//! Rows are stored in chunks while the next chunk is read. Each chunk is one transaction with the place after it, so after
//! a kill the list goes on from there, and no row is read twice.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use sha2::digest::common::hazmat::{SerializableState, SerializedState};
use sha2::{Digest as _, Sha256};

use super::view::{place, settings};
use crate::domain::{Calendars, OrderKind};
use crate::http::api::callbacks::campaigns::CampaignsOfOrders;
use crate::http::api::callbacks::create::{count, digest, wake_at};
use crate::http::api::callbacks::create_many::{off_the_workers, parse_row};
use crate::http::api::callbacks::row_keys::RowKeys;
use crate::http::api::callbacks::validate::{Validator, ZonesOfPeople};
use crate::http::auth::Caller;
use crate::http::{ApiError, App};
use crate::import::parts::{PartRows, Place, check_rest};
use crate::import::{ListError, Options, Row};
use crate::store::{
    Enqueue, IdempotencyKey, ImportFault, ImportRecord, ImportRow, ImportStep, ImportStepped, ImportedRow,
    Reached,
};

/// How many rows are stored together.
const CHUNK_ROWS_MAX: usize = 1000;
/// A chunk ends with the row that reaches this.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// The refusal of a list that cannot be read.
pub(super) fn unreadable(error: &ListError) -> ApiError {
    let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
    ApiError::new("import.unreadable", format!("{error}{hint}"))
}

/// What has arrived of an import and was not read yet.
pub(super) struct Arrived {
    reader: Arc<Reader>,
    record: ImportRecord,
    /// The end of what was there before, and what is new.
    bytes: Bytes,
    /// The place of its first byte in the list.
    base: u64,
    place: Option<Place>,
    is_last: bool,
    /// Of the list up to `hashed` bytes after `base`.
    hash: Sha256,
    hashed: usize,
}

/// What makes an order of a row; shared with the threads that read.
struct Reader {
    app: Arc<App>,
    caller: Caller,
    owner: String,
    keys: RowKeys,
    options: Options,
    calendars: Calendars,
    campaigns: CampaignsOfOrders,
}

/// Rows on their way into the store.
struct Chunk {
    rows: Vec<ImportRow>,
    /// The bytes before the next row, and what is known of the list there.
    taken: usize,
    place: Place,
    first_wake: Option<Timestamp>,
    /// Whether no whole row follows.
    is_end: bool,
    /// Why the list cannot be read on.
    fault: Option<ListError>,
}

impl Arrived {
    /// `new` follows what has arrived; `is_last` says that nothing follows it.
    pub(super) async fn open(
        app: Arc<App>,
        caller: Caller,
        record: ImportRecord,
        new: &Bytes,
        is_last: bool,
    ) -> Result<Self, ApiError> {
        let options = settings(&record)?.options(&mut Vec::new());
        let place = place(&record)?;
        let tail = &record.reached.tail;
        let bytes: Bytes = if tail.is_empty() { new.clone() } else { [tail, &new[..]].concat().into() };
        let reader = Reader {
            calendars: app.marked_calendars().await?,
            campaigns: CampaignsOfOrders::all(&app, &caller).await?,
            owner: record.import.owner.clone(),
            keys: RowKeys::ByIdentity(record.import.name.clone()),
            options,
            app,
            caller,
        };
        Ok(Self {
            reader: Arc::new(reader),
            base: record.reached.received.saturating_sub(tail.len() as u64),
            hash: resumed(&record.reached.hash)?,
            hashed: tail.len(),
            record,
            bytes,
            place,
            is_last,
        })
    }

    pub(super) const fn record(&self) -> &ImportRecord {
        &self.record
    }

    /// Of what had arrived before.
    pub(super) fn sha256(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// Reads all whole rows and stores them. Returns the import as it is then.
    pub(super) async fn take(mut self) -> Result<ImportRecord, ApiError> {
        let (reader, bytes) = (Arc::clone(&self.reader), self.bytes.clone());
        let (place, is_last) = (self.place.take(), self.is_last);
        self.place.clone_from(&place);
        let opened = off_the_workers(move || PartRows::open(bytes, place, &reader.options, is_last)).await?;
        match opened.map_err(|error| unreadable(&error))? {
            Some(part) => self.take_rows(part).await?,
            None if self.is_last => {}
            None => {
                check_rest(&self.bytes, self.place.as_ref()).map_err(|error| unreadable(&error))?;
                let reached = self.reached(0, self.place.clone(), self.bytes.len());
                self.store(Vec::new(), reached, None).await?;
            }
        }
        let id = self.record.import.id;
        let now = self.reader.app.store.import(id).await?;
        now.ok_or_else(|| ApiError::new("import.not_found", "the import was deleted meanwhile"))
    }

    async fn take_rows(&mut self, part: PartRows) -> Result<(), ApiError> {
        let (mut part, mut chunk) = self.read(part).await?;
        loop {
            let Chunk { rows, taken, place, first_wake, is_end, fault } = chunk;
            let rest = if is_end { check_rest(&self.bytes[taken..], Some(&place)) } else { Ok(()) };
            let fault = fault.or(rest.err());
            // What cannot be read is not taken, so the import stays before it.
            let is_whole = is_end && fault.is_none();
            let end = if is_whole { self.bytes.len() } else { taken };
            let reached = self.reached(taken, Some(place), end);
            if is_end || fault.is_some() {
                self.store(rows, reached, first_wake).await?;
                return fault.map_or(Ok(()), |fault| Err(unreadable(&fault)));
            }
            // The store writes this chunk while the next one is read.
            let next = Self::read_by(Arc::clone(&self.reader), part);
            let (stored, next) = tokio::join!(self.store(rows, reached, first_wake), next);
            stored?;
            (part, chunk) = next?;
        }
    }

    async fn read(&self, part: PartRows) -> Result<(PartRows, Chunk), ApiError> {
        Self::read_by(Arc::clone(&self.reader), part).await
    }

    async fn read_by(reader: Arc<Reader>, mut part: PartRows) -> Result<(PartRows, Chunk), ApiError> {
        let read = Arc::clone(&reader);
        let (part, mut chunk, rows) = off_the_workers(move || {
            let (chunk, rows) = Reader::rows(&mut part);
            (part, chunk, rows)
        })
        .await?;
        let orders = rows.iter().filter_map(|row| row.order.as_deref().ok()).map(str::as_bytes);
        let zones = reader.app.zones_of_orders(orders).await?;
        let chunk = off_the_workers(move || {
            read.make(&mut chunk, rows, zones);
            chunk
        });
        Ok((part, chunk.await?))
    }

    /// The place after `taken` bytes, when `end` of the bytes have arrived.
    fn reached(&mut self, taken: usize, place: Option<Place>, end: usize) -> Reached {
        let end = end.max(self.hashed).min(self.bytes.len());
        self.hash.update(&self.bytes[self.hashed..end]);
        self.hashed = end;
        Reached {
            received: self.base.saturating_add(end as u64),
            tail: self.bytes[taken.min(end)..end].to_vec(),
            place: place.map(|place| serde_json::to_string(&place).expect("a place is plain data")),
            hash: SerializableState::serialize(&self.hash).to_vec(),
        }
    }

    async fn store(
        &mut self,
        rows: Vec<ImportRow>,
        reached: Reached,
        first_wake: Option<Timestamp>,
    ) -> Result<(), ApiError> {
        let (import, from) = (self.record.import.id, self.record.reached.received);
        let received = reached.received;
        let app = &self.reader.app;
        match app.store.import_rows(ImportStep { import, from, reached, rows }).await? {
            ImportStepped::Done { new } => {
                self.record.reached.received = received;
                count(app, OrderKind::Callback, new);
                if let Some(at) = first_wake {
                    app.waker.due_at(at);
                }
                Ok(())
            }
            ImportStepped::Moved => {
                Err(ApiError::new("import.gap", "another request has changed the import meanwhile"))
            }
        }
    }
}

impl Reader {
    /// The next rows of a part, in a chunk without its orders.
    fn rows(part: &mut PartRows) -> (Chunk, Vec<Row>) {
        let (mut rows, mut bytes) = (Vec::new(), 0);
        let (mut is_end, mut fault) = (false, None);
        while rows.len() < CHUNK_ROWS_MAX && bytes < CHUNK_BYTES_MAX {
            match part.read() {
                Ok(Some(row)) => {
                    bytes += row.order.as_ref().map_or(0, String::len);
                    rows.push(row);
                }
                Ok(None) => {
                    is_end = true;
                    break;
                }
                Err(error) => {
                    fault = Some(error);
                    break;
                }
            }
        }
        let (taken, place) = (part.taken(), part.place().clone());
        (Chunk { rows: Vec::new(), taken, place, first_wake: None, is_end, fault }, rows)
    }

    /// Makes the orders of a chunk.
    fn make(&self, chunk: &mut Chunk, rows: Vec<Row>, zones: Arc<ZonesOfPeople>) {
        let validator = Validator::of_list(&self.app, &self.caller, self.calendars.clone()).knowing(zones);
        for row in rows {
            let row = self.row(&validator, row);
            if let ImportedRow::Order(order, _) = &row.became {
                let wake = wake_at(&order.callback);
                chunk.first_wake = Some(chunk.first_wake.map_or(wake, |first| first.min(wake)));
            }
            chunk.rows.push(row);
        }
    }

    fn row(&self, validator: &Validator<'_>, row: Row) -> ImportRow {
        let Row { number, order, person } = row;
        let became = match order {
            Ok(json) => self.order(validator, number, &json),
            Err(faults) => ImportedRow::Refused {
                subject: "list",
                faults: faults
                    .into_iter()
                    .map(|fault| ImportFault {
                        field: fault.field,
                        code: fault.code.into_owned(),
                        detail: fault.detail,
                    })
                    .collect(),
            },
        };
        ImportRow { number, person: person.map(|person| person.0), became }
    }

    fn order(&self, validator: &Validator<'_>, number: u32, json: &str) -> ImportedRow {
        let parsed = parse_row(validator, &self.campaigns, OrderKind::Callback, json.as_bytes());
        let (callback, _) = match parsed {
            Ok(parsed) => parsed,
            Err(faults) => {
                let fault = |fault: crate::http::error::FieldError| ImportFault {
                    field: fault.field,
                    code: fault.code.to_owned(),
                    detail: fault.detail,
                };
                return ImportedRow::Refused {
                    subject: "order",
                    faults: faults.into_iter().map(fault).collect(),
                };
            }
        };
        let warnings = validator.warnings(&callback.order).iter().map(|warning| warning.code).collect();
        let key = self.keys.of_row(number as usize, &callback.order);
        let idempotency = key.map(|key| IdempotencyKey {
            token: self.owner.clone(),
            key,
            body: digest(OrderKind::Callback, json.as_bytes()),
        });
        let ceiling = self.caller.order_ceiling();
        let of_one_group = validator.app.of_one_group(&callback);
        ImportedRow::Order(Box::new(Enqueue { callback, idempotency, ceiling, of_one_group }), warnings)
    }
}

/// The hash of what has arrived.
fn resumed(state: &[u8]) -> Result<Sha256, ApiError> {
    if state.is_empty() {
        return Ok(Sha256::new());
    }
    let state = SerializedState::<Sha256>::try_from(state).map_err(ApiError::internal)?;
    SerializableState::deserialize(&state)
        .map_err(|_| ApiError::internal("the hash of an import cannot be read by this version"))
}
