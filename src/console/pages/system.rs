//! The page of the system: what is wrong as far as the daemon knows, its counts, deliveries, what the program failed at,
//! unknown people, limits with their sources, nodes, tokens, people and the audit log.

use axum::http::Method;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use super::findings::{self, Status};
use super::limits::{self, Limits};
use super::staff::{self, Audit, Nodes, People};
use crate::console::act_forms::{Filled, form, told};
use crate::console::acts::{Act, Field, Said, Then};
use crate::console::ask::Refused;
use crate::console::asking::{Asking, query, segment};
use crate::console::blocks::{
    badge, cell, facts, nothing, section, table, text_if, thousands, when, when_if,
};
use crate::console::page_of::{PageOf, Place, Shown};
use crate::console::{labels, numbers};

const ENABLE: Act = Act {
    name: "enable-webhooks",
    method: Method::POST,
    route: "/v1/webhooks/enable",
    fields: &[],
    button: "Deliver again",
    hint: "",
    done: "Deliveries are on.",
    then: Then::Back,
};
const CONFIRM: Act = Act {
    name: "confirm-clock",
    method: Method::POST,
    route: "/v1/clock/confirm",
    fields: &[],
    button: "The clock is right",
    hint: "What is over by this clock ends then. Correct a wrong clock instead.",
    done: "The clock is trusted again.",
    then: Then::Back,
};
const RETRY: Act = Act {
    name: "retry-set-aside",
    method: Method::POST,
    route: "/v1/set-aside/{id}/retry",
    fields: &[Field::hidden("id")],
    button: "Try again",
    hint: "",
    done: "It is processed again.",
    then: Then::Back,
};
const DROP: Act = Act {
    name: "drop-set-aside",
    method: Method::POST,
    route: "/v1/set-aside/{id}/drop",
    fields: &[Field::hidden("id")],
    button: "Drop",
    hint: "",
    done: "It is dropped.",
    then: Then::Back,
};

pub(super) const PAGE: PageOf = PageOf {
    path: "system",
    acts: &[&ENABLE, &CONFIRM, &RETRY, &DROP, &staff::ADD, &staff::CHANGE, &staff::REMOVE],
    show,
};

#[derive(Deserialize)]
struct Webhooks {
    state: String,
    disabled_at: Option<Timestamp>,
    disabled_because: Option<String>,
    resting_until: Option<Timestamp>,
    failing_since: Option<Timestamp>,
    last_failure: Option<String>,
    last_taken_at: Option<Timestamp>,
    backlog: u64,
    oldest: Option<Timestamp>,
    given_up: u64,
}

#[derive(Deserialize)]
struct SetAside {
    set_aside: Vec<Item>,
    total: u64,
}

#[derive(Deserialize)]
struct Item {
    id: String,
    item: String,
    kind: String,
    since: Timestamp,
    consumer: Option<String>,
    callback: Option<String>,
    place: Option<String>,
}

#[derive(Deserialize)]
struct Unmatched {
    reports: Vec<Report>,
    total: u64,
}

#[derive(Deserialize)]
struct Report {
    received_at: Timestamp,
    sender: String,
    kind: String,
    user_id: Option<String>,
}

#[derive(Deserialize)]
struct Tokens {
    tokens: Vec<Token>,
}

#[derive(Deserialize)]
struct Token {
    name: String,
    tenant: String,
    scopes: Vec<String>,
    created_at: Timestamp,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    senders: Vec<String>,
}

fn show<'a>(asking: &'a Asking, place: &'a Place, said: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let status: Result<Status, Refused> = asking.read("/v1/status").await;
        let webhooks: Result<Webhooks, _> = asking.read("/v1/webhooks").await;
        let set_aside: Result<SetAside, _> = asking.read("/v1/set-aside?limit=50").await;
        let unmatched: Result<Unmatched, _> = asking.read("/v1/inbox/unmatched?limit=50").await;
        let limits: Result<Limits, _> = asking.read("/v1/limits").await;
        let tokens: Result<Tokens, _> = asking.read("/v1/tokens").await;
        let nodes: Result<Nodes, _> = asking.read("/v1/nodes").await;
        let people: Result<People, _> = asking.read("/v1/people").await;
        let older = query([("limit", "50"), ("cursor", place.filter("audit").unwrap_or_default())]);
        let audit: Result<Audit, _> = asking.read(&format!("/v1/audit{older}")).await;
        let confirm = |status: &Status| match &status.clock_in_doubt {
            Some(_) => form(asking, &CONFIRM, &Filled::default(), said),
            None => html! {},
        };
        let body = html! {
            (told(said, PAGE.acts))
            (section("What is wrong", &status, |status| html! { (findings::list(asking, status)) (confirm(status)) }))
            (section("Counts", &status, |status| findings::counts(asking, status)))
            (section("Deliveries to your system", &webhooks, |webhooks| deliveries(asking, webhooks, said)))
            (section("Set aside", &set_aside, |items| failed(asking, items, said)))
            (section("Reports of unknown people", &unmatched, |unmatched| unknown(asking, unmatched)))
            (section("Limits in force", &limits, limits::list))
            (section("Nodes", &nodes, |nodes| staff::nodes(asking, nodes)))
            (section("API tokens", &tokens, |tokens| of_tokens(asking, tokens)))
            (section("People", &people, |people| staff::people(asking, people, said)))
            (section("Audit log", &audit, |audit| staff::audit(asking, place, audit)))
        };
        let shown = Shown::new("System", body);
        // An admin of another tenant than the default one has the people and the audit log here.
        if people.is_ok() { shown } else { shown.about(&status) }
    })
}

