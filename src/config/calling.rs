//! `[calling]` and `[limits]`: our own rules, and overrides of the platforms' limits.

use jiff::SignedDuration;

use crate::domain::attempt::Timeouts;
use crate::domain::country::{EXCLUSIONS, Platform, Prefix};
use crate::domain::number_zones::Narrowed;
use crate::domain::{Country, Words, WrittenHours};
use crate::policy::presets::{PRESETS, Preset, find};
use crate::policy::{Caps, Misses, PeopleRules, Profile, Queueing, Retry};

use super::section::Section;
use super::tree::Value;
use super::value::{Setting, quoted};

/// Rules for callbacks that the order does not override.
#[derive(Debug, Clone, PartialEq)]
pub struct Calling {
    pub limit_profile: Profile,
    pub ring_timeout: SignedDuration,
    pub call_time_limit: SignedDuration,
    pub attempts_max: u32,
    /// Failures in a row, not caused by the consumer, after which a callback fails.
    pub faults_max: u32,
    pub retry: Retry,
    pub silence: Timeouts,
    /// Hours for orders without hours of their own; `None` means any time.
    pub hours: Option<WrittenHours>,
    /// The hours of laws that narrow those of orders.
    pub hours_presets: Vec<&'static Preset>,
    /// The zones of numbers that tell no region, by country.
    pub number_zones: Narrowed,
    /// The country of numbers in orders that are written without `+`; `None` refuses them.
    pub default_country: Option<Country>,
    /// How long before its earliest time a callback's permission request may be sent.
    pub permission_request_lead: SignedDuration,
    /// Added to every window of the platform, because its clock may differ from ours.
    pub limit_margin: SignedDuration,
    /// If the permission ends before a retry is due, the retry is moved to this long before its end.
    pub pull_forward: SignedDuration,
    /// Whether an unanswered permission request is sent once more, a day later at the earliest.
    pub ask_again: bool,
    /// A connected call resets the count of permission requests, or of misses.
    pub connected_calls_reset_requests: bool,
    pub connected_calls_reset_misses: bool,
    /// An undelivered permission request counts too.
    pub undelivered_requests_count: bool,
    /// Which ends of an unanswered call count as missed.
    pub misses: Misses,
    /// The maximum of calls in progress of an agent without an own section.
    pub agent_calls_max: u32,
    /// The maximum of calls in progress of all bots together.
    pub bot_calls_max: u32,
    /// How long after a call with an agent its wrap-up is missing; `None` never.
    pub wrap_up_after: Option<SignedDuration>,
    pub people: PeopleRules,
    pub queueing: Queueing,
    pub words: Words,
}

/// Ends of an unanswered call, by their names in the configuration.
const MISSES: [&str; 4] = ["no_answer", "busy", "canceled_after_ringing", "failed_after_ringing"];

impl Setting for Misses {
    const EXPECTED: &'static str =
        "a list of \"no_answer\", \"busy\", \"canceled_after_ringing\" and \"failed_after_ringing\"";

    fn read(value: &Value) -> Result<Self, String> {
        // An empty list is valid: nothing counts as missed.
        let named = if *value == Value::List(Vec::new()) { Vec::new() } else { Vec::<String>::read(value)? };
        if named.iter().any(|name| !MISSES.contains(&name.as_str())) {
            return Err("holds another word".into());
        }
        let [no_answer, busy, canceled_after_ringing, failed_after_ringing] =
            MISSES.map(|known| named.iter().any(|name| name == known));
        Ok(Self { no_answer, busy, canceled_after_ringing, failed_after_ringing })
    }

    fn write(&self) -> String {
        let set = [self.no_answer, self.busy, self.canceled_after_ringing, self.failed_after_ringing];
        let named = MISSES.iter().zip(set).filter(|(_, set)| *set).map(|(name, _)| (*name).to_owned());
        named.collect::<Vec<_>>().write()
    }
}

impl Setting for Profile {
    const EXPECTED: &'static str = "one of \"twilio\", \"meta\", \"test-number\"";

    fn read(value: &Value) -> Result<Self, String> {
        String::read(value)?.parse().map_err(|_| "is not a known value".to_owned())
    }

    fn write(&self) -> String {
        quoted(self.as_str())
    }
}

