//! `POST /v1/callbacks/{id}/wrap-up`: an agent says what came of a call.
// Values from outside come in here: no sum of them may overflow, no moment leave its range.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::field_errors::{nearest, quoted, too_long};
use super::record;
use super::validate::DEADLINE_MAX;
use crate::domain::event::{CallbackChange, CallbackCommand};
use crate::domain::{
    Calendars, Callback, DeclaredDisposition, EffectKind, Event, WrapUp, WrapUpEffect, is_pseudonym,
};
use crate::http::api::body::{JsonBytes, json};
use crate::http::api::commands::{Carried, Command, View, answer_with};
use crate::http::api::permissions::read;
use crate::http::api::views::RecordView;
use crate::http::auth::Caller;
use crate::http::error::{FieldError, Written};
use crate::http::path::Id;
use crate::http::{ApiError, App};
use crate::policy::window;
use crate::text::time::moment;
use crate::text::visible::check_name;

/// What an agent says of a call.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWrapUp)]
pub(in crate::http::api) struct Draft {
    /// The name of a disposition of the configuration.
    #[serde(default)]
    #[schema(required, value_type = String, example = "call_again")]
    disposition: Option<String>,
    /// The agent's own words, at most 2000 bytes.
    #[serde(default)]
    note: Option<String>,
    /// Who says it, at most 250 bytes. The token is recorded too.
    #[serde(default)]
    agent: Option<String>,
    /// When to call again, if the disposition has the effect `callback_at`; within the callback's hours. RFC 3339.
    #[serde(default)]
    #[schema(format = DateTime)]
    callback_at: Option<String>,
}

