//! Converts the webhooks of a Messenger page to events.
//!
//! Each item is read for itself: one that is unknown or faulty is counted and does not lose the others.
//!
//! **Assumption.** No document shows the event of a person's call to a page. An item counts as one if it has an object
//! `call`, or if it is in a change of the field `calls`, as WhatsApp has it. The callback is then found by the page, the
//! person's id and the time, since nothing tells a payload.

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::platform::is_id;
use crate::domain::event::{MessageProgress, MessageReport, Word};
use crate::domain::{AccountAlias, Event, Named, Psid, Words};
use crate::transport::date::plausible;

/// The most items of one body that are read (our rule).
pub const ITEMS_MAX: usize = 10_000;

/// What is ours, for which a webhook may report.
pub struct Ours<'a> {
    pub account: &'a AccountAlias,
    pub page_id: &'a str,
    pub words: &'a Words,
}

/// One event, with a key that two deliveries of it share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub key: [u8; 16],
    pub event: Event,
}

/// What a body says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub items: Vec<Item>,
    /// Why items were left out, once for each.
    pub left_out: Vec<LeftOut>,
}

/// Why an item is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// It is about a page that is not configured under this alias.
    Foreign,
    /// It is of a kind from which nothing follows here, such as an echo of our own message.
    Kind,
    /// It is of a kind that is read, and cannot be understood.
    Unreadable,
}

impl LeftOut {
    /// The label for metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Foreign => "sender",
            Self::Kind => "kind",
            Self::Unreadable => "unreadable",
        }
    }
}

/// Why nothing of a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    #[error("the body is not a webhook of a page")]
    Unreadable,
    #[error("the body has more than {ITEMS_MAX} items (our rule)")]
    TooMany,
}

/// # Errors
/// [`BodyError`] if nothing of it can be read.
pub fn read(body: &[u8], ours: &Ours<'_>) -> Result<Read, BodyError> {
    let body: Value = serde_json::from_slice(body).map_err(|_| BodyError::Unreadable)?;
    let entries = body["entry"].as_array().ok_or(BodyError::Unreadable)?;
    if body["object"] != "page" {
        return Err(BodyError::Unreadable);
    }
    let mut items = Vec::new();
    for entry in entries {
        if entry["id"] != ours.page_id {
            items.push(Err(LeftOut::Foreign));
            continue;
        }
        for message in list(&entry["messaging"]) {
            messaging(ours, message, &mut items);
        }
        for change in list(&entry["changes"]) {
            changed(ours, change, &mut items);
        }
        if items.len() > ITEMS_MAX {
            return Err(BodyError::TooMany);
        }
    }
    let mut read = Read::default();
    for item in items {
        match item {
            Ok(item) => read.items.push(item),
            Err(why) => read.left_out.push(why),
        }
    }
    Ok(read)
}

type Items = Vec<Result<Item, LeftOut>>;

fn messaging(ours: &Ours<'_>, item: &Value, items: &mut Items) {
    let sender = psid(ours, &item["sender"]["id"]);
    if item["delivery"].is_object() {
        delivered(ours, &item["delivery"], items);
    } else if item["call"].is_object() {
        items.push(call(ours, &item["call"], sender, &item["timestamp"]));
    } else if item["message"].is_object() {
        items.push(message(ours, item, sender));
    } else if item["postback"].is_object() {
        items.push(postback(ours, item, sender));
    } else {
        items.push(Err(LeftOut::Kind));
    }
}

/// The person, and not the page itself.
fn psid(ours: &Ours<'_>, value: &Value) -> Option<Psid> {
    let id = value.as_str().filter(|id| *id != ours.page_id)?;
    id.parse().ok()
}

fn message(ours: &Ours<'_>, item: &Value, sender: Option<Psid>) -> Result<Item, LeftOut> {
    let message = &item["message"];
    if message["is_echo"] == true {
        return Err(LeftOut::Kind);
    }
    let mid = message["mid"].as_str().filter(|id| is_id(id)).ok_or(LeftOut::Unreadable)?;
    let psid = sender.ok_or(LeftOut::Unreadable)?;
    let word = word(ours, [&message["text"], &message["quick_reply"]["payload"]]);
    let wrote_at = moment(&item["timestamp"]);
    let event = Event::MessengerMessage { account: ours.account.clone(), psid, word, wrote_at };
    Ok(Item { key: key(ours, &["message", mid]), event })
}

