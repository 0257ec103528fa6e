//! Restrictions of the account and of its number, and their ends.
//!
//! Meta adds kinds of restrictions and renames them, so every kind is taken, except those that are about other things
//! than messages and calls. What a kind stops is read from the words in its name; an unknown one stops everything.

use jiff::Timestamp;
use serde_json::Value;

use super::{Item, LeftOut, Ours, key, list, text};
use crate::domain::{Event, Restricted};
use crate::transport::date::seconds;

/// Restrictions of other things (Meta, *account_update*, 2026).
const ELSEWHERE: [&str; 1] = ["ADD_PHONE_NUMBER"];

/// The most kinds that one reason names (our rule).
const NAMED_MAX: usize = 5;

/// `account_update`: restrictions of the whole account, and bans.
pub(super) fn update(ours: &Ours<'_>, entry: &Value, value: &Value) -> Result<Item, LeftOut> {
    let nothing = (None, None, Restricted::Everything);
    let (why, until, what) = match value["event"].as_str().ok_or(LeftOut::Unreadable)? {
        "ACCOUNT_RESTRICTION" => restrictions(list(&value["restriction_info"]), "restriction_type")?,
        "DISABLED_UPDATE" | "ACCOUNT_BAN" => match value["ban_info"]["waba_ban_state"].as_str() {
            Some("REINSTATE") => nothing,
            Some(state @ ("DISABLE" | "SCHEDULE_FOR_DISABLE")) => {
                (Some(format!("Meta restricts the account: {state}")), None, Restricted::Everything)
            }
            _ => return Err(LeftOut::Unreadable),
        },
        "ACCOUNT_REINSTATED" => nothing,
        // Warnings, and changes of other things.
        _ => return Err(LeftOut::Kind),
    };
    let (account, told_at) = (ours.account.clone(), told_at(entry));
    let event = Event::Restriction { account, sender: None, what, why, until, told_at };
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
    let (why, until, what) = if listed.is_empty() {
        match calling["status"].as_str() {
            Some("DISABLED") => {
                (Some("calls are switched off for the number".to_owned()), None, Restricted::Calls)
            }
            Some("ENABLED") => (None, None, Restricted::Everything),
            _ => return Err(LeftOut::Kind),
        }
    } else {
        restrictions(listed, "type")?
    };
    let (account, sender) = (ours.account.clone(), Some(ours.sender));
    let told_at = told_at(entry);
    Ok(item(ours, entry, value, Event::Restriction { account, sender, what, why, until, told_at }))
}

/// What a kind stops (Meta, *Configure call settings*, 26 Jun 2026): calls by businesses come with requests for their
/// permission, and calls by users with the buttons for them. Both names were seen, with and without the direction.
fn stops(kind: &str) -> Restricted {
    let by_business = kind.contains("BUSINESS_INITIATED") || kind.contains("BIZ_INITIATED");
    let by_users = kind.contains("USER_INITIATED");
    if !kind.contains("CALLING") {
        return Restricted::Everything;
    }
    match (by_business, by_users) {
        (true, false) => Restricted::Placed,
        (false, true) => Restricted::Buttons,
        _ => Restricted::Calls,
    }
}

/// Why, until when, and what.
type Stop = (Option<String>, Option<Timestamp>, Restricted);

/// All of a list as one, which has no end if one of them has none.
fn restrictions(listed: &[Value], name: &str) -> Result<Stop, LeftOut> {
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
    let what = listed.iter().map(|one| stops(word(&one[name]))).reduce(|one, other| match (one, other) {
        (one, other) if one == other => one,
        (Restricted::Everything, _) | (_, Restricted::Everything) => Restricted::Everything,
        _ => Restricted::Calls,
    });
    let until = ends.and_then(|ends| ends.into_iter().max());
    Ok((Some(why), until, what.unwrap_or_default()))
}

/// The name of a kind, if it looks like one: it comes from outside and is shown.
fn word(value: &Value) -> &str {
    let is_name = |text: &&str| {
        (1..=80).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
    };
    value.as_str().filter(is_name).unwrap_or("a kind without a name")
}

/// When it happened. Webhooks may overtake each other (Meta, *Webhooks*: no order is guaranteed).
fn told_at(entry: &Value) -> Option<Timestamp> {
    text(&entry["time"]).and_then(|text| seconds(&text))
}

/// A repetition has the same time and the same content.
fn item(ours: &Ours<'_>, entry: &Value, value: &Value, event: Event) -> Item {
    let time = text(&entry["time"]).unwrap_or_default();
    Item { key: key(ours, &["account", &time, &value.to_string()]), event }
}
