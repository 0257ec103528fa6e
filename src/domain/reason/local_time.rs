//! Sentences with their moments in the consumer's time zone.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The length of a moment as sentences have it: `2026-11-23T14:03:00Z`.
const MOMENT: usize = 20;

/// A sentence with each of its moments in the consumer's time zone, and the moment in UTC beside it in brackets: the time
/// of day to the minute, and the date unless that is today.
#[must_use]
pub fn in_zone(sentence: &str, zone: &TimeZone, now: Timestamp) -> String {
    let today = now.to_zoned(zone.clone()).date();
    let mut told = String::with_capacity(sentence.len() + 64);
    let mut rest = sentence;
    while let Some(next) = rest.chars().next() {
        let moment = rest.get(..MOMENT).filter(|text| next.is_ascii_digit() && text.ends_with('Z'));
        let Some((text, at)) = moment.and_then(|text| Some((text, text.parse::<Timestamp>().ok()?))) else {
            told.push(next);
            rest = &rest[next.len_utf8()..];
            continue;
        };
        let local = at.to_zoned(zone.clone());
        let format = if local.date() == today { "%H:%M" } else { "%a %-d %b %Y, %H:%M" };
        told.push_str(&format!("{} in the consumer's time ({text})", local.strftime(format)));
        rest = &rest[MOMENT..];
    }
    told
}
