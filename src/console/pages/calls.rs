//! The calls in progress: since when, from which sender, to which agent; and the end of one.

use axum::extract::Path;
use axum::response::Response;
use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::{Value, json};

use super::shown::consumer;
use crate::console::asking::segment;
use crate::console::form::Form;
use crate::console::layout::Page;
use crate::console::parts::{action, badge, list, nothing, number, table, text};
use crate::console::times::{lasting, parsed};
use crate::console::visit::Visit;
use crate::domain::Scope;

const MOST: u64 = 200;

pub(super) async fn calls(visit: Visit) -> Response {
    match visit.get(&format!("/v1/attempts?limit={MOST}")).await {
        Ok(found) => visit.page(Page::new("Calls").live(shown(&visit, &found))),
        Err(refused) => visit.page_refused(&refused, Page::new("Calls")),
    }
}

fn shown(visit: &Visit, found: &Value) -> Markup {
    let may_end = visit.may(Scope::Supervise);
    let rows: Vec<_> = list(found, "attempts").iter().map(|attempt| row(visit, attempt, may_end)).collect();
    let total = number(found, "total");
    html! {
        @if rows.is_empty() { (nothing("Nobody is on the phone.")) } @else {
            (table("Oldest first", &["since", "state", "consumer", "sender", "number", "callback", "end"], &rows))
        }
        @if total > MOST { p.hint { "These are the oldest " (MOST) " of " (total) "." } }
    }
}

fn row(visit: &Visit, attempt: &Value, may_end: bool) -> Vec<Markup> {
    let since = parsed(text(attempt, "submitted_at")).or_else(|| parsed(text(attempt, "created_at")));
    let (id, callback) = (text(attempt, "id"), text(attempt, "callback"));
    vec![
        html! { (since.map(|at| age(at, visit.now())).unwrap_or_default()) },
        badge(if text(attempt, "stage") == "unknown" { "warn" } else { "plain" }, &state(attempt)),
        consumer(attempt),
        html! { (text(attempt, "sender")) },
        html! { (number(attempt, "number")) },
        html! { a href={ (visit.root()) "callbacks/" (callback) } { "open" } },
        html! { @if may_end && is_on(attempt) {
            (action(visit, &format!("calls/{id}/end"), "End", false, &html! { p { "The call is ended for both sides." } }))
        } },
    ]
}

fn age(at: Timestamp, now: Timestamp) -> String {
    lasting(now.duration_since(at))
}

/// The state of a call in the words of the floor.
fn state(attempt: &Value) -> String {
    match (text(attempt, "stage"), text(attempt, "state")) {
        ("unknown", _) => "checking with Twilio".to_owned(),
        ("intent" | "submitting", _) => "being placed".to_owned(),
        (_, "in_progress") if text(attempt, "connected_at").is_empty() => "answered".to_owned(),
        (_, "in_progress") => "talking".to_owned(),
        (_, "") => "being placed".to_owned(),
        (_, state) => state.replace('_', " "),
    }
}

/// Whether the platform knows the call, so that it can be ended.
fn is_on(attempt: &Value) -> bool {
    text(attempt, "stage") == "accepted" && text(attempt, "ended_at").is_empty()
}

/// Ends a call.
pub(super) async fn end(Path(id): Path<String>, form: Form) -> Response {
    let visit = &form.visit;
    match visit.post(&format!("/v1/attempts/{}/end", segment(&id)), &json!({})).await {
        Ok(_) => visit.go("calls", "ending"),
        Err(refused) => visit.refused(&refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_told_in_the_words_of_the_floor() {
        for (attempt, expected, on) in [
            (json!({"stage": "unknown"}), "checking with Twilio", false),
            (json!({"stage": "submitting"}), "being placed", false),
            (json!({"stage": "accepted", "state": "ringing"}), "ringing", true),
            (json!({"stage": "accepted", "state": "in_progress"}), "answered", true),
            (json!({"stage": "accepted", "state": "in_progress", "connected_at": "x"}), "talking", true),
            (json!({"stage": "accepted", "state": "ended", "ended_at": "x"}), "ended", false),
        ] {
            assert_eq!((state(&attempt), is_on(&attempt)), (expected.to_owned(), on));
        }
    }
}
