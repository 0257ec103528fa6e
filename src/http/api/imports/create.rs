//! `POST /v1/imports`: begins an import, or finds the one that it would repeat.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::name;
use super::settings::Settings;
use super::view::View;
use crate::domain::ImportId;
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::callbacks::campaigns::{CampaignsOfOrders, faults_of_list};
use crate::http::api::permissions::{fault, read};
use crate::http::auth::Caller;
use crate::http::error::Written;
use crate::http::{ApiError, App};
use crate::store::{ImportRecord, ImportState, MadeImport, NewImport};

/// The largest list, in bytes.
const SIZE_MAX: u64 = 4 << 30;

/// An import to begin.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewImport)]
pub(in crate::http::api) struct Draft {
    /// Your name of the import: a letter, and at most 63 ASCII letters, digits, dots, hyphens and underscores. Rows that were
    /// ordered under it are not ordered again.
    #[schema(required = true, max_length = 64)]
    name: Option<String>,
    /// The campaign of its rows, unless they name one.
    campaign: Option<String>,
    /// Fields of an order that rows get if they leave them out.
    #[schema(value_type = Option<serde_json::Value>)]
    defaults: Option<Map<String, Value>>,
    /// The size of the list in bytes, at most 4 GiB. A list of another size is not completed.
    size: Option<u64>,
    /// SHA-256 of the list, as 64 hexadecimal digits. A list with another one is not completed.
    sha256: Option<String>,
    /// What columns of CSV are: `COLUMN=FIELD`, `COLUMN=var.NAME` or `COLUMN=skip`, at most 200.
    #[serde(default)]
    mapping: Vec<String>,
    /// The country of numbers without `+`, such as `BR`. Without it they are refused.
    default_country: Option<String>,
    /// `comma`, `semicolon` or `tab`; by default the most frequent one of the first line.
    delimiter: Option<String>,
    /// `utf-8`, `utf-16le`, `utf-16be` or `windows-1252`; by default UTF-8 or UTF-16, as the first bytes show.
    encoding: Option<String>,
}

/// Begins an import of a list that arrives in parts.
///
/// While an import of this name is receiving, the same request is answered with it (200), and a request with another list or
/// other settings with `409` `import.exists`. If the import is complete, has the same SHA-256 and no refused row, it is the
/// answer too (200). Otherwise a new import begins. A tenant has at most 1,000 imports.
#[utoipa::path(post, path = "/v1/imports", operation_id = "create_import", tag = "imports",
    request_body(content = Draft),
    responses(
        (status = 201, description = "It waits for its first part.", body = View),
        (status = 200, description = "It was begun before.", body = View),
        (status = 409, body = Written<'static>, content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn create(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let new = new(&app, &caller, read(&bytes)?)?;
    if let Some(known) = app.store.import_named(caller.tenant(), &new.name).await? {
        let is_same = is_same(&known, &new);
        let is_whole = known.state == ImportState::Complete
            && new.sha256.is_some()
            && known.rows == known.accepted
            && is_same;
        if is_whole || (known.state == ImportState::Receiving && is_same) {
            return Ok(json(StatusCode::OK, &View::of(&app, &known).await?));
        }
    }
    if let Some(campaign) = new.campaign {
        let campaigns = CampaignsOfOrders::all(&app, &caller).await?;
        if let Some(fault) = campaigns.fault_of(campaign) {
            return Err(ApiError::fields("import.invalid", vec![fault]));
        }
    }
    let id = new.id;
    match app.store.make_import(new).await? {
        MadeImport::New => {}
        MadeImport::Unfinished(known) => {
            let detail =
                format!("{known} has this name and another list or other settings; complete or delete it");
            return Err(ApiError::new("import.exists", detail));
        }
        MadeImport::TooMany => {
            let detail = format!("there are {} imports; delete some", NewImport::MAX);
            return Err(ApiError::new("import.too_many", detail));
        }
    }
    let made = app.store.import(id).await?.ok_or_else(|| ApiError::internal("a new import is not there"))?;
    Ok(json(StatusCode::CREATED, &View::of(&app, &made).await?))
}

/// Whether both read the same list in the same way.
fn is_same(known: &ImportRecord, new: &NewImport) -> bool {
    let known = &known.import;
    (known.size, known.sha256, &known.settings) == (new.size, new.sha256, &new.settings)
}

fn new(app: &App, caller: &Caller, draft: Draft) -> Result<NewImport, ApiError> {
    let text = draft.name.as_deref().unwrap_or_default();
    let (name, mut faults) = (name(text)?.to_owned(), Vec::new());
    let mut defaults = draft.defaults.unwrap_or_default();
    if let Some(campaign) = draft.campaign
        && defaults.insert("campaign".to_owned(), campaign.into()).is_some()
    {
        faults.push(fault("campaign", "field.duplicate", "is also in defaults"));
    }
    if draft.size.is_some_and(|size| size == 0 || size > SIZE_MAX) {
        let detail = format!("is out of range: expected 1 to {SIZE_MAX}");
        faults.push(fault("size", "field.value", &detail));
    }
    let sha256 = draft.sha256.as_deref().map(hash);
    if matches!(sha256, Some(None)) {
        faults.push(fault("sha256", "field.value", "expected 64 hexadecimal digits"));
    }
    let settings = Settings {
        mapping: draft.mapping,
        default_country: draft.default_country,
        delimiter: draft.delimiter,
        encoding: draft.encoding,
        defaults,
    };
    settings.options(&mut faults);
    faults.extend(faults_of_list(app, &Value::Object(settings.defaults.clone()).to_string()));
    if !faults.is_empty() {
        return Err(ApiError::fields("import.invalid", faults));
    }
    let at = app.clock.now();
    Ok(NewImport {
        id: ImportId::new(app.ids.uuid(at)),
        tenant: caller.tenant().clone(),
        name,
        campaign: settings.campaign(),
        owner: caller.key_owner(),
        settings: settings.stored(),
        size: draft.size,
        sha256: sha256.flatten(),
        at,
        by: caller.name().to_owned(),
    })
}

/// 32 bytes from hexadecimal digits.
fn hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}
