//! `POST /v1/pauses`: stops calls, requests and invites, of everybody, an account, a sender or to a consumer.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::View;
use crate::clock::later;
use crate::domain::{Event, Pause, PauseId, PauseScope, Pauses, Phone};
use crate::http::api::body::JsonBytes;
use crate::http::api::commands::{Command, answer_with};
use crate::http::api::permissions::{fault, for_the_record, read};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::store::{Count, HeldBack, Whom};
use crate::text::time::moment;

/// How far ahead a pause may end.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A pause to be set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PauseOrder)]
pub(in crate::http::api) struct Draft {
    /// `all`, `account`, `sender` or `person`.
    #[schema(required = true)]
    scope: Option<String>,
    /// The name of the account, for the scope `account`.
    account: Option<String>,
    /// The number of the sender, for the scope `sender`.
    sender: Option<String>,
    /// The number of the consumer, for the scope `person`.
    consumer: Option<String>,
    /// Why, for the record; at most 200 bytes. It is shown wherever the pause is a reason.
    #[schema(required = true)]
    why: Option<String>,
    /// When it ends by itself, within 366 days. Without it somebody has to lift it.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<String>,
}

/// The pause, and what it holds back.
#[derive(Serialize, ToSchema)]
#[schema(as = PauseTaken)]
pub(in crate::http::api) struct Taken {
    pause: View,
    /// Absent if it could not be counted in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    holds: Option<HoldsView>,
}

/// What a pause holds back, as counted when it was set. Deadlines and permissions go on during a pause.
#[derive(Serialize, ToSchema)]
#[schema(as = PauseHolds)]
pub(in crate::http::api) struct HoldsView {
    /// Waiting callbacks that it holds.
    callbacks: CountView,
    /// Of these, callbacks whose deadline comes before its end; without an end, all of them.
    deadlines: CountView,
    /// Temporary permissions that end before it does; without an end, all of them.
    permissions: CountView,
    /// Of the callbacks, those whose promised time comes before its end; without an end, all that have one.
    promises: CountView,
}

/// A count of at most 10,000 rows.
#[derive(Serialize, ToSchema)]
#[schema(as = Count)]
struct CountView {
    count: u64,
    /// There are at least so many, because not all were looked at.
    at_least: bool,
}

