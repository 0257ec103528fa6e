//! Converts Twilio's webhooks, which are forms, to events.
//!
//! Required fields are strict: an unknown value is an error with the field's name. Invalid optional fields count as
//! absent, so that the report is not lost. Twilio adds fields without notice, so unknown ones are ignored.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::domain::event::{
    CallReport, ConnectionEnd, ConnectionReport, MessageReport, PermissionAnswer, PermissionReply, Word,
};
use crate::domain::{AttemptId, CallProgress, Event, MessageId, Named, Phone, PhoneError, UserId, Words};

use super::address::Address;
use super::json::{is_sid, timestamp};
use super::signature::Pair;
use super::words::{UnknownWord, call_progress, error_code, message_progress};

mod metadata;
pub mod recording;

/// The decoded parameters of a webhook. `Debug` leaves out the values.
pub struct Form<'a> {
    pairs: Vec<Pair<'a>>,
}

/// A fault of a webhook. Never contains a value that could be a phone number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    #[error("{0} is missing")]
    Missing(&'static str),
    #[error("{field} is not one of Twilio's identifiers")]
    NotASid { field: &'static str },
    #[error("{field} {source}")]
    NotAPhone { field: &'static str, source: PhoneError },
    #[error("{field}: {source}")]
    UnknownWord { field: &'static str, source: UnknownWord },
}

impl<'a> Form<'a> {
    /// Decodes a body of type `application/x-www-form-urlencoded`, or the query of a GET.
    #[must_use]
    pub fn parse(body: &'a [u8]) -> Self {
        let mut pairs = Vec::with_capacity(32);
        pairs.extend(form_urlencoded::parse(body));
        Self { pairs }
    }

    /// The parameters in the order of arrival, for the signature.
    #[must_use]
    pub fn pairs(&self) -> &[Pair<'a>] {
        &self.pairs
    }

    /// The first value with this name. An empty one counts as absent, as Twilio means it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    fn required(&self, name: &'static str) -> Result<&str, FormError> {
        self.get(name).ok_or(FormError::Missing(name))
    }

    fn sid(&self, field: &'static str, kinds: &[&str]) -> Result<String, FormError> {
        let sid = self.required(field)?;
        if is_sid(sid, kinds) { Ok(sid.to_owned()) } else { Err(FormError::NotASid { field }) }
    }

    fn number<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    /// The number of an address, with or without the prefix of the channel.
    fn phone(&self, field: &'static str) -> Result<Phone, FormError> {
        let text = self.required(field)?;
        let number = text.strip_prefix("whatsapp:").unwrap_or(text);
        Phone::parse(number).map_err(|source| FormError::NotAPhone { field, source })
    }

    /// The consumer who wrote or called. For a user with a username, WhatsApp may send the user id in `From` instead of
    /// the number; the number may still be in `WaId`, in digits. The digits of a user id are not a number.
    fn who(&self) -> Named {
        let from = self.get("From");
        let wa_id = || Phone::told(self.get("WaId")?).ok();
        let number = || Phone::told(from?.strip_prefix("whatsapp:").unwrap_or(from?)).ok();
        let id = |text: Option<&str>| text.and_then(|text| text.parse::<UserId>().ok());
        Named {
            number: number().or_else(wa_id),
            user_id: id(self.get("ExternalUserId")).or_else(|| id(from)),
        }
    }

    /// The stop or start word, if one of the texts is one. The platform's own reading counts too; if they differ, the
    /// stop counts.
    fn word(&self, words: &Words) -> Option<Word> {
        let opt_out = self.get("OptOutType").unwrap_or_default();
        let told = [("stop", Word::Stop), ("start", Word::Start)]
            .into_iter()
            .find_map(|(name, word)| opt_out.eq_ignore_ascii_case(name).then_some(word));
        let texts = ["Body", "ButtonText", "ButtonPayload"];
        let read = texts.into_iter().filter_map(|name| words.read(self.get(name)?)).chain(told);
        read.reduce(|one, other| if one == Word::Stop { one } else { other })
    }
}

impl fmt::Debug for Form<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.pairs.iter().map(|(name, _)| name)).finish()
    }
}

