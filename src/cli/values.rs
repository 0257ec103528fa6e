//! Parsers of flags: numbers, agents, `name=value`, times. Errors never repeat a number.

use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp};
use serde_json::{Map, Value};

use super::failure::refusal;
use crate::clock::{Clock as _, SystemClock};
use crate::domain::phone::PhoneError;
use crate::domain::road::PsidError;
use crate::domain::{AgentTarget, Country, MissedWindow, Phone, Priority, Psid, Purpose};
use crate::text::time::is_taken;

/// `name=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pair {
    pub name: String,
    pub value: String,
}

pub(super) fn pair(text: &str) -> Result<Pair, String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    if name.is_empty() {
        return Err("expected a name before \"=\"".to_owned());
    }
    Ok(Pair { name: name.to_owned(), value: value.to_owned() })
}

/// A consumer's id at the page of a Messenger account: `account=psid`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub account: String,
    pub psid: Psid,
}

/// Errors do not repeat the id.
pub(super) fn page(text: &str) -> Result<Page, String> {
    let (account, psid) = text.split_once('=').ok_or("expected ACCOUNT=PSID")?;
    if account.is_empty() {
        return Err("expected the name of a Messenger account before \"=\"".to_owned());
    }
    let psid = psid.parse().map_err(|error: PsidError| format!("the id {error}"))?;
    Ok(Page { account: account.to_owned(), psid })
}

/// The field `messenger` of an order, if there are ids.
pub(super) fn messenger(pages: &[Page]) -> anyhow::Result<Option<Value>> {
    let ids = pages.iter().map(|page| (page.account.as_str(), page.psid.as_str()));
    object("--messenger", ids)
}

/// The field `variables` of an order, if there are variables.
pub(super) fn variables(pairs: &[Pair]) -> anyhow::Result<Option<Value>> {
    object("--var", pairs.iter().map(|pair| (pair.name.as_str(), pair.value.as_str())))
}

/// An object of what a flag gives, each name once. It is not told which value is meant if there are two.
fn object<'a>(flag: &str, given: impl Iterator<Item = (&'a str, &'a str)>) -> anyhow::Result<Option<Value>> {
    let mut object = Map::new();
    for (name, value) in given {
        if object.insert(name.to_owned(), value.into()).is_some() {
            return refusal(
                format!("{name:?} is given twice"),
                [format!("give each name after {flag} once")],
            );
        }
    }
    Ok((!object.is_empty()).then(|| object.into()))
}

pub(super) fn phone(text: &str) -> Result<Phone, String> {
    Phone::read(text, None).map_err(|why| match why {
        // The command line does not read the daemon's default country.
        PhoneError::NoCallingCode => {
            "has no \"+\" with a country calling code: write it like +5511987654321".to_owned()
        }
        why => why.to_string(),
    })
}

pub(super) fn agent(text: &str) -> Result<AgentTarget, String> {
    text.parse().map_err(|why: crate::domain::agent_target::AgentError| why.to_string())
}

/// A time with its offset, or `+` and a duration from now.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    moment_at(SystemClock.now(), text)
}

fn moment_at(now: Timestamp, text: &str) -> Result<Timestamp, String> {
    let expected = "expected a time with its offset, such as 2026-11-22T09:00:00-03:00, or a duration from now, such as +2h";
    match text.strip_prefix('+') {
        Some(from_now) => duration(from_now)
            .ok()
            .and_then(|duration| now.checked_add(duration).ok())
            .ok_or_else(|| expected.to_owned()),
        None => {
            is_taken(text).map_err(|error| error.to_string())?;
            text.parse().map_err(|_| expected.to_owned())
        }
    }
}

/// A duration with its unit; a day is 24 hours.
pub(super) fn duration(text: &str) -> Result<SignedDuration, String> {
    text.parse::<Span>()
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .ok()
        .filter(|duration| !duration.is_negative())
        .ok_or_else(|| "expected a duration with its unit, such as 90s, 15m, 24h or 7d".to_owned())
}

/// Parses a purpose.
pub(super) fn purpose(text: &str) -> Result<Purpose, String> {
    text.parse().map_err(|_| format!("expected {}", Purpose::ALL.map(Purpose::as_str).join(", ")))
}