/// Pauses calls, permission requests and invites.
///
/// From the answer on nothing leaves that the pause holds. Calls in progress go on, consumers' calls are answered, and
/// deadlines pass. A callback with several senders uses one that is not paused. A token of a tenant other than `default`,
/// or of some senders, may pause a person only; that holds the calls of every tenant to the person.
#[utoipa::path(post, path = "/v1/pauses", operation_id = "set_pause", tag = "pauses",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters")),
    request_body(content = Draft),
    responses(
        (status = 200, description = "It is in force.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = 403, description = "The token may pause people only.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 409, description = "1,000 pauses of that kind are in force.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn set(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let now = app.clock.now();
    // Without a key of the caller, a repeated pause is a new one.
    let content = match headers.contains_key("idempotency-key") {
        true => format!("pause set {}", String::from_utf8_lossy(&bytes)),
        false => app.ids.uuid(now).to_string(),
    };
    let command = Command::new(&app, &caller, &headers, &content, 0)?;
    let is_known = command.is_known().await?;
    let Checked { scope, why, until } = check(&app, &draft, if is_known { Timestamp::MIN } else { now })?;
    if !matches!(scope, PauseScope::Person(_)) && !caller.may_pause_all() {
        return Err(not_allowed());
    }
    let in_force = Pauses::new(app.store.pauses(now).await?);
    if !is_known && !in_force.has_room(&scope, caller.tenant(), now) {
        return Err(too_many());
    }
    let whom = whom(&app, &scope);
    let pause = Pause {
        // A repetition names the same pause.
        id: PauseId::new(Uuid::from_bytes(command.key())),
        scope,
        tenant: caller.tenant().clone(),
        who: caller.name().into(),
        why: why.into(),
        from: now,
        until,
    };
    let mut taken = Taken { pause: View::of(&pause), holds: None };
    let carried = command.carry_out(Event::PauseSet(pause), None).await?;
    // What is held is counted over all tenants.
    if caller.may_pause_all() {
        taken.holds = app.store.held_back(&whom, now, until).await.ok().map(HoldsView::of);
    }
    Ok(answer_with(&taken, &carried))
}

/// The refusal of a token that may only pause people.
pub(super) fn not_allowed() -> ApiError {
    let detail = "a token of a tenant, or of some senders, may pause and resume people only";
    ApiError::new("pause.not_allowed", detail)
}

fn too_many() -> ApiError {
    ApiError::new("pause.too_many", format!("{} are in force; lift some first", Pauses::MOST))
}

/// What a draft says.
struct Checked {
    scope: PauseScope,
    why: String,
    until: Option<Timestamp>,
}

fn check(app: &App, draft: &Draft, now: Timestamp) -> Result<Checked, ApiError> {
    let mut faults = Vec::new();
    let scope = scope(app, draft, &mut faults);
    let why = for_the_record("why", draft.why.as_deref()).unwrap_or_else(|fault| {
        faults.push(fault);
        Some(String::new())
    });
    if why.is_none() {
        faults.push(fault("why", "field.missing", "is missing: give a reason for the record"));
    }
    let until = draft.until.as_deref().and_then(|text| match until(text, now) {
        Ok(until) => Some(until),
        Err(fault) => {
            faults.push(fault);
            None
        }
    });
    match (scope, why) {
        (Some(scope), Some(why)) if faults.is_empty() => Ok(Checked { scope, why, until }),
        _ => Err(ApiError::fields("pause.invalid", faults)),
    }
}

/// The end of a pause, checked against `now`; [`Timestamp::MIN`] checks only what it is.
pub(in crate::http::api) fn until(text: &str, now: Timestamp) -> Result<Timestamp, FieldError> {
    let parsed = moment(text).map_err(|error| fault("until", "time.invalid", &error.to_string()))?;
    let until = Timestamp::from_microsecond(parsed.as_microsecond()).unwrap_or(parsed);
    if until <= now {
        return Err(fault("until", "field.value", "is not in the future"));
    }
    if now > Timestamp::MIN && until > later(now, LONGEST) {
        return Err(fault("until", "field.value", "is more than 366 days ahead"));
    }
    Ok(until)
}

/// The scope, with the one field that belongs to it.
fn scope(app: &App, draft: &Draft, faults: &mut Vec<FieldError>) -> Option<PauseScope> {
    let word = draft.scope.as_deref();
    for (field, given, of) in [
        ("account", &draft.account, "account"),
        ("sender", &draft.sender, "sender"),
        ("consumer", &draft.consumer, "person"),
    ] {
        match given {
            Some(_) if word != Some(of) => {
                faults.push(fault(field, "field.unknown", &format!("belongs to the scope \"{of}\"")));
            }
            None if word == Some(of) => faults.push(fault(field, "field.missing", "is missing")),
            _ => {}
        }
    }
    match word {
        Some("all") => Some(PauseScope::All),
        Some("account") => account(app, draft.account.as_deref()?, faults),
        Some("sender") => {
            let number = number(app, "sender", draft.sender.as_deref()?, faults)?;
            if app.directory.sender(number).is_none() {
                let detail = "is not a configured sender; GET /v1/senders lists them";
                faults.push(fault("sender", "sender.unknown", detail));
            }
            Some(PauseScope::Sender(number))
        }
        Some("person") => {
            let number = number(app, "consumer", draft.consumer.as_deref()?, faults)?;
            if app.directory.sender(number).is_some() {
                let detail = "is one of our own senders: pause it with the scope \"sender\"";
                faults.push(fault("consumer", "consumer.is_sender", detail));
            }
            Some(PauseScope::Person(number))
        }
        given => {
            let (code, what) =
                if given.is_some() { ("field.value", "is not") } else { ("field.missing", "is missing:") };
            faults.push(fault(
                "scope",
                code,
                &format!("{what} \"all\", \"account\", \"sender\" or \"person\""),
            ));
            None
        }
    }
}

fn account(app: &App, name: &str, faults: &mut Vec<FieldError>) -> Option<PauseScope> {
    let known = app.directory.accounts().into_iter().find(|alias| &***alias == name);
    if known.is_none() {
        let detail = "is not an account of a sender or of its roads; GET /v1/senders lists them";
        faults.push(fault("account", "account.unknown", detail));
    }
    known.map(|alias| PauseScope::Account(Arc::clone(alias)))
}

fn number(app: &App, field: &str, text: &str, faults: &mut Vec<FieldError>) -> Option<Phone> {
    let read = Phone::read(text, app.defaults.country);
    read.map_err(|error| faults.push(fault(field, "phone.invalid", &error.to_string()))).ok()
}

/// Whose callbacks the scope holds.
pub(super) fn whom(app: &App, scope: &PauseScope) -> Whom {
    match scope {
        PauseScope::All => Whom::Everybody,
        PauseScope::Account(alias) => {
            let theirs = app.directory.senders().filter(|sender| sender.account == *alias);
            Whom::Senders(theirs.map(|sender| sender.number).collect())
        }
        PauseScope::Sender(number) => Whom::Senders(vec![*number]),
        PauseScope::Person(number) => Whom::Person(*number),
        // Those are set at the campaign, which counts what it holds.
        PauseScope::Campaign(_) | PauseScope::Draft(_) | PauseScope::Canceled(_) => Whom::Senders(Vec::new()),
        // Nobody sets one here.
        PauseScope::Content(..) => Whom::Senders(Vec::new()),
    }
}

impl HoldsView {
    pub(in crate::http::api) fn of(held: HeldBack) -> Self {
        let view = |count: Count| CountView { count: count.number, at_least: count.is_at_least };
        Self {
            callbacks: view(held.callbacks),
            deadlines: view(held.deadlines),
            permissions: view(held.permissions),
            promises: view(held.promises),
        }
    }
}