/// A status callback about a call of ours, or about a leg that its document dialled. Its URL names the attempt.
///
/// # Errors
/// When the call's identifier or status is absent or unknown.
pub fn call_status(form: &Form<'_>, attempt: AttemptId) -> Result<CallReport, FormError> {
    Ok(CallReport {
        attempt,
        sid: form.sid("CallSid", &["CA"])?,
        parent_sid: form.get("ParentCallSid").map(str::to_owned),
        progress: progress(form)?,
        at: form.get("Timestamp").and_then(timestamp),
        // `Duration` is in minutes.
        duration_s: form.number("CallDuration"),
        sip_code: form.number("SipResponseCode"),
        error_code: form.number("ErrorCode").map(error_code),
    })
}

/// The request for an attempt's TwiML document.
///
/// # Errors
/// When the call's identifier is absent or malformed.
pub fn document_fetched(form: &Form<'_>, attempt: AttemptId) -> Result<Event, FormError> {
    Ok(Event::DocumentFetched { attempt, sid: form.sid("CallSid", &["CA"])? })
}

/// A request for the action URL of an attempt. `<Dial>` and `<Enqueue>` report how they ended. A live call that asks
/// for anything else has played the document to its `<Redirect>`, or was answered in a `<Gather>`.
///
/// # Errors
/// If a value is absent or unknown.
pub fn action(form: &Form<'_>, attempt: AttemptId) -> Result<Event, FormError> {
    if form.get("DialCallStatus").is_some() || form.get("QueueResult").is_some() {
        return connection(form, attempt).map(Event::Connected);
    }
    if is_in_progress(form) {
        let sid = form.sid("CallSid", &["CA"])?;
        let ended = session_end(form);
        return Ok(Event::Connected(ConnectionReport {
            attempt,
            sid,
            leg_sid: None,
            ended,
            duration_s: None,
        }));
    }
    call_status(form, attempt).map(Event::Call)
}

/// Whether the call of the request is still in progress.
#[must_use]
pub fn is_in_progress(form: &Form<'_>) -> bool {
    progress(form).is_ok_and(|progress| progress == CallProgress::InProgress)
}

/// The action request of a `<Dial>` or an `<Enqueue>` in the document of an attempt.
///
/// # Errors
/// If it is from neither verb, or has an unknown value.
pub fn connection(form: &Form<'_>, attempt: AttemptId) -> Result<ConnectionReport, FormError> {
    let ended = match form.get("DialCallStatus") {
        Some(status) => dial_end(status, form.get("DialBridged"))?,
        None => queue_end(form.get("QueueResult").ok_or(FormError::Missing("DialCallStatus"))?)?,
    };
    Ok(ConnectionReport {
        attempt,
        sid: form.sid("CallSid", &["CA"])?,
        leg_sid: form.get("DialCallSid").map(str::to_owned),
        ended,
        duration_s: form.number("DialCallDuration"),
    })
}

/// A message to a sender: an answer to a permission request, or anything else.
///
/// # Errors
/// If the sender's number is absent. A permission reply that is neither yes nor no is one that is not understood. A message without a consumer is not
/// an error: the consumer may become known later.
pub fn inbound_message(form: &Form<'_>, words: &Words) -> Result<Event, FormError> {
    if is_permission_reply(form) {
        let reply = permission_reply(form)?;
        // Of a yes and a stop in one message, the stop counts.
        if reply.answer == PermissionAnswer::Rejected || form.word(words) != Some(Word::Stop) {
            return Ok(Event::PermissionReply(reply));
        }
    }
    Ok(Event::InboundMessage {
        sender: form.phone("To")?,
        who: form.who(),
        word: form.word(words),
        wrote_at: None,
    })
}