/// The platform whose country list belongs to a profile of limits.
const fn platform(profile: Profile) -> Platform {
    match profile {
        Profile::Twilio => Platform::Twilio,
        Profile::Meta | Profile::TestNumber => Platform::Meta,
    }
}

impl Calling {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let seconds = SignedDuration::from_secs;
        let hours = SignedDuration::from_hours;
        let (people, words) = section.section("people", people);
        Self {
            limit_profile: section.ask("limit_profile").value(),
            // Twilio accepts 1 to 600 whole seconds (Calls resource, November 2026).
            ring_timeout: section
                .ask("ring_timeout")
                .rule(whole_seconds)
                .within(seconds(5), seconds(600))
                .value(),
            call_time_limit: section
                .ask("call_time_limit")
                .rule(whole_seconds)
                .within(seconds(10), hours(24))
                .value(),
            attempts_max: section.ask("attempts_max").within(1, 20).value(),
            faults_max: section.ask("faults_max").within(1, 100).value(),
            agent_calls_max: section.ask("agent_calls_max").within(1, 1000).value(),
            bot_calls_max: section.ask("bot_calls_max").within(1, 100_000).value(),
            wrap_up_after: section.ask("wrap_up_after").within(seconds(1), hours(7 * 24)).optional(),
            hours: section.ask("hours").optional(),
            hours_presets: section.ask("hours_presets").value(),
            number_zones: section.ask("number_zones").value(),
            default_country: section.ask("default_country").optional(),
            permission_request_lead: section
                .ask("permission_request_lead")
                .within(seconds(0), hours(168))
                .value(),
            limit_margin: section.ask("limit_margin").within(seconds(0), seconds(300)).value(),
            pull_forward: section.ask("pull_forward").within(seconds(0), hours(168)).value(),
            ask_again: section.ask("ask_again").value(),
            connected_calls_reset_requests: section.ask("connected_calls_reset_requests").value(),
            connected_calls_reset_misses: section.ask("connected_calls_reset_misses").value(),
            undelivered_requests_count: section.ask("undelivered_requests_count").value(),
            misses: section.ask("misses").value(),
            people,
            queueing: Queueing {
                urgent_share: section.ask("urgent_share").within(0, 90).value(),
                ageing_step: section.ask("ageing_step").within(seconds(0), hours(30 * 24)).value(),
            },
            words,
            silence: section.section("silence", |section| {
                let mut silence = |key: &str| section.ask(key).within(seconds(1), hours(24)).value();
                Timeouts {
                    unknown: silence("unknown"),
                    ringing: silence("ringing"),
                    in_progress: silence("in_progress"),
                    horizon: silence("horizon"),
                }
            }),
            retry: section.section("retry", |section| {
                let mut delay = |key: &str| section.ask(key).within(seconds(1), hours(30 * 24)).value();
                Retry {
                    no_answer: delay("no_answer"),
                    busy: delay("busy"),
                    failed: delay("failed"),
                    canceled: delay("canceled"),
                    abandoned: delay("abandoned"),
                    shift: section.ask("shift").value(),
                }
            }),
        }
    }
}

/// `[calling.people]`: rules of a person, across all senders.
fn people(section: &mut Section<'_>) -> (PeopleRules, Words) {
    let gap = section.ask("gap_after_answered");
    let gap = gap.within(SignedDuration::ZERO, SignedDuration::from_hours(7 * 24)).value();
    let caps = Caps {
        per_day: section.ask("calls_per_day_max").within(0, 100).value(),
        per_week: section.ask("calls_per_week_max").within(0, 700).value(),
    };
    let decline_binds: DeclineBinds = section.ask("decline_binds").value();
    let invite_after_decline = section.ask("invite_after_decline").value();
    let rules = PeopleRules {
        gap,
        caps,
        decline_binds_its_sender_only: decline_binds == DeclineBinds::Sender,
        invite_after_decline,
    };
    let mut words = |key: &str| -> Vec<String> { section.ask(key).value() };
    let (stop, start) = (words("stop_words"), words("start_words"));
    (rules, Words::new(stop.iter().map(String::as_str), start.iter().map(String::as_str)))
}

/// Whether a declined permission request binds the person or the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum DeclineBinds {
    Person,
    Sender,
}

impl Setting for DeclineBinds {
    const EXPECTED: &'static str = "one of \"person\", \"sender\"";

