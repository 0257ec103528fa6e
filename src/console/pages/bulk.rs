//! One change of many callbacks: what would change, the confirmation with the number, the progress, and the stop.

use axum::extract::Path;
use axum::response::Response;
use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::console::charts::meter;
use crate::console::form::Form;
use crate::console::layout::Page;
use crate::console::parts::{Input, action, badge, button, facts, list, nothing, number, table, text};
use crate::console::visit::Visit;
use crate::console::words::{self, counted};
use crate::domain::Scope;

/// The changes of many callbacks, newest first.
pub(super) async fn all(visit: Visit) -> Response {
    match visit.get("/v1/bulk").await {
        Ok(found) => visit.page(Page::new("Changes of many callbacks").live(rows(&visit, &found))),
        Err(refused) => visit.page_refused(&refused, Page::new("Changes of many callbacks")),
    }
}

fn rows(visit: &Visit, found: &Value) -> Markup {
    let rows: Vec<_> = list(found, "bulk")
        .iter()
        .map(|bulk| {
            vec![
                html! { a href={ (visit.root()) "bulk/" (text(bulk, "id")) } { (what(bulk)) } },
                badge(if text(bulk, "state") == "running" { "warn" } else { "plain" }, text(bulk, "state")),
                html! { (number(bulk, "applied")) " of " (number(bulk, "total")) },
                html! { (words::by(text(bulk, "by"))) },
                html! { (text(bulk, "why")) },
            ]
        })
        .collect();
    html! {
        @if rows.is_empty() { (nothing("Nobody has changed many callbacks at once.")) }
        @else { (table("Newest first", &["what", "state", "done", "by", "why"], &rows)) }
    }
}

/// What it does, in words.
fn what(bulk: &Value) -> String {
    match text(bulk, "act") {
        "cancel" => "cancel".to_owned(),
        _ => {
            let times = ["earliest", "latest"].iter().any(|name| !text(bulk, name).is_empty());
            let urgency = bulk.get("priority").map(|_| words::priority(number(bulk, "priority")));
            match (times, urgency) {
                (true, Some(urgency)) => format!("move the times, and make {urgency}"),
                (true, None) => "move the times".to_owned(),
                (false, urgency) => format!("make {}", urgency.unwrap_or("other")),
            }
        }
    }
}

/// Prepares one from the form below a list.
pub(super) async fn make(form: Form) -> Response {
    let visit = &form.visit;
    let mut filter = Map::new();
    for name in ["reason", "campaign", "reference"] {
        if let Some(given) = form.given(name) {
            filter.insert(name.to_owned(), given.into());
        }
    }
    if filter.is_empty() {
        filter.insert("all".to_owned(), true.into());
    }
    let mut body = json!({ "act": form.text("act"), "filter": filter, "why": form.text("why") });
    for name in ["earliest", "latest"] {
        if let Some(given) = form.given(name) {
            body[name] = given.into();
        }
    }
    if let Some(given) = form.given("priority") {
        body["priority"] = given.parse::<u64>().map_or_else(|_| given.into(), Value::from);
    }
    match visit.post("/v1/bulk", &body).await {
        Ok(made) => visit.go(&format!("bulk/{}", text(&made, "id")), "previewed"),
        Err(refused) => visit.refused(&refused),
    }
}

pub(super) async fn one(Path(id): Path<String>, visit: Visit) -> Response {
    match visit.get(&format!("/v1/bulk/{id}")).await {
        Ok(bulk) => {
            let page = Page::new("A change of many callbacks").live(progress(&bulk));
            visit.page(page.rest(forms(&visit, &bulk)))
        }
        Err(refused) => visit.refused(&refused),
    }
}

fn progress(bulk: &Value) -> Markup {
    let (total, applied) = (number(bulk, "total"), number(bulk, "applied"));
    html! {
        p.sentence { (what(bulk)) ": " (counted(total, "callback")) }
        (badge(if text(bulk, "state") == "running" { "warn" } else { "plain" }, text(bulk, "state"))) " "
        (meter("done", total.saturating_sub(number(bulk, "open")), total))
        (facts(&[
            ("why", html! { (text(bulk, "why")) }),
            ("by", html! { (words::by(text(bulk, "by"))) }),
            ("done", html! { (applied) }),
            ("under way", html! { (number(bulk, "pending")) }),
            ("not begun", html! { (number(bulk, "open")) }),
            ("passed over, because they had changed", html! { (number(bulk, "changed")) }),
            ("refused, because they changed right before", html! { (number(bulk, "refused")) }),
        ]))
    }
}

fn forms(visit: &Visit, bulk: &Value) -> Markup {
    let path = |verb: &str| format!("bulk/{}/{verb}", text(bulk, "id"));
    let count = number(bulk, "total").to_string();
    html! {
        @if visit.may(Scope::Order) {
            div.actions {
                @if text(bulk, "state") == "preview" {
                    @let hint = format!("type {count}");
                    (action(visit, &path("confirm"), "Confirm", true,
                        &Input::text("count", "How many callbacks").of_kind("number").hint(&hint).required().shown(None)))
                }
                @if matches!(text(bulk, "state"), "preview" | "running") { (button(visit, &path("stop"), "Stop")) }
            }
        }
    }
}

pub(super) async fn confirm(Path(id): Path<String>, form: Form) -> Response {
    let visit = &form.visit;
    let body = json!({ "count": form.text("count").parse::<u64>().ok() });
    match visit.post(&format!("/v1/bulk/{id}/confirm"), &body).await {
        Ok(_) => visit.go(&format!("bulk/{id}"), "confirmed"),
        Err(refused) => visit.refused(&refused),
    }
}

pub(super) async fn stop(Path(id): Path<String>, form: Form) -> Response {
    let visit = &form.visit;
    match visit.post(&format!("/v1/bulk/{id}/stop"), &json!({})).await {
        Ok(_) => visit.go(&format!("bulk/{id}"), "stopped"),
        Err(refused) => visit.refused(&refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_does_is_told_in_words() {
        assert_eq!(what(&json!({"act": "cancel"})), "cancel");
        assert_eq!(what(&json!({"act": "reschedule", "latest": "x"})), "move the times");
        assert_eq!(what(&json!({"act": "reschedule", "priority": 8})), "make urgent");
        assert_eq!(
            what(&json!({"act": "reschedule", "earliest": "x", "priority": 1})),
            "move the times, and make bulk"
        );
    }
}
