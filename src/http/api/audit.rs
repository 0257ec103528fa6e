//! `GET /v1/audit` and its export: what people and tokens did.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::json;
use super::query::{self, Given};
use crate::domain::Tenant;
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::import::export::neutral;
use crate::store::{AuditEntry, AuditFilter};

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;
/// So many entries are read at once for an export.
const AT_ONCE: usize = 1000;
const COLUMNS: [&str; 11] =
    ["at", "who", "way", "tenant", "what", "object", "consumer", "from", "outcome", "before", "after"];

/// One entry of the audit log.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct View {
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// The name of the token, or `person/` and the name of the person.
    who: String,
    /// `token`, `password`, `oidc`, `proxy`, `loopback` or `machine`.
    way: &'static str,
    tenant: String,
    /// Method and route of the API, or a word such as `sign_in`, `person.add` or `reveal`.
    what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    /// The consumer; of an erased person the pseudonym.
    #[serde(skip_serializing_if = "Option::is_none")]
    consumer: Option<String>,
    /// The address of the client.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// `done`, `refused` or `failed`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

impl View {
    fn of(entry: AuditEntry, reveals: bool) -> Self {
        let number = |number: crate::domain::Phone| if reveals { number.e164() } else { number.to_string() };
        Self {
            at: entry.at,
            who: entry.who,
            way: entry.way.as_str(),
            tenant: entry.tenant.to_string(),
            what: entry.what,
            object: entry.object,
            consumer: entry.consumer.map(number),
            from: entry.from.map(|address| address.to_string()),
            outcome: entry.outcome.into(),
            before: entry.before,
            after: entry.after,
        }
    }

    fn cells(&self) -> [String; 11] {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        [
            self.at.to_string(),
            self.who.clone(),
            self.way.to_owned(),
            self.tenant.clone(),
            self.what.clone(),
            text(&self.object),
            text(&self.consumer),
            text(&self.from),
            self.outcome.to_owned(),
            text(&self.before),
            text(&self.after),
        ]
    }
}

