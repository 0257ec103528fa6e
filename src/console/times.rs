//! Moments on pages: in the consumer's local time first, then in the zone of the team.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

/// A moment that the API wrote.
#[must_use]
pub fn parsed(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A moment, in these zones in their order. The first is the consumer's, where there is one.
#[must_use]
pub fn moment(at: Timestamp, now: Timestamp, zones: &[&TimeZone]) -> Markup {
    let mut shown: Vec<String> = Vec::new();
    for zone in zones {
        let told = told(at, now, zone);
        if !shown.contains(&told) {
            shown.push(told);
        }
    }
    html! {
        time datetime=(at) {
            @for (index, text) in shown.iter().enumerate() {
                @if index == 0 { (text) } @else { " " span.second { "(" (text) ")" } }
            }
        }
    }
}

/// The time of day with its zone, and the day if it is another one.
fn told(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (local, today) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let place = place(zone);
    if local.date() == today.date() {
        return format!("{} {place}", local.strftime("%H:%M"));
    }
    let form = if local.year() == today.year() { "%a %-d %b, %H:%M" } else { "%-d %b %Y, %H:%M" };
    format!("{} {place}", local.strftime(form))
}

/// The name of a zone as people say it: `Sao Paulo`.
#[must_use]
pub fn place(zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or("UTC");
    name.rsplit('/').next().unwrap_or(name).replace('_', " ")
}

/// A sentence of the API with its moments as people write them: in this zone, and without the seconds.
#[must_use]
pub fn readable(sentence: &str, now: Timestamp, zone: &TimeZone) -> String {
    let word = |word: &str| {
        let plain = word.trim_end_matches(['.', ',', ';', ':', ')']);
        // Nothing else of a sentence begins with a year and has the hours after a T.
        match plain.get(10..11).filter(|mark| *mark == "T").and_then(|_| parsed(plain)) {
            Some(at) => format!("{}{}", told(at, now, zone), &word[plain.len()..]),
            None => word.to_owned(),
        }
    };
    sentence.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// How long something takes or has taken: `42 s`, `3 min`, `2 h 5 min`, `3 days`.
#[must_use]
pub fn lasting(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 if seconds % 3600 < 60 => format!("{} h", seconds / 3600),
        3600..172_800 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// How far a moment is: `in 3 min`, `2 h ago`.
#[must_use]
pub fn from_now(at: Timestamp, now: Timestamp) -> String {
    if at >= now {
        format!("in {}", lasting(at.duration_since(now)))
    } else {
        format!("{} ago", lasting(now.duration_since(at)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_consumers_time_is_first_and_no_zone_is_told_twice() {
        let now: Timestamp = "2026-11-29T17:00:00Z".parse().unwrap();
        let at: Timestamp = "2026-11-29T23:30:00Z".parse().unwrap();
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        let shown = moment(at, now, &[&zone, &TimeZone::UTC]).into_string();
        assert!(shown.contains(">20:30 Sao Paulo <span"), "{shown}");
        assert!(shown.contains("(23:30 UTC)"), "{shown}");
        assert!(!moment(at, now, &[&zone, &zone]).into_string().contains("second"));
        assert!(
            moment(at, now + SignedDuration::from_hours(24), &[&zone])
                .into_string()
                .contains("Sun 29 Nov, 20:30")
        );
    }

    #[test]
    fn moments_within_a_sentence_are_told_as_all_others() {
        let now: Timestamp = "2026-11-29T17:00:00Z".parse().unwrap();
        let zone = TimeZone::get("America/Sao_Paulo").unwrap();
        let told = |sentence: &str| readable(sentence, now, &zone);
        assert_eq!(
            told("It lapses at 2026-11-29T23:30:05Z, and ends at 2026-12-06T08:20:48.123Z."),
            "It lapses at 20:30 Sao Paulo, and ends at Sun 6 Dec, 05:20 Sao Paulo."
        );
        for same in ["", "The consumer answered.", "2026-11-29", "an order of 2026-11-29Tx é", "éééééTé"]
        {
            assert_eq!(told(same), same);
        }
    }

    #[test]
    fn durations_are_told_in_their_largest_unit() {
        for (seconds, expected) in [
            (-1, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min"),
            (3600, "1 h"),
            (3660, "1 h 1 min"),
            (172_799, "47 h 59 min"),
            (172_800, "2 days"),
        ] {
            assert_eq!(lasting(SignedDuration::from_secs(seconds)), expected);
        }
    }
}
