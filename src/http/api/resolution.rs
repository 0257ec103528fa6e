//! An operator's resolution of an attempt or message: parses and validates it, and appends it to the inbox.

use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::commands::{Command, answer_with};
use super::order_names::OrderName;
use super::permissions::{fault, for_the_record, read};
use crate::domain::{AccountAlias, CallbackId, Event, Issuer, Submission};
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
    /// The platform's identifier, if it was found: Twilio's SID of the call (`CA...`) or message (`MM...`, `SM...`),
    /// WhatsApp's `wamid....`, or Messenger's id of the message.
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
    /// The identifiers of the platform.
    pub(super) identifiers: Identifiers,
    /// The resolution that it does not exist, and so has no SID.
    pub(super) absent: F,
}

/// What an identifier of a call or message looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Identifiers {
    /// One of these prefixes, and 32 hexadecimal digits.
    Twilio(&'static [&'static str]),
    /// A message at WhatsApp's Cloud API.
    WhatsApp,
    /// A message of a page.
    Messenger,
}

/// The longest identifiers that are taken, in bytes; as in answers of the platforms (our rule).
const WAMID_MAX: usize = 256;
const PAGE_MESSAGE_MAX: usize = 512;

impl Identifiers {
    /// Those of the messages of this account.
    pub(super) fn of_messages(app: &App, account: &AccountAlias) -> Self {
        match app.issuers.get(account) {
            None | Some(Issuer::Twilio) => Self::Twilio(&["MM", "SM"]),
            Some(Issuer::Meta) => Self::WhatsApp,
            Some(Issuer::Messenger) => Self::Messenger,
        }
    }

    fn fits(self, given: &str) -> bool {
        let is_word = |text: &str, most: usize| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
        };
        match self {
            Self::Twilio(prefixes) => {
                prefixes.iter().any(|prefix| given.strip_prefix(prefix).is_some_and(is_hexadecimal))
            }
            Self::WhatsApp => {
                is_word(given, WAMID_MAX) && given.strip_prefix("wamid.").is_some_and(|rest| !rest.is_empty())
            }
            Self::Messenger => is_word(given, PAGE_MESSAGE_MAX),
        }
    }

    fn expected(self) -> String {
        match self {
            Self::Twilio(prefixes) => {
                format!("expected {} and 32 hexadecimal digits", prefixes.join(" or "))
            }
            Self::WhatsApp => {
                format!("expected an id of WhatsApp's, wamid. and more, at most {WAMID_MAX} characters")
            }
            Self::Messenger => {
                format!("expected an id of Messenger's: 1 to {PAGE_MESSAGE_MAX} visible ASCII characters")
            }
        }
    }
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
        if !self.identifiers.fits(given) {
            return Err(fault(field, "field.value", &self.identifiers.expected()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_has_the_form_of_its_platform() {
        let hexadecimal = "0".repeat(32);
        let twilio = Identifiers::Twilio(&["MM", "SM"]);
        for (identifiers, given, fits) in [
            (twilio, format!("MM{hexadecimal}"), true),
            (twilio, format!("MM{}", &hexadecimal[1..]), false),
            (twilio, "wamid.HBgL".to_owned(), false),
            (Identifiers::WhatsApp, "wamid.HBgL".to_owned(), true),
            (Identifiers::WhatsApp, "wamid.".to_owned(), false),
            (Identifiers::WhatsApp, format!("wamid.{}", "x".repeat(250)), true),
            (Identifiers::WhatsApp, format!("wamid.{}", "x".repeat(251)), false),
            (Identifiers::WhatsApp, format!("MM{hexadecimal}"), false),
            (Identifiers::WhatsApp, "wamid.a b".to_owned(), false),
            (Identifiers::Messenger, "m_AG5Hz2U".to_owned(), true),
            (Identifiers::Messenger, "x".repeat(512), true),
            (Identifiers::Messenger, "x".repeat(513), false),
            (Identifiers::Messenger, String::new(), false),
        ] {
            assert_eq!(identifiers.fits(&given), fits, "{identifiers:?} {given}");
        }
    }
}
