//! Converts the webhooks of WhatsApp's Cloud API to events.
//!
//! A body has entries, an entry changes, and a change several items. Each item is read for itself: one that is unknown
//! or faulty is counted and does not lose the others. Everything that identifies an item is signed.

mod account;
mod calls;
mod messages;
#[cfg(test)]
mod tests;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::domain::{AccountAlias, Event, Named, Phone, UserId, Words};
use crate::hook_urls::HookUrls;

/// The most items of one body that are read (our rule). Meta's own limit of a body is 3 MB.
pub const ITEMS_MAX: usize = 10_000;

/// What is ours, for which a webhook may report.
pub struct Ours<'a> {
    pub account: &'a AccountAlias,
    pub sender: Phone,
    pub phone_number_id: &'a str,
    pub business_account_id: &'a str,
    pub words: &'a Words,
    pub hook_urls: &'a HookUrls,
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
    /// Payloads of calls that are not ours. Their calls are kept.
    pub foreign_payloads: u32,
}

/// Why an item is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeftOut {
    /// It is about a number or an account that is not configured under this alias.
    Foreign,
    /// It is of a kind from which nothing follows here, such as a call that a business placed.
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
    #[error("the body is not a webhook of a WhatsApp Business Account")]
    Unreadable,
    #[error("the body has more than {ITEMS_MAX} items (our rule)")]
    TooMany,
}

/// # Errors
/// [`BodyError`] if nothing of it can be read.
pub fn read(body: &[u8], ours: &Ours<'_>) -> Result<Read, BodyError> {
    let body: Value = serde_json::from_slice(body).map_err(|_| BodyError::Unreadable)?;
    let entries = body["entry"].as_array().ok_or(BodyError::Unreadable)?;
    if body["object"] != "whatsapp_business_account" {
        return Err(BodyError::Unreadable);
    }
    let mut reading = Reading { ours, read: Read::default(), count: 0 };
    for entry in entries {
        let changes = list(&entry["changes"]);
        if changes.is_empty() {
            reading.take(Err(LeftOut::Unreadable))?;
        }
        for change in changes {
            reading.change(entry, change)?;
        }
    }
    Ok(reading.read)
}

struct Reading<'a> {
    ours: &'a Ours<'a>,
    read: Read,
    count: usize,
}

impl Reading<'_> {
    fn change(&mut self, entry: &Value, change: &Value) -> Result<(), BodyError> {
        let (ours, value) = (self.ours, &change["value"]);
        match change["field"].as_str() {
            _ if entry["id"] != ours.business_account_id => self.take(Err(LeftOut::Foreign)),
            Some("account_update") => self.take(account::update(ours, entry, value)),
            Some("account_settings_update") => self.take(account::settings(ours, entry, value)),
            Some("user_preferences") => {
                if value["metadata"]["phone_number_id"] != ours.phone_number_id {
                    return self.take(Err(LeftOut::Foreign));
                }
                for preference in list(&value["user_preferences"]) {
                    self.take(messages::preference(ours, entry, value, preference))?;
                }
                Ok(())
            }
            Some("messages" | "calls") => {
                if value["metadata"]["phone_number_id"] != ours.phone_number_id {
                    return self.take(Err(LeftOut::Foreign));
                }
                for status in list(&value["statuses"]) {
                    self.take(messages::status(ours, status))?;
                }
                for message in list(&value["messages"]) {
                    self.take(messages::inbound(ours, value, message))?;
                }
                for call in list(&value["calls"]) {
                    let (item, foreign) = calls::inbound(ours, value, call);
                    self.read.foreign_payloads = self.read.foreign_payloads.saturating_add(foreign.into());
                    self.take(item)?;
                }
                let known = ["statuses", "messages", "calls"];
                if known.iter().all(|name| list(&value[*name]).is_empty()) {
                    self.take(Err(LeftOut::Kind))?;
                }
                Ok(())
            }
            Some(_) => self.take(Err(LeftOut::Kind)),
            None => self.take(Err(LeftOut::Unreadable)),
        }
    }

    fn take(&mut self, item: Result<Item, LeftOut>) -> Result<(), BodyError> {
        self.count = self.count.saturating_add(1);
        if self.count > ITEMS_MAX {
            return Err(BodyError::TooMany);
        }
        match item {
            Ok(item) => self.read.items.push(item),
            Err(why) => self.read.left_out.push(why),
        }
        Ok(())
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A text, or a number as text.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The key of an item, of the account and these parts. Each part is preceded by its length.
fn key(ours: &Ours<'_>, parts: &[&str]) -> [u8; 16] {
    let mut digest = Sha256::new();
    for part in ["meta", &**ours.account].iter().chain(parts) {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let mut key = [0; 16];
    key.copy_from_slice(&digest.finalize()[..16]);
    key
}

/// The consumer of an item: its own fields first, then the one contact of the change that has the same number or stands
/// alone. The number may be absent.
fn who(value: &Value, number: &Value, user_id: &Value) -> Named {
    let number = text(number);
    let contacts = list(&value["contacts"]);
    let same = |contact: &&Value| number.is_some() && text(&contact["wa_id"]) == number;
    let contact = contacts.iter().find(same).or(match contacts {
        [alone] if number.is_none() || alone["wa_id"].is_null() => Some(alone),
        _ => None,
    });
    let id = |value: &Value| value.as_str()?.parse::<UserId>().ok();
    let told = |text: &str| Phone::told(text).ok();
    Named {
        number: number.as_deref().and_then(told).or_else(|| told(&text(&contact?["wa_id"])?)),
        user_id: id(user_id).or_else(|| id(&contact?["user_id"])),
    }
}
