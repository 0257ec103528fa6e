//! An operator's resolution of an attempt or message: parses and validates it, and appends it to the inbox.

use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::commands::{Command, answer_with};
use super::order_names::OrderName;
use super::permissions::{fault, for_the_record, read};
use crate::domain::{CallbackId, Event, Submission};
use crate::http::auth::Caller;
use crate::http::error::FieldError;
use crate::http::{ApiError, App};

/// An operator's resolution.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Resolution)]
pub(super) struct Draft {
    /// For an attempt, its end for the consumer: `not_placed`, `completed`, `abandoned` (answered, and not served),
    /// `no_answer`, `busy`, `canceled` or
    /// `failed`. For a message: `sent` or `not_sent`.
    #[serde(default)]
    #[schema(required, value_type = String)]
    outcome: Option<String>,
    /// Twilio's SID of the call (`CA...`) or message (`MM...`, `SM...`), if it was found.
    #[serde(default)]
    sid: Option<String>,
    /// Another name of `sid` for a call.
    #[serde(default)]
    call_sid: Option<String>,
    /// A note for the timeline, at most 200 bytes.
    #[serde(default)]
    note: Option<String>,
}

/// The recorded resolution.
#[derive(Serialize, ToSchema)]
#[schema(as = ResolutionTaken)]
pub(super) struct Taken {
    id: String,
    /// Absent for a message that belongs to no callback and no invite.
    #[serde(flatten)]
    order: OrderName,
    outcome: &'static str,
}

impl Taken {
    pub(super) fn of(id: impl ToString, order: OrderName, outcome: &'static str) -> Self {
        Self { id: id.to_string(), order, outcome }
    }
}

/// A validated resolution.
pub(super) struct Word<F> {
    pub(super) fate: F,
    pub(super) sid: Option<String>,
    pub(super) note: Option<String>,
}

/// The resolutions of attempts, or those of messages.
pub(super) struct Vocabulary<F> {
    /// Each resolution with its name.
    pub(super) fates: Vec<(&'static str, F)>,
    /// The prefixes of the platform's SIDs.
    pub(super) prefixes: &'static [&'static str],
    /// The resolution that it does not exist, and so has no SID.
    pub(super) absent: F,
}

impl<F: Copy + PartialEq> Vocabulary<F> {
    /// Parses a resolution. `known` is the SID that is already known.
    pub(super) fn read(&self, body: &[u8], known: Option<&str>) -> Result<Word<F>, ApiError> {
        let draft: Draft = read(body)?;
        let mut faults = Vec::new();
        let fate = self.fate(draft.outcome.as_deref()).map_err(|fault| faults.push(fault)).ok();
        let sid = self.sid(&draft, known, fate).map_err(|fault| faults.push(fault)).ok().flatten();
        let note = for_the_record("note", draft.note.as_deref()).map_err(|fault| faults.push(fault));
        match (fate, note) {
            (Some(fate), Ok(note)) if faults.is_empty() => Ok(Word { fate, sid, note }),
            _ => Err(ApiError::fields("resolution.invalid", faults)),
        }
    }

    fn fate(&self, given: Option<&str>) -> Result<F, FieldError> {
        let words = || self.fates.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let given = given
            .ok_or_else(|| fault("outcome", "field.missing", &format!("is missing: one of {}", words())))?;
        let found = self.fates.iter().find(|(word, _)| *word == given);
        found
            .map(|(_, fate)| *fate)
            .ok_or_else(|| fault("outcome", "field.value", &format!("is none of {}", words())))
    }

    fn sid(&self, draft: &Draft, known: Option<&str>, fate: Option<F>) -> Result<Option<String>, FieldError> {
        let (field, given) = match (&draft.sid, &draft.call_sid) {
            (Some(_), Some(_)) => {
                return Err(fault("call_sid", "field.duplicate", "means the same as sid: give one of them"));
            }
            (Some(sid), None) => ("sid", sid),
            (None, Some(sid)) => ("call_sid", sid),
            (None, None) => return Ok(None),
        };
        let fits = |prefix: &&str| given.strip_prefix(*prefix).is_some_and(is_hexadecimal);
        if !self.prefixes.iter().any(fits) {
            let prefixes = self.prefixes.join(" or ");
            let detail = format!("expected {prefixes} and 32 hexadecimal digits");
            return Err(fault(field, "field.value", &detail));
        }
        if fate == Some(self.absent) {
            return Err(fault(field, "field.value", "must be absent if the call or message does not exist"));
        }
        if known.is_some_and(|known| known != given) {
            return Err(fault(field, "field.value", "differs from the known SID"));
        }
        Ok(Some(given.clone()))
    }
}

fn is_hexadecimal(digits: &str) -> bool {
    digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Sends the resolution as a command. The same resolution in the same state is one command.
pub(super) async fn carry_out(
    app: &App,
    caller: &Caller,
    headers: &HeaderMap,
    (about, callback): (&Submission, Option<CallbackId>),
    taken: &Taken,
    event: Event,
) -> Result<Response, ApiError> {
    let content = format!("resolve {} {} {:?} {:?}", taken.id, taken.outcome, about.stage, about.answered_at);
    let carried = Command::new(app, caller, headers, &content, 0)?.carry_out(event, callback).await?;
    Ok(answer_with(taken, &carried))
}
