//! `POST /v1/suppression`: adds people to a suppression list.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{check_portfolio, digest, list, number, user, version};
use crate::domain::event::SuppressionAdded;
use crate::domain::{CallbackId, Event, ListName, Name, State as CallbackState, SuppressionScope};
use crate::http::api::body::JsonBytes;
use crate::http::api::callbacks::create::key_reused;
use crate::http::api::commands::{Carried, Command, answer_with};
use crate::http::api::permissions::{fault, for_the_record, read};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::store::{EntryName, NewSuppressions, Suppressed};
use crate::text::time::moment;

/// The maximum of people in one request.
pub(in crate::http::api) const PEOPLE_MAX: usize = 1_000;

/// People to be added to a list.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SuppressionOrder)]
pub(in crate::http::api) struct Draft {
    /// `house` (the default), `account:` and its name, `campaign:` and its name, or `imported:` and a name.
    list: Option<String>,
    /// The version of an imported list, which has to be made first.
    version: Option<String>,
    /// What is forbidden: `calls`, `requests`, `invites` or `all` (the default). `checked` forbids nothing: it is the answer of a register.
    scope: Option<String>,
    /// Why, for the record; at most 200 bytes. Only an imported list needs none.
    why: Option<String>,
    /// When the entries end by themselves. Without it an operator has to remove them.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<String>,
    /// Numbers, in E.164. With the user ids and hashes, 1 to 1,000 people.
    #[serde(default)]
    consumers: Vec<String>,
    /// WhatsApp's ids of users.
    #[serde(default)]
    user_ids: Vec<String>,
    /// The Meta business portfolio of the user ids; by default that of accounts without one.
    portfolio: Option<String>,
    /// SHA-256 of numbers in E.164, with or without the plus, as 64 hexadecimal digits.
    #[serde(default)]
    sha256: Vec<String>,
}

/// What was added.
#[derive(Serialize, ToSchema)]
#[schema(as = SuppressionTaken)]
struct Taken {
    list: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    scope: &'static str,
    /// New entries. This and the following only for a token that sees the lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    added: Option<u32>,
    /// Entries that were there already.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<u32>,
    /// Callbacks and invites that waited and are closed now. Those of hashes are closed when they are next due, and are
    /// not in it. Absent if that is not applied yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawn: Option<Withdrawn>,
}

/// A number of closed orders.
#[derive(Serialize, ToSchema)]
#[schema(as = Withdrawn)]
struct Withdrawn {
    count: u64,
    /// There are at least so many, because not all were looked at.
    at_least: bool,
}

