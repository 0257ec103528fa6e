//! Calls of consumers. Calls that a business placed are not ours, because none of ours leaves by Meta.

use serde_json::Value;

use super::{Item, LeftOut, Ours, key, text, who};
use crate::domain::{CallProgress, Disposition, Event};
use crate::meta::platform::is_id;
use crate::transport::date::seconds;

/// A consumer's call began or ended, and whether it has a payload that is not ours.
pub(super) fn inbound(ours: &Ours<'_>, value: &Value, call: &Value) -> (Result<Item, LeftOut>, bool) {
    match call["direction"].as_str() {
        Some("USER_INITIATED") => {}
        Some("BUSINESS_INITIATED") => return (Err(LeftOut::Kind), false),
        _ => return (Err(LeftOut::Unreadable), false),
    }
    let payloads: Vec<&str> =
        ["cta_payload", "deeplink_payload"].iter().filter_map(|name| call[*name].as_str()).collect();
    let invite = payloads.iter().find_map(|payload| ours.hook_urls.read_invite(payload));
    let foreign = invite.is_none() && payloads.iter().any(|payload| !payload.is_empty());
    let Some(sid) = call["id"].as_str().filter(|id| is_id(id)) else {
        return (Err(LeftOut::Unreadable), foreign);
    };
    let Some(event) = call["event"].as_str() else { return (Err(LeftOut::Unreadable), foreign) };
    // Only a call that was picked up has a duration (Meta, *Business-initiated calls*, 26 Jun 2026). One that cannot be
    // read is neither a call that was missed nor one that was answered.
    let Ok(duration_s) = whole_seconds(&call["duration"]) else {
        return (Err(LeftOut::Unreadable), foreign);
    };
    let who = who(value, &call["from"], &call["from_user_id"]);
    if who.number == Some(ours.sender) {
        return (Err(LeftOut::Kind), foreign);
    }
    let progress = match event {
        "connect" => CallProgress::Ringing,
        "terminate" if duration_s.is_some() => CallProgress::Ended(Disposition::Completed),
        "terminate" if call["status"] == "FAILED" => CallProgress::Ended(Disposition::Failed),
        "terminate" => CallProgress::Ended(Disposition::NoAnswer),
        _ => return (Err(LeftOut::Kind), foreign),
    };
    let read = Event::InboundCall {
        sender: ours.sender,
        who,
        sid: sid.to_owned(),
        progress,
        came_to_at: text(&call["timestamp"]).and_then(|text| seconds(&text)),
        duration_s,
        invite,
    };
    (Ok(Item { key: key(ours, &["call", sid, event]), event: read }), foreign)
}

/// The longest call that is believed, in seconds: a week (our rule).
const DURATION_MAX_S: u32 = 7 * 24 * 60 * 60;

/// A duration in whole seconds, as a number or as text; `None` if there is none. `20.0` is 20.
///
/// # Errors
/// If it is not a whole number of seconds, is negative, or is longer than [`DURATION_MAX_S`].
fn whole_seconds(value: &Value) -> Result<Option<u32>, ()> {
    let Some(text) = text(value) else { return if is_absent(value) { Ok(None) } else { Err(()) } };
    let whole = text.split_once('.').filter(|(_, rest)| rest.bytes().all(|b| b == b'0'));
    let whole = whole.map_or(&*text, |(whole, _)| whole);
    let is_digits = !whole.is_empty() && whole.bytes().all(|b| b.is_ascii_digit());
    let seconds = whole.parse().ok().filter(|&seconds| is_digits && seconds <= DURATION_MAX_S);
    seconds.map(Some).ok_or(())
}

/// Some bodies have an empty text where there is no value.
fn is_absent(value: &Value) -> bool {
    value.is_null() || value == ""
}
