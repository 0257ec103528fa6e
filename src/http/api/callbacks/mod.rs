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

use crate::domain::timeline::Entry;
use crate::domain::{Callback, CallbackId};
use crate::http::auth::Caller;
use crate::http::{ApiError, App};
use crate::store::Record;
use crate::webhooks::Topic;

/// How often a change is tried again when somebody else changed the callback first.
const CONTENTION_MAX: usize = 8;

/// The callback that an address names.
async fn record(app: &App, caller: &Caller, id: &str) -> Result<Record, ApiError> {
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

/// What to do with a callback that a customer wants to change.
enum Change {
    /// It is as wanted already.
    None,
    Amend(Entry),
}

/// Changes a callback, anew each time that somebody else was faster. Returns it as it is now.
async fn amend(
    app: &App,
    caller: &Caller,
    id: &str,
    mut change: impl FnMut(&mut Callback) -> Result<Change, ApiError>,
) -> Result<Callback, ApiError> {
    for _ in 0..CONTENTION_MAX {
        let mut callback = record(app, caller, id).await?.callback;
        match change(&mut callback)? {
            Change::None => return Ok(callback),
            Change::Amend(entry) => {
                callback.version += 1;
                // Of a closed callback nothing can be changed, so this is the change that closed it.
                let told = callback.closed().and_then(|closed| {
                    app.webhook_events.tell(|| app.ids.uuid(closed.at), closed.at, Topic::Closed, &callback)
                });
                let told = Vec::from_iter(told);
                let tells = !told.is_empty();
                if app.store.amend_callback(callback.clone(), vec![entry], told).await? {
                    if tells {
                        app.webhook_events.committed();
                    }
                    return Ok(callback);
                }
            }
        }
    }
    Err(ApiError::new("callback.contended", "somebody else changed it at the same time; try again"))
}
