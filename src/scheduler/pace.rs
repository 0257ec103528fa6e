//! The pace of one account: calls per second, requests in flight, and pauses after errors.
//!
//! Twilio queues calls above the account's rate for up to a day, so a queued call could ring outside its
//! window. So calls are never sent faster than that rate (Twilio, *Calls resource*, 2026).

use std::borrow::Cow;
use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};

use super::rate_limiter::RateLimiter;
use crate::domain::AccountView;
use crate::platform::Health;

/// The state of an account. Time is an argument, so that it works with any clock.
pub(super) struct Pace {
    /// Limits the rate of decisions.
    deciding: RateLimiter,
    /// Limits the rate of sent calls: calls that waited for room are not sent faster either.
    leaving: RateLimiter,
    leaves_at: Timestamp,
    /// Empty for one second after a start, if calls were sent in the second before it.
    held: Option<RateLimiter>,
    synced: Timestamp,
    /// A permit for a call that was taken from the rate limiter and is not used yet.
    reserved: bool,
    next_call_at: Timestamp,
    in_flight: u32,
    in_flight_max: u32,
    burst: usize,
    rest: Backoff,
}

/// Errors of the account, and its pause.
#[derive(Default)]
struct Backoff {
    troubles: u32,
    until: Option<(Timestamp, Cow<'static, str>)>,
    /// After a pause, one request is sent first, alone.
    probing: bool,
}

const REST_FIRST: SignedDuration = SignedDuration::from_secs(1);
const REST_LONGEST: SignedDuration = SignedDuration::from_secs(60);

impl Pace {
    /// `per_second` must be above zero. A fast account may send the calls of 50 ms at once.
    pub(super) fn new(now: Timestamp, per_second: f64, in_flight_max: u32) -> Self {
        let catch_up = (per_second / 20.0).floor().clamp(1.0, 1e6);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=1e6")]
        let burst = NonZeroU32::new(catch_up as u32).unwrap_or(NonZeroU32::MIN);
        Self {
            deciding: RateLimiter::new(now, per_second, burst),
            leaving: RateLimiter::new(now, per_second, burst),
            leaves_at: Timestamp::MIN,
            held: None,
            synced: now,
            reserved: false,
            next_call_at: Timestamp::MIN,
            in_flight: 0,
            in_flight_max,
            burst: burst.get() as usize,
            rest: Backoff::default(),
        }
    }

    /// Sets the time. A clock that stepped back gives no extra permits and no delay.
    pub(super) fn sync(&mut self, now: Timestamp) {
        let passed = now.duration_since(self.synced);
        self.synced = now;
        self.deciding.sync(now);
        self.leaving.sync(now);
        if let Some(held) = &mut self.held {
            held.sync(now);
        }
        if passed.is_negative()
            && let Some((until, _)) = &mut self.rest.until
        {
            *until = until.checked_add(passed).unwrap_or(now);
        }
        if self.rest.until.as_ref().is_some_and(|(until, _)| *until <= now) {
            self.rest.until = None;
            self.rest.probing = true;
        }
        if !self.reserved {
            _ = self.draw();
        }
    }

    /// Reserves a permit if there is one. Returns whether the rate limiter was full before.
    fn draw(&mut self) -> bool {
        match self.deciding.take() {
            Ok(left) => {
                self.reserved = true;
                self.next_call_at = Timestamp::MIN;
                left as usize + 1 >= self.burst
            }
            Err(next) => {
                self.next_call_at = next;
                false
            }
        }
    }

    /// Takes a permit to send one call, if there is one.
    pub(super) fn call_may_leave(&mut self) -> bool {
        let refused = self.held.as_ref().and_then(|held| held.take().err());
        if refused.is_none() {
            self.held = None;
        }
        let refused = refused.or_else(|| self.leaving.take().err());
        self.leaves_at = refused.unwrap_or(Timestamp::MIN);
        refused.is_none()
    }