fn deliveries(asking: &Asking, webhooks: &Webhooks, said: &Said) -> Markup {
    let (kind, words) = match webhooks.state.as_str() {
        "enabled" => ("good", "on"),
        "disabled" => ("bad", "off after too many failures"),
        "resting" => ("warn", "resting, as your system asked"),
        "off" => ("", "no webhook is configured"),
        other => ("", other),
    };
    html! {
        p {
            (badge(kind, words))
            @if let Some(why) = &webhooks.disabled_because { " " (labels::plain(why)) }
            @if let Some(at) = webhooks.disabled_at { ", since " (when(asking, at)) }
            @if let Some(at) = webhooks.resting_until { ", until " (when(asking, at)) }
        }
        (facts(&[
            ("Waiting", cell(thousands(webhooks.backlog))),
            ("The oldest is of", when_if(asking, webhooks.oldest)),
            ("Given up", cell(thousands(webhooks.given_up))),
            ("Last taken", when_if(asking, webhooks.last_taken_at)),
            ("Failing since", when_if(asking, webhooks.failing_since)),
            ("Last failure", text_if(webhooks.last_failure.as_deref())),
        ]))
        @if matches!(webhooks.state.as_str(), "disabled" | "resting") {
            (form(asking, &ENABLE, &Filled::default(), said))
        }
    }
}

fn failed(asking: &Asking, items: &SetAside, said: &Said) -> Markup {
    let row = |item: &Item| {
        let given = || Filled::with([("id", item.id.clone())]);
        vec![
            html! {
                (labels::plain(&item.item)) ", " (labels::plain(&item.kind))
                @if let Some(place) = &item.place { br; small { code { (place) } } }
            },
            when(asking, item.since),
            html! { @match &item.consumer { Some(consumer) => (numbers::number(consumer)), None => (text_if(None)) } },
            html! {
                @match &item.callback {
                    Some(id) => a href={ "callbacks/" (segment(id)) } { (id) },
                    None => (text_if(None)),
                }
            },
            html! { div class="actions" { (form(asking, &RETRY, &given(), said)) (form(asking, &DROP, &given(), said)) } },
        ]
    };
    html! {
        @if items.set_aside.is_empty() {
            (nothing("The program failed at nothing."))
        } @else {
            p {
                "The program failed at " (thousands(items.total)) ". While a report is set aside its consumer is neither asked nor called. "
                "A dropped report may have been a refusal: record it on the page of permissions first."
            }
            (table("Set aside", &["What", "Since", "Consumer", "Callback", ""], items.set_aside.iter().map(row)))
        }
    }
}

fn unknown(asking: &Asking, unmatched: &Unmatched) -> Markup {
    let row = |report: &Report| {
        vec![
            when(asking, report.received_at),
            cell(&report.sender),
            cell(labels::plain(&report.kind)),
            text_if(report.user_id.as_deref()),
        ]
    };
    html! {
        @if unmatched.reports.is_empty() {
            (nothing("Every report of the last 30 days has its person."))
        } @else {
            p { (thousands(unmatched.total)) " reports of the last 30 days. They count as soon as their person is known." }
            (table("Reports of unknown people", &["Received", "Sender", "Kind", "WhatsApp's id"], unmatched.reports.iter().map(row)))
        }
    }
}

fn of_tokens(asking: &Asking, tokens: &Tokens) -> Markup {
    let row = |token: &Token| {
        let is_over = token.expires_at.is_some_and(|at| at <= asking.now);
        vec![
            html! { strong { (token.name) } @if is_over { " " (badge("", "expired")) } },
            cell(&token.tenant),
            cell(token.scopes.join(", ")),
            cell(if token.senders.is_empty() { "all".to_owned() } else { token.senders.join(", ") }),
            when(asking, token.created_at),
            when_if(asking, token.last_used_at),
            when_if(asking, token.expires_at),
        ]
    };
    html! {
        @if tokens.tokens.is_empty() {
            (nothing("There is no token. Make one with \"ringmaster token create\" on the daemon's machine."))
        } @else {
            (table(
                "API tokens",
                &["Token", "Tenant", "Scopes", "Senders", "Made", "Last used", "Expires"],
                tokens.tokens.iter().map(row),
            ))
        }
        p class="second" { "Tokens are made and revoked on the daemon's machine." }
    }
}
