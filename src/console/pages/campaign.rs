//! The page of one campaign: how far it is, what can be done with it, its imports, its breaker, and its forecast.

use std::collections::BTreeMap;

use axum::http::Method;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};

use super::campaign_acts::{self, CHANGE, FOLLOW_UP, OF_ONE};
use super::campaigns::kind;
use super::forecast;
use super::import_report::ImportRow;
use super::senders::Pause;
use crate::console::act_forms::{Filled, form, told};
use crate::console::acts::{Said, entered_later};
use crate::console::ask::Refused;
use crate::console::asking::{Asking, query, segment};
use crate::console::blocks::{
    badge, bar, cell, facts, not_read, nothing, section, table, text_if, thousands, when, when_if,
};
use crate::console::labels;
use crate::console::page_of::{PageOf, Place, Shown};
use crate::console::times::readable;
use crate::http::forecast_told::Forecast;

pub(super) const PAGE: PageOf =
    PageOf { path: "campaigns/{id}", acts: OF_ONE, show: |asking, place, said| show(asking, place, said) };

#[derive(Deserialize)]
struct Campaign {
    id: String,
    name: String,
    state: String,
    defaults: Value,
    concurrent_calls_max: Option<u32>,
    calls_per_minute: Option<u32>,
    weight: u32,
    breaker: Breaker,
    follow_up: Option<FollowUp>,
    created_at: Timestamp,
    created_by: String,
    ended_at: Option<Timestamp>,
    pause: Option<Pause>,
    callbacks: u64,
    open: u64,
    by_state: BTreeMap<String, u64>,
    history: Vec<Event>,
}

#[derive(Deserialize)]
struct Breaker {
    abandoned_percent_max: Option<u8>,
    abandoned_of_min: u32,
    failed_percent_max: Option<u8>,
    failed_of_min: u32,
    failed_window_minutes: u32,
    on_quality_warning: bool,
}

#[derive(Deserialize)]
struct FollowUp {
    of: String,
    made: u64,
    left_out: u64,
    whole: bool,
}

#[derive(Deserialize)]
struct Event {
    at: Timestamp,
    act: String,
    by: String,
    note: Option<String>,
}

#[derive(Deserialize)]
struct Imports {
    imports: Vec<ImportRow>,
}

fn show<'a>(asking: &'a Asking, place: &'a Place, said: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let path = format!("/v1/campaigns/{}", segment(&place.id));
        let campaign: Result<Campaign, _> = asking.read(&path).await;
        let Ok(found) = &campaign else {
            let body = html! { (told(said, PAGE.acts)) @if let Err(error) = &campaign { (not_read(error)) } };
            return Shown::new("Campaign", body).about(&campaign);
        };
        let imports = query([("campaign", found.id.as_str()), ("limit", "20")]);
        let imports: Result<Imports, _> = asking.read(&format!("/v1/imports{imports}")).await;
        let forecast: Option<Result<Forecast, Refused>> = match place.filter("forecast") {
            Some(_) => Some(asking.look_up(&format!("{path}/forecast"), &json!({})).await),
            None => None,
        };
        let body = html! {
            (told(said, PAGE.acts))
            p { a href="../campaigns" { "All campaigns" } }
            (head(asking, found))
            (acts(asking, found, said))
            (progress(found))
            (forecast::part(asking, place, forecast.as_ref(), found.open))
            (section("Lists", &imports, |imports| lists(asking, found, imports)))
            (breaker(&found.breaker))
            (settings(asking, found))
            (history(asking, found))
        };
        Shown::new(format!("Campaign {}", found.name), body)
    })
}

fn head(asking: &Asking, campaign: &Campaign) -> Markup {
    html! {
        p {
            (badge(kind(&campaign.state), labels::campaign(&campaign.state)))
            @if let Some(pause) = &campaign.pause { " " (pause.words(asking)) }
        }
        @if let Some(follow_up) = &campaign.follow_up {
            p {
                "It follows up " a href=(segment(&follow_up.of)) { "another campaign" } ": "
                (thousands(follow_up.made)) " contacts were taken over, " (thousands(follow_up.left_out)) " were left out"
                @if !follow_up.whole { ". The rest is being looked at; it can be launched when that is done" }
                "."
            }
        }
    }
}

fn acts(asking: &Asking, campaign: &Campaign, said: &Said) -> Markup {
    let number = |value: Option<u32>| value.map_or_else(String::new, |value| value.to_string());
    let percent = |value: Option<u8>| number(value.map(u32::from));
    let filled = |name: &str| {
        let mut filled = Filled::with([("id", campaign.id.clone())]);
        if name == CHANGE.name {
            filled.given.extend([
                ("name", campaign.name.clone()),
                ("concurrent_calls_max", number(campaign.concurrent_calls_max)),
                ("calls_per_minute", number(campaign.calls_per_minute)),
                ("weight", campaign.weight.to_string()),
                ("breaker.abandoned_percent_max", percent(campaign.breaker.abandoned_percent_max)),
                ("breaker.failed_percent_max", percent(campaign.breaker.failed_percent_max)),
                (
                    "breaker.on_quality_warning",
                    if campaign.breaker.on_quality_warning { "on".to_owned() } else { String::new() },
                ),
            ]);
        }
        if name == FOLLOW_UP.name {
            filled.given.extend([
                ("outcomes", "exhausted\nexpired".to_owned()),
                ("latest", entered_later(asking.now, 24 * 7, &asking.zone)),
            ]);
        }
        filled
    };
    let takes_rows = matches!(campaign.state.as_str(), "draft" | "running" | "paused");
    html! {
        div class="actions" {
            @if takes_rows && asking.may(&Method::POST, "/v1/imports") {
                a class="button" href={ (segment(&campaign.id)) "/import" } { "Import a list" }
            }
            @for act in campaign_acts::of_state(&campaign.state) { (form(asking, act, &filled(act.name), said)) }
        }
    }
}

