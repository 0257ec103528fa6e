//! Reads the times of platforms.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// A time as in RFC 2822, which the header `Date` and Twilio's v2010 resources have, or as in ISO 8601, if it is
/// [`plausible`].
#[must_use]
pub fn timestamp(text: &str) -> Option<Timestamp> {
    static RFC_2822: DateTimeParser = DateTimeParser::new();
    let read = RFC_2822.parse_timestamp(text.trim()).ok().or_else(|| text.trim().parse().ok());
    read.filter(|at| plausible(*at))
}

/// A time in seconds since 1970, if it is [`plausible`].
#[must_use]
pub fn seconds(text: &str) -> Option<Timestamp> {
    let read = Timestamp::from_second(text.trim().parse().ok()?).ok();
    read.filter(|at| plausible(*at))
}

/// Whether a time from outside may be used in calculations: from 2000 to 2100, so that adding a window or delay stays
/// in the range of a timestamp. An implausible time counts as absent.
#[must_use]
pub fn plausible(at: Timestamp) -> bool {
    const FIRST: Timestamp = Timestamp::constant(946_684_800, 0);
    const LAST: Timestamp = Timestamp::constant(4_102_444_800, 0);
    (FIRST..=LAST).contains(&at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_of_a_date_are_read() {
        let expected: Timestamp = "2010-08-31T20:36:28Z".parse().unwrap();
        assert_eq!(timestamp("Tue, 31 Aug 2010 20:36:28 +0000"), Some(expected));
        assert_eq!(timestamp("2010-08-31T20:36:28Z"), Some(expected));
        assert_eq!(timestamp("yesterday"), None);
        for (text, taken) in [
            ("1999-12-31T23:59:59Z", false),
            ("2000-01-01T00:00:00Z", true),
            ("2100-01-01T00:00:00Z", true),
            ("2100-01-01T00:00:01Z", false),
            ("9999-12-30T22:00:00Z", false),
            ("-009999-01-02T01:59:59Z", false),
        ] {
            assert_eq!(timestamp(text).is_some(), taken, "{text}");
        }
    }

    #[test]
    fn seconds_are_read_within_the_same_years() {
        for (text, taken) in [
            ("946684799", false),
            ("946684800", true),
            ("1745343479", true),
            ("4102444800", true),
            ("4102444801", false),
            ("1745343479000", false),
            ("99999999999999999999", false),
            ("-1", false),
            ("soon", false),
            ("", false),
        ] {
            assert_eq!(seconds(text).is_some(), taken, "{text}");
        }
    }
}
