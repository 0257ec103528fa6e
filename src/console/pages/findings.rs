//! What is wrong with the daemon, as far as it knows by itself, and its counts. `ringmaster doctor` looks further.

use std::collections::BTreeMap;

use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::senders::Pause;
use crate::console::asking::Asking;
use crate::console::blocks::{cell, duration, facts, nothing, thousands, when};
use crate::console::labels;

/// The state of the daemon, as the API tells it.
#[derive(Deserialize)]
pub(super) struct Status {
    as_of: Option<Timestamp>,
    callbacks: Census,
    invites: InviteCensus,
    unfolded_reports: u64,
    unmatched_reports: u64,
    repeated_reports: u64,
    set_aside: u64,
    dialling_stopped_since: Option<Timestamp>,
    deposed_since: Option<Timestamp>,
    pub(super) clock_in_doubt: Option<Doubt>,
    zone_data: Option<ZoneData>,
    holiday_data: HolidayData,
    accounts: Vec<Account>,
    pauses: Vec<Pause>,
    #[serde(default)]
    suppression_lists_past_term: Vec<String>,
    daily_reports: Option<DailyReports>,
}

#[derive(Deserialize)]
struct Census {
    waiting: u64,
    unlaunched: u64,
    calling: u64,
    abandoned: u64,
    wrap_up_missing: u64,
    closed: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct InviteCensus {
    waiting: u64,
    unlaunched: u64,
}

#[derive(Deserialize)]
pub(super) struct Doubt {
    since: Timestamp,
    jumped_by_s: i64,
}

#[derive(Deserialize)]
struct ZoneData {
    version: Option<String>,
    origin: String,
}

#[derive(Deserialize)]
struct HolidayData {
    version: String,
    last_day: String,
    ends_soon: bool,
}

#[derive(Deserialize)]
struct Account {
    name: String,
    paused_until: Option<Timestamp>,
    why: Option<String>,
}

#[derive(Deserialize)]
struct DailyReports {
    failed_since: Option<Timestamp>,
    why: Option<String>,
}

/// What is wrong, the worst first.
pub(super) fn list(asking: &Asking, status: &Status) -> Markup {
    let found = found(asking, status);
    html! {
        @if found.is_empty() {
            (nothing("Nothing that the daemon knows of. \"ringmaster doctor\" also asks Twilio and Meta."))
        } @else {
            ul class="findings" { @for finding in &found { li { (finding) } } }
        }
    }
}

fn found(asking: &Asking, status: &Status) -> Vec<Markup> {
    let mut found = Vec::new();
    if let Some(at) = status.deposed_since {
        found.push(html! { strong { "Another daemon has opened the store." } " This one dials nothing since " (when(asking, at)) ". Stop one of them." });
    }
    if let Some(at) = status.dialling_stopped_since {
        found.push(html! { strong { "Dialling is stopped" } " since " (when(asking, at)) ": the program failed three times within a minute. A restart resumes it." });
    }
    if let Some(doubt) = &status.clock_in_doubt {
        found.push(html! {
            strong { "The machine's clock jumped" } " by " (duration(doubt.jumped_by_s.saturating_abs()))
            @if doubt.jumped_by_s < 0 { " back" } ", " (when(asking, doubt.since)) ". Nothing is dialled or sent until it is right."
        });
    }
    if status.as_of.is_none() {
        found.push(html! { "The scheduler has not taken a turn yet." });
    }
    if status.set_aside > 0 {
        found
            .push(html! { "The program failed at " (thousands(status.set_aside)) " items; they are below." });
    }
    for account in &status.accounts {
        if let Some(why) = &account.why {
            found.push(html! {
                "The account " strong { (account.name) } " rests: " (why)
                @match account.paused_until { Some(at) => { ", until " (when(asking, at)) } None => ", until WhatsApp or Twilio ends it" }
                "."
            });
        }
    }
    for pause in &status.pauses {
        found.push(
            html! { "Something is " (pause.words(asking)) ". " a href="senders" { "Senders and pools" } },
        );
    }
    for list in &status.suppression_lists_past_term {
        found.push(html! { "The suppression list " strong { (list) } " is past its term: import a newer version. Its entries still hold." });
    }
    if status.holiday_data.ends_soon {
        found.push(html! { "Holidays are known until " (status.holiday_data.last_day) " only: a newer program knows more." });
    }
    if let Some(at) = status.daily_reports.as_ref().and_then(|daily| daily.failed_since) {
        let why = status.daily_reports.as_ref().and_then(|daily| daily.why.as_deref()).unwrap_or_default();
        found.push(
            html! { "The daily report files cannot be written since " (when(asking, at)) ": " (why) "." },
        );
    }
    if status.callbacks.wrap_up_missing > 0 {
        found.push(html! {
            (thousands(status.callbacks.wrap_up_missing)) " calls have no wrap-up. " a href="agents" { "Agents" }
        });
    }
    found
}

/// What there is, and what waits in the inbox.
pub(super) fn counts(asking: &Asking, status: &Status) -> Markup {
    let calls = &status.callbacks;
    let zones = status.zone_data.as_ref();
    let zones = zones.map_or_else(
        || "not known".to_owned(),
        |data| format!("{} of the {}", data.version.as_deref().unwrap_or("an unknown version"), data.origin),
    );
    html! {
        (facts(&[
            ("Waiting", cell(thousands(calls.waiting))),
            ("Not launched", cell(thousands(calls.unlaunched))),
            ("Calling", cell(thousands(calls.calling))),
            ("Abandoned, to be called again", cell(thousands(calls.abandoned))),
            ("Invites that wait", cell(thousands(status.invites.waiting.saturating_add(status.invites.unlaunched)))),
            ("Inbox: reports not yet applied", cell(thousands(status.unfolded_reports))),
            ("Reports of unknown people", cell(thousands(status.unmatched_reports))),
            ("Repeated reports since the start", cell(thousands(status.repeated_reports))),
            ("Time zones", cell(zones)),
            ("Holidays", cell(format!("{}, until {}", status.holiday_data.version, status.holiday_data.last_day))),
        ]))
        h3 { "Closed" }
        (facts(&calls.closed.iter().map(|(name, count)| (labels::outcome(name), cell(thousands(*count)))).collect::<Vec<_>>()))
        @if let Some(at) = status.as_of { p class="second" { "As of " (when(asking, at)) "." } }
    }
}
