//! Who dials for a group: the rule of the lease.
//!
//! A leader has a lease for [`TTL`] and renews it every [`RENEW_EVERY`]. It trusts the lease a second less than the
//! database does, counted by the monotonic clock from before it asked. So clocks that run alike, and an answer that is
//! late by any time, never let two nodes trust the lease of one group at once.
//!
//! The store has the same rule as one statement; a test compares both.

use jiff::{SignedDuration, Timestamp};

use crate::domain::lease::{Lease, LeaseEnd, RunId};

/// How long a lease lasts from each renewal on, by the database's clock.
pub const TTL: SignedDuration = SignedDuration::from_secs(8);
/// From one renewal to the next.
pub const RENEW_EVERY: SignedDuration = SignedDuration::from_secs(2);
/// The time from a failed renewal to the next try.
pub const RETRY_AFTER: SignedDuration = SignedDuration::from_millis(500);
/// The leader trusts its lease so much less than the database.
pub const TRUST_SHORTER_BY: SignedDuration = SignedDuration::from_secs(1);
/// No submission begins to leave with less trust left than this.
pub const LEFT_AT_LEAST: SignedDuration = SignedDuration::from_secs(1);
/// A node that resigned does not claim the lease for so long, unless it starts again.
pub const REST_AFTER_RESIGNING: SignedDuration = SignedDuration::from_secs(10);
/// A node that was not seen for so long is gone: its name may be taken.
pub const GONE_AFTER: SignedDuration = TTL;
/// A node whose clock differs from the database's by more warns.
pub const CLOCK_WARNS: SignedDuration = SignedDuration::from_secs(1);
/// A node whose clock differs by more does not lead.
pub const CLOCK_REFUSES: SignedDuration = SignedDuration::from_secs(5);

/// Who asks for a lease, or renews it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimant<'a> {
    pub node: &'a str,
    pub run: RunId,
    /// It is certain that the process with the lease has ended, so there is nothing to wait for.
    pub takes_over: bool,
}

/// The lease after a claim or renewal at `now`, by the database's clock; `None` if another one holds it.
#[must_use]
pub fn claim(stored: &Lease, by: &Claimant<'_>, now: Timestamp) -> Option<Lease> {
    let until = now.checked_add(TTL).unwrap_or(Timestamp::MAX);
    let is_held = stored.is_held(now);
    if is_held && stored.run == by.run {
        return Some(Lease { until, ..stored.clone() });
    }
    if is_held && !by.takes_over {
        return None;
    }
    let end = match stored.resigned_at {
        Some(_) => LeaseEnd::Resigned,
        None if is_held => LeaseEnd::ProcessEnded,
        None => LeaseEnd::Expired,
    };
    Some(Lease {
        group: stored.group.clone(),
        node: by.node.into(),
        run: by.run,
        term: stored.term.saturating_add(1),
        since: now,
        until,
        resigned_at: None,
        began_after: Some(end),
    })
}

/// Until when the leader trusts a lease that lasts so long by its answer, by the monotonic clock. `asked_at` is from
/// before the request.
#[must_use]
pub fn trusted_until(asked_at: SignedDuration, lasts: SignedDuration) -> SignedDuration {
    asked_at.saturating_add(lasts).saturating_sub(TRUST_SHORTER_BY)
}

/// Whether the leader still trusts its lease.
#[must_use]
pub fn is_trusted(now: SignedDuration, trusted_until: SignedDuration) -> bool {
    now < trusted_until
}

/// What a node does with the difference between its clock and the database's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockVerdict {
    Fine,
    Warns,
    /// It does not lead: its calling hours would be wrong.
    Refuses,
}

/// Judges by how much a clock is ahead of the database's.
#[must_use]
pub fn clock(ahead: SignedDuration) -> ClockVerdict {
    match ahead.abs() {
        off if off > CLOCK_REFUSES => ClockVerdict::Refuses,
        off if off > CLOCK_WARNS => ClockVerdict::Warns,
        _ => ClockVerdict::Fine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: SignedDuration = SignedDuration::from_millis(1);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + millis).unwrap()
    }

    fn held_by(run: u8) -> Lease {
        Lease {
            group: "main".parse().unwrap(),
            node: "a".into(),
            run: RunId([run; 16]),
            term: 7,
            since: at(-60_000),
            until: at(8_000),
            resigned_at: None,
            began_after: None,
        }
    }

    fn claimed(
        stored: &Lease,
        run: u8,
        takes_over: bool,
        millis: i64,
    ) -> Option<(u64, i64, Option<LeaseEnd>)> {
        let by = Claimant { node: "b", run: RunId([run; 16]), takes_over };
        let lease = claim(stored, &by, at(millis))?;
        assert_eq!((lease.run, lease.resigned_at), (by.run, None));
        let left = lease.until.as_millisecond() - at(0).as_millisecond();
        Some((lease.term, left, lease.began_after))
    }

    #[test]
    fn a_lease_is_given_to_another_one_when_it_is_over_and_not_before() {
        let stored = held_by(1);
        assert_eq!(claimed(&stored, 2, false, 7_999), None);
        assert_eq!(claimed(&stored, 2, false, 8_000), Some((8, 16_000, Some(LeaseEnd::Expired))));
        assert_eq!(claimed(&stored, 2, false, 8_001), Some((8, 16_001, Some(LeaseEnd::Expired))));
    }

    #[test]
    fn a_renewal_keeps_the_term_and_one_that_comes_too_late_begins_another() {
        let stored = held_by(1);
        assert_eq!(claimed(&stored, 1, false, 7_999), Some((7, 15_999, None)));
        assert_eq!(claimed(&stored, 1, false, 8_000), Some((8, 16_000, Some(LeaseEnd::Expired))));
    }

    #[test]
    fn a_resigned_lease_and_one_of_an_ended_process_are_given_at_once() {
        let resigned = Lease { resigned_at: Some(at(1)), until: at(1), ..held_by(1) };
        assert_eq!(claimed(&resigned, 2, false, 1), Some((8, 8_001, Some(LeaseEnd::Resigned))));
        assert_eq!(claimed(&resigned, 1, false, 1), Some((8, 8_001, Some(LeaseEnd::Resigned))));
        assert_eq!(claimed(&held_by(1), 2, true, 1), Some((8, 8_001, Some(LeaseEnd::ProcessEnded))));
        assert_eq!(claimed(&held_by(1), 2, true, 8_000), Some((8, 16_000, Some(LeaseEnd::Expired))));
    }

    #[test]
    fn the_leader_trusts_its_lease_a_second_less_than_the_database() {
        let asked = SignedDuration::from_secs(100);
        let until = trusted_until(asked, TTL);
        assert_eq!(until, SignedDuration::from_secs(107));
        assert!(is_trusted(until - MILLI, until));
        assert!(!is_trusted(until, until));
        assert!(!is_trusted(until + MILLI, until));
    }

    #[test]
    fn a_clock_that_is_off_warns_after_one_second_and_does_not_lead_after_five() {
        use ClockVerdict::{Fine, Refuses, Warns};
        for sign in [1, -1] {
            let verdict = |millis: i64| clock(SignedDuration::from_millis(sign * millis));
            let all = [0, 1_000, 1_001, 5_000, 5_001].map(verdict);
            assert_eq!(all, [Fine, Fine, Warns, Warns, Refuses]);
        }
    }
}
