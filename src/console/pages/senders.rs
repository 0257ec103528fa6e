//! The page of senders: how they are, what pauses them, and the pools of agents.

use axum::http::Method;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::pools::{self, Pools};
use crate::console::act_forms::{Filled, form, told};
use crate::console::acts::{Act, Field, Kind, Said, Then};
use crate::console::asking::Asking;
use crate::console::blocks::{badge, bar, cell, nothing, section, table, text_if, when};
use crate::console::labels;
use crate::console::page_of::{PageOf, Place, Shown};

const PAUSE: Act = Act {
    name: "set-pause",
    method: Method::POST,
    route: "/v1/pauses",
    fields: &[
        Field::needed(
            "scope",
            "What",
            Kind::Choice(&[
                ("all", "everything"),
                ("account", "an account"),
                ("sender", "a sender"),
                ("person", "a consumer"),
            ]),
            "",
        ),
        Field::free("account", "Account", Kind::Offered, "If an account is paused."),
        Field::free("sender", "Sender", Kind::Offered, "If a sender is paused."),
        Field::free("consumer", "Number of the consumer", Kind::Text, "If a consumer is paused."),
        Field::needed(
            "why",
            "Why",
            Kind::Text,
            "For the record. It is shown wherever the pause is a reason.",
        ),
        Field::free("until", "Until", Kind::Moment, "Without a time somebody has to end the pause."),
    ],
    button: "Pause",
    hint: "From then on nothing new leaves. Calls in progress go on, and deadlines pass.",
    done: "It is paused.",
    then: Then::Back,
};
const LIFT: Act = Act {
    name: "lift-pause",
    method: Method::DELETE,
    route: "/v1/pauses/{id}",
    fields: &[Field::hidden("id")],
    button: "End the pause",
    hint: "",
    done: "The pause is over.",
    then: Then::Back,
};

pub(super) const PAGE: PageOf = PageOf {
    path: "senders",
    acts: &[&PAUSE, &LIFT, &pools::FEED, &pools::FEED_FREE, &pools::REMOVE],
    show: |asking, _: &Place, said| show(asking, said),
};

/// The senders, as the API tells them.
#[derive(Deserialize)]
pub struct Senders {
    as_of: Option<Timestamp>,
    pub senders: Vec<SenderRow>,
}

/// A sender.
#[derive(Deserialize)]
pub struct SenderRow {
    pub number: String,
    label: Option<String>,
    account: String,
    live_calls: u32,
    live_calls_max: u32,
    paused_until: Option<Timestamp>,
    why: Option<String>,
    #[serde(default)]
    paused_parts: Vec<Part>,
    pause: Option<Pause>,
    #[serde(default)]
    request_pauses: Vec<Pause>,
    asks_in_service_window: bool,
    asks_any_time: bool,
    calls: bool,
    #[serde(default)]
    roads: Vec<Road>,
}

#[derive(Deserialize)]
struct Part {
    part: String,
    paused_until: Option<Timestamp>,
    why: String,
}

#[derive(Deserialize)]
struct Road {
    road: String,
    account: String,
    paused_until: Option<Timestamp>,
    why: Option<String>,
    pause: Option<Pause>,
    content_pause: Option<Pause>,
}

/// A pause, as the API tells it.
#[derive(Deserialize)]
pub struct Pause {
    pub id: String,
    scope: String,
    account: Option<String>,
    sender: Option<String>,
    consumer: Option<String>,
    campaign: Option<String>,
    content: Option<String>,
    by: String,
    pub why: String,
    since: Timestamp,
    pub until: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Pauses {
    pauses: Vec<Pause>,
}

impl Senders {
    /// The senders as a form offers them.
    #[must_use]
    pub fn offered(&self) -> Vec<(String, String)> {
        self.senders.iter().map(|sender| (sender.number.clone(), sender.words())).collect()
    }
}

impl SenderRow {
    /// How the API's filters name it without its whole number: its label, or its last six digits.
    #[must_use]
    pub fn name(&self) -> &str {
        let digits = self.number.len().saturating_sub(6);
        self.label.as_deref().unwrap_or_else(|| self.number.get(digits..).unwrap_or_default())
    }

    /// Its label and its number.
    #[must_use]
    pub fn words(&self) -> String {
        match &self.label {
            Some(label) => format!("{label} ({})", self.number),
            None => self.number.clone(),
        }
    }
}

impl Pause {
    /// What is paused.
    fn what(&self) -> String {
        let names = [&self.account, &self.sender, &self.consumer, &self.campaign, &self.content];
        let names: Vec<&str> = names.into_iter().filter_map(|name| name.as_deref()).collect();
        match names[..] {
            [] => labels::pause_scope(&self.scope).to_owned(),
            _ => format!("{} {}", labels::pause_scope(&self.scope), names.join(" ")),
        }
    }

