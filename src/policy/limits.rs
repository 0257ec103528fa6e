//! The platforms' limits as dated data: value, what it counts, date and source.
//!
//! The values change often and public pages disagree, so no rule contains a value of its own.

use jiff::SignedDuration;
use strum::{EnumString, IntoStaticStr};

/// The limits in force. Made from a [`Profile`] and the operator's overrides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Permission requests to a pair in the short window.
    pub requests_short: Rolling,
    /// Permission requests to a pair in the long window.
    pub requests_long: Rolling,
    /// How long a temporary permission lasts from the consumer's approval.
    pub permission_lifetime: SignedDuration,
    /// How long a request can be answered, from its delivery.
    pub request_lifetime: SignedDuration,
    /// Connected calls of a pair that we placed.
    pub connected_calls: Rolling,
    /// Calls in progress of one sender, in both directions.
    pub concurrent_calls_max: u32,
    /// Missed calls in a row after which the platform asks the consumer to reconsider (the nudge).
    pub misses_before_nudge: u32,
    /// Missed calls in a row after which the platform revokes the permission.
    pub misses_before_revocation: u32,
    /// How long after the consumer's last message or call free-form messages are allowed.
    pub service_window: SignedDuration,
    /// From one message of a sender to a consumer to the next one.
    pub message_gap: SignedDuration,
    /// How long after a person's last message to a page the page may write.
    pub page_window: SignedDuration,
    /// How long a call button on WhatsApp can last.
    pub call_button_lifetime: SignedDuration,
    /// The same on Messenger.
    pub page_button_lifetime: SignedDuration,
}

/// At most `max` in any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rolling {
    pub max: u32,
    pub window: SignedDuration,
}

/// A set of limits that one platform publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Profile {
    /// What Twilio documents.
    Twilio,
    /// What Meta documents today.
    Meta,
    /// Meta's public test numbers.
    TestNumber,
}

impl Profile {
    pub const ALL: [Self; 3] = [Self::Twilio, Self::Meta, Self::TestNumber];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// One published limit.
#[derive(Debug, Clone, Copy)]
pub struct Published {
    pub name: &'static str,
    /// One value for each of [`Profile::ALL`].
    pub values: [Value; 3],
    pub counts: &'static str,
    pub since: &'static str,
    pub source: &'static str,
}

/// A limit's value: a count or a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    Count(u32),
    Hours(i64),
    Seconds(i64),
}

use Value::{Count, Hours, Seconds};

const PERMISSIONS: &str =
    "Meta, Obtain user call permissions (26 Jun 2026); Twilio, WhatsApp Business Calling";
const CALLS: &str = "Twilio error 37006 (5 connected); Meta, Cloud API Calling changelog (100 since 19 Dec 2025, 26 Jun 2026)";

/// The published limits, by their names in the configuration.
pub const PUBLISHED: [Published; 16] = [
    Published {
        name: "permission_requests_short_max",
        values: [Count(1), Count(1), Count(25)],
        counts: "permission requests to a pair within permission_requests_short_window, templates and free-form together",
        since: "2025-07-15",
        source: PERMISSIONS,
    },
    Published {
        name: "permission_requests_short_window",
        values: [Hours(24), Hours(24), Hours(24)],
        counts: "rolling, from the sending of the request",
        since: "2025-07-15",
        source: PERMISSIONS,
    },
    Published {
        name: "permission_requests_long_max",
        values: [Count(2), Count(2), Count(100)],
        counts: "permission requests to a pair within permission_requests_long_window",
        since: "2025-07-15",
        source: PERMISSIONS,
    },
    Published {
        name: "permission_requests_long_window",
        values: [Hours(168), Hours(168), Hours(168)],
        counts: "rolling, from the sending of the request",
        since: "2025-07-15",
        source: PERMISSIONS,
    },
    Published {
        name: "permission_lifetime",
        values: [Hours(168), Hours(168), Hours(168)],
        counts: "from the consumer's approval of a temporary permission",
        since: "2025-07-15",
        source: PERMISSIONS,
    },
    Published {
        name: "request_lifetime",
        values: [Hours(168), Hours(168), Hours(168)],
        counts: "from the delivery of a request, or from its sending where no delivery is reported",
        since: "2025-07-15",
        source: PERMISSIONS,
    },
    Published {
        name: "connected_calls_max",
        values: [Count(5), Count(100), Count(100)],
        counts: "calls that we placed to a pair and the consumer answered, within connected_calls_window",
        since: "2025-12-19",
        source: CALLS,
    },
    Published {
        name: "connected_calls_window",
        values: [Hours(24), Hours(24), Hours(24)],
        counts: "rolling, from the answer",
        since: "2025-07-15",
        source: CALLS,
    },
    Published {
        name: "concurrent_calls_per_sender_max",
        values: [Count(1000), Count(1000), Count(1000)],
        counts: "calls in progress of one sender, in both directions",
        since: "2025-07-15",
        source: "Twilio, WhatsApp Business Calling; Meta error 138002 (24 Jun 2026)",
    },
    Published {
        name: "misses_before_nudge",
        values: [Count(2), Count(2), Count(5)],
        counts: "calls that rang and were not answered, in a row; declined ones too",
        since: "2025-07-15",
        source: PERMISSIONS,
    },
    Published {
        name: "misses_before_revocation",
        values: [Count(4), Count(4), Count(10)],
        counts: "calls that rang and were not answered, in a row; declined ones too",
        since: "2025-07-15",
        source: PERMISSIONS,
    },
    Published {
        name: "service_window",
        values: [Hours(24), Hours(24), Hours(24)],
        counts: "from the consumer's last message or call",
        since: "2025-07-15",
        source: "Meta, Calling API pricing (2 Mar 2026); Twilio error 63016",
    },
    Published {
        name: "message_gap",
        values: [Seconds(6), Seconds(6), Seconds(6)],
        counts: "from one message of a sender to a consumer to the next; bursts are possible and not used",
        since: "2025-07-15",
        source: "Meta, Cloud API overview, pair rate limit, quoted by another document (2026); Meta error 131056",
    },
    Published {
        name: "page_window",
        values: [Hours(24), Hours(24), Hours(24)],
        counts: "from a person's last message to a page of Messenger",
        since: "2026-03-16",
        source: "Meta, Messenger, Call Audio CTA (16 Mar 2026); Messenger common error codes (18 Mar 2026)",
    },
    Published {
        name: "call_button_lifetime",
        values: [Hours(720), Hours(720), Hours(720)],
        counts: "the longest time that a call button on WhatsApp lasts, from its sending",
        since: "2025-07-15",
        source: "Meta, Call button messages and deep links (26 Jun 2026)",
    },
    Published {
        name: "page_button_lifetime",
        values: [Hours(168), Hours(168), Hours(168)],
        counts: "the longest time that a call button on Messenger lasts, from its sending",
        since: "2026-03-16",
        source: "Meta, Messenger, Call Audio CTA (16 Mar 2026)",
    },
];

