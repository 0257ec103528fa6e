//! Exact rolling windows over logs of timestamps. There are no buckets, so boundaries are exact.

use jiff::{SignedDuration, Timestamp};

use super::limits::Rolling;

/// A limit that is used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsedUp {
    pub used: u32,
    /// When the oldest counted entry leaves the window.
    pub lifts_at: Timestamp,
}

/// Whether one more at `now` would break the limit.
///
/// An entry leaves the window exactly one window plus the safety margin after it happened. Entries in the
/// future count too, so that a clock that steps back never allows more.
#[must_use]
pub fn used_up(log: &[Timestamp], now: Timestamp, limit: Rolling, margin: SignedDuration) -> Option<UsedUp> {
    let window = limit.window.saturating_add(margin);
    let inside = log.iter().filter(|&&at| leaves(at, window) > now).count();
    let max = usize::try_from(limit.max).unwrap_or(usize::MAX);
    if inside < max {
        return None;
    }
    // One more fits when the window has only `max - 1` entries left.
    let last_to_leave = max.checked_sub(1).map(|keep| log.len() - keep - 1).and_then(|index| log.get(index));
    let lifts_at = last_to_leave.map_or(Timestamp::MAX, |&at| leaves(at, window));
    Some(UsedUp { used: u32::try_from(inside).unwrap_or(u32::MAX), lifts_at })
}

/// When the oldest entry counted at `now` leaves the window.
#[must_use]
pub fn first_to_leave(log: &[Timestamp], now: Timestamp, window: SignedDuration) -> Option<Timestamp> {
    log.iter().map(|&at| leaves(at, window)).filter(|&at| at > now).min()
}

/// How many entries the window counts at `now`.
#[must_use]
pub fn inside(log: &[Timestamp], now: Timestamp, window: SignedDuration) -> usize {
    log.iter().filter(|&&at| leaves(at, window) > now).count()
}

/// Drops entries that are outside of every window.
pub fn trim(log: &mut Vec<Timestamp>, now: Timestamp, longest: SignedDuration) {
    log.retain(|&at| leaves(at, longest) > now);
}

fn leaves(at: Timestamp, window: SignedDuration) -> Timestamp {
    at.checked_add(window).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: SignedDuration = SignedDuration::from_hours(1);

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).unwrap()
    }

    fn limit(max: u32) -> Rolling {
        Rolling { max, window: HOUR }
    }

    #[test]
    fn an_entry_leaves_the_window_exactly_one_window_later() {
        let log = [at(0)];
        let check = |second| used_up(&log, at(second), limit(1), SignedDuration::ZERO);
        assert_eq!(check(3599), Some(UsedUp { used: 1, lifts_at: at(3600) }));
        assert_eq!(check(3600), None);
        assert_eq!(check(3601), None);
    }

    #[test]
    fn the_margin_widens_the_window() {
        let log = [at(0)];
        let check = |second| used_up(&log, at(second), limit(1), SignedDuration::from_secs(2));
        assert_eq!(check(3601).map(|u| u.lifts_at), Some(at(3602)));
        assert_eq!(check(3602), None);
    }

    #[test]
    fn the_older_of_two_lifts_the_limit() {
        let log = [at(0), at(600)];
        assert_eq!(
            used_up(&log, at(700), limit(2), SignedDuration::ZERO),
            Some(UsedUp { used: 2, lifts_at: at(3600) })
        );
        assert_eq!(used_up(&log, at(3600), limit(2), SignedDuration::ZERO), None);
    }

    #[test]
    fn an_entry_is_dropped_at_the_instant_at_which_it_leaves_the_longest_window() {
        let mut log = vec![at(-3601), at(-3600), at(-3599), at(0)];
        trim(&mut log, at(0), HOUR);
        assert_eq!(log, [at(-3599), at(0)]);
    }

    #[test]
    fn a_clock_that_stepped_back_grants_nothing() {
        let log = [at(0)];
        assert!(used_up(&log, at(-86_400), limit(1), SignedDuration::ZERO).is_some());
    }

    #[test]
    fn a_limit_of_none_never_lifts() {
        assert_eq!(
            used_up(&[], at(0), limit(0), SignedDuration::ZERO),
            Some(UsedUp { used: 0, lifts_at: Timestamp::MAX })
        );
    }

    proptest! {
        /// Waiting for `lifts_at` never leads to more than the maximum in any window.
        #[test]
        fn no_window_ever_holds_more_than_the_maximum(
            gaps in proptest::collection::vec(0_i64..5000, 1..60),
            max in 1_u32..5,
        ) {
            let mut log: Vec<Timestamp> = Vec::new();
            let mut now = 0;
            for gap in gaps {
                now += gap;
                if let Some(used_up) = used_up(&log, at(now), limit(max), SignedDuration::ZERO) {
                    prop_assert!(used_up.lifts_at > at(now));
                    now = used_up.lifts_at.as_second() - 1_790_000_000;
                }
                log.push(at(now));
            }
            for (index, &first) in log.iter().enumerate() {
                let inside = log[index..].iter().filter(|&&other| other < first + HOUR).count();
                prop_assert!(inside <= max as usize);
            }
        }
    }
}
