//! Messages of consumers, answers to permission requests, and the states of our messages.

use jiff::Timestamp;
use serde_json::Value;

use super::{Item, LeftOut, Ours, key, list, text, who};
use crate::domain::event::{MessageProgress, MessageReport, PermissionAnswer, PermissionReply, Word};
use crate::domain::{ErrorCode, Event, Issuer, Named, Phone};
use crate::meta::platform::is_id;
use crate::transport::date::seconds;

/// The state of a message of ours. It is named by the token that was sent with it, or else by its id.
pub(super) fn status(ours: &Ours<'_>, status: &Value) -> Result<Item, LeftOut> {
    // These are about calls that a business placed.
    if status["type"] == "call" {
        return Err(LeftOut::Kind);
    }
    let sid = status["id"].as_str().filter(|id| is_id(id)).ok_or(LeftOut::Unreadable)?;
    let word = status["status"].as_str().ok_or(LeftOut::Unreadable)?;
    let progress = match word {
        "accepted" | "held_for_quality_assessment" => MessageProgress::Queued,
        "sent" => MessageProgress::Sent,
        "delivered" => MessageProgress::Delivered,
        "read" | "played" => MessageProgress::Read,
        "failed" => MessageProgress::Failed,
        "deleted" | "warning" => return Err(LeftOut::Kind),
        _ => return Err(LeftOut::Unreadable),
    };
    let code = list(&status["errors"]).first().and_then(|error| text(&error["code"])?.parse().ok());
    let report = MessageReport {
        message: status["biz_opaque_callback_data"]
            .as_str()
            .and_then(|token| ours.hook_urls.message_of(token)),
        sid: sid.to_owned(),
        progress,
        error_code: code.map(|code| ErrorCode::new(Issuer::Meta, code)),
        from: Some(ours.sender),
        to: Named {
            number: text(&status["recipient_id"]).and_then(|text| Phone::told(&text).ok()),
            user_id: status["recipient_user_id"].as_str().and_then(|id| id.parse().ok()),
        },
    };
    Ok(Item { key: key(ours, &["status", sid, word]), event: Event::Message(report) })
}

/// A consumer's message, or answer to a permission request.
pub(super) fn inbound(ours: &Ours<'_>, value: &Value, message: &Value) -> Result<Item, LeftOut> {
    let kind = message["type"].as_str().ok_or(LeftOut::Unreadable)?;
    // A note of the platform, such as a new number of the consumer. Nobody wrote.
    if kind == "system" {
        return Err(LeftOut::Kind);
    }
    let id = message["id"].as_str().filter(|id| is_id(id)).ok_or(LeftOut::Unreadable)?;
    let who = who(value, &message["from"], &message["from_user_id"]);
    // Our own words, which come back where the number is also used on a phone.
    if who.number == Some(ours.sender) {
        return Err(LeftOut::Kind);
    }
    let reply = &message["interactive"]["call_permission_reply"];
    let event = if kind == "interactive" && !reply.is_null() {
        let reply = permission(ours, message, reply, who);
        if is_nobody(&reply.who) && reply.replied_to.is_none() {
            return Err(LeftOut::Unreadable);
        }
        Event::PermissionReply(reply)
    } else if is_nobody(&who) {
        return Err(LeftOut::Unreadable);
    } else {
        let (word, wrote_at) = (word(ours, message), wrote_at(message));
        Event::InboundMessage { sender: ours.sender, who, word, wrote_at }
    };
    Ok(Item { key: key(ours, &["message", id]), event })
}

/// A consumer's choice about marketing messages (Meta, *user_preferences webhook*, 21 May 2026).
///
/// Two deliveries of one choice have the same time: that of the choice, or else that of the delivery. So a second stop is
/// no repetition of the first, although it reads the same.
pub(super) fn preference(
    ours: &Ours<'_>,
    entry: &Value,
    value: &Value,
    preference: &Value,
) -> Result<Item, LeftOut> {
    if preference["category"] != "marketing_messages" {
        return Err(LeftOut::Kind);
    }
    let word = preference["value"].as_str().ok_or(LeftOut::Unreadable)?;
    let is_stopped = match word.to_ascii_lowercase().as_str() {
        "stop" => true,
        "resume" => false,
        _ => return Err(LeftOut::Unreadable),
    };
    let who = who(value, &preference["wa_id"], &preference["user_id"]);
    if is_nobody(&who) || who.number == Some(ours.sender) {
        return Err(LeftOut::Unreadable);
    }
    let time = text(&preference["timestamp"]).or_else(|| text(&entry["time"]));
    let told = [text(&preference["wa_id"]), text(&preference["user_id"]), time];
    let [number, user, time] = told.map(Option::unwrap_or_default);
    let event = Event::MarketingPreference { sender: ours.sender, who, is_stopped };
    Ok(Item { key: key(ours, &["preference", &number, &user, &time, word]), event })
}

/// Whether a report has no name by which its person could ever be found.
const fn is_nobody(who: &Named) -> bool {
    who.number.is_none() && who.user_id.is_none()
}

/// When the consumer wrote it.
fn wrote_at(message: &Value) -> Option<Timestamp> {
    seconds(&text(&message["timestamp"])?)
}

fn permission(ours: &Ours<'_>, message: &Value, reply: &Value, who: Named) -> PermissionReply {
    let is_permanent = reply["is_permanent"] == Value::Bool(true) || reply["is_permanent"] == "true";
    let expires_at = text(&reply["expiration_timestamp"]).and_then(|text| seconds(&text));
    let answer = match reply["response"].as_str().map(str::to_ascii_lowercase).as_deref() {
        Some("accept") if is_permanent => PermissionAnswer::Permanent,
        Some("accept") => PermissionAnswer::Temporary { expires_at },
        Some("reject") => PermissionAnswer::Rejected,
        _ => PermissionAnswer::NotUnderstood,
    };
    // The context of an automatic grant is the consumer's call, `wacid…`, not a message of ours.
    let context = message["context"]["id"].as_str();
    let replied_to = context.filter(|id| is_id(id) && !id.starts_with("wacid")).map(str::to_owned);
    PermissionReply {
        sender: ours.sender,
        who,
        answer,
        replied_to,
        automatic: reply["response_source"] == "automatic",
        replied_at: wrote_at(message),
    }
}

/// The stop or start word, if one of the texts is one. If they differ, the stop counts.
fn word(ours: &Ours<'_>, message: &Value) -> Option<Word> {
    let interactive = &message["interactive"];
    let texts = [
        &message["text"]["body"],
        &message["button"]["text"],
        &message["button"]["payload"],
        &interactive["button_reply"]["title"],
        &interactive["button_reply"]["id"],
        &interactive["list_reply"]["title"],
        &interactive["list_reply"]["id"],
    ];
    let read = texts.into_iter().filter_map(|text| ours.words.read(text.as_str()?));
    read.reduce(|one, other| if one == Word::Stop { one } else { other })
}