    /// Sends no call for one second, because calls just before the start count too.
    pub(super) fn hold(&mut self) {
        let held = RateLimiter::new(self.synced, 1.0, NonZeroU32::MIN);
        _ = held.take();
        self.held = Some(held);
    }

    /// The account as input of the rules.
    pub(super) fn view(&self) -> AccountView {
        AccountView { paused: self.rest.until.clone(), next_call_at: self.next_call_at }
    }

    /// Uses the reserved permit for a call, and reserves the next one if there is one.
    pub(super) fn take(&mut self, now: Timestamp) {
        self.sync(now);
        self.reserved = false;
        // The rate limiter filled up while a permit was reserved, so it has one too many.
        if self.draw() {
            self.reserved = false;
            _ = self.draw();
        }
    }

    /// Whether one more request may be sent.
    pub(super) fn may_send(&self) -> bool {
        self.places() > 0
    }

    /// How many more requests may be sent.
    pub(super) fn places(&self) -> usize {
        if self.rest.until.is_some() {
            return 0;
        }
        let max = if self.rest.probing { 1 } else { self.in_flight_max };
        max.saturating_sub(self.in_flight) as usize
    }

    pub(super) fn sent(&mut self) {
        self.in_flight += 1;
    }

    /// The request was not sent.
    pub(super) fn unsent(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Forgets the requests in flight, whose number is unknown now.
    pub(super) const fn forget_requests(&mut self) {
        self.in_flight = 0;
    }

    /// Roughly how many calls can be placed now.
    pub(super) fn room(&self, now: Timestamp) -> usize {
        if self.rest.until.is_some() || self.next_call_at > now { 0 } else { self.burst }
    }

    /// A request has ended, with or without an answer.
    pub(super) fn answered(&mut self, now: Timestamp, health: &Health) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match health {
            // Keep a pause that began after the request was sent.
            Health::Fine if self.rest.until.is_none() => self.rest = Backoff::default(),
            Health::Fine => {}
            Health::Trouble { why, at_least } => {
                // Errors of requests that were in flight together count once.
                if self.rest.until.is_none() {
                    self.rest.troubles = self.rest.troubles.saturating_add(1);
                }
                let doubled = REST_FIRST * 2_i32.pow(self.rest.troubles.saturating_sub(1).min(6));
                let rest = doubled.min(REST_LONGEST).max(at_least.unwrap_or(SignedDuration::ZERO));
                self.rest.until = Some((now + rest, why.clone()));
            }
        }
    }

    /// The platform asked to slow down.
    pub(super) fn rest_for(&mut self, now: Timestamp, pause: SignedDuration, why: &'static str) {
        let until = now + pause;
        if self.rest.until.as_ref().is_none_or(|(known, _)| *known < until) {
            self.rest.until = Some((until, why.into()));
        }
    }

    /// The platform restricts the account until this time, which replaces a pause of before.
    pub(super) fn rest_until(&mut self, until: Timestamp, why: String) {
        self.rest.until = Some((until, why.into()));
    }

    /// The platform's restriction has ended.
    pub(super) fn end_rest(&mut self) {
        self.rest = Backoff::default();
    }

    /// When the next call may be sent after a refused one.
    pub(super) const fn leaves_at(&self) -> Timestamp {
        self.leaves_at
    }