/// Whether a message answers the button of a permission request. The consumer can change an earlier answer the same
/// way, at any time.
#[must_use]
pub fn is_permission_reply(form: &Form<'_>) -> bool {
    const BUTTON: &str = "VOICE_CALL_REQUEST";
    form.get("MessageType") == Some("interactive")
        && (form.get("Body") == Some(BUTTON) || form.get("ButtonText") == Some(BUTTON))
}

/// The answer to a permission request.
///
/// # Errors
/// When the sender's number or the message's identifier is absent.
pub fn permission_reply(form: &Form<'_>) -> Result<PermissionReply, FormError> {
    // Without it, a repetition could not be distinguished from a new answer.
    form.sid("MessageSid", &["SM", "MM"])?;
    let told = metadata::read(form.get("ChannelMetadata"));
    let answer = match &*form.get("ButtonPayload").unwrap_or_default().to_ascii_uppercase() {
        "ACCEPTED" if told.permanent => PermissionAnswer::Permanent,
        "ACCEPTED" => PermissionAnswer::Temporary { expires_at: told.expires_at },
        "REJECTED" => PermissionAnswer::Rejected,
        _ => PermissionAnswer::NotUnderstood,
    };
    Ok(PermissionReply {
        sender: form.phone("To")?,
        who: form.who(),
        answer,
        replied_to: form.get("OriginalRepliedMessageSid").map(str::to_owned),
        automatic: told.automatic,
        replied_at: None,
    })
}

/// A consumer's call to a sender: the request for its document, and its status callbacks.
///
/// # Errors
/// When the call's identifier, its status or the sender's number is absent or unknown.
pub fn inbound_call(form: &Form<'_>) -> Result<Event, FormError> {
    Ok(Event::InboundCall {
        sender: form.phone("To")?,
        who: form.who(),
        sid: form.sid("CallSid", &["CA"])?,
        progress: progress(form)?,
        came_to_at: form.get("Timestamp").and_then(timestamp),
        duration_s: form.number("CallDuration"),
        invite: None,
    })
}

/// A status callback about a message of ours.
///
/// # Errors
/// When the message's identifier or status is absent or unknown.
pub fn message_status(form: &Form<'_>, message: Option<MessageId>) -> Result<MessageReport, FormError> {
    const STATUS: &str = "MessageStatus";
    Ok(MessageReport {
        message,
        sid: form.sid("MessageSid", &["SM", "MM"])?,
        progress: message_progress(form.required(STATUS)?)
            .map_err(|source| FormError::UnknownWord { field: STATUS, source })?,
        error_code: form.number("ErrorCode").map(error_code),
        from: form.phone("From").ok(),
        to: Named {
            number: form
                .get("To")
                .and_then(|to| Phone::told(to.strip_prefix("whatsapp:").unwrap_or(to)).ok()),
            user_id: form.get("ExternalUserId").and_then(|text| text.parse().ok()),
        },
    })
}

/// The address of one end in the form.
#[must_use]
pub fn address(form: &Form<'_>, name: &str) -> Option<Address> {
    form.get(name).map(|text| text.parse().unwrap_or_else(|never| match never {}))
}

