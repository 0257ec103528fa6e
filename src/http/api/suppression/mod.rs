//! Suppression: lists of people whom nobody calls or writes to. New entries are inserted here and are in force at once; the
//! scheduler closes what waits for these people, and removes entries. Names are in bodies, never in URLs.

pub(super) mod add;
pub(super) mod check;
pub(super) mod lists;
pub(super) mod registers;
pub(super) mod remove;

use crate::domain::{ListName, Name, Phone, Purpose, UserId, person};
use crate::http::App;
use crate::http::api::permissions::fault;
use crate::http::error::FieldError;
use crate::store::EntryName;

/// The longest version, in bytes.
const VERSION_MAX: usize = 100;

/// Reads the name of a list.
fn list(app: &App, given: Option<&str>, faults: &mut Vec<FieldError>) -> Option<ListName> {
    let list: ListName = match given.unwrap_or("house").parse() {
        Ok(list) => list,
        Err(error) => {
            faults.push(fault("list", "field.value", &format!("{error}")));
            return None;
        }
    };
    if let ListName::Account(name) = &list
        && !app.directory.accounts().contains(name)
    {
        let detail = "is not an account of a sender or of its roads; GET /v1/senders lists them";
        faults.push(fault("list", "account.unknown", detail));
    }
    Some(list)
}

/// The version of an imported list; no other list has one.
fn version(list: Option<&ListName>, given: Option<&str>, faults: &mut Vec<FieldError>) -> String {
    let is_version = |text: &str| {
        (1..=VERSION_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    };
    match (list.is_some_and(ListName::has_versions), given) {
        (true, Some(text)) if is_version(text) => return text.to_owned(),
        (true, Some(_)) => {
            let detail = format!("is wrong: expected 1 to {VERSION_MAX} visible ASCII characters");
            faults.push(fault("version", "field.value", &detail));
        }
        (true, None) => {
            faults.push(fault("version", "field.missing", "is missing: an imported list has versions"));
        }
        (false, Some(_)) if list.is_some() => {
            faults.push(fault("version", "field.unknown", "belongs to imported lists"));
        }
        (false, _) => {}
    }
    String::new()
}

/// Reads a consumer's number.
fn number(app: &App, field: &str, text: &str, faults: &mut Vec<FieldError>) -> Option<Phone> {
    let read = Phone::read(text, app.defaults.country);
    read.map_err(|error| faults.push(fault(field, "phone.invalid", &error.to_string()))).ok()
}

/// Reads a user id of this portfolio.
fn user(field: &str, text: &str, portfolio: Option<&str>, faults: &mut Vec<FieldError>) -> Option<Name> {
    let read = text.parse::<UserId>();
    let id = read.map_err(|error| faults.push(fault(field, "user_id.invalid", &error.to_string()))).ok()?;
    let portfolio = portfolio.unwrap_or(person::PORTFOLIO_DEFAULT).into();
    Some(Name::User { portfolio, id })
}

/// The person with this number, or this user id of the portfolio.
pub(in crate::http::api) fn one_person(
    app: &App,
    consumer: Option<&str>,
    user_id: Option<&str>,
    portfolio: Option<&str>,
    faults: &mut Vec<FieldError>,
) -> Option<Name> {
    check_portfolio(app, portfolio, user_id.is_some(), faults);
    match (consumer, user_id) {
        (Some(text), None) => number(app, "consumer", text, faults).map(Name::Number),
        (None, Some(text)) => user("user_id", text, portfolio, faults),
        (None, None) => {
            faults.push(fault("consumer", "field.missing", "is missing: give it or user_id"));
            None
        }
        (Some(_), Some(_)) => {
            let detail = "is given together with consumer: give one of the two";
            faults.push(fault("user_id", "field.unknown", detail));
            None
        }
    }
}

/// Reads a SHA-256 in hexadecimal.
fn digest(field: &str, text: &str, faults: &mut Vec<FieldError>) -> Option<EntryName> {
    let mut bytes = [0_u8; 32];
    let is_hex = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex {
        for (place, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(place * 2..place * 2 + 2);
            *byte = pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()).unwrap_or_default();
        }
        return Some(EntryName::Digest(bytes));
    }
    let detail =
        "is no SHA-256: expected 64 hexadecimal digits, of the number in E.164 with or without its plus";
    faults.push(fault(field, "sha256.invalid", detail));
    None
}

/// Whether this portfolio is one of the configured ones.
fn check_portfolio(app: &App, given: Option<&str>, has_users: bool, faults: &mut Vec<FieldError>) {
    let Some(given) = given else { return };
    if !has_users {
        faults.push(fault("portfolio", "field.unknown", "belongs to user ids"));
    } else if !app.directory.senders().any(|sender| &*sender.portfolio == given) {
        faults.push(fault("portfolio", "field.value", "is not a portfolio of the configured accounts"));
    }
}

/// The purposes by their names.
fn shown(purposes: &[Purpose]) -> Vec<&'static str> {
    purposes.iter().map(|purpose| purpose.as_str()).collect()
}
