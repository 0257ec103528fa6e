//! Masks phone numbers in answers to tokens that may not see them.
//!
//! One pass over the finished JSON of all handlers, so that no field is forgotten. A "+" with seven or more digits
//! is masked, except in fields with numbers of senders. `variables` and `metadata` of customers can have numbers in
//! any form, and `messenger` has ids of people: there, seven digits in a row are masked.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::Response;

use crate::http::ApiError;

/// This many digits in a row can be a phone number.
const DIGITS_MIN: usize = 7;
/// The fields with numbers of senders. `number` is one in `/v1/senders` and in `explain`.
const OF_SENDERS: [&str; 3] = ["sender", "senders", "number"];
/// The fields with free content of customers, and those with ids of people.
const FREE: [&str; 4] = ["variables", "metadata", "messenger", "note"];

/// The same response with its numbers masked, if it is JSON.
pub(in crate::http) async fn numbers_in(response: Response) -> Result<Response, ApiError> {
    let (mut parts, body) = response.into_parts();
    let json = |value: &HeaderValue| value.as_bytes().starts_with(b"application/json");
    if !parts.headers.get(CONTENT_TYPE).is_some_and(json) {
        return Ok(Response::from_parts(parts, body));
    }
    let bytes = axum::body::to_bytes(body, usize::MAX).await.map_err(ApiError::internal)?;
    let text = std::str::from_utf8(&bytes).map_err(ApiError::internal)?;
    parts.headers.remove(CONTENT_LENGTH);
    Ok(Response::from_parts(parts, Body::from(masked(text))))
}

/// Reads JSON that we wrote ourselves, or that is shown to nobody but who may read the audit log.
pub(in crate::http) fn masked(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    let mut depth = 0_usize;
    // The last key, and the depth at which the current free field began.
    let mut exempt = false;
    let mut free_at: Option<usize> = None;
    while let Some(first) = rest.chars().next() {
        match first {
            '"' => {
                let (text, after) = rest.split_at(string_end(rest));
                rest = after;
                if after.trim_start().starts_with(':') {
                    if free_at.is_some_and(|at| depth <= at) {
                        free_at = None;
                    }
                    let key = text.trim_matches('"');
                    exempt = OF_SENDERS.contains(&key);
                    if free_at.is_none() && FREE.contains(&key) {
                        free_at = Some(depth);
                    }
                    // Keys of free fields are free as well.
                    out.push_str(&if free_at.is_some_and(|at| depth > at) {
                        value(text, true)
                    } else {
                        text.to_owned()
                    });
                } else if exempt && free_at.is_none() {
                    out.push_str(text);
                } else {
                    out.push_str(&value(text, free_at.is_some()));
                }
                continue;
            }
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                // The object with the free field has ended.
                if free_at.is_some_and(|at| depth < at) {
                    free_at = None;
                }
            }
            '-' | '0'..='9' if free_at.is_some() => {
                let end = rest.find([',', '}', ']']).unwrap_or(rest.len());
                let (number, after) = rest.split_at(end);
                let long = number.bytes().filter(u8::is_ascii_digit).count() >= DIGITS_MIN;
                out.push_str(if long { "\"***\"" } else { number });
                rest = after;
                continue;
            }
            _ => {}
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// The end of the string at the beginning of `json`.
fn string_end(json: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    json.len()
}

/// A masked string with its quotes. Escapes are decoded first, because an escape can be a digit.
fn value(quoted: &str, free: bool) -> String {
    if !quoted.contains('\\') {
        return text(quoted, free);
    }
    match serde_json::from_str::<String>(quoted) {
        Ok(plain) => serde_json::to_string(&text(&plain, free)).unwrap_or_else(|_| "\"***\"".to_owned()),
        Err(_) => "\"***\"".to_owned(),
    }
}

/// Digits may have one space, hyphen, dot or bracket between them.
fn text(plain: &str, free: bool) -> String {
    let chars: Vec<char> = plain.chars().collect();
    let mut out = String::with_capacity(plain.len());
    let mut at = 0;
    while at < chars.len() {
        let has_plus = chars[at] == '+';
        let begins = has_plus || (free && chars[at].is_numeric());
        let end = if begins { run_end(&chars, at + usize::from(has_plus)) } else { at };
        let digits = chars[at..end].iter().filter(|c| c.is_numeric()).count();
        if digits < DIGITS_MIN {
            let end = end.max(at + 1);
            out.extend(&chars[at..end]);
            at = end;
            continue;
        }
        out.push_str(if has_plus { "+***" } else { "***" });
        at = end;
    }
    out
}

/// The end of a run of digits with single separators.
fn run_end(chars: &[char], from: usize) -> usize {
    let mut end = from;
    let mut at = from;
    while let Some(&c) = chars.get(at) {
        if c.is_numeric() {
            end = at + 1;
        } else if !" -.()/".contains(c) || at > end + 1 {
            break;
        }
        at += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_consumers_are_masked_and_those_of_senders_are_not() {
        let json = r#"{"id":"cb_0190f3c8a1b27c3d8e4f5a6b7c8d9e0f","consumer":"+5511987654321",
            "senders":["+551151991234","+4930123456"],"at":"2026-11-23T12:00:00+00:00","reference":"order 12345678"}"#;
        let expected = json.replace("+5511987654321", "+***");
        assert_eq!(masked(json), expected);
    }

    #[test]
    fn free_fields_are_masked_whatever_form_a_number_has() {
        for (given, expected) in [
            (
                r#"{"metadata":{"sender":"5511987654321","n":5511987654321,"x":[1,"+55 11 98765-4321"]},"sender":"+551151991234"}"#,
                r#"{"metadata":{"sender":"***","n":"***","x":[1,"+***"]},"sender":"+551151991234"}"#,
            ),
            (
                r#"{"variables":{"5511987654321":"call (11) 98765-4321 now"},"agent":"sip:+5511987654321@h"}"#,
                r#"{"variables":{"***":"call (***) now"},"agent":"sip:+***@h"}"#,
            ),
            (
                r#"{"metadata":"\u0035511987654321","number":"+551151991234"}"#,
                r#"{"metadata":"***","number":"+551151991234"}"#,
            ),
            (r#"{"metadata":5511987654321}"#, r#"{"metadata":"***"}"#),
            (
                r#"[{"metadata":{"a":{"b":"5511987654321"}}},{"reference":"5511987654321"}]"#,
                r#"[{"metadata":{"a":{"b":"***"}}},{"reference":"5511987654321"}]"#,
            ),
        ] {
            let got = masked(given);
            assert!(serde_json::from_str::<serde_json::Value>(&got).is_ok(), "{got}");
            let loose = |text: &str| text.replace("(***)", "***").replace("(***", "***");
            assert_eq!(loose(&got), loose(expected), "{given}");
        }
    }

    #[test]
    fn six_digits_stay_and_seven_do_not() {
        assert_eq!(text("+123456", false), "+123456");
        assert_eq!(text("+1234567", false), "+***");
        assert_eq!(text("1234567", false), "1234567");
        assert_eq!(text("123456", true), "123456");
        assert_eq!(text("1234567", true), "***");
    }
}
