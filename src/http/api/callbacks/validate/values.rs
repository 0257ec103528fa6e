//! The simple values of an order: names, numbers and metadata.

use super::{ATTEMPTS_MAX, METADATA_MAX, Validator};
use crate::domain::{CallingHours, MissedWindow, PoolName, Priority, Purpose};
use crate::http::api::callbacks::field_errors::{FieldErrors, nearest, too_long};
use crate::http::api::callbacks::metadata;
use crate::http::api::callbacks::request_body::Text;
use crate::text::visible::check_name;

impl Validator<'_> {
    pub(super) fn attempts_max(&self, given: Option<i64>, faults: &mut FieldErrors) -> u32 {
        let Some(given) = given else { return self.app.defaults.attempts_max };
        let fit = u32::try_from(given).ok().filter(|count| (1..=ATTEMPTS_MAX).contains(count));
        if fit.is_none() {
            let detail = format!("{given} is out of range: expected 1 to {ATTEMPTS_MAX}");
            faults.add("attempts_max", "attempts.out_of_range", detail);
        }
        fit.unwrap_or_default()
    }
}

pub(super) fn required<'a>(
    field: &str,
    text: Option<Text<'a>>,
    faults: &mut FieldErrors,
) -> Option<Text<'a>> {
    if text.is_none() && !faults.has(field) {
        faults.add(field, "field.missing", "is missing: every order needs it");
    }
    text
}

pub(super) fn priority(given: Option<i64>, faults: &mut FieldErrors) -> Option<Priority> {
    let given = given?;
    let fit = u8::try_from(given).ok().and_then(Priority::new);
    if fit.is_none() {
        let detail = format!("{given} is out of range: expected 0 to {}", Priority::MAX);
        faults.add("priority", "priority.out_of_range", detail);
    }
    fit
}

pub(super) fn purpose(given: Option<Text<'_>>, faults: &mut FieldErrors) -> Option<Purpose> {
    let Text(given) = given?;
    let known = given.parse().ok();
    if known.is_none() {
        let all = Purpose::ALL.map(Purpose::as_str);
        let detail =
            format!("is no purpose: expected {}{}", all.join(", "), nearest(&given, all.into_iter()));
        faults.add("purpose", "purpose.unknown", detail);
    }
    known
}

/// What to do after missed hours; without hours there is nothing to miss.
pub(super) fn missed_window(
    given: Option<Text<'_>>,
    hours: Option<&CallingHours>,
    faults: &mut FieldErrors,
) -> MissedWindow {
    let Some(Text(given)) = given else { return MissedWindow::default() };
    let Ok(rule) = given.parse::<MissedWindow>() else {
        let all = MissedWindow::ALL.map(MissedWindow::as_str);
        let detail = format!("is not known: expected {}{}", all.join(", "), nearest(&given, all.into_iter()));
        faults.add("missed_window", "missed_window.unknown", detail);
        return MissedWindow::default();
    };
    if rule != MissedWindow::default() && hours.is_none() && !faults.has("hours") {
        let detail = "needs calling hours: without hours no window can be missed";
        faults.add("missed_window", "missed_window.no_hours", detail);
    }
    rule
}

/// The name of a pool. Whether somebody feeds it does not matter yet.
pub(super) fn pool(given: Option<Text<'_>>, faults: &mut FieldErrors) -> Option<PoolName> {
    let Text(given) = given?;
    match PoolName::given(&given) {
        Ok(name) => Some(name),
        Err(error) => {
            faults.add("pool", "pool.malformed", error.to_string());
            None
        }
    }
}

/// A name that appears in lists: short, on one line, and not empty.
pub(super) fn name(
    field: &str,
    text: Option<Text<'_>>,
    max: usize,
    faults: &mut FieldErrors,
) -> Option<String> {
    let text = text?.0;
    if text.trim().is_empty() {
        faults.add(field, "field.empty", "is blank: leave it out instead");
    } else if text.len() > max {
        faults.add(field, "field.too_long", too_long(text.len(), max));
    } else if let Err(hidden) = check_name(&text) {
        faults.add(field, "field.characters", hidden.to_string());
    } else if !text.chars().all(is_xml) {
        faults.add(field, "field.characters", "has a character that XML cannot contain");
    } else {
        return Some(text.into_owned());
    }
    None
}

/// Metadata is answered as it was given, so only its size and depth are looked at.
pub(super) fn check_metadata(json: Option<&str>, faults: &mut FieldErrors) {
    match json.map(metadata::size) {
        Some(Err(fault)) => faults.add("metadata", "metadata.unreadable", fault.to_string()),
        Some(Ok(size)) if size > METADATA_MAX => {
            faults.add("metadata", "metadata.too_long", too_long(size, METADATA_MAX));
        }
        _ => {}
    }
}

/// Whether XML 1.0, and so a TwiML document, can contain the character.
const fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}