/// Entries of the audit log, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditPage)]
pub(super) struct PageView {
    entries: Vec<View>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

struct Asked {
    filter: AuditFilter,
    before: Option<i64>,
    limit: usize,
    is_csv: bool,
}

fn asked(caller: &Caller, given: Given, is_export: bool) -> Result<Asked, ApiError> {
    // Somebody of the default tenant looks over all tenants.
    let tenant = (*caller.tenant() != Tenant::default()).then(|| caller.tenant().clone());
    let mut asked = Asked {
        filter: AuditFilter { tenant, ..AuditFilter::default() },
        before: None,
        limit: LIMIT_DEFAULT,
        is_csv: false,
    };
    given.read(|name, value| {
        let moment = |what: &str| {
            value
                .parse::<Timestamp>()
                .map_err(|_| query::fault(name, &format!("is no {what}: expected RFC 3339")))
        };
        match name {
            "since" => asked.filter.since = Some(moment("time")?),
            "until" => asked.filter.until = Some(moment("time")?),
            "who" => asked.filter.who = Some(value),
            "what" => asked.filter.what = Some(value),
            "object" => asked.filter.object = Some(value),
            "outcome" => {
                let read = value.parse().map_err(|_| query::fault(name, "is none of done, refused, failed"));
                asked.filter.outcome = Some(read?);
            }
            "cursor" if !is_export => {
                let what = "is not a cursor: expected the next_cursor of the previous page";
                asked.before = Some(value.parse().map_err(|_| query::fault(name, what))?);
            }
            "limit" if !is_export => asked.limit = query::limit(name, &value, LIMIT_MAX)?,
            "format" if is_export => {
                asked.is_csv = match value.as_str() {
                    "csv" => true,
                    "ndjson" => false,
                    _ => return Err(query::fault(name, "is neither csv nor ndjson")),
                };
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(asked)
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/v1/audit", operation_id = "list_audit", tag = "people",
    params(
        ("since" = Option<String>, Query, description = "Not before this time (RFC 3339)"),
        ("until" = Option<String>, Query, description = "Before this time"),
        ("who" = Option<String>, Query, description = "The name of a token, or `person/` and a name"),
        ("what" = Option<String>, Query, description = "Such as `sign_in` or `POST /v1/pauses`"),
        ("object" = Option<String>, Query, description = "Such as an id"),
        ("outcome" = Option<String>, Query, description = "`done`, `refused` or `failed`"),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the previous page"),
        ("limit" = Option<usize>, Query, description = "1 to 1,000; 100 if it is absent"),
    ),
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
    let asked = asked(&caller, given, false)?;
    let reveals = caller.may(crate::domain::Scope::Reveal);
    let found = app.store.audit(&asked.filter, asked.before, asked.limit).await?;
    let next_cursor =
        (found.len() == asked.limit).then(|| found.last().map(|(seq, _)| seq.to_string())).flatten();
    let entries = found.into_iter().map(|(_, entry)| View::of(entry, reveals)).collect();
    Ok(json(StatusCode::OK, &PageView { entries, next_cursor }))
}

/// The whole audit log in a stream, newest first.
///
/// NDJSON, or CSV in which no cell begins with what a spreadsheet would compute. The export itself is audited.
#[utoipa::path(get, path = "/v1/audit/export", operation_id = "export_audit", tag = "people",
    params(
        ("format" = Option<String>, Query, description = "`ndjson` (usual) or `csv`"),
        ("since" = Option<String>, Query, description = "Not before this time (RFC 3339)"),
        ("until" = Option<String>, Query, description = "Before this time"),
        ("who" = Option<String>, Query, description = "The name of a token, or `person/` and a name"),
        ("what" = Option<String>, Query, description = "Such as `sign_in`"),
        ("object" = Option<String>, Query, description = "Such as an id"),
        ("outcome" = Option<String>, Query, description = "`done`, `refused` or `failed`"),
    ),
    responses(
        (status = 200, body = String, content_type = "application/x-ndjson"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn export(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    given: Given,
) -> Result<Response, ApiError> {
    let asked = asked(&caller, given, true)?;
    let reveals = caller.may(crate::domain::Scope::Reveal);
    let is_csv = asked.is_csv;
    let first = if is_csv { record(&COLUMNS.map(str::to_owned)) } else { Vec::new() };
    let pieces = stream::unfold(Some((None, first)), move |next| {
        let (app, filter) = (Arc::clone(&app), asked.filter.clone());
        async move {
            let (before, mut piece) = next?;
            let found = match app.store.audit(&filter, before, AT_ONCE).await {
                Ok(found) => found,
                Err(error) => return Some((Err(std::io::Error::other(error)), None)),
            };
            let last = found.last().map(|(seq, _)| *seq).filter(|_| found.len() == AT_ONCE);
            for (_, entry) in found {
                let view = View::of(entry, reveals);
                if is_csv {
                    piece.extend(record(&view.cells()));
                } else {
                    piece.extend(serde_json::to_vec(&view).unwrap_or_default());
                    piece.push(b'\n');
                }
            }
            Some((Ok(Bytes::from(piece)), last.map(|last| (Some(last), Vec::new()))))
        }
    });
    let mut response = Response::new(Body::from_stream(pieces));
    let media = if is_csv { "text/csv; charset=utf-8" } else { "application/x-ndjson" };
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media));
    Ok(response)
}

/// One line of CSV.
fn record(cells: &[String; 11]) -> Vec<u8> {
    let mut out = csv::Writer::from_writer(Vec::new());
    let written = out.write_record(cells.iter().map(|cell| neutral(cell).into_owned()));
    if written.is_err() {
        return Vec::new();
    }
    out.into_inner().unwrap_or_default()
}
