//! `/v1/callbacks`: parses and validates orders, and shows callbacks.
//!
//! `body` reads JSON into the right types, `validator` checks the values against each other and the daemon.

pub(super) mod allow_attempt;
mod bulk_answer;
mod bulk_rows;
pub(super) mod field_errors;
mod metadata;
mod request_body;
mod validate;

pub(super) mod cancel;
pub(super) mod create;
pub(super) mod create_many;
pub(super) mod explain;
pub(super) mod list;
pub(super) mod replay;
pub(super) mod reschedule;
pub(super) mod show;
pub(super) mod timeline;

use std::collections::BTreeSet;

use crate::domain::CallbackId;
use crate::http::auth::Caller;
use crate::http::{ApiError, App};
use crate::store::Record;

/// The callback that an address names.
pub(super) async fn record(app: &App, caller: &Caller, id: &str) -> Result<Record, ApiError> {
    let id: CallbackId = id.parse().map_err(|error| ApiError::new("id.malformed", format!("{error}")))?;
    let record = app.store.callback(id).await?;
    // To its token another tenant's callback is one that does not exist.
    let record = record.filter(|record| record.callback.tenant == *caller.tenant());
    record.ok_or_else(|| ApiError::new("callback.not_found", format!("{id} is not known")))
}

/// Those of the attempts or messages whose callback the token may see.
pub(super) async fn of_tenant<T>(
    app: &App,
    caller: &Caller,
    mut things: Vec<T>,
    callback: impl Fn(&T) -> CallbackId,
) -> Result<Vec<T>, ApiError> {
    let ids: BTreeSet<CallbackId> = things.iter().map(&callback).collect();
    let ids: Vec<CallbackId> = ids.into_iter().collect();
    let callbacks = app.store.callbacks(&ids).await?;
    let own = callbacks.iter().filter(|callback| callback.tenant == *caller.tenant());
    let own: BTreeSet<CallbackId> = own.map(|callback| callback.id).collect();
    things.retain(|thing| own.contains(&callback(thing)));
    Ok(things)
}