/// Parses a country by its two letters.
pub(super) fn country(text: &str) -> Result<Country, String> {
    Country::parse(text)
        .filter(|country| country.is_known())
        .ok_or_else(|| "expected two capital letters of ISO 3166, such as BR".to_owned())
}

/// Parses what to do after missed hours.
pub(super) fn missed_window(text: &str) -> Result<MissedWindow, String> {
    text.parse().map_err(|_| format!("expected {}", MissedWindow::ALL.map(MissedWindow::as_str).join(", ")))
}

/// The priority of a callback: a word or a number.
pub(super) fn priority(text: &str) -> Result<u8, String> {
    match text {
        "urgent" => Ok(Priority::MAX),
        "normal" => Ok(Priority::DEFAULT.level()),
        "bulk" => Ok(0),
        number => number.parse().ok().and_then(Priority::new).map(Priority::level).ok_or_else(|| {
            "expected urgent, normal, bulk or a number from 0 to 9, such as urgent".to_owned()
        }),
    }
}

pub(super) fn json(text: &str) -> Result<serde_json::Value, String> {
    serde_json::from_str(text).map_err(|why| format!("is not JSON: {why}"))
}

/// A speed: how many times faster than real time.
pub(super) fn speed(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|speed| (0.001..=1_000_000.0).contains(speed))
        .ok_or_else(|| "expected a number between 0.001 and 1000000".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_absolute_or_relative_to_now() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let at = |text| moment_at(now, text).map(|moment| moment.to_string());
        assert_eq!(at("+2h").as_deref(), Ok("2026-11-21T14:00:00Z"));
        assert_eq!(at("+1d").as_deref(), Ok("2026-11-22T12:00:00Z"));
        assert_eq!(at("2026-11-22T09:00:00-03:00").as_deref(), Ok("2026-11-22T12:00:00Z"));
        let leap = at("2026-11-22T09:00:60-03:00").unwrap_err();
        assert!(leap.contains("leap seconds are not taken"), "{leap}");
        for text in ["2h", "+-2h", "tomorrow", "2026-11-22T09:00:00", "+9999999999999h"] {
            assert!(at(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_value_may_have_an_equals_sign_and_a_name_may_not_be_empty() {
        assert_eq!(pair("a=b=c"), Ok(Pair { name: "a".into(), value: "b=c".into() }));
        assert!(pair("=b").is_err() && pair("ab").is_err());
    }

    #[test]
    fn a_variable_is_given_once() {
        let given =
            |text: &[&str]| variables(&text.iter().map(|text| pair(text).unwrap()).collect::<Vec<_>>());
        assert_eq!(given(&["1=a", "2=b"]).unwrap(), Some(serde_json::json!({"1": "a", "2": "b"})));
        assert_eq!(given(&["1=a", "1=a"]).unwrap_err().to_string(), "\"1\" is given twice");
        assert_eq!(given(&[]).unwrap(), None);
    }

    #[test]
    fn a_page_has_an_account_and_an_id_that_is_not_repeated() {
        let read = page("shop=6789012345678901").unwrap();
        assert_eq!((read.account.as_str(), read.psid.as_str()), ("shop", "6789012345678901"));
        let twice = messenger(&[read.clone(), read.clone()]).unwrap_err().to_string();
        assert_eq!(twice, "\"shop\" is given twice");
        assert_eq!(messenger(&[read]).unwrap(), Some(serde_json::json!({"shop": "6789012345678901"})));
        assert_eq!(messenger(&[]).unwrap(), None);
        for text in ["shop", "=1", "shop=", "shop=67890123a"] {
            let why = page(text).unwrap_err();
            assert!(!why.contains("6789"), "{why}");
        }
    }

    #[test]
    fn a_priority_is_a_word_or_a_number() {
        assert_eq!(["urgent", "normal", "bulk", "0", "9"].map(priority), [9, 5, 0, 0, 9].map(Ok));
        for text in ["10", "-1", "high", "", "Urgent"] {
            assert!(priority(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wrong_number_is_not_repeated() {
        let why = phone("+55119876").unwrap_err();
        assert!(!why.contains("119876"), "{why}");
    }

    #[test]
    fn a_speed_is_positive_and_bounded() {
        assert!(
            speed("0").is_err() && speed("-1").is_err() && speed("inf").is_err() && speed("nan").is_err()
        );
        assert_eq!(speed("60"), Ok(60.0));
    }
}