impl Limits {
    /// What a profile publishes.
    #[must_use]
    pub fn of(profile: Profile) -> Self {
        let column = Profile::ALL.iter().position(|&p| p == profile).unwrap_or_default();
        let value = |name: &str| {
            PUBLISHED.iter().find(|limit| limit.name == name).map_or(Count(0), |limit| limit.values[column])
        };
        let count = |name: &str| match value(name) {
            Count(count) => count,
            Hours(_) | Seconds(_) => 0,
        };
        let span = |name: &str| match value(name) {
            Hours(hours) => SignedDuration::from_hours(hours),
            Seconds(seconds) => SignedDuration::from_secs(seconds),
            Count(_) => SignedDuration::ZERO,
        };
        let rolling = |max: &str, window: &str| Rolling { max: count(max), window: span(window) };
        Self {
            requests_short: rolling("permission_requests_short_max", "permission_requests_short_window"),
            requests_long: rolling("permission_requests_long_max", "permission_requests_long_window"),
            permission_lifetime: span("permission_lifetime"),
            request_lifetime: span("request_lifetime"),
            connected_calls: rolling("connected_calls_max", "connected_calls_window"),
            concurrent_calls_max: count("concurrent_calls_per_sender_max"),
            misses_before_nudge: count("misses_before_nudge"),
            misses_before_revocation: count("misses_before_revocation"),
            service_window: span("service_window"),
            message_gap: span("message_gap"),
            page_window: span("page_window"),
            call_button_lifetime: span("call_button_lifetime"),
            page_button_lifetime: span("page_button_lifetime"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_fills_every_limit() {
        for profile in Profile::ALL {
            let limits = Limits::of(profile);
            for count in [
                limits.requests_short.max,
                limits.requests_long.max,
                limits.connected_calls.max,
                limits.concurrent_calls_max,
                limits.misses_before_nudge,
                limits.misses_before_revocation,
            ] {
                assert!(count > 0, "{profile:?}");
            }
            for span in [
                limits.requests_short.window,
                limits.requests_long.window,
                limits.permission_lifetime,
                limits.request_lifetime,
                limits.connected_calls.window,
                limits.service_window,
                limits.page_window,
                limits.call_button_lifetime,
                limits.page_button_lifetime,
            ] {
                assert!(span >= SignedDuration::from_hours(24), "{profile:?}");
            }
            assert_eq!(limits.message_gap, SignedDuration::from_secs(6), "{profile:?}");
        }
    }

    #[test]
    fn every_profile_has_a_word_and_is_found_by_it() {
        let words = Profile::ALL.map(Profile::as_str);
        assert_eq!(words, ["twilio", "meta", "test-number"]);
        assert_eq!(words.map(str::parse), Profile::ALL.map(Ok));
        assert!("Twilio".parse::<Profile>().is_err());
    }

    #[test]
    fn the_profiles_differ_where_the_platforms_do() {
        assert_eq!(Limits::of(Profile::Twilio).connected_calls.max, 5);
        assert_eq!(Limits::of(Profile::Meta).connected_calls.max, 100);
        assert_eq!(Limits::of(Profile::TestNumber).requests_short.max, 25);
        assert_eq!(Limits::of(Profile::TestNumber).misses_before_revocation, 10);
    }
}
