//! What is unknown: calls of which it is not certain whether they were placed, or how they ended.

use axum::extract::Path;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::shown::consumer;
use crate::console::asking::segment;
use crate::console::fields::{Again, Fields};
use crate::console::form::Form;
use crate::console::layout::Page;
use crate::console::parts::{Input, button, facts, list, nothing, number, text};
use crate::console::times::{from_now, lasting, parsed};
use crate::console::visit::Visit;
use crate::domain::Scope;

const ENDS: &[(&str, &str)] = &[
    ("not_placed", "there is no such call"),
    ("completed", "answered and served"),
    ("abandoned", "answered, and nobody there"),
    ("no_answer", "not answered"),
    ("busy", "busy or declined"),
    ("canceled", "hung up before it was answered"),
    ("failed", "failed"),
];

pub(super) async fn unknown(visit: Visit) -> Response {
    match visit.get("/v1/attempts?is_unresolved=true&limit=100").await {
        Ok(found) => visit.page(Page::new("Unknown").head(about()).live(shown(&visit, &found))),
        Err(refused) => visit.page_refused(&refused, Page::new("Unknown")),
    }
}

fn about() -> Markup {
    html! { p {
        "Twilio has not said what became of these calls. Ringmaster goes on asking, and places no other call to these people meanwhile. "
        "Look them up in Twilio's console, and record what you found."
    } }
}

fn shown(visit: &Visit, found: &Value) -> Markup {
    let attempts = list(found, "attempts");
    html! {
        @if attempts.is_empty() { (nothing("Nothing is unknown.")) }
        @for attempt in attempts { (one(visit, attempt)) }
        @if number(found, "total") > attempts.len() as u64 { p.hint { "These are the oldest of " (number(found, "total")) "." } }
    }
}

fn one(visit: &Visit, attempt: &Value) -> Markup {
    let (id, now) = (text(attempt, "id"), visit.now());
    let since = parsed(text(attempt, "submitted_at")).or_else(|| parsed(text(attempt, "created_at")));
    html! {
        article aria-label={ "Call " (number(attempt, "number")) } {
            h2 { a href={ (visit.root()) "callbacks/" (text(attempt, "callback")) } { "Call " (number(attempt, "number")) " of a callback" } }
            (facts(&[
                ("consumer", consumer(attempt)),
                ("sender", html! { (text(attempt, "sender")) }),
                ("since", html! { (since.map(|at| lasting(now.duration_since(at))).unwrap_or_default()) }),
                ("Twilio's id", html! { (match text(attempt, "sid") { "" => "not known", sid => sid }) }),
                ("without an answer", countdown(visit, attempt, since, now)),
            ]))
            @if visit.may(Scope::Supervise) {
                div.actions {
                    (button(visit, &format!("unknown/{id}/ask-again"), "Ask Twilio again"))
                    details.action id={ "resolve-" (id) } {
                        summary { "Record what became of it" }
                        (resolve_form(visit, id, None))
                    }
                }
            }
        }
    }
}

/// When a call that Twilio does not have is taken as not placed.
fn countdown(visit: &Visit, attempt: &Value, since: Option<Timestamp>, now: Timestamp) -> Markup {
    let ends = since.filter(|_| text(attempt, "stage") == "unknown").zip(horizon(visit));
    let ends = ends.and_then(|(at, horizon)| at.checked_add(horizon).ok());
    html! {
        @match ends {
            Some(at) if at > now => { "counts as not placed " (from_now(at, now)) ", if Twilio then has no such call" },
            Some(_) => "counts as not placed as soon as Twilio says that it has no such call",
            None => "waits for Twilio or for you",
        }
    }
}

/// How long Twilio must not have the call, by the configuration.
fn horizon(visit: &Visit) -> Option<SignedDuration> {
    let key = visit.app().chosen.iter().find(|chosen| chosen.key == "calling.silence.horizon")?;
    key.value.trim_matches('"').parse().ok()
}

/// The page has this form for each call.
fn form_of(id: &str) -> String {
    format!("resolve-{id}")
}

fn resolve_form(visit: &Visit, id: &str, again: Option<Again<'_>>) -> Markup {
    let name = form_of(id);
    let fields = Fields::new(&name, again);
    html! {
        form method="post" action={ (visit.root()) "unknown/" (id) "/resolve" } {
            (visit.csrf())
            (fields.choice("outcome", "It was", ENDS))
            (fields.input(Input::text("sid", "Twilio's id of the call").hint("CA… if you found it")))
            (fields.input(Input::text("note", "Note")))
            button type="submit" { "Record" }
        }
    }
}

/// Records what became of a call.
pub(super) async fn resolve(Path(id): Path<String>, form: Form) -> Response {
    let visit = &form.visit;
    let mut word = Map::new();
    for name in ["outcome", "sid", "note"] {
        if let Some(given) = form.given(name) {
            word.insert(name.to_owned(), given.into());
        }
    }
    match visit.post(&format!("/v1/attempts/{}/resolve", segment(&id)), &Value::Object(word)).await {
        Ok(_) => visit.go("unknown", "resolved"),
        Err(refused) => {
            let name = form_of(&id);
            let again = Again::new(&name, &form, &refused);
            let page = Page::new("Record what became of a call").rest(resolve_form(visit, &id, Some(again)));
            visit.page_refused(&refused, page)
        }
    }
}

/// Asks Twilio again now.
pub(super) async fn ask_again(Path(id): Path<String>, form: Form) -> Response {
    let visit = &form.visit;
    match visit.post(&format!("/v1/attempts/{}/ask-again", segment(&id)), &json!({})).await {
        Ok(_) => visit.go("unknown", "asking"),
        Err(refused) => visit.refused(&refused),
    }
}
