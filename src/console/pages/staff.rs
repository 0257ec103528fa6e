//! Who signs in, what they did, and the nodes: sections of the page of the system.

use axum::http::Method;
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::console::act_forms::{Filled, form};
use crate::console::acts::{Act, Field, Kind, Said, Then};
use crate::console::asking::Asking;
use crate::console::blocks::{badge, cell, nothing, table, text_if, when, when_if};
use crate::console::labels;
use crate::console::page_of::Place;

const ROLES: &[(&str, &str)] = &[
    ("viewer", "viewer: reads, with masked numbers"),
    ("agent", "agent: own callbacks, offers, wrap-up"),
    ("supervisor", "supervisor: pauses, campaigns, cancels, suppression"),
    ("operator", "operator: resolves, permissions, senders"),
    ("admin", "admin: people, audit log, erasure"),
];
const BOUNDS: &str = "One in each line: campaign:NAME, sender:+DIGITS or pool:NAME.";

pub(super) const ADD: Act = Act {
    name: "add-person",
    method: Method::POST,
    route: "/v1/people",
    fields: &[
        Field::needed("name", "Name", Kind::Text, "Small letters, digits and . - _ + @"),
        Field::needed("role", "Role", Kind::Choice(ROLES), ""),
        Field::free("tenant", "Tenant", Kind::Text, "Your own, if it is empty."),
        Field::free("bounds", "Sees only", Kind::Lines, BOUNDS),
        Field::free(
            "password",
            "Password",
            Kind::Secret,
            "15 characters or more. Without one, a proxy signs the person in.",
        ),
    ],
    button: "Add a person",
    hint: "",
    done: "The person may sign in.",
    then: Then::Back,
};
pub(super) const CHANGE: Act = Act {
    name: "change-person",
    method: Method::POST,
    route: "/v1/people/{name}/change",
    fields: &[
        Field::hidden("name"),
        Field::needed("role", "Role", Kind::Choice(ROLES), ""),
        Field::free("bounds", "Sees only", Kind::Lines, "Empty leaves it as it is."),
        Field::free("password", "New password", Kind::Secret, "Empty leaves it as it is."),
    ],
    button: "Change",
    hint: "All sessions of the person end.",
    done: "The person is changed.",
    then: Then::Back,
};
pub(super) const REMOVE: Act = Act {
    name: "remove-person",
    method: Method::DELETE,
    route: "/v1/people/{name}",
    fields: &[Field::hidden("name")],
    button: "Remove",
    hint: "",
    done: "The person is removed, and is out at once.",
    then: Then::Back,
};

#[derive(Deserialize)]
pub(super) struct People {
    people: Vec<Person>,
}

#[derive(Deserialize)]
struct Person {
    name: String,
    role: String,
    tenant: String,
    bounds: Vec<String>,
    has_password: bool,
    issuer: Option<String>,
    created_at: Timestamp,
}

#[derive(Deserialize)]
pub(super) struct Audit {
    entries: Vec<Entry>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    at: Timestamp,
    who: String,
    way: String,
    what: String,
    object: Option<String>,
    from: Option<String>,
    outcome: String,
    before: Option<String>,
    after: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Nodes {
    node: String,
    nodes: Vec<Node>,
    leaders: Vec<Leadership>,
}

#[derive(Deserialize)]
struct Node {
    name: String,
    role: String,
    version: String,
    started_at: Timestamp,
    seen_at: Timestamp,
    clock_ahead_ms: i64,
}

#[derive(Deserialize)]
struct Leadership {
    term: u64,
    node: String,
    since: Timestamp,
    until: Option<Timestamp>,
    ended: Option<String>,
}

pub(super) fn people(asking: &Asking, people: &People, said: &Said) -> Markup {
    let row = |person: &Person| {
        let given = || Filled::with([("name", person.name.clone()), ("role", person.role.clone())]);
        vec![
            html! { strong { (person.name) } },
            cell(&person.role),
            cell(&person.tenant),
            cell(if person.bounds.is_empty() { "all".to_owned() } else { person.bounds.join(", ") }),
            cell(match (&person.issuer, person.has_password) {
                (Some(_), _) => "a provider",
                (None, true) => "a password",
                (None, false) => "a proxy",
            }),
            when(asking, person.created_at),
            html! { div class="actions" { (form(asking, &CHANGE, &given(), said)) (form(asking, &REMOVE, &given(), said)) } },
        ]
    };
    html! {
        @if people.people.is_empty() {
            (nothing("Nobody signs in."))
        } @else {
            (table(
                "People",
                &["Person", "Role", "Tenant", "Sees", "Signs in by", "Added", ""],
                people.people.iter().map(row),
            ))
        }
        (form(asking, &ADD, &Filled::default(), said))
    }
}

pub(super) fn audit(asking: &Asking, place: &Place, audit: &Audit) -> Markup {
    let row = |entry: &Entry| {
        vec![
            when(asking, entry.at),
            html! { (entry.who) br; small { (entry.way) } },
            html! { code { (entry.what) } @if entry.outcome != "done" { " " (badge("bad", &entry.outcome)) } },
            text_if(entry.object.as_deref()),
            text_if(entry.from.as_deref()),
            text_if(entry.before.as_deref()),
            text_if(entry.after.as_deref()),
        ]
    };
    html! {
        span #audit {}
        @if audit.entries.is_empty() {
            (nothing("Nothing was done yet."))
        } @else {
            (table(
                "What was done, newest first",
                &["When", "Who", "What", "On", "From", "Before", "After"],
                audit.entries.iter().map(row),
            ))
        }
        @if let Some(older) = &audit.next_cursor {
            p class="more" { a href={ (place.with("audit", older)) "#audit" } { "Older entries" } }
        }
        p {
            a href="system/audit.csv" download { "Export the audit log (CSV)" }
            " " small class="hint" { "Numbers in it are masked. The export is in the log, too." }
        }
    }
}

pub(super) fn nodes(asking: &Asking, nodes: &Nodes) -> Markup {
    let row = |node: &Node| {
        let kind = if node.role == "gone" { "bad" } else { "" };
        vec![
            html! { strong { (node.name) } @if node.name == nodes.node { " " small { "(this one)" } } },
            badge(kind, &node.role),
            cell(&node.version),
            when(asking, node.started_at),
            when(asking, node.seen_at),
            html! { (node.clock_ahead_ms) " ms" },
        ]
    };
    let leadership = |leadership: &Leadership| {
        vec![
            cell(&leadership.node),
            cell(leadership.term),
            when(asking, leadership.since),
            when_if(asking, leadership.until),
            text_if(leadership.ended.as_deref().map(labels::plain).as_deref()),
        ]
    };
    html! {
        (table("Nodes", &["Node", "Role", "Version", "Started", "Last seen", "Clock ahead"], nodes.nodes.iter().map(row)))
        @if !nodes.leaders.is_empty() {
            details {
                summary { "Who dialled, newest first" }
                (table("Who dialled", &["Node", "Term", "Since", "Until", "Ended"], nodes.leaders.iter().map(leadership)))
            }
        }
    }
}
