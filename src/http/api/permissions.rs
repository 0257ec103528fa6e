//! `/v1/permissions`: shows the ledger of a pair, and lets an operator set its call permission.
//!
//! Numbers are in bodies, never in URLs. What an operator sets goes into the inbox like every report, and is
//! folded into the ledger and the pair's timeline.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBytes, json};
use super::callbacks::field_errors::too_long;
use super::callbacks::timeline::EntryView;
use super::callbacks::{of_tenant, without_others_messages};
use super::commands::{Command, answer_with};
pub(super) use super::small_body::read;
use crate::domain::event::{PermissionAnswer, PermissionOverride};
use crate::domain::timeline::Entry;
use crate::domain::{CallPermission, Event, Name, Numbers, Pair, Phone, Refusal, Tenant};
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::{ApiError, App};
use crate::policy::{People, PersonView, Rolling, Rules, ledger, rolling};
use crate::text::visible::check_name;

/// The longest reason, in bytes.
const REASON_MAX: usize = 200;
/// This many digits could be a phone number.
const DIGITS_MAX: usize = 6;

/// A pair, and an operator's change of its permission.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PermissionOrder)]
pub(super) struct Draft {
    #[serde(default)]
    #[schema(required, value_type = String, example = "+551151991234")]
    sender: Option<String>,
    #[serde(default)]
    #[schema(required, value_type = String, example = "+5511987654321")]
    consumer: Option<String>,
    /// `temporary` or `permanent`; required for a grant, refused otherwise.
    #[serde(default)]
    kind: Option<String>,
    /// The reason for the timeline, at most 200 bytes; required for a grant and a revocation.
    #[serde(default)]
    reason: Option<String>,
    /// Only for a grant: the consumer allowed calls after a refusal, so the refusals of the person end too. Without
    /// it, a grant is refused while there is one (`permission.refused`).
    #[serde(default)]
    ends_refusals: Option<bool>,
}

/// The ledger of a pair.
#[derive(Serialize, ToSchema)]
#[schema(as = Permission)]
struct View<'a> {
    sender: String,
    consumer: String,
    /// `none`, `requested`, `declined`, `temporary`, `permanent`, `expired`, `revoked_by_consumer`,
    /// `revoked_automatically` or `uncallable`.
    permission: &'static str,
    /// When the permission, or the request for it, expires.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    requests_short: CounterView,
    requests_long: CounterView,
    connected_calls: CounterView,
    /// Calls missed or declined in a row.
    misses: u32,
    /// The miss at which WhatsApp revokes the permission.
    misses_before_revocation: u32,
    /// The end of the service window, in which messages without a template may be sent; absent if it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    service_window_until: Option<Timestamp>,
    /// No call and no request before this time, after a refusal or failure of the platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    paused_until: Option<Timestamp>,
    /// Whether a call of the person with any sender is in progress.
    on_the_phone: bool,
    /// The person's refusals. A refusal binds every sender until the person starts again.
    refusals: Vec<RefusalView>,
    /// The timeline of the pair, oldest first.
    timeline: Vec<EntryView<'a>>,
}

/// A refusal of the person.
#[derive(Serialize, ToSchema)]
#[schema(as = Refusal)]
struct RefusalView {
    /// `decline`, `revocation`, `stop`, `opt_out`, `block` or `operator`.
    kind: &'static str,
    /// The sender that was refused.
    sender: String,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
}

impl RefusalView {
    fn of(refusal: &Refusal) -> Self {
        Self { kind: refusal.kind.as_str(), sender: refusal.sender.e164(), at: refusal.at }
    }
}

/// The use of a limit.
#[derive(Serialize, ToSchema)]
#[schema(as = Counter)]
struct CounterView {
    used: usize,
    max: u32,
    window_s: i64,
    /// When the next one is allowed, if the limit is used up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    lifts_at: Option<Timestamp>,
}

/// The recorded change.
#[derive(Serialize, ToSchema)]
#[schema(as = PermissionTaken)]
struct Taken {
    sender: String,
    consumer: String,
    /// `granted` or `revoked`.
    word: &'static str,
}

