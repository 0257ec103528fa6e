//! What is unknown: calls of which it is not certain whether they were placed, or how they ended.

use axum::extract::Path;
use axum::http::Method;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::shown::consumer;
use crate::console::asking::segment;
use crate::console::fields::{Again, Fields};
use crate::console::form::Form;
use crate::console::layout::Page;
use crate::console::parts::{Input, button, facts, field, list, nothing, number, table, text};
use crate::console::person::may_ask;
use crate::console::times::{from_now, lasting, parsed};
use crate::console::visit::Visit;

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
    let now = visit.now();
    let since = parsed(text(attempt, "submitted_at")).or_else(|| parsed(text(attempt, "created_at")));
    html! {
        article aria-label={ "Call " (number(attempt, "number")) } {
            h2 { a href={ (visit.root()) "callbacks/" (text(attempt, "callback")) } { "Call " (number(attempt, "number")) " of a callback" } }
            (facts(&[
                ("consumer", consumer(attempt)),
                ("sender", html! { (text(attempt, "sender")) }),
                ("since", html! { (since.map(|at| lasting(now.duration_since(at))).unwrap_or_default()) }),
                ("Twilio's id", html! { (match text(attempt, "sid") { "" => "not known", sid => sid }) }),
                ("without an answer", countdown(attempt, now)),
            ]))
            (look(attempt, now))
            div.actions { (buttons(visit, attempt, now)) }
        }
    }
}

fn buttons(visit: &Visit, attempt: &Value, now: Timestamp) -> Markup {
    let id = text(attempt, "id");
    let may = |route: &str| may_ask(&visit.person, &Method::POST, route);
    html! {
        @if may("/v1/attempts/{id}/ask-again") { (button(visit, &format!("unknown/{id}/ask-again"), "Ask Twilio again")) }
        @if may("/v1/attempts/{id}/hold") && text(attempt, "stage") == "unknown" {
            @if held_until(attempt, now).is_some() { (button(visit, &format!("unknown/{id}/release"), "Hold no more")) }
            @else { (button(visit, &format!("unknown/{id}/hold"), "Hold for a day")) }
        }
        @if may("/v1/callbacks/{id}/not-today") {
            (button(visit, &format!("callbacks/{}/not-today", text(attempt, "callback")), "Not again today"))
        }
        @if may("/v1/attempts/{id}/resolve") {
            details.action id={ "resolve-" (id) } {
                summary { "Record what became of it" }
                (resolve_form(visit, id, None))
            }
        }
    }
}

fn held_until(attempt: &Value, now: Timestamp) -> Option<Timestamp> {
    parsed(text(attempt, "held_until")).filter(|&until| until > now)
}

/// When a call that Twilio does not have is taken as not placed.
fn countdown(attempt: &Value, now: Timestamp) -> Markup {
    let held = held_until(attempt, now);
    html! {
        @if let Some(until) = held { strong { "held; the hold ends " (from_now(until, now)) } ", then it " }
        @match parsed(text(attempt, "not_placed_at")) {
            Some(_) if held.is_some() => "counts as not placed, if Twilio has no such call",
            Some(at) if at > now => { "counts as not placed " (from_now(at, now)) ", if Twilio then has no such call" },
            Some(_) => "counts as not placed as soon as Twilio says that it has no such call",
            None => "waits for Twilio or for you",
        }
    }
}

/// What the last lookup found at Twilio, with how each call differs from what was requested.
fn look(attempt: &Value, now: Timestamp) -> Markup {
    let Some(look) = field(attempt, "last_look") else { return html! {} };
    let calls = list(look, "candidates");
    let asked = parsed(text(look, "at")).map(|at| from_now(at, now)).unwrap_or_default();
    let rows: Vec<_> = calls.iter().map(candidate).collect();
    html! {
        @if calls.is_empty() { p.hint { "Twilio was asked " (asked) " and has no such call yet." } }
        @else {
            (table(&format!("At Twilio {asked}: one of these may be it"), &["call", "placed", "numbers", "state"], &rows))
        }
    }
}

fn candidate(call: &Value) -> Vec<Markup> {
    let apart = field(call, "after_request_s").and_then(Value::as_i64);
    let placed = match apart {
        Some(0) => "at the same second".to_owned(),
        Some(after @ 1..) => format!("{} after our request", lasting(SignedDuration::from_secs(after))),
        Some(before) => {
            format!("{} before our request", lasting(SignedDuration::from_secs(before.saturating_neg())))
        }
        None => "not known".to_owned(),
    };
    let same = field(call, "same_numbers") == Some(&Value::Bool(true));
    vec![
        html! { (text(call, "sid")) },
        html! { (placed) },
        html! { @if same { "the same" } @else { strong { "others" } } },
        html! { (text(call, "state").replace('_', " ")) @if let Some(talked) = field(call, "duration_s") { ", " (talked) " s" } },
    ]
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

/// Holds a call of unknown fate.
pub(super) async fn hold(Path(id): Path<String>, form: Form) -> Response {
    act(&id, &form, "hold", "held").await
}

/// Holds it no more.
pub(super) async fn release(Path(id): Path<String>, form: Form) -> Response {
    act(&id, &form, "release", "released").await
}

/// Asks Twilio again now.
pub(super) async fn ask_again(Path(id): Path<String>, form: Form) -> Response {
    act(&id, &form, "ask-again", "asking").await
}

async fn act(id: &str, form: &Form, verb: &str, done: &str) -> Response {
    let visit = &form.visit;
    match visit.post(&format!("/v1/attempts/{}/{verb}", segment(id)), &json!({})).await {
        Ok(_) => visit.go("unknown", done),
        Err(refused) => visit.refused(&refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn what_was_found_is_shown_with_its_differences() {
        let now = at("2026-11-29T12:10:00Z");
        let none = json!({"last_look": {"at": "2026-11-29T12:08:00Z", "candidates": []}});
        assert!(look(&none, now).into_string().contains("asked 2 min ago and has no such call yet"));
        let two = json!({"last_look": {"at": "2026-11-29T12:08:00Z", "candidates": [
            {"sid": "CA1", "state": "no_answer", "after_request_s": 3, "same_numbers": true},
            {"sid": "CA<2>", "state": "completed", "after_request_s": -61, "same_numbers": false, "duration_s": 9},
        ]}});
        let shown = look(&two, now).into_string();
        for part in [
            "3 s after our request",
            "1 min before our request",
            "no answer",
            "CA&lt;2&gt;",
            "<strong>others",
            "completed, 9 s",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(look(&json!({}), now).into_string().is_empty());
    }

    #[test]
    fn the_countdown_tells_of_the_hold_first() {
        let now = at("2026-11-29T12:10:00Z");
        let told = |attempt: Value| countdown(&attempt, now).into_string();
        assert!(told(json!({"not_placed_at": "2026-11-29T12:15:00Z"})).contains("not placed in 5 min"));
        assert!(told(json!({"not_placed_at": "2026-11-29T12:10:00Z"})).contains("as soon as Twilio says"));
        assert!(told(json!({})).contains("waits for Twilio or for you"));
        let held = json!({"held_until": "2026-11-29T14:10:00Z", "not_placed_at": "2026-11-29T14:10:00Z"});
        assert!(told(held).contains("the hold ends in 2 h"));
        let was = json!({"held_until": "2026-11-29T12:10:00Z", "not_placed_at": "2026-11-29T12:15:00Z"});
        assert!(!told(was).contains("held"));
    }
}
