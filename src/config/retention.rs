//! `[retention]`: how long what is over is kept.

use jiff::SignedDuration;

use super::Config;
use super::section::{Reading, Section};
use super::tree::Origin;
use crate::policy::Limits;

const SHORTEST: SignedDuration = SignedDuration::from_hours(24);
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 3_660);
/// Caps of a person count the calls of a week.
const CAPS: SignedDuration = SignedDuration::from_hours(24 * 7);

/// How long each kind is kept after it is over; `None` for ever.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retention {
    /// Closed callbacks and invites, with everything that hangs on them.
    pub callbacks: Option<SignedDuration>,
    /// Lines of timelines that are about no open callback.
    pub timeline: Option<SignedDuration>,
    /// Reports of platforms and commands.
    pub inbox: Option<SignedDuration>,
    /// Webhooks that were delivered or given up.
    pub outbox: Option<SignedDuration>,
    /// Entries of the audit log. No window counts them.
    pub audit: Option<SignedDuration>,
}

impl Retention {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let mut kept = |key| section.ask(key).within(SHORTEST, LONGEST).optional();
        Self {
            callbacks: kept("callbacks"),
            timeline: kept("timeline"),
            inbox: kept("inbox"),
            outbox: kept("outbox"),
            audit: kept("audit"),
        }
    }

    /// Whether everything is kept for ever.
    #[must_use]
    pub fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// The kinds that windows count, with their keys.
    fn each(&self) -> [(&'static str, Option<SignedDuration>); 4] {
        [
            ("callbacks", self.callbacks),
            ("timeline", self.timeline),
            ("inbox", self.inbox),
            ("outbox", self.outbox),
        ]
    }
}

/// Nothing may go before the longest window in which it counts is over.
pub(super) fn check(config: &Config, reading: &mut Reading) {
    let (name, longest) = longest_window(config);
    for (key, kept) in config.retention.each() {
        if kept.is_some_and(|kept| kept < longest) {
            let days = longest.as_hours().saturating_add(23) / 24;
            let problem = format!(
                "is shorter than {name}, which is the longest window in force: expected at least {days}d"
            );
            reading.fault(&Origin::Nowhere, &format!("retention.{key}"), problem);
        }
    }
}

/// The longest window in force, with the key that sets it.
fn longest_window(config: &Config) -> (&'static str, SignedDuration) {
    let published = Limits::of(config.calling.limit_profile);
    let over = &config.limits;
    let windows = [
        (
            "limits.permission_requests_short_window",
            over.permission_requests_short_window.unwrap_or(published.requests_short.window),
        ),
        (
            "limits.permission_requests_long_window",
            over.permission_requests_long_window.unwrap_or(published.requests_long.window),
        ),
        (
            "limits.connected_calls_window",
            over.connected_calls_window.unwrap_or(published.connected_calls.window),
        ),
        ("limits.permission_lifetime", over.permission_lifetime.unwrap_or(published.permission_lifetime)),
        ("limits.request_lifetime", over.request_lifetime.unwrap_or(published.request_lifetime)),
        ("limits.call_button_lifetime", over.call_button_lifetime.unwrap_or(published.call_button_lifetime)),
        ("limits.page_button_lifetime", over.page_button_lifetime.unwrap_or(published.page_button_lifetime)),
        ("the week of calling.people.caps", CAPS),
        (
            "webhooks.give_up_after",
            SignedDuration::try_from(config.webhooks.give_up_after).unwrap_or(SignedDuration::MAX),
        ),
    ];
    windows.into_iter().max_by_key(|(_, window)| *window).unwrap_or(("the week of calling.people.caps", CAPS))
}