    /// When the state changes by itself: at the end of a pause, or with the next permit.
    pub(super) fn changes_at(&self) -> Timestamp {
        self.rest.until.as_ref().map_or(self.next_call_at, |(until, _)| *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(1_790_000_000_000 + millis).unwrap()
    }

    /// Takes as many calls as the pace allows at each of these times.
    fn taken(pace: &mut Pace, moments: impl Iterator<Item = i64>) -> Vec<i64> {
        let mut taken = Vec::new();
        for moment in moments {
            pace.sync(at(moment));
            while pace.view().next_call_at <= at(moment) {
                taken.push(moment);
                pace.take(at(moment));
            }
        }
        taken
    }

    #[test]
    fn one_call_per_second_is_one_call_per_second() {
        let mut pace = Pace::new(at(0), 1.0, 10);
        assert_eq!(taken(&mut pace, (0..=3000).step_by(50)), [0, 1000, 2000, 3000]);
    }

    #[test]
    fn calls_that_waited_for_room_leave_no_faster_than_they_were_decided() {
        let mut pace = Pace::new(at(0), 2.0, 10);
        let mut left = Vec::new();
        for moment in (5_000..=6_500).step_by(100) {
            pace.sync(at(moment));
            while pace.call_may_leave() {
                left.push(moment);
            }
            assert_eq!(pace.leaves_at(), at(left[left.len() - 1] + 500));
        }
        assert_eq!(left, [5_000, 5_500, 6_000, 6_500]);
    }

    #[test]
    fn a_held_pace_lets_nothing_leave_for_a_second_and_then_goes_on() {
        let mut pace = Pace::new(at(0), 10.0, 10);
        pace.hold();
        for moment in [0, 500, 999] {
            pace.sync(at(moment));
            assert!(!pace.call_may_leave());
            assert_eq!(pace.leaves_at(), at(1_000));
        }
        pace.sync(at(1_000));
        assert!(pace.call_may_leave());
        assert!(!pace.call_may_leave());
        assert_eq!(pace.leaves_at(), at(1_100));
    }

    #[test]
    fn idle_time_is_not_saved_up() {
        let mut pace = Pace::new(at(0), 1.0, 10);
        assert_eq!(taken(&mut pace, [0, 60_000, 60_001, 60_999, 61_000].into_iter()), [0, 60_000, 61_000]);
    }

    #[test]
    fn a_share_in_the_hand_is_not_one_more_after_idle_time() {
        let mut pace = Pace::new(at(0), 1.0, 10);
        assert_eq!(taken(&mut pace, [0].into_iter()), [0]);
        // A turn without calls.
        pace.sync(at(5000));
        assert_eq!(taken(&mut pace, [60_000, 60_001, 60_999, 61_000].into_iter()), [60_000, 61_000]);
    }

    #[test]
    fn a_clock_that_stepped_back_grants_nothing_and_freezes_nothing() {
        let mut pace = Pace::new(at(0), 1.0, 10);
        assert_eq!(taken(&mut pace, [0, -5000, -4001, -4000, -3001].into_iter()), [0, -4000]);
        pace.sent();
        pace.answered(at(-3001), &Health::Trouble { why: "out of order".into(), at_least: None });
        pace.sync(at(-10_000));
        assert_eq!(pace.changes_at(), at(-9000), "a rest stays as long as it was");
    }

    #[test]
    fn a_fast_account_keeps_its_rate_in_coarse_turns() {
        let mut pace = Pace::new(at(0), 1000.0, 10);
        let count = taken(&mut pace, (0..1000).step_by(10)).len();
        assert!((950..=1060).contains(&count), "{count}");
    }

    #[test]
    fn trouble_doubles_the_rest_and_one_request_probes() {
        let trouble = Health::Trouble { why: "out of order".into(), at_least: None };
        let mut pace = Pace::new(at(0), 1.0, 10);
        pace.sent();
        pace.answered(at(0), &trouble);
        assert_eq!(pace.changes_at(), at(1000));
        pace.sync(at(999));
        assert!(!pace.may_send());
        pace.sync(at(1000));
        assert!(pace.may_send());
        pace.sent();
        assert!(!pace.may_send(), "the probe goes alone");
        pace.answered(at(1100), &trouble);
        assert_eq!(pace.changes_at(), at(3100));
        pace.sync(at(3100));
        pace.sent();
        pace.answered(at(3200), &Health::Fine);
        pace.sent();
        assert!(pace.may_send());
    }

    #[test]
    fn the_rest_is_as_long_as_the_platform_says() {
        let mut pace = Pace::new(at(0), 1.0, 10);
        let at_least = Some(SignedDuration::from_secs(30));
        pace.answered(at(0), &Health::Trouble { why: "too many requests".into(), at_least });
        assert_eq!(pace.changes_at(), at(30_000));
    }
}
