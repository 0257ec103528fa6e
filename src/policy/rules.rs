//! The rules that decisions follow: the limits of the platforms and what the operator chose.

use jiff::{SignedDuration, Timestamp};
use strum::{EnumString, IntoStaticStr};

use super::{Caps, Ceilings, Limits};
use crate::domain::country::Prefix;
use crate::domain::number_zones::Narrowed;
use crate::domain::{ListTerm, Phone, Purpose, Reason, Register};

/// The limits of the platforms and the rules of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub limits: Limits,
    pub retry: Retry,
    /// How long before the earliest possible call a permission may be requested.
    pub ask_ahead: SignedDuration,
    /// Added to every rolling window, because our clock and the platform's differ.
    pub margin: SignedDuration,
    /// Failures in a row, not caused by the consumer, after which a callback fails.
    pub faults_max: u32,
    pub counting: Counting,
    /// If the permission ends before a retry is due, the retry is moved to this long before its end.
    pub pull_forward: SignedDuration,
    /// Whether and when an unanswered permission request is asked again, once.
    pub ask_again: Option<AskAgain>,
    /// The operator's ceilings. The platform's for every sender is in [`Limits`].
    pub ceilings: Ceilings,
    /// Calls that an agent without a ceiling of their own takes at a time.
    pub agent_calls_max: u32,
    /// Prefixes of numbers that are not called.
    pub destinations_refused: Vec<Prefix>,
    pub people: PeopleRules,
    /// The registers that have to be asked about people.
    pub registers: Vec<Register>,
    /// Whether nothing leaves for somebody whom an imported list binds that is past its term.
    pub stop_when_list_expired: bool,
    /// The zones of numbers that tell no region, by country.
    pub number_zones: Narrowed,
    pub inviting: InviteRules,
    pub queueing: Queueing,
}

/// The operator's rules for callbacks that wait for the same resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queueing {
    /// The share of the calls at once of each sender and account, in percent, that callbacks of campaigns leave free unless
    /// their priority is urgent.
    pub urgent_share: u32,
    /// The waiting time that counts as much as one more of priority; zero: none does.
    pub ageing_step: SignedDuration,
}

impl Queueing {
    /// Nothing is reserved, and priorities are strict.
    pub const STRICT: Self = Self { urgent_share: 0, ageing_step: SignedDuration::ZERO };
}

/// The operator's rules of a person, across all senders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeopleRules {
    /// Between the end of a call that the person answered and the next one, unless the order waives it.
    pub gap: SignedDuration,
    pub caps: Caps,
    /// Whether a declined permission request binds its sender only. All other refusals bind every sender.
    pub decline_binds_its_sender_only: bool,
    /// Whether a person who asked to be called, and then declined the permission, is invited to call, once.
    pub invite_after_decline: bool,
}

impl PeopleRules {
    /// A decline binds every sender, nobody is invited after it, ten minutes lie between two calls, and a person is
    /// called twice a day and four times in seven days.
    pub const CAUTIOUS: Self = Self {
        gap: SignedDuration::from_mins(10),
        caps: Caps::CAUTIOUS,
        decline_binds_its_sender_only: false,
        invite_after_decline: false,
    };
}

/// The operator's rules of invites to call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InviteRules {
    /// From one invite of a person to the next, over all senders, roads and callbacks; zero for no limit.
    pub per_person: SignedDuration,
    pub resting_road: RestingRoad,
    /// Whether a URL button leaves while the order's hours are closed. Nobody has to answer a call then.
    pub url_outside_hours: bool,
}

impl InviteRules {
    /// An invite in seven days, and resting roads are skipped.
    pub const CAUTIOUS: Self = Self {
        per_person: SignedDuration::from_hours(7 * 24),
        resting_road: RestingRoad::Skip,
        url_outside_hours: true,
    };
}