    fn read(value: &Value) -> Result<Self, String> {
        match String::read(value)?.as_str() {
            "person" => Ok(Self::Person),
            "sender" => Ok(Self::Sender),
            _ => Err("is not a known value".into()),
        }
    }

    fn write(&self) -> String {
        quoted(match self {
            Self::Person => "person",
            Self::Sender => "sender",
        })
    }
}

impl Setting for WrittenHours {
    const EXPECTED: &'static str = "days, hours and zone, such as \"mon-fri 09:00-18:00 @America/Sao_Paulo\"";

    fn read(value: &Value) -> Result<Self, String> {
        let hours = String::read(value)?.parse::<Self>();
        let checked = hours.and_then(|hours| hours.check().map(|()| hours));
        checked.map_err(|error| format!("is not calling hours ({error})"))
    }

    fn write(&self) -> String {
        self.to_string().write()
    }
}

impl Setting for Narrowed {
    const EXPECTED: &'static str =
        "a list of countries with their zones, such as [\"AU Australia/Sydney\", \"RU Europe/Moscow\"]";
    const KIND: &'static str = "list of countries with zones";

    fn read(value: &Value) -> Result<Self, String> {
        let mut narrowed = Self::default();
        // An empty list is valid: no country is narrowed.
        if *value != Value::List(Vec::new()) {
            for text in Vec::<String>::read(value)? {
                narrowed.add(&text).map_err(|error| format!("is not that ({error})"))?;
            }
        }
        Ok(narrowed)
    }

    fn write(&self) -> String {
        self.texts().collect::<Vec<_>>().write()
    }
}

impl Setting for Vec<&'static Preset> {
    const EXPECTED: &'static str =
        "a list of \"us-solicitation\", \"fr-solicitation\" and \"mx-collections\"";

    fn read(value: &Value) -> Result<Self, String> {
        // An empty list is valid: nothing is narrowed.
        if *value == Value::List(Vec::new()) {
            return Ok(Self::new());
        }
        let named = Vec::<String>::read(value)?;
        let unknown = || {
            let known: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            format!("holds another word than {}", known.join(", "))
        };
        named.iter().map(|name| find(name).ok_or_else(unknown)).collect()
    }

    fn write(&self) -> String {
        self.iter().map(|preset| preset.name.to_owned()).collect::<Vec<_>>().write()
    }
}

fn whole_seconds(duration: &SignedDuration) -> Result<(), String> {
    if duration.subsec_nanos() == 0 { Ok(()) } else { Err("is not a whole number of seconds".into()) }
}

/// The operator's overrides of the profile's limits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LimitOverrides {
    pub permission_requests_short_max: Option<u32>,
    pub permission_requests_short_window: Option<SignedDuration>,
    pub permission_requests_long_max: Option<u32>,
    pub permission_requests_long_window: Option<SignedDuration>,
    pub permission_lifetime: Option<SignedDuration>,
    pub request_lifetime: Option<SignedDuration>,
    pub connected_calls_max: Option<u32>,
    pub connected_calls_window: Option<SignedDuration>,
    pub concurrent_calls_per_sender_max: Option<u32>,
    pub misses_before_nudge: Option<u32>,
    pub misses_before_revocation: Option<u32>,
    pub service_window: Option<SignedDuration>,
    pub message_gap: Option<SignedDuration>,
    pub page_window: Option<SignedDuration>,
    pub call_button_lifetime: Option<SignedDuration>,
    pub page_button_lifetime: Option<SignedDuration>,
    /// Countries whose senders cannot place calls.
    pub sender_countries_refused: Option<Vec<Country>>,
    /// Prefixes of numbers that are not called.
    pub destinations_refused: Option<Vec<Prefix>>,
}

