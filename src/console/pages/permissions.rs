//! The page of permissions: the funnel, the permissions by their state, and the export of who can be called.

use axum::http::Method;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use super::senders::{SenderRow, Senders};
use crate::console::act_forms::{Filled, form, told};
use crate::console::acts::{Act, Field, Kind, Said, Then};
use crate::console::ask::Refused;
use crate::console::asking::{Asking, query};
use crate::console::blocks::{
    badge, bar, cell, facts, nothing, section, table, thousands, until, when, when_if,
};
use crate::console::page_of::{PageOf, Place, Shown};
use crate::console::table_of_report::ReportData;
use crate::console::{labels, numbers};

const ROUTE: &str = "/v1/permissions";
const EXPORT: &str = "/v1/permissions/callable";

const SHOW: Act = Act {
    name: "show-permission",
    method: Method::POST,
    route: "/v1/permissions/show",
    fields: &[SENDER, CONSUMER],
    button: "Look up a consumer",
    hint: "",
    done: "",
    then: Then::Show,
};
const GRANT: Act = Act {
    name: "grant-permission",
    method: Method::POST,
    route: "/v1/permissions/grant",
    fields: &[
        SENDER,
        CONSUMER,
        Field::needed(
            "kind",
            "For how long",
            Kind::Choice(&[("temporary", "for some days"), ("permanent", "for good")]),
            "",
        ),
        REASON,
        Field::free("ends_refusals", "The consumer allowed calls after a refusal", Kind::Flag, ""),
    ],
    button: "Record a permission",
    hint: "Only for a permission that the consumer really gave this sender. WhatsApp refuses calls without one.",
    done: "The permission is recorded.",
    then: Then::Back,
};
const REVOKE: Act = Act {
    name: "revoke-permission",
    method: Method::POST,
    route: "/v1/permissions/revoke",
    fields: &[SENDER, CONSUMER, REASON],
    button: "Record that a consumer does not want calls",
    hint: "The consumer is not called and not asked again.",
    done: "It is recorded: the consumer is not called and not asked again.",
    then: Then::Back,
};
const SENDER: Field = Field::needed("sender", "Sender", Kind::Offered, "");
const CONSUMER: Field =
    Field::needed("consumer", "Number of the consumer", Kind::Text, "With + and the country code.");
const REASON: Field = Field::needed("reason", "Why", Kind::Text, "For the record, at most 200 characters.");

pub(super) const PAGE: PageOf = PageOf {
    path: "permissions",
    acts: &[&SHOW, &GRANT, &REVOKE],
    show: |asking, place, said| show(asking, place, said),
};

#[derive(Deserialize)]
struct Permissions {
    permissions: Vec<Row>,
    next: Option<u64>,
}

#[derive(Deserialize)]
struct Row {
    sender: String,
    consumer: String,
    permission: String,
    until: Option<Timestamp>,
    misses: u32,
    misses_before_revocation: u32,
    requests_left: u32,
    requests_lift_at: Option<Timestamp>,
    paused_until: Option<Timestamp>,
}

/// The states of the filter.
const STATES: &[(&str, &str)] = &[
    ("", "all"),
    ("granted", "can be called"),
    ("requested", "asked, no answer yet"),
    ("declined", "declined"),
    ("temporary", "granted for some days"),
    ("permanent", "granted for good"),
    ("expired", "ended"),
    ("revoked_by_consumer", "taken back by the consumer"),
    ("revoked_automatically", "taken back by WhatsApp"),
    ("uncallable", "not on WhatsApp"),
    ("none", "not asked"),
];

fn show<'a>(asking: &'a Asking, place: &'a Place, said: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let filters = ["state", "sender", "after"].map(|name| (name, place.filter(name).unwrap_or_default()));
        let list: Result<Permissions, _> = asking.read(&format!("{ROUTE}{}", query(filters))).await;
        let funnel: Result<ReportData, _> = asking.read("/v1/reports/permissions").await;
        let senders: Result<Senders, _> = asking.read("/v1/senders").await;
        let known = senders.as_ref().map_or(&[][..], |senders| &senders.senders);
        Shown::new("Permissions", body(asking, place, said, (&list, &funnel, known))).about(&list)
    })
}

type Read<'a> = (&'a Result<Permissions, Refused>, &'a Result<ReportData, Refused>, &'a [SenderRow]);

fn body(asking: &Asking, place: &Place, said: &Said, (list, funnel, senders): Read<'_>) -> Markup {
    let offered: Vec<_> = senders.iter().map(|sender| (sender.number.clone(), sender.words())).collect();
    let form = |act| form(asking, act, &Filled::default().offering("sender", offered.clone()), said);
    html! {
        (told(said, PAGE.acts))
        @if let Some((_, answer)) = said.shown(&SHOW) { (one(asking, answer)) }
        (section("What came of the requests", funnel, steps))
        (section("Permissions", list, |list| html! {
            (filter(place, senders))
            (rows(asking, place, list, senders))
        }))
        section {
            h2 { "Do" }
            @if asking.may(&Method::GET, EXPORT) {
                p {
                    a href={ "permissions/callable.csv" (query([("sender", place.filter("sender").unwrap_or_default())])) } download {
                        "Export who can be called (CSV)"
                    }
                    " " small class="hint" { "With complete numbers. People who refused or are on a suppression list are left out." }
                }
            }
            (form(&SHOW)) (form(&GRANT)) (form(&REVOKE))
        }
    }
}

