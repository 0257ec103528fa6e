//! Moments in the form of RFC 3339.

use std::borrow::Cow;

use jiff::Timestamp;

/// The point and the digits of a nanosecond.
const FRACTION_MAX: usize = 10;

/// Why a text is no moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMoment {
    #[error("is not a time in RFC 3339 with an offset, such as 2026-11-23T09:00:00-03:00")]
    Form,
    #[error("is a time that there is not, or too far away")]
    Range,
    #[error("has the second 60: leap seconds are not taken (our own rule); write the next full second")]
    LeapSecond,
    #[error("is in the year 0000: expected 0001 to 9999 (our own rule)")]
    YearZero,
}

/// A moment, with nanoseconds at most; further digits are cut off.
///
/// # Errors
/// [`NoMoment`] if the text is not in the form of RFC 3339 with seconds and an offset of less than a day, or is a moment
/// that is not taken.
pub fn moment(text: &str) -> Result<Timestamp, NoMoment> {
    let plain = rfc3339(text).ok_or(NoMoment::Form)?;
    is_taken(&plain)?;
    plain.parse().map_err(|_| NoMoment::Range)
}

/// Whether a text that has the order of RFC 3339 names a second and a year that are taken. A reader that takes the second
/// 60 would make another moment of it.
///
/// # Errors
/// [`NoMoment::LeapSecond`] and [`NoMoment::YearZero`].
pub fn is_taken(text: &str) -> Result<(), NoMoment> {
    if text.get(16..19) == Some(":60") {
        return Err(NoMoment::LeapSecond);
    }
    if text.starts_with("0000-") {
        return Err(NoMoment::YearZero);
    }
    Ok(())
}

/// The text, with no more digits of a second than can be read, if it has the form of RFC 3339: with seconds, and an
/// offset of less than a day.
fn rfc3339(text: &str) -> Option<Cow<'_, str>> {
    let digits = |range: std::ops::Range<usize>| {
        text.get(range).is_some_and(|part| part.bytes().all(|b| b.is_ascii_digit()))
    };
    let is_at = |place: usize, of: &[u8]| text.as_bytes().get(place).is_some_and(|byte| of.contains(byte));
    let has_form = text.is_ascii()
        && [(0..4), (5..7), (8..10), (11..13), (14..16), (17..19)].into_iter().all(digits)
        && [(4, &b"-"[..]), (7, b"-"), (10, b"Tt"), (13, b":"), (16, b":")]
            .into_iter()
            .all(|(at, of)| is_at(at, of));
    let rest = text.get(19..).filter(|_| has_form)?;
    let fraction = match rest.strip_prefix('.') {
        Some(digits) => {
            rest.len().saturating_sub(digits.trim_start_matches(|c: char| c.is_ascii_digit()).len())
        }
        None => 0,
    };
    let offset = &rest[fraction..];
    let is_offset = match offset.as_bytes() {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', h1 @ b'0'..=b'2', h2 @ b'0'..=b'9', b':', b'0'..=b'5', b'0'..=b'9'] => {
            (*h1, *h2) <= (b'2', b'3')
        }
        _ => false,
    };
    if !is_offset || fraction == 1 {
        return None;
    }
    Some(match fraction {
        ..=FRACTION_MAX => text.into(),
        _ => format!("{}{}{offset}", &text[..19], &rest[..FRACTION_MAX]).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_the_form_of_rfc_3339() {
        for text in [
            "2026-11-23T09:00:00Z",
            "2026-11-23t09:00:00z",
            "2026-11-23T09:00:00-03:00",
            "2026-11-23T09:00:00+23:59",
            "2026-11-23T09:00:00.5+00:00",
            "2026-11-23T09:00:00.1234567891234Z",
            "2026-11-23T23:59:59Z",
            "0001-01-01T00:00:00Z",
        ] {
            assert!(moment(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T09:00Z",
            "2026-11-23 09:00:00Z",
            "2026-11-23T09:00:00",
            "2026-11-23T09:00:00+24:00",
            "2026-11-23T09:00:00+25:00",
            "2026-11-23T09:00:00+03:60",
            "2026-11-23T09:00:00+3:00",
            "2026-11-23T09:00:00.Z",
            "2026-11-23T09:00:00Z[UTC]",
            "26-11-23T09:00:00Z",
            "2026-11-23T09:00:00\u{2003}Z",
        ] {
            assert_eq!(moment(text), Err(NoMoment::Form), "{text}");
        }
    }

    #[test]
    fn a_moment_that_another_reader_would_change_is_refused() {
        for (text, fault) in [
            ("2026-11-23T09:00:60Z", NoMoment::LeapSecond),
            ("2016-12-31T23:59:60Z", NoMoment::LeapSecond),
            ("2026-11-23T09:00:61Z", NoMoment::Range),
            ("2026-11-23T24:00:00Z", NoMoment::Range),
            ("2026-02-29T09:00:00Z", NoMoment::Range),
            ("0000-01-01T00:00:00Z", NoMoment::YearZero),
        ] {
            assert_eq!(moment(text), Err(fault), "{text}");
        }
    }
}
