//! `/v1/imports`: lists of callbacks. `check` tells what would become of each row, and `rows` orders them, each once.
//!
//! A list can also arrive as it is, in parts: `create` begins an import, `part` takes its bytes, `complete` says that nothing
//! follows. `reading` makes orders of what has arrived, and the store keeps them together with the place that was reached.

pub(super) mod check;
pub(super) mod complete;
pub(super) mod create;
pub(super) mod list;
pub(super) mod part;
mod preflight;
mod reading;
pub(super) mod refused;
pub(super) mod remove;
pub(super) mod rows;
mod settings;
pub(super) mod show;
mod view;

use crate::domain::ImportId;
use crate::http::auth::Caller;
use crate::http::{ApiError, App};
use crate::import;
use crate::store::ImportRecord;

/// The name of an import.
///
/// # Errors
/// `import.name_malformed`. The name is not repeated: it could be a phone number.
fn name(text: &str) -> Result<&str, ApiError> {
    if import::is_name(text) {
        Ok(text)
    } else {
        Err(ApiError::new("import.name_malformed", import::NAME_EXPECTED))
    }
}

/// The import of the caller's tenant that a path names: by its id, or the newest with this name.
async fn record(app: &App, caller: &Caller, text: &str) -> Result<ImportRecord, ApiError> {
    let name = name(text)?;
    let found = match name.parse::<ImportId>() {
        Ok(id) => app.store.import(id).await?.filter(|it| it.import.tenant == *caller.tenant()),
        Err(_) => app.store.import_named(caller.tenant(), name).await?,
    };
    found.ok_or_else(|| ApiError::new("import.not_found", "no import has this id or name"))
}