/// A button that was pressed: the person wrote.
fn postback(ours: &Ours<'_>, item: &Value, sender: Option<Psid>) -> Result<Item, LeftOut> {
    let psid = sender.ok_or(LeftOut::Unreadable)?;
    let postback = &item["postback"];
    let at = item["timestamp"].to_string();
    let mid = postback["mid"].as_str().filter(|id| is_id(id)).unwrap_or(&at);
    let key = key(ours, &["postback", psid.as_str(), mid]);
    let word = word(ours, [&postback["title"], &postback["payload"]]);
    let wrote_at = moment(&item["timestamp"]);
    Ok(Item { key, event: Event::MessengerMessage { account: ours.account.clone(), psid, word, wrote_at } })
}

/// The stop or start word, if one of the texts is one. If they differ, the stop counts.
fn word(ours: &Ours<'_>, texts: [&Value; 2]) -> Option<Word> {
    let read = texts.into_iter().filter_map(|text| ours.words.read(text.as_str()?));
    read.reduce(|one, other| if one == Word::Stop { one } else { other })
}

/// The messages that arrived. What was read is told by a time only, and is not taken.
fn delivered(ours: &Ours<'_>, delivery: &Value, items: &mut Items) {
    let mids = list(&delivery["mids"]);
    if mids.is_empty() {
        items.push(Err(LeftOut::Kind));
    }
    for mid in mids {
        let Some(mid) = mid.as_str().filter(|id| is_id(id)) else {
            items.push(Err(LeftOut::Unreadable));
            continue;
        };
        let report = MessageReport {
            message: None,
            sid: mid.to_owned(),
            progress: MessageProgress::Delivered,
            error_code: None,
            from: None,
            to: Named { number: None, user_id: None },
        };
        items.push(Ok(Item { key: key(ours, &["delivered", mid]), event: Event::Message(report) }));
    }
}

/// The field `calls` of a page, read as WhatsApp's.
fn changed(ours: &Ours<'_>, change: &Value, items: &mut Items) {
    if change["field"] != "calls" {
        items.push(Err(LeftOut::Kind));
        return;
    }
    let value = &change["value"];
    let calls = list(&value["calls"]);
    let alone = std::slice::from_ref(value);
    for found in if calls.is_empty() { alone } else { calls } {
        let from = [&found["from"], &found["from"]["id"], &found["psid"], &found["sender"]["id"]];
        let psid = from.into_iter().find_map(|id| psid(ours, id));
        items.push(call(ours, found, psid, &value["timestamp"]));
    }
}

/// A person's call. What it came to is not told, so it counts once, whatever the event.
fn call(ours: &Ours<'_>, call: &Value, psid: Option<Psid>, told_at: &Value) -> Result<Item, LeftOut> {
    let direction = call["direction"].as_str().unwrap_or_default();
    if direction.eq_ignore_ascii_case("BUSINESS_INITIATED") {
        return Err(LeftOut::Kind);
    }
    let psid = psid.ok_or(LeftOut::Unreadable)?;
    let at = moment(&call["timestamp"]).or_else(|| moment(told_at));
    let shown = at.map_or_else(|| call.to_string(), |at| at.to_string());
    let id = call["id"].as_str().filter(|id| is_id(id)).unwrap_or(&shown);
    let key = key(ours, &["call", psid.as_str(), id]);
    Ok(Item { key, event: Event::MessengerCall { account: ours.account.clone(), psid, at } })
}

/// A time in seconds or, as Messenger has it, in milliseconds.
fn moment(value: &Value) -> Option<Timestamp> {
    let number: i64 = match value {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    // A number of milliseconds is a plausible time in seconds only after the year 2100.
    let in_seconds = Timestamp::from_second(number).ok().filter(|at| plausible(*at));
    in_seconds.or_else(|| Timestamp::from_millisecond(number).ok().filter(|at| plausible(*at)))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The key of an item, of the account and these parts. Each part is preceded by its length.
fn key(ours: &Ours<'_>, parts: &[&str]) -> [u8; 16] {
    let mut digest = Sha256::new();
    for part in ["messenger", &**ours.account].iter().chain(parts) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let mut key = [0; 16];
    key.copy_from_slice(&digest.finalize()[..16]);
    key
}
