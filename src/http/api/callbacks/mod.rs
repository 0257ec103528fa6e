//! `/v1/callbacks`: parses and validates orders, and shows callbacks.
//!
//! `request_body` reads JSON into the right types, `validate` checks the values against each other and the daemon.
//! What both kinds of orders share has the kind as an argument; `invites` uses it too.

pub(super) mod allow_attempt;
pub(super) mod bulk_answer;
pub(super) mod bulk_memory;
mod bulk_rows;
pub(super) mod campaigns;
pub(super) mod deliveries;
mod equal_rows;
pub(super) mod field_errors;
pub(super) mod groups;
mod metadata;
pub(super) mod not_today;
pub(super) mod request_body;
pub(super) mod row_keys;
pub(super) mod validate;
mod zones;

pub(super) mod cancel;
pub(super) mod create;
pub(super) mod create_many;
pub(super) mod explain;
pub(super) mod link;
pub(super) mod list;
pub(super) mod replay;
pub(super) mod reschedule;
pub(super) mod show;
pub(super) mod timeline;
pub(super) mod wrap_up;

use std::collections::BTreeSet;

use crate::domain::timeline::Entry;
use crate::domain::{CallbackId, MessageId, OrderKind};
use crate::http::auth::Caller;
use crate::http::{ApiError, App};
use crate::store::Record;

/// The most orders that a refusal names.
const NAMED_MAX: usize = 10;

/// The callback that an address names.
pub(super) async fn record(app: &App, caller: &Caller, name: &str) -> Result<Record, ApiError> {
    record_of(app, caller, OrderKind::Callback, name).await
}

/// The order of this kind that an address names, by its id or by the customer's reference.
///
/// A reference names the open order that has it, or the newest closed one if none is open.
///
/// # Errors
/// If it names none of this kind, or if several open orders have the reference; the refusal then lists their ids.
pub(super) async fn record_of(
    app: &App,
    caller: &Caller,
    kind: OrderKind,
    name: &str,
) -> Result<Record, ApiError> {
    let noun = kind.as_str();
    let not_found = |detail: String| {
        let code = match kind {
            OrderKind::Callback => "callback.not_found",
            OrderKind::Invite => "invite.not_found",
        };
        ApiError::new(code, detail)
    };
    let id = match kind.read_id(name) {
        Ok(id) => id,
        Err(error) => match named(app, caller, kind, name).await? {
            Some(id) => id,
            None if name.starts_with(kind.id_prefix()) => {
                return Err(ApiError::new("id.malformed", format!("{error}")));
            }
            // The reference is not repeated: it could be a phone number.
            None => return Err(not_found(format!("no {noun} has this reference"))),
        },
    };
    let record = app.store.callback(id).await?;
    // For the token, another tenant's order does not exist; at this path, one of another kind does not.
    let record =
        record.filter(|record| caller.may_see(&record.callback) && record.callback.order.kind == kind);
    record.ok_or_else(|| not_found(format!("{} is not known", kind.show_id(id))))
}

/// The order that has this reference.
async fn named(
    app: &App,
    caller: &Caller,
    kind: OrderKind,
    reference: &str,
) -> Result<Option<CallbackId>, ApiError> {
    if reference.len() > validate::REFERENCE_MAX {
        return Ok(None);
    }
    let found = app.store.referenced(caller.tenant(), kind, reference, NAMED_MAX + 1).await?;
    if found.len() < 2 {
        return Ok(found.first().copied());
    }
    let mut named: Vec<String> = found.iter().take(NAMED_MAX).map(|id| kind.show_id(*id)).collect();
    if found.len() > NAMED_MAX {
        named.push("and more".to_owned());
    }
    let detail = format!(
        "several open {}s have this reference; give the id of one of them: {}",
        kind.as_str(),
        named.join(", ")
    );
    Err(ApiError::new("reference.ambiguous", detail))
}

/// The attempts or messages whose callback the token may see.
pub(super) async fn of_tenant<T>(
    app: &App,
    caller: &Caller,
    mut things: Vec<T>,
    callback: impl Fn(&T) -> CallbackId,
) -> Result<Vec<T>, ApiError> {
    let ids: BTreeSet<CallbackId> = things.iter().map(&callback).collect();
    let ids: Vec<CallbackId> = ids.into_iter().collect();
    let callbacks = app.store.callbacks(&ids).await?;
    let own = callbacks.iter().filter(|callback| caller.may_see(callback));
    let own: BTreeSet<CallbackId> = own.map(|callback| callback.id).collect();
    things.retain(|thing| own.contains(&callback(thing)));
    Ok(things)
}

/// Removes the lines about other tenants' messages that belong to no callback.
pub(super) async fn without_others_messages(
    app: &App,
    caller: &Caller,
    mut lines: Vec<Entry>,
) -> Result<Vec<Entry>, ApiError> {
    let alone = |line: &Entry| line.message.filter(|_| line.callback.is_none());
    let ids: BTreeSet<MessageId> = lines.iter().filter_map(alone).collect();
    if ids.is_empty() {
        return Ok(lines);
    }
    let messages = app.store.messages(&Vec::from_iter(ids)).await?;
    let own = messages.iter().filter(|message| message.tenant == *caller.tenant());
    let own: BTreeSet<MessageId> = own.map(|message| message.id).collect();
    lines.retain(|line| alone(line).is_none_or(|id| own.contains(&id)));
    Ok(lines)
}
