//! The page of suppression: the lists, the registers, a test of one number, and adding and removing people.

use axum::http::Method;
use futures_util::future::BoxFuture;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::Value;

use crate::console::act_forms::{Filled, form, told};
use crate::console::acts::{Act, Field, Kind, Said, Then};
use crate::console::asking::Asking;
use crate::console::blocks::{badge, cell, nothing, section, table, text_if, thousands, when, when_if};
use crate::console::labels;
use crate::console::page_of::{PageOf, Shown};

const LIST: Field =
    Field::needed("list", "List", Kind::Text, "house, account:NAME, campaign:NAME or imported:NAME.");
const WHY: Field = Field::needed("why", "Why", Kind::Text, "For the record.");

const CHECK: Act = Act {
    name: "check-suppression",
    method: Method::POST,
    route: "/v1/suppression/check",
    fields: &[Field::needed(
        "consumer",
        "Number of the consumer",
        Kind::Text,
        "With + and the country code.",
    )],
    button: "Test a number",
    hint: "",
    done: "",
    then: Then::Show,
};
const ADD: Act = Act {
    name: "suppress",
    method: Method::POST,
    route: "/v1/suppression",
    fields: &[
        LIST,
        Field::needed(
            "consumers",
            "Numbers",
            Kind::Lines,
            "One in each line, with + and the country code; at most 1,000.",
        ),
        Field::needed(
            "scope",
            "What is forbidden",
            Kind::Choice(&[
                ("all", "everything"),
                ("calls", "calls"),
                ("requests", "permission requests"),
                ("invites", "invites"),
            ]),
            "",
        ),
        WHY,
        Field::free(
            "expires_at",
            "Until",
            Kind::Moment,
            "Without a time somebody has to remove the entries.",
        ),
    ],
    button: "Add people to a list",
    hint: "From then on nothing leaves that the list forbids, whatever was ordered or allowed. What waits for these people is closed.",
    done: "These people are on the list.",
    then: Then::Back,
};
const REMOVE: Act = Act {
    name: "unsuppress",
    method: Method::POST,
    route: "/v1/suppression/remove",
    fields: &[
        LIST,
        Field::needed("consumer", "Number of the consumer", Kind::Text, "With + and the country code."),
        WHY,
    ],
    button: "Take a person off a list",
    hint: "Other lists still hold, and so does what the person refused.",
    done: "The person is off the list.",
    then: Then::Back,
};

pub(super) const PAGE: PageOf = PageOf {
    path: "suppression",
    acts: &[&CHECK, &ADD, &REMOVE],
    show: |asking, _, said| show(asking, said),
};

#[derive(Deserialize)]
struct Lists {
    lists: Vec<List>,
}

#[derive(Deserialize)]
struct List {
    list: String,
    version: Option<String>,
    purposes: Vec<String>,
    countries: Vec<String>,
    entries: u64,
    valid_until: Option<Timestamp>,
    past_its_term: bool,
    source: Option<String>,
    made_at: Timestamp,
    by: String,
    complete_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Registers {
    registers: Vec<Register>,
}

#[derive(Deserialize)]
struct Register {
    name: String,
    age_hours: i64,
    required: bool,
    version: Option<String>,
    valid_until: Option<Timestamp>,
    stale: bool,
}

fn show<'a>(asking: &'a Asking, said: &'a Said) -> BoxFuture<'a, Shown> {
    Box::pin(async move {
        let lists: Result<Lists, _> = asking.read("/v1/suppression/lists").await;
        let registers: Result<Registers, _> = asking.read("/v1/suppression/registers").await;
        let filled = || Filled::with([("list", "house".to_owned()), ("scope", "all".to_owned())]);
        let body = html! {
            (told(said, PAGE.acts))
            @if let Some((_, answer)) = said.shown(&CHECK) { (found(asking, answer)) }
            (form(asking, &CHECK, &Filled::default(), said))
            (form(asking, &ADD, &filled(), said))
            (form(asking, &REMOVE, &filled(), said))
            (section("Lists", &lists, |lists| rows(asking, lists)))
            (section("Registers", &registers, |registers| of_registers(asking, registers)))
            p { a href="calendars" { "Calendars" } }
        };
        Shown::new("Suppression", body).about(&lists)
    })
}

fn rows(asking: &Asking, lists: &Lists) -> Markup {
    let all = |names: &[String]| if names.is_empty() { "all".to_owned() } else { names.join(", ") };
    let row = |list: &List| {
        vec![
            html! {
                strong { (list.list) }
                @if let Some(version) = list.version.as_deref().filter(|version| !version.is_empty()) { " " small { (version) } }
                @if list.past_its_term { " " (badge("warn", "past its term: a newer version is due")) }
                @if list.complete_at.is_none() && list.version.is_some() { " " (badge("", "not complete")) }
            },
            cell(thousands(list.entries)),
            cell(format!("{}; {}", all(&list.purposes), all(&list.countries))),
            when_if(asking, list.valid_until),
            html! { (when(asking, list.made_at)) " " small { (labels::by(&list.by)) } },
            text_if(list.source.as_deref()),
        ]
    };
    html! {
        @if lists.lists.is_empty() {
            (nothing("There is no list yet. The first entry makes one."))
        } @else {
            (table(
                "Suppression lists",
                &["List", "Entries", "Purposes; countries", "Term ends", "Made", "From"],
                lists.lists.iter().map(row),
            ))
        }
    }
}

fn of_registers(asking: &Asking, registers: &Registers) -> Markup {
    let row = |register: &Register| {
        vec![
            html! {
                strong { (register.name) } " "
                @if register.stale { (badge("bad", "the answer is too old")) } @else { (badge("good", "in time")) }
            },
            cell(if register.required { "nobody is called who was not checked" } else { "no" }),
            text_if(register.version.as_deref()),
            html! { (when_if(asking, register.valid_until)) " " small { "an answer counts " (register.age_hours) " h" } },
        ]
    };
    html! {
        @if registers.registers.is_empty() {
            (nothing("No register is configured."))
        } @else {
            (table("Registers", &["Register", "Required", "Last answer", "Counts until"], registers.registers.iter().map(row)))
        }
    }
}

/// What a test of a number found.
fn found(asking: &Asking, answer: &Value) -> Markup {
    let entries = answer["entries"].as_array().map_or(&[][..], Vec::as_slice);
    let moment = |value: &Value| value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
    let row = |entry: &Value| {
        vec![
            cell(entry["list"].as_str().unwrap_or_default()),
            cell(labels::plain(entry["scope"].as_str().unwrap_or_default())),
            text_if(entry["why"].as_str()),
            when_if(asking, moment(&entry["added_at"])),
            html! {
                (when_if(asking, moment(&entry["expires_at"])))
                @if entry["in_force"] == false { " " (badge("", "over")) }
            },
        ]
    };
    html! {
        section {
            h2 { "Result" }
            @if answer["suppressed"] == true {
                p class="problem" { "This person is on a list that is in force: nobody calls or writes, as far as the list forbids it." }
            } @else {
                p class="done" role="status" { "No list forbids anything for this person." }
            }
            @if !entries.is_empty() {
                (table("Entries of the person", &["List", "Forbids", "Why", "Added", "Until"], entries.iter().map(row)))
            }
        }
    }
}