/// The key of a report: two deliveries with the same key are the same report. It is made only of signed content. The
/// order of the parameters and the headers are not signed.
///
/// `route` is the path, which is signed with the URL. A message has its `MessageSid`, a status callback about
/// a message the status as well, a consumer's call its `CallSid` and status, and a progress event of a call of
/// ours the `SequenceNumber` of its leg. A recording has its SID, state and length. Everything else has the text that Twilio signs: the distinct
/// parameters, sorted, names and values without a mark between them. So two bodies with one signature have
/// one key.
#[must_use]
pub fn dedupe_key(route: &str, event: &Event, form: &Form<'_>) -> [u8; 16] {
    let mut digest = Sha256::new();
    let mut add = |part: &str| {
        // Each part is preceded by its length, so that different lists of parts have different keys.
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    };
    add(route);
    match (event, form.get("MessageSid"), form.get("SequenceNumber")) {
        // Only the identifier: Twilio's signature does not cover the boundary between a name and its value, so a
        // parameter can be made to look absent. The identifier is required where it counts.
        (Event::PermissionReply(_) | Event::InboundMessage { .. }, Some(sid), _) => {
            ["message", sid].into_iter().for_each(add);
        }
        (Event::Message(report), ..) => {
            ["status", &report.sid, form.get("MessageStatus").unwrap_or_default()].into_iter().for_each(add);
        }
        (Event::InboundCall { sid, .. }, ..) => {
            ["call", sid, form.get("CallStatus").unwrap_or_default()].into_iter().for_each(add);
        }
        (Event::Recorded(report), ..) => {
            let state = if report.is_absent { "absent" } else { "recorded" };
            let length = report.duration_s.map(|seconds| seconds.to_string()).unwrap_or_default();
            ["recording", &report.sid, state, &length].into_iter().for_each(add);
        }
        (Event::Call(report), _, Some(sequence)) => {
            let status = form.get("CallStatus").unwrap_or_default();
            ["sequence", &report.sid, sequence, status].into_iter().for_each(add);
        }
        _ => {
            let mut pairs: Vec<_> = form.pairs().iter().collect();
            pairs.sort_unstable();
            pairs.dedup();
            add("parameters");
            add(&pairs.into_iter().fold(String::new(), |text, (name, value)| text + name + value));
        }
    }
    let mut key = [0; 16];
    key.copy_from_slice(&digest.finalize()[..16]);
    key
}

fn progress(form: &Form<'_>) -> Result<CallProgress, FormError> {
    const STATUS: &str = "CallStatus";
    call_progress(form.required(STATUS)?).map_err(|source| FormError::UnknownWord { field: STATUS, source })
}

/// A leg that was answered and not bridged, for example because it hung up during a whisper, is not a connection.
fn dial_end(status: &str, bridged: Option<&str>) -> Result<ConnectionEnd, FormError> {
    Ok(match status {
        "completed" | "answered" if bridged == Some("false") => ConnectionEnd::NoAnswer,
        "completed" | "answered" => ConnectionEnd::Bridged,
        "no-answer" => ConnectionEnd::NoAnswer,
        "busy" => ConnectionEnd::Busy,
        "failed" => ConnectionEnd::Failed,
        "canceled" => ConnectionEnd::Canceled,
        other => return Err(unknown("DialCallStatus", other)),
    })
}

/// How the connection with a bot ended while the call goes on. Twilio reports `SessionStatus=failed` to the action of a
/// `<Connect>` whose bot could not be reached (*ConversationRelay*, action URL).
fn session_end(form: &Form<'_>) -> ConnectionEnd {
    match form.get("SessionStatus") {
        Some("failed") => ConnectionEnd::Failed,
        _ => ConnectionEnd::Played,
    }
}

/// The results are those of the `<Enqueue>` page, November 2026.
fn queue_end(result: &str) -> Result<ConnectionEnd, FormError> {
    Ok(match result {
        "bridged" | "bridging-in-process" | "redirected-from-bridged" => ConnectionEnd::Bridged,
        "hangup" | "leave" | "redirected" => ConnectionEnd::LeftQueue,
        "queue-full" | "error" | "system-error" => ConnectionEnd::Failed,
        other => return Err(unknown("QueueResult", other)),
    })
}

fn unknown(field: &'static str, word: &str) -> FormError {
    FormError::UnknownWord { field, source: UnknownWord(word.to_owned()) }
}

impl<'a> FromIterator<(Cow<'a, str>, Cow<'a, str>)> for Form<'a> {
    fn from_iter<I: IntoIterator<Item = Pair<'a>>>(pairs: I) -> Self {
        Self { pairs: pairs.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests;
