//! Restrictions of the account and of its number, and their ends.
//!
//! Meta adds kinds of restrictions and renames them, so every kind is taken, except those that are about other things
//! than messages and calls.

use jiff::Timestamp;
use serde_json::Value;

use super::{Item, LeftOut, Ours, key, list, text};
use crate::domain::Event;
use crate::transport::date::seconds;

/// Restrictions of other things (Meta, *account_update*, 2026).
const ELSEWHERE: [&str; 1] = ["ADD_PHONE_NUMBER"];

/// The most kinds that one reason names (our rule).
const NAMED_MAX: usize = 5;

/// `account_update`: restrictions of the whole account, and bans.
pub(super) fn update(ours: &Ours<'_>, entry: &Value, value: &Value) -> Result<Item, LeftOut> {
    let (why, until) = match value["event"].as_str().ok_or(LeftOut::Unreadable)? {
        "ACCOUNT_RESTRICTION" => restrictions(list(&value["restriction_info"]), "restriction_type")?,
        "DISABLED_UPDATE" | "ACCOUNT_BAN" => match value["ban_info"]["waba_ban_state"].as_str() {
            Some("REINSTATE") => (None, None),
            Some(state @ ("DISABLE" | "SCHEDULE_FOR_DISABLE")) => {
                (Some(format!("Meta restricts the account: {state}")), None)
            }
            _ => return Err(LeftOut::Unreadable),
        },
        "ACCOUNT_REINSTATED" => (None, None),
        // Warnings, and changes of other things.
        _ => return Err(LeftOut::Kind),
    };
    let event = Event::Restriction { account: ours.account.clone(), sender: None, why, until };
    Ok(item(ours, entry, value, event))
}

/// `account_settings_update`: the calls of our number.
pub(super) fn settings(ours: &Ours<'_>, entry: &Value, value: &Value) -> Result<Item, LeftOut> {
    let settings = &value["phone_number_settings"];
    if settings.is_null() {
        return Err(LeftOut::Kind);
    }
    if settings["phone_number_id"] != ours.phone_number_id {
        return Err(LeftOut::Foreign);
    }
    let calling = &settings["calling"];
    let listed = list(&calling["restrictions"]["restrictions_list"]);
    let (why, until) = if listed.is_empty() {
        match calling["status"].as_str() {
            Some("DISABLED") => (Some("calls are switched off for the number".to_owned()), None),
            Some("ENABLED") => (None, None),
            _ => return Err(LeftOut::Kind),
        }
    } else {
        restrictions(listed, "type")?
    };
    let event = Event::Restriction { account: ours.account.clone(), sender: Some(ours.sender), why, until };
    Ok(item(ours, entry, value, event))
}

/// Why, and until when: without an end if one of them has none.
fn restrictions(listed: &[Value], name: &str) -> Result<(Option<String>, Option<Timestamp>), LeftOut> {
    if listed.is_empty() {
        return Err(LeftOut::Unreadable);
    }
    let is_ours = |one: &&Value| {
        let kind = one[name].as_str().unwrap_or_default();
        !ELSEWHERE.iter().any(|other| kind.contains(other))
    };
    let listed: Vec<&Value> = listed.iter().filter(is_ours).collect();
    if listed.is_empty() {
        return Err(LeftOut::Kind);
    }
    let ends: Option<Vec<Timestamp>> =
        listed.iter().map(|one| text(&one["expiration"]).and_then(|text| seconds(&text))).collect();
    let kinds: Vec<&str> = listed.iter().take(NAMED_MAX).map(|one| word(&one[name])).collect();
    let why = format!("Meta restricts the account: {}", kinds.join(", "));
    Ok((Some(why), ends.and_then(|ends| ends.into_iter().max())))
}

/// The name of a kind, if it looks like one: it comes from outside and is shown.
fn word(value: &Value) -> &str {
    let is_name = |text: &&str| {
        (1..=80).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    value.as_str().filter(is_name).unwrap_or("a kind without a name")
}

/// A repetition has the same time and the same content.
fn item(ours: &Ours<'_>, entry: &Value, value: &Value, event: Event) -> Item {
    let time = text(&entry["time"]).unwrap_or_default();
    Item { key: key(ours, &["account", &time, &value.to_string()]), event }
}