/// The steps from the request to the conversation, from the report of permissions.
fn steps(report: &ReportData) -> Markup {
    const STEPS: [(&str, &str); 7] = [
        ("asked", "asked"),
        ("delivered", "delivered"),
        ("read", "read"),
        ("answered", "answered"),
        ("granted", "granted"),
        ("called", "called"),
        ("connected", "talked"),
    ];
    let of = |name: &str| report.total.get(name).and_then(Value::as_u64).unwrap_or(0);
    let all = of("asked");
    let row = |(name, words): (&str, &str)| vec![cell(words), cell(thousands(of(name))), bar(of(name), all)];
    html! {
        p class="second" { (report.period()) " " a href="reports/permissions" { "The whole report" } }
        @if all == 0 {
            (nothing("Nobody was asked in this time."))
        } @else {
            (table("Steps from the request to the conversation", &["Step", "Consumers", "Share"], STEPS.map(row)))
        }
    }
}

fn filter(place: &Place, senders: &[SenderRow]) -> Markup {
    let (shown, sender) =
        (place.filter("state").unwrap_or_default(), place.filter("sender").unwrap_or_default());
    html! {
        form method="get" class="filters" {
            label { "State " select name="state" {
                @for (value, words) in STATES { option value=(value) selected[*value == shown] { (words) } }
            } }
            label { "Sender " select name="sender" {
                option value="" { "all" }
                @for known in senders {
                    option value=(known.name()) selected[known.name() == sender] { (known.words()) }
                }
            } }
            button type="submit" { "Show" }
        }
    }
}

fn rows(asking: &Asking, place: &Place, list: &Permissions, senders: &[SenderRow]) -> Markup {
    let row = |row: &Row| {
        let sender = senders.iter().find(|sender| sender.number == row.sender);
        vec![
            numbers::number(&row.consumer),
            cell(sender.map_or_else(|| row.sender.clone(), SenderRow::words)),
            html! {
                (badge(kind(&row.permission), labels::permission(&row.permission)))
                @if let Some(at) = row.paused_until { " " small { "paused until " (when(asking, at)) } }
            },
            html! { @match row.until { Some(at) => (until(asking, at)), None => (when_if(asking, None)) } },
            cell(labels::misses(row.misses, row.misses_before_revocation)),
            html! {
                (row.requests_left)
                @if let Some(at) = row.requests_lift_at { " " small { "next " (when(asking, at)) } }
            },
        ]
    };
    let heads = ["Consumer", "Sender", "Permission", "Until", "Missed in a row", "Requests left"];
    html! {
        @if list.permissions.is_empty() {
            (nothing(if list.next.is_some() {
                "None of those that were looked at has this state. There are more."
            } else {
                "There is none."
            }))
        } @else {
            (table("Permissions", &heads, list.permissions.iter().map(row)))
        }
        @if let Some(next) = list.next {
            p class="pages" { a rel="next" href=(place.with("after", &next.to_string())) { "Next page" } }
        }
    }
}

/// The colour of a permission.
fn kind(permission: &str) -> &'static str {
    match permission {
        "temporary" | "permanent" => "good",
        "declined" | "revoked_by_consumer" | "revoked_automatically" | "uncallable" => "bad",
        _ => "",
    }
}

/// The ledger that was looked up.
fn one(asking: &Asking, answer: &Value) -> Markup {
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    let moment = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let count = |name: &str| {
        let (used, max) = (&answer[name]["used"], &answer[name]["max"]);
        html! {
            (used.to_string()) " of " (max.to_string())
            @if let Some(at) = moment(&answer[name]["lifts_at"]) { ", next " (when(asking, at)) }
        }
    };
    let small = |value: &Value| value.as_u64().and_then(|value| u32::try_from(value).ok()).unwrap_or(0);
    let misses = labels::misses(small(&answer["misses"]), small(&answer["misses_before_revocation"]));
    let refusals = answer["refusals"].as_array().map_or(&[][..], Vec::as_slice);
    let lines = answer["timeline"].as_array().map_or(&[][..], Vec::as_slice);
    html! {
        section {
            h2 { "Consumer " (numbers::number(text("consumer"))) }
            (facts(&[
                ("Sender", cell(text("sender"))),
                ("Permission", cell(labels::permission(text("permission")))),
                ("Until", when_if(asking, moment(&answer["until"]))),
                ("Missed in a row", cell(misses)),
                ("Requests, short limit", count("requests_short")),
                ("Requests, long limit", count("requests_long")),
                ("Connected calls", count("connected_calls")),
                ("Messages without a template until", when_if(asking, moment(&answer["service_window_until"]))),
                ("Paused by WhatsApp until", when_if(asking, moment(&answer["paused_until"]))),
                ("On the phone", cell(if answer["on_the_phone"] == true { "yes" } else { "no" })),
            ]))
            @if !refusals.is_empty() {
                p class="refused" {
                    "The consumer refused: "
                    @for refusal in refusals {
                        (labels::plain(refusal["kind"].as_str().unwrap_or_default())) ", "
                        (when_if(asking, moment(&refusal["at"]))) ". "
                    }
                }
            }
            @if !lines.is_empty() {
                ol class="timeline" {
                    @for line in lines {
                        li { (when_if(asking, moment(&line["at"]))) " " (line["why"].as_str().unwrap_or_default()) }
                    }
                }
            }
        }
    }
}