impl LimitOverrides {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let limits = Self {
            permission_requests_short_max: count(section, "permission_requests_short_max", 1000),
            permission_requests_short_window: window(section, "permission_requests_short_window"),
            permission_requests_long_max: count(section, "permission_requests_long_max", 1000),
            permission_requests_long_window: window(section, "permission_requests_long_window"),
            permission_lifetime: window(section, "permission_lifetime"),
            request_lifetime: window(section, "request_lifetime"),
            connected_calls_max: count(section, "connected_calls_max", 1000),
            connected_calls_window: window(section, "connected_calls_window"),
            concurrent_calls_per_sender_max: count(section, "concurrent_calls_per_sender_max", 1000),
            misses_before_nudge: count(section, "misses_before_nudge", 100),
            misses_before_revocation: count(section, "misses_before_revocation", 100),
            service_window: window(section, "service_window"),
            message_gap: window(section, "message_gap"),
            page_window: window(section, "page_window"),
            call_button_lifetime: window(section, "call_button_lifetime"),
            page_button_lifetime: window(section, "page_button_lifetime"),
            sender_countries_refused: section.ask("sender_countries_refused").optional(),
            destinations_refused: section.ask("destinations_refused").optional(),
        };
        if let (Some(short), Some(long)) =
            (limits.permission_requests_short_window, limits.permission_requests_long_window)
            && short > long
        {
            section
                .fault("permission_requests_short_window", "is longer than permission_requests_long_window");
        }
        if let (Some(nudge), Some(revocation)) = (limits.misses_before_nudge, limits.misses_before_revocation)
            && nudge >= revocation
        {
            section.fault("misses_before_nudge", "is not below misses_before_revocation");
        }
        limits
    }

    /// Whether a sender of this country cannot place calls, by the override or else by the profile.
    #[must_use]
    pub fn refuses(&self, country: Country, profile: Profile) -> bool {
        self.sender_countries_refused.as_ref().map_or_else(
            || EXCLUSIONS.iter().any(|e| e.country == country && e.is_by(platform(profile))),
            |refused| refused.contains(&country),
        )
    }
}

fn count(section: &mut Section<'_>, key: &str, most: u32) -> Option<u32> {
    section.ask(key).within(1, most).optional()
}

fn window(section: &mut Section<'_>, key: &str) -> Option<SignedDuration> {
    section.ask(key).within(SignedDuration::from_secs(1), SignedDuration::from_hours(366 * 24)).optional()
}

impl Setting for Vec<Prefix> {
    const EXPECTED: &'static str = "a list of the first digits of numbers, such as [\"+53\", \"+98\"]";

    fn read(value: &Value) -> Result<Self, String> {
        // An empty list is valid: it lifts the rule.
        if *value == Value::List(Vec::new()) {
            return Ok(Self::new());
        }
        let texts = Vec::<String>::read(value)?;
        let prefix = |text: &String| Prefix::parse(text).ok_or_else(|| format!("has {}", short(text)));
        texts.iter().map(prefix).collect()
    }

    fn write(&self) -> String {
        self.iter().map(ToString::to_string).collect::<Vec<_>>().write()
    }
}

/// `[campaigns.<name>]`: rules for the callbacks of one campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Campaign {
    pub concurrent_calls_max: u32,
}

impl Campaign {
    pub(super) fn read(name: &str, section: &mut Section<'_>) -> Option<Self> {
        if name.is_empty() || name.len() > 100 || name.chars().any(char::is_control) {
            section.fault(
                "",
                "is not the name of a campaign: expected 1 to 100 bytes without control characters",
            );
        }
        let concurrent_calls_max = section
            .ask("concurrent_calls_max")
            .within(1, 100_000)
            .required("the most calls in progress at once");
        Some(Self { concurrent_calls_max: concurrent_calls_max? })
    }
}

fn country(text: &str) -> Result<Country, String> {
    let country =
        Country::parse(text).ok_or_else(|| format!("{} is not two capital letters", short(text)))?;
    if country.is_known() { Ok(country) } else { Err(format!("{} is no country", short(text))) }
}

/// A given text, for an error.
fn short(text: &str) -> String {
    quoted(&text.chars().take(40).collect::<String>())
}

impl Setting for Country {
    const EXPECTED: &'static str = "a country by its two capital letters, such as \"BR\"";

    fn read(value: &Value) -> Result<Self, String> {
        country(&String::read(value)?)
    }

    fn write(&self) -> String {
        quoted(self.letters())
    }
}

impl Setting for Vec<Country> {
    const EXPECTED: &'static str =
        "a list of countries by their two capital letters, such as [\"US\", \"CA\"]";

    fn read(value: &Value) -> Result<Self, String> {
        // An empty list is valid: it lifts the rule.
        if *value == Value::List(Vec::new()) {
            return Ok(Self::new());
        }
        let letters = Vec::<String>::read(value)?;
        letters.iter().map(|text| country(text)).collect()
    }

    fn write(&self) -> String {
        self.iter().map(|country| country.letters().to_owned()).collect::<Vec<_>>().write()
    }
}
