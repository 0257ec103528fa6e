//! The results of requests to the Graph API.
//!
//! Creates are separate from lookups. A create is never repeated here, because Meta has no idempotency key;
//! [`Created`] has its six possible results. The status alone tells little: throttling is answered with 400, and a
//! refused right with 500 (Meta, *WhatsApp error codes*, 18 Jun 2026). So the code of the error decides.

use std::time::Duration;

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::{Answer, ErrorCode};
use crate::platform::{Health, Reply};
use crate::transport::mask::mask_numbers;
use crate::transport::{Cause, Response};

/// Codes of a rate that is used up: nothing was done (Meta, *WhatsApp error codes*, 18 Jun 2026; 613 from *Troubleshoot
/// WhatsApp calling errors*, 24 Jun 2026). 131056 is not among them: it is about one consumer, not the account.
const THROTTLED: [u32; 6] = [4, 17, 32, 613, 80_007, 130_429];
/// Those of them that count the requests of the whole app or account. They last for minutes (our rule).
const APP_WIDE: [u32; 4] = [4, 17, 32, 80_007];
const APP_REST: SignedDuration = SignedDuration::from_mins(5);
const NUMBER_REST: SignedDuration = SignedDuration::from_mins(1);

/// Codes of a failure after which the message may exist (the same page).
const UNKNOWN: [u32; 4] = [1, 2, 131_000, 131_016];

/// Codes that are refusals although their status is 500 or 503: a missing right, a wrong registration, maintenance (the
/// same page).
const REFUSED_AT_ANY_STATUS: [u32; 6] = [3, 131_045, 131_057, 133_000, 133_004, 138_000];

/// Codes of a token that Meta does not take (the same page).
const CREDENTIALS: [u32; 2] = [0, 190];

/// The shortest pause after refused credentials. They do not mend themselves (our rule).
const CREDENTIALS_REST: SignedDuration = SignedDuration::from_mins(1);

/// The result of a create.
#[derive(Debug)]
#[must_use = "a message that nobody remembers may have been sent"]
pub enum Created<T> {
    /// It exists.
    Accepted(T),
    /// It does not exist: Meta refused it.
    Refused(Refusal),
    /// It does not exist: a rate is used up.
    Throttled { retry_after: Option<Duration>, refusal: Refusal },
    /// It does not exist: no byte of the request was sent, with the reason.
    NotSent(String),
    /// It does not exist: its first byte could not be sent in time.
    TooLate,
    /// It may exist. It must not be repeated before that is resolved.
    Unknown(UnknownCause),
}

/// Why the result of a create is unknown.
#[derive(Debug, thiserror::Error)]
pub enum UnknownCause {
    #[error("the request was lost on the way or its answer was")]
    Lost(#[source] Cause),
    /// A redirection, 408, 425, 5xx, or an error that Meta calls its own, with the code of the error.
    #[error("status {status} does not say whether the request was carried out")]
    Status { status: u16, code: Option<u32> },
    /// A success without an identifier.
    #[error("a success of status {status} whose body cannot be understood")]
    Malformed { status: u16 },
}

/// A refusal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused with status {status}{}: {message}", code.map(|code| format!(" and code {code}")).unwrap_or_default())]
pub struct Refusal {
    pub status: u16,
    /// `error.code`, if the body has one.
    pub code: Option<u32>,
    /// `error.error_subcode`, which Messenger's errors have.
    pub subcode: Option<u32>,
    /// Whether Meta says that the same may succeed later.
    pub is_transient: bool,
    /// Meta's message with its details: possible phone numbers masked, at most 300 characters.
    pub message: String,
}

impl Refusal {
    /// Whether the credentials were refused, not the request. Nothing works until they are corrected.
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        self.code.map_or(self.status == 401, |code| CREDENTIALS.contains(&code))
    }

    pub(super) fn read(response: &Response) -> Self {
        let ErrorBody { error } = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let words = match (text(&error["message"]), text(&error["error_data"]["details"])) {
            (Some(message), Some(details)) if details != message => format!("{message} ({details})"),
            (Some(message), _) | (None, Some(message)) => message,
            (None, None) => "no reason given".to_owned(),
        };
        Self {
            status: response.status,
            code: number(&error["code"]),
            subcode: number(&error["error_subcode"]),
            is_transient: error["is_transient"] == Value::Bool(true),
            message: mask_numbers(&words),
        }
    }

    fn is_one_of(&self, codes: &[u32]) -> bool {
        self.code.is_some_and(|code| codes.contains(&code))
    }
}

/// The body of an error.
#[derive(Default, Deserialize)]
struct ErrorBody {
    #[serde(default)]
    error: Value,
}