/// The permission of a pair, what is counted for it, and its timeline.
#[utoipa::path(post, path = "/v1/permissions/show", operation_id = "show_permission", tag = "permissions",
    request_body(content = Draft),
    responses(
        (status = 200, body = View<'static>),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let mut faults = Vec::new();
    refuse_field("kind", draft.kind.is_some(), &mut faults);
    refuse_field("reason", draft.reason.is_some(), &mut faults);
    refuse_field("ends_refusals", draft.ends_refusals.is_some(), &mut faults);
    let numbers = pair(&app, &caller, &draft, &mut faults)?;
    let people = People::of(app.store.people(&[Name::Number(numbers.consumer)]).await?);
    let mut pair = people.pair(numbers.sender, numbers.consumer);
    let person = people.view(numbers.consumer);
    let now = app.clock.now();
    ledger::lapse(&mut pair, now);
    let timeline = own_lines(&app, &caller, app.store.pair_timeline(pair.key).await?).await?;
    Ok(json(StatusCode::OK, &View::of(now, numbers.consumer, &person, &pair, &timeline, &app.rules)))
}

/// Records a permission that the consumer granted at WhatsApp.
///
/// Only for a permission that this sender really has, for example a permanent one, which Twilio does not report
/// as such. WhatsApp refuses calls without a permission.
#[utoipa::path(post, path = "/v1/permissions/grant", operation_id = "grant_permission", tag = "permissions",
    request_body(content = Draft),
    responses(
        (status = 200, description = "The change is applied.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn grant(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let mut faults = Vec::new();
    let answer = match draft.kind.as_deref() {
        Some("temporary") => PermissionAnswer::Temporary { expires_at: None },
        Some("permanent") => PermissionAnswer::Permanent,
        Some(_) => {
            faults.push(fault("kind", "field.value", "is neither \"temporary\" nor \"permanent\""));
            PermissionAnswer::Permanent
        }
        None => {
            faults.push(fault("kind", "field.missing", "is missing: \"temporary\" or \"permanent\""));
            PermissionAnswer::Permanent
        }
    };
    take(&app, &caller, &headers, &draft, answer, faults).await
}

/// Records that the consumer does not want to be called by the sender. The consumer is not asked again.
#[utoipa::path(post, path = "/v1/permissions/revoke", operation_id = "revoke_permission", tag = "permissions",
    request_body(content = Draft),
    responses(
        (status = 200, description = "The change is applied.", body = Taken),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.", body = Taken),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let mut faults = Vec::new();
    refuse_field("kind", draft.kind.is_some(), &mut faults);
    refuse_field("ends_refusals", draft.ends_refusals.is_some(), &mut faults);
    take(&app, &caller, &headers, &draft, PermissionAnswer::Rejected, faults).await
}

async fn take(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    draft: &Draft,
    answer: PermissionAnswer,
    mut faults: Vec<FieldError>,
) -> Result<Response, ApiError> {
    let reason = check_reason(draft.reason.as_deref()).map_err(|fault| faults.push(fault));
    let key = pair(app, caller, draft, &mut faults)?;
    if key.consumer == key.sender {
        let itself = fault("consumer", "consumer.is_sender", "is the sender itself");
        return Err(ApiError::fields("permission.invalid", vec![itself]));
    }
    let word = PermissionOverride {
        sender: key.sender,
        consumer: key.consumer,
        answer,
        by: caller.name().to_owned(),
        reason: reason.unwrap_or_default(),
        ends_refusals: draft.ends_refusals.unwrap_or(false),
    };
    if word.ends_refusals && *caller.tenant() != Tenant::default() {
        let detail = "a refusal counts for all tenants, so only a token of the default tenant may end one";
        return Err(ApiError::new("auth.tenant", detail));
    }
    if answer != PermissionAnswer::Rejected && !word.ends_refusals {
        refuse_after_refusal(app, key.consumer).await?;
    }
    // Without a key of the caller, a repeated grant or revocation is a new one.
    let content = match headers.contains_key("idempotency-key") {
        true => format!("permission {word:?} {} {}", key.sender.e164(), key.consumer.e164()),
        false => app.ids.uuid(app.clock.now()).to_string(),
    };
    let command = Command::new(app, caller, headers, &content, 0)?;
    let carried = command.carry_out(Event::PermissionOverride(word), None).await?;
    let taken = Taken {
        sender: key.sender.e164(),
        consumer: key.consumer.e164(),
        word: if answer == PermissionAnswer::Rejected { "revoked" } else { "granted" },
    };
    Ok(answer_with(&taken, &carried))
}

/// A permission of one sender is no proof that a person who refused contact wants it again.
async fn refuse_after_refusal(app: &App, consumer: Phone) -> Result<(), ApiError> {
    let people = People::of(app.store.people(&[Name::Number(consumer)]).await?);
    let person = people.view(consumer);
    let Some(refusal) = person.refused_by_the_person() else { return Ok(()) };
    let detail = format!(
        "{} to {} at {}; it ends when the person writes START, allows calls or calls. If the person has allowed calls \
         since, set ends_refusals (--ends-refusals)",
        refusal.kind.as_str(),
        refusal.sender.e164(),
        refusal.at
    );
    Err(ApiError::new("permission.refused", detail))
}

/// The lines of a pair that the token may see, without those of other tenants' callbacks.
async fn own_lines(app: &App, caller: &Caller, lines: Vec<Entry>) -> Result<Vec<Entry>, ApiError> {
    let (of_callbacks, mut own): (Vec<_>, Vec<_>) =
        lines.into_iter().enumerate().partition(|(_, line)| line.callback.is_some());
    let id = |(_, line): &(usize, Entry)| line.callback.expect("these lines have a callback");
    own.extend(of_tenant(app, caller, of_callbacks, id).await?);
    own.sort_by_key(|(place, _)| *place);
    let own = own.into_iter().map(|(_, line)| line).collect();
    without_others_messages(app, caller, own).await
}

/// A reason for the record.
pub(super) fn reason(given: Option<String>) -> Result<String, ApiError> {
    check_reason(given.as_deref()).map_err(|fault| ApiError::fields("permission.invalid", vec![fault]))
}

fn check_reason(given: Option<&str>) -> Result<String, FieldError> {
    let missing = || fault("reason", "field.missing", "is missing: give a reason for the record");
    for_the_record("reason", given)?.ok_or_else(missing)
}

/// A text for the record, if there is one. Digits that could be a phone number are masked.
pub(super) fn for_the_record(field: &str, given: Option<&str>) -> Result<Option<String>, FieldError> {
    let text = given.map(|text| text.trim().trim_end_matches('.')).unwrap_or_default();
    if text.len() > REASON_MAX {
        return Err(fault(field, "field.too_long", &too_long(text.len(), REASON_MAX)));
    }
    check_name(text).map_err(|hidden| fault(field, "field.characters", &hidden.to_string()))?;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let masked = |c: char| if digits > DIGITS_MAX && c.is_ascii_digit() { '*' } else { c };
    Ok((!text.is_empty()).then(|| text.chars().map(masked).collect()))
}

fn pair(
    app: &App,
    caller: &Caller,
    draft: &Draft,
    faults: &mut Vec<FieldError>,
) -> Result<Numbers, ApiError> {
    let mut number = |field, text: &Option<String>| match text
        .as_deref()
        .map(|text| Phone::read(text, app.defaults.country))
    {
        Some(Ok(number)) => Some(number),
        Some(Err(error)) => {
            faults.push(fault(field, "phone.invalid", &error.to_string()));
            None
        }
        None => {
            faults.push(fault(field, "field.missing", "is missing"));
            None
        }
    };
    let (sender, consumer) = (number("sender", &draft.sender), number("consumer", &draft.consumer));
    if sender.is_some_and(|sender| app.directory.sender(sender).is_none()) {
        let detail = "is not a configured sender; GET /v1/senders lists them";
        faults.push(fault("sender", "sender.unknown", detail));
    }
    if sender.is_some_and(|sender| !caller.may_use_sender(sender)) {
        faults.push(fault("sender", "sender.not_allowed", "is not one of the senders of the token"));
    }
    match (sender, consumer) {
        (Some(sender), Some(consumer)) if faults.is_empty() => Ok(Numbers { sender, consumer }),
        _ => Err(ApiError::fields("permission.invalid", std::mem::take(faults))),
    }
}

fn refuse_field(field: &str, given: bool, faults: &mut Vec<FieldError>) {
    if given {
        faults.push(fault(field, "field.unknown", "is not a field of this path"));
    }
}

pub(super) fn fault(field: &str, code: &'static str, detail: &str) -> FieldError {
    FieldError { field: field.to_owned(), code, detail: detail.to_owned() }
}

impl<'a> View<'a> {
    fn of(
        now: Timestamp,
        consumer: Phone,
        person: &PersonView,
        pair: &Pair,
        timeline: &'a [Entry],
        rules: &Rules,
    ) -> Self {
        let limits = &rules.limits;
        Self {
            sender: pair.key.sender.e164(),
            consumer: consumer.e164(),
            permission: pair.permission.as_str(),
            until: match pair.permission {
                CallPermission::Requested { expires_at: at }
                | CallPermission::Declined { until: at }
                | CallPermission::Temporary { expires_at: at } => Some(at),
                _ => None,
            },
            requests_short: CounterView::of(now, &pair.requests, limits.requests_short, rules),
            requests_long: CounterView::of(now, &pair.requests, limits.requests_long, rules),
            connected_calls: CounterView::of(now, &pair.connected, limits.connected_calls, rules),
            misses: pair.misses,
            misses_before_revocation: limits.misses_before_revocation,
            service_window_until: pair
                .inbound_at
                .and_then(|at| at.checked_add(limits.service_window).ok())
                .filter(|&until| until > now),
            paused_until: pair.paused_until.filter(|&until| until > now),
            on_the_phone: person.is_on_the_phone(),
            refusals: person.refusals.iter().map(RefusalView::of).collect(),
            timeline: timeline.iter().map(EntryView::of).collect(),
        }
    }
}

impl CounterView {
    fn of(now: Timestamp, log: &[Timestamp], limit: Rolling, rules: &Rules) -> Self {
        Self {
            used: rolling::inside(log, now, limit.window.saturating_add(rules.margin)),
            max: limit.max,
            window_s: limit.window.as_secs(),
            lifts_at: rolling::used_up(log, now, limit, rules.margin).map(|used_up| used_up.lifts_at),
        }
    }
}
