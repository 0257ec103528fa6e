//! Parsers for the parts of a script: durations, times, habits.

use anyhow::{Context as _, Result, bail};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ringmaster::policy::RestingRoad;
use ringmaster::sim::world::{Client, Habit};

/// Splits a line into words; quoted text is one word.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('"').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(ToOwned::to_owned));
        }
    }
    words
}

/// `90m`, `7d`, `1h30m`, `10s`.
pub(super) fn span(text: &str) -> Result<SignedDuration> {
    let mut span = SignedDuration::ZERO;
    let mut number = String::new();
    for c in text.chars() {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let count: i64 = number.parse().with_context(|| format!("{text:?} is not a duration"))?;
        number.clear();
        span += match c {
            'd' => SignedDuration::from_hours(24 * count),
            'h' => SignedDuration::from_hours(count),
            'm' => SignedDuration::from_mins(count),
            's' => SignedDuration::from_secs(count),
            _ => bail!("{text:?} is not a duration: expected such as 90m, 7d or 1h30m"),
        };
    }
    if !number.is_empty() || text.is_empty() {
        bail!("{text:?} is not a duration: a unit (d, h, m, s) is missing");
    }
    Ok(span)
}

/// `2026-11-23` and `09:00` or `09:00:30`, in the scenario's time zone.
pub(super) fn moment(date: &str, time: &str, zone: &TimeZone) -> Result<Timestamp> {
    let text = if time.len() == 5 { format!("{date}T{time}:00") } else { format!("{date}T{time}") };
    let local: DateTime = text.parse().with_context(|| format!("{date} {time} is not a date and time"))?;
    Ok(local.to_zoned(zone.clone())?.timestamp())
}

/// A consumer's habit, by its name in scripts.
pub(super) fn habit(words: &[&str]) -> Result<Habit> {
    Ok(match words {
        ["accepts"] => Habit::Talks,
        ["accepts", "permanently"] => Habit::GrantsPermanently,
        ["refuses"] => Habit::Refuses,
        ["ignores"] => Habit::Ignores,
        ["refuses", "then", "accepts"] => Habit::ChangesMind,
        ["accepts", "then", "revokes"] => Habit::Revokes,
        ["accepts", "and", "misses"] => Habit::Misses,
        ["accepts", "and", "declines", "calls"] => Habit::Declines,
        ["accepts", "and", "is", "busy"] => Habit::Busy,
        ["accepts", "and", "answers", "every", "second", "call"] => Habit::Sometimes,
        ["calls", "when", "invited"] => Habit::CallsIn,
        ["is", "not", "on", "WhatsApp"] => Habit::Absent,
        other => bail!("{:?} is not a habit", other.join(" ")),
    })
}

/// What is done with a road whose account rests: `skipped` or `awaited`.
pub(super) fn resting_road(word: &str) -> Result<RestingRoad> {
    match word {
        "skipped" => Ok(RestingRoad::Skip),
        "awaited" => Ok(RestingRoad::Wait),
        other => bail!("{other:?} is neither skipped nor awaited"),
    }
}

/// A consumer's WhatsApp.
pub(super) fn client(words: &[&str]) -> Result<Client> {
    let usual = Client::default();
    Ok(match words {
        ["drops", "payloads"] => Client { drops_payload: true, ..usual },
        ["has", "no", "call", "buttons"] => Client { has_no_buttons: true, ..usual },
        ["is", "on", "a", "computer"] => Client { is_desktop: true, ..usual },
        ["hides", "the", "number"] => Client { hides_number: true, ..usual },
        other => bail!("{:?} is not a property of a client", other.join(" ")),
    })
}