/// Adds people to a suppression list.
///
/// From the answer on nothing leaves that the entries forbid, whatever the person ordered, allowed or wrote: no START ends
/// an entry. An entry holds for every spelling of the number and every name by which the person is known. What waits is
/// closed, and new orders are refused with `consumer.suppressed`. Calls in progress go on. If one value is wrong, nothing
/// is added. A token of a tenant may add too, except to imported lists; its entries bind every tenant.
#[utoipa::path(post, path = "/v1/suppression", operation_id = "suppress", tag = "suppression",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content = Draft),
    responses(
        (status = 200, description = "It is in force.", body = Taken),
        (status = 202, description = "It is in force; what waits is not closed yet; see `Location`.", body = Taken),
        (status = 404, description = "There is no such version of the list.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn add(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let now = app.clock.now();
    // Without a key of the caller, a repeated request is a new one.
    let content = match headers.contains_key("idempotency-key") {
        true => format!("suppress {}", String::from_utf8_lossy(&bytes)),
        false => app.ids.uuid(now).to_string(),
    };
    let command = Command::new(&app, &caller, &headers, &content, 0)?;
    let is_known = command.is_known().await?;
    let checked = check(&app, &draft, if is_known { Timestamp::MIN } else { now })?;
    if checked.list.has_versions() && !caller.may_pause_all() {
        return Err(not_allowed());
    }
    let names = u32::try_from(checked.names.len()).unwrap_or(u32::MAX);
    let event = Event::Suppressed(SuppressionAdded {
        list: checked.list.clone(),
        list_id: 0,
        entries: 0,
        consumers: Vec::new(),
        waiting: Vec::new(),
        is_cut: false,
        by: caller.name().to_owned(),
    });
    let Checked { list, version, scope, expires_at, why, names: people } = checked;
    let filed = command.filed(event, None);
    let new = NewSuppressions { list, version, scope, expires_at, why, names: people, command: filed };
    let mut taken = Taken {
        list: new.list.to_string(),
        version: new.version.clone(),
        scope: new.scope.as_str(),
        added: None,
        known: None,
        withdrawn: None,
    };
    let (is_new, event) = match app.store.suppress(new).await? {
        Suppressed::Filed { is_new, event } => (is_new, event),
        Suppressed::NoSuchVersion => return Err(no_list()),
        Suppressed::OtherCommand => return Err(key_reused()),
    };
    let carried = command.carried(is_new).await?;
    // Who is on a list, and what waits, is a matter of all tenants.
    let is_told = caller.may_pause_all();
    if is_told {
        (taken.added, taken.known) = (Some(event.entries), Some(names.saturating_sub(event.entries)));
    }
    if is_told && matches!(carried, Carried::Applied) {
        taken.withdrawn =
            Some(Withdrawn { count: closed(&app, &event.waiting).await?, at_least: event.is_cut });
    }
    Ok(answer_with(&taken, &carried))
}

/// How many of these a suppression list has closed.
async fn closed(app: &App, waiting: &[CallbackId]) -> Result<u64, ApiError> {
    let callbacks = app.store.callbacks(waiting).await?;
    let closed = callbacks.iter().filter(|callback| match &callback.state {
        CallbackState::Closed(closed) => closed.note.code == "consumer.suppressed",
        _ => false,
    });
    Ok(closed.count() as u64)
}

/// The refusal of a token that may not change imported lists.
fn not_allowed() -> ApiError {
    let detail = "a token of a tenant, or of some senders, adds to no imported list";
    ApiError::new("suppression.not_allowed", detail)
}

pub(super) fn no_list() -> ApiError {
    let detail = "there is no such version, or a newer one is complete; POST /v1/suppression/lists makes one";
    ApiError::new("suppression.no_list", detail)
}

/// What a draft says.
struct Checked {
    list: ListName,
    version: String,
    scope: SuppressionScope,
    expires_at: Option<Timestamp>,
    why: Option<String>,
    names: Vec<EntryName>,
}

fn check(app: &App, draft: &Draft, now: Timestamp) -> Result<Checked, ApiError> {
    let mut faults = Vec::new();
    let list = list(app, draft.list.as_deref(), &mut faults);
    let version = version(list.as_ref(), draft.version.as_deref(), &mut faults);
    if list == Some(ListName::Erased) {
        faults.push(fault("list", "field.value", "takes only people whose data is erased"));
    }
    let scope = draft.scope.as_deref().map_or(Ok(SuppressionScope::default()), str::parse);
    if scope.is_err() {
        let detail = "is not \"calls\", \"requests\", \"invites\", \"all\" or \"checked\"";
        faults.push(fault("scope", "field.value", detail));
    }
    if scope == Ok(SuppressionScope::Checked)
        && (draft.expires_at.is_none() || list.as_ref().is_some_and(|list| !list.has_versions()))
    {
        let detail = "\"checked\" belongs to the answers of a register: an imported list, and expires_at";
        faults.push(fault("scope", "field.value", detail));
    }
    let why = for_the_record("why", draft.why.as_deref()).unwrap_or_else(|fault| {
        faults.push(fault);
        Some(String::new())
    });
    if why.is_none() && list.as_ref().is_some_and(|list| !list.has_versions()) {
        faults.push(fault("why", "field.missing", "is missing: give a reason for the record"));
    }
    let expires_at = draft.expires_at.as_deref().and_then(|text| match moment(text) {
        Ok(at) if at > now => Some(at),
        Ok(_) => {
            faults.push(fault("expires_at", "field.value", "is not in the future"));
            None
        }
        Err(error) => {
            faults.push(fault("expires_at", "time.invalid", &error.to_string()));
            None
        }
    });
    let names = names(app, draft, &mut faults);
    match (list, scope) {
        (Some(list), Ok(scope)) if faults.is_empty() => {
            Ok(Checked { list, version, scope, expires_at, why, names })
        }
        _ => Err(ApiError::fields("suppression.invalid", faults)),
    }
}

fn names(app: &App, draft: &Draft, faults: &mut Vec<FieldError>) -> Vec<EntryName> {
    let Draft { consumers, user_ids, sha256, .. } = draft;
    let all = consumers.len().saturating_add(user_ids.len()).saturating_add(sha256.len());
    if !(1..=PEOPLE_MAX).contains(&all) {
        let detail = format!("has with user_ids and sha256 {all} people: expected 1 to {PEOPLE_MAX}");
        faults.push(fault("consumers", "field.count", &detail));
        return Vec::new();
    }
    let portfolio = draft.portfolio.as_deref();
    check_portfolio(app, portfolio, !user_ids.is_empty(), faults);
    let mut names = Vec::with_capacity(all);
    for (index, text) in consumers.iter().enumerate() {
        let number = number(app, &format!("consumers[{index}]"), text, faults);
        names.extend(number.map(|number| EntryName::Name(Name::Number(number))));
    }
    for (index, text) in user_ids.iter().enumerate() {
        names.extend(user(&format!("user_ids[{index}]"), text, portfolio, faults).map(EntryName::Name));
    }
    for (index, text) in sha256.iter().enumerate() {
        names.extend(digest(&format!("sha256[{index}]"), text, faults));
    }
    names
}