/// What to do where the account or the sender of a road rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum RestingRoad {
    /// Take the next road that is open; wait where there is none.
    Skip,
    /// Wait until it rests no more.
    Wait,
}

impl RestingRoad {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// When an unanswered permission request is asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskAgain {
    /// The minimum delay after the first request.
    pub after: SignedDuration,
    /// Not if there is less time than this between the request and the last chance to call.
    pub answer_time: SignedDuration,
}

impl AskAgain {
    /// After a day, where an hour is left for the answer.
    pub const DAILY: Self =
        Self { after: SignedDuration::from_hours(24), answer_time: SignedDuration::from_hours(1) };
}

impl Rules {
    /// How long before the earliest possible call its permission may be requested. A consumer who asked to be called
    /// expects the request at once; it waits only where the permission could end less than [`Self::ask_ahead`] after
    /// that call would be possible.
    #[must_use]
    pub fn lead(&self, purpose: Purpose) -> SignedDuration {
        match purpose {
            Purpose::Requested => self.ask_ahead.max(self.limits.permission_lifetime - self.ask_ahead),
            Purpose::Service | Purpose::Marketing | Purpose::Collections => self.ask_ahead,
        }
    }

    /// The prefix that bars a number from being called, if any.
    #[must_use]
    pub fn bars(&self, consumer: Phone) -> Option<Prefix> {
        self.destinations_refused.iter().copied().find(|prefix| prefix.starts(consumer))
    }

    /// Why nothing leaves to the number before an imported list that binds it is imported again; `None` unless that is
    /// configured. `purpose` is `None` for what belongs to no order.
    #[must_use]
    pub fn expired_list(
        &self,
        now: Timestamp,
        terms: &[ListTerm],
        purpose: Option<Purpose>,
        consumer: Phone,
    ) -> Option<Reason> {
        let terms = if self.stop_when_list_expired { terms } else { &[] };
        let term = terms.iter().find(|term| term.is_over(now, purpose, consumer))?;
        Some(Reason::ListExpired { list: term.list.clone(), since: term.valid_until })
    }
}

/// What counts against limits and what resets them, where the platforms' pages are unclear or may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counting {
    /// A connected call in either direction resets the count of permission requests (Meta, *Obtain user call
    /// permissions*, 26 Jun 2026).
    pub connected_calls_reset_requests: bool,
    /// A connected call resets the misses in a row. The page says "consecutive", but not what resets the
    /// count.
    pub connected_calls_reset_misses: bool,
    /// An undelivered request counts too. No page says whether it does.
    pub undelivered_requests_count: bool,
    pub misses: Misses,
}

/// Which ends of an unanswered call count as missed. Meta's page says "unanswered or rejected", and that SIP
/// responses 480 and 486 "impact call permissions" (26 Jun 2026). It does not mention others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Misses {
    pub no_answer: bool,
    /// Busy, or declined.
    pub busy: bool,
    pub canceled_after_ringing: bool,
    pub failed_after_ringing: bool,
}

impl Counting {
    /// The cautious choice: everything counts.
    pub const CAUTIOUS: Self = Self {
        connected_calls_reset_requests: true,
        connected_calls_reset_misses: true,
        undelivered_requests_count: true,
        misses: Misses {
            no_answer: true,
            busy: true,
            canceled_after_ringing: true,
            failed_after_ringing: true,
        },
    };
}

/// Retry delays after an attempt, by its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    pub no_answer: SignedDuration,
    pub busy: SignedDuration,
    pub canceled: SignedDuration,
    /// The consumer answered and was not served.
    pub abandoned: SignedDuration,
    pub failed: SignedDuration,
    /// Whether the next call after one that nobody answered goes to another part of the day.
    pub shift: bool,
}

impl Rules {
    /// Whether the calls of a person are kept for a week.
    #[must_use]
    pub const fn remember_calls(&self) -> bool {
        self.people.caps.are_set() || self.retry.shift
    }
}
