//! What a seed chooses: the date, calling hours, limits and faults of a run.

use fastrand::Rng;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde_json::json;

use super::campaigns::CALENDAR;
use crate::config::Config;
use crate::domain::zones;
use crate::sim::world::{Faults, Setup};

/// Time zones and start dates: ordinary weeks, and weeks with a change to or from summer time.
const SCENES: [(&str, &str); 6] = [
    ("2026-11-23T12:00:00Z", "America/Sao_Paulo"),
    // New York springs forward on 8 March 2026, and falls back on 1 November 2026.
    ("2026-03-07T02:00:00Z", "America/New_York"),
    ("2026-10-30T20:00:00Z", "America/New_York"),
    // Berlin falls back on 25 October 2026.
    ("2026-10-24T09:00:00Z", "Europe/Berlin"),
    // Lord Howe moves by half an hour on 4 October 2026.
    ("2026-10-02T18:00:00Z", "Australia/Lord_Howe"),
    ("2026-12-31T06:00:00Z", "Asia/Kolkata"),
];

const WORKFLOW: &str = "WW5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// The time zone and start of a run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Script {
    pub(super) start: Timestamp,
    zone: &'static str,
    /// A day on which the calendar of the run is closed.
    closed: Option<Date>,
}

/// Calling hours: `from` and `to` are local minutes of each day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hours {
    from: i16,
    to: i16,
    zone: &'static str,
    closed: Option<Date>,
}

impl Script {
    pub(super) fn choose(random: &mut Rng) -> anyhow::Result<Self> {
        let (start, zone) = SCENES[random.usize(0..SCENES.len())];
        Ok(Self { start: start.parse()?, zone, closed: None })
    }

    /// Closes the second day of the run, for orders with hours. Returns the day.
    pub(super) fn close_second_day(&mut self) -> anyhow::Result<Date> {
        let day = self.start.to_zoned(zones::zone(self.zone)?).date().tomorrow()?;
        self.closed = Some(day);
        Ok(day)
    }

    /// Half of the orders have hours. Some of these open at night, when clocks change.
    pub(super) fn hours(self, random: &mut Rng) -> Option<Hours> {
        if random.bool() {
            return None;
        }
        let from = if random.bool() { random.i16(0..240) } else { random.i16(480..1200) };
        let to = (from + random.i16(20..600)).min(1439);
        Some(Hours { from, to, zone: self.zone, closed: self.closed })
    }
}

impl Hours {
    pub(super) fn text(self) -> String {
        let clock = |minute: i16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let except = self.closed.map_or(String::new(), |_| format!(" except {CALENDAR}"));
        format!("daily {}-{} @{}{except}", clock(self.from), clock(self.to), self.zone)
    }

    /// The spans between `from` and `until` in which calls are allowed, computed from local dates.
    pub(super) fn windows(
        self,
        earliest: Timestamp,
        latest: Timestamp,
    ) -> anyhow::Result<Vec<(Timestamp, Timestamp)>> {
        let zone = zones::zone(self.zone)?;
        let mut date = earliest.to_zoned(zone.clone()).date().checked_sub(1.day())?;
        let last = latest.to_zoned(zone.clone()).date();
        let mut windows = Vec::new();
        while date <= last {
            let (from, to) = (local(date, self.from, &zone)?, local(date, self.to, &zone)?);
            let window = (from.max(earliest), to.min(latest));
            if window.0 < window.1 && Some(date) != self.closed {
                windows.push(window);
            }
            date = date.tomorrow()?;
        }
        Ok(windows)
    }
}

/// The first moment at which the local clock shows this time, or a later one where a change skips it.
fn local(date: Date, minute: i16, zone: &TimeZone) -> anyhow::Result<Timestamp> {
    let wanted = date.at(i8::try_from(minute / 60)?, i8::try_from(minute % 60)?, 0, 0);
    let mut at = wanted.to_zoned(zone.clone())?.timestamp();
    while at.to_zoned(zone.clone()).datetime() > wanted {
        let before = at - SignedDuration::from_mins(1);
        if before.to_zoned(zone.clone()).datetime() < wanted {
            break;
        }
        at = before;
    }
    Ok(at)
}

/// Draws limits, the same ones for the daemon and the platform.
pub(super) fn limits(random: &mut Rng, config: &mut Config, setup: &mut Setup) {
    // More than any step of the daemon's clock.
    config.calling.limit_margin = SignedDuration::from_secs(60);
    if random.bool() {
        let hours = random.i64(6..60);
        config.limits.permission_lifetime = Some(SignedDuration::from_hours(hours));
        setup.limits.permission_hours = hours;
    }
    if random.bool() {
        let calls = random.u8(1..=3);
        config.limits.connected_calls_max = Some(calls.into());
        setup.limits.connected_calls_per_day = calls.into();
    }
    if random.bool() {
        let calls = random.u8(1..=2);
        config.limits.concurrent_calls_per_sender_max = Some(calls.into());
        setup.limits.concurrent_calls_per_sender = calls.into();
    }
}

/// For a third of the seeds, the platform limits the calls that a sender starts per day to a number that the
/// daemon does not know and learns from refusals. Drawn separately, so that other seeds do not change.
pub(super) fn starts(seed: u64, setup: &mut Setup) {
    let mut random = Rng::with_seed(!seed);
    if random.u8(0..3) == 0 {
        setup.limits.calls_started_per_sender_and_day = random.u8(2..=20).into();
    }
}

/// For half of the seeds, some agents do not answer. Drawn separately, as the starts.
pub(super) fn agents(seed: u64, setup: &mut Setup) {
    let mut random = Rng::with_seed(seed.rotate_left(32));
    setup.behaviour.agents_answer_of_ten = if random.bool() { 10 } else { random.u32(3..10) };
}

/// The document of an order, with its values. `random` draws nothing else.
pub(super) fn document(random: &mut Rng) -> serde_json::Value {
    match random.u8(0..8) {
        0 => json!({"document": "dial-client", "agent": "client:bea"}),
        1 => json!({"document": "enqueue", "variables": {"workflow": WORKFLOW}}),
        // Some consumers hang up before the end.
        2 => json!({"document": "message", "variables": {"message": "Hello. ".repeat(200)}}),
        3 => {
            let relay = "wss://bot.example/relay";
            let variables = json!({"relay_url": relay, "greeting": "Hello."});
            json!({"document": "conversation-relay", "variables": variables})
        }
        _ => json!({"document": "message", "variables": {"message": "Hello."}}),
    }
}

/// Draws faults for the next hours, sometimes with an outage.
pub(super) fn faults(random: &mut Rng, now: Timestamp) -> Faults {
    let mut share = |of_hundred: u32| f64::from(random.u32(0..=of_hundred)) / 100.0;
    let mut faults = Faults {
        drop_answer: share(15),
        delay_answer: share(20),
        webhook_before_answer: share(20),
        throttle: share(15),
        error_before: share(10),
        error_after: share(15),
        duplicate_webhook: share(20),
        delay_webhook: share(30),
        lose_webhook: share(20),
        answer_delay_ms: random.u32(0..25_000),
        webhook_delay_ms: random.u32(0..20_000),
        outage_from: None,
        outage_until: None,
    };
    if random.u8(0..3) == 0 {
        let from = now + SignedDuration::from_mins(random.i64(0..300));
        faults.outage_from = Some(from);
        faults.outage_until = Some(from + SignedDuration::from_secs(random.i64(5..10_000)));
    }
    faults
}