    /// Why and until when, in a few words.
    #[must_use]
    pub fn words(&self, asking: &Asking) -> Markup {
        html! {
            "paused " (labels::by(&self.by)) ": " (self.why)
            @if let Some(at) = self.until { ", until " (when(asking, at)) }
        }
    }
}

fn show<'a>(asking: &'a Asking, said: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let senders: Result<Senders, _> = asking.read("/v1/senders").await;
        let pauses: Result<Pauses, _> = asking.read("/v1/pauses").await;
        let pools: Result<Pools, _> = asking.read("/v1/pools").await;
        let known = senders.as_ref().map_or(&[][..], |senders| &senders.senders);
        let live = html! {
            (section("Senders", &senders, |senders| rows(asking, senders)))
            (section("Pauses", &pauses, |pauses| in_force(asking, said, pauses)))
        };
        let body = html! {
            (set(asking, said, known))
            (section("Pools of agents", &pools, |pools| pools::list(asking, said, pools)))
            (pools::feed(asking, said))
        };
        Shown::new("Senders and pools", body).with_live(told(said, PAGE.acts), live).about(&senders)
    })
}

fn rows(asking: &Asking, senders: &Senders) -> Markup {
    let row = |sender: &SenderRow| {
        let (live, most) = (sender.live_calls, sender.live_calls_max);
        vec![
            html! { strong { (sender.words()) } br; small { (sender.account) } },
            health(asking, sender),
            html! {
                @if most == u32::MAX { (live) } @else { (live) " of " (most) " " (bar(live.into(), most.into())) }
            },
            html! {
                @if !sender.calls { "places no calls" }
                @else if sender.asks_any_time { "at any time" }
                @else if sender.asks_in_service_window { "within 24 hours of a message" }
                @else { "cannot ask" }
            },
            html! {
                @if sender.roads.is_empty() { (text_if(None)) }
                @for road in &sender.roads { div { (self::road(asking, road)) } }
            },
        ]
    };
    html! {
        @if senders.senders.is_empty() {
            (nothing("There is no sender that you may see."))
        } @else {
            (table(
                "Senders",
                &["Sender", "State", "Calls in progress", "Asks for the permission", "Invites"],
                senders.senders.iter().map(row),
            ))
        }
        @if let Some(at) = senders.as_of { p class="second" { "Calls and pauses as of " (when(asking, at)) "." } }
    }
}

/// What holds a sender back; that it is well, if nothing does.
fn health(asking: &Asking, sender: &SenderRow) -> Markup {
    let ends = |at: Option<Timestamp>| {
        html! {
            @match at { Some(at) => { ", until " (when(asking, at)) } None => ", until WhatsApp ends it" }
        }
    };
    let is_well = sender.why.is_none()
        && sender.pause.is_none()
        && sender.paused_parts.is_empty()
        && sender.request_pauses.is_empty();
    html! {
        @if is_well { (badge("good", "well")) }
        @if let Some(why) = &sender.why { div { (badge("bad", "rests")) " " (why) (ends(sender.paused_until)) } }
        @for part in &sender.paused_parts {
            div { (badge("bad", "restricted")) " " (labels::plain(&part.part)) ": " (part.why) (ends(part.paused_until)) }
        }
        @if let Some(pause) = &sender.pause { div { (badge("warn", "paused")) " " (pause.words(asking)) } }
        @for pause in &sender.request_pauses {
            div { (badge("warn", "request text refused")) " " (pause.words(asking)) }
        }
    }
}

fn road(asking: &Asking, road: &Road) -> Markup {
    html! {
        (labels::plain(&road.road)) " " small { (road.account) }
        @if let Some(why) = &road.why {
            " " (badge("bad", "rests")) " " (why)
            @if let Some(at) = road.paused_until { ", until " (when(asking, at)) }
        }
        @for pause in [&road.pause, &road.content_pause].into_iter().flatten() {
            " " (badge("warn", "paused")) " " (pause.words(asking))
        }
    }
}

fn in_force(asking: &Asking, said: &Said, pauses: &Pauses) -> Markup {
    let row = |pause: &Pause| {
        let lift = Filled::with([("id", pause.id.clone())]);
        vec![
            cell(pause.what()),
            cell(&pause.why),
            html! { (when(asking, pause.since)) " " small { (labels::by(&pause.by)) } },
            html! { @match pause.until { Some(at) => (when(asking, at)), None => "somebody ends it" } },
            form(asking, &LIFT, &lift, said),
        ]
    };
    html! {
        @if pauses.pauses.is_empty() {
            (nothing("Nothing is paused."))
        } @else {
            (table("Pauses", &["What", "Why", "Since", "Until", ""], pauses.pauses.iter().map(row)))
        }
    }
}

fn set(asking: &Asking, said: &Said, senders: &[SenderRow]) -> Markup {
    let mut accounts: Vec<String> = senders.iter().map(|sender| sender.account.clone()).collect();
    accounts.extend(senders.iter().flat_map(|sender| &sender.roads).map(|road| road.account.clone()));
    accounts.sort();
    accounts.dedup();
    let filled = Filled::default()
        .offering("account", accounts.into_iter().map(|name| (name.clone(), name)).collect())
        .offering("sender", senders.iter().map(|sender| (sender.number.clone(), sender.words())).collect());
    form(asking, &PAUSE, &filled, said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sender(label: Option<&str>) -> SenderRow {
        let row = serde_json::json!({"number": "+551151991234", "label": label, "account": "main", "live_calls": 1,
            "live_calls_max": 5, "asks_in_service_window": true, "asks_any_time": false, "calls": true});
        serde_json::from_value(row).unwrap()
    }

    #[test]
    fn a_filter_names_a_sender_without_its_whole_number() {
        assert_eq!(sender(Some("Support")).name(), "Support");
        assert_eq!(sender(None).name(), "991234");
        assert_eq!(sender(Some("Support")).words(), "Support (+551151991234)");
    }
}