fn progress(campaign: &Campaign) -> Markup {
    let closed = campaign.callbacks.saturating_sub(campaign.open);
    let row = |(state, count): (&String, &u64)| {
        let link = match state.as_str() {
            "waiting" | "calling" => query([("campaign", campaign.id.as_str()), ("status", state.as_str())]),
            outcome => {
                query([("campaign", campaign.id.as_str()), ("status", "closed"), ("outcome", outcome)])
            }
        };
        vec![
            html! { a href={ "../callbacks" (link) } { (labels::outcome(state)) } },
            cell(thousands(*count)),
            bar(*count, campaign.callbacks),
        ]
    };
    html! {
        section {
            h2 { "Progress" }
            @if campaign.callbacks == 0 {
                (nothing("It has no contacts yet. Import a list."))
            } @else {
                p { (thousands(closed)) " of " (thousands(campaign.callbacks)) " contacts are done. " (bar(closed, campaign.callbacks)) }
                (table("Contacts by state", &["State", "Contacts", "Share"], campaign.by_state.iter().map(row)))
                p { a href={ "../reports/outcomes" (query([("campaign", campaign.id.as_str())])) } { "Outcomes by day" } }
            }
        }
    }
}

fn lists(asking: &Asking, campaign: &Campaign, imports: &Imports) -> Markup {
    let row = |import: &ImportRow| import.cells(asking, "../");
    html! {
        @if imports.imports.is_empty() {
            (nothing("No list was imported for it."))
        } @else {
            (table("Lists", &ImportRow::HEADS, imports.imports.iter().map(row)))
        }
        @if campaign.state == "draft" {
            p class="second" { "Nothing is sent for imported contacts before the launch." }
        }
    }
}

fn breaker(breaker: &Breaker) -> Markup {
    let share = |percent: Option<u8>, of_min: u32, window: &str| {
        html! {
            @match percent {
                Some(percent) => { "more than " (percent) " % of at least " (of_min) " calls " (window) }
                None => "never",
            }
        }
    };
    let window = format!("within {} minutes", breaker.failed_window_minutes);
    html! {
        section {
            h2 { "Breaker" }
            p { "The campaign is paused by itself if:" }
            (facts(&[
                ("Answered calls reach nobody", share(breaker.abandoned_percent_max, breaker.abandoned_of_min, "within 24 hours")),
                ("Calls fail", share(breaker.failed_percent_max, breaker.failed_of_min, &window)),
                ("Quality warning of WhatsApp", cell(if breaker.on_quality_warning { "at once" } else { "never" })),
            ]))
        }
    }
}

fn settings(asking: &Asking, campaign: &Campaign) -> Markup {
    let number = |value: Option<u32>| value.map_or_else(|| "no limit".to_owned(), |value| value.to_string());
    let defaults = campaign.defaults.as_object();
    html! {
        section {
            h2 { "Settings" }
            (facts(&[
                ("Calls at once", cell(number(campaign.concurrent_calls_max))),
                ("Calls begun in a minute", cell(number(campaign.calls_per_minute))),
                ("Turns among campaigns of equal priority", cell(campaign.weight.to_string())),
                ("Id", cell(&campaign.id)),
            ]))
            @if let Some(defaults) = defaults.filter(|defaults| !defaults.is_empty()) {
                h3 { "For contacts that name nothing else" }
                dl {
                    @for (name, value) in defaults {
                        div { dt { (labels::plain(name)) } dd { (readable(&told_value(value), asking.now, &asking.zone)) } }
                    }
                }
            }
        }
    }
}

fn told_value(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let pairs: Vec<String> =
                fields.iter().map(|(name, value)| format!("{name} = {}", told_value(value))).collect();
            pairs.join(", ")
        }
        other => other.to_string(),
    }
}

fn history(asking: &Asking, campaign: &Campaign) -> Markup {
    html! {
        section {
            h2 { "History" }
            (facts(&[
                ("Made", html! { (when(asking, campaign.created_at)) " " (labels::by(&campaign.created_by)) }),
                ("Over", when_if(asking, campaign.ended_at)),
            ]))
            ol class="timeline" {
                @for event in &campaign.history {
                    li {
                        (when(asking, event.at)) ": " (labels::act(&event.act)) " " (labels::by(&event.by))
                        @if event.note.is_some() { ". " (text_if(event.note.as_deref())) }
                    }
                }
            }
        }
    }
}