/// Records what came of a call, with what follows from it.
///
/// The disposition's effect is carried out in the same moment: a new callback at a time, an entry of a suppression list, or
/// the end of the number for the order's reference. The same again changes nothing. Something else is a correction: it
/// replaces what was said, and the timeline keeps both; a callback that the earlier word ordered is canceled, and an entry of
/// a suppression list stays.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/wrap-up", operation_id = "wrap_up", tag = "callbacks",
    params(
        ("id" = String, Path, description = "`cb_` and 32 hexadecimal digits, or your reference"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 visible ASCII characters"),
    ),
    request_body(content = Draft),
    responses(
        (status = 200, description = "The callback as it is now.", body = RecordView<'static>),
        (status = 202, description = "The command is stored and not yet applied; see `Location`.",
            body = View),
        (status = 409, description = "There was no call yet.",
            body = Written<'static>, content_type = "application/problem+json"),
        (status = 422, description = "There are field errors; all of them are listed.", body = Written<'static>,
            content_type = "application/problem+json"),
        (status = "default", body = Written<'static>, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::api) async fn wrap_up(
    State(app): State<Arc<App>>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    headers: HeaderMap,
    JsonBytes(bytes): JsonBytes,
) -> Result<Response, ApiError> {
    let draft: Draft = read(&bytes)?;
    let found = record(&app, &caller, &id).await?;
    let callback = &found.callback;
    if is_pseudonym(callback.order.consumer) {
        return Err(erased());
    }
    let content = format!("wrap-up {} {}", callback.id, String::from_utf8_lossy(&bytes));
    let revision = found.wrap_up.as_ref().map_or(0, |known| known.revision);
    let command = Command::new(&app, &caller, &headers, &content, revision.into())?;
    let calendars = app.marked_calendars().await?;
    let is_known = command.is_known().await?;
    if let (Some(known), false) = (&found.wrap_up, is_known)
        && check(&app, callback, &draft, Timestamp::MIN, &calendars).is_ok_and(|said| known.says(&said))
    {
        // The time that was said may have passed since.
        return Ok(json(StatusCode::OK, &RecordView::of(&found, &app.loads().await?.held)));
    }
    let now = if is_known { Timestamp::MIN } else { app.clock.now() };
    let said = check(&app, callback, &draft, now, &calendars)?;
    let (by, change) = (caller.name().to_owned(), CallbackChange::WrapUp(Box::new(said)));
    let event = Event::Command(CallbackCommand { callback: callback.id, by, change });
    let carried = command.carry_out(event, Some(callback.id)).await?;
    match carried {
        Carried::Applied => {
            let record = record(&app, &caller, &callback.id.to_string()).await?;
            Ok(json(StatusCode::OK, &RecordView::of(&record, &app.loads().await?.held)))
        }
        Carried::Pending(..) => Ok(answer_with(&RecordView::of(&found, &app.loads().await?.held), &carried)),
    }
}

fn fault(field: &str, code: &'static str, detail: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), code, detail: detail.into() }
}

/// What a draft says of this callback. Times have to be after `now`.
fn check(
    app: &App,
    callback: &Callback,
    draft: &Draft,
    now: Timestamp,
    calendars: &Calendars,
) -> Result<WrapUp, ApiError> {
    let mut faults = Vec::new();
    let declared = declared(app, draft.disposition.as_deref(), &mut faults);
    let at = draft.callback_at.as_deref().and_then(|text| {
        let read = moment(text)
            .map_err(|error| faults.push(fault("callback_at", "time.invalid", error.to_string())));
        read.ok()
    });
    let effect = declared.and_then(|(_, declared)| match (declared.effect, at) {
        (EffectKind::CallbackAt, None) => {
            if draft.callback_at.is_none() {
                let detail = "is missing: this disposition calls the consumer again, so say when";
                faults.push(fault("callback_at", "field.missing", detail));
            }
            None
        }
        (EffectKind::CallbackAt, Some(at)) => {
            faults.extend(out_of_time(callback, at, now, calendars));
            Some(WrapUpEffect::CallbackAt { at })
        }
        (kind, Some(_)) => {
            let detail = format!("is not used: the effect of this disposition is {:?}", kind.as_str());
            faults.push(fault("callback_at", "field.unused", detail));
            None
        }
        (EffectKind::None, None) => Some(WrapUpEffect::None),
        (EffectKind::Suppress, None) => {
            Some(WrapUpEffect::Suppress { list: declared.list.clone(), scope: declared.scope })
        }
        (EffectKind::WrongPerson, None) => Some(WrapUpEffect::WrongPerson),
    });
    let note = text("note", draft.note.as_deref(), WrapUp::NOTE_MAX, &mut faults);
    let agent = text("agent", draft.agent.as_deref(), WrapUp::AGENT_MAX, &mut faults);
    match (declared, effect) {
        (Some((name, _)), Some(effect)) if faults.is_empty() => {
            Ok(WrapUp { disposition: name.to_owned(), effect, note, agent })
        }
        _ => Err(ApiError::fields("wrap_up.invalid", faults)),
    }
}

/// The disposition of this name.
fn declared<'a>(
    app: &'a App,
    given: Option<&str>,
    faults: &mut Vec<FieldError>,
) -> Option<(&'a str, &'a DeclaredDisposition)> {
    let known = &app.defaults.dispositions;
    let Some(given) = given else {
        faults.push(fault("disposition", "field.missing", "is missing: name what came of the call"));
        return None;
    };
    if let Some((name, declared)) = known.get_key_value(given) {
        return Some((name, declared));
    }
    let near = nearest(given, known.keys().map(String::as_str));
    let all: Vec<String> = known.iter().map(|(name, own)| format!("{name} ({})", own.label)).collect();
    let detail = format!("cannot be {}: expected {}{near}", quoted(given), all.join(", "));
    faults.push(fault("disposition", "disposition.unknown", detail));
    None
}

/// What is wrong with the time of the next call.
fn out_of_time(
    callback: &Callback,
    at: Timestamp,
    now: Timestamp,
    calendars: &Calendars,
) -> Option<FieldError> {
    if at <= now {
        return Some(fault("callback_at", "time.passed", format!("{at} is not in the future")));
    }
    if now > Timestamp::MIN && at.duration_since(now) > DEADLINE_MAX {
        return Some(fault("callback_at", "time.too_far", "is more than a year away"));
    }
    let opening = callback.order.hours.as_ref().map(|hours| calendars.opening(hours))?;
    let opens_at = window::next_open(opening, at, crate::clock::later(at, window::FAR));
    match opens_at {
        Some(opens_at) if opens_at <= at => None,
        Some(opens_at) => {
            let detail = format!("{at} is outside the hours of the callback, which open at {opens_at}");
            Some(fault("callback_at", "hours.closed", detail))
        }
        None => Some(fault("callback_at", "hours.closed", "the hours of the callback do not open any more")),
    }
}

/// A text of an agent, if it has one.
fn text(field: &str, given: Option<&str>, max: usize, faults: &mut Vec<FieldError>) -> Option<String> {
    let text = given.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())?;
    if text.len() > max {
        faults.push(fault(field, "field.too_long", too_long(text.len(), max)));
    } else if let Some(hidden) = text.lines().find_map(|line| check_name(line).err()) {
        faults.push(fault(field, "field.characters", hidden.to_string()));
    } else {
        return Some(text);
    }
    None
}

/// The person of the callback was erased: nothing new is stored about them.
pub(in crate::http::api) fn erased() -> ApiError {
    ApiError::new(
        "wrap_up.erased",
        "the person of this callback was erased, so nothing more is stored about the call",
    )
}