/// A number, or a text with one.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64()?.try_into().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl<T> Created<T> {
    /// The result that an answer tells. `accept` reads the body of a success.
    pub(super) fn read(response: &Response, accept: impl FnOnce(&[u8]) -> Option<T>) -> Self {
        let status = response.status;
        if (200..=299).contains(&status) {
            let read = accept(&response.body);
            return read.map_or(Self::Unknown(UnknownCause::Malformed { status }), Self::Accepted);
        }
        let refusal = Refusal::read(response);
        let unknown = UnknownCause::Status { status, code: refusal.code };
        if status == 429 || refusal.is_one_of(&THROTTLED) {
            return Self::Throttled { retry_after: response.retry_after(), refusal };
        }
        if refusal.is_one_of(&UNKNOWN) {
            return Self::Unknown(unknown);
        }
        if refusal.is_one_of(&REFUSED_AT_ANY_STATUS) || refusal.is_one_of(&CREDENTIALS) {
            return Self::Refused(refusal);
        }
        match status {
            408 | 425 => Self::Unknown(unknown),
            400..=499 if !refusal.is_transient => Self::Refused(refusal),
            _ => Self::Unknown(unknown),
        }
    }

    pub fn map<U>(self, apply: impl FnOnce(T) -> U) -> Created<U> {
        match self {
            Self::Accepted(created) => Created::Accepted(apply(created)),
            Self::Refused(refusal) => Created::Refused(refusal),
            Self::Throttled { retry_after, refusal } => Created::Throttled { retry_after, refusal },
            Self::NotSent(cause) => Created::NotSent(cause),
            Self::TooLate => Created::TooLate,
            Self::Unknown(cause) => Created::Unknown(cause),
        }
    }
}

/// Why a lookup, or a change that may be repeated, failed.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    #[error("no such resource")]
    NotFound,
    /// The same request would be refused again.
    #[error(transparent)]
    Rejected(Refusal),
    #[error("too many requests")]
    RateLimited { retry_after: Option<Duration> },
    /// Meta cannot be reached or has a failure. It may work later.
    #[error("meta cannot be reached")]
    Unreachable(#[source] Cause),
    /// An answer that Meta does not document.
    #[error("an unexpected answer from meta")]
    Unexpected(#[source] Cause),
}

impl GraphError {
    /// The error that an answer without success tells.
    pub(super) fn read(response: &Response) -> Self {
        let status = response.status;
        let refusal = Refusal::read(response);
        if status == 429 || refusal.is_one_of(&THROTTLED) {
            return Self::RateLimited { retry_after: response.retry_after() };
        }
        let trouble = UnknownCause::Status { status, code: refusal.code };
        match status {
            _ if refusal.is_one_of(&UNKNOWN) || refusal.is_transient => Self::Unreachable(Box::new(trouble)),
            404 => Self::NotFound,
            _ if refusal.is_one_of(&REFUSED_AT_ANY_STATUS) => Self::Rejected(refusal),
            408 | 425 | 500.. => Self::Unreachable(Box::new(trouble)),
            400..=499 => Self::Rejected(refusal),
            status => Self::Unexpected(format!("status {status}").into()),
        }
    }
}

/// The meaning of a create's result for the submission and for the account. `name` is the platform's name in sentences,
/// `number` gives the code of a refusal, and `sid` the identifier of what was created.
pub fn reply<T>(
    created: Created<T>,
    name: &'static str,
    number: impl Fn(&Refusal) -> Option<ErrorCode>,
    sid: impl FnOnce(T) -> String,
) -> Reply {
    let (answer, health) = match created {
        Created::Accepted(created) => (Answer::Accepted { sid: sid(created) }, Health::Fine),
        Created::Refused(refusal) if refusal.is_credentials() => {
            let why = format!("{name} refused the account's token: {}", refusal.message);
            (Answer::Rejected { error_code: number(&refusal) }, Health::trouble(why, Some(CREDENTIALS_REST)))
        }
        Created::Refused(refusal) => (Answer::Rejected { error_code: number(&refusal) }, Health::Fine),
        Created::Throttled { retry_after, refusal } => {
            let least = if refusal.is_one_of(&APP_WIDE) { APP_REST } else { NUMBER_REST };
            let asked = retry_after.map_or(least, |after| after.try_into().unwrap_or(SignedDuration::MAX));
            let why = format!("{name} answered that too many requests were sent: {}", refusal.message);
            (Answer::Throttled, Health::trouble(why, Some(asked.max(least))))
        }
        Created::NotSent(cause) => {
            (Answer::NotSent, Health::trouble(format!("{name} cannot be reached: {cause}"), None))
        }
        Created::TooLate => {
            let why = format!("no connection to {name} was available in time");
            (Answer::TooLate, Health::trouble(why, None))
        }
        Created::Unknown(cause) => {
            (Answer::Unknown, Health::trouble(format!("{name} gave no clear answer: {cause}"), None))
        }
    };
    Reply::of(answer, health)
}
