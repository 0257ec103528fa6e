//! How pages show parts of a callback: its consumer, its state, its times.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde_json::Value;

use crate::console::numbers::number;
use crate::console::parts::{badge, field, text};
use crate::console::times::{moment, parsed, readable};
use crate::console::visit::Visit;
use crate::console::words;
use crate::domain::{CampaignId, zones};

/// The consumer's number, masked unless the page reveals.
pub(super) fn consumer(callback: &Value) -> Markup {
    number(text(callback, "consumer"))
}

/// The state as a word with a colour.
pub(super) fn standing(callback: &Value) -> Markup {
    let outcome = field(callback, "outcome").and_then(Value::as_str);
    let word = words::state(text(callback, "status"), outcome, text(callback, "reason.code"));
    let kind = match (text(callback, "status"), outcome) {
        (_, Some("reached" | "reached_elsewhere")) => "good",
        (_, Some("failed" | "declined")) => "bad",
        ("calling", _) => "warn",
        _ => "plain",
    };
    badge(kind, &word)
}

/// The zone of the consumer, by the hours of the order.
pub(super) fn zone_of(callback: &Value) -> Option<TimeZone> {
    zones::zone(text(callback, "hours.zone")).ok()
}

/// A moment of a callback: in the consumer's time first, then in that of the team.
pub(super) fn time(visit: &Visit, callback: &Value, at: &str, now: Timestamp) -> Markup {
    let team = &visit.app().reports.zone;
    let Some(at) = parsed(at) else { return html! {} };
    match zone_of(callback) {
        Some(zone) => moment(at, now, &[&zone, team]),
        None => moment(at, now, &[team]),
    }
}

/// A sentence about a callback, with its moments in the consumer's time.
pub(super) fn told(visit: &Visit, callback: &Value, sentence: &str, now: Timestamp) -> String {
    let zone = zone_of(callback);
    readable(sentence, now, zone.as_ref().unwrap_or(&visit.app().reports.zone))
}

/// The campaign of a callback: a link to its page, or a name that the customer gave.
pub(super) fn campaign(visit: &Visit, name: &str) -> Markup {
    html! {
        @if name.parse::<CampaignId>().is_ok() {
            a href={ (visit.root()) "campaigns/" (name) } { "campaign " span.second { "…" (name.get(name.len().saturating_sub(6)..).unwrap_or(name)) } }
        } @else { (name) }
    }
}

pub(super) fn deadline(visit: &Visit, callback: &Value, now: Timestamp) -> Markup {
    match text(callback, "closed_at") {
        "" => time(visit, callback, text(callback, "latest"), now),
        closed => time(visit, callback, closed, now),
    }
}
