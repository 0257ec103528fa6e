//! Cooldown of a sender that the platform refuses. It grows with each refusal soon after the last.

use jiff::{SignedDuration, Timestamp};

/// The longest cooldown, unless an error code requires more.
const LONGEST: SignedDuration = SignedDuration::from_hours(1);

/// A cooldown of a sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cooldown {
    pub until: Timestamp,
    length: SignedDuration,
}

impl Cooldown {
    /// A pause until this time, which the platform gave.
    #[must_use]
    pub fn ending(now: Timestamp, until: Timestamp) -> Self {
        Self { until, length: LONGEST.min(until.duration_since(now)) }
    }

    /// The cooldown after a refusal at `now`, of at least `asked`.
    ///
    /// A refusal during a cooldown belongs to an earlier request, so the cooldown does not grow. A refusal
    /// within the same time after a cooldown doubles it, up to one hour. A later refusal starts anew.
    #[must_use]
    pub fn after(previous: Option<Self>, now: Timestamp, asked: SignedDuration) -> Self {
        let Some(last) = previous else { return Self { until: now + asked, length: asked } };
        if now < last.until {
            return Self { until: last.until.max(now + asked), length: last.length.max(asked) };
        }
        let again = now < last.until + last.length;
        let length = if again { asked.max(LONGEST.min(last.length * 2)) } else { asked };
        Self { until: now + length, length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: SignedDuration = SignedDuration::from_mins(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::constant(1_790_000_000 + second, 0)
    }

    fn rest(until: i64, minutes: i64) -> Cooldown {
        Cooldown { until: at(until), length: SignedDuration::from_mins(minutes) }
    }

    #[test]
    fn the_first_rest_is_as_long_as_asked() {
        assert_eq!(Cooldown::after(None, at(0), MINUTE), rest(60, 1));
    }

    #[test]
    fn a_refusal_within_a_rest_does_not_double_it() {
        let first = Some(rest(60, 1));
        assert_eq!(Cooldown::after(first, at(59), MINUTE), rest(119, 1));
        assert_eq!(Cooldown::after(first, at(0), MINUTE), rest(60, 1));
        // A code may require a longer cooldown.
        assert_eq!(Cooldown::after(first, at(30), MINUTE * 60), rest(3_630, 60));
        // A code never shortens it.
        assert_eq!(Cooldown::after(Some(rest(3_600, 60)), at(0), MINUTE), rest(3_600, 60));
    }

    #[test]
    fn a_refusal_soon_after_a_rest_doubles_it() {
        let first = Some(rest(60, 1));
        assert_eq!(Cooldown::after(first, at(60), MINUTE), rest(180, 2));
        assert_eq!(Cooldown::after(first, at(119), MINUTE), rest(239, 2));
        assert_eq!(
            Cooldown::after(first, at(120), MINUTE),
            rest(180, 1),
            "that long without one is long enough"
        );
    }

    #[test]
    fn rests_grow_to_an_hour_unless_more_is_asked() {
        let mut last = None;
        let mut minutes = Vec::new();
        for _ in 0..9 {
            let now = last.map_or(at(0), |last: Cooldown| last.until);
            let next = Cooldown::after(last, now, MINUTE);
            minutes.push(next.until.duration_since(now).as_mins());
            last = Some(next);
        }
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        let now = last.unwrap().until;
        assert_eq!(Cooldown::after(last, now, MINUTE * 1_440).until, now + MINUTE * 1_440);
    }
}
